from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from gates import GENERATED
from skimage import data

from core.checks.report import GateName
from core.consent import ConsentRequired
from core.style.outputs import Output
from core.style.presets import PRESETS
from core.style.spec import Crop, Grade, ImageBackdrop, Light, SolidBackdrop, StyleSpec
from workers.pipeline.gates import OTHER_SIDE, backdrop_error, measure_result
from workers.pipeline.reference import Own
from workers.pipeline.render import render
from workers.pipeline.team import Pair, alignment_sheet, team_figures
from workers.studio.finish import finish
from workers.studio.preview import sample
from workers.vision.color import to_linear, to_srgb
from workers.vision.faces import find_faces
from workers.vision.likeness import distance, embed, limits
from workers.vision.skin import SkinTone, skin_tone

STYLE = StyleSpec(backdrop=SolidBackdrop(color="#d0d6de"))


def person(cutout=None):
    """Return the sample as if its photo had twice the pixels, so that at 512 px nothing of it is enlarged."""
    return dataclasses.replace(cutout or sample(), photo_scale=0.5)


@pytest.fixture(scope="module")
def finished():
    return finish(person(), STYLE, (512, 512))


@pytest.fixture(scope="module")
def own(astronaut, consent) -> Own:
    own = Own()
    own.add("portrait", astronaut, find_faces(astronaut)[0], consent)
    return own


def report(pixels, own, finished, consent, style=STYLE):
    return measure_result(pixels, "portrait", own, style, finished.framing, consent, cut_doubt=0.2)


def test_a_cut_that_is_not_trusted_is_withheld_and_one_that_is_unknown_decides_nothing(
    finished, own, consent
):
    def cut(unsure):
        result = measure_result(
            finished.pixels, "portrait", own, STYLE, finished.framing, consent, cut_doubt=unsure
        )
        return result.passed, result.gates[GateName.CUT].passed

    assert [cut(unsure) for unsure in (0.2, 0.7, None)] == [(True, True), (False, False), (True, None)]


def test_a_good_result_passes_every_gate(finished, own, consent):
    result = report(finished.pixels, own, finished, consent)
    assert result.passed
    assert set(result.gates) == set(GateName) - GENERATED
    assert all(gate.passed for gate in result.gates.values())
    assert result.failed == ()


def test_with_one_photo_the_face_is_compared_with_no_other(finished, own, consent):
    assert report(finished.pixels, own, finished, consent).gates[GateName.LIKENESS].others == 0


def test_every_gate_names_its_unit_and_the_reason_for_its_limit(finished, own, consent):
    for gate in report(finished.pixels, own, finished, consent).gates.values():
        assert gate.unit
        assert len(gate.why) > 10


@pytest.mark.parametrize("blur", [0.0, 0.03])
def test_a_wide_files_backdrop_is_the_styles_own_in_the_frame_too(blur):
    outputs = (Output(name="square", width=512, height=512), Output(name="hero", width=800, height=450))
    style = StyleSpec(backdrop=ImageBackdrop(image="x", blur=blur), outputs=outputs)
    wall = np.asarray(data.coffee(), np.uint8)
    seen = finish(sample(), style, style.master_size(), wall).framed(style)
    error = backdrop_error(seen, style, wall)
    assert error is not None
    assert error < 0.5


def broken(pixels: np.ndarray) -> dict[GateName, np.ndarray]:
    """Spoil the picture, each time in one way."""
    height, width = pixels.shape[:2]
    centre = (width / 2, height / 2)

    def warped(matrix) -> np.ndarray:
        return cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)

    two = pixels.copy()
    head = cv2.resize(pixels[60:420, 90:420], (140, 153), interpolation=cv2.INTER_AREA)
    two[:153, :140] = head
    linear = to_linear(pixels)
    side = np.exp2(np.linspace(4.5, -4.5, width, dtype=np.float32))[None, :, None]
    return {
        GateName.ONE_FACE: two,
        GateName.SKIN_DELTA_E: np.rint(to_srgb(linear * np.float32(0.35)) * 255).astype(np.uint8),
        GateName.SKIN_ITA: np.rint(to_srgb(linear * np.float32(0.35)) * 255).astype(np.uint8),
        GateName.EYE_LINE: warped(np.float64([[1, 0, 0], [0, 1, 20]])),
        GateName.HEAD_HEIGHT: warped(cv2.getRotationMatrix2D(centre, 0, 1.12)),
        GateName.ROLL: warped(cv2.getRotationMatrix2D(centre, 4, 1.0)),
        GateName.BACKDROP: np.where(np.arange(height)[:, None, None] < 200, pixels // 2 + 20, pixels).astype(
            np.uint8
        ),
        GateName.LIGHT: np.rint(to_srgb(linear * side) * 255).astype(np.uint8),
        GateName.SHARPNESS: cv2.GaussianBlur(pixels, (0, 0), 6),
        GateName.EDGE: rimmed(pixels),
    }


def rimmed(pixels: np.ndarray) -> np.ndarray:
    """Leave a green rim, three pixels wide, where person and wall meet."""
    wall = np.array([0xD0, 0xD6, 0xDE])
    person = (np.abs(pixels.astype(int) - wall).max(axis=2) > 12).astype(np.uint8)
    person = cv2.morphologyEx(person, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    rim = person - cv2.erode(person, np.ones((7, 7), np.uint8))
    result = pixels.copy()
    result[rim > 0] = (60, 190, 70)
    return result


@pytest.mark.parametrize(
    "name", sorted(set(GateName) - GENERATED - {GateName.LIKENESS, GateName.RESOLUTION, GateName.CUT})
)
def test_each_gate_catches_its_own_fault(finished, own, consent, name):
    result = report(broken(finished.pixels)[name], own, finished, consent)
    assert result.gates[name].passed is False
    assert name in result.failed
    assert not result.passed


def test_enlarged_photo_is_measured_and_too_much_of_it_withheld(finished, own, consent):
    gate = report(finished.pixels, own, finished, consent).gates[GateName.RESOLUTION]
    assert gate.value == pytest.approx(1 / (finished.framing.scale * finished.framing.photo_scale), rel=1e-3)
    enlarged = dataclasses.replace(finished, framing=dataclasses.replace(finished.framing, scale=6.0))
    assert report(finished.pixels, own, enlarged, consent).failed == (GateName.RESOLUTION,)


def test_report_says_how_far_the_complexion_moved_from_the_one_photo(finished, own, consent):
    figures = report(finished.pixels, own, finished, consent).figures
    assert figures["skin_ita_source_degrees"] < 4
    assert figures["skin_delta_e_source"] < 4


def test_light_is_held_against_the_styles_and_one_from_the_other_side_is_noted(finished, own, consent):
    style = STYLE.model_copy(update={"light": Light(strength=1.0, azimuth=-45, elevation=40, contrast=0.6)})
    lit = finish(person(), style, (512, 512))
    meant = report(lit.pixels, own, lit, consent, style)
    mirrored = report(mirrored_pixels(lit.pixels), own, lit, consent, style)
    assert OTHER_SIDE not in meant.notes
    assert OTHER_SIDE in mirrored.notes
    assert meant.gates[GateName.LIGHT].value < 0.5 < 1 < mirrored.gates[GateName.LIGHT].value
    # A style of even light has no side that a photo could miss.
    even = STYLE.model_copy(update={"light": Light(azimuth=0, contrast=0.05)})
    assert OTHER_SIDE not in report(mirrored_pixels(lit.pixels), own, lit, consent, even).notes


@pytest.mark.photos
def test_only_the_photo_lit_from_the_other_side_gets_the_note(photo, photo_consent):
    noted = {}
    for name in ("barack/portrait.jpg", "joe/portrait.jpg"):
        [shot] = render([(name, photo(name))], PRESETS["charcoal"], photo_consent).headshots
        noted[name] = OTHER_SIDE in shot.report.notes
    assert noted == {"barack/portrait.jpg": False, "joe/portrait.jpg": True}


def mirrored_pixels(pixels: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(pixels[:, ::-1])


def test_picture_without_a_face_is_withheld(finished, own, consent):
    result = report(np.full((512, 512, 3), 200, np.uint8), own, finished, consent)
    assert not result.passed
    assert result.failed == (GateName.ONE_FACE,)


@pytest.mark.photos
def test_somebody_elses_face_fails_likeness(examined, finished, consent):
    other = examined("joe/portrait.jpg")
    own = Own()
    own.add("portrait", other.pixels, other.face, consent)
    gate = report(finished.pixels, own, finished, consent).gates[GateName.LIKENESS]
    assert gate.passed is False
    assert gate.value > 0.7


@pytest.mark.photos
def test_likeness_limit_follows_how_much_the_persons_own_photos_differ(examined, consent):
    own = Own()
    for name in ("portrait", "podium", "speech"):
        seen = examined(f"barack/{name}.jpg")
        own.add(name, seen.pixels, seen.face, consent)
    assert 0.3 < own.spread() < 0.45
    seen = examined("barack/portrait.jpg")
    result = measure_result(
        seen.pixels, "portrait", own, STYLE, finish(sample(), STYLE, (64, 64)).framing, consent
    )
    gate = result.gates[GateName.LIKENESS]
    assert gate.limit < limits().same_person
    assert gate.others == 2
    assert 0.2 < gate.value < gate.limit, "the source itself must not count, or every copy would score 0"


def test_without_consent_to_likeness_no_embedding_is_made(finished, astronaut, photo_consent):
    own = Own()
    face = find_faces(astronaut)[0]
    own.add("portrait", astronaut, face, photo_consent)
    assert own.embeddings == {}
    gate = report(finished.pixels, own, finished, photo_consent).gates[GateName.LIKENESS]
    assert (gate.value, gate.passed) == (None, None)
    assert "no consent" in gate.why
    assert report(finished.pixels, own, finished, photo_consent).passed
    with pytest.raises(ConsentRequired):
        embed(astronaut, face, photo_consent)


@pytest.mark.photos
def test_embeddings_tell_people_apart(examined, consent):
    names = [
        "barack/portrait.jpg",
        "barack/podium.jpg",
        "barack/speech.jpg",
        "joe/portrait.jpg",
        "joe/blue-room.jpg",
    ]
    vectors = {name: embed(examined(name).pixels, examined(name).face, consent) for name in names}
    for one in names:
        for other in names:
            same = one.split("/")[0] == other.split("/")[0]
            assert (distance(vectors[one], vectors[other]) < limits().same_person) is same


def test_a_tone_between_two_own_photos_is_no_drift():
    own = Own(tones=[SkinTone(40, 12, 16), SkinTone(70, 12, 16)])
    assert own.drift(SkinTone(55, 12, 16))[0] < 0.1
    assert own.drift(SkinTone(85, 12, 16))[0] > 5
    assert own.drift(SkinTone(55, 12, 26))[0] > 5


def test_typology_angle_orders_complexions():
    assert SkinTone(75, 10, 15).ita > 55
    assert SkinTone(30, 12, 15).ita < -30


def test_skin_tone_of_a_painted_face_is_the_paint(astronaut):
    face = find_faces(astronaut)[0]
    painted = np.full_like(astronaut, (198, 134, 102))
    tone = skin_tone(painted, face)
    assert (tone.lightness, tone.red, tone.yellow) == pytest.approx((61.6, 20.9, 26.6), abs=1.5)


def test_tighter_crop_is_measured_against_what_was_meant_and_noted(astronaut, own, consent):
    whole = sample()
    rows = round(float(whole.face.right_eye[1]) + 0.85 * whole.face.head_height)
    short = type(whole)(whole.foreground[:rows], whole.alpha[:rows], whole.face, 0.5)
    done = finish(short, STYLE, (512, 512))
    result = measure_result(done.pixels, "portrait", own, STYLE, done.framing, consent)
    assert result.gates[GateName.HEAD_HEIGHT].passed
    assert "crop_tighter" in result.notes


@pytest.mark.parametrize(
    "style",
    [
        STYLE.model_copy(update={"grade": Grade(saturation=0)}),
        STYLE.model_copy(update={"grade": Grade(warmth=1, contrast=0.4, saturation=1.4)}),
        STYLE.model_copy(update={"grade": Grade(warmth=-1, contrast=-0.3), "light": Light(exposure=-0.4)}),
        STYLE.model_copy(update={"light": Light(exposure=0.4)}),
    ],
)
def test_a_style_that_treats_everybody_alike_withholds_nobody(own, consent, style):
    done = finish(person(), style, (512, 512))
    result = measure_result(done.pixels, "portrait", own, style, done.framing, consent)
    assert result.failed == ()


def test_wall_is_not_measured_where_the_crop_leaves_none(own, consent, astronaut):
    near = astronaut[60:200, 165:290]
    pixels = cv2.resize(near, (448, 500), interpolation=cv2.INTER_CUBIC)
    assert backdrop_error(pixels, STYLE) is None


def test_team_figures_show_who_does_not_match(finished, own, consent):
    good = report(finished.pixels, own, finished, consent)
    same = team_figures({"ada": good, "grace": good})
    assert same.eye_line_sd_percent == 0
    other_style = StyleSpec(crop=Crop(eye_line=0.5, head_height=0.4), backdrop=STYLE.backdrop)
    other = finish(person(), other_style, (512, 512))
    odd = measure_result(other.pixels, "portrait", own, other_style, other.framing, consent)
    spread = team_figures({"ada": good, "grace": odd})
    assert spread.eye_line_sd_percent == pytest.approx(2.5, abs=0.4)
    assert spread.head_height_sd_percent == pytest.approx(10.5, abs=0.5)
    assert team_figures({}).people == 0
    assert spread.spreads["eye_line_fraction"].worst in ("ada", "grace")
    assert spread.spreads["head_height_fraction"].mean == pytest.approx(0.505, abs=0.015)
    pairs = [Pair("ada", finished.pixels, finished.pixels), Pair("grace", other.pixels, other.pixels)]
    sheet = alignment_sheet(pairs, spread, STYLE.crop)
    line = 64 + round(STYLE.crop.eye_line * 420)
    assert (
        (np.abs(sheet[line - 2 : line + 3, 70:920].astype(int) - (214, 64, 72)).max(axis=2) < 3)
        .any(axis=0)
        .all()
    )
