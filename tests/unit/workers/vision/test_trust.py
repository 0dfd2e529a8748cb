from __future__ import annotations

import statistics

import cv2
import numpy as np
import pytest
from portraits import photo_path

from core.checks.report import CLEAN_CUT
from core.style.spec import StyleSpec
from deploy.bench.composites import composites
from deploy.bench.matte import matte_error
from deploy.bench.trouble import CLEAN, TROUBLE, troubles
from workers.studio.align import region
from workers.vision import trust
from workers.vision.cutout import Cutout
from workers.vision.faces import find_faces
from workers.vision.full_resolution import at_head_height
from workers.vision.matting import matte
from workers.vision.photometry import inside
from workers.vision.trust import LIMIT, doubt, is_doubted, largest_lump, opposed

# One process makes what they share.
pytestmark = [pytest.mark.photos, pytest.mark.xdist_group("trust")]

CROP = StyleSpec().crop
PORTRAITS = ("barack/portrait.jpg", "joe/portrait.jpg", "eileen/portrait.png")


@pytest.fixture(scope="module")
def cuts():
    """What the bench measures of every person before a plain wall and in every trouble, by place."""
    people = {name: [(name, photo_path(name).read_bytes())] for name in (PORTRAITS[0], PORTRAITS[2])}
    found: dict[str, list] = {}
    for one in troubles(people):
        found.setdefault(one.place, []).append(matte_error(one))
    return found


@pytest.mark.parametrize("place", TROUBLE)
def test_a_cut_with_somebody_or_something_else_in_it_is_not_shown(cuts, place):
    ratios = [
        one.sad / clean.sad for one, clean in zip(cuts[place], cuts[CLEAN], strict=True) if one.doubt <= LIMIT
    ]
    # As good as before a plain wall, but for the finest of the edge, or nobody sees it.
    assert not ratios or statistics.fmean(ratios) <= 1.6


def test_nothing_that_is_far_off_is_called_clean(cuts):
    for place in TROUBLE:
        assert all(one.mse < 6 for one in cuts[place] if one.doubt <= CLEAN_CUT * LIMIT), place


def test_people_before_a_plain_wall_are_cut_out_without_doubt(cuts):
    assert [one.doubt <= CLEAN_CUT * LIMIT for one in cuts[CLEAN]] == [True, True]


@pytest.mark.parametrize(
    "name",
    [
        *PORTRAITS,
        "barack/podium.jpg",
        "barack/speech.jpg",
        "barack/blue-room.jpg",
        "barack/letterboxed.jpg",
        "joe/blue-room.jpg",
    ],
)
def test_real_photos_that_cut_well_are_trusted(photo, examined, name):
    cut, seen, part = _cut(photo, examined, name)
    assert doubt(*seen, part, cut.alpha) < CLEAN_CUT * LIMIT


def test_a_lost_shoulder_or_a_bystanders_remains_are_seen(photo, examined):
    cut, (pixels, face, _), part = _cut(photo, examined, "barack/portrait.jpg")
    height, width = cut.alpha.shape
    lost, foreign = cut.alpha.copy(), cut.alpha.copy()
    lost[round(0.6 * height) :, : round(0.3 * width)] = 0
    cv2.circle(foreign, (round(0.1 * width), round(0.2 * height)), round(0.06 * width), 1, -1)
    assert doubt(pixels, face, [], part, lost) > LIMIT
    assert doubt(pixels, face, [], part, foreign) > LIMIT


def test_letters_in_the_colour_of_the_clothes_that_stand_out_of_a_shoulder_are_not_shown(cuts):
    assert cuts["letters"][1].doubt > LIMIT  # 0.0 by the opinions of small pictures


@pytest.mark.parametrize("beside", [(-0.42, -0.35), (0.4, -0.25), (0.3, 0.75)])
def test_a_leaf_at_the_hair_or_a_corner_of_a_strange_collar_is_seen(photo, examined, beside):
    cut, (pixels, face, others), part = _cut(photo, examined, "joe/portrait.jpg")
    assert opposed(pixels, face, others, part, cut.alpha) < CLEAN_CUT * LIMIT
    head, middle = cut.face.head_height, (cut.face.right_eye + cut.face.left_eye) / 2
    outline, _ = cv2.findContours(
        (cut.alpha > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    outline = max(outline, key=len)[:, 0, :]
    at = outline[np.argmin(np.linalg.norm(outline - (middle + head * np.array(beside)), axis=1))]
    alpha = cut.alpha.copy()
    cv2.circle(alpha, at.tolist(), round(0.05 * head), 1, -1)
    assert largest_lump(pixels, face, part, cut.alpha) < 0.075
    assert doubt(pixels, face, others, part, alpha) > LIMIT


def test_before_leaves_no_cut_is_trusted_and_before_a_plain_wall_a_small_lump_is(photo, examined):
    cut, (pixels, face, others), part = _cut(photo, examined, "joe/portrait.jpg")
    head, (x, y) = cut.face.head_height, (cut.face.right_eye + cut.face.left_eye) / 2
    outline, _ = cv2.findContours(
        (cut.alpha > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )
    outline = max(outline, key=len)[:, 0, :]
    at = outline[np.argmin(np.linalg.norm(outline - (x - 0.42 * head, y - 0.35 * head), axis=1))]
    for radius in range(round(0.02 * head), round(0.06 * head)):
        alpha = cut.alpha.copy()
        cv2.circle(alpha, at.tolist(), radius, 1, -1)
        if largest_lump(pixels, face, part, alpha) > 0.04:
            break
    assert 0.04 < largest_lump(pixels, face, part, alpha) < 0.075
    leaves = np.random.default_rng(0).integers(0, 2, (400, 400)) * 120
    before = _behind(pixels, part, cut, cv2.resize(leaves.astype(np.float32), None, fx=4, fy=4)[..., None])
    assert doubt(before, face, others, part, cut.alpha) > LIMIT, "which of them are hair nobody can tell"
    assert is_doubted(before, face, others, part, cut.alpha), "so the check says it first"
    wall = np.full((1600, 1600, 1), 120, np.float32)
    assert doubt(_behind(pixels, part, cut, wall), face, others, part, alpha) < LIMIT


def test_a_corner_of_a_coat_behind_that_fills_the_angle_of_neck_and_shoulder_is_seen(photo, examined):
    cut, (pixels, face, others), part = _cut(photo, examined, "joe/portrait.jpg")
    head = cut.face.head_height
    noise = np.random.default_rng(0).normal(0, 6, (1600, 1600, 1))
    coat = np.array([190, 95, 50]) + cv2.GaussianBlur(noise, (0, 0), 1.5)[..., None] * 4
    coat[: round(1600 * 0.3)] = (90, 100, 110)
    before = _behind(pixels, part, cut, coat)
    reach = round(0.05 * head)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    filled = np.maximum(cut.alpha, cv2.morphologyEx(cut.alpha, cv2.MORPH_CLOSE, disc))
    assert doubt(before, face, others, part, cut.alpha) < LIMIT
    assert max(opposed(before, face, others, part, filled), largest_lump(before, face, part, filled)) < 0.075
    assert doubt(before, face, others, part, filled) > LIMIT


def test_flying_hair_is_no_lump():
    one = next(one for one in composites() if (one.hair, one.place) == ("flyaway", "wall"))
    face = find_faces(one.photo)[0]
    part = region(face, CROP)
    assert largest_lump(one.photo, face, part, matte(one.photo, face, [], part).alpha) < 0.075


def test_where_no_pose_is_found_the_other_opinions_answer(photo, examined):
    _, (pixels, face, _), _ = _cut(photo, examined, "barack/portrait.jpg")
    rows, columns = inside(face.box, pixels)  # of a face alone no pose is to be had
    close, moved = np.ascontiguousarray(pixels[rows, columns]), face.moved(-columns.start, -rows.start, 1)
    everything, nothing = (np.full(close.shape[:2], value, np.float32) for value in (1, 0))
    part = region(moved, CROP)
    assert doubt(close, moved, [], part, nothing) > LIMIT
    assert doubt(close, moved, [], part, everything) < doubt(close, moved, [], part, nothing)


def _behind(pixels, part, cut, place):
    """The photo with another place behind who was cut out of it."""
    rows, columns = inside(part, pixels)
    kept = cv2.resize(cut.alpha, (columns.stop - columns.start, rows.stop - rows.start))[..., None]
    before = pixels.copy()
    before[rows, columns] = (
        kept * pixels[rows, columns] + (1 - kept) * place[: kept.shape[0], : kept.shape[1]]
    )
    return before


def _cut(photo, examined, name) -> tuple[Cutout, tuple, object]:
    pixels, face, others = at_head_height(photo(name), examined(name), 600)
    part = region(face, CROP)
    return matte(pixels, face, list(others), part), (pixels, face, others), part


def test_whether_a_cut_is_doubted_is_the_same_with_no_more_looks_than_it_takes(photo, examined, monkeypatch):
    """Whatever the cut: right, with a bystander's half of the picture, too small, or of nothing."""
    poses: list[bool] = []
    body = trust.body

    def counted(image, face, others):
        poses.append(True)
        return body(image, face, others)

    monkeypatch.setattr(trust, "body", counted)
    looks = {opposed: 0, is_doubted: 0}
    sides = set()
    for name in PORTRAITS:
        pixels, face, others = at_head_height(photo(name), examined(name), 400)
        shown = region(face, CROP)
        alpha = matte(pixels, face, list(others), shown).alpha
        half = alpha.copy()
        half[:, : half.shape[1] // 2] = 1.0
        for cut in (alpha, half, cv2.erode(alpha, np.ones((41, 41))), np.zeros_like(alpha), 0 * alpha + 1):
            answers = {}
            for ask in looks:
                poses.clear()
                answers[ask] = ask(pixels, face, others, shown, cut)
                looks[ask] += len(poses)
            assert answers[is_doubted] == (answers[opposed] > LIMIT)
            sides.add(answers[is_doubted])
    assert sides == {True, False}
    assert looks[is_doubted] < looks[opposed]
