"""Heads and cloth that are hard to cut out, also before walls of their own colour: shown right, or not shown."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from core.style.spec import StyleSpec
from deploy.bench.worn import Colour, before, odd_heads
from workers.studio.align import region
from workers.vision.cutout import Cutout
from workers.vision.examination import Examination
from workers.vision.faces import find_faces
from workers.vision.matting import matte
from workers.vision.photometry import inside
from workers.vision.trust import LIMIT, doubt

pytestmark = pytest.mark.photos

CROP = StyleSpec().crop
WRONG = 1.2  # % of head², off by more than a half: docs/sources.md, "Trust in a cut"
# What has to be shown, whoever it is; scarves and a painted skull may be withheld.
PLAIN = {"dark before dark", "white before white"}


def outcome(person: Cutout, wall: Colour) -> tuple[float, float]:
    """Cut the person out again: the doubt, and what is wrong of the head's height squared, %."""
    photo = before(person, wall)
    face = find_faces(photo)[0]
    shown = region(face, CROP)
    again = matte(photo, face, [], shown)
    size = (again.alpha.shape[1], again.alpha.shape[0])
    truth = cv2.resize(person.alpha[inside(shown, photo)], size, interpolation=cv2.INTER_AREA)
    reach = max(1, round(0.02 * again.face.head_height))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    wrong = cv2.morphologyEx((np.abs(again.alpha - truth) > 0.5).astype(np.uint8), cv2.MORPH_OPEN, disc)
    unsure = doubt(photo, face, [], shown, again.alpha)
    return unsure, 100 * float(wrong.sum()) / again.face.head_height**2


@pytest.mark.parametrize(
    "name",
    ["barack/portrait.jpg", pytest.param("joe/portrait.jpg", marks=pytest.mark.slow), "eileen/portrait.png"],
)
def test_what_is_hard_to_cut_out_is_shown_right_or_not_at_all(
    examined: Callable[[str], Examination], name: str
) -> None:
    seen = examined(name)
    assert seen.pixels is not None
    assert seen.face is not None
    person = matte(seen.pixels, seen.face, [], region(seen.face, CROP))
    for kind, one, wall in odd_heads(person):
        unsure, wrong = outcome(one, wall)
        assert unsure > LIMIT or wrong <= WRONG, kind
        assert kind not in PLAIN or unsure <= LIMIT, kind
