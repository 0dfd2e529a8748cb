"""The press of the button: everything about a person becomes unreadable in one transaction."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from compliance import consent, farewells, opening, recall, recall_letters
from compliance.erasure import rows
from compliance.requests import moves
from core import audit, locks
from core.clock import now
from core.consent import Purpose
from core.db import organization_of
from core.errors import Conflict
from core.grounds import Ground, because
from core.ids import new_id
from core.logs import logger
from core.models import Erasure, Member, Participation, Photo, Right, Stage, State, SubjectRequest
from core.people import access, searches
from core.portraits import arrivals
from core.queue import JobName, enqueue
from core.shoots import commits, participations
from core.vault import derive, vault
from core.words import N_


class LegalHold(Conflict):
    """The law keeps somebody's data for now; nothing was touched."""

    code = "legal_hold"

    def __init__(self) -> None:
        super().__init__(
            N_(
                "This data must be kept for now: a legal hold lies on it. Nothing was erased. "
                "Whoever answers requests at the company can say why, and lift it."
            )
        )


class ErasureReason(StrEnum):
    """Why; GDPR Article 17(1) letters in the certificate's texts."""

    SELF_SERVICE = "self_service"
    EMPLOYER_REQUEST = "employer_request"
    LEFT_COMPANY = "left_company"  # locked out for as long as the company keeps whoever left
    COMPANY_CLOSED = "company_closed"
    RESTORED_BACKUP = "restored_backup"


_NOT_HELD: Final = frozenset({ErasureReason.COMPANY_CLOSED, ErasureReason.RESTORED_BACKUP})
# Whoever erases themselves has the link on the page before them; of anybody else who presses the button they are told. Of a restored backup they were told the first time, and
# whom a company that leaves takes along, it tells itself.
BY_OTHERS = frozenset({ErasureReason.EMPLOYER_REQUEST, ErasureReason.LEFT_COMPANY})


@dataclass(frozen=True)
class Requested:
    """An erasure under way.

    Attributes:
        erasure_id: opaque.
        receipt: secret part of the link under which the person follows it and gets the certificate. Of the first call it
            ends in what opens the certificate's commitment to the person; no later call knows that.
    """

    erasure_id: UUID
    receipt: str


def is_held(session: Session, member_id: UUID) -> bool:
    """Whether a legal hold lies on what is held about a person."""
    holds = select(SubjectRequest.id).where(
        SubjectRequest.member_id == member_id,
        SubjectRequest.held_at.is_not(None),
        SubjectRequest.lifted_at.is_(None),
    )
    return session.scalar(holds.limit(1)) is not None


def receipt_of(erasure_id: UUID) -> str:
    """Return the secret part of the link under which a person finds their certificate."""
    digest = hmac.new(derive("erasure receipts"), erasure_id.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def request(
    session: Session, member: Member, *, reason: ErasureReason, actor: audit.Actor, language: str
) -> Requested:
    """Erase everything held about `member`: unreadable when the caller's transaction commits.

    Names and addresses leave the rows, sessions and links end, artifacts can no longer be read. The key
    is destroyed right after the commit, and again by the `erase` job should the process die between.
    Whom others erase gets a mail with the link; where it went is destroyed with its sending.
    Whatever open request of theirs asks for an erasure is met by it, and its ground is then that they asked.
    Idempotent: a second call returns the first erasure.

    Raises:
        LastAdmin: somebody asks for it, and nobody else could manage the organization.
        LegalHold: the law keeps it; an end of the whole company and what a backup brought back are not kept for that.
    """
    if reason in (ErasureReason.EMPLOYER_REQUEST, ErasureReason.SELF_SERVICE):
        access.keep_an_admin(session, member)
    locks.whole_person(session, member.id)
    existing = session.scalar(select(Erasure).where(Erasure.member_id == member.id))
    if existing is not None:
        return Requested(existing.id, receipt_of(existing.id))
    if reason not in _NOT_HELD and is_held(session, member.id):
        raise LegalHold
    asked = _asked_for(session, member)
    named = vault().keys.erasures.named(member.id) if reason is ErasureReason.RESTORED_BACKUP else None
    # From here on the log knows them by what their certificate shows, which no backup has.
    key = opening.new()
    member.pseudonym = opening.commitment(key, member.email or "")
    if actor.member_id == member.id:
        actor = audit.actor_for(member)
    erasure = Erasure(
        id=named or new_id(),  # with its id it has the receipt that the person may have kept
        org_id=organization_of(session),
        created_at=now(),
        member_id=member.id,
        subject=member.pseudonym,
        reason=ErasureReason.SELF_SERVICE if asked and reason in BY_OTHERS else reason,
        regime=consent.regime_of_person(session, member),
        language=language,
    )
    erasure.receipt_sha256 = hashlib.sha256(receipt_of(erasure.id).encode()).digest()
    session.add(erasure)
    session.flush()
    audit.record(
        session,
        audit.Tag.ERASURE_REQUESTED,
        actor=actor,
        subject=member,
        erasure=str(erasure.id),
        reason=erasure.reason,
    )
    if recall.begin(session, erasure, member) is not None:
        recall_letters.owe(session)
    if reason in BY_OTHERS or actor.member_id not in (None, member.id):
        farewells.begin(session, erasure, member, receipt_of(erasure.id) + key)
    for row in asked:
        row.erasure_id, row.delivered_at = erasure.id, now()
        moves.move(session, row, Stage.FULFILLED, actor=actor)
    with because(session, Ground.ERASURE):
        _end_everything(session, member, actor)
    lists = [one.artifact_id for one in vault().passing(session)]
    enqueue(session, JobName.ERASE, erasure.id)

    @event.listens_for(session, "after_commit", once=True)
    def destroy_key(_: Session) -> None:
        try:
            vault().keys.forget(lists)  # before the person's, whose epoch the certificate names
            vault().keys.destroy(member.id)
            vault().keys.erasures.name({member.id: erasure.id})
        except Exception as error:  # noqa: BLE001 - the erase job does it again; the request has succeeded
            logger().error("key_destruction_left_to_the_job", erasure=str(erasure.id), exc_info=error)

    return Requested(erasure.id, receipt_of(erasure.id) + key)


def _open(session: Session, member: Member) -> Sequence[SubjectRequest]:
    waiting = select(SubjectRequest).where(
        SubjectRequest.member_id == member.id, SubjectRequest.decided_at.is_(None)
    )
    return session.scalars(waiting.order_by(SubjectRequest.id)).all()


def _asked_for(session: Session, member: Member) -> list[SubjectRequest]:
    """Return the open requests that an erasure meets: what a hold still keeps waits for its end."""
    return [
        row
        for row in _open(session, member)
        if row.type == Right.ERASURE and Stage.FULFILLED in moves.MOVES[Stage(row.state)]
    ]


def _end_requests(session: Session, member: Member, actor: audit.Actor) -> None:
    """End what the person asked for besides, and nobody can answer any more."""
    for row in _open(session, member):
        if moves.why_not(row, Stage.CANCELLED) is None:
            moves.move(session, row, Stage.CANCELLED, actor=actor)


def _end_everything(session: Session, member: Member, actor: audit.Actor) -> None:
    moment = now()
    _end_requests(session, member, actor)
    for purpose in Purpose:
        consent.withdraw(session, member, purpose)
    parts = session.scalars(select(Participation).where(Participation.member_id == member.id)).all()
    for row in parts:
        participations.move(session, row, State.ERASED, actor=actor)
    access.end_all(session, member)
    session.execute(
        update(Photo)
        .where(Photo.member_id == member.id, Photo.removed_at.is_(None))
        .values(removed_at=moment)
    )
    arrivals.forget_all(session, member.id)
    searches.forget_all(session)
    commits.end_all(session, commits.Ended.ERASED)
    vault().close(session, member.id)
    member.erased_at = moment
    session.flush()
    rows.clear(session, member.id)
