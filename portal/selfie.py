"""The selfie beside a result: cropped as the result is, so that both heads are as large and can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PIL import Image

from core.models import Photo
from core.style.framing import Head

# Chin to crown over the mesh's box, which ends at the hairline: eyes are half-way up a skull, and a hairline
# is about three quarters of that above them (Farkas, Anthropometry of the Head and Face).
_HEAD: float = 1.15


def framed(photo: Image.Image, face: Mapping[str, float] | None, head: Head, ratio: float) -> Image.Image:
    """Crop a photo so that its head stands as `head` does, as far as the photo reaches.

    Args:
        photo: upright.
        face: the face's box, fractions of width and height; without one the whole photo is returned.
        head: where the head stands in the result.
        ratio: width over height of the result.
    """
    if face is None or face["height"] <= 0:
        return photo
    tall = face["height"] * photo.height * _HEAD
    chin = (face["top"] + face["height"]) * photo.height
    middle = (face["left"] + face["width"] / 2) * photo.width
    height = min(tall / head.height, photo.height, photo.width / ratio)
    width = height * ratio
    left = min(max(0.0, middle - width / 2), photo.width - width)
    top = min(max(0.0, chin - tall / 2 - head.eye_line * height), photo.height - height)
    return photo.crop((round(left), round(top), round(left + width), round(top + height)))


def face_of(photo: Photo) -> Mapping[str, float] | None:
    """Return the box of the person's face: the one that they called theirs, else the largest."""
    faces: Sequence[Mapping[str, Any]] = (photo.verdict or {}).get("faces", ())
    if not faces:
        return None
    if photo.subject is None:
        return faces[0]
    x, y = photo.subject
    return min(
        faces,
        key=lambda box: (box["left"] + box["width"] / 2 - x) ** 2 + (box["top"] + box["height"] / 2 - y) ** 2,
    )
