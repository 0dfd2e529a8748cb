"""A confirmed list, imported behind the pages: some rows a transaction, each with its result.

The file stays sealed until the last row is done, then a list of every row and its result takes its place for an
hour. Whatever ends a worker in between, the next one goes on with the first row that is not done: what a row did
and that it is done are one transaction. Erasing anybody deletes every list and result of the company, since any of
them may name that person; so does restoring a backup, since nobody knows whom it names that was erased since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.db import organization_of
from core.models import Artifact, Kind, Member, Organization, RosterImport
from core.people import tabular
from core.people.columns import Field
from core.people.encodings import Encoding
from core.people.roster import Choice, Roster
from core.people.rows import Reason, Row, Verdict
from core.permissions import Permission, allowed
from core.queue import JobName, enqueue
from core.shoots import imports, shoots
from core.vault import vault
from core.words import N_

# A second's work, in which nobody else can add people to the organization.
ROWS_AT_ONCE = 200
# Of a list that no worker comes to; after this its file is deleted like any other.
LONGEST = timedelta(days=1)


class Ended(StrEnum):
    """Why a list was deleted before its last row was done, so that it cannot be taken up again."""

    ERASED = "somebody_erased"
    RESTORED = "backup_restored"


ENDED: Final = frozenset(Ended)
NOT_ALLOWED: Final = (
    "not_allowed"  # whoever confirmed it may not invite any more; another admin can take it up
)


class _Result(BaseModel):
    """What lies in the vault once a list is done: the rows of its file to take home, with what became of each."""

    model_config = ConfigDict(frozen=True)

    rows: list[tuple[str, ...]]  # as `COLUMNS`


COLUMNS = (*imports.COLUMNS[:7], "result", "reason")
_RESULT = COLUMNS.index("result")
RESULTS = {
    Verdict.OK: "invited",
    Verdict.WARNING: "invited",
    Verdict.SKIPPED: "already there",
    Verdict.REJECTED: "refused",
}


@dataclass(frozen=True)
class Outcome:
    """How far an import is, and what it did so far.

    Attributes:
        rows: of the list.
        done: of these.
        invited, skipped, rejected: how many of the done ones were.
        finished_at: when the last row was done.
        failure: why it stopped before; it can be taken up again while `has_file`.
        has_file: whether what names people is still here: the list, or once finished every row with its result.
    """

    rows: int
    done: int
    invited: int
    skipped: int
    rejected: int
    finished_at: datetime | None
    failure: str | None
    has_file: bool

    @property
    def percent(self) -> int:
        """How much of it is done, 0 to 100."""
        return 100 * self.done // self.rows if self.rows else 100


def start(
    session: Session, shoot_id: UUID, import_id: UUID, choice: Choice, *, actor: audit.Actor
) -> RosterImport:
    """Owe the import of a file that was judged; confirming it again changes nothing, or takes up what stopped.

    Raises:
        ImportGone: there is no such file any more.
        ImportUnclear: something about the file has to be chosen first.
        ShootClosed: nobody can be invited any more.
    """
    # One at a time, so that of two clicks the second finds what the first began.
    _lock_organization(session)
    known = session.get(RosterImport, import_id, populate_existing=True)
    if known is not None:
        if known.shoot_id != shoot_id:
            raise imports.gone()
        if known.failure is not None and _has(session, known.id):
            known.failure, known.member_id = None, actor.member_id
            enqueue(session, JobName.IMPORT_ROSTER, known.id)
        return known
    shoots.open_or_refuse(shoots.get(session, shoot_id))
    parsed = imports.parse(imports.uploaded(session, shoot_id, import_id), choice)
    if parsed.asks is not None:
        raise imports.ImportUnclear(
            N_("Please answer first how the list is to be read. Nobody has been invited yet.")
        )
    begun = RosterImport(
        id=import_id,
        org_id=organization_of(session),
        created_at=now(),
        shoot_id=shoot_id,
        member_id=actor.member_id,
        choice=_stored(choice),
        rows=len(parsed.rows),
        outcomes=[],
        invited=0,
        skipped=0,
        rejected=0,
    )
    session.add(begun)
    session.flush()
    enqueue(session, JobName.IMPORT_ROSTER, import_id)
    return begun


def read(session: Session, import_id: UUID) -> Roster | None:
    """Return the confirmed list, to go on with it; `None` once it is done or has ended.

    Raises:
        ArtifactGone: nobody came to it for a day, and it was deleted.
    """
    row = session.get_one(RosterImport, import_id)
    if row.finished_at is not None or row.failure in ENDED:
        return None
    return imports.parse(imports.content_of(session, import_id), _choice(row))


def go_on(session: Session, import_id: UUID, parsed: Roster) -> bool:
    """Do the next rows of a list, and return whether there are more.

    People who are in the organization already are invited as they are known; who is in the shoot already is left
    alone. A row that cannot be imported stops no other. Once whoever confirmed it may not invite any more it stops.

    Raises:
        ImportCrossed: someone added one of these people at this moment; these rows were not imported.
    """
    _lock_organization(session)
    row = session.get_one(
        RosterImport, import_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if row.finished_at is not None or row.failure in ENDED:
        return False
    if not _may_invite(session, row):
        row.failure = NOT_ALLOWED
        return False
    shoot = shoots.get(session, row.shoot_id, lock=True)
    batch = parsed.rows[len(row.outcomes) : len(row.outcomes) + ROWS_AT_ONCE]
    if shoot.closed_at is not None:
        judged = tuple(one.because(Reason.SHOOT_CLOSED) if one.is_good else one for one in batch)
    else:
        known = imports.known(session, shoot.id, batch)
        locks.people(session, {member.id for member in known.by_email.values()})
        # Judged now that nobody of them can be erased or invited meanwhile.
        judged = imports.judge(session, shoot.id, batch)
        if good := [one for one in judged if one.is_good]:
            imports.invite(session, shoot, good, _actor(session, row))
    _note(row, judged)
    if len(row.outcomes) < row.rows:
        return True
    _finish(session, row, parsed)
    return False


def give_up(session: Session, import_id: UUID, code: str) -> None:
    """Note that it stopped; what was done stays, and it can be taken up again unless it has ended for good."""
    row = session.get_one(RosterImport, import_id)
    if row.failure not in ENDED:
        row.failure = code[:64]


def end_all(session: Session, why: Ended) -> None:
    """Delete every list and every result of the session's organization; what is not done yet stops for good.

    What somebody else is deleting right now is left to them.
    """
    session.execute(update(RosterImport).where(RosterImport.finished_at.is_(None)).values(failure=why))
    kept = select(Artifact.id).where(
        Artifact.member_id.is_(None), Artifact.kind == Kind.ROSTER, Artifact.delete_requested_at.is_(None)
    )
    vault().delete(session, session.scalars(kept.with_for_update(key_share=True, skip_locked=True)).all())


def outcome(session: Session, shoot_id: UUID, import_id: UUID) -> Outcome | None:
    """Return how far an import is; `None` if the list was not confirmed, or is none of this shoot."""
    row = session.get(RosterImport, import_id, populate_existing=True)
    if row is None or row.shoot_id != shoot_id:
        return None
    finished = row.finished_at is not None
    return Outcome(
        row.rows,
        row.rows if finished else len(row.outcomes),
        row.invited,
        row.skipped,
        row.rejected,
        row.finished_at,
        row.failure,
        _has(session, row.id) if row.result_id is None else _has_result(session, row.result_id),
    )


def under_way(session: Session, shoot_id: UUID) -> Sequence[UUID]:
    """Return the imports into a shoot that are not done, the last one first."""
    return session.scalars(
        select(RosterImport.id)
        .where(RosterImport.shoot_id == shoot_id, RosterImport.id.in_(needed(now())))
        .order_by(RosterImport.created_at.desc())
    ).all()


def needed(moment: datetime) -> Select[UUID]:
    """Ask for the files of lists that are confirmed and not done, for a day."""
    return select(RosterImport.id).where(
        RosterImport.finished_at.is_(None), RosterImport.created_at > moment - LONGEST
    )


def results_csv(session: Session, shoot_id: UUID, import_id: UUID, *, refused_only: bool = False) -> bytes:
    """Return every row of a list that is done, with its result and the reason.

    Raises:
        ImportGone: it is not done, or an hour has passed.
    """
    row = session.get(RosterImport, import_id)
    if row is None or row.shoot_id != shoot_id or row.result_id is None:
        raise imports.gone()
    if not _has_result(session, row.result_id):
        raise imports.gone()
    kept = _Result.model_validate_json(vault().get(session, row.result_id))
    refused = RESULTS[Verdict.REJECTED]
    return tabular.write(COLUMNS, (one for one in kept.rows if not refused_only or one[_RESULT] == refused))


def _lock_organization(session: Session) -> None:
    """Let nobody else import meanwhile, so that no two add the same person."""
    session.get_one(
        Organization, organization_of(session), with_for_update={"key_share": True}, populate_existing=True
    )


def _has(session: Session, artifact_id: UUID) -> bool:
    artifact = session.get(Artifact, artifact_id, populate_existing=True)
    return artifact is not None and artifact.delete_requested_at is None


def _has_result(session: Session, artifact_id: UUID) -> bool:
    """Whether a result is here and its hour is not over: it is deleted some time after that."""
    return _has(session, artifact_id) and (
        session.get_one(Artifact, artifact_id).created_at > now() - imports.KEPT_FOR
    )


def _actor(session: Session, row: RosterImport) -> audit.Actor:
    return audit.actor_for(session.get_one(Member, row.member_id)) if row.member_id else audit.SYSTEM


def _may_invite(session: Session, row: RosterImport) -> bool:
    if row.member_id is None:
        return True
    member = session.get_one(Member, row.member_id, populate_existing=True)
    gone = member.disabled_at is not None or member.erased_at is not None
    return not gone and allowed(member.role, Permission.INVITE)


def _note(row: RosterImport, judged: Sequence[Row]) -> None:
    row.outcomes = [*row.outcomes, *([reason.value for reason in one.reasons] for one in judged)]
    row.invited += sum(one.is_good for one in judged)
    row.skipped += sum(one.verdict is Verdict.SKIPPED for one in judged)
    row.rejected += sum(one.verdict is Verdict.REJECTED for one in judged)


def _finish(session: Session, row: RosterImport, parsed: Roster) -> None:
    """Put every row with its result in the file's place."""
    done = [
        Row(one.line, one.values, tuple(map(Reason, reasons)))
        for one, reasons in zip(parsed.rows, row.outcomes, strict=True)
    ]
    result = _Result(rows=[(*imports.cells(one), RESULTS[one.verdict], one.text) for one in done])
    content = result.model_dump_json().encode()
    kept = vault().put(session, content, kind=Kind.ROSTER, media_type="application/json", member_id=None)
    vault().delete(session, [row.id])
    row.result_id, row.outcomes = kept.id, []
    row.finished_at, row.failure = now(), None
    audit.record(
        session,
        audit.Tag.ROSTER_IMPORTED,
        actor=_actor(session, row),
        shoot=str(row.shoot_id),
        invited=row.invited,
        skipped=row.skipped,
        rejected=row.rejected,
    )


def _stored(choice: Choice) -> dict[str, object]:
    return {
        "encoding": choice.encoding,
        "columns": {field.value: index for field, index in choice.columns.items()}
        if choice.columns is not None
        else None,
        "has_header": choice.has_header,
    }


def _choice(row: RosterImport) -> Choice:
    encoding, columns = row.choice["encoding"], row.choice["columns"]
    return Choice(
        encoding=Encoding(encoding) if encoding else None,
        columns={Field(name): index for name, index in columns.items()} if columns is not None else None,
        has_header=row.choice["has_header"],
    )
