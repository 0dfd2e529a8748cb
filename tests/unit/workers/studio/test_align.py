from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.style.spec import Crop
from workers.studio.align import CroppedTooTightly, frame, hair_above, place, region, shortfall
from workers.studio.preview import sample
from workers.vision.cutout import Cutout
from workers.vision.geometry import Box, Face


def turned(face: Face, degrees: float, scale: float, shift: tuple[float, float]) -> Face:
    angle = np.radians(degrees)
    rotation = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    flat = face.landmarks[:, :2] @ rotation.T + np.array(shift)
    return Face(np.hstack([flat, face.landmarks[:, 2:] * scale]).astype(np.float32), face.score)


def island(face: Face, shape: tuple[int, int]) -> Cutout:
    """A person who ends before the photo does, so that every crop is honest; nothing of them is drawn."""
    return Cutout(np.zeros((*shape, 3), np.uint8), np.zeros(shape, np.float32), face, 1.0)


@pytest.mark.parametrize("degrees", [-20.0, -3.0, 0.0, 8.0, 15.0])
@pytest.mark.parametrize("scale", [0.4, 1.0, 3.0])
@pytest.mark.parametrize("aspect", [0.8, 1.0, 1.5])
def test_eyes_land_on_the_line_level_and_at_the_styles_size(degrees, scale, aspect):
    crop = Crop(eye_line=0.4, head_height=0.45, aspect=aspect)
    face = turned(sample().face, degrees, scale, (700, 300))
    cutout = island(face, (64, 64))
    height = 600
    width = round(height * aspect)
    framing = frame(cutout, crop, width, height)
    _, _, placed = place(cutout, framing, width, height)
    assert framing.cost == 0
    assert framing.notes == ("backdrop_extended",)  # the island's photo is far smaller than the frame
    assert placed.roll == pytest.approx(0, abs=0.05)
    assert placed.head_at_rest / height == pytest.approx(0.45, rel=0.005)
    assert float(placed.right_eye[1] + placed.left_eye[1]) / 2 / height == pytest.approx(0.4, abs=0.003)
    middle = (placed.box.left + placed.box.right) / 2 / width
    assert middle == pytest.approx(0.5, abs=0.03)


def test_a_body_is_never_invented():
    """Cut the photo ever shorter: whatever lies below its edge never gets into the frame."""
    whole = sample()
    crop = Crop()
    eyes = float(whole.face.right_eye[1])
    heads_below = [1.6, 1.2, 0.9, 0.7]
    tighter = []
    for share in heads_below:
        rows = round(eyes + share * whole.face.head_height)
        cut = Cutout(whole.foreground[:rows], whole.alpha[:rows], whole.face, 1.0)
        framing = frame(cut, crop, 512, 512)
        bottom = np.linalg.inv(np.vstack([framing.matrix, [0, 0, 1]])) @ np.array([256, 512, 1])
        assert bottom[1] <= rows + 1.5
        tighter.append(framing.cost)
    assert tighter == sorted(tighter)
    assert tighter[0] == 0
    assert "crop_tighter" in framing.notes


def test_photo_cut_at_the_chin_is_refused_with_advice():
    whole = sample()
    rows = round(float(whole.face.landmarks[152, 1]) - 0.1 * whole.face.head_height)
    cut = Cutout(whole.foreground[:rows], whole.alpha[:rows], whole.face, 1.0)
    with pytest.raises(CroppedTooTightly, match="shoulders"):
        frame(cut, Crop(), 512, 512)


def test_shoulder_cut_by_the_photos_side_is_not_shown_as_a_straight_edge():
    whole = sample()
    columns = round(float(whole.face.box.right) + 0.25 * whole.face.head_height)
    cut = Cutout(whole.foreground[:, :columns], whole.alpha[:, :columns], whole.face, 1.0)
    framing = frame(cut, Crop(), 512, 512)
    _, alpha, _ = place(cut, framing, 512, 512)
    back = np.linalg.inv(np.vstack([framing.matrix, [0, 0, 1]]))
    for row in range(0, 512, 8):
        x, y, _ = back @ np.array([511, row, 1])
        if x > columns + 1:
            edge = cut.alpha[int(np.clip(y, 0, cut.alpha.shape[0] - 1)), -1]
            assert edge < 0.1
    assert alpha.max() <= 1


def test_region_holds_all_that_the_frame_shows():
    crop = Crop(aspect=1.3)
    face = turned(sample().face, 12, 1.0, (900, 900))
    box = region(face, crop)
    framing = frame(island(face, (64, 64)), crop, 650, 500)
    back = np.linalg.inv(np.vstack([framing.matrix, [0, 0, 1]]))
    for corner in ((0, 0), (650, 0), (0, 500), (650, 500)):
        x, y, _ = back @ np.array([*corner, 1])
        assert box.left <= x <= box.right
        assert box.top <= y <= box.bottom


def test_shortfall_grows_as_the_photo_shrinks():
    face = sample().face
    roomy = turned(face, 0, 1, (1000, 1000))
    assert shortfall(roomy, Crop(), 3000, 3000) == 0
    right = round(roomy.box.right)
    assert shortfall(roomy, Crop(), right, 3000) > 0
    assert shortfall(roomy, Crop(), 3000, round(roomy.box.bottom)) > 0.5
    scalped = turned(face, 0, 1, (1000, -float(face.crown[1]) - 0.2 * face.head_height))
    assert shortfall(scalped, Crop(), 3000, 3000) >= 0.5


def test_overlap_of_boxes():
    box = Box(0, 0, 10, 10)
    assert box.overlap(box) == 1
    assert box.overlap(Box(10, 10, 20, 20)) == 0
    assert box.overlap(Box(5, 0, 15, 10)) == pytest.approx(1 / 3)


def test_framing_is_frozen():
    framing = frame(island(sample().face, (64, 64)), Crop(), 64, 64)
    with pytest.raises(dataclasses.FrozenInstanceError):
        framing.tighter = 2.0


def test_high_hair_gets_room_above_it_and_the_report_says_so():
    """Hair up to 0.75 head heights above the eyes would leave the default frame, so this head becomes smaller."""
    face = turned(sample().face, 0, 2.0, (500, 700))
    alpha = np.zeros((2000, 2000), np.float32)
    x, eyes, head = float(face.landmarks[:, 0].mean()), float(face.right_eye[1]), face.head_height
    alpha[round(eyes - 0.75 * head) :, round(x - 0.4 * head) : round(x + 0.4 * head)] = 1.0
    framing = frame(Cutout(np.zeros((2000, 2000, 3), np.uint8), alpha, face, 1.0), Crop(), 500, 500)
    _, placed, _ = place(Cutout(np.zeros((2000, 2000, 3), np.uint8), alpha, face, 1.0), framing, 500, 500)
    assert "room_for_hair" in framing.notes
    assert framing.tighter < 1
    assert placed[:6].max() < 0.05
    assert placed[30:].max() > 0.9


def person_with_hair(above: float) -> Cutout:
    """A person whose hair ends `above` head heights over the eyes, in a photo with room on all sides."""
    face = turned(sample().face, 0, 2.0, (500, 700))
    alpha = np.zeros((2000, 2000), np.float32)
    x, eyes, head = float(face.landmarks[:, 0].mean()), float(face.right_eye[1]), face.head_height
    alpha[round(eyes - above * head) :, round(x - 0.4 * head) : round(x + 0.4 * head)] = 1.0
    return Cutout(np.zeros((2000, 2000, 3), np.uint8), alpha, face, 1.0)


@given(above=st.floats(0.35, 0.95), eye_line=st.floats(0.38, 0.5), head=st.floats(0.45, 0.7))
@settings(max_examples=60, deadline=None)
def test_eyes_and_size_give_way_to_hair_by_no_more_than_a_team_allows(above, eye_line, head):
    crop = Crop(eye_line=eye_line, head_height=head)
    cutout = person_with_hair(above)
    framing = frame(cutout, crop, 500, 500)
    assert abs(framing.lower) <= 0.004 + 1e-9
    assert framing.tighter <= 1.03 + 1e-9
    above = hair_above(cutout)
    fits = crop.eye_line - 0.004 - above * head > 0.025
    assert framing.tighter >= (0.97 if fits else 0.82) - 1e-9
    assert framing.gap == pytest.approx(
        crop.eye_line + framing.lower - above * head * framing.tighter, abs=1e-6
    )
    if 0.82 * above * head < eye_line - 0.05:
        assert framing.gap >= 0.02


def test_gaps_above_hair_differ_less_than_the_hair_does():
    """From a high forehead to a full bob."""
    crop = Crop()
    cutouts = [person_with_hair(above) for above in np.linspace(0.42, 0.62, 9)]
    hair = [hair_above(cutout) * crop.head_height for cutout in cutouts]
    frames = [frame(cutout, crop, 500, 500) for cutout in cutouts]
    gaps = [one.gap for one in frames]
    assert gaps == sorted(gaps, reverse=True)
    assert max(gaps) - min(gaps) < max(hair) - min(hair) - 0.024
    for one, high in zip(frames, hair, strict=True):
        if abs(high - 0.55 * crop.head_height) < 0.019:
            assert (one.tighter, one.lower) == (1.0, 0.0)
        assert set(one.notes) <= {"backdrop_extended"}


def test_a_laugh_makes_nobodys_head_larger():
    face = sample().face
    laughing = face.landmarks.copy()
    lips = float(np.linalg.norm(laughing[14] - laughing[13]))
    drop = 0.06 * face.head_height
    for below in (14, 152):  # the lower lip by all of it, the chin by half
        laughing[below, 1] += drop if below == 14 else drop / 2
    assert lips > 0
    assert Face(laughing, 1.0).head_at_rest == pytest.approx(face.head_at_rest, rel=0.01)
