"""Full resolution where it shows: the photo check looks at a reduced picture, these look at the file again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from core.image.reading import MAX_PIXELS
from workers.vision.decode import FULL_SIZE, Part, Picture, decode
from workers.vision.examination import Examination, Place
from workers.vision.faces import look_again
from workers.vision.geometry import Box, Face, Pixels
from workers.vision.photometry import reduced

_ENOUGH: Final = (
    1.5  # times the pixels asked for: so little more is left alone, resampling costs more than it saves
)
KEPT_HEAD: Final = 2600.0  # px, chin to crown: a print of 3,000 px shows 1,860 at the default crop


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A part of a photo at some resolution; see `Examination`."""

    pixels: Pixels
    face: Face
    others: tuple[Face, ...]
    place: Place


def at_head_height(
    photo: bytes | Picture, seen: Examination, head_px: float
) -> tuple[Pixels, Face, tuple[Face, ...]]:
    """Return the person and their surroundings with a head of `head_px` or more, where the file holds it.

    A JPEG is decoded at the smallest scale that gives so much; no more than what the widest and highest
    frame shows is kept, so that 50 megapixels cost no more than their decoding.

    Args:
        photo: What was examined.
        seen: What `examine` found in it; it must have found a face.
        head_px: Chin to crown, pixels.
    """
    assert seen.pixels is not None, "only a photo with a face can be looked at closer"
    assert seen.face is not None, "only a photo with a face can be looked at closer"
    assert seen.place is not None, "pixels have a place"
    view = nearer(photo, View(seen.pixels, seen.face, seen.others, seen.place), head_px)
    return view.pixels, view.face, view.others


def nearer(photo: bytes | Picture, view: View, head_px: float) -> View:
    """Look again, see `at_head_height`; the view itself where the file holds no more or no more is needed."""
    place = view.place
    head = view.face.head_height / place.scale  # px of the file
    scale = min(1.0, head_px / head)
    if place.scale > scale / 1.05:
        return view
    box = place.box(view.face)
    (x, y) = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    # As far as the widest and highest frame reaches that a style can ask for.
    around = Box(x - 3.5 * head, y - 3 * head, x + 3.5 * head, y + 4 * head)
    part, there = place.part(around)
    pixels = _read(photo, place, part, scale)
    there = replace(there, scale=pixels.shape[1] / max(1.0, (part.right - part.left) * place.width))
    if there.scale > _ENOUGH * scale:
        pixels = reduced(pixels, scale / there.scale)
        there = replace(there, scale=scale)
    face = look_again(pixels, place.moved(view.face, there))
    return View(pixels, face, tuple(place.moved(other, there) for other in view.others), there)


def kept(photo: bytes | Picture, seen: Examination, head_px: float = KEPT_HEAD) -> Pixels:
    """Return the upright picture without bars, reduced only so far that the head is `head_px` high.

    Args:
        photo: What was examined; a `Picture` is not decoded again.
        seen: What `examine` found in it. Without a face, or while it is open which one is meant, every
            pixel stays.
        head_px: Chin to crown, pixels.
    """
    assert seen.place is not None, "only a photo that could be read can be kept"
    place = seen.place
    face = None if seen.verdict.asks else seen.face
    head = face.head_height / place.scale if face is not None else 1.0
    scale = min(1.0, head_px / head)
    part, _ = place.part(place.picture)
    pixels = _read(photo, place, part, scale)
    whole = pixels.shape[1] / max(1.0, place.picture.width)
    return reduced(pixels, scale / whole) if whole > 1.02 * scale else pixels


def _read(photo: bytes | Picture, place: Place, part: Part, scale: float) -> Pixels:
    """Return a part of the photo, never smaller than `scale` where the photo holds it."""
    if isinstance(photo, Picture):
        upright = np.rot90(photo.pixels, place.turns)
        left, top, right, bottom = part.area(upright.shape[1], upright.shape[0])
        return np.ascontiguousarray(upright[top:bottom, left:right])
    side = draft_side(max(place.width, place.height), scale)
    return decode(
        photo,
        max_bytes=len(photo),
        max_pixels=max(MAX_PIXELS, place.width * place.height),
        working_side=side,
        turns=place.turns,
        part=part,
        walked=True,  # when it was examined
    ).pixels


def draft_side(side: int, scale: float) -> int:
    """Return the long side that a JPEG decodes to for free and that is not below `scale`."""
    for eighths in (1, 2, 4):
        if eighths / 8 >= scale:
            return -(-side * eighths // 8)
    return FULL_SIZE
