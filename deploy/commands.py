"""What `check`, `render`, `score` and `verify` do: files in, results on stdout."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compliance.consent import own_photos
from compliance.verify import verify_file
from core.errors import ConfigurationError, InvalidInput
from core.style import StyleSpec
from core.style_file import load_style

if TYPE_CHECKING:  # a command that needs no model starts without one
    from workers.batch import PersonReport
    from workers.vision.verdict import Finding, Verdict

Report = Callable[[dict[str, Any], str], None]

# The check that fails when the keys are another installation's.
SIGNER = "signer trusted"


def check_photos(photos: Sequence[Path], report: Report) -> bool:
    """Report a verdict for each photo and, of several, the best; return whether all were accepted.

    The photos are taken for one person's: what is nearly the same twice, and what may show somebody else,
    is said as well.
    """
    from workers.vision.check import examine
    from workers.vision.decode import MAX_BYTES
    from workers.vision.likeness import Embedding, embed, strangers
    from workers.vision.ranking import REASONS, best_three

    consent = own_photos()
    verdicts: dict[str, Verdict] = {}
    embeddings: dict[str, Embedding] = {}
    for path in photos:
        with path.open("rb") as file:
            seen = examine(file.read(MAX_BYTES + 1), consent)
        verdicts[str(path)] = seen.verdict
        if seen.verdict.accepted and seen.pixels is not None and seen.face is not None:
            embeddings[str(path)] = embed(seen.pixels, seen.face, consent)
    verdicts = _compared(verdicts, strangers(embeddings))
    for name, verdict in verdicts.items():
        mark = "✓" if verdict.accepted else "?" if verdict.asks else "✗"
        lines = [f"{mark} {name}  score {verdict.score:.2f}"]
        lines += [f"    {issue.severity}: {issue.advice} [{_code(issue)}]" for issue in verdict.issues]
        report({"file": name, **verdict.model_dump(mode="json")}, "\n".join(lines))
    if len(verdicts) > 1:
        best = best_three(verdicts)
        lines = [
            f"{place}. {one.key}: {_reasons(REASONS[reason] for reason in one.reasons)}"
            for place, one in enumerate(best, 1)
        ]
        report(
            {"best": [{"file": one.key, "reasons": list(one.reasons)} for one in best]},
            "\n".join(["Best photos:" if best else "No photo can be used.", *lines]),
        )
    return all(verdict.accepted for verdict in verdicts.values())


def _compared(verdicts: dict[str, Verdict], others: set[str]) -> dict[str, Verdict]:
    """Add what only shows beside the other photos."""
    from workers.vision.advice import Issue
    from workers.vision.ranking import near_duplicates
    from workers.vision.verdict import Finding

    usable = {name: one.phash for name, one in verdicts.items() if one.accepted and one.phash is not None}
    twice = near_duplicates(usable)
    compared = {}
    for name, verdict in verdicts.items():
        found = [Finding.of(Issue.MAY_BE_SOMEONE_ELSE)] if name in others else []
        if name in twice:
            found.append(Finding.of(Issue.NEAR_DUPLICATE, of=twice[name]))
        compared[name] = verdict.model_copy(update={"issues": (*verdict.issues, *found)})
    return compared


def _code(issue: Finding) -> str:
    return f"{issue.code} of {issue.values['of']}" if "of" in issue.values else issue.code


def _reasons(words: Iterable[str]) -> str:
    return ", ".join(words) or "the best there is"


def render_folder(photos: Path, style_file: Path | None, out: Path, report: Report) -> bool:
    """Make everybody's headshot; return whether everybody got one."""
    from workers import batch

    style = load_style(style_file) if style_file else StyleSpec()
    result = batch.render_folder(
        photos,
        style,
        out,
        own_photos(),
        on_progress=lambda person, fraction, stage: click.echo(f"{person}: {stage} {fraction:.0%}", err=True),
        style_folder=style_file.parent if style_file else None,
    )
    for person in result.people:
        report(person.model_dump(mode="json"), _came_of(person, style, out))
    report(
        {"team": result.team.model_dump(mode="json")},
        f"Report: {out / 'report.json'}, sheet: {out / 'team.jpg'}",
    )
    return all(person.source for person in result.people)


def _came_of(person: PersonReport, style: StyleSpec, out: Path) -> str:
    """Say what came of one person's photos."""
    if person.source is None:
        return "\n    ".join([f"✗ {person.person}: no headshot.", *person.reasons])
    file = out / person.person / "headshot.jpg"
    lines = [f"✓ {person.person}: {file} from {person.source}, {person.seconds:.1f} s"]
    sharp = person.sharp_up_to_px
    if sharp is not None and any(sharp < output.height for output in style.outputs):
        lines.append(
            f"sharp up to {sharp} px, because the face is small in the photo; larger sizes are enlarged"
        )
    return "\n    ".join(lines)


def check_style(file: Path, report: Report) -> bool:
    """Report what is wrong with a style file; return whether it can be used, with the pictures it names."""
    from workers.batch import backdrop_file
    from workers.studio.logo import logo_file

    try:
        style = load_style(file)
        backdrop_file(style, file.parent)
        logo_file(style, file.parent)
    except InvalidInput as error:
        found = error.details.get("fields")
        wrong = found if isinstance(found, list) else [error.message]
        report({"file": str(file), "ok": False, "problems": wrong}, "\n".join(f"✗ {one}" for one in wrong))
        return False
    width, height = style.master_size()
    sizes = ", ".join(output.name for output in style.outputs)
    report(
        {"file": str(file), "ok": True, "problems": [], "name": style.name},
        f"✓ {file}: “{style.name}”, {width} × {height} pixels; {sizes}",
    )
    return True


def score_images(reference: Path, images: Sequence[Path], report: Report) -> bool:
    """Measure images against a person's photos; return whether each shows one face, and the same person."""
    from workers.batch import read_folder
    from workers.score import score

    good = True
    for one in score(
        list(read_folder(reference)), [(str(path), path.read_bytes()) for path in images], own_photos()
    ):
        good &= one.faces == 1 and one.same_person is not False
        value = one.model_dump(mode="json")
        lines = [f"    {name.replace('_', ' ')}: {item}" for name, item in value.items() if name != "image"]
        report(value, "\n".join([one.image, *lines]))
    return good


def verify_files(files: Sequence[Path], keys: Path | None, home: Path, report: Report) -> bool:
    """Verify evidence offline; return whether all of it holds.

    Raises:
        ConfigurationError: no keys were given, and those on this machine belong to another installation.
    """
    published, source = _published_keys(keys, home)
    good = True
    for path in files:
        result = verify_file(path, published)
        if keys is None and any(one.name == SIGNER and not one.ok for one in result.checks):
            raise ConfigurationError(
                f"{path} was not signed by the installation whose keys are in {source}, the only ones on this "
                "machine. That alone proves nothing: give the keys.json of the company it names with --keys."
            )
        good &= result.ok
        word = f"{result.status or 'valid'}, unchanged" if result.ok else "REJECTED"
        lines = [f"{'✓' if result.ok else '✗'} {path}: {word}"]
        lines += [f"    {'✓' if one.ok else '✗'} {one.name}: {one.detail}" for one in result.checks]
        lines.append(f"    checked with the keys in {source}")
        report(
            {
                "file": str(path),
                "ok": result.ok,
                "kind": result.kind,
                "status": result.status,
                "keys": str(source),
                "checks": [{"name": one.name, "ok": one.ok, "detail": one.detail} for one in result.checks],
            },
            "\n".join(lines),
        )
    return good


def _published_keys(keys: Path | None, home: Path) -> tuple[dict[str, Any], Path]:
    """Read the keys given, or else those that `up` or `demo` published on this machine.

    Never a file that merely lies beside the evidence: who forges one would forge the other.
    """
    candidates = [keys] if keys else [home / "published-keys.json", home / "demo" / "published-keys.json"]
    for candidate in candidates:
        if candidate.exists():
            try:
                value = json.loads(candidate.read_text(encoding="utf-8"))
            except ValueError as error:
                raise InvalidInput(f"{candidate} is not a keys file: it is no JSON.") from error
            if not isinstance(value, dict):
                raise InvalidInput(f"{candidate} is not a keys file.")
            return value, candidate
    raise ConfigurationError(
        "Which keys should this be checked with? Download keys.json from the company's trust page once, "
        "keep it, and give it with --keys."
    )
