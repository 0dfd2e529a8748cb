"""Painted places: out of focus like a lens's, the same for the whole team, quick."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from core.style.framing import Rect
from core.style.spec import ImageBackdrop, Scene, SceneBackdrop, StyleSpec
from workers.pipeline.gates import backdrop_error, nearest_stand
from workers.studio.backdrop import STANDS, backdrop, stand_of
from workers.studio.finish import finish
from workers.studio.lens import add_light, defocus
from workers.studio.preview import sample
from workers.studio.scene import scene
from workers.vision.color import to_linear


@pytest.mark.parametrize("place", Scene)
def test_a_place_is_painted_quickly_and_the_same_each_time(place: Scene) -> None:
    spec = SceneBackdrop(scene=place, seed=7)
    scene(spec, 64, 64)
    started = time.process_time()
    wall = scene(spec, 1024, 1024)
    assert time.process_time() - started < 1.0  # 0.1 s on a quiet machine
    assert wall.shape == (1024, 1024, 3)
    assert wall.min() >= 0
    assert wall.max() <= 1
    assert (wall == scene(spec, 1024, 1024)).all()
    assert np.shares_memory(
        backdrop(spec, 256, 256), backdrop(spec, 256, 256, stand=3)
    )  # painted once for a team
    other = scene(SceneBackdrop(scene=place, seed=8), 1024, 1024)
    assert np.abs(wall - other).mean() > 0.02


@pytest.mark.parametrize("place", Scene)
@pytest.mark.parametrize("size", [(512, 512), (400, 600), (600, 400)])
def test_nothing_in_a_place_is_sharp(place: Scene, size: tuple[int, int]) -> None:
    wall = scene(SceneBackdrop(scene=place), *size)
    grey = (wall.mean(axis=2) * 255).astype(np.float32)
    assert wall.shape == (size[1], size[0], 3)
    assert float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean()) < 1.0
    assert grey.std() > 15  # and yet there is something to see


def test_more_exposure_is_brighter_and_more_blur_softer() -> None:
    dark, light = (scene(SceneBackdrop(exposure=stops), 256, 256) for stops in (-1.5, 0.5))
    assert dark.mean() < light.mean() - 0.2
    near, far = (scene(SceneBackdrop(blur=blur), 256, 256) for blur in (0.015, 0.08))
    assert np.abs(np.diff(far, axis=1)).mean() < np.abs(np.diff(near, axis=1)).mean()


def test_a_bright_point_becomes_an_even_disc_not_a_bell() -> None:
    dark = np.zeros((101, 101, 3), np.float32)
    dark[50, 50] = 1000.0
    seen = defocus(dark, 20.0)
    assert seen.sum() == pytest.approx(dark.sum(), rel=0.01)  # light is spread, not lost
    assert seen[50, 50, 0] == pytest.approx(seen[50, 64, 0], rel=0.05)
    assert seen[50, 74].max() < 0.01 * seen[50, 50].max()


def test_a_large_blur_is_as_wide_as_a_small_one_says() -> None:
    dark = np.zeros((301, 301, 3), np.float32)
    dark[150, 150] = 1000.0
    seen = defocus(dark, 60.0)[150, :, 0]
    assert (seen > seen.max() / 2).sum() == pytest.approx(120, rel=0.1)


def test_a_disc_outside_the_frame_adds_nothing() -> None:
    dark = np.zeros((50, 50, 3), np.float32)
    add_light(dark, -100, 20, 10, np.ones(3, np.float32))
    assert not dark.any()


def test_a_photos_lamp_blooms_into_a_disc() -> None:
    photo = np.full((400, 400, 3), 40, np.uint8)
    photo[196:204, 196:204] = 255
    wall = to_linear(backdrop(ImageBackdrop(image="x", blur=0.03), 400, 400, photo))
    mean = 64 / (np.pi * 12**2)  # of the disc that is lit by a lamp no brighter than white
    assert wall[200, 200].mean() > 2 * mean
    assert wall[200, 206].mean() == pytest.approx(wall[200, 200].mean(), rel=0.15)


def test_a_wall_that_nears_white_stays_as_it_is_without_an_edge() -> None:
    rising = np.broadcast_to(np.linspace(200, 255, 400, dtype=np.float32)[:, None, None], (400, 400, 3))
    photo = np.rint(rising).astype(np.uint8)
    seen = backdrop(ImageBackdrop(image="x", blur=0.03), 400, 400, photo)[:, 200, 0] * 255
    assert np.abs(seen[30:-30] - photo[30:-30, 200, 0]).max() < 3
    assert np.diff(seen).max() < 1


def test_a_picture_covers_a_wide_file_before_it_is_mirrored() -> None:
    photo = np.zeros((1000, 1000, 3), np.uint8)
    photo[:, :, 0] = np.linspace(0, 250, 1000)
    spec = ImageBackdrop(image="x", blur=0)
    for width, is_covered in ((889, True), (1000, True), (1500, False)):
        frame = Rect((width - 500) // 2, 0, 500, 500)
        red = backdrop(spec, width, 500, photo, frame)[250, :, 0]
        assert bool((np.diff(red) >= 0).all()) is is_covered
        assert red[int(frame.left)] < red[int(frame.left) + 499]


@pytest.mark.parametrize("place", Scene)
def test_nobody_stands_before_the_same_pixels_as_the_next(place):
    walls = [backdrop(SceneBackdrop(scene=place), 400, 400, stand=stand) for stand in range(STANDS)]
    for stand, wall in enumerate(walls):
        for other in walls[stand + 1 :]:
            assert float(np.abs(wall - other).mean()) > 0.002
    # One place all the same: no stand is lighter or of another colour.
    means = np.array([wall.mean(axis=(0, 1)) for wall in walls])
    assert np.ptp(means, axis=0).max() < 0.06


def test_where_somebody_stands_follows_from_the_photo_and_stays():
    photos = [np.random.default_rng(seed).integers(0, 256, (300, 400, 3), np.uint8) for seed in range(40)]
    stands = [stand_of(photo) for photo in photos]
    assert stands == [stand_of(photo.copy()) for photo in photos]
    assert set(stands) == set(range(STANDS))


@pytest.mark.parametrize("stand", [0, 1, 4, 6])
def test_the_wall_is_measured_where_the_person_stands(stand):
    style = StyleSpec(backdrop=SceneBackdrop(scene=Scene.OFFICE))
    pixels = finish(sample(), style, (512, 512), stand=stand).pixels
    assert nearest_stand(pixels, style) == stand
    errors = [backdrop_error(pixels, style, stand=one) for one in range(STANDS)]
    assert errors[stand] < 0.5
    assert sorted(errors)[1] > 1.2 * errors[stand]


def test_a_companys_own_picture_is_not_the_same_pixels_behind_everybody():
    """Shifted, level and never mirrored: what is written on it stays legible."""
    picture = np.zeros((600, 900, 3), np.uint8)
    picture[:, :, 0] = np.linspace(0, 255, 900)[None, :]  # a mirror would fall from left to right
    picture[300:] += np.array([0, 90, 0], np.uint8)  # a horizon
    spec = ImageBackdrop(image="x", blur=0.0)
    walls = [backdrop(spec, 512, 512, picture, stand=stand) for stand in range(STANDS)]
    for one, wall in enumerate(walls):
        assert (np.diff(wall[:, :, 0].mean(axis=0)) >= -1e-6).all()
        assert np.abs(np.flatnonzero(np.diff(wall[:, 256, 1]) > 0.1) - 255).max() <= 1
        assert sum(np.abs(wall - other).max() < 1 / 255 for other in walls[:one]) == 0
    around = backdrop(spec, 1000, 512, picture, Rect(244, 0, 512, 512), stand=3)
    assert (np.diff(around[:, 244:756, 0].mean(axis=0)) >= -1e-6).all(), (
        "not mirrored beside a face in a wide file either"
    )
