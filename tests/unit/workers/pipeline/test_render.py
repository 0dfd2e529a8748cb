from __future__ import annotations

import importlib
import io
import json
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from origins import read
from PIL import Image

from core.checks.advice import ADVICE, Issue
from core.checks.report import LOOK_ALIKE, GateName, GateReport
from core.consent import ConsentRequired, ValidConsent
from core.errors import InvalidInput
from core.style.outputs import Output, OutputFormat
from core.style.presets import PRESETS
from core.style.spec import Crop, ImageBackdrop, SolidBackdrop, StyleSpec, Variants
from deploy.bench.made import encoded
from deploy.bench.trouble import troubles
from workers.engines import Made, Portrait, Source
from workers.folder.batch import OutputFailed, WithheldReport, render_folder
from workers.folder.people import read_people
from workers.folder.sample import sample_people
from workers.folder.style_pictures import backdrop_file
from workers.pipeline.gates import at_least, at_most
from workers.pipeline.render import rank, render
from workers.pipeline.score import score
from workers.pipeline.suited import suited
from workers.pipeline.team import MOST, Pair, Spread, _row, alignment_sheet, contact_sheet, team_figures
from workers.pipeline.variants import MOST_SHOWN
from workers.studio.align import region
from workers.studio.backdrop import BackdropMissing
from workers.studio.finish import finish, master_size
from workers.vision.check import examine
from workers.vision.examination import Examination
from workers.vision.faces import find_faces
from workers.vision.likeness import embed
from workers.vision.matting import matte

SMALL = StyleSpec(
    backdrop=SolidBackdrop(color="#1f2d44"), outputs=(Output(name="square", width=384, height=384),)
)
# Of the podium's photo, which a file of 384 px withholds for a lump of its outline, there is a headshot at this size.
LARGER = SMALL.model_copy(update={"outputs": (Output(name="square", width=768, height=768),)})
BARACK = ["portrait.jpg", "letterboxed.jpg", "blue-room.jpg", "podium.jpg", "speech.jpg"]


@pytest.mark.photos
def test_best_distinct_photos_become_headshots_and_the_same_shot_counts_once(photo, consent):
    stages: list[tuple[float, str]] = []
    photos = [(name, photo(f"barack/{name}")) for name in BARACK]
    style = SMALL.model_copy(update={"outputs": (Output(name="square", width=1024, height=1024),)})
    result = render(photos, style, consent, lambda fraction, stage: stages.append((fraction, stage)))
    sources = [shot.source for shot in result.headshots]
    assert sources == ["portrait.jpg", "podium.jpg"], "two files of one shot count once, the original first"
    assert [shot.score for shot in result.headshots] == sorted(
        (s.score for s in result.headshots), reverse=True
    )
    # A rim of the bright window stays around the one head, of the flag behind it beside the other's jaw; no
    # photographer would deliver them.
    withheld = {item.source: item.report.failed for item in result.withheld}
    assert all(GateName.EDGE in failed for failed in withheld.values())
    assert set(withheld) == {"blue-room.jpg", "speech.jpg"}
    assert list(result.verdicts) == BARACK
    # 106 px between the eyes carry no headshot of 1,024 px, in which they would be 170 px apart.
    assert [shot.pixels.shape[0] for shot in result.headshots] == [pytest.approx(752, abs=25), 1024]
    for shot in result.headshots:
        assert shot.report.master == (shot.pixels.shape[1], shot.pixels.shape[0])
        assert shot.report.passed
        assert shot.report.gates[GateName.LIKENESS].passed
    fractions = [fraction for fraction, _ in stages]
    assert fractions == sorted(fractions)
    assert len(set(stages)) == len(stages), "a withheld candidate costs progress no second line"
    assert stages[-1] == (1.0, "done")
    assert {stage for _, stage in stages} == {"check", "portrait", "finish", "measure", "done"}


@pytest.mark.photos
def test_a_photo_whose_headshot_was_not_liked_is_passed_over_and_still_compared_with(photo, consent):
    photos = [(name, photo(f"barack/{name}")) for name in ("portrait.jpg", "podium.jpg")]
    result = render(photos, LARGER, consent, passed_over={"portrait.jpg"})
    [shot] = result.headshots
    assert shot.source == "podium.jpg"
    assert shot.report.gates[GateName.LIKENESS].others == 1
    assert list(result.verdicts) == ["portrait.jpg", "podium.jpg"]


@pytest.mark.photos
def test_variants_that_the_company_allows_are_made_of_the_best_cut_and_pass_their_own_gates(
    photo, consent, monkeypatch
):
    module, cuts = importlib.import_module("workers.pipeline.render"), []

    def counted(*args, **options):
        cuts.append(args)
        return matte(*args, **options)

    monkeypatch.setattr(module, "matte", counted)
    photos = [(name, photo(f"barack/{name}")) for name in ("portrait.jpg", "podium.jpg")]
    style = LARGER.model_copy(update={"variants": Variants(closer=0.15, colors=("#b9c4d0",))})
    shots = render(photos, style, consent).headshots
    assert len(cuts) == 2, "the cut is dear, and is made once for each photo"
    assert [shot.source for shot in shots] == ["portrait.jpg", "podium.jpg", "portrait.jpg", "portrait.jpg"]
    best, _other, closer, colored = shots
    assert all(shot.report.passed for shot in shots)
    assert closer.report.notes[0] == "variant_closer"
    assert colored.report.notes[0] == "variant_backdrop"
    heads = [shot.report.figures["head_height_fraction"] for shot in (best, closer, colored)]
    assert heads[1] / heads[0] == pytest.approx(1.15, abs=0.03)
    assert heads[2] == pytest.approx(heads[0], abs=0.01)
    corners = [np.median(shot.pixels[4:20, 4:20], axis=(0, 1)) for shot in (best, closer, colored)]
    assert corners[0] == pytest.approx([0x1F, 0x2D, 0x44], abs=2)
    assert corners[1] == pytest.approx([0x1F, 0x2D, 0x44], abs=2)
    assert corners[2] == pytest.approx([0xB9, 0xC4, 0xD0], abs=2)


@pytest.mark.photos
def test_a_photo_that_ends_early_gets_no_closer_crop_and_one_photo_at_most_four_pictures(photo, consent):
    style = SMALL.model_copy(update={"variants": Variants(closer=0.25, colors=("#b9c4d0", "#e6e8ea"))})
    shots = render([("portrait.jpg", photo("barack/portrait.jpg"))], style, consent).headshots
    assert len(shots) <= MOST_SHOWN
    tight = SMALL.model_copy(update={"crop": Crop(head_height=0.75), "variants": Variants(closer=0.25)})
    notes = [
        shot.report.notes for shot in render([("a", photo("barack/podium.jpg"))], tight, consent).headshots
    ]
    assert len(notes) <= 1, "what would look the same is not offered"


def test_of_a_persons_photos_one_that_cuts_cleanly_goes_first():
    assert rank(0.80, 0.0, 0.1) > rank(0.95, 0.0, 0.5)
    assert rank(0.95, 0.0, 0.1) > rank(0.80, 0.0, 0.1)


@pytest.mark.photos
def test_a_photo_with_others_in_the_cut_is_never_shown_and_the_next_one_is_tried(photo, photo_consent):
    people = {name: [(name, photo(f"{name}/portrait.jpg"))] for name in ("barack", "joe")}
    crowd = next(one for one in troubles(people) if (one.hair, one.place) == ("barack", "crowd"))
    photos = [
        ("crowd.png", encoded(crowd.photo, "PNG")),
        ("portrait.jpg", photo("barack/portrait.jpg")),
    ]
    (x, y), (height, width) = crowd.face.landmarks[:, :2].mean(axis=0), crowd.alpha.shape
    result = render(photos, SMALL, photo_consent, subjects={"crowd.png": (x / width, y / height)})
    assert [shot.source for shot in result.headshots] == ["portrait.jpg"]
    [held] = result.withheld
    assert GateName.CUT in held.report.failed
    # As good as new, or better than the portrait, the check may find it: only the cut tells.
    assert result.verdicts["crowd.png"].accepted


@pytest.mark.photos
def test_bad_files_never_cost_the_good_ones(photo, consent):
    photos = [
        ("cat.jpg", photo("negatives/cat.jpg")),
        ("text.jpg", b"not a photo at all " * 20),
        ("empty.jpg", b""),
        ("cut.jpg", photo("joe/portrait.jpg")[:90_000]),
        ("good.jpg", photo("joe/portrait.jpg")),
    ]
    result = render(photos, SMALL, consent)
    assert [shot.source for shot in result.headshots] == ["good.jpg"]
    assert {key: verdict.accepted for key, verdict in result.verdicts.items()} == {
        "cat.jpg": False,
        "text.jpg": False,
        "empty.jpg": False,
        "cut.jpg": False,
        "good.jpg": True,
    }


@pytest.mark.photos
def test_second_person_in_the_background_is_not_in_the_headshot(photo, consent):
    seen = examine(photo("barack/speech.jpg"), consent)
    cutout = matte(seen.pixels, seen.face, list(seen.others), region(seen.face, SMALL.crop, SMALL.room))
    pixels = finish(cutout, SMALL, master_size(SMALL)).pixels
    assert len(find_faces(pixels)) == 1
    # In the photo a dark shoulder and a head of hair stand left and right of the neck.
    # The photo's grain lies over the wall, so single pixels may be a few steps off.
    assert np.abs(pixels[:120, :40].astype(int) - (0x1F, 0x2D, 0x44)).max() <= 6


def test_photo_too_tight_for_an_honest_crop_is_withheld_with_the_reason(astronaut, consent):
    face = astronaut[60:205, 150:300]
    buffer = io.BytesIO()
    Image.fromarray(face).resize((600, 580), Image.Resampling.BICUBIC).save(buffer, "PNG")
    result = render([("tight.png", buffer.getvalue())], SMALL, consent)
    assert result.headshots == ()
    if result.verdicts["tight.png"].accepted:
        assert [item.reason for item in result.withheld] == ["cropped_too_tightly"]


def test_the_report_says_what_a_withheld_candidate_measured_and_what_it_may():
    gate = at_most(13.21, "ΔE × % of head²", 9.0, "clean edges have up to 7")
    fine = at_most(0.2, "degrees", 1.5, "1° asked of a team")
    soft = at_least(0.1, "ratio", 0.15, "sharp portraits have 0.37")
    gates = {GateName.EDGE: gate, GateName.ROLL: fine, GateName.SHARPNESS: soft}
    held = WithheldReport.of("gates", GateReport(passed=False, gates=gates, figures={}))
    assert held.model_dump(mode="json") == {
        "reason": "gates",
        "gates": {"edge": gate.model_dump(), "sharpness": soft.model_dump()},
    }
    assert held.explanation == (
        "edge is 13.2 ΔE × % of head², must be at most 9 (clean edges have up to 7); "
        "sharpness is 0.1 ratio, must be at least 0.15 (sharp portraits have 0.37)"
    )
    assert WithheldReport.of("cropped_too_tightly", None).explanation.startswith("the photo ends too close")


def test_nothing_happens_without_consent():
    with pytest.raises(ConsentRequired):
        render([("a", b"")], SMALL, ValidConsent(None, frozenset()))


def test_image_backdrop_without_its_picture_stops_before_a_headshot(consent):
    style = SMALL.model_copy(update={"backdrop": ImageBackdrop(image="gone.jpg")})
    with pytest.raises(BackdropMissing):
        render(sample_people()["eileen"][:1], style, consent)


def test_folder_becomes_headshots_a_team_sheet_and_a_report(tmp_path, consent, signer):
    photos, out = tmp_path / "photos", tmp_path / "out"
    (photos / "eileen").mkdir(parents=True)
    for name, content in sample_people()["eileen"][:2]:
        (photos / "eileen" / name).write_bytes(content)
    (photos / "nobody").mkdir()
    (photos / "nobody" / "note.jpg").write_bytes(b"there is no photo in here " * 10)
    style = SMALL.model_copy(
        update={
            "outputs": (*SMALL.outputs, Output(name="web", width=96, height=96, format=OutputFormat.WEBP))
        }
    )
    seen: set[str] = set()
    render_folder(photos, style, out, consent, signer, lambda person, _fraction, _stage: seen.add(person))
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    eileen, nobody = report["people"]
    assert eileen["person"] == "eileen"
    assert eileen["source"] == "portrait.jpg"
    assert [item["file"] for item in eileen["photos"]] == ["dark.jpg", "portrait.jpg"]
    assert eileen["gates"]["roll"]["passed"] is True
    assert eileen["seconds"] > 0
    assert nobody["source"] is None
    assert nobody["photos"][0]["issues"][0]["code"] == Issue.NOT_A_PHOTO
    assert report["team"]["people"] == 1
    with Image.open(out / "eileen" / "headshot.jpg") as image:
        # The photo's 43 px between the eyes carry no 384 px.
        assert [*image.size] == eileen["master"]
        assert 280 < image.width == image.height < 330
        assert not image.getexif()
    for file, media_type in (("headshot.jpg", "image/jpeg"), ("web.webp", "image/webp")):
        found = read((out / "eileen" / file).read_bytes(), media_type)
        assert found is not None
        assert found.state == "Valid"
        assert "eileen" not in found.whole
    with Image.open(out / "eileen" / "web.webp") as image:
        assert image.size == (96, 96)
    with Image.open(out / "team.jpg") as image:
        assert min(image.size) > 400
    assert not (out / "nobody").exists()
    assert seen == {"eileen", "nobody"}


def test_one_bad_file_or_folder_never_loses_the_others(tmp_path, consent, signer):
    photos, out = tmp_path / "photos", tmp_path / "photos" / "out"
    bad, good = photos / "bad", photos / "ü mit Leer 🙂"
    for folder in (bad, good, photos / "nobody", photos / ".hidden", bad / "folder.jpg"):
        folder.mkdir(parents=True)
    (bad / "loop.jpg").symlink_to("loop.jpg")
    (bad / "empty.jpg").touch()
    Image.new("RGB", (10_000, 1)).save(good / "line.jpg")
    (photos / "loop").symlink_to("loop")
    [(name, content)] = sample_people()["eileen"][:1]
    (good / name).write_bytes(content)
    for _again in range(2):  # the second time results lie among the photos
        found = render_folder(photos, SMALL, out, consent, signer).people
        assert [(one.person, one.source) for one in found] == [
            ("bad", None),
            ("nobody", None),
            (good.name, name),
        ]
        issues = {photo.file: photo.issues[0] for photo in found[0].photos}
        assert [issues[file].code for file in ("empty.jpg", "loop.jpg")] == [
            Issue.EMPTY_FILE,
            Issue.UNREADABLE,
        ]
        assert "symbolic links" in issues["loop.jpg"].said
        assert found[1].reasons == ("There is no photo in the folder.",)
        assert found[2].sharp_up_to_px == 256
        assert {one.file: one.accepted for one in found[2].photos} == {name: True, "line.jpg": False}
    assert not [path for path in out.rglob("*") if path.name.endswith(".part")]


def test_a_photo_on_which_this_software_fails_costs_nobody_the_good_one(consent, monkeypatch):
    """Whichever step it fails in: looking, taking the full size, cutting out."""
    people = sample_people()["eileen"]
    best = render(people, SMALL, consent).headshots[0].source
    others = [key for key, _ in people if key != best]

    def fails_on_best(step, of):
        calls = []

        def failing(*given, **named):
            calls.append(1)
            return [][0] if len(calls) == of else step(*given, **named)

        return failing

    order = [key for key, _ in people].index(best) + 1
    for place, of in (
        ("workers.vision.check.measured", order),
        ("workers.engines.at_head_height", 1),
        ("workers.pipeline.render.matte", 1),
    ):
        module, name = place.rsplit(".", 1)
        with monkeypatch.context() as patch:
            step = getattr(importlib.import_module(module), name)
            patch.setattr(place, fails_on_best(step, of))
            result = render(people, SMALL, consent)
        assert {shot.source for shot in result.headshots} <= set(others), place
        assert result.headshots, place
        checked = place.startswith("workers.vision")
        assert (Issue.CHECK_FAILED in {one.code for one in result.verdicts[best].issues}) == checked
        assert (best in {one.source for one in result.withheld if one.reason == "fault"}) != checked


def test_what_cannot_be_read_is_told_and_nobody_without_a_photo_is_listed(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "bob").mkdir()
    (tmp_path / "ada" / "x.jpg").write_bytes(b"x")
    (tmp_path / "bob" / "loop.jpg").symlink_to("loop.jpg")
    told: list[str] = []
    (tmp_path / "earlier").mkdir()
    for name in ("team.jpg", "report.json"):
        (tmp_path / "earlier" / name).write_bytes(b"x")
    assert read_people(tmp_path, tell=told.append) == {"ada": [("x.jpg", b"x")]}
    [line] = told
    assert line.startswith("bob/loop.jpg: This file cannot be read.")


def test_a_fault_on_one_persons_photos_does_not_cost_the_others_theirs(tmp_path, consent, signer):
    for person in ("ada", "bob"):
        (tmp_path / "in" / person).mkdir(parents=True)
        (tmp_path / "in" / person / "portrait.jpg").write_bytes(sample_people()["eileen"][0][1])

    def tell(person: str, _fraction: float, stage: str) -> None:
        if (person, stage) == ("ada", "check"):
            raise ZeroDivisionError

    ada, bob = render_folder(tmp_path / "in", SMALL, tmp_path / "out", consent, signer, tell).people
    assert ada.source is None
    assert "ZeroDivisionError in test_render.py" in ada.reasons[0]
    assert bob.source == "portrait.jpg"
    assert (tmp_path / "out" / "team.jpg").exists()
    assert not (tmp_path / "out" / "ada").exists()


def test_a_sheet_says_how_many_of_the_team_it_shows():
    pair = Pair.of("ada", *(np.zeros((1024, 1024, 3), np.uint8),) * 2)
    assert pair.before.nbytes + pair.after.nbytes < 700_000
    everyone = contact_sheet([pair] * MOST, "Team", people=MOST)
    first = contact_sheet([pair] * MOST, "Team", people=4000)
    assert everyone.shape == first.shape
    assert everyone.shape[0] < 65_535  # what a JPEG can hold
    assert (everyone != first).any()


def test_a_sheet_shows_the_whole_headshot_and_the_whole_photo_beside_it():
    red, blue = (np.full((1024, 1024, 3), colour, np.uint8) for colour in ((200, 0, 0), (0, 0, 200)))
    sheet = contact_sheet([Pair.of("ada", blue, red)], "Team").astype(int)
    headshot, before = (sheet[..., one] - sheet[..., 2 - one] > 100 for one in (0, 2))
    assert headshot.sum() > 0.99 * 420**2
    assert before.sum() > 0.99 * 200**2
    assert np.flatnonzero(before.any(axis=0)).max() < np.flatnonzero(headshot.any(axis=0)).min()


def test_of_two_photos_the_one_whose_eyes_meet_the_camera_goes_first(examined):
    at_camera, past_it = (examined(f"barack/{name}.jpg").face for name in ("portrait", "speech"))
    assert abs(at_camera.gaze) < 6
    assert abs(past_it.gaze) > 25
    style = PRESETS["warm-office"]
    assert suited(at_camera, style) == 1.0 > suited(past_it, style) + 0.15
    smiling, neutral = examined("joe/portrait.jpg").face, examined("joe/blue-room.jpg").face
    assert suited(smiling, style) > suited(neutral, style)
    assert suited(smiling, PRESETS["charcoal"]) < suited(neutral, PRESETS["charcoal"])


def test_figures_on_the_alignment_sheet_are_rounded_and_have_their_unit():
    tilt = Spread(mean=-0.0333, sd=0.12679, worst="joe", worst_value=-0.27)
    assert _row(tilt, "Tilt", 1, "{:z.1f}°") == ("Tilt", "0.0°", "0.1°", "-0.3°, joe")
    head = Spread(mean=0.62251, sd=0.0028, worst="a" * 99, worst_value=0.6185)
    assert _row(head, "Head", 100, "{:z.1f} %") == ("Head", "62.3 %", "0.3 %", f"61.9 %, {'a' * 33}…")


def test_headshots_stand_apart_on_the_alignment_sheet():
    pairs = [Pair(name, *(np.zeros((64, 64, 3), np.uint8),) * 2) for name in ("ada", "Bjørn Ünal")]
    sheet = alignment_sheet(pairs, team_figures({}), StyleSpec().crop)
    dark = np.flatnonzero(sheet[100].max(axis=1) < 30)  # a row above the crown's line
    gap = np.diff(dark).max()
    assert 20 < gap < 40


def test_results_that_cannot_be_written_are_said_before_the_work_begins(tmp_path, consent, signer):
    (tmp_path / "photos" / "ada").mkdir(parents=True)
    (tmp_path / "photos" / "ada" / "x.jpg").touch()
    (tmp_path / "file").touch()
    begun: list[str] = []
    with pytest.raises(OutputFailed, match="file/out cannot be written: Not a directory"):
        render_folder(
            tmp_path / "photos",
            SMALL,
            tmp_path / "file" / "out",
            consent,
            signer,
            lambda *told: begun.append(told[0]),
        )
    assert begun == []


def test_a_result_is_written_whole_or_not_at_all(tmp_path, consent, signer):
    (tmp_path / "photos" / "eileen").mkdir(parents=True)
    name, content = sample_people()["eileen"][0]
    (tmp_path / "photos" / "eileen" / name).write_bytes(content)
    (tmp_path / "out" / "eileen" / "headshot.jpg").mkdir(parents=True)  # in the way
    with pytest.raises(OutputFailed, match=r"headshot\.jpg cannot be written: Is a directory"):
        render_folder(tmp_path / "photos", SMALL, tmp_path / "out", consent, signer)
    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["eileen", "headshot.jpg"]


@pytest.mark.photos
def test_the_person_named_in_a_folder_photo_of_several_is_taken(
    photo, examined, photo_consent, tmp_path, signer
):
    faces = examined("negatives/two-people.jpg").verdict.from_left
    assert faces[0].left < faces[1].left
    (tmp_path / "photos" / "bob").mkdir(parents=True)
    (tmp_path / "photos" / "bob" / "group.jpg").write_bytes(photo("negatives/two-people.jpg"))
    [asked] = render_folder(tmp_path / "photos", SMALL, tmp_path / "out", photo_consent, signer).people
    assert asked.reasons == (f"group.jpg: {ADVICE[Issue.SEVERAL_PEOPLE].text}",)
    places = {"bob": {"group.jpg": faces[0].centre}}
    [named] = render_folder(
        tmp_path / "photos", SMALL, tmp_path / "out", photo_consent, signer, subjects=places
    ).people
    assert named.photos[0].accepted
    assert named.source == "group.jpg" or list(named.withheld) == ["group.jpg"]


def test_empty_folder_says_what_to_do(tmp_path):
    with pytest.raises(InvalidInput, match="subfolder"):
        read_people(tmp_path)
    with pytest.raises(InvalidInput, match="subfolder"):
        read_people(tmp_path / "missing")


def test_backdrop_outside_the_style_folder_is_not_read(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"")
    style = SMALL.model_copy(update={"backdrop": ImageBackdrop(image="../secret.png")})
    (tmp_path / "styles").mkdir()
    with pytest.raises(BackdropMissing):
        backdrop_file(style, tmp_path / "styles")


@pytest.mark.photos
def test_score_measures_likeness_and_drift(photo, consent):
    references = [(name, photo(f"barack/{name}")) for name in ("portrait.jpg", "podium.jpg")]
    images = [
        ("own", photo("barack/speech.jpg")),
        ("other", photo("joe/portrait.jpg")),
        ("cup", photo("negatives/no-face.jpg")),
    ]
    own, other, cup = score(references, images, consent)
    likeness = {one.image: one.gates[GateName.LIKENESS] for one in (own, other)}
    assert likeness["own"].passed is True
    assert likeness["other"].passed is False
    assert (cup.faces, cup.passed, cup.gates.keys()) == (0, False, {GateName.ONE_FACE})
    assert likeness["own"].value < likeness["other"].value
    assert own.likeness_to.keys() == {"portrait.jpg", "podium.jpg"}
    assert likeness["own"].value == pytest.approx(sum(own.likeness_to.values()) / 2, abs=1e-3)
    assert 0.2 < own.likeness_baseline < 0.5
    assert GateName.BACKDROP not in own.gates  # no style was given, so none can be missed
    assert own.figures["roll_degrees"] == pytest.approx(own.gates[GateName.ROLL].value, abs=0.01)
    with pytest.raises(InvalidInput):
        score([("cup", photo("negatives/no-face.jpg"))], images, consent)


@pytest.mark.photos
def test_score_holds_a_headshot_against_its_style(photo, consent):
    references = [("portrait.jpg", photo("joe/portrait.jpg"))]
    made = render(references, SMALL, consent).headshots[0]
    picture = io.BytesIO()
    Image.fromarray(made.pixels).save(picture, "PNG")
    own, other = (
        score(references, [("made", picture.getvalue())], consent, style)[0]
        for style in (SMALL, PRESETS["charcoal"])
    )
    assert own.gates.keys() == made.report.gates.keys()
    assert own.gates[GateName.BACKDROP].value == pytest.approx(
        made.report.gates[GateName.BACKDROP].value, abs=0.2
    )
    assert own.passed
    assert own.gates[GateName.RESOLUTION].passed is None  # a picture does not tell what it was enlarged from
    assert other.gates[GateName.BACKDROP].passed is False


@pytest.mark.photos
@pytest.mark.parametrize("preset", ["high-key", "charcoal"])
def test_a_cutout_with_an_old_backgrounds_colours_at_its_edge_is_withheld(
    photo, examined, photo_consent, preset
):
    left = min(examined("negatives/two-people.jpg").verdict.faces, key=lambda box: box.left)
    subjects = {"group.jpg": (left.left + left.width / 2, left.top + left.height / 2)}
    for name, content in (
        ("group.jpg", photo("negatives/two-people.jpg")),
        ("speech.jpg", photo("barack/speech.jpg")),
    ):
        result = render([(name, content)], PRESETS[preset], photo_consent, subjects=subjects)
        assert [GateName.EDGE in item.report.failed for item in result.withheld] == [True]


@pytest.mark.photos
@pytest.mark.slow
@pytest.mark.parametrize("preset", PRESETS)
def test_clean_cutouts_pass_before_every_presets_wall(photo, photo_consent, preset):
    for name in ("barack/portrait.jpg", "joe/portrait.jpg", "eileen/portrait.png"):
        [shot] = render([(name, photo(name))], PRESETS[preset], photo_consent).headshots
        assert shot.report.gates[GateName.EDGE].value < 8, name


@pytest.mark.photos
def test_person_in_a_group_is_found_by_likeness_or_named_and_never_guessed(
    photo, consent, photo_consent, examined
):
    own = [(name, photo(f"joe/{name}")) for name in ("portrait.jpg", "blue-room.jpg")]
    group = ("group.jpg", photo("negatives/two-people.jpg"))
    alike = render([*own, group], SMALL, consent).verdicts["group.jpg"]
    assert alike.accepted
    assert alike.asks is None
    unasked = render([*own, group], SMALL, photo_consent).verdicts["group.jpg"]
    assert (unasked.accepted, unasked.asks) == (False, "which_face")
    alone = render([group], SMALL, consent)
    assert alone.headshots == ()
    assert alone.verdicts["group.jpg"].asks == "which_face"
    for box in examined("negatives/two-people.jpg").verdict.faces:
        subjects = {"group.jpg": (box.left + box.width / 2, box.top + box.height / 2)}
        named = render([group], SMALL, photo_consent, subjects=subjects)
        assert named.verdicts["group.jpg"].accepted
        assert len(named.headshots) + len(named.withheld) == 1
        assert all(len(find_faces(shot.pixels)) == 1 for shot in named.headshots)


@pytest.mark.photos
def test_somebody_else_in_a_group_is_not_taken_for_the_person(photo, consent):
    photos = [
        ("portrait.png", photo("eileen/portrait.png")),
        ("group.jpg", photo("negatives/two-people.jpg")),
    ]
    result = render(photos, SMALL, consent)
    assert result.verdicts["group.jpg"].asks == "which_face"
    assert {shot.source for shot in result.headshots} <= {"portrait.png"}


class Painter:
    """An engine whose face is a further real photo of the person: as good as a model could get."""

    name = "diffusion"
    tries = 1
    makes_faces = True

    def __init__(self, seen: Examination, held_out: tuple[str, ...]) -> None:
        self._seen, self._made = seen, Made(seed=1, held_out=held_out, score=0.5)

    def portraits(
        self, sources: Sequence[Source], _style: StyleSpec, _consent: ValidConsent
    ) -> Iterator[Portrait]:
        assert self._seen.pixels is not None
        yield Portrait(sources[0].key, self._seen.pixels, self._seen.face, (), self._made)


@pytest.mark.photos
@pytest.mark.slow
def test_a_made_face_of_somebody_with_a_look_alike_in_the_company_says_so(photo, examined, consent):
    own = ("blue-room", "portrait", "speech")
    painter = Painter(examined("barack/podium.jpg"), ("blue-room",))
    photos = [(name, photo(f"barack/{name}.jpg")) for name in own]
    twin, other = (
        [embed(seen.pixels, seen.face, consent, by_all=True)]
        for seen in (examined("barack/letterboxed.jpg"), examined("joe/portrait.jpg"))
    )
    for colleagues, said in (([other], False), ([other, twin], True)):
        result = render(photos, LARGER, consent, engine=painter, colleagues=colleagues)
        (made,) = (*result.headshots, *result.withheld)
        assert made.report is not None
        assert GateName.HELD_OUT in made.report.gates, made.report.failed
        assert (LOOK_ALIKE in made.report.notes) is said
        assert made.report.gates[GateName.NEAREST].passed is (None if said else True)
    assert LOOK_ALIKE not in made.report.uncompared().notes
