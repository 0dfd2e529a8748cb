"""Where one person ends and the next begins."""

from __future__ import annotations

import cv2
import numpy as np
import painted
import pytest
from portraits import photo_path

from core.style.spec import StyleSpec
from deploy.bench.trouble import troubles
from workers.studio.align import region
from workers.vision.faces import find_faces
from workers.vision.geometry import CHIN
from workers.vision.matting import matte
from workers.vision.parting import parted
from workers.vision.photometry import inside, reduced
from workers.vision.pose import Body, body
from workers.vision.segment import person_mask

# One process makes what they share.
pytestmark = [pytest.mark.photos, pytest.mark.xdist_group("parting")]

PEOPLE = ("barack/portrait.jpg", "joe/portrait.jpg", "eileen/portrait.png")


@pytest.fixture(scope="module")
def together():
    """Everybody in the troubles that are looked at here, with the truth; by name and place."""
    people = {name: [(name, photo_path(name).read_bytes())] for name in PEOPLE}
    return {
        (one.hair, one.place): one for one in troubles(people) if one.place in {"crowd", "press", "leaves"}
    }


def _cut(one):
    """Return how much of the person a cut lost and how much of others it kept, shares of the person."""
    found = find_faces(one.photo)
    middle = one.face.landmarks[:, :2].mean(axis=0)
    face = min(found, key=lambda face: float(np.linalg.norm(face.landmarks[:, :2].mean(axis=0) - middle)))
    part = region(face, StyleSpec().crop)
    alpha = matte(one.photo, face, [other for other in found if other is not face], part).alpha
    rows, columns = inside(part, one.photo)
    truth = cv2.resize(one.alpha[rows, columns], alpha.shape[::-1], interpolation=cv2.INTER_AREA)
    return (truth - alpha).clip(0).sum() / truth.sum(), (alpha - truth).clip(0).sum() / truth.sum()


@pytest.mark.parametrize("name", PEOPLE)
def test_a_person_keeps_their_own_shoulders_before_others_and_nothing_of_theirs(together, name):
    lost, gained = _cut(together[name, "crowd"])
    assert lost < 0.08
    assert gained < 0.16


def test_a_body_whose_face_nobody_finds_is_left_out_too(together):
    lost, gained = _cut(together["eileen/portrait.png", "press"])
    assert lost < 0.03
    assert gained < 0.03


def test_hair_that_a_pose_cuts_off_is_nobody_elses(together):
    lost, gained = _cut(together["eileen/portrait.png", "leaves"])
    assert lost < 0.01
    assert gained < 0.01


@pytest.mark.parametrize("name", ["eileen/portrait.png", "barack/podium.jpg"])
def test_long_hair_on_shoulders_is_nobody_elses(examined, name):
    """A pose's mask ends at the neck, so hair that hangs beside it looks like a body of its own."""
    seen = examined(name)
    pixels, hair = painted.with_long_hair(seen.pixels, seen.face, (200, 170, 110))
    scale = min(1.0, 220 / seen.face.head_height)
    mask = person_mask(reduced(pixels, scale), seen.face.moved(0, 0, scale), [], 0.022)
    shown = cv2.resize(hair.astype(np.uint8), mask.shape[::-1], interpolation=cv2.INTER_AREA)
    within = cv2.erode(shown, np.ones((5, 5), np.uint8)) > 0
    assert (mask[within] > 0.5).mean() > 0.9  # 0.77 and 0.88 where it counts as somebody else's


def test_a_pose_is_of_the_person_who_is_meant_and_not_of_whom_it_likes_best(together):
    one = together["barack/portrait.jpg", "crowd"]
    small = cv2.resize(one.photo, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    faces = find_faces(small)
    assert len(faces) > 2
    found = body(small, faces[0], faces[1:])
    assert found is not None
    left, right = found.shoulders[:, 0]
    assert left < faces[0].landmarks[CHIN, 0] < right


def test_the_corner_between_two_people_goes_to_whom_its_cloth_belongs(examined):
    face = examined("barack/portrait.jpg").face
    face = face.moved(0, 0, 100 / face.head_height)
    x, chin = face.landmarks[CHIN, :2]
    face = face.moved(150 - x, 120 - chin, 1)
    image = np.full((260, 300, 3), 60, np.uint8)
    person = np.zeros((260, 300), np.uint8)
    cv2.ellipse(person, (150, 75), (38, 52), 0, 0, 360, 1, -1)
    cv2.ellipse(person, (150, 260), (100, 125), 0, 180, 360, 1, -1)
    image[person > 0] = (150, 120, 110)
    image[:, 230:][person[:, 230:] == 0] = (70, 65, 66)
    # The pose takes the corner above the shoulder for the person's; beyond it is somebody else.
    rough = cv2.dilate(person, np.ones((41, 41), np.uint8)).astype(np.float32)
    rough[:110] = person[:110]
    taken = np.ones(person.shape, bool)
    shoulders = np.array([[75.0, 160.0], [225.0, 160.0]])
    own = parted(image, taken, Body(rough, shoulders), face, [face.moved(130, -20, 1)]) >= 0.5
    assert np.mean(own != (person > 0)) < 0.03
    assert np.mean((rough > 0.5) != (person > 0)) > 0.1
