"""Copies that a company downloaded of somebody who was erased: it is asked to delete them, and says when it has.

To find the copies it must know what to look for. That is a list of shoots and file names, sealed under a key of its own
and forgotten as soon as the company confirms, at the latest after `DAYS`. Everything else about the person is gone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from compliance.certificate import copies
from core import audit
from core.clock import now, rfc3339
from core.db import organization_of
from core.errors import NotFound
from core.ids import new_id
from core.logs import logger
from core.models import AuditEvent, Erasure, Member, Participation, Recall, Shoot
from core.portraits import file_names
from core.vault import KeyErased, vault

DAYS: Final = 30  # as long as backups are kept by default; whoever was on leave finds it
AT_ONCE: Final = 500


@dataclass(frozen=True)
class Copy:
    """One file that was downloaded, once or several times.

    Attributes:
        shoot: its name.
        archive: the folder in the ZIP; empty for the ZIP itself.
        name: of the file, without its ending, after the shoot's template as it was when the person was erased.
        at: when it was downloaded, UTC.
    """

    shoot: str
    archive: str
    name: str
    at: tuple[datetime, ...]


@dataclass(frozen=True)
class Asked:
    """A recall as a page shows it. `files` is empty once it has ended."""

    id: UUID
    asked_at: datetime
    ends_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    count: int
    files: tuple[Copy, ...]


def begin(session: Session, erasure: Erasure, member: Member) -> Recall | None:
    """Ask the company to delete its copies; `None` where it has none. Before the person's name leaves the rows.

    Asking again for the same erasure returns the first recall.
    """
    if (known := of(session, erasure.id)) is not None:
        return known
    events = copies.handed(session, member.id)
    if not events:
        return None
    files = _files(session, member, events)
    row = Recall(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        erasure_id=erasure.id,
        files=len(files),
        ends_at=now() + timedelta(days=DAYS),
    )
    row.sealed = vault().seal_alone(row.id, json.dumps(files, ensure_ascii=False).encode())
    session.add(row)
    audit.record(session, audit.Tag.RECALL_ASKED, actor=audit.SYSTEM, subject=member, files=row.files)
    session.flush()
    return row


def of(session: Session, erasure_id: UUID) -> Recall | None:
    """Return the recall of an erasure, if there is one."""
    return session.scalar(select(Recall).where(Recall.erasure_id == erasure_id))


def listed(session: Session, most: int = AT_ONCE) -> list[Asked]:
    """Return recalls, those that wait for an answer first, newest first, without their files."""
    rows = session.scalars(
        select(Recall).order_by(Recall.ended_at.is_not(None), Recall.id.desc()).limit(most)
    )
    return [_asked(row, ()) for row in rows]


def waiting(session: Session) -> int:
    """Return how many recalls wait for an answer, `AT_ONCE` at most."""
    open_ones = select(Recall.id).where(Recall.ended_at.is_(None)).limit(AT_ONCE)
    return len(session.scalars(open_ones).all())


def read(session: Session, recall_id: UUID) -> Asked:
    """Return a recall with what to look for.

    Raises:
        NotFound: there is none of this id.
    """
    row = _get(session, recall_id)
    if row.sealed is None:
        return _asked(row, ())
    try:
        content = json.loads(vault().open_alone(row.id, row.sealed))
    except KeyErased:  # a restored backup brought the row back; its key does not come back
        return _asked(row, ())
    return _asked(
        row, tuple(Copy(**{**one, "at": tuple(map(datetime.fromisoformat, one["at"]))}) for one in content)
    )


def confirm(session: Session, recall_id: UUID, *, actor: audit.Actor) -> Recall:
    """Note that the company has deleted its copies, and forget what it had to look for; confirming again is fine.

    Raises:
        NotFound: there is none of this id.
    """
    row = _get(session, recall_id, lock=True)
    if row.ended_at is None:
        row.confirmed_at = now()
        _end(session, row, audit.Tag.RECALL_CONFIRMED, actor)
    return row


def end_overdue(session: Session) -> int:
    """Forget what had to be looked for where nobody answered in time; return how many recalls that ended."""
    rows = session.scalars(
        select(Recall)
        .where(Recall.ended_at.is_(None), Recall.ends_at < now())
        .order_by(Recall.id)
        .limit(AT_ONCE)
        .with_for_update(key_share=True)
    ).all()
    for row in rows:
        _end(session, row, audit.Tag.RECALL_ENDED, audit.SYSTEM)
    return len(rows)


def end_all(session: Session) -> int:
    """Forget what has to be looked for in every recall, some at a time; return how many that ended.

    The company has left: nobody of it can read them any more.
    """
    rows = session.scalars(
        select(Recall)
        .where(Recall.ended_at.is_(None))
        .order_by(Recall.id)
        .limit(AT_ONCE)
        .with_for_update(key_share=True)
    ).all()
    for row in rows:
        row.ends_at = now()
        _end(session, row, audit.Tag.RECALL_ENDED, audit.SYSTEM)
    return len(rows)


def _end(session: Session, row: Recall, tag: audit.Tag, actor: audit.Actor) -> None:
    row.ended_at, row.sealed = now(), None
    erased = session.get_one(Member, session.get_one(Erasure, row.erasure_id).member_id)
    audit.record(session, tag, actor=actor, subject=erased, files=row.files)
    session.flush()
    key = row.id

    @event.listens_for(session, "after_commit", once=True)
    def destroy(_: Session) -> None:
        try:
            vault().keys.forget([key])
        except Exception as error:  # noqa: BLE001 - the bytes are gone from the row; the sweep of unused keys has the key
            logger().error("recall_key_left", recall=str(key), exc_info=error)


def _get(session: Session, recall_id: UUID, *, lock: bool = False) -> Recall:
    row = session.get(
        Recall, recall_id, with_for_update={"key_share": True} if lock else None, populate_existing=lock
    )
    if row is None:
        raise NotFound("This request to delete copies does not exist.")
    return row


def _asked(row: Recall, files: tuple[Copy, ...]) -> Asked:
    return Asked(row.id, row.created_at, row.ends_at, row.confirmed_at, row.ended_at, row.files, files)


def _files(session: Session, member: Member, events: Sequence[AuditEvent]) -> list[dict[str, Any]]:
    names = {
        "employee_id": member.employee_id or "",
        "first": member.first_name or "",
        "last": member.last_name or "",
        "department": member.department or "",
    }
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in events:
        part = session.get_one(Participation, UUID(one.facts["participation"]))
        shoot = session.get_one(Shoot, part.shoot_id)
        for archive, ending in _places(one.facts):
            name = file_names.stem(shoot.file_name, names) + ending
            new = {"shoot": shoot.name, "archive": archive, "name": name, "at": []}
            file = found.setdefault((str(part.id), archive, name), new)
            file["at"].append(rfc3339(one.created_at))
    return list(found.values())


def _places(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the folder, and what follows the name, of each file of a download; see `core.portraits.file_names`."""
    if not facts.get("headshot", True):
        return [(file_names.ALTERNATIVES, "")]
    outputs = str(facts.get("outputs", "")).split()
    if facts.get("alone"):
        return [("", file_names.ending_of(output)) for output in outputs]
    return [(file_names.folder_of(output, outputs), "") for output in outputs or ("",)]
