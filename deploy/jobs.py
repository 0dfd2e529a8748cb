"""Owed work as whoever runs the platform sees it: what waits, what failed and why, tried again or dropped.

Nothing here says whom the work is about; ids are opaque.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from core import owed
from core.clock import now
from core.db import Lookup, transaction
from core.errors import Conflict, NotFound
from core.models import Look, Outbox, Participation, Photo
from core.people import organizations
from core.portraits import submission, verdicts
from core.queue import JobName

DROPPED: Final = "dropped"


class State(StrEnum):
    """How work stands."""

    WAITING = "waiting"  # for its time or a worker, and nothing has gone wrong
    FAILING = "failing"  # it did not work so far, and is tried again
    GIVEN_UP = "given_up"
    DONE = "done"


class CannotRetry(Conflict):
    """Trying this again would change nothing."""

    code = "cannot_retry"


class CannotDrop(Conflict):
    """It has ended, or somebody was promised that it is done."""

    code = "cannot_drop"


@dataclass(frozen=True)
class Work:
    """One piece of owed work.

    Attributes:
        code: why it did not work, last.
        since: when it first did not.
        next_at: when it is tried next, while it is open.
        running_since: when the worker that has it now took it.
    """

    id: UUID
    company: str
    job: str
    subject_id: UUID
    state: State
    code: str | None
    attempts: int
    outages: int
    deaths: int
    created_at: datetime
    since: datetime | None
    next_at: datetime | None
    running_since: datetime | None

    @classmethod
    def of(cls, row: Outbox, company: str) -> Work:
        """Return the work that a row owes."""
        is_open = row.done_at is None and row.failed_at is None
        return cls(
            row.id,
            company,
            row.job,
            row.subject_id,
            State.DONE
            if row.done_at is not None
            else State.GIVEN_UP
            if row.failed_at is not None
            else State.FAILING
            if row.first_failed_at is not None
            else State.WAITING,
            row.error_code,
            row.attempts,
            row.outages,
            row.deaths,
            row.created_at,
            row.first_failed_at,
            row.not_before if is_open else None,
            row.started_at if is_open else None,
        )


_OPEN: Final = and_(Outbox.done_at.is_(None), Outbox.failed_at.is_(None))
_WHERE: Final[dict[State, ColumnElement[bool]]] = {
    State.WAITING: and_(_OPEN, Outbox.first_failed_at.is_(None)),
    State.FAILING: and_(_OPEN, Outbox.first_failed_at.is_not(None)),
    State.GIVEN_UP: Outbox.failed_at.is_not(None),
    State.DONE: Outbox.done_at.is_not(None),
}


def listed(
    state: State, *, company: str | None = None, job: JobName | None = None, most: int | None = None
) -> Iterator[Work]:
    """Yield work in one state, company by company, oldest first.

    Args:
        state: how it stands.
        company: only this one's, by its short name.
        job: only of this kind.
        most: rows of each company; all if not given.

    Raises:
        NotFound: there is no such company.
    """
    for org_id in [_company(company)] if company is not None else Lookup.organizations():
        with transaction(org_id) as session:
            slug = organizations.current(session).slug
            query = select(Outbox).where(_WHERE[state]).order_by(Outbox.id).limit(most)
            if job is not None:
                query = query.where(Outbox.job == job)
            found = [Work.of(row, slug) for row in session.scalars(query)]
        yield from found


def _company(slug: str) -> UUID:
    org_id = Lookup.organization(slug)
    if org_id is None:
        raise NotFound(f"There is no company called {slug}.")
    return org_id


def show(outbox_id: UUID) -> Work:
    """Return one piece of work, done or not.

    Raises:
        NotFound: there is none of this id.
    """
    return _with(outbox_id, lambda _session, _row: None)


def _with(outbox_id: UUID, change: Callable[[Session, Outbox], None]) -> Work:
    """Change a row under its lock, and return how the work then stands."""
    open_one = Lookup.outbox(outbox_id)
    for org_id in [open_one[0]] if open_one else Lookup.organizations():
        with transaction(org_id) as session:
            row = session.get(Outbox, outbox_id, with_for_update={"key_share": True})
            if row is not None:
                change(session, row)
                return Work.of(row, organizations.current(session).slug)
    raise NotFound(f"No work has the id {outbox_id}. `headshots jobs list` prints what there is.")


def retry(outbox_id: UUID) -> Work:
    """Try work again now: what waits is due at once, what was given up is begun anew, with what people see of it.

    Raises:
        NotFound: there is none of this id.
        CannotRetry: it is done, or its people went another way meanwhile.
    """
    return _with(outbox_id, _again)


def _again(session: Session, row: Outbox) -> None:
    if row.done_at is not None:
        raise CannotRetry("This work is done, so there is nothing to try again.")
    if row.failed_at is not None and row.job not in owed.UNTIL_DONE:
        begin = _BEGIN.get(JobName(row.job))
        if begin is None:
            raise CannotRetry(
                "This work has its answer already: the studio took over, or the page of whoever began it offers to go "
                "on or to send the file again. Nobody waits for it."
            )
        begin(session, row)
    owed.take_up(session, row)


def _photo(session: Session, row: Outbox) -> None:
    photo = session.get(Photo, row.subject_id)
    if photo is None:
        raise CannotRetry("This photo is gone, so there is nothing to check.")
    verdicts.open_again(session, photo)


def _headshots(session: Session, row: Outbox) -> None:
    submission.open_again(session, session.get_one(Participation, row.subject_id))


def _look(session: Session, row: Outbox) -> None:
    look = session.get(Look, row.subject_id)
    if look is None or look.failure_code is None:
        raise CannotRetry("This look was removed, or is being learned again already.")
    look.failure_code = None


# What has to be as it was before, for work that was answered.
_BEGIN: Final[dict[JobName, Callable[[Session, Outbox], None]]] = {
    JobName.INTAKE: _photo,
    JobName.RENDER: _headshots,
    JobName.TRAIN_STYLE: _look,
}

MEANS: Final[dict[JobName, str]] = {
    JobName.ERASE: "somebody asked to be erased: their files stay in the storage, unreadable, and they get no certificate",
    JobName.CERTIFY: "somebody was erased and waits for the certificate, which is then never signed",
    JobName.PURGE: "files that were deleted stay in the storage, unreadable",
}


def drop(outbox_id: UUID, *, force: bool = False) -> Work:
    """End open work unfinished, with the answer that people get of work that is given up.

    Args:
        outbox_id: which.
        force: a deletion or its proof as well.

    Raises:
        NotFound: there is none of this id.
        CannotDrop: it has ended already, or is a deletion.
    """
    from workers.process.runner import module_of

    def end(session: Session, row: Outbox) -> None:
        if row.done_at is not None or row.failed_at is not None:
            raise CannotDrop("This work has ended already, so there is nothing to drop.")
        job = JobName(row.job)
        if job in owed.DELETIONS and not force:
            raise CannotDrop(
                f"Dropping this breaks a promise: {MEANS[job]}. `headshots jobs retry` tries it at once instead; "
                "if it has to be dropped all the same, say --force."
            )
        row.failed_at, row.error_code = now(), DROPPED
        row.first_failed_at = row.first_failed_at or row.failed_at
        module_of(job).failed(session, row.subject_id, DROPPED)

    return _with(outbox_id, end)
