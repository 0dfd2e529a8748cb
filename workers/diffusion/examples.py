"""Training pictures of one person, cut from the photos at full resolution; and which photos never train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from core.checks.advice import Issue
from core.checks.shots import FEWEST, by_shot
from core.checks.verdict import Measures
from core.consent import Purpose, ValidConsent
from core.errors import InvalidInput
from workers.diffusion.around import clothes, setting
from workers.diffusion.captions import caption
from workers.diffusion.picture import Example, buckets, sides_up_to
from workers.diffusion.worn import Worn
from workers.engines import Source
from workers.vision.full_resolution import at_head_height
from workers.vision.geometry import Box, Face, Pixels
from workers.vision.glasses import wears_glasses
from workers.vision.segment import person_mask
from workers.vision.symmetry import Sides, sides

HELD_OUT: Final = 3  # shots at most: by the mean to three, one odd photo does not decide
_HEAD: Final = 0.42  # of the picture's height: head and shoulders, as a headshot shows them
_CLOSE_HEAD: Final = 0.72  # the same of face and hair alone
_ENLARGED: Final = 1.25  # times that a picture may be enlarged before a smaller side is taken
_WALL: Final = 0.1  # least of the mask where there is nobody else
_EYE_LINE: Final = 0.4  # of the picture's height, from the top
_HAIR_BAND: Final = 0.022  # of the head's height, as in matting
# `Sides.mark`: two sides of real faces looking at the camera differed by up to 0.16; a mole of 2 mm that
# takes 40 % of the light made it 0.17 to 0.24, one that takes 55 % 0.29 and more. A person with a stronger
# mark would learn it on both cheeks.
_MARK: Final = 0.165
# `Sides.hairline`: hair that falls alike on both sides 0.61 to 0.99, curls to one side 0.26, a fringe
# combed over half of the forehead 0.0 to 0.39. A parting would be learned on both sides.
_HAIRLINE: Final = 0.5


class TooFewPhotos(InvalidInput):
    """A made face needs a photo to be learned from, or shown, and another one to be checked with."""

    code = "too_few_photos"

    def __init__(self) -> None:
        super().__init__(
            "An image model needs at least two photos that are not the same shot: one to work from and one to check the "
            "result with. Nothing was made. Add photos from other days, six or more in all."
        )


@dataclass(frozen=True, slots=True)
class Split:
    """Which photos train and which measure what was learned; by key, none in both."""

    train: tuple[str, ...]
    held_out: tuple[str, ...]


def split(sources: Sequence[Source], *, apart: bool = True) -> Split:
    """Say which photos a model learns from or is shown, and which only measure what it made.

    Three shots are held out, of three or fewer all but one. Photos of one shot stay together, so nothing that nearly is
    a held-out photo is learned. The best shot is always learned, the next best are held out: a poor photo would measure
    badly. A photo that may show somebody else does neither. The same photos give the same answer, in whatever order they
    come.

    Args:
        sources: The person's accepted photos.
        apart: Keep photos of one shot together. Only trying out the path, with models that learn nothing,
            does without.

    Raises:
        TooFewPhotos: there is only one shot. It cannot both teach and judge.
    """
    sure = sorted(
        (source for source in sources if not _doubtful(source)), key=lambda one: (-one.verdict.score, one.key)
    )
    places = by_shot([one.verdict.phash if apart else None for one in sure])
    shots = [[sure[place] for place in shot] for shot in places]
    if len(shots) < FEWEST:
        raise TooFewPhotos
    held = shots[1 : 1 + min(HELD_OUT, len(shots) - 1)]
    train = [shot for shot in shots if shot not in held]
    return Split(
        train=tuple(one.key for shot in train for one in shot),
        held_out=tuple(one.key for shot in held for one in shot),
    )


def _doubtful(source: Source) -> bool:
    return any(finding.code is Issue.MAY_BE_SOMEONE_ELSE for finding in source.verdict.issues)


def examples(sources: Sequence[Source], consent: ValidConsent, side: int, word: str) -> list[Example]:
    """Cut the training pictures of a person: of each photo head and shoulders, and face and hair alone.

    One photo is decoded at a time; what is kept of it has the size of a training picture. Each is mirrored
    as well where the face is alike on both sides in those photos that look at the camera; where none does,
    nobody knows, so nothing is mirrored.

    Args:
        sources: The photos that train, see `split`; one without a face any more is left out.
        consent: Must cover `photo` and `adapter`.
        side: Pixels; about its square are in each picture, less where the photo has less, see `sides_up_to`.
        word: The rare word that stands for the person.

    Raises:
        ConsentRequired: `consent` does not cover it; nothing was decoded.
    """
    consent.demand(Purpose.ADAPTER)
    cut: list[tuple[Example, str]] = []
    compared: list[Sides] = []
    for source in sources:
        seen = source.examined(consent)
        if seen.face is None:
            continue
        # A frame that the photo's edge makes smaller shows the head larger, at most as high as the picture.
        pixels, face, others = at_head_height(source.content, seen, float(side))
        both = sides(pixels, face)
        compared += [both] if both is not None else []
        for close in (False, True):
            view = _View(pixels, face, others, seen.verdict.measures, close=close)
            cut.append(_cut(source.key, view, side, word))
    result = [example for example, _ in cut]
    if mirrors(compared):
        result += [_mirrored(example, said) for example, said in cut]
    return result


def mirrors(compared: Sequence[Sides]) -> bool:
    """Say whether a person may be mirrored: a mark or a parting shows in most photos, a shadow in one."""
    if not compared:
        return False
    mark = float(np.median([one.mark for one in compared]))
    hairline = float(np.median([one.hairline for one in compared]))
    return mark <= _MARK and hairline >= _HAIRLINE


def _mirrored(example: Example, said: str) -> Example:
    return replace(
        example,
        pixels=np.ascontiguousarray(example.pixels[:, ::-1]),
        mask=np.ascontiguousarray(example.mask[:, ::-1]),
        caption=said,
        flipped=True,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A photo at full resolution, and how much of it to show."""

    pixels: Pixels
    face: Face
    others: tuple[Face, ...]
    measures: Measures
    close: bool


def _cut(key: str, view: _View, side: int, word: str) -> tuple[Example, str]:
    """Return a training picture, and what its mirror image is said to show."""
    pixels, face = view.pixels, view.face
    size = (pixels.shape[1], pixels.shape[0])
    head = _CLOSE_HEAD if view.close else _HEAD
    for smaller in reversed(sides_up_to(side)):
        (width, height), box = window(face, size, smaller, head)
        if height <= _ENLARGED * box.height:
            break
    left, top = int(box.left), int(box.top)
    part = pixels[top : top + round(box.height), left : left + round(box.width)]
    scale = height / part.shape[0]
    picture = np.asarray(
        cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC),
        np.uint8,
    )
    moved = face.moved(-left, -top, scale)
    mask = person_mask(picture, moved, [other.moved(-left, -top, scale) for other in view.others], _HAIR_BAND)
    worn = Worn(glasses=wears_glasses(picture, moved), clothes=clothes(picture, mask, moved))

    def said(*, flipped: bool) -> str:
        return caption(
            word,
            face,
            view.measures,
            head=moved.head_height / height,
            enlarged=scale,
            worn=worn,
            setting=setting(picture, mask),
            flipped=flipped,
        )

    example = Example(
        key,
        picture,
        mask if view.others else np.maximum(mask, np.float32(_WALL)),
        said(flipped=False),
        flipped=False,
        close=view.close,
        original=(part.shape[0], part.shape[1]),
        worn=worn,
    )
    return example, said(flipped=True)


def window(face: Face, size: tuple[int, int], side: int, head: float = _HEAD) -> tuple[tuple[int, int], Box]:
    """Choose the training picture's size and what of a photo it shows.

    Of the shapes, the one that shows most of what a headshot shows; nothing beyond the photo's edge is made
    up, so where a photo ends early the frame gets smaller.

    Args:
        face: In the photo's pixels.
        size: The photo's width and height, pixels.
        side: Pixels; see `buckets`.
        head: Its height over the picture's.
    """
    wide, high = size
    wanted = face.head_height / head
    shown: list[tuple[float, tuple[int, int], float]] = []
    for width, height in buckets(side):
        tall = min(wanted, high, wide * height / width)
        # A headshot is about square; what lies further aside is wall.
        shown.append((tall * min(tall * width / height, wanted), (width, height), tall))
    _, (width, height), tall = max(shown, key=lambda item: item[0])
    across = tall * width / height
    box = face.box
    x, y = (box.left + box.right) / 2, float(face.right_eye[1] + face.left_eye[1]) / 2
    left = float(np.clip(x - across / 2, 0, wide - across))
    top = float(np.clip(y - _EYE_LINE * tall, 0, high - tall))
    return (width, height), Box(left, top, left + across, top + tall)
