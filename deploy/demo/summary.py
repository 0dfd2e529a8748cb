"""What the demo says at the end: who has a headshot, how good it is, and what there is to see."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.checks.report import GateName
from deploy.cli.subjects import OPTION
from deploy.demo.story import DemoResult
from workers.folder.batch import PersonReport

GREEN, RED, BOLD, FAINT, PLAIN = "\033[32m", "\033[31m", "\033[1m", "\033[2m", "\033[0m"
LONGEST_NAME = 28  # letters of a folder or file name, so that a row fits 120 columns
# The figures worth a column, with what they are called there.
FIGURES = {
    GateName.LIKENESS: ("likeness", "{:.2f}"),
    GateName.SKIN_DELTA_E: ("skin ΔE", "{:.1f}"),
    GateName.ROLL: ("tilt", "{:.1f}°"),
    GateName.BACKDROP: ("backdrop ΔE", "{:.2f}"),
}


def for_people(result: DemoResult, out: Path, *, colour: bool) -> str:
    """Return the summary as text for a terminal.

    Args:
        result: What came of the demo.
        out: Where the files lie.
        colour: Whether the terminal shows colours.
    """

    def paint(how: str, text: str) -> str:
        return f"{how}{text}{PLAIN}" if colour else text

    people = result.report.people
    total = f"{result.headshots} of {len(people)} employees have a headshot, {result.seconds:.0f} s"
    lines = ["", paint(BOLD, total), ""]
    table = _table(people, paint)
    lines += [*table, ""] if table else []
    lines += [f"  {name}: {why}" for name, why in result.fallbacks.items()]
    lines += [""] if result.fallbacks else []
    for person in people:
        if person.source is None:
            lines += [paint(RED, f"✗ {person.person}: no headshot"), *_reasons(person, result), ""]
    lines += [*_team(result), "", *_proof(result, paint), ""]
    looks = (
        (out / "team.jpg", "before and after, the whole team"),
        (out / "<employee>" / "headshot.jpg", "and the other sizes"),
        (out / "report.json", "every verdict and every gate"),
        (out / "headshots.zip", "what HR downloaded"),
        (out / "rejected.csv", "the rows that were not imported, with reasons"),
        (result.proof.certificate, "the deletion certificate"),
    )
    shown = [
        (str(path), what)
        for path, what in looks
        if path.exists() or ("<" in path.parent.name and result.headshots)
    ]
    width = max(len(path) for path, _ in shown)
    lines += [paint(BOLD, "Look at"), *(f"  {path:<{width}}  {paint(FAINT, what)}" for path, what in shown)]
    return "\n".join(lines)


def _command() -> str:
    """Return how this program was called, so that the printed command runs as it is."""
    called = Path(sys.argv[0])
    return os.path.relpath(called) if called.is_absolute() else str(called)


def as_json(result: DemoResult) -> Iterator[dict[str, Any]]:
    """Yield one object for each person, then the team's figures, then the proof."""
    for person in result.report.people:
        yield person.model_dump(mode="json") | {
            "failure": list(result.failures.get(person.person, ())),
            "fallback": result.fallbacks.get(person.person),
        }
    yield {"team": result.report.team.model_dump(mode="json")}
    proof = result.proof
    yield {
        "erased": proof.person,
        "certificate": str(proof.certificate),
        "status": proof.verification.status,
        "verified": proof.verification.ok,
        "rejected_after_one_changed_byte": not proof.tampered.ok,
        "seconds": round(result.seconds, 1),
    }


def _table(people: tuple[PersonReport, ...], paint: Any) -> list[str]:
    """One row for each headshot: from which photo, the figures that matter, how long it took."""
    head = ["", "from", "photos", *(name for name, _ in FIGURES.values()), "studio"]
    rows = []
    for person in people:
        if person.source is None:
            continue
        good = sum(photo.accepted for photo in person.photos)
        row = [_short(person.person), _short(person.source), f"{good} of {len(person.photos)}"]
        for gate, (_, shape) in FIGURES.items():
            value = person.gates[gate].value if gate in person.gates else None
            row.append("–" if value is None else shape.format(abs(value)))
        rows.append([*row, f"{person.seconds:.1f} s"])
    if not rows:
        return []
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]

    def line(row: list[str]) -> str:
        cells = [
            cell.ljust(width) if column < 3 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return [paint(FAINT, "  " + line(head)), *(f"{paint(GREEN, '✓')} {line(row)}" for row in rows)]


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _reasons(person: PersonReport, result: DemoResult) -> list[str]:
    """Say for each photo what kept it from being used, and what the person was told about the rest."""
    lines = [*person.reasons, *result.failures.get(person.person, ())]
    asking = next((photo.file for photo in person.photos if photo.asks), None)
    if asking is not None:
        lines.append(
            "On the upload page one answers that with a click. Without the portal: headshots render "
            f"{OPTION} {shlex.quote(f'{person.person}/{asking}')}=1, counted from the left."
        )
    return [f"    {line}" for line in lines]


def _team(result: DemoResult) -> list[str]:
    team = result.report.team
    if team.people == 0:
        return ["Team    nobody to compare"]
    return [
        f"Team    eyes level within {team.eye_line_sd_percent:.1f} % of the frame, head size within {team.head_height_sd_percent:.1f} %,",
        f"        tilt at most {team.roll_max_degrees:.1f}°, backdrop at most ΔE {team.backdrop_delta_e_max:.2f} off the style",
    ]


def _proof(result: DemoResult, paint: Any) -> list[str]:
    proof = result.proof
    failed = next(check for check in proof.tampered.checks if not check.ok)
    keys = proof.certificate.with_name("keys.json")
    return [
        f"Erased  {proof.person}: certificate {proof.verification.status}, {len(proof.verification.checks)} checks pass offline {paint(GREEN, '✓')}",
        f"        one byte changed: rejected at “{failed.name}” {paint(GREEN, '✓')}",
        f"        try it: {_command()} verify {shlex.quote(str(proof.certificate))} --keys {shlex.quote(str(keys))}",
    ]
