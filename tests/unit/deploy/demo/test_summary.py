"""The demo's last words."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.verify import CheckResult, Kind, Verification
from core.checks.advice import ADVICE, Issue
from core.checks.report import Gate, GateName
from core.checks.verdict import Finding, Measures
from deploy.demo import summary
from deploy.demo.story import DemoResult, Proof
from workers.folder.batch import PersonReport, PhotoReport, Report, WithheldReport
from workers.pipeline.team import team_figures


def photo(file: str, *issues: Issue) -> PhotoReport:
    findings = tuple(
        Finding(code=one, severity=ADVICE[one].severity, advice=ADVICE[one].text) for one in issues
    )
    asks = "which_face" if Issue.SEVERAL_PEOPLE in issues else None
    return PhotoReport(
        file=file, accepted=not issues, issues=findings, measures=Measures(), score=0.5, asks=asks
    )


@pytest.fixture
def result(tmp_path: Path) -> DemoResult:
    likeness = Gate(value=0.313, unit="dlib distance", limit=0.5, passed=True, why="")
    unlike = likeness.model_copy(update={"value": 0.71, "passed": False})
    good = PersonReport(
        person="ada",
        source="a-very-long-name-that-a-camera-app-made-up.jpg",
        photos=(photo("a-very-long-name-that-a-camera-app-made-up.jpg"), photo("cat.jpg", Issue.NO_FACE)),
        gates={GateName.LIKENESS: likeness},
        seconds=4.2,
    )
    bad = PersonReport(
        person="bob",
        source=None,
        photos=(
            photo("wall.jpg", Issue.NO_FACE),
            photo("group.jpg", Issue.SEVERAL_PEOPLE, Issue.TURNED_UPRIGHT),
            photo("near.jpg"),
        ),
        gates={},
        withheld={"near.jpg": WithheldReport(reason="gates", gates={GateName.LIKENESS: unlike})},
        seconds=1.0,
    )
    certificate = tmp_path / "certificates" / "ada.pdf"
    certificate.parent.mkdir()
    certificate.touch()
    holds = Verification(Kind.CERTIFICATE, (CheckResult("signature valid", True, ""),), "COMPLETE")
    fails = Verification(Kind.CERTIFICATE, (CheckResult("content unchanged", False, ""),))
    return DemoResult(
        Report(people=(good, bad), team=team_figures({})),
        {"bob": ("It did not look enough like your photos.",)},
        {"ada": "Made from your own photo, because no image model is set up here."},
        Proof("ada", certificate, holds, fails),
        41.2,
    )


def test_summary_tells_who_has_a_headshot_and_why_another_has_none(
    result: DemoResult, tmp_path: Path
) -> None:
    text = summary.for_people(result, tmp_path, colour=False)
    assert "1 of 2 employees have a headshot, 41 s" in text
    assert "0.31" in text
    for reason in (
        ADVICE[Issue.NO_FACE].text,
        f"group.jpg: {ADVICE[Issue.SEVERAL_PEOPLE].text}\n",
        "headshots render --subject bob/group.jpg=1, counted from the left",
        "near.jpg: withheld: likeness is 0.71 dlib distance, must be at most 0.5",
        "did not look enough like",
    ):
        assert reason in text
    assert "rejected at “content unchanged”" in text
    assert "ada: Made from your own photo, because no image model is set up here." in text
    assert f" verify {result.proof.certificate} --keys " in text


def test_summary_names_only_files_that_are_there(result: DemoResult, tmp_path: Path) -> None:
    text = summary.for_people(result, tmp_path, colour=False)
    assert str(result.proof.certificate) in text
    assert "team.jpg" not in text


def test_colours_are_for_terminals_only(result: DemoResult, tmp_path: Path) -> None:
    plain, coloured = (summary.for_people(result, tmp_path, colour=colour) for colour in (False, True))
    assert "\033" not in plain
    assert "\033[32m" in coloured


def test_columns_line_up(result: DemoResult, tmp_path: Path) -> None:
    lines = summary.for_people(result, tmp_path, colour=False).splitlines()
    head = next(number for number, line in enumerate(lines) if "likeness" in line)
    assert lines[head].index("photos") == lines[head + 1].index("1 of 2")
    assert lines[head].index("likeness") + len("likeness") == lines[head + 1].index("0.31") + len("0.31")
    assert max(len(line) for line in lines[head : head + 2]) <= 120


def test_json_has_one_object_for_each_person_and_one_for_the_proof(result: DemoResult) -> None:
    lines = list(summary.as_json(result))
    assert [line.get("person") for line in lines] == ["ada", "bob", None, None]
    assert lines[1]["failure"] == ["It did not look enough like your photos."]
    assert [line["fallback"] for line in lines[:2]] == [result.fallbacks["ada"], None]
    assert lines[-1]["status"] == "COMPLETE"
