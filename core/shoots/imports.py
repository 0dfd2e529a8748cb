"""Importing a roster into a shoot: dry run, commit, and the rejected rows to take home.

The file names people, so between the steps it lies sealed in the vault and nowhere else, for an hour
at most (`compliance.retention`); a commit destroys it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from pydantic import Base64Bytes, BaseModel, ConfigDict
from sqlalchemy import ARRAY, Text, any_, func, literal, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.db import organization_of
from core.errors import Conflict, Gone, InvalidInput
from core.ids import new_id
from core.models import Artifact, Kind, Member, Organization, Participation, Shoot, State
from core.people import addresses, members, roster, tabular
from core.people.roster import Choice, Roster
from core.people.rows import Reason, Row, Verdict
from core.settings import settings
from core.shoots import invites, shoots
from core.vault import vault
from core.words import N_

KEPT_FOR = timedelta(hours=1)
BATCH = 1000
COLUMNS = ("email", "first name", "last name", "employee id", "department", "language", "line", "reason")


class ImportGone(Gone):
    """The uploaded file was imported already, or an hour has passed."""

    code = "import_gone"


class ImportCrossed(Conflict):
    """Someone added one of these people in the same moment."""

    code = "import_crossed"


class ImportUnclear(InvalidInput):
    """A question about the file has no answer yet, so nobody is invited from it."""

    code = "import_unclear"


@dataclass(frozen=True)
class Committed:
    """What an import did."""

    invited: int
    skipped: int
    rejected: int


class _Stored(BaseModel):
    """What lies in the vault: the uploaded file, or after the commit only its rejected rows."""

    model_config = ConfigDict(frozen=True)

    shoot_id: UUID
    content: Base64Bytes
    committed: Committed | None = None


@dataclass(frozen=True)
class DryRun:
    """An uploaded file, judged against who is in the organization right now."""

    import_id: UUID
    shoot_id: UUID
    roster: Roster


def upload(session: Session, shoot: Shoot, content: bytes) -> DryRun:
    """Judge a file, or find what has to be asked about it, and keep it for the commit.

    Raises:
        ShootClosed: nobody can be invited any more.
        InvalidInput, TooLarge: the file as a whole cannot be used; see `core.people.roster.parse`.
    """
    shoots.open_or_refuse(shoot)
    judged = _judge(session, shoot.id, _parse(content, Choice()))
    import_id = _keep(session, _Stored(shoot_id=shoot.id, content=_base64(content)))
    return DryRun(import_id, shoot.id, judged)


def dry_run(session: Session, shoot_id: UUID, import_id: UUID, choice: Choice) -> DryRun:
    """Judge a kept file again, with what a person said about it.

    Raises:
        ImportGone: it was imported or dropped.
        InvalidInput: what was said does not fit the file; see `core.people.roster.parse`.
    """
    parsed = _parse(_uploaded(session, shoot_id, import_id), choice)
    return DryRun(import_id, shoot_id, _judge(session, shoot_id, parsed))


def commit(
    session: Session, shoot: Shoot, import_id: UUID, choice: Choice, *, actor: audit.Actor
) -> tuple[Committed, UUID | None]:
    """Invite every good row, destroy the file and keep the rejected rows for an hour.

    People who are in the organization already are invited as they are known; who is in the shoot
    already is left alone. A file can be committed once.

    Returns:
        What was done, and the id under which the rejected rows lie, `None` if there are none.

    Raises:
        ImportGone: it was committed or dropped before.
        ImportCrossed: someone added one of these people at this moment; nothing was imported.
        ImportUnclear: something about the file has to be chosen first.
        ShootClosed: nobody can be invited any more.
    """
    # One import at a time in an organization, so that no two add the same person.
    session.get_one(
        Organization, organization_of(session), with_for_update={"key_share": True}, populate_existing=True
    )
    shoots.open_or_refuse(shoot)
    parsed = _parse(_uploaded(session, shoot.id, import_id), choice)
    if parsed.asks is not None:
        raise ImportUnclear(
            N_("Please answer first how the list is to be read. Nobody has been invited yet.")
        )
    known = _known(session, shoot.id, parsed.rows)
    locks.people(session, {member.id for member in known.by_email.values()})
    # Judged now that nobody of them can be erased or invited meanwhile.
    judged = _judge(session, shoot.id, parsed)
    good = [row for row in judged.rows if row.is_good]
    rejected = [row for row in judged.rows if row.verdict is Verdict.REJECTED]
    for start in range(0, len(good), BATCH):
        try:
            _invite(session, shoot, good[start : start + BATCH], actor)
        except IntegrityError as error:
            raise ImportCrossed(
                "Someone was added to your organization at this very moment. Nothing was imported: try again."
            ) from error
    committed = Committed(len(good), judged.counts[Verdict.SKIPPED], len(rejected))
    vault().delete(session, [import_id])
    rejected_id = (
        _keep(session, _Stored(shoot_id=shoot.id, content=_base64(_csv(rejected)), committed=committed))
        if rejected
        else None
    )
    audit.record(
        session,
        audit.Tag.ROSTER_IMPORTED,
        actor=actor,
        shoot=str(shoot.id),
        invited=committed.invited,
        skipped=committed.skipped,
        rejected=committed.rejected,
    )
    return committed, rejected_id


def outcome(session: Session, shoot_id: UUID, import_id: UUID) -> Committed:
    """Return what a commit did that left rejected rows, for as long as these are kept.

    Raises:
        ImportGone: an hour has passed, or the file was not committed.
    """
    stored = _load(session, shoot_id, import_id)
    if stored.committed is None:
        raise _gone()
    return stored.committed


def rejected_csv(session: Session, shoot_id: UUID, import_id: UUID, choice: Choice) -> bytes:
    """Return the rejected rows with a column of reasons, before or after the commit.

    Raises:
        ImportGone: an hour has passed.
    """
    stored = _load(session, shoot_id, import_id)
    if stored.committed is not None:
        return stored.content
    judged = _judge(session, shoot_id, _parse(stored.content, choice))
    return _csv([row for row in judged.rows if row.verdict is Verdict.REJECTED])


def _parse(content: bytes, choice: Choice) -> Roster:
    return roster.parse(content, choice, test_domains=not settings().is_production)


def _base64(content: bytes) -> bytes:
    return base64.b64encode(content)


def _keep(session: Session, stored: _Stored) -> UUID:
    content = stored.model_dump_json().encode()
    return vault().put(session, content, kind=Kind.ROSTER, media_type="application/json", member_id=None).id


def _gone() -> ImportGone:
    return ImportGone(
        "This file has been imported, or an hour has passed and it was deleted."
        " Nobody is invited twice: upload it again to see what is left."
    )


def _load(session: Session, shoot_id: UUID, import_id: UUID) -> _Stored:
    artifact = session.get(Artifact, import_id, populate_existing=True)
    if (
        artifact is None
        or artifact.kind != Kind.ROSTER
        or artifact.delete_requested_at is not None
        or artifact.created_at < now() - KEPT_FOR
    ):
        raise _gone()
    stored = _Stored.model_validate_json(vault().get(session, import_id))
    if stored.shoot_id != shoot_id:
        raise _gone()
    return stored


def _uploaded(session: Session, shoot_id: UUID, import_id: UUID) -> bytes:
    stored = _load(session, shoot_id, import_id)
    if stored.committed is not None:
        raise _gone()
    return stored.content


def _csv(rows: Iterable[Row]) -> bytes:
    return tabular.write(
        COLUMNS,
        (
            (
                row.values.email,
                row.values.first_name,
                row.values.last_name,
                row.values.employee_id,
                row.values.department,
                row.values.language,
                str(row.line),
                row.text,
            )
            for row in rows
        ),
    )


@dataclass(frozen=True)
class _Known:
    """What the organization knows about the people of a file."""

    by_email: dict[str, Member]
    by_employee_id: dict[str, Member]
    in_shoot: set[UUID]


def _known(session: Session, shoot_id: UUID, rows: Sequence[Row]) -> _Known:
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
    in_shoot = set(
        session.scalars(select(Participation.member_id).where(Participation.shoot_id == shoot_id))
        if by_email
        else ()
    )
    return _Known(by_email, by_employee_id, in_shoot)


def _judge(session: Session, shoot_id: UUID, parsed: Roster) -> Roster:
    known = _known(session, shoot_id, parsed.rows)
    return replace(parsed, rows=tuple(_against(row, known) for row in parsed.rows))


def _against(row: Row, known: _Known) -> Row:
    if not row.is_good:
        return row
    member = known.by_email.get(addresses.canonical(row.values.email))
    holder = known.by_employee_id.get(row.values.employee_id) if row.values.employee_id else None
    if holder is not None and holder is not member:
        return row.because(Reason.EMPLOYEE_ID_TAKEN)
    if member is None:
        return row
    if member.id in known.in_shoot:
        return row.because(Reason.ALREADY_IN_SHOOT)
    if member.disabled_at is not None:
        return row.because(Reason.MEMBER_DISABLED)
    return row.because(Reason.EXISTING_MEMBER)


def _invite(session: Session, shoot: Shoot, rows: Sequence[Row], actor: audit.Actor) -> None:
    known = _known(session, shoot.id, rows)
    existing = [
        member
        for row in rows
        if (member := known.by_email.get(addresses.canonical(row.values.email))) is not None
    ]
    default = session.get_one(Organization, organization_of(session)).language
    new = [
        members.NewMember(
            email=row.values.email,
            first_name=row.values.first_name,
            last_name=row.values.last_name,
            employee_id=row.values.employee_id or None,
            department=row.values.department or None,
            language=row.values.language or default,
        )
        for row in rows
        if addresses.canonical(row.values.email) not in known.by_email
    ]
    added = members.add(session, new, actor=actor, tag=audit.Tag.MEMBER_IMPORTED)
    moment = now()
    joined = [
        Participation(
            id=new_id(),
            org_id=organization_of(session),
            created_at=moment,
            shoot_id=shoot.id,
            member_id=member.id,
            state=State.INVITED,
            changed_at=moment,
        )
        for member in (*existing, *added)
    ]
    session.add_all(joined)
    session.flush()
    invites.create_all(session, shoot, joined, actor=actor)
