"""Headshots without the portal: a folder of folders in, headshots, a team sheet and a report out."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, computed_field

from compliance.origin.credentials import Origin
from compliance.origin.making import Making
from compliance.origin.signer import Signer
from core.checks.report import Gate, GateName, GateReport
from core.checks.verdict import Verdict
from core.consent import ValidConsent
from core.errors import AppError
from core.logs import fault
from core.style.framing import Head
from core.style.outputs import OutputFormat
from core.style.spec import StyleSpec
from workers.folder.people import REPORT, person_folders, read_folder, shown
from workers.pipeline.render import Headshot, RenderResult, render
from workers.pipeline.team import MOST, Pair, TeamFigures, alignment_sheet, contact_sheet, team_figures
from workers.studio.caption import caption_of
from workers.studio.encode import encode, in_frame, outputs
from workers.vision.check import examine
from workers.vision.full_resolution import kept
from workers.vision.geometry import Pixels

_SHEET_HEAD: Final = 300.0  # px, head height of a photo kept for the team sheet

OnProgress = Callable[[str, float, str], None]  # person, fraction of this person, stage


class OutputFailed(AppError):
    """A result cannot be written: the place is closed to us, or full."""

    code = "output_failed"
    status = 500

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"{path} cannot be written: {error.strerror}. Nothing that was finished before is lost."
        )


class Pictures(NamedTuple):
    """The pictures that a style names."""

    backdrop: Pixels | None = None  # uint8, height × width × 3, sRGB
    logo: Pixels | None = None  # uint8, height × width × 4, sRGB with alpha


NO_PICTURES: Final = Pictures()


class PhotoReport(Verdict):
    """A verdict with the file it is about."""

    file: str


_REASONS: Final = {
    "cropped_too_tightly": "the photo ends too close to the face; use one with the whole head and the shoulders",
    "no_face": "no face was found at full size",
    "fault": "something in this software failed on it; the photo may be fine",
}


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
        failures = "; ".join(f"{_words(name)} is {gate.sentence}" for name, gate in self.gates.items())
        return failures or _REASONS.get(self.reason, _words(self.reason))


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
    master: tuple[int, int] | None = (
        None  # width and height of the whole picture, px: what its files are cut from
    )
    withheld: dict[str, WithheldReport] = {}  # by file name
    fault: str | None = None  # what broke while this person's headshot was made
    seconds: float

    @classmethod
    def broken(cls, person: str, error: Exception, seconds: float) -> PersonReport:
        """Report a person whose photos met a fault of the software."""
        told = fault(error)
        return cls(person=person, source=None, photos=(), gates={}, fault=told, seconds=round(seconds, 2))

    @property
    def reasons(self) -> tuple[str, ...]:
        """What kept each photo from becoming a headshot, a line a photo."""
        if self.fault:
            return (f"A fault in this software ({self.fault}); the photos may be fine. The others went on.",)
        refused = [f"{one.file}: {' '.join(one.obstacles)}" for one in self.photos if not one.accepted]
        held = [f"{file}: withheld: {why.explanation}" for file, why in self.withheld.items()]
        return (*refused, *held) if self.photos else ("There is no photo in the folder.",)

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
    signer: Signer,
    on_progress: OnProgress = lambda _person, _fraction, _stage: None,
    pictures: Pictures = NO_PICTURES,
    subjects: Mapping[str, Mapping[str, tuple[float, float]]] = {},
) -> Report:
    """Make everybody's headshot, `OUT/<person>/headshot.jpg`, `OUT/team.jpg`, `OUT/alignment.jpg` and `OUT/report.json`.

    The further sizes of the style lie beside `headshot.jpg` as `<output name>.<suffix>`. A person whose
    every photo fails is listed with the reasons, and the others go on. One person's photos are in memory at
    a time, and a file that is there is a file that is finished, whatever ends the run.

    Args:
        photos: One subfolder per person.
        style: The company's style.
        out: Folder, made where it does not exist.
        consent: The operator's statement.
        signer: Signs where each headshot comes from.
        on_progress: Told the person, the fraction of that person's work done, and the stage.
        pictures: What the style names.
        subjects: Person → file name → where the person is in a photo of several people, as `render` takes it.

    Raises:
        InvalidInput: `photos` has no folder of a person.
        OutputFailed: `out` cannot be written to.
    """
    folders = person_folders(photos, but=out)
    _prepare(out)
    done: list[PersonReport] = []
    gates: dict[str, GateReport] = {}
    pairs: list[Pair] = []
    for folder in folders:
        person, started = shown(folder), time.perf_counter()
        try:
            one = _person(
                folder, style, out, consent, signer, on_progress, pictures, subjects.get(person, {})
            )
        except AppError:
            raise  # of the whole run: no consent, nowhere to write
        except Exception as error:  # noqa: BLE001 - one person's photos must not cost the others theirs
            done.append(PersonReport.broken(person, error, time.perf_counter() - started))
            continue
        done.append(one.report)
        if one.gates is not None:
            gates[person] = one.gates
        if one.pair is not None and len(pairs) < MOST:
            pairs.append(one.pair)
    report = Report(people=tuple(done), team=team_figures(gates))
    if pairs:
        sheet = contact_sheet(pairs, style.name, report.team.people)
        _put(out / "team.jpg", encode(sheet, OutputFormat.JPEG))
        aligned = alignment_sheet(pairs, report.team, style.crop)
        _put(out / "alignment.jpg", encode(aligned, OutputFormat.JPEG))
    _put(out / REPORT, (report.model_dump_json(indent=2) + "\n").encode())
    return report


def _person(
    folder: Path,
    style: StyleSpec,
    out: Path,
    consent: ValidConsent,
    signer: Signer,
    on_progress: OnProgress,
    pictures: Pictures,
    subjects: Mapping[str, tuple[float, float]],
) -> _Done:
    started = time.perf_counter()
    person = shown(folder)
    files, unreadable = read_folder(folder)
    result = render(
        files,
        style,
        consent,
        lambda fraction, stage: on_progress(person, fraction, stage),
        pictures.backdrop,
        subjects=subjects,
    )
    pair = None
    if result.headshots:
        best = result.headshots[0]
        _write(out / person, best, style, pictures.logo, signer)
        content = dict(files)[best.source]
        seen = examine(content, consent, subject=result.subjects.get(best.source))
        pair = Pair.of(person, kept(content, seen, _SHEET_HEAD), in_frame(best.pixels, style))
    report = _report(person, result, unreadable, time.perf_counter() - started)
    return _Done(report, result.headshots[0].report if result.headshots else None, pair)


def _write(folder: Path, best: Headshot, style: StyleSpec, logo: Pixels | None, signer: Signer) -> None:
    first, *further = style.outputs
    caption = caption_of(folder.name, "", style)
    head = Head.measured(best.report.figures)
    origin = Origin(Making.of_headshot("studio", style, best.report.notes), signer)
    made = outputs(best.pixels, style, origin, caption=caption, head=head, logo=logo)
    if first.format is OutputFormat.JPEG:
        _put(folder / "headshot.jpg", made[first.name])
    else:
        further = list(style.outputs)
        plain = encode(in_frame(best.pixels, style), OutputFormat.JPEG, caption=caption)
        _put(folder / "headshot.jpg", origin.signed(plain, OutputFormat.JPEG.media_type))
    for output in further:
        _put(folder / f"{output.name}.{output.format.suffix}", made[output.name])


def _prepare(out: Path) -> None:
    """Find out that nothing can be written before the work instead of after it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not os.access(out, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise OutputFailed(out, error) from error


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise OutputFailed(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _report(
    person: str, result: RenderResult, unreadable: Mapping[str, Verdict], seconds: float
) -> PersonReport:
    best = result.headshots[0] if result.headshots else None
    return PersonReport(
        person=person,
        source=best.source if best else None,
        photos=tuple(
            PhotoReport(file=name, **verdict.model_dump())
            for name, verdict in {**result.verdicts, **unreadable}.items()
        ),
        gates=best.report.gates if best else {},
        figures=best.report.figures if best else {},
        notes=best.report.notes if best else (),
        master=best.report.master if best else None,
        withheld={item.source: WithheldReport.of(item.reason, item.report) for item in result.withheld},
        seconds=round(seconds, 2),
    )
