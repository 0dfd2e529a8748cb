"""Faults painted on portraits: each is told, and the portrait without it is not accused of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.checks.advice import Issue, Severity
from core.checks.verdict import Verdict
from core.image.kinds import PhotoFormat
from deploy.bench.drawn import masked, skin_colour, with_hand
from workers.vision.check import check
from workers.vision.color import to_linear, to_srgb
from workers.vision.decode import FULL_SIZE, Picture, decode
from workers.vision.faces import find_faces
from workers.vision.geometry import Face

# Along a surgical mask's rim: over the nose's bridge, the cheeks, under the chin.
RIM = (6, 351, 346, 280, 411, 416, 434, 364, 379, 400, 152, 176, 150, 135, 214, 192, 187, 50, 117, 122)
BEARD = (206, 92, 165, 167, 393, 391, 322, 426, 434, 364, 379, 400, 152, 176, 150, 135, 214)


def codes(verdict: Verdict) -> set[Issue]:
    return {finding.code for finding in verdict.issues}


def judged(pixels: np.ndarray, consent) -> Verdict:
    height, width = pixels.shape[:2]
    return check(Picture(np.ascontiguousarray(pixels), PhotoFormat.PNG, width, height), consent)


def painted(pixels: np.ndarray, face: Face, outline: tuple[int, ...], colour: tuple[int, int, int]):
    mask = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(face.landmarks[list(outline), :2]).astype(np.int32)], 1)
    weave = np.random.default_rng(0).normal(0, 6, pixels.shape) + np.array(colour)
    return np.where(mask[..., None] > 0, np.clip(weave, 0, 255), pixels).astype(np.uint8)


def lit(pixels: np.ndarray, gain: np.ndarray | tuple[float, float, float]) -> np.ndarray:
    return np.rint(to_srgb(to_linear(pixels) * np.asarray(gain, np.float32)) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def face(astronaut) -> Face:
    return find_faces(astronaut)[0]


@pytest.mark.parametrize("colour", [(235, 238, 240), (120, 170, 200), (25, 25, 28), (180, 60, 60)])
def test_mask_of_any_colour_is_a_warning(astronaut, face, consent, colour):
    verdict = judged(painted(astronaut, face, RIM, colour), consent)
    assert Issue.MASK in codes(verdict)
    assert verdict.accepted
    assert Issue.GLARE not in codes(verdict)
    assert Issue.MASK not in codes(judged(astronaut, consent))


@pytest.mark.parametrize("colour", [(30, 22, 18), (95, 60, 40), (205, 200, 195)])
def test_beard_is_no_mask(astronaut, face, consent, colour):
    bearded = painted(astronaut, face, BEARD, colour)
    lips = np.zeros(astronaut.shape[:2], np.uint8)
    cv2.fillPoly(
        lips,
        [
            np.rint(face.landmarks[[61, 39, 0, 269, 291, 405, 17, 181], :2]).astype(np.int32),
        ],
        1,
    )
    bearded = np.where(lips[..., None] > 0, astronaut, bearded)
    verdict = judged(bearded, consent)
    assert Issue.MASK not in codes(verdict)
    assert verdict.accepted


def with_frame(pixels, face):
    """Draw a dark frame around both eyes and over the nose."""
    result, distance = pixels.copy(), face.eye_distance
    thick, across = max(2, round(0.06 * distance)), (face.left_eye - face.right_eye) / distance
    for x, y in (face.right_eye, face.left_eye):
        size = (round(0.4 * distance), round(0.33 * distance))
        cv2.ellipse(
            result, (round(float(x)), round(float(y + 0.05 * distance))), size, 0, 0, 360, (25, 20, 18), thick
        )
    inner = [eye + side * 0.4 * distance * across for eye, side in ((face.right_eye, 1), (face.left_eye, -1))]
    cv2.line(result, *(tuple(round(float(part)) for part in one) for one in inner), (25, 20, 18), thick)
    return result


def test_lamp_in_the_glasses_is_a_warning_and_a_catchlight_is_none(astronaut, face, consent):
    distance = face.eye_distance
    glaring, sparkling = astronaut.copy(), astronaut.copy()
    for x, y in (face.right_eye, face.left_eye):
        centre = (int(x + 0.12 * distance), int(y - 0.06 * distance))
        size = (int(0.12 * distance), int(0.07 * distance))
        cv2.ellipse(glaring, centre, size, 20, 0, 360, (250, 250, 250), -1)
        cv2.circle(sparkling, (int(x), int(y - 1)), 1, (255, 255, 255), -1)
    assert Issue.GLARE not in codes(judged(glaring, consent)), "there are no glasses"
    framed = with_frame(glaring, face)
    assert Issue.GLARE in codes(judged(framed, consent))
    assert judged(framed, consent).accepted
    assert Issue.GLARE not in codes(judged(sparkling, consent))


@pytest.mark.photos
def test_hand_before_an_eye_blocks_and_a_hand_beside_the_face_does_not(astronaut, face, photo, consent):
    """The hand is a real one, from a photo of two people who wave."""
    waving = decode(photo("negatives/two-people-waving.jpg"), working_side=FULL_SIZE).pixels
    scale = waving.shape[1] / 1797
    top, bottom, left, right = (round(value * scale) for value in (120, 380, 1540, 1750))
    hand = waving[top:bottom, left:right]
    hue, saturation, _ = cv2.split(cv2.cvtColor(hand, cv2.COLOR_RGB2HSV))
    skin = ((saturation > 60) & ((hue < 12) | (hue > 172))).astype(np.uint8)
    skin = cv2.morphologyEx(
        cv2.morphologyEx(skin, cv2.MORPH_OPEN, np.ones((5, 5))), cv2.MORPH_CLOSE, np.ones((9, 9))
    )
    size = 0.75 * face.head_height / hand.shape[0]
    hand = cv2.resize(hand, None, fx=size, fy=size, interpolation=cv2.INTER_AREA)
    skin = cv2.resize(skin, (hand.shape[1], hand.shape[0]))[..., None] > 0

    def holding(x: float, y: float) -> np.ndarray:
        pixels = astronaut.copy()
        row, column = int(y - hand.shape[0] / 2), int(x - hand.shape[1] / 2)
        place = pixels[row : row + hand.shape[0], column : column + hand.shape[1]]
        place[:] = np.where(skin, hand, place)
        return pixels

    verdict = judged(holding(*face.right_eye), consent)
    assert Issue.HAND_OVER_EYE in codes(verdict)
    assert not verdict.accepted
    beside = judged(holding(face.right_eye[0] - 0.85 * face.head_height, face.right_eye[1] + 60), consent)
    assert not codes(beside) & {Issue.HAND_OVER_EYE, Issue.HAND_OVER_FACE}
    assert beside.measures.hand_fraction == 0


@pytest.mark.photos
@pytest.mark.parametrize("gain", [(1.6, 0.8, 0.25), (0.5, 0.8, 2.0)])
def test_coloured_light_is_a_warning_and_a_complexion_is_none(photo, consent, gain):
    pixels = decode(photo("barack/speech.jpg")).pixels
    verdict = judged(lit(pixels, gain), consent)
    assert Issue.COLOUR_CAST in codes(verdict)
    assert verdict.accepted
    assert Issue.COLOUR_CAST not in codes(judged(lit(pixels, (1.15, 1.0, 0.75)), consent)), "a warm lamp"
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).astype(int)
    skin = (lab[..., 1] > 135) & (lab[..., 2] > 138)
    tanned = lit(pixels, np.where(skin[..., None], np.array([0.5, 0.3, 0.15]), 1.0))
    assert Issue.COLOUR_CAST not in codes(judged(tanned, consent))


@pytest.mark.photos
def test_direction_and_evenness_of_the_light_are_measured(photo, consent):
    pixels = decode(photo("barack/portrait.jpg")).pixels
    face = find_faces(pixels)[0]
    across = (np.arange(pixels.shape[1]) - face.landmarks[:, 0].mean()) / face.box.width
    sides = {
        side: judged(lit(pixels, np.exp2(side * 2.5 * across)[None, :, None]), consent).measures
        for side in (-1, 1)
    }
    assert sides[-1].light_azimuth_degrees < 0 < sides[1].light_azimuth_degrees
    even = judged(pixels, consent).measures
    assert max(one.light_uniformity for one in sides.values()) > min(
        one.light_uniformity for one in sides.values()
    )
    assert abs(even.light_azimuth_degrees) <= max(abs(one.light_azimuth_degrees) for one in sides.values())


def test_busy_background_is_information_only(astronaut, consent):
    noise = np.random.default_rng(3).integers(0, 255, (100, 100, 3)).astype(np.uint8)
    scene = cv2.resize(noise, (512, 512), interpolation=cv2.INTER_NEAREST)
    box = find_faces(astronaut)[0].box
    keep = np.zeros((512, 512), np.uint8)
    centre = (int((box.left + box.right) / 2), int((box.top + box.bottom) / 2))
    cv2.ellipse(keep, centre, (int(box.width * 0.8), int(box.height * 0.95)), 0, 0, 360, 1, -1)
    keep[int(box.bottom) :] = 1
    busy = judged(np.where(keep[..., None] > 0, astronaut, scene), consent)
    assert busy.measures.clutter_ratio > judged(astronaut, consent).measures.clutter_ratio
    found = [finding for finding in busy.issues if finding.code is Issue.BUSY_BACKGROUND]
    assert [finding.severity for finding in found] == [Severity.INFO]
    assert busy.accepted


def test_eyes_block_only_when_both_are_closed(face):
    """Lids are moved on the mesh: no photo of a wink is in the public domain among the test photos."""
    from core.checks.verdict import Measures
    from workers.vision.check import eye_issues

    def of(closed: float, opened: float) -> list[Issue]:
        return eye_issues(
            Measures(
                eye_opening_ratio=closed,
                wider_eye_opening_ratio=opened,
                socket_light_ratio=0.4,
                glare_fraction=0.0,
                lower_face_delta_e=3.0,
                lip_redness_lab=6.0,
                eye_behind_hand=False,
                glasses_seen=False,
            )
        )

    assert of(0.05, 0.06) == [Issue.EYES_CLOSED]
    assert of(0.05, 0.25) == [Issue.ONE_EYE_CLOSED]
    assert of(0.10, 0.12) == [Issue.EYES_NEARLY_CLOSED]
    assert of(0.20, 0.25) == []
    opened = face.landmarks.copy()
    assert face.eye_openings[0] > 0.25
    opened[[160, 158], 1] = face.landmarks[[144, 153], 1]
    winking = Face(opened, face.score)
    assert winking.eye_openings[0] < 0.09 < winking.eye_openings[1]


def test_mouth_opening_follows_the_lips(face):
    wide = face.landmarks.copy()
    wide[14, 1] += 0.8 * np.linalg.norm(wide[78, :2] - wide[308, :2])
    assert face.mouth_opening < 0.3
    assert Face(wide, face.score).mouth_opening > 0.55


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "joe/portrait.jpg"])
@pytest.mark.parametrize("colour", [None, (205, 170, 145), (224, 224, 220)])
def test_a_mask_in_the_colour_of_skin_is_seen_by_the_nostrils_that_it_hides(examined, consent, name, colour):
    seen = examined(name)
    bare = codes(judged(seen.pixels, consent))
    covered = judged(masked(seen.pixels, seen.face, colour or skin_colour(seen.pixels, seen.face)), consent)
    assert Issue.MASK not in bare
    assert Issue.MASK in codes(covered)
    assert covered.accepted


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/speech.jpg", "joe/portrait.jpg"])
@pytest.mark.parametrize(("place", "turn"), [((0.0, 1.3), -15.0), ((-0.2, 1.1), 20.0)])
def test_a_hand_before_the_face_is_said(examined, consent, name, place, turn):
    seen = examined(name)
    verdict = judged(with_hand(seen.pixels, seen.face, place, turn), consent)
    assert Issue.HAND_OVER_FACE in codes(verdict)
    assert Issue.MASK not in codes(verdict)


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "barack/blue-room.jpg", "joe/portrait.jpg"])
@pytest.mark.parametrize(("blur", "stops"), [(60, 0.0), (1e9, -3.0), (1e9, 1.0)])
def test_a_bare_face_has_nostrils_in_any_light_and_a_little_out_of_focus(
    examined, consent, name, blur, stops
):
    seen = examined(name)
    soft = cv2.GaussianBlur(seen.pixels, (0, 0), max(0.1, seen.face.eye_distance / blur))
    assert Issue.MASK not in codes(judged(lit(soft, (2.0**stops,) * 3), consent))
