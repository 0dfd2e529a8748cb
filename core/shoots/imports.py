"""A roster on its way into a shoot: the dry run, the rejected rows to take home, and some rows invited.

The file names people, so until it is imported it lies sealed in the vault and nowhere else, for an hour
at most (`compliance.retention`). `core.shoots.commits` imports what was confirmed.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import Base64Bytes, BaseModel, ConfigDict
from sqlalchemy import ARRAY, Text, Uuid, any_, func, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit
from core.clock import now
from core.errors import Conflict, Gone, InvalidInput
from core.models import Artifact, Kind, Member, Participation, Shoot
from core.people import addresses, list_columns, members, roster, tabular
from core.people.columns import Field
from core.people.encodings import Encoding
from core.people.roster import Choice, Roster
from core.people.rows import Reason, Row, Verdict
from core.settings import settings
from core.shoots import invites, shoots
from core.vault import ArtifactGone, Held, KeyErased, Sealed, vault

KEPT_FOR = timedelta(hours=1)
BATCH = 1000
COLUMNS = (
    *("email", "first name", "last name", "employee id", "department", "language", "country"),
    *("line", "reason"),
)


class ImportGone(Gone):
    """The uploaded file was imported already, or an hour has passed."""

    code = "import_gone"


class ImportCrossed(Conflict):
    """Someone added one of these people in the same moment."""

    code = "import_crossed"


class ImportUnclear(InvalidInput):
    """A question about the file has no answer yet, so nobody is invited from it."""

    code = "import_unclear"


class _Stored(BaseModel):
    """What lies in the vault until the list is imported."""

    model_config = ConfigDict(frozen=True)

    shoot_id: UUID
    content: Base64Bytes


def first_look(session: Session, shoot: Shoot, content: bytes) -> Roster:
    """Judge a file that was sent, or find what has to be asked about it; then `seal` and `keep` hold it for the commit.

    Raises:
        ShootClosed: nobody can be invited any more.
        InvalidInput, TooLarge: the file as a whole cannot be used; see `core.people.roster.parse`.
    """
    shoots.open_or_refuse(shoot)
    return dry_run(session, shoot.id, content, Choice())


def dry_run(session: Session, shoot_id: UUID, content: bytes, choice: Choice) -> Roster:
    """Judge a file with what a person said about it, against who is in the organization right now.

    Raises:
        InvalidInput: what was said does not fit the file; see `core.people.roster.parse`.
    """
    parsed = parse_as_before(session, content, choice)
    return replace(parsed, rows=judge(session, shoot_id, parsed.rows))


def parse_as_before(session: Session, content: bytes, choice: Choice) -> Roster:
    """Judge a file by what it says itself, read as the company read such a list before where nothing else is said.

    Raises:
        InvalidInput, TooLarge: it cannot be used as a whole; see `core.people.roster.parse`.
    """
    parsed = parse(content, choice)
    before = list_columns.known(session, parsed, choice)
    return (
        replace(parsed, choice=choice) if before is None else replace(parse(content, before), choice=before)
    )


def rejected_csv(session: Session, shoot_id: UUID, content: bytes, choice: Choice) -> bytes:
    """Return the rows that would be rejected, with a column of reasons.

    Raises:
        InvalidInput: what was said does not fit the file; see `core.people.roster.parse`.
    """
    judged = dry_run(session, shoot_id, content, choice).rows
    rejected = (row for row in judged if row.verdict is Verdict.REJECTED)
    return tabular.write(COLUMNS, ((*cells(row), row.text) for row in rejected))


def parse(content: bytes, choice: Choice) -> Roster:
    """Judge a file by what it says itself.

    Raises:
        InvalidInput, TooLarge: it cannot be used as a whole; see `core.people.roster.parse`.
    """
    return roster.parse(content, choice, test_domains=not settings().is_production)


def stored(choice: Choice) -> dict[str, object]:
    """Return what was said about a file, as a row keeps it: encodings and numbers of columns."""
    return {
        "encoding": choice.encoding,
        "columns": {field.value: index for field, index in choice.columns.items()}
        if choice.columns is not None
        else None,
        "has_header": choice.has_header,
    }


def choice_of(kept: dict[str, Any]) -> Choice:
    """Return what `stored` keeps."""
    encoding, columns = kept["encoding"], kept["columns"]
    return Choice(
        encoding=Encoding(encoding) if encoding else None,
        columns={Field(name): index for name, index in columns.items()} if columns is not None else None,
        has_header=kept["has_header"],
    )


def seal(org_id: UUID, shoot_id: UUID, content: bytes) -> Sealed:
    """Seal a file that was judged, before the transaction that keeps it."""
    return seal_list(org_id, _Stored(shoot_id=shoot_id, content=base64.b64encode(content)))


def seal_list(org_id: UUID, named: BaseModel) -> Sealed:
    """Seal what names many people, with a key of its own."""
    content = named.model_dump_json().encode()
    return vault().seal(org_id, content, kind=Kind.ROSTER, media_type="application/json", member_id=None)


def keep(session: Session, sealed: Sealed) -> UUID:
    """Keep a sealed file for the commit, and return the number that leads back to it."""
    return vault().keep(session, sealed).id


def gone() -> ImportGone:
    """Return what to say of a file that is not here any more."""
    return ImportGone(
        "This file has been imported, or an hour has passed and it was deleted."
        " Nobody is invited twice: upload it again to see what is left."
    )


def find(session: Session, import_id: UUID) -> Held:
    """Return where a file lies that was uploaded in the last hour, for `read`.

    Raises:
        ImportGone: there is none.
    """
    artifact = session.get(Artifact, import_id, populate_existing=True)
    if (
        artifact is None
        or artifact.kind != Kind.ROSTER
        or artifact.delete_requested_at is not None
        or artifact.created_at < now() - KEPT_FOR
    ):
        raise gone()
    return vault().find(session, import_id)


def is_here(session: Session, import_id: UUID) -> bool:
    """Whether a file has not been deleted."""
    artifact = session.get(Artifact, import_id, populate_existing=True)
    return artifact is not None and artifact.delete_requested_at is None


def read(held: Held, shoot_id: UUID) -> bytes:
    """Return the file that `find` found, outside of its transaction.

    Raises:
        ImportGone: it was deleted meanwhile, or uploaded for another shoot.
        Unavailable: the storage does not answer.
    """
    stored = _Stored.model_validate_json(opened(held))
    if stored.shoot_id != shoot_id:
        raise gone()
    return stored.content


def opened(held: Held) -> bytes:
    """Return what names many people, for a page.

    Raises:
        ImportGone: it was deleted meanwhile.
        Unavailable: the storage does not answer.
    """
    try:
        return vault().open(held)
    except (ArtifactGone, KeyErased) as error:
        raise gone() from error


def content_of(held: Held) -> bytes:
    """Return a file that was confirmed, however long ago.

    Raises:
        ArtifactGone, KeyErased: it was deleted.
        Unavailable: the storage does not answer.
    """
    return _Stored.model_validate_json(vault().open(held)).content


def cells(row: Row) -> tuple[str, ...]:
    """Return a row as the files to take home have it, without the reason."""
    values = row.values
    return (
        values.email,
        values.first_name,
        values.last_name,
        values.employee_id,
        values.department,
        values.language,
        values.place_unread or values.place,
        str(row.line),
    )


@dataclass(frozen=True)
class Known:
    """What the organization knows about the people of a file."""

    by_email: dict[str, Member]
    by_employee_id: dict[str, Member]
    in_shoot: set[UUID]


def known(session: Session, shoot_id: UUID, rows: Sequence[Row]) -> Known:
    """Return whom of these rows the organization knows, and who is in the shoot."""
    by_email: dict[str, Member] = {}
    by_employee_id: dict[str, Member] = {}
    # Arrays and not lists of parameters: a thousand of those take longer to parse than to look up.
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        emails = [one for row in batch if row.values.email for one in addresses.spellings(row.values.email)]
        numbers = [row.values.employee_id for row in batch if row.values.employee_id]
        for member in session.scalars(
            select(Member).where(func.lower(Member.email) == any_(literal(emails, ARRAY(Text))))
        ):
            by_email[addresses.canonical(member.email or "")] = member
        for member in session.scalars(
            select(Member).where(Member.employee_id == any_(literal(numbers, ARRAY(Text))))
        ):
            by_employee_id[member.employee_id or ""] = member
    found = [member.id for member in by_email.values()]
    in_shoot = set(
        session.scalars(
            select(Participation.member_id).where(
                Participation.shoot_id == shoot_id,
                Participation.member_id == any_(literal(found, ARRAY(Uuid))),
            )
        )
        if found
        else ()
    )
    return Known(by_email, by_employee_id, in_shoot)


def judge(session: Session, shoot_id: UUID, rows: Sequence[Row]) -> tuple[Row, ...]:
    """Judge rows against who is in the organization right now."""
    among = known(session, shoot_id, rows)
    return tuple(_against(row, among) for row in rows)


def _against(row: Row, among: Known) -> Row:
    if not row.is_good:
        return row
    member = among.by_email.get(addresses.canonical(row.values.email))
    holder = among.by_employee_id.get(row.values.employee_id) if row.values.employee_id else None
    if holder is not None and holder is not member:
        return row.because(Reason.EMPLOYEE_ID_TAKEN)
    if member is None:
        return row
    if member.id in among.in_shoot:
        return row.because(Reason.ALREADY_IN_SHOOT)
    if member.disabled_at is not None:
        return row.because(Reason.MEMBER_DISABLED)
    return row.because(Reason.EXISTING_MEMBER)


def invite(session: Session, shoot: Shoot, rows: Sequence[Row], actor: audit.Actor) -> None:
    """Invite the people of good rows, in one go.

    Raises:
        ImportCrossed: someone added one of these people at this moment.
    """
    try:
        _invite(session, shoot, rows, actor)
    except IntegrityError as error:
        raise ImportCrossed(
            "Someone was added to your organization at this very moment. Nothing was imported: try again."
        ) from error


def _invite(session: Session, shoot: Shoot, rows: Sequence[Row], actor: audit.Actor) -> None:
    among = known(session, shoot.id, rows)
    existing = [
        member
        for row in rows
        if (member := among.by_email.get(addresses.canonical(row.values.email))) is not None
    ]
    new = [
        members.NewMember(
            email=row.values.email,
            first_name=row.values.first_name,
            last_name=row.values.last_name,
            employee_id=row.values.employee_id or None,
            department=row.values.department or None,
            language=row.values.language or None,
            place=row.values.place or None,
        )
        for row in rows
        if addresses.canonical(row.values.email) not in among.by_email
    ]
    added = members.add(session, new, actor=actor, tag=audit.Tag.MEMBER_IMPORTED)
    for row in rows:
        found = among.by_email.get(addresses.canonical(row.values.email))
        # What is known of somebody stays, as their name does; they can say it otherwise themselves.
        if found is not None and row.values.place and not found.place:
            members.works_in(session, found, row.values.place, by="roster", actor=actor)
    invites.join(session, shoot, [*existing, *added], actor=actor)
