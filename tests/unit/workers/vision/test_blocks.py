"""Squares that strong compression leaves are said, and what phones and messengers usually do is not."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from core.checks.advice import Issue
from core.image.reading import read
from workers.vision.blocks import blockiness
from workers.vision.check import check


def saved(pixels, quality, then=None):
    """Save pixels as a JPEG of a quality, and perhaps once more, as a messenger does."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return saved(np.asarray(Image.open(buffer)), then) if then else buffer.getvalue()


def at_most(pixels, side):
    scale = min(1.0, side / max(pixels.shape[:2]))
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "joe/portrait.jpg", "eileen/portrait.png"])
def test_squares_of_strong_compression_are_a_finding_and_usual_quality_is_none(photo, consent, name):
    pixels = at_most(read(photo(name)), 1500)
    for quality in (60, 75, 92):
        assert Issue.BLOCKS not in _codes(check(saved(pixels, quality), consent)), quality
    spoilt = check(saved(pixels, 5), consent)
    assert Issue.BLOCKS in _codes(spoilt)
    assert Issue.BLOCKS in _codes(check(saved(pixels, 5, then=95), consent)), "saved once more"
    assert Issue.BLOCKS in _codes(check(saved(pixels[3:, 5:], 5), consent))
    assert spoilt.score < 0.7 * check(saved(pixels, 92), consent).score


def _codes(verdict):
    return {finding.code for finding in verdict.issues}


def test_stripes_walls_and_noise_have_no_squares():
    chance = np.random.default_rng(1)
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::8] = 255
    wall = np.full((400, 400, 3), 120, np.uint8)
    wall[:, 200:] = 30
    for picture in (stripes, wall, chance.integers(0, 255, (400, 400, 3), np.uint8), wall[:5, :5]):
        assert blockiness(picture) < 1.2
