"""Sharpness and grain of very different photos, beside each other."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np

from core.style.spec import SolidBackdrop, StyleSpec
from workers.studio.finish import finish
from workers.studio.preview import sample
from workers.studio.texture import GRAIN, textured
from workers.vision.cutout import Cutout
from workers.vision.detail import sharpness


def encoded(cutout: Cutout) -> np.ndarray:
    return cutout.foreground.astype(np.float32) / 255


def soft(cutout: Cutout, part: float) -> Cutout:
    blurred = cv2.GaussianBlur(cutout.foreground, (0, 0), part * cutout.face.eye_distance)
    return dataclasses.replace(cutout, foreground=blurred)


def test_soft_photo_comes_nearer_to_a_sharp_one_and_no_edge_gets_a_halo():
    cutout = soft(sample(), 1 / 30)
    before = encoded(cutout)
    after, _ = textured(before, cutout.alpha, cutout.face, 1.0)
    found, wanted = sharpness(cutout.foreground, cutout.face), sharpness(sample().foreground, cutout.face)
    now = sharpness(np.rint(after.clip(0, 1) * 255).astype(np.uint8), cutout.face)
    assert found.value < found.enough
    assert found.value + 0.5 * (found.enough - found.value) < now.value <= 1.1 * wanted.value
    width = 2 * round(cutout.face.eye_distance / found.value) + 1
    near = np.ones((width, width), np.uint8)
    grey, sharp = (cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (before, np.float32(after)))
    assert (sharp <= cv2.dilate(grey, near) + 1e-4).all()
    assert (sharp >= cv2.erode(grey, near) - 1e-4).all()


def test_sharp_photo_is_left_as_it_is():
    cutout = soft(
        sample(), 1 / 60
    )  # the sample is grainy at its own size, and sharper than its pixels ask for
    assert (
        sharpness(cutout.foreground, cutout.face).value
        > 1.2 * sharpness(cutout.foreground, cutout.face).enough
    )
    before = encoded(cutout)
    after, _ = textured(before, cutout.alpha, cutout.face, 1.0)
    assert np.array_equal(after, before)


def test_smooth_picture_gets_the_grain_that_every_headshot_has():
    cutout, side = soft(sample(), 1 / 8), sample().foreground.shape[0]
    grained, still = (
        finish(cutout, StyleSpec(backdrop=SolidBackdrop(color="#808890", grain=share)), (side, side))
        for share in (1.0, 0.0)
    )
    x, y = (int(value) for value in grained.face.landmarks[151, :2])
    patch = np.s_[y - 6 : y + 7, x - 12 : x + 13]
    noise = grained.pixels[patch].astype(float).mean(axis=2) - still.pixels[patch].astype(float).mean(axis=2)
    assert 0.6 * GRAIN < noise.std() < 1.4 * GRAIN
