"""An old wall's colour at the edge is told from a light that fell on the person from behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from core.style.outputs import Output
from core.style.presets import PRESETS
from workers.pipeline.fringe import fringe
from workers.studio.align import region
from workers.studio.backdrop import framed_backdrop
from workers.studio.finish import carried_size, finish
from workers.vision.color import to_linear, to_srgb
from workers.vision.cutout import Cutout
from workers.vision.examination import Examination
from workers.vision.faces import find_faces
from workers.vision.geometry import CHIN, UPPER_LIP
from workers.vision.matting import matte

# One process makes what they share.
pytestmark = [pytest.mark.photos, pytest.mark.xdist_group("fringe")]

STYLE = PRESETS["slate"].model_copy(update={"outputs": (Output(name="square", width=1024, height=1024),)})
LIMIT = 9.0  # the gate's
PEOPLE = (
    "barack/portrait.jpg",
    pytest.param("joe/portrait.jpg", marks=pytest.mark.slow),
    "eileen/portrait.png",
)


@pytest.fixture(scope="module")
def cut(examined: Callable[[str], Examination]) -> Callable[[str], Cutout]:
    @cache
    def out(name: str) -> Cutout:
        seen = examined(name)
        assert seen.pixels is not None
        assert seen.face is not None
        return matte(seen.pixels, seen.face, [], region(seen.face, STYLE.crop, STYLE.room))

    return out


def rim(cutout: Cutout) -> float:
    pixels = finish(cutout, STYLE, carried_size(cutout, STYLE)).pixels
    wall = framed_backdrop(STYLE, pixels.shape[1], pixels.shape[0])
    return fringe(pixels, wall, find_faces(pixels)[0]) or 0.0


def lit_from_behind(cutout: Cutout, light: tuple[float, float, float], fall: float, side: int) -> Cutout:
    """A lamp behind one shoulder: strongest at the edge, and weaker and weaker inwards."""
    head, middle = cutout.face.head_height, float(cutout.face.landmarks[:, 0].mean())
    depth = cv2.distanceTransform((cutout.alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    across = side * (np.arange(cutout.alpha.shape[1]) - middle)[None, :] / (0.15 * head)
    more = np.exp(-depth / (fall * head)) * np.clip(across, 0, 1)
    linear = to_linear(cutout.foreground) + 0.7 * more[..., None] * np.array(light, np.float32)
    encoded = to_srgb(np.clip(linear, 0, 1).astype(np.float32))
    return replace(cutout, foreground=np.rint(255 * encoded).astype(np.uint8))


def with_old_wall(
    cutout: Cutout, wall: tuple[int, int, int], width: float, *, beside_jaw: bool = False
) -> Cutout:
    """Cut out with too much around it, of the old wall's colour."""
    reach = max(1, round(width * cutout.face.head_height))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    alpha, share = cv2.dilate(cutout.alpha, disc), cutout.alpha[..., None]
    if beside_jaw:
        lip, chin = (int(cutout.face.landmarks[place, 1]) for place in (UPPER_LIP, CHIN))
        alpha[:lip], alpha[chin:] = cutout.alpha[:lip], cutout.alpha[chin:]
    mixed = cutout.foreground * share + np.array(wall) * (1 - share)
    return replace(cutout, foreground=np.rint(mixed).astype(np.uint8), alpha=alpha)


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize(
    ("light", "fall", "side"), [((0.35, 0.6, 1.0), 0.025, -1), ((1.0, 0.75, 0.45), 0.015, 1)]
)
def test_a_light_of_the_persons_own_is_no_old_wall(cut, name, light, fall, side):
    assert rim(lit_from_behind(cut(name), light, fall, side)) <= LIMIT


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("wall", [(170, 40, 40), (60, 110, 200), (60, 130, 70)])
@pytest.mark.parametrize(("width", "beside_jaw"), [(0.01, False), (0.02, False), (0.02, True)])
def test_what_is_left_of_an_old_wall_is_withheld(cut, name, wall, width, beside_jaw):
    assert rim(with_old_wall(cut(name), wall, width, beside_jaw=beside_jaw)) > LIMIT
