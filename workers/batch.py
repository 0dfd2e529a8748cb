"""Headshots without the portal: a folder of folders in, headshots, a team sheet and a report out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, computed_field

from core.consent import ValidConsent
from core.errors import InvalidInput
from core.framing import Head
from core.style import MAX_SIDE, ImageBackdrop, OutputFormat, StyleSpec
from workers.gates import Gate, GateName, GateReport
from workers.render import Headshot, RenderResult, render
from workers.studio.backdrop import BackdropMissing
from workers.studio.caption import caption_of
from workers.studio.encode import SUFFIX, encode, outputs
from workers.studio.finish import in_frame
from workers.studio.logo import logo_file
from workers.team import Pair, TeamFigures, alignment_sheet, contact_sheet, team_figures
from workers.vision.check import examine
from workers.vision.closer import kept
from workers.vision.decode import MAX_BYTES, UnreadablePhoto, decode
from workers.vision.geometry import Pixels
from workers.vision.verdict import Verdict

_SHEET_HEAD: Final = 300.0  # px, head height of a photo kept for the team sheet

OnProgress = Callable[[str, float, str], None]  # person, fraction of this person, stage


class PhotoReport(Verdict):
    """A verdict with the file it is about."""

    file: str


class WithheldReport(BaseModel):
    """Why a candidate is not shown."""

    model_config = ConfigDict(frozen=True)

    reason: str  # stable code: `gates`, or what kept a candidate from being made
    gates: dict[GateName, Gate] = {}  # those that failed

    @classmethod
    def of(cls, reason: str, report: GateReport | None) -> WithheldReport:
        """Return the reason with the figures of the gates that failed."""
        return cls(
            reason=reason, gates={name: report.gates[name] for name in report.failed} if report else {}
        )

    @property
    def explanation(self) -> str:
        """The reason in words, each failed gate with its figure and its limit."""
        return "; ".join(_failure(name, gate) for name, gate in self.gates.items()) or _words(self.reason)


def _failure(name: GateName, gate: Gate) -> str:
    value = gate.value or 0.0
    side = "at most" if value > gate.limit else "at least"
    why = f" ({gate.why})" if gate.why else ""
    return f"{_words(name)} is {value:.3g} {gate.unit}, must be {side} {gate.limit:.3g}{why}"


def _words(code: str) -> str:
    return code.replace("_", " ")


class PersonReport(BaseModel):
    """What came of one person's folder."""

    model_config = ConfigDict(frozen=True)

    person: str
    source: str | None  # file name of the chosen photo; None where there is no headshot
    photos: tuple[PhotoReport, ...]
    gates: dict[GateName, Gate]
    figures: dict[str, float] = {}
    notes: tuple[str, ...] = ()  # what differs from the style, as `GateReport.notes`
    withheld: dict[str, WithheldReport] = {}  # by file name
    seconds: float

    @property
    def reasons(self) -> tuple[str, ...]:
        """What kept each photo from becoming a headshot, a line a photo."""
        refused = [f"{one.file}: {' '.join(one.obstacles)}" for one in self.photos if not one.accepted]
        held = [f"{file}: withheld: {why.explanation}" for file, why in self.withheld.items()]
        return (*refused, *held)

    @computed_field  # type: ignore[prop-decorator] # pydantic's own advice for mypy
    @property
    def sharp_up_to_px(self) -> int | None:
        """The largest size, in pixels, at which the chosen photo's face is not enlarged."""
        return next(
            (photo.measures.sharp_up_to_px for photo in self.photos if photo.file == self.source), None
        )


class Report(BaseModel):
    """`report.json`."""

    model_config = ConfigDict(frozen=True)

    people: tuple[PersonReport, ...]
    team: TeamFigures


@dataclass(frozen=True, slots=True, eq=False)
class _Done:
    report: PersonReport
    gates: GateReport | None
    pair: Pair | None


def render_folder(
    photos: Path,
    style: StyleSpec,
    out: Path,
    consent: ValidConsent,
    on_progress: OnProgress = lambda _person, _fraction, _stage: None,
    style_folder: Path | None = None,
) -> Report:
    """Render every person's folder in `photos`; see `render_people`.

    Raises:
        InvalidInput: `photos` has no folder with files in it.
    """
    return render_people(read_people(photos), style, out, consent, on_progress, style_folder)


def render_people(
    people: dict[str, list[tuple[str, bytes]]],
    style: StyleSpec,
    out: Path,
    consent: ValidConsent,
    on_progress: OnProgress = lambda _person, _fraction, _stage: None,
    style_folder: Path | None = None,
) -> Report:
    """Make everybody's headshot, `OUT/<person>/headshot.jpg`, `OUT/team.jpg`, `OUT/alignment.jpg` and `OUT/report.json`.

    The further sizes of the style lie beside `headshot.jpg` as `<output name>.<suffix>`. A person whose
    every photo fails is listed with the reasons, and the others go on.

    Args:
        people: Person → file name and content of each photo.
        style: The company's style.
        out: Folder, made where it does not exist.
        consent: The operator's statement.
        on_progress: Told the person, the fraction of that person's work done, and the stage.
        style_folder: Where the file of an image backdrop lies.

    Raises:
        BackdropMissing: an image backdrop whose file is missing or unreadable.
    """
    image = backdrop_file(style, style_folder)
    logo = logo_file(style, style_folder)
    out.mkdir(parents=True, exist_ok=True)
    done: list[_Done] = []
    for person, files in people.items():
        done.append(_person(person, files, style, out, consent, on_progress, image, logo))
    report = Report(
        people=tuple(item.report for item in done),
        team=team_figures({item.report.person: item.gates for item in done if item.gates is not None}),
    )
    pairs = [item.pair for item in done if item.pair is not None]
    if pairs:
        (out / "team.jpg").write_bytes(encode(contact_sheet(pairs, style.name), OutputFormat.JPEG))
        aligned = alignment_sheet(pairs, report.team, style.crop)
        (out / "alignment.jpg").write_bytes(encode(aligned, OutputFormat.JPEG))
    (out / "report.json").write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return report


def read_people(folder: Path) -> dict[str, list[tuple[str, bytes]]]:
    """Read one subfolder per person; every file in it is tried, whatever its name.

    Raises:
        InvalidInput: no subfolder has a file.
    """
    people = {
        person.name: list(read_folder(person))
        for person in sorted(folder.iterdir() if folder.is_dir() else ())
        if person.is_dir() and not person.name.startswith(".")
    }
    people = {person: files for person, files in people.items() if files}
    if not people:
        raise InvalidInput(f"{folder} has no photos. Put each person's photos into a subfolder of it.")
    return people


def backdrop_file(style: StyleSpec, folder: Path | None) -> Pixels | None:
    """Read the picture of an image backdrop, which lies beside the style file.

    Raises:
        BackdropMissing: it does not exist, lies elsewhere, or is no picture.
    """
    if not isinstance(style.backdrop, ImageBackdrop):
        return None
    base = (folder or Path()).resolve()
    path = (base / style.backdrop.image).resolve()
    if not path.is_relative_to(base) or not path.is_file():
        raise BackdropMissing(f"The backdrop picture {style.backdrop.image} is not beside the style file.")
    try:
        return decode(path.read_bytes(), working_side=MAX_SIDE).pixels
    except UnreadablePhoto as error:
        raise BackdropMissing(f"The backdrop picture cannot be used. {error.message}") from error


def read_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each file in `folder`, sorted; at most one byte more than a photo may have."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            with path.open("rb") as stream:
                # One byte beyond the limit is enough for the check to refuse it, and bounds memory.
                yield path.name, stream.read(MAX_BYTES + 1)


def _person(
    person: str,
    files: list[tuple[str, bytes]],
    style: StyleSpec,
    out: Path,
    consent: ValidConsent,
    on_progress: OnProgress,
    image: Pixels | None,
    logo: Pixels | None,
) -> _Done:
    started = time.perf_counter()
    result = render(
        files, style, consent, lambda fraction, stage: on_progress(person, fraction, stage), image
    )
    pair = None
    if result.headshots:
        best = result.headshots[0]
        _write(out / person, best, style, logo)
        content = dict(files)[best.source]
        before = kept(content, examine(content, consent), _SHEET_HEAD)
        pair = Pair(person, before, in_frame(best.pixels, style))
    report = _report(person, result, time.perf_counter() - started)
    return _Done(report, result.headshots[0].report if result.headshots else None, pair)


def _write(folder: Path, best: Headshot, style: StyleSpec, logo: Pixels | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    first, *further = style.outputs
    caption = caption_of(folder.name, "", style)
    head = Head.measured(best.report.figures)
    made = outputs(best.pixels, style, caption=caption, head=head, logo=logo)
    if first.format is OutputFormat.JPEG:
        (folder / "headshot.jpg").write_bytes(made[first.name])
    else:
        further = list(style.outputs)
        (folder / "headshot.jpg").write_bytes(
            encode(in_frame(best.pixels, style), OutputFormat.JPEG, caption=caption)
        )
    for output in further:
        (folder / f"{output.name}.{SUFFIX[output.format]}").write_bytes(made[output.name])


def _report(person: str, result: RenderResult, seconds: float) -> PersonReport:
    best = result.headshots[0] if result.headshots else None
    return PersonReport(
        person=person,
        source=best.source if best else None,
        photos=tuple(
            PhotoReport(file=name, **verdict.model_dump()) for name, verdict in result.verdicts.items()
        ),
        gates=best.report.gates if best else {},
        figures=best.report.figures if best else {},
        notes=best.report.notes if best else (),
        withheld={item.source: WithheldReport.of(item.reason, item.report) for item in result.withheld},
        seconds=round(seconds, 2),
    )
