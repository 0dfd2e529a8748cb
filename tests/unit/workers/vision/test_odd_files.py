"""Whatever a file is, its check ends with an answer, and the copy that is kept can be made."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image
from skimage import data

from core.checks.advice import Issue
from core.consent import ValidConsent
from deploy.bench.made import encoded, heic
from workers.vision.check import examine
from workers.vision.full_resolution import kept

KINDS = ("JPEG", "PNG", "WEBP", "AVIF")
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "I")
SIZES = (
    (1, 1), (63, 63), (64, 64), (64, 1), (1, 64), (10_000, 1), (1, 10_000), (12_000, 64), (64, 12_000),
    (65, 5_000), (5_000, 65), (16_000, 70), (100, 200),
)  # fmt: skip


def answered(content: bytes, consent: ValidConsent) -> list[Issue]:
    seen = examine(content, consent)
    assert seen.verdict.accepted or seen.verdict.obstacles, "an answer, and a reason"
    if seen.place is not None:
        assert kept(content, seen).size > 0
    return [finding.code for finding in seen.verdict.issues]


def bytes_of(picture: Image.Image, kind: str) -> bytes | None:
    with suppress(OSError, ValueError, KeyError):  # not every format has every mode and size
        return encoded(picture, kind)
    return None


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_size(size: tuple[int, int], consent: ValidConsent) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)
    for picture in (
        Image.new("RGB", size),
        Image.fromarray(noise),
        Image.fromarray(data.astronaut()).resize(size),
    ):
        for kind in KINDS:
            content = bytes_of(picture, kind)
            if content is not None:
                found = answered(content, consent)
                assert (Issue.TOO_FEW_PIXELS in found) == (min(size) < 64), kind


@pytest.mark.parametrize("mode", MODES)
def test_every_mode(mode: str, consent: ValidConsent) -> None:
    plain = Image.fromarray(data.astronaut())
    picture = plain.convert("L").convert(mode) if mode.startswith("I") else plain.convert(mode)
    contents = [content for kind in KINDS if (content := bytes_of(picture, kind))]
    assert contents or mode == "PA"
    for content in contents:
        answered(content, consent)


def broken(content: bytes, seed: int) -> Iterator[bytes]:
    """Cut everywhere near the start, and bytes exchanged near the start and anywhere."""
    for cut in [*range(0, 240, 13), 700, len(content) // 3, len(content) // 2, len(content) - 3]:
        yield content[:cut]
    generator = np.random.default_rng(seed)
    for turn in range(20):
        changed = bytearray(content)
        for _ in range(1 + turn % 9):
            reach = len(changed) if turn % 2 else min(len(changed), 700)
            changed[int(generator.integers(0, reach))] = int(generator.integers(256))
        yield bytes(changed)


@pytest.mark.parametrize(
    "kind", ["JPEG", "PNG", "HEIC", *(pytest.param(one, marks=pytest.mark.slow) for one in ("WEBP", "AVIF"))]
)
def test_every_kind_of_damage(kind: str, consent: ValidConsent) -> None:
    picture = Image.fromarray(data.astronaut()).resize((320, 320))
    whole = heic(np.asarray(picture), 1, 13) if kind == "HEIC" else encoded(picture, kind)
    for content in broken(whole, len(kind)):
        answered(content, consent)


def test_a_photo_with_every_kind_of_broken_exif_is_a_photo(consent: ValidConsent) -> None:
    picture = Image.fromarray(data.astronaut())
    for exif in (
        b"Exif\0\0",
        b"Exif\0\0MM\0*\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff",
        b"Exif\0\0?",
    ):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=92, exif=exif)
        assert Issue.DAMAGED not in answered(buffer.getvalue(), consent)
