"""A confirmed list, imported behind the pages: some rows a transaction, each with its result.

The file stays sealed until the last row is done; then a list of every row and its result is sealed, and takes its
place for an hour. Whatever ends a worker in between, the next one goes on with the first row that is not done, or
with that list: what a row did and that it is done are one transaction. Erasing anybody deletes every list and result
of the company, since any of them may name that person; so does restoring a backup, since nobody knows whom it names
that was erased since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.db import organization_of
from core.models import Artifact, Kind, Member, Organization, RosterImport
from core.people import access, list_columns
from core.people.roster import Choice, Roster
from core.people.rows import Reason, Row, Verdict
from core.permissions import Permission, allowed
from core.queue import JobName, enqueue
from core.shoots import import_results, imports, shoots
from core.shoots.import_results import Result
from core.vault import Held, Sealed, vault
from core.words import N_

# A second's work, in which nobody else can add people to the organization.
ROWS_AT_ONCE = 200
# Of a list that no worker comes to; after this its file is deleted like any other.
LONGEST = timedelta(days=1)


class Ended(StrEnum):
    """Why a list was deleted before it was done, so that it cannot be taken up again."""

    ERASED = "somebody_erased"
    RESTORED = "backup_restored"


ENDED: Final = frozenset(Ended)
NOT_ALLOWED: Final = (
    "not_allowed"  # whoever confirmed it may not invite any more; another admin can take it up
)


@dataclass(frozen=True)
class Outcome:
    """How far an import is, and what it did so far.

    Attributes:
        rows: of the list.
        done: of these.
        invited, skipped, rejected: how many of the done ones were.
        finished_at: when every row was done and its result kept.
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


@dataclass(frozen=True)
class Confirmed:
    """A list that is to be gone on with: where it lies, and how it is to be read."""

    held: Held
    choice: Choice


def file_of(session: Session, shoot_id: UUID, import_id: UUID) -> Held | None:
    """Return where the file lies that `start` has to be given; `None` if it was confirmed before.

    Raises:
        ImportGone: there is no such file any more.
        ShootClosed: nobody can be invited any more.
    """
    if session.get(RosterImport, import_id) is not None:
        return None
    shoots.open_or_refuse(shoots.get(session, shoot_id))
    return imports.find(session, import_id)


def start(
    session: Session,
    shoot_id: UUID,
    import_id: UUID,
    choice: Choice,
    content: bytes | None,
    *,
    actor: audit.Actor,
) -> RosterImport:
    """Owe the import of a file that was judged; confirming it again changes nothing, or takes up what stopped.

    Args:
        session: bound to the organization.
        shoot_id: which shoot it was uploaded for.
        import_id: the file's number.
        choice: what was said about it.
        content: of the file that `file_of` found; one that was confirmed before needs none.
        actor: who confirms it.

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
    if content is None:
        raise imports.gone()
    shoots.open_or_refuse(shoots.get(session, shoot_id))
    imports.find(session, import_id)  # it may have been deleted since it was read
    parsed = imports.parse_as_before(session, content, choice)
    if parsed.asks is not None:
        raise imports.ImportUnclear(
            N_("Please answer first how the list is to be read. Nobody has been invited yet.")
        )
    list_columns.keep(session, parsed, choice)
    begun = RosterImport(
        id=import_id,
        org_id=organization_of(session),
        created_at=now(),
        shoot_id=shoot_id,
        member_id=actor.member_id,
        choice=imports.stored(parsed.choice),
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


def find(session: Session, import_id: UUID) -> Confirmed | None:
    """Return the confirmed list, for `read`; `None` once it is done or has ended.

    Raises:
        ArtifactGone: nobody came to it for a day, and it was deleted.
    """
    row = session.get_one(RosterImport, import_id)
    return (
        None if _is_over(row) else Confirmed(vault().find(session, import_id), imports.choice_of(row.choice))
    )


def read(found: Confirmed) -> Roster:
    """Return the rows of what `find` found, outside of its transaction.

    Raises:
        ArtifactGone, KeyErased: it was deleted meanwhile.
        Unavailable: the storage does not answer.
    """
    return imports.parse(imports.content_of(found.held), found.choice)


def go_on(session: Session, import_id: UUID, parsed: Roster) -> bool:
    """Do the next rows of a list, and return whether there are more; after the last one `finish` ends it.

    People who are in the organization already are invited as they are known; who is in the shoot already is left
    alone. A row that cannot be imported stops no other. Once whoever confirmed it may not invite any more it stops.

    Raises:
        ImportCrossed: someone added one of these people at this moment; these rows were not imported.
    """
    row = _locked(session, import_id)
    if _is_over(row) or len(row.outcomes) == row.rows:
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
    return len(row.outcomes) < row.rows


def result(session: Session, import_id: UUID, parsed: Roster) -> Result | None:
    """Return every row with what became of it, to be sealed; `None` if rows are left, or the list has ended."""
    row = session.get_one(RosterImport, import_id)
    if _is_over(row) or len(row.outcomes) < row.rows:
        return None
    return import_results.of(parsed, row.outcomes)


def finish(session: Session, import_id: UUID, sealed: Sealed) -> bool:
    """Put the sealed result in the file's place; return `False`, and keep it not, if the list has ended meanwhile."""
    row = _locked(session, import_id)
    if _is_over(row):
        return False
    kept = vault().keep(session, sealed)
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
    return True


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
        _has(session, row.id) if row.result_id is None else import_results.is_here(session, row.result_id),
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


def _lock_organization(session: Session) -> None:
    """Let nobody else import meanwhile, so that no two add the same person."""
    session.get_one(
        Organization, organization_of(session), with_for_update={"key_share": True}, populate_existing=True
    )


def _locked(session: Session, import_id: UUID) -> RosterImport:
    _lock_organization(session)
    return session.get_one(
        RosterImport, import_id, with_for_update={"key_share": True}, populate_existing=True
    )


def _is_over(row: RosterImport) -> bool:
    return row.finished_at is not None or row.failure in ENDED


def _has(session: Session, artifact_id: UUID) -> bool:
    artifact = session.get(Artifact, artifact_id, populate_existing=True)
    return artifact is not None and artifact.delete_requested_at is None


def _actor(session: Session, row: RosterImport) -> audit.Actor:
    return audit.actor_for(session.get_one(Member, row.member_id)) if row.member_id else audit.SYSTEM


def _may_invite(session: Session, row: RosterImport) -> bool:
    if row.member_id is None:
        return True
    member = session.get_one(Member, row.member_id, populate_existing=True)
    return not access.is_over(member) and allowed(member.role, Permission.INVITE)


def _note(row: RosterImport, judged: Sequence[Row]) -> None:
    row.outcomes = [*row.outcomes, *([reason.value for reason in one.reasons] for one in judged)]
    row.invited += sum(one.is_good for one in judged)
    row.skipped += sum(one.verdict is Verdict.SKIPPED for one in judged)
    row.rejected += sum(one.verdict is Verdict.REJECTED for one in judged)
