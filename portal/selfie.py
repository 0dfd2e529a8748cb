"""The selfie beside a result: cropped and turned as the result is, so that both heads lie on each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image

from core.models import Photo
from core.style.framing import Head

# Chin to crown over the mesh's box, which ends at the hairline, where the check has not kept the head's height
# itself: 1.37 to 1.41 on faces that look at the camera.
_HEAD: Final = 1.39
# Of a head's height, on 17 faces: irises above the chin, and for the sine of a turn how far the point between eyes and
# the face's middle, which stands in the middle of a result, is beside that middle.
_EYES: Final = 0.507
_TURNED: Final = 0.09
_BEYOND: Final = (127, 127, 127)  # where the photo has ended


@dataclass(frozen=True)
class Place:
    """Where the person is in a photo: fractions of its width and height."""

    left: float
    top: float
    width: float
    height: float  # hairline to chin
    head: float  # chin to crown
    roll: float = 0.0  # degrees; positive when the picture's right eye is lower
    yaw: float = 0.0  # degrees; positive looks to the picture's right


def framed(photo: Image.Image, place: Place | None, head: Head, ratio: float) -> Image.Image:
    """Crop a photo so that its head stands as `head` does; beyond the photo it is grey.

    Args:
        photo: upright.
        place: where the person is; without it the whole photo is returned.
        head: where the head stands in the result.
        ratio: width over height of the result.
    """
    if place is None or place.head <= 0:
        return photo
    tall = place.head * photo.height
    height = tall / head.height
    width = height * ratio
    turn = math.radians(place.roll)
    cosine, sine = math.cos(turn), math.sin(turn)
    # The point between the eyes that a result has on its eye line, in its middle or beside it; the head may be tilted.
    x = (place.left + place.width / 2) * photo.width + _TURNED * math.sin(math.radians(place.yaw)) * tall
    y = (place.top + place.height) * photo.height - _EYES * tall * cosine
    across, down = (0.5 + head.beside) * width, head.eye_line * height
    return photo.convert("RGB").transform(
        (max(1, round(width)), max(1, round(height))),
        Image.Transform.AFFINE,
        (cosine, -sine, x - cosine * across + sine * down, sine, cosine, y - sine * across - cosine * down),
        Image.Resampling.BICUBIC,
        fillcolor=_BEYOND,
    )


def place_of(photo: Photo) -> Place | None:
    """Return where the person is: the face that they called theirs, else the largest."""
    verdict = photo.verdict or {}
    faces: Sequence[Mapping[str, Any]] = verdict.get("faces", ())
    if not faces:
        return None
    face = faces[0]
    if photo.subject is not None:
        x, y = photo.subject
        face = min(
            faces,
            key=lambda box: (
                (box["left"] + box["width"] / 2 - x) ** 2 + (box["top"] + box["height"] / 2 - y) ** 2
            ),
        )
    measures: Mapping[str, float | None] = verdict.get("measures", {})
    return Place(
        face["left"],
        face["top"],
        face["width"],
        face["height"],
        measures.get("head_height_fraction") or _HEAD * face["height"],
        measures.get("roll_degrees") or 0.0,
        measures.get("yaw_degrees") or 0.0,
    )
