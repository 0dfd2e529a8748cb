"""Commands at the terminal: what they print and how they end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import numpy as np
import psutil
import pytest
from click.testing import CliRunner
from PIL import Image
from portraits import photo_path

from compliance import evidence
from compliance.log import sequencer
from compliance.origin.credentials import sign
from compliance.origin.making import Making
from compliance.origin.signer import make, signer
from compliance.signing import SigningKeys, log_origin
from core.db import transaction
from core.portraits import avatars
from deploy.cli import main
from workers.folder.sample import sample_people
from workers.vision.faces import find_faces
from workers.vision.geometry import Face


def checkpoint_file(org: UUID, folder: Path) -> Path:
    with transaction(org) as session:
        signed = sequencer.sequence(session)
        assert signed is not None
    path = folder / "checkpoint.txt"
    path.write_text(signed.note)
    return path


def test_verify_accepts_evidence_with_the_published_keys(org: UUID, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(evidence.published_keys(org)))
    result = CliRunner().invoke(
        main, ["verify", str(checkpoint_file(org, tmp_path)), "--keys", str(keys), "--json"]
    )
    assert result.exit_code == 0
    assert json.loads(result.stdout)["ok"] is True


def test_verify_rejects_evidence_of_other_keys(org: UUID, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    stranger = SigningKeys.make(tmp_path / "stranger").published_keys([log_origin("localhost", org)])
    keys.write_text(json.dumps(stranger))
    result = CliRunner().invoke(main, ["verify", str(checkpoint_file(org, tmp_path)), "--keys", str(keys)])
    assert result.exit_code == 1
    assert "REJECTED" in result.stdout


def test_verify_without_keys_asks_for_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "certificate.pdf"
    file.write_bytes(b"%PDF-1.7")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["verify", str(file)])
    assert result.exit_code == 2
    assert "--keys" in result.stderr


def test_verify_says_where_a_picture_comes_from(org: UUID, tmp_path: Path) -> None:
    picture = tmp_path / "ada.png"
    plain = avatars.render("AL", ground="#223344", ink="#ffffff", size=avatars.SIZES[0])
    picture.write_bytes(sign(plain, "image/png", Making.of_initials(), signer()))
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(evidence.published_keys(org)))
    result = CliRunner().invoke(main, ["verify", str(picture), "--keys", str(keys), "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert (said["kind"], said["status"]) == ("picture", "algorithmicMedia")
    (tmp_path / "plain.png").write_bytes(plain)
    result = CliRunner().invoke(main, ["verify", str(tmp_path / "plain.png"), "--keys", str(keys)])
    assert result.exit_code == 1
    assert "nothing says where it comes from" in result.stdout


def test_a_picture_of_this_machine_needs_no_keys_and_one_of_another_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = avatars.render("AL", ground="#223344", ink="#ffffff", size=avatars.SIZES[0])
    for name, folder in (("here", tmp_path / ".headshots" / "signing"), ("there", tmp_path / "there")):
        made = sign(plain, "image/png", Making.of_initials(), make(folder))
        (tmp_path / f"{name}.png").write_bytes(made)
    assert CliRunner().invoke(main, ["verify", "here.png"]).exit_code == 0
    other = CliRunner().invoke(main, ["verify", "there.png"])
    assert other.exit_code == 1
    assert "do not name" in other.stdout


def test_check_says_what_is_wrong_and_goes_on(tmp_path: Path) -> None:
    text, empty = tmp_path / "text.jpg", tmp_path / "empty.jpg"
    text.write_text("this is not a photo, whatever its name says " * 9)
    empty.write_bytes(bytes(40))
    result = CliRunner().invoke(main, ["check", str(text), str(empty), "--json"])
    assert result.exit_code == 1
    *verdicts, ranking = [json.loads(line) for line in result.stdout.splitlines()]
    assert [verdict["accepted"] for verdict in verdicts] == [False, False]
    assert all(verdict["issues"] for verdict in verdicts)
    assert ranking == {"best": []}


@pytest.mark.photos
def test_no_file_ends_a_check_of_several(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line, fails = tmp_path / "line.jpg", tmp_path / "fails.png"
    Image.new("RGB", (10_000, 1)).save(line)
    Image.new("RGB", (321, 123)).save(fails)
    good = photo_path("joe/portrait.jpg")

    def find_or_fail(pixels: np.ndarray) -> list[Face]:
        return [][0] if pixels.shape[0] == 123 else find_faces(pixels)

    monkeypatch.setattr("workers.vision.check.find_faces", find_or_fail)
    result = CliRunner().invoke(main, ["check", str(line), str(fails), str(good), "--json"])
    assert result.exit_code == 1
    *verdicts, ranking = [json.loads(line) for line in result.stdout.splitlines()]
    codes = [[issue["code"] for issue in verdict["issues"]] for verdict in verdicts]
    assert codes[:2] == [["too_few_pixels"], ["check_failed"]]
    assert [one["file"] for one in ranking["best"]] == [str(good)]
    assert "IndexError in test_photos.py" in CliRunner().invoke(main, ["check", str(fails)]).stdout


@pytest.mark.photos
def test_check_of_several_photos_asks_who_is_meant_and_ends_with_the_best() -> None:
    names = ("portrait", "letterboxed", "podium", "speech")
    barack = [str(photo_path(f"barack/{name}.jpg")) for name in names]
    joe, group = str(photo_path("joe/portrait.jpg")), str(photo_path("negatives/two-people.jpg"))
    result = CliRunner().invoke(main, ["check", *barack, joe, group, "--json"])
    assert result.exit_code == 1, "the group still asks"
    *lines, ranking = [json.loads(line) for line in result.stdout.splitlines()]
    found = {line["file"]: {issue["code"] for issue in line["issues"]} for line in lines}
    assert "near_duplicate" in found[barack[1]]
    assert "may_be_someone_else" in found[joe]
    assert lines[-1]["asks"] == "which_face"
    best = [one["file"] for one in ranking["best"]]
    assert best[0] == barack[0]
    assert sorted(best) == sorted([barack[0], barack[2], barack[3]])
    assert all(one["reasons"] for one in ranking["best"])
    said = CliRunner().invoke(main, ["check", *barack, group]).stdout
    assert f"? {group}" in said
    assert f"[near_duplicate of {barack[0]}]" in said, "the other file is named"
    assert f"1. {barack[0]}: you look at the camera" in said


def test_a_wrong_style_names_the_field(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "x.jpg").write_bytes(b"x" * 600)
    style = tmp_path / "style.toml"
    style.write_text("[crop]\neye_line = 9\n")
    result = CliRunner().invoke(
        main, ["render", "--photos", str(tmp_path), "--style", str(style), "--out", str(tmp_path / "out")]
    )
    assert result.exit_code == 1
    assert "style.toml line 2, crop.eye_line: must be at most 0.6" in result.stderr


def test_a_preset_is_printed_as_a_style_file_that_passes_the_check(tmp_path: Path) -> None:
    names = CliRunner().invoke(main, ["style", "show"]).stdout.split()
    assert "warm-office" in names
    for name in names:
        style = tmp_path / f"{name}.toml"
        style.write_text(CliRunner().invoke(main, ["style", "show", name]).stdout)
        checked = CliRunner().invoke(main, ["style", "check", str(style), "--json"])
        assert checked.exit_code == 0
        assert json.loads(checked.stdout)["ok"] is True
    assert CliRunner().invoke(main, ["style", "show", "nobody"]).exit_code == 2


def test_a_style_file_is_checked_with_all_its_mistakes_and_the_files_it_names(tmp_path: Path) -> None:
    style = tmp_path / "style.toml"
    style.write_text('nme = "x"\n[crop]\neye_line = 9\n')
    result = CliRunner().invoke(main, ["style", "check", str(style)])
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "✗ style.toml line 1, nme: is not a field of the style; did you mean name?",
        "✗ style.toml line 3, crop.eye_line: must be at most 0.6",
    ]
    style.write_text('[logo]\nimage = "logo.png"\n')
    result = CliRunner().invoke(main, ["style", "check", str(style)])
    assert result.exit_code == 1
    assert (
        result.stdout == "✗ style.toml line 2, logo.image: The logo logo.png is not beside the style file.\n"
    )
    style.write_text('[backdrop]\nkind = "image"\nimage = "wall.jpg"\n[logo]\n')
    (tmp_path / "wall.jpg").write_text("no picture " * 20)
    lines = CliRunner().invoke(main, ["style", "check", str(style)]).stdout.splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "✗ style.toml line 3, backdrop.image",
        "✗ style.toml line 4, logo.image",
    ]


def test_an_empty_style_file_means_every_default_and_says_so(tmp_path: Path) -> None:
    style = tmp_path / "style.toml"
    style.write_text("# nothing yet\n")
    result = CliRunner().invoke(main, ["style", "check", str(style)])
    assert result.exit_code == 0
    assert result.stderr == f"{style} sets nothing: every default applies.\n"


def test_a_style_is_a_file_or_a_presets_name_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "x.jpg").touch()
    out = tmp_path / "out"
    arguments = ["render", "--photos", str(tmp_path), "--out", str(out), "--style"]
    result = CliRunner().invoke(main, [*arguments, "slate"])
    assert result.exit_code == 1
    assert "x.jpg: This file is empty" in result.stdout
    result = CliRunner().invoke(main, [*arguments, "slaet"])
    assert result.exit_code == 2
    assert "There is no file slaet, and the presets are slate, warm-office" in result.stderr


def test_render_refuses_to_write_among_the_photos_and_says_which_files_are_nobodys(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "x.jpg").touch()
    (tmp_path / "readme.txt").touch()
    result = CliRunner().invoke(main, ["render", "--photos", str(tmp_path), "--out", f"{tmp_path}/ada/.."])
    assert result.exit_code == 2
    assert "among the photos" in result.stderr
    result = CliRunner().invoke(main, ["render", "--photos", str(tmp_path), "--out", f"{tmp_path}/out"])
    assert f"Left out, because they lie in no person's subfolder of {tmp_path}: readme.txt" in result.stderr
    lines = result.stderr.splitlines()
    assert len(set(lines)) == len(lines)


def test_ctrl_c_while_rendering_ends_in_a_line_and_leaves_finished_files_only(tmp_path: Path) -> None:
    for person in ("ada", "bob"):
        (tmp_path / "photos" / person).mkdir(parents=True)
        (tmp_path / "photos" / person / "portrait.jpg").write_bytes(sample_people()["eileen"][0][1])
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-m",
        "deploy.cli",
        "render",
        "--photos",
        str(tmp_path / "photos"),
        "--out",
        str(out),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if line.startswith("bob: finish"))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "headshots: stopped."
    assert "Traceback" not in said
    with Image.open(out / "ada" / "headshot.jpg") as picture:
        picture.load()
    assert not (out / "bob").exists()
    assert not list(out.rglob("*.part"))
    alive = [one for one in psutil.process_iter(["cmdline"]) if str(out) in (one.info["cmdline"] or [])]
    assert alive == []


def test_a_reader_that_leaves_early_sees_no_traceback(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.jpg").touch()
    command = [sys.executable, "-m", "deploy.cli", "check", "--json", *map(str, tmp_path.glob("*.jpg"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_a_headshot_of_an_earlier_run_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    for folder in ("photos", "out"):
        (tmp_path / folder / "ada").mkdir(parents=True)
    (tmp_path / "photos" / "ada" / "x.jpg").touch()
    (tmp_path / "out" / "ada" / "headshot.jpg").touch()
    result = CliRunner().invoke(
        main, ["render", "--photos", f"{tmp_path}/photos", "--out", f"{tmp_path}/out"]
    )
    assert result.exit_code == 1
    assert "ada/headshot.jpg is from an earlier run." in result.stdout


@pytest.mark.parametrize("command", ["check", "verify", "score"])
def test_one_file_that_cannot_be_read_does_not_lose_the_rest(command: str, tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "text.jpg").write_text("no photo " * 20)
    (tmp_path / "keys.json").write_text("{}")
    more: list[str] = []
    if command == "verify":
        more = ["--keys", str(tmp_path / "keys.json")]
    if command == "score":
        (tmp_path / "ada").mkdir()
        (tmp_path / "ada" / "portrait.jpg").write_bytes(sample_people()["eileen"][0][1])
        more = ["--reference", str(tmp_path / "ada")]
    files = [str(tmp_path / f"{name}.jpg") for name in ("folder", "loop", "text")]
    result = CliRunner().invoke(main, [command, *more, *files])
    assert result.exit_code == 1
    assert "Is a directory" in result.stdout
    assert "Too many levels of symbolic links" in result.stdout
    assert "text.jpg" in result.stdout
    assert CliRunner().invoke(main, [command, *more, f"{tmp_path}/gone.jpg"]).exit_code == 2


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("party.jpg", "write FILE=NUMBER"),
        ("party.jpg=two", "write FILE=NUMBER"),
        ("party.jpg=0", "write FILE=NUMBER"),
        ("gone.jpg=1", "there is no such photo"),
        ("arty.jpg=1", "there is no such photo"),
        ("party.jpg=1", "which one? "),
        ("ada/party.jpg=1", "no face was found in it"),
        ("eve/portrait.jpg=2", "only 1 face is in it, counted from the left"),
    ],
)
def test_a_subject_that_names_nobody_is_wrong_usage(option: str, said: str, tmp_path: Path) -> None:
    for person in ("ada", "bob", "eve"):
        (tmp_path / person).mkdir()
    for person in ("ada", "bob"):
        (tmp_path / person / "party.jpg").touch()
    (tmp_path / "eve" / "portrait.jpg").write_bytes(sample_people()["eileen"][0][1])
    files = [str(path) for path in tmp_path.glob("*/*")]
    render = ["render", "--photos", str(tmp_path), "--out", str(tmp_path / "out")]
    for arguments in (render, ["check", *files]):
        result = CliRunner().invoke(main, [*arguments, "--subject", option])
        assert result.exit_code == 2
        assert said in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.photos
def test_check_counts_faces_from_the_left_and_takes_the_one_that_is_named() -> None:
    group = photo_path("negatives/two-people.jpg")
    asked = CliRunner().invoke(main, ["check", str(group)])
    assert "    two-people.jpg shows 2 faces, from the left: 1 at 27% of the width" in asked.stdout
    assert f"choose with --subject {group}=1" in asked.stdout
    result = CliRunner().invoke(main, ["check", str(group), "--subject", "two-people.jpg=2", "--json"])
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["accepted"], found["subject"]) == (True, 2)
    left, right = found["from_left"]
    assert left["left"] < right["left"]


@pytest.mark.photos
def test_render_says_how_to_answer_who_is_meant_and_takes_the_answer(tmp_path: Path) -> None:
    group = photo_path("negatives/two-people.jpg")
    (tmp_path / "photos" / "bob").mkdir(parents=True)
    (tmp_path / "photos" / "bob" / "group.jpg").write_bytes(group.read_bytes())
    arguments = ["render", "--photos", f"{tmp_path}/photos", "--out", f"{tmp_path}/out"]
    asked = CliRunner().invoke(main, arguments)
    assert asked.exit_code == 1
    assert "choose with --subject bob/group.jpg=1" in asked.stdout
    CliRunner().invoke(main, [*arguments, "--subject", "bob/group.jpg=2"])
    [bob] = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["people"]
    assert bob["photos"][0]["accepted"] is True
    assert bob["source"] == "group.jpg" or bob["withheld"]["group.jpg"]["gates"]["edge"]["value"] > 9


def test_the_schema_of_style_files_is_printed() -> None:
    schema = json.loads(CliRunner().invoke(main, ["style", "schema"]).stdout)
    assert schema["title"] == "StyleSpec"
    assert {"backdrop", "crop", "light", "grade", "logo", "outputs"} <= set(schema["properties"])


def test_worker_without_settings_names_what_is_missing() -> None:
    result = CliRunner().invoke(main, ["scheduler"], env={})
    assert result.exit_code == 2
    assert "HEADSHOTS_DATABASE_URL" in result.stderr
