"""What was computed about a person, in words: verdicts on photos, figures of headshots, numbers of faces, models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from compliance.reports import held
from compliance.reports.access.subject import Subject
from compliance.reports.document import Section, Table, table
from core.checks.advice import ADVICE, Issue
from core.models import Adapter, Arrival, Artifact, Headshot, Photo, Style
from core.portraits import marks
from core.portraits.rejections import REASONS, Reason
from core.portraits.reviews import FLAWS, Flaw


def photos(of: Subject) -> Section:
    """Return each photo with what was found on it."""
    say = of.say
    rows = of.session.scalars(select(Photo).where(Photo.member_id == of.member.id).order_by(Photo.id)).all()
    tables = [
        Table(
            tuple(say.table("photos.columns")),
            tuple(_photo(of, row)),
            f"{say('photos.one')} {number}" + _named(of, row),
        )
        for number, row in enumerate(rows, 1)
    ]
    return Section(
        "photos",
        say("photos.heading"),
        of.law("photos"),
        text=(say("photos.text"),) if rows else (say("photos.none"),),
        tables=(*tables, *_arriving(of)),
    )


def _arriving(of: Subject) -> tuple[Table, ...]:
    rows = of.session.scalars(select(Arrival).where(Arrival.member_id == of.member.id).order_by(Arrival.id))
    listed = [(of.say.moment(row.created_at), of.say.number(row.received), row.upload_key) for row in rows]
    return table(of.say.table("photos.arriving_columns"), listed, of.say("photos.arriving"))


def _named(of: Subject, row: Photo) -> str:
    return f": {of.names[row.artifact_id]}" if row.artifact_id in of.names else ""


def _photo(of: Subject, row: Photo) -> list[tuple[str, str]]:
    say, verdict = of.say, held.own_face_only(row.verdict, row.subject)
    found = [
        (say("photos.uploaded"), say.moment(row.created_at)),
        (say("photos.checked"), say.moment(row.checked_at)),
    ]
    if row.put_in_by is not None:
        found.append((say("photos.put_in"), say("photos.by_company")))
    if row.removed_at:
        found.append((say("photos.removed"), say.moment(row.removed_at)))
    if row.check_failed_at:
        found.append((say("photos.failed"), say.moment(row.check_failed_at)))
    if verdict:
        found.append(
            (say("photos.verdict"), say("photos.accepted" if verdict["accepted"] else "photos.refused"))
        )
        found.append((say("photos.said"), "\n".join(_issues(of, verdict)) or say("photos.nothing")))
        found.append((say("photos.score"), say.number(verdict.get("score") or 0)))
        if "number_of_faces" in verdict:
            found.append((say("photos.faces"), say.number(verdict["number_of_faces"])))
        if verdict.get("phash") and of.biometrics:
            found.append((say("photos.phash"), verdict["phash"]))
        found += _measures(of, verdict.get("measures") or {})
    if row.subject:
        across, down = row.subject
        found.append(
            (
                say("photos.face"),
                say("photos.face_at", across=say.number(across * 100), down=say.number(down * 100)),
            )
        )
    if row.confirmed_at:
        found.append((say("photos.confirmed"), say.moment(row.confirmed_at)))
    if row.likeness_id:
        file = of.names.get(row.likeness_id)
        said = say("photos.numbers_file", file=file) if file else say("photos.numbers_held")
        found.append((say("photos.numbers"), said))
    found.append((say("photos.key"), row.upload_key))
    return found


def _issues(of: Subject, verdict: Mapping[str, Any]) -> list[str]:
    """Return what the check said, as its page does."""
    known = {one.value for one in Issue}
    return [
        of.say.said(ADVICE[Issue(one["code"])].text, **one.get("values", {}))
        if one["code"] in known
        else str(one.get("advice", one["code"]))
        for one in verdict.get("issues", ())
    ]


def _measures(of: Subject, measures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the measures as one row: two dozen rows a photo would bury the rest."""
    known = {of.say.label("measure", name): value for name, value in measures.items() if value is not None}
    return _together(of, "photos.measures", known)


def _together(of: Subject, label: str, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    said = " · ".join(f"{name}: {_value(of, value)}" for name, value in values.items())
    return [(of.say(label), said)] if said else []


def _value(of: Subject, value: Any) -> str:
    if isinstance(value, bool):
        return of.say.yes(value)
    return of.say.number(value) if isinstance(value, int | float) else str(value)


def headshots(of: Subject) -> Section:
    """Return each headshot with the figures that it was judged by."""
    say = of.say
    rows = of.session.execute(
        select(Headshot, Style.name)
        .join(Style, Style.id == Headshot.style_id)
        .where(Headshot.member_id == of.member.id)
        .order_by(Headshot.id)
    ).all()
    tables = []
    for number, (row, style) in enumerate(rows, 1):
        name = of.names.get(row.artifact_id) if row.artifact_id else None
        caption = f"{say('headshots.one')} {number}" + (f": {name}" if name else "")
        tables.append(Table(tuple(say.table("photos.columns")), tuple(_headshot(of, row, style)), caption))
    return Section(
        "headshots",
        say("headshots.heading"),
        of.law("headshots"),
        text=(say("headshots.text"),) if rows else (say("headshots.none"),),
        tables=tuple(tables),
    )


def _headshot(of: Subject, row: Headshot, style: str) -> list[tuple[str, str]]:
    say = of.say
    found = [
        (say("headshots.made"), say.moment(row.created_at)),
        (say("headshots.style"), style),
        (say("headshots.engine"), say.label("engine", row.engine)),
        (
            say("headshots.shown"),
            say("yes")
            if row.withheld_code is None
            else say("headshots.withheld", code=say.label("withheld", row.withheld_code)),
        ),
    ]
    if row.seed is not None:
        found.append((say("headshots.seed"), str(row.seed)))
    if row.mark is not None:
        found.append((say("headshots.mark"), marks.written(row.mark)))
    if row.rejected_code:
        found.append(
            (
                say("headshots.rejected"),
                f"{say.said(REASONS[Reason(row.rejected_code)])} ({say.moment(row.rejected_at)})",
            )
        )
    if row.returned_code:
        why = say.said(FLAWS[Flaw(row.returned_code)])
        found.append((say("headshots.returned"), f"{why} ({say.moment(row.returned_at)})"))
    gates: Mapping[str, Mapping[str, Any]] = row.gates.get("gates", {})
    if gates:
        said = (f"{say.label('gate', name)}: {_gate(of, gate)}" for name, gate in gates.items())
        found.append((say("headshots.gates"), "\n".join(said)))
    found += [(say("headshots.note"), say.label("note", str(one))) for one in row.gates.get("notes", ())]
    figures = {say.label("figure", name): value for name, value in row.gates.get("figures", {}).items()}
    return found + _together(of, "photos.measures", figures)


def _gate(of: Subject, gate: Mapping[str, Any]) -> str:
    say, value = of.say, gate.get("value")
    if value is None:
        return say("headshots.not_measured")
    side = "least" if gate.get("at_least") else "most"
    limit = say(f"headshots.{side}", limit=say.number(gate["limit"])) if gate.get("limit") is not None else ""
    said = {True: say("headshots.passed"), False: say("headshots.not_passed")}.get(gate.get("passed"), "")  # type: ignore[arg-type]
    return "; ".join(
        one for one in (f"{say.number(value)} {gate.get('unit') or ''}".strip(), limit, said) if one
    )


def models(of: Subject) -> Section:
    """Return the image models that learned the person, and what a model and a face's numbers are."""
    say = of.say
    rows = of.session.execute(
        select(Adapter, Artifact)
        .join(Artifact, Artifact.id == Adapter.artifact_id)
        .where(Adapter.member_id == of.member.id)
        .order_by(Adapter.id)
    )
    listed = [
        (
            say.moment(row.created_at),
            f"{row.base} ({row.revision[:12]})",
            say("models.learned", photos=len(row.photos), steps=row.steps, rank=row.rank),
            "\n".join(_curve(of, one) for one in row.curve) or "–",
            say.moment(file.destroyed_at or file.delete_requested_at)
            if file.delete_requested_at
            else say("models.held"),
        )
        for row, file in rows
    ]
    return Section(
        "models",
        say("models.heading"),
        of.law("models"),
        text=(say("models.numbers"), say("models.text" if listed else "models.none")),
        tables=table(say.table("models.columns"), listed),
    )


def _curve(of: Subject, point: Mapping[str, Any]) -> str:
    distance = point.get("distance")
    return f"{point.get('step')}: {of.say.number(distance) if distance is not None else '–'}"
