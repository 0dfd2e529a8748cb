"""The light of very different photos, beside each other: what glares, and the side that it comes from."""

from __future__ import annotations

import numpy as np

from core.style.spec import Light
from deploy.bench.sources import in_a_glare
from workers.studio import light
from workers.studio.preview import sample
from workers.studio.shoulders import dulled, glare
from workers.vision.color import luminance, to_linear
from workers.vision.geometry import CHIN
from workers.vision.photometry import side_light
from workers.vision.shading import lamp, normals, spread


def test_sun_on_a_shoulder_is_dulled_and_nothing_else():
    cutout = sample()
    # Even cloth, with a white collar in the middle of it.
    face, (height, width) = cutout.face, cutout.alpha.shape
    down, across = np.indices(cutout.alpha.shape)
    x, chin = face.landmarks[CHIN, :2]
    cloth = (down > chin + 4) & (cutout.alpha > 0)
    collar = cloth & (np.abs(across - x) < 0.2 * face.head_height)
    linear = to_linear(cutout.foreground)
    linear[cloth], linear[collar] = 0.2, 0.8
    assert glare(linear, cutout.alpha, face).max() == 0
    assert dulled(linear, cutout.alpha, face) is linear
    spot = np.exp(-0.5 * np.square(np.hypot(across - x - 0.6 * face.head_height, down - chin - 60) / 14))
    sunny = np.asarray(linear * np.exp2(1.8 * spot)[..., None] * np.ones((height, width, 1)), np.float32)
    after, before = (luminance(one) + 1e-3 for one in (dulled(sunny, cutout.alpha, face), sunny))
    change = np.log2(after / before)
    assert change.min() < -0.3
    assert np.abs(change[collar | (down < chin)]).max() < 0.02


def test_face_lit_from_the_other_side_is_made_even_and_one_from_the_styles_side_keeps_it():
    cutout = sample()
    face, style = cutout.face, Light(strength=0.5, azimuth=-45, elevation=25, contrast=0.4)
    linear = np.full((*cutout.alpha.shape, 3), 0.18, np.float32)

    def lit(azimuth: float) -> np.ndarray:
        shade = spread(lamp(azimuth, 25, 0.5).at(normals(face)), face, cutout.alpha.shape)
        return np.asarray(linear * np.nan_to_num(shade / np.nanmedian(shade), nan=1.0)[..., None], np.float32)

    asked, theirs, others = light.asked(face, style), lit(-45), lit(60)
    before = side_light(others, face)
    halfway = before + style.strength * (asked - before)
    assert halfway * asked < 0  # what the style's strength alone leaves is from the other side
    assert abs(side_light(light.relight(others, face, style), face)) < 0.5 * abs(halfway)
    assert side_light(light.relight(theirs, face, style), face) * asked > 0


def test_bench_puts_the_sun_on_a_shoulder():
    cutout = sample()
    assert luminance(to_linear(in_a_glare(cutout).foreground)).max() > 0.9
