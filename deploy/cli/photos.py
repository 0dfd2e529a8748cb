"""What `check`, `render` and `score` do: files in, results on stdout."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compliance.consent import own_photos
from compliance.origin.signer import of_this_machine
from core.errors import InvalidInput
from core.style.file import load_style, unusable_at
from core.style.spec import StyleSpec
from deploy.cli.group import DEFAULT_HOME
from deploy.cli.subjects import number_taken, place_of, wanted_in, who

if TYPE_CHECKING:  # a command that needs no model starts without one
    from core.checks.verdict import Finding, Verdict
    from core.style.toml_lines import Place
    from workers.folder.batch import PersonReport, Pictures
    from workers.pipeline.score import Score

Report = Callable[[dict[str, Any], str], None]


def check_photos(photos: Sequence[Path], report: Report, subjects: Sequence[str] = ()) -> bool:
    """Report a verdict for each photo and, of several, the best; return whether all were accepted.

    The photos are taken for one person's: what is nearly the same twice, and what may show somebody else,
    is said as well.

    Args:
        photos: Files; one that cannot be read is a finding.
        report: Gets each result.
        subjects: `FILE=NUMBER`; see `deploy.cli.subjects`.

    Raises:
        click.UsageError: a subject names no photo, or nobody in it.
    """
    from core.checks.advice import Issue
    from core.checks.ranking import REASONS, best_three
    from core.checks.verdict import Verdict
    from core.style.spec import StyleSpec
    from workers.folder.people import read_photo
    from workers.pipeline.judgement import judge_or_say
    from workers.vision.check import unchecked
    from workers.vision.likeness import Embedding, embed, strangers

    consent, style = own_photos(), StyleSpec()
    wanted = wanted_in(photos, subjects)
    verdicts: dict[str, Verdict] = {}
    embeddings: dict[str, Embedding] = {}
    for path in photos:
        name = click.format_filename(path)
        try:
            content = read_photo(path)
        except OSError as error:
            verdicts[name] = Verdict.refused(Issue.UNREADABLE, system=str(error.strerror))
            continue
        seen = judge_or_say(content, consent, style=style)
        if path in wanted:
            place = place_of(path, wanted[path], seen.verdict)
            seen = judge_or_say(content, consent, style=style, subject=place)
        verdicts[name] = seen.verdict
        if seen.verdict.accepted and seen.pixels is not None and seen.face is not None:
            try:
                embeddings[name] = embed(seen.pixels, seen.face, consent)
            except Exception as error:  # noqa: BLE001 - one photo never costs the others their verdict
                verdicts[name] = unchecked(error)
    verdicts = _compared(verdicts, strangers(embeddings))
    numbers = {click.format_filename(path): number for path, number in wanted.items()}
    for name, verdict in verdicts.items():
        mark = "✓" if verdict.accepted else "?" if verdict.asks else "✗"
        lines = [f"{mark} {name}  score {verdict.score:.2f}"]
        lines += [f"    {issue.severity}: {issue.said} [{_code(issue)}]" for issue in verdict.issues]
        number = numbers.get(name) or number_taken(verdict)
        lines += [f"    {line}" for line in who(name, verdict, number)]
        faces = [box.model_dump() for box in verdict.from_left]
        value = {"file": name, **verdict.model_dump(mode="json"), "from_left": faces, "subject": number}
        report(value, "\n".join(lines))
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
    from core.checks.advice import Issue
    from core.checks.ranking import near_duplicates
    from core.checks.verdict import Finding

    twice = near_duplicates(verdicts)
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


def render_folder(
    photos: Path, style: Path | StyleSpec, out: Path, report: Report, subjects: Sequence[str] = ()
) -> bool:
    """Make everybody's headshot; return whether everybody got one.

    Args:
        photos: One subfolder per person.
        style: A style file, or a style.
        out: Where the results go.
        report: Gets each result.
        subjects: `FILE=NUMBER`; see `deploy.cli.subjects`.

    Raises:
        click.UsageError: a subject names no photo, or nobody in it; `out` is `photos`.
    """
    from workers.folder import batch

    if out.resolve() == photos.resolve():
        raise click.UsageError("The headshots would lie among the photos. Give another folder with --out.")
    spec, pictures = _style_of(style)
    signer = of_this_machine(DEFAULT_HOME)
    places = _places(photos, out, subjects)
    _tell_left_out(photos)
    said: set[str] = set()

    def progress(person: str, fraction: float, stage: str) -> None:
        line = f"{person}: {stage} {fraction:.0%}"
        if line not in said:
            said.add(line)
            click.echo(line, err=True)

    result = batch.render_folder(photos, spec, out, own_photos(), signer, progress, pictures, places)
    for person in result.people:
        report(person.model_dump(mode="json"), _came_of(person, spec, out))
    sheets = f", sheets: {out / 'team.jpg'}, {out / 'alignment.jpg'}" if result.team.people else ""
    report({"team": result.team.model_dump(mode="json")}, f"Report: {out / 'report.json'}{sheets}")
    return all(person.source for person in result.people)


def _style_of(style: Path | StyleSpec) -> tuple[StyleSpec, Pictures]:
    """Return a style with the pictures that its file names.

    Raises:
        StyleUnusable: names line and field of everything that cannot be used.
    """
    from workers.folder.batch import NO_PICTURES, Pictures
    from workers.folder.style_pictures import backdrop_file, logo_file

    if isinstance(style, StyleSpec):
        return style, NO_PICTURES
    spec = load_style(style)
    if not spec.model_fields_set:
        click.echo(f"{style} sets nothing: every default applies.", err=True)
    found: dict[Place, str] = {}
    backdrop = logo = None
    try:
        backdrop = backdrop_file(spec, style.parent)
    except InvalidInput as error:
        found["backdrop", "image"] = error.message
    try:
        logo = logo_file(spec, style.parent)
    except InvalidInput as error:
        found["logo", "image"] = error.message
    if found:
        raise unusable_at(style, found)
    return spec, Pictures(backdrop, logo)


def _places(photos: Path, out: Path, subjects: Sequence[str]) -> dict[str, dict[str, tuple[float, float]]]:
    """Look at each photo that a subject names; return person → file → where the person is."""
    if not subjects:
        return {}
    from workers.folder.people import person_folders, photo_files, read_photo, shown
    from workers.vision.check import check

    files = [file for folder in person_folders(photos, but=out) for file in photo_files(folder)]
    places: dict[str, dict[str, tuple[float, float]]] = {}
    for file, number in wanted_in(files, subjects).items():
        place = place_of(file, number, check(read_photo(file), own_photos()))
        places.setdefault(shown(file.parent), {})[shown(file)] = place
    return places


def _tell_left_out(photos: Path) -> None:
    stray = [path.name for path in sorted(photos.iterdir()) if path.is_file() and path.name[0] != "."]
    if stray:
        names = ", ".join(stray[:3]) + (", …" if len(stray) > 3 else "")
        click.echo(f"Left out, because they lie in no person's subfolder of {photos}: {names}", err=True)


def _came_of(person: PersonReport, style: StyleSpec, out: Path) -> str:
    """Say what came of one person's photos."""
    file = out / person.person / "headshot.jpg"
    if person.source is None:
        earlier = [f"{file} is from an earlier run."] if file.exists() else []
        asking = [one for one in person.photos if one.asks]
        choices = [line for one in asking for line in who(f"{person.person}/{one.file}", one, None)]
        return "\n    ".join([f"✗ {person.person}: no headshot.", *person.reasons, *choices, *earlier])
    lines = [f"✓ {person.person}: {file} from {person.source}, {person.seconds:.1f} s"]
    smaller = [output for output in style.outputs if style.delivered(output, None, person.master) != output]
    if smaller and person.master is not None:
        width, height = person.master
        lines.append(
            f"{width} × {height} px, smaller than {', '.join(one.name for one in smaller)}: the face has no more in the photo"
        )
    return "\n    ".join(lines)


def check_style(file: Path, report: Report) -> bool:
    """Report what is wrong with a style file; return whether it can be used, with the pictures it names."""
    try:
        style, _ = _style_of(file)
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


def score_images(
    reference: Path, images: Sequence[Path], report: Report, style: Path | StyleSpec | None = None
) -> bool:
    """Measure images against a person's photos, and a style; return whether all are within their limits.

    Args:
        reference: Folder of the person's photos.
        images: What is to be measured.
        report: Gets each image's figures.
        style: Style file, or a style; without it crop, light, backdrop and edge have no limits.

    Raises:
        InvalidInput: no reference photo shows a usable face.
        StyleUnusable: names line and field of everything that cannot be used.
    """
    from workers.folder.batch import NO_PICTURES
    from workers.folder.people import read_folder, read_photo
    from workers.pipeline.score import score

    spec, pictures = (None, NO_PICTURES) if style is None else _style_of(style)
    good = True
    given: list[tuple[str, bytes]] = []
    for path in images:
        try:
            given.append((click.format_filename(path), read_photo(path)))
        except OSError as error:
            good = False
            name, why = click.format_filename(path), str(error.strerror)
            report({"image": name, "faces": 0, "error": why}, f"✗ {name}: {why}")
    references, _unreadable = read_folder(reference)
    for one in score(references, given, own_photos(), spec, pictures.backdrop):
        good &= one.passed
        report(one.model_dump(mode="json"), _scored(one))
    return good


def _scored(one: Score) -> str:
    """Say how an image stands to each limit, and to each photo."""
    marks = {True: "✓", False: "✗", None: "–"}
    lines = [f"{marks[one.passed]} {one.image}"]
    lines += [
        f"    {marks[gate.passed]} {name.replace('_', ' ')}: {gate.sentence}"
        for name, gate in one.gates.items()
    ]
    if one.likeness_to:
        each = ", ".join(f"{file} {away:.2f}" for file, away in one.likeness_to.items())
        among = f"; these among themselves {one.likeness_baseline:.2f}" if one.likeness_baseline else ""
        lines.append(f"    distance to each photo: {each}{among}")
    lines += [f"    {name.replace('_', ' ')}: {value:g}" for name, value in one.figures.items()]
    return "\n".join(lines)
