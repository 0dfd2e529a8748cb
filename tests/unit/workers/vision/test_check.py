from __future__ import annotations

import io
import json

import cv2
import numpy as np
import pytest
from PIL import Image

from core.checks.advice import ADVICE, Issue, Severity
from core.checks.shots import PLACES, Shot
from core.checks.verdict import Finding, Verdict
from core.consent import ConsentRequired, ValidConsent
from core.image.kinds import PhotoFormat, UnreadablePhoto
from deploy.bench.variants import upscaled
from workers.vision.check import check, examine
from workers.vision.color import to_linear, to_srgb
from workers.vision.decode import Picture
from workers.vision.examination import without_bars
from workers.vision.faces import find_faces
from workers.vision.geometry import Box

POSITIVES = {
    # 106 to 125 px between the eyes carry 800 px, not the usual 1,024.
    "barack/portrait.jpg": {Issue.LOW_RESOLUTION},
    "barack/letterboxed.jpg": {Issue.LOW_RESOLUTION},
    "barack/podium.jpg": {Issue.HEAD_TURNED},
    "barack/speech.jpg": {Issue.MOUTH_OPEN, Issue.LOW_RESOLUTION},
    "barack/blue-room.jpg": {Issue.DARK, Issue.BACK_LIGHT, Issue.SMALL_IN_FRAME, Issue.LOW_RESOLUTION},
    "joe/portrait.jpg": set(),
    "joe/blue-room.jpg": {Issue.DARK, Issue.BACK_LIGHT, Issue.SMALL_IN_FRAME, Issue.LOW_RESOLUTION},
    "eileen/portrait.png": {Issue.LOW_RESOLUTION},
}
NEGATIVES = {
    "negatives/face-cut-off.jpg": Issue.FACE_CUT_OFF,
    "negatives/face-half-cut-off.jpg": Issue.FACE_CUT_OFF,
    "negatives/no-face.jpg": Issue.NO_FACE,
    "negatives/cat.jpg": Issue.NO_FACE,
}


def codes(verdict: Verdict) -> set[Issue]:
    return {finding.code for finding in verdict.issues}


def blocks(verdict: Verdict) -> set[Issue]:
    return {finding.code for finding in verdict.issues if finding.severity is Severity.BLOCK}


def picture(pixels: np.ndarray) -> Picture:
    return Picture(np.ascontiguousarray(pixels), PhotoFormat.PNG, pixels.shape[1], pixels.shape[0])


def relit(pixels: np.ndarray, gain: float | np.ndarray) -> np.ndarray:
    return np.rint(to_srgb(to_linear(pixels) * np.asarray(gain, np.float32)) * 255).astype(np.uint8)


@pytest.mark.photos
@pytest.mark.parametrize(("name", "expected"), POSITIVES.items())
def test_a_real_portrait_is_accepted_with_the_advice_that_fits(examined, name, expected):
    verdict = examined(name).verdict
    assert verdict.accepted
    assert codes(verdict) == expected
    assert verdict.measures.faces == 1
    assert 0 < verdict.score <= 1


@pytest.mark.photos
@pytest.mark.parametrize(("name", "expected"), NEGATIVES.items())
def test_what_is_no_portrait_is_refused_for_its_own_reason(examined, name, expected):
    verdict = examined(name).verdict
    assert not verdict.accepted
    assert verdict.score == 0
    assert blocks(verdict) == {expected}


def test_low_resolution_is_a_warning_not_a_refusal(astronaut, consent):
    verdict = check(picture(astronaut), consent)
    assert verdict.accepted
    assert codes(verdict) == {Issue.LOW_RESOLUTION}


def test_face_with_too_few_pixels_is_refused(astronaut, consent):
    small = cv2.resize(astronaut, (400, 400), interpolation=cv2.INTER_AREA)
    assert blocks(check(picture(small), consent)) == {Issue.FACE_TOO_SMALL}


def test_unreadable_bytes_become_a_verdict_not_an_exception(consent):
    icon = io.BytesIO()
    Image.new("RGB", (1, 1)).save(icon, "PNG")
    cases = {
        b"": Issue.EMPTY_FILE,
        b"hello\n": Issue.NOT_A_PHOTO,
        b"hello world" * 50: Issue.NOT_A_PHOTO,
        icon.getvalue(): Issue.TOO_FEW_PIXELS,
        b"\xff\xd8\xff\xe0" + bytes(500): Issue.DAMAGED,
    }
    for content, expected in cases.items():
        verdict = check(content, consent)
        assert blocks(verdict) == {expected}
        assert not verdict.accepted


def test_every_unreadable_photo_error_has_advice():
    known = {UnreadablePhoto, *UnreadablePhoto.__subclasses__()}
    assert all(ADVICE[Issue(error.code)].severity is Severity.BLOCK for error in known)


def test_every_code_has_one_plain_sentence_or_two():
    for issue in Issue:
        text = ADVICE[issue].text
        assert text[0].isupper()
        assert text.endswith(".")
        assert len(text) < 120


@pytest.mark.photos
def test_each_fault_of_light_is_named(examined, consent):
    pixels = examined("barack/portrait.jpg").pixels
    ramp = np.linspace(3, -3, pixels.shape[1])[None, :, None]
    faults = {
        Issue.DARK: relit(pixels, 0.2),
        Issue.OVEREXPOSED: relit(pixels, 3.0),
        Issue.SIDE_LIGHT: relit(pixels, np.exp2(4 * ramp - 2)),
        Issue.BLURRED: cv2.GaussianBlur(pixels, (0, 0), 1.5),
    }
    for issue, changed in faults.items():
        verdict = check(picture(changed), consent)
        assert issue in codes(verdict), issue
        assert verdict.accepted, issue


@pytest.mark.photos
def test_dark_complexion_is_not_a_dark_photo(examined, consent):
    """Skin alone made three classes darker: eye whites, teeth and the room stay as they are."""
    seen = examined("barack/portrait.jpg")
    linear = to_linear(seen.pixels)
    lab = cv2.cvtColor(seen.pixels, cv2.COLOR_RGB2LAB).astype(int)
    skin = (lab[..., 1] > 135) & (lab[..., 2] > 138)
    box = seen.face.box
    rows, columns = np.indices(skin.shape)
    skin &= (rows > box.top) & (rows < box.bottom) & (columns > box.left) & (columns < box.right)
    darker = relit(seen.pixels, np.where(skin, 0.15, 1.0)[..., None])
    verdict = check(picture(darker), consent)
    assert verdict.measures.skin_lightness < 45
    assert float(np.median(linear[skin])) > 0.1
    assert Issue.DARK not in codes(verdict)
    assert verdict.accepted


@pytest.mark.photos
def test_dark_glasses_hide_the_eyes(examined, consent):
    seen = examined("joe/portrait.jpg")
    covered = seen.pixels.copy()
    distance = seen.face.eye_distance
    for eye in (seen.face.right_eye, seen.face.left_eye):
        centre = (int(eye[0]), int(eye[1]))
        cv2.ellipse(
            covered, centre, (int(distance * 0.38), int(distance * 0.28)), 0, 0, 360, (18, 18, 20), -1
        )
    assert blocks(check(picture(covered), consent)) == {Issue.EYES_HIDDEN}


@pytest.mark.photos
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_photo_on_its_side_is_turned_upright_and_says_so(examined, consent, turns):
    for name in ("barack/portrait.jpg", "eileen/portrait.png"):
        upright = examined(name)
        seen = examine(picture(np.rot90(upright.pixels, turns)), consent)
        assert seen.verdict.accepted
        assert codes(seen.verdict) == codes(upright.verdict) | {Issue.TURNED_UPRIGHT}
        assert seen.pixels.shape == upright.pixels.shape
        assert seen.verdict.faces[0].left == pytest.approx(upright.verdict.faces[0].left, abs=0.02)
        assert seen.verdict.measures.height_px == upright.pixels.shape[0]


@pytest.mark.photos
def test_of_two_people_side_by_side_nobody_is_chosen_unasked(examined, consent):
    pair = [
        cv2.resize(examined(f"{name}.jpg").pixels, (400, 500), interpolation=cv2.INTER_AREA)
        for name in ("barack/portrait", "joe/portrait")
    ]
    both = picture(np.hstack(pair))
    asked = check(both, consent)
    assert (asked.accepted, asked.asks) == (False, "which_face")
    assert codes(asked) == {Issue.SEVERAL_PEOPLE}
    assert examine(both, consent, subject=(0.75, 0.4)).face.box.left > 400


@pytest.mark.photos
@pytest.mark.parametrize("name", ["negatives/two-people.jpg", "negatives/two-people-waving.jpg"])
def test_several_people_are_a_question_and_the_answer_is_judged_like_any_photo(
    examined, photo, consent, name
):
    asked = examined(name).verdict
    assert asked.asks == "which_face"
    assert not asked.accepted
    assert codes(asked) == {Issue.SEVERAL_PEOPLE}
    assert asked.issues[0].severity is Severity.WARN
    assert len(asked.faces) in (2, 3)  # a girl stands in front of the two who wave
    assert asked.faces[0].width * asked.faces[0].height >= asked.faces[1].width * asked.faces[1].height
    for box in asked.faces[:2]:
        subject = (box.left + box.width / 2, box.top + box.height / 2)
        seen = examine(photo(name), consent, subject=subject)
        assert seen.verdict.accepted
        assert seen.verdict.asks is None
        assert Issue.PEOPLE_BEHIND in codes(seen.verdict)
        assert len(seen.others) == len(asked.faces) - 1
        found = seen.place.box(seen.face)
        width, height = seen.verdict.measures.width_px, seen.verdict.measures.height_px
        assert found.left / width < subject[0] < found.right / width
        assert found.top / height < subject[1] < found.bottom / height


@pytest.mark.photos
def test_face_close_to_an_edge_is_cut_off_on_every_side(examined, consent):
    seen = examined("joe/portrait.jpg")
    box = seen.face.box
    left, top, right, bottom = (int(value) for value in (box.left, box.top, box.right, box.bottom))
    pieces = [
        seen.pixels[:, left + int(box.width * 0.2) :],
        seen.pixels[:, : right - int(box.width * 0.2)],
        seen.pixels[top + int(box.height * 0.15) :],
        seen.pixels[: bottom - int(box.height * 0.12)],
    ]
    for piece in pieces:
        assert Issue.FACE_CUT_OFF in blocks(check(picture(piece), consent))


@pytest.mark.photos
def test_small_face_in_a_huge_photo_is_found(examined):
    seen = examined("barack/portrait.jpg")
    small = cv2.resize(seen.pixels, None, fx=0.35, fy=0.35, interpolation=cv2.INTER_AREA)
    scene = np.full((3000, 2000, 3), 140, np.uint8)
    scene[300 : 300 + small.shape[0], 800 : 800 + small.shape[1]] = small
    faces = find_faces(scene)
    assert len(faces) == 1
    assert faces[0].right_eye[0] == pytest.approx(800 + 0.35 * seen.face.right_eye[0], abs=4)


@pytest.mark.photos
def test_huge_photo_keeps_the_pixels_of_a_small_face(examined, consent):
    """50 megapixels, the person far away: reduced as a whole the face would be too small."""
    seen = examined("barack/portrait.jpg")
    scene = np.full((5800, 8700, 3), 140, np.uint8)
    height, width = seen.pixels.shape[:2]
    scene[3000 : 3000 + height, 6000 : 6000 + width] = seen.pixels
    buffer = io.BytesIO()
    Image.fromarray(scene).save(buffer, "JPEG", quality=92)
    found = examine(buffer.getvalue(), consent)
    assert found.verdict.accepted
    assert found.verdict.measures.eye_distance_px == pytest.approx(seen.face.eye_distance, rel=0.04)
    assert found.verdict.measures.head_height_fraction == pytest.approx(
        seen.face.head_height / 5800, rel=0.05
    )
    assert found.pixels.size < 4000 * 4000 * 3
    eye = found.pixels[tuple(int(value) for value in found.face.right_eye[::-1])]
    assert int(eye.max()) < 130, "the landmarks belong to the returned pixels"


@pytest.mark.photos
def test_landmarks_move_with_the_picture(examined):
    seen = examined("joe/portrait.jpg")
    half = cv2.resize(seen.pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    again = find_faces(half)[0]
    expected = seen.face.moved(0, 0, 0.5)
    assert np.abs(again.landmarks[:, :2] - expected.landmarks[:, :2]).max() < 0.05 * expected.head_height
    assert again.head_height == pytest.approx(expected.head_height, rel=0.02)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (15, 2000), (70, 3000), (40, 40)])
def test_sliver_is_no_face_and_breaks_nothing_after_it(size, astronaut, consent):
    noise = np.random.default_rng(1).integers(0, 255, (*size, 3)).astype(np.uint8)
    assert blocks(check(picture(noise), consent)) == {Issue.NO_FACE}
    assert check(picture(astronaut), consent).accepted


def test_black_bars_go_and_a_dark_room_stays():
    scene = np.full((300, 400, 3), 90, np.uint8)
    boxed = np.zeros((300, 700, 3), np.uint8)
    boxed[:, 150:550] = scene
    assert without_bars(boxed) == Box(152, 0, 548, 300)
    one_sided = np.zeros((300, 550, 3), np.uint8)
    one_sided[:, 150:] = scene
    assert without_bars(one_sided) == Box(0, 0, 550, 300)


def test_verdict_is_json(astronaut, consent):
    buffer = io.BytesIO()
    Image.fromarray(astronaut).save(buffer, "PNG")
    answer = json.loads(check(buffer.getvalue(), consent).model_dump_json())
    assert answer["accepted"] is True
    assert answer["issues"][0]["code"] == "low_resolution"
    assert answer["issues"][0]["severity"] == "warn"
    assert answer["measures"]["eye_distance_px"] == pytest.approx(43, abs=2)


def test_no_face_is_looked_at_without_consent(astronaut):
    with pytest.raises(ConsentRequired):
        check(picture(astronaut), ValidConsent(None, frozenset()))


@pytest.mark.parametrize(("side", "size"), [(512, 256), (900, 512), (1300, 648)])
def test_low_resolution_names_the_largest_size_that_stays_sharp(astronaut, consent, side, size):
    larger = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_CUBIC)
    verdict = check(picture(larger), consent)
    (finding,) = [one for one in verdict.issues if one.code is Issue.LOW_RESOLUTION]
    assert finding.values == {"pixels": size}
    assert f"{size} pixels" in finding.advice
    assert ADVICE[Issue.LOW_RESOLUTION].text % finding.values == finding.advice
    assert verdict.measures.sharp_up_to_px == size


def test_every_sentence_takes_its_values_and_names_a_component_or_none():
    filled = {issue: Finding.of(issue, pixels=512, of="a.jpg") for issue in Issue}
    assert not [one.advice for one in filled.values() if "%" in one.advice]
    about_a_face = {Issue.EYES_CLOSED, Issue.BLURRED, Issue.HEAD_TURNED, Issue.SEVERAL_PEOPLE, Issue.MASK}
    assert all(filled[issue].component for issue in about_a_face)


def test_only_what_no_step_can_save_blocks():
    block = {issue for issue in Issue if ADVICE[issue].severity is Severity.BLOCK}
    unreadable = {Issue(error.code) for error in (UnreadablePhoto, *UnreadablePhoto.__subclasses__())}
    assert block - unreadable == {
        Issue.NO_FACE,
        Issue.FACE_CUT_OFF,
        Issue.CROPPED_TOO_TIGHTLY,
        Issue.FACE_TOO_SMALL,
        Issue.TOO_BLURRED,
        Issue.CHECK_FAILED,
        Issue.EYES_CLOSED,
        Issue.EYES_HIDDEN,
        Issue.HAND_OVER_EYE,
        Issue.TURNED_AWAY,
    }


@pytest.mark.photos
def test_one_dark_eye_in_light_from_the_side_is_no_pair_of_sunglasses(examined, consent):
    seen = examined("barack/portrait.jpg")
    middle = (seen.face.right_eye[0] + seen.face.left_eye[0]) / 2
    across = (np.arange(seen.pixels.shape[1]) - middle) / seen.face.eye_distance
    dark = np.where(across > 0, 0.06, 1.0)[None, :, None]
    verdict = check(picture(relit(seen.pixels, dark)), consent)
    assert Issue.SIDE_LIGHT in codes(verdict)
    assert verdict.accepted


@pytest.mark.photos
def test_narrow_eyes_in_good_light_are_no_dark_photo(examined, consent):
    """A laugh or narrow eyes show little white; the rest of the face tells that light falls on it."""
    seen = examined("barack/portrait.jpg")
    pixels = seen.pixels.copy()
    for opening in ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380)):
        points = np.rint(seen.face.landmarks[list(opening), :2]).astype(np.int32)
        cv2.fillPoly(pixels, [points], (45, 30, 25))
    verdict = check(picture(pixels), consent)
    assert verdict.measures.eye_white_luminance < 0.12
    assert Issue.DARK not in codes(verdict)


@pytest.mark.photos
def test_every_measure_is_taken_and_described(examined):
    verdict = examined("barack/speech.jpg").verdict
    missing = [name for name, value in verdict.measures.model_dump().items() if value is None]
    assert missing == []
    assert all(field.description for field in type(verdict.measures).model_fields.values())
    shot = Shot.read(verdict.phash)
    assert str(shot) == verdict.phash
    assert len(shot.around) == PLACES


def _shaken(pixels: np.ndarray, length: int, degrees: float) -> np.ndarray:
    """Return a picture that moved along a line of `length` px."""
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    turn = cv2.getRotationMatrix2D(((length - 1) / 2, (length - 1) / 2), degrees, 1)
    line = cv2.warpAffine(line, turn, (length, length))
    return cv2.filter2D(pixels, -1, line / line.sum())


@pytest.mark.photos
@pytest.mark.parametrize("degrees", [0, 30, 90])
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "joe/portrait.jpg"])
def test_a_hand_that_shook_is_refused_whichever_way_it_went(examined, consent, name, degrees):
    seen = examined(name)
    length = round(seen.face.eye_distance / 5) | 1
    verdict = check(picture(_shaken(seen.pixels, length, degrees)), consent)
    assert Issue.TOO_BLURRED in blocks(verdict)


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "joe/portrait.jpg"])
def test_a_light_blur_is_a_warning_and_a_heavy_one_a_refusal(examined, consent, name):
    seen = examined(name)
    ratios: list[float] = []
    for share, expected in (
        (300, set()),
        (100, {Issue.BLURRED}),
        (40, {Issue.TOO_BLURRED}),
        (25, {Issue.TOO_BLURRED}),
    ):
        blurred = cv2.GaussianBlur(seen.pixels, (0, 0), seen.face.eye_distance / share)
        verdict = check(picture(blurred), consent)
        ratios.append(verdict.measures.sharpness)
        found = {Issue.BLURRED, Issue.TOO_BLURRED} & codes(verdict)
        assert found <= expected, share
        assert found or not expected, share
    assert ratios == sorted(ratios, reverse=True)
    assert check(picture(seen.pixels), consent).measures.sharpness > ratios[0]


@pytest.mark.photos
def test_two_hundred_pixels_are_never_called_good(examined, consent):
    seen = examined("barack/portrait.jpg")
    scale = 200 / max(seen.pixels.shape)
    small = cv2.resize(seen.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert any(ADVICE[issue].severity is not Severity.INFO for issue in codes(check(picture(small), consent)))


def saw_once_more(examined, consent, name, spoil):
    """Return what the check says anew of a photo that was spoilt."""
    seen = examined(name)
    return codes(check(picture(spoil(seen.pixels, seen.face)), consent)) - codes(seen.verdict)


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/podium.jpg", "joe/portrait.jpg"])
def test_a_blur_of_a_pixel_of_the_headshot_is_said(examined, consent, name):
    """At 1,024 px it shows beside a colleague's; before, only three times as much of it was seen."""

    def blurred(pixels, face):
        return cv2.GaussianBlur(pixels, (0, 0), face.eye_distance / 150)

    assert saw_once_more(examined, consent, name, blurred) == {Issue.BLURRED}


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "joe/portrait.jpg", "eileen/portrait.png"])
def test_grain_is_said_where_the_headshot_shows_it(examined, consent, name):
    def grainy(levels):
        return lambda pixels, _face: np.clip(
            np.rint(pixels + np.random.default_rng(0).normal(0, levels, pixels.shape)), 0, 255
        ).astype(np.uint8)

    assert saw_once_more(examined, consent, name, grainy(15)) == {Issue.GRAINY}
    assert saw_once_more(examined, consent, name, grainy(6)) <= {Issue.BLURRED}


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "barack/blue-room.jpg", "joe/portrait.jpg"])
@pytest.mark.parametrize(
    "gains", [(0.6, 1.2, 0.6), (0.55, 0.8, 1.6), (1.6, 0.9, 0.35), (1.35, 0.6, 1.35)], ids=str
)
def test_light_of_any_colour_is_said(examined, consent, name, gains):
    new = saw_once_more(examined, consent, name, lambda pixels, _face: relit(pixels, np.array(gains)))
    assert Issue.COLOUR_CAST in new


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "joe/portrait.jpg", "eileen/portrait.png"])
def test_black_and_white_and_sepia_are_said_and_are_no_coloured_light(examined, consent, name):
    def grey(pixels, _face):
        return cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)

    def sepia(pixels, face):
        return np.clip(grey(pixels, face) * np.array([1.1, 0.95, 0.72]), 0, 255).astype(np.uint8)

    for toned in (grey, sepia):
        new = saw_once_more(examined, consent, name, toned)
        assert Issue.BLACK_AND_WHITE in new
        assert Issue.COLOUR_CAST not in new


@pytest.mark.photos
@pytest.mark.parametrize("name", sorted(POSITIVES))
def test_a_photo_upside_down_is_turned_upright(examined, consent, name):
    """A beard can be taken for a forehead: two of eight were found upright on their heads."""
    seen = examined(name)
    verdict = check(picture(np.rot90(seen.pixels, 2)), consent)
    assert Issue.TURNED_UPRIGHT in codes(verdict)
    assert verdict.accepted


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "joe/portrait.jpg", "eileen/portrait.png"])
def test_mirrored_glasses_hide_the_eyes_although_they_are_bright(examined, consent, name):
    def mirrored(pixels, face):
        result = pixels.copy()
        for x, y in (face.right_eye, face.left_eye):
            size = (int(0.36 * face.eye_distance), int(0.28 * face.eye_distance))
            cv2.ellipse(result, (int(x), int(y)), size, 0, 0, 360, (150, 170, 185), -1)
        return result

    assert Issue.EYES_HIDDEN in saw_once_more(examined, consent, name, mirrored)


@pytest.mark.photos
@pytest.mark.parametrize("share", [25, 12, 8])
def test_of_a_blurred_face_only_the_blur_is_said(examined, consent, share):
    """What hands, lids and glasses seem to be in it is not known."""

    def blurred(pixels, face):
        return cv2.GaussianBlur(pixels, (0, 0), face.eye_distance / share)

    new = saw_once_more(examined, consent, "barack/portrait.jpg", blurred)
    eyes = {
        Issue.HAND_OVER_EYE,
        Issue.HAND_OVER_FACE,
        Issue.EYES_HIDDEN,
        Issue.GLARE,
        Issue.EYES_NEARLY_CLOSED,
    }
    assert Issue.TOO_BLURRED in new
    assert not new & eyes


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "barack/speech.jpg", "joe/blue-room.jpg"])
def test_a_picture_that_an_app_has_enlarged_is_said(examined, consent, name):
    seen = examined(name)
    original = check(picture(seen.pixels), consent)
    enlarged = check(picture(upscaled(seen.pixels, 2.5)), consent)
    assert Issue.ENLARGED not in {one.code for one in original.issues}
    assert Issue.ENLARGED in {one.code for one in enlarged.issues}
    assert enlarged.accepted
    assert enlarged.score < original.score, "the original goes before it"


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "barack/podium.jpg", "joe/portrait.jpg"])
def test_what_a_phone_does_to_a_photo_is_no_enlarging(examined, consent, name):
    """A sensor with one colour a pixel, noise reduction, sharpening, a JPEG."""
    pixels = examined(name).pixels
    mosaic = np.zeros(pixels.shape[:2], np.uint8)
    for row, column, colour in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        mosaic[row::2, column::2] = pixels[row::2, column::2, colour]
    seen = cv2.bilateralFilter(cv2.cvtColor(mosaic, cv2.COLOR_BayerBG2BGR), 5, 20, 2)
    sharper = seen + 0.8 * (seen - cv2.GaussianBlur(seen, (0, 0), 1).astype(np.float32))
    buffer = io.BytesIO()
    Image.fromarray(np.clip(sharper, 0, 255).astype(np.uint8)).save(buffer, "JPEG", quality=90)
    verdict = check(buffer.getvalue(), consent)
    assert Issue.ENLARGED not in {one.code for one in verdict.issues}


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "barack/speech.jpg", "joe/portrait.jpg"])
def test_a_shake_as_wide_as_a_blur_that_is_refused_is_refused_too(examined, consent, name):
    seen = examined(name)
    length = max(3, round(seen.face.eye_distance / 10) | 1)
    assert not check(picture(_shaken(seen.pixels, length, 30)), consent).accepted
    assert check(
        picture(_shaken(seen.pixels, max(3, round(seen.face.eye_distance / 40) | 1), 30)), consent
    ).accepted
