"""Holes of a mask: a tie is the person's, the wall between hair and neck is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.style.spec import StyleSpec
from deploy.bench.worn import before, with_loose_hair
from workers.studio.align import region
from workers.studio.preview import sample
from workers.vision.faces import find_faces
from workers.vision.gaps import closed
from workers.vision.geometry import CHIN, Face, Pixels
from workers.vision.matting import matte
from workers.vision.photometry import inside

WALL = (205, 200, 190)


def hole_in(face: Face, shape: tuple[int, ...], across: float) -> np.ndarray:
    """Return a person of the whole lower middle, with a hole beside the chin."""
    x, chin = face.landmarks[CHIN, :2]
    kept = np.zeros(shape[:2], np.uint8)
    cv2.circle(kept, (int(x), int(chin)), round(0.6 * face.head_height), 1, -1)
    cv2.circle(kept, (int(x + across * face.head_height), int(chin)), round(0.06 * face.head_height), 0, -1)
    return kept


def photo_with(kept: np.ndarray, hole: tuple[int, int, int] | None) -> Pixels:
    fall = np.linspace(1.1, 0.85, kept.shape[1])[None, :, None]
    wall = np.clip(np.array(WALL) * fall * np.ones((kept.shape[0], 1, 1)), 0, 255)
    pixels = np.where(kept[..., None] > 0, np.array([60, 45, 35]), wall)
    if hole is not None:
        inside = cv2.morphologyEx(kept, cv2.MORPH_CLOSE, np.ones((61, 61), np.uint8)) > kept
        pixels[inside] = hole
    noise = np.random.default_rng(1).normal(0, 1.5, pixels.shape)
    return np.asarray(np.clip(np.rint(pixels + noise), 0, 255), np.uint8)


@pytest.mark.parametrize(
    ("across", "color", "stays"),
    [(0.3, None, True), (0.3, (150, 30, 40), False), (0.0, None, False)],
    ids=["the wall beside the neck", "a scarf beside the neck", "a shirt in the wall's colour"],
)
def test_hole_stays_open_where_the_wall_is_seen_beside_the_neck(
    across: float, color: tuple[int, int, int] | None, *, stays: bool
) -> None:
    face = sample().face
    kept = hole_in(face, sample().alpha.shape, across)
    mask = closed(kept.astype(np.float32), kept, photo_with(kept, color), face)
    hole = (kept == 0) & (cv2.morphologyEx(kept, cv2.MORPH_CLOSE, np.ones((61, 61), np.uint8)) > 0)
    assert (mask[hole] < 0.1).all() if stays else (mask[hole] > 0.9).all()


def test_wall_between_loose_hair_and_neck_is_cut_out() -> None:
    person = with_loose_hair(sample())
    photo = before(person, WALL)
    face = find_faces(photo)[0]
    shown = region(face, StyleSpec().crop)
    alpha = matte(photo, face, [], shown).alpha
    truth = cv2.resize(person.alpha[inside(shown, photo)], alpha.shape[::-1], interpolation=cv2.INTER_AREA)
    _, labels, stats, _ = cv2.connectedComponentsWithStats((truth < 0.02).astype(np.uint8), connectivity=4)
    gap = labels == 1 + int(np.argsort(stats[1:, cv2.CC_STAT_AREA])[-2])  # the largest is the wall outside
    assert gap.sum() > 0.003 * face.head_height**2
    assert alpha[gap].mean() < 0.3
