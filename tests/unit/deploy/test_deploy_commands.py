"""Commands at the terminal: what they print and how they end."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner

from compliance import evidence
from compliance.log import sequencer
from compliance.signing import SigningKeys, log_origin
from core.db import transaction
from deploy.cli import main


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
    stranger = SigningKeys.load(tmp_path / "stranger").published_keys([log_origin("localhost", org)])
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
def test_check_of_several_photos_asks_who_is_meant_and_ends_with_the_best() -> None:
    folder = Path(__file__).parents[4] / "shared" / "photos"
    if not folder.is_dir():
        pytest.skip(f"needs {folder}")
    barack = [
        str(folder / "barack" / f"{name}.jpg") for name in ("portrait", "letterboxed", "podium", "speech")
    ]
    joe, group = str(folder / "joe" / "portrait.jpg"), str(folder / "negatives" / "two-people.jpg")
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
    assert f"1. {barack[0]}: sharp" in said


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
    assert "logo.png is not beside the style file" in result.stdout


def test_the_schema_of_style_files_is_printed() -> None:
    schema = json.loads(CliRunner().invoke(main, ["style", "schema"]).stdout)
    assert schema["title"] == "StyleSpec"
    assert {"backdrop", "crop", "light", "grade", "logo", "outputs"} <= set(schema["properties"])


def test_worker_without_settings_names_what_is_missing() -> None:
    result = CliRunner().invoke(main, ["scheduler"], env={})
    assert result.exit_code == 2
    assert "HEADSHOTS_DATABASE_URL" in result.stderr
