"""Doing what was asked for: each right's own act, with what shows that it was done."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance import erasure
from compliance.certificate import copies
from compliance.consent import leaving
from compliance.erasure import ErasureReason
from compliance.requests import export, letters, moves
from core import audit, locks
from core.clock import now
from core.consent import Purpose
from core.errors import Conflict, InvalidInput
from core.models import Member, Right, Stage, SubjectRequest
from core.people import access, members
from core.portraits import engines
from core.shoots import participations
from core.words import N_

# What an objection ends; the photo that a person gave to be retouched is no part of it.
MEASURING: Final = (Purpose.LIKENESS, Purpose.PAINT, Purpose.CLOTHES, Purpose.ADAPTER)


class EmployeeIdTaken(Conflict):
    """Somebody else of the company has it."""

    code = "employee_id_taken"


def fulfil(session: Session, row: SubjectRequest, *, actor: audit.Actor, said: str = "") -> None:
    """Do what a request asks for, and tell the person; for somebody who is not known here, that nothing is held.

    Raises:
        NotAllowed: the request is not at that point.
        LegalHold: the person's data is held.
        LastAdmin: nobody else could manage the company.
    """
    if row.type == Right.ERASURE and row.member_id is not None:
        # The company before the person, as every erasure; and only then what state the request is in.
        access.keep_an_admin(session, members.get(session, row.member_id))
        locks.whole_person(session, row.member_id)
        reason = None if row.state == Stage.IN_PROGRESS else moves.ELSEWHERE
    else:
        moves.lock_row(session, row)
        reason = moves.why_not(row, Stage.FULFILLED)
    if reason is not None:
        raise moves.NotAllowed(reason)
    if row.member_id is not None:
        member = members.get(session, row.member_id)
        if row.type == Right.ERASURE:
            # Which meets the request itself; the person is told by the mail about their erasure.
            _erase(session, row, member, actor)
            return
        if row.type in (Right.ACCESS, Right.PORTABILITY):
            row.evidence_sha256 = hashlib.sha256(export.plan(session, member).records).hexdigest()
        elif row.type == Right.WITHDRAWAL:
            _withdraw(session, member, actor)
        elif row.type == Right.RESTRICTION:
            member.restricted_at = member.restricted_at or now()
        elif row.type in (Right.OBJECTION, Right.LIMIT):
            stop_measuring(session, member, actor=actor)
    row.delivered_at = now()
    event = moves.move(session, row, Stage.FULFILLED, actor=actor)
    letters.owe(session, row, event, actor, said)


def stop_measuring(session: Session, member: Member, *, actor: audit.Actor) -> None:
    """End everything that measures a person's face or has an image model work with their photos; twice is fine."""
    leaving.take_back(session, member, MEASURING, actor=actor)
    for part, _ in participations.all_of_member(session, member.id):
        engines.choose_again(session, part)


def correct(session: Session, row: SubjectRequest, names: Mapping[str, str], *, actor: audit.Actor) -> int:
    """Write what is right into a person's record; return how many copies the company has under what was wrong.

    Pictures that are downloaded from now on are named by it.

    Args:
        session: bound to the organization.
        row: the request, in progress.
        names: `first_name`, `last_name`, `employee_id`, `department`; one that is not given stays.
        actor: who does it.

    Raises:
        NotAllowed: the request is not at that point, or nobody is known.
        InvalidInput: nothing would be changed.
        EmployeeIdTaken: somebody else has it.
    """
    if row.member_id is None or row.type != Right.RECTIFICATION or row.state != Stage.IN_PROGRESS:
        raise moves.NotAllowed(moves.ELSEWHERE)
    member = members.get(session, row.member_id)
    changed = [name for name, value in names.items() if value and value != getattr(member, name)]
    if not changed:
        raise InvalidInput(
            N_("Enter what is right first: nothing here differs from the record. Nothing was changed.")
        )
    _demand_free(session, member, names.get("employee_id", ""))
    for name in changed:
        setattr(member, name, names[name])
    session.flush()
    count = len(copies.handed(session, member.id))
    moves.note(session, row, "corrected", actor=actor, copies=count, fields=len(changed))
    return count


def _demand_free(session: Session, member: Member, employee_id: str) -> None:
    others = select(Member.id).where(Member.employee_id == employee_id, Member.id != member.id)
    if employee_id and session.scalar(others.limit(1)) is not None:
        raise EmployeeIdTaken(
            N_(
                "Somebody else in your company has this employee ID. Nothing was changed: please look it up again."
            )
        )


def unrestrict(session: Session, row: SubjectRequest, *, actor: audit.Actor) -> None:
    """Use a person's data again, and tell them; the mail is owed with the change.

    Raises:
        NotAllowed: it is not this request that restricts it, or nothing is restricted.
    """
    member = session.get(Member, row.member_id) if row.member_id is not None else None
    if row.type != Right.RESTRICTION or row.decision != Stage.FULFILLED:
        raise moves.NotAllowed(moves.ELSEWHERE)
    if member is None or member.restricted_at is None:
        raise moves.NotAllowed(moves.ELSEWHERE)
    member.restricted_at = None
    event = moves.note(session, row, letters.UNRESTRICTED, actor=actor)
    letters.owe(session, row, event, actor)


def _erase(session: Session, row: SubjectRequest, member: Member, actor: audit.Actor) -> None:
    erasure.request(session, member, reason=ErasureReason.SELF_SERVICE, actor=actor, language=member.language)
    session.expire(row)  # the erasure has taken what it said of the person


def _withdraw(session: Session, member: Member, actor: audit.Actor) -> None:
    newest = participations.of_member(session, member.id, None)
    if newest is not None:
        leaving.withdraw_all(session, newest[0], actor=actor)
