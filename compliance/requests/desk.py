"""What is done with a request, from its opening to its answer; the states and the log are `moves`' alone."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.requests import clocks, letters, moves, regimes, words
from compliance.requests.moves import NotAllowed
from compliance.requests.refusals import HOLDS, Basis, offered
from compliance.requests.words import Words
from core import audit
from core.clock import now
from core.db import organization_of
from core.errors import Conflict, InvalidInput
from core.ids import new_id
from core.models import AuditEvent, Channel, Member, Right, Stage, SubjectRequest
from core.regimes import Regime
from core.words import N_

PROPOSED: Final = "refusal_proposed"


class Proof(StrEnum):
    """How it was checked who asks."""

    SIGNED_IN = "signed_in"
    MAIL_CODE = "mail_code"
    KNOWN = "known"  # in person, or by a colleague who knows them
    DOCUMENT = "document"
    CONTROLLER = "controller"  # the company's own program has checked it, and signed
    MANDATE = "mandate"  # signed by the person, for whom an agent asks


class Extension(StrEnum):
    """Why an answer takes longer: what Art. 12(3) GDPR and 11 CCR § 7021(b) know."""

    COMPLEX = "complex"
    MANY = "many"


class SamePerson(Conflict):
    """Whoever proposes a refusal cannot confirm it."""

    code = "same_person"


def open_for(
    session: Session,
    right: Right,
    channel: Channel,
    *,
    member: Member | None,
    asked: Words,
    language: str,
    actor: audit.Actor,
    received_at: datetime | None = None,
    state: Stage = Stage.RECEIVED,
    proof: Proof | None = None,
    regime: Regime | None = None,
) -> SubjectRequest:
    """Open a request, and tell the person of it where somebody else opens it.

    Raises:
        InvalidInput: it came in the future.
    """
    received = received_at or now()
    if received > now():
        raise InvalidInput(N_("A request cannot have come in the future. Nothing was opened."))
    row = _row(session, right, channel, member, language, received, regime)
    row.state = state
    if proof is not None:
        row.verification, row.verified, row.verified_at = proof, True, now()
    words.put(row, asked)
    moves.begin(session, row, actor=actor)
    letters.owe(session, row, row.events[-1], actor)
    return row


def unconfirmed(session: Session, right: Right, channel: Channel, *, language: str) -> SubjectRequest:
    """Return a request that nobody has confirmed yet; its time counts from here all the same."""
    row = _row(session, right, channel, None, language, now())
    row.state = Stage.UNCONFIRMED
    return row


def count_for(session: Session, row: SubjectRequest, member: Member) -> None:
    """Count a request that turned out to be somebody's by the law where they work, from when it came."""
    row.regime = regimes.regime_of(session, member)
    row.first_due_at = row.due_at = clocks.due(
        row.received_at, Right(row.type), regimes.law_of(row.regime), regimes.place_of(session)
    )


def record_done(
    session: Session,
    member: Member,
    right: Right,
    *,
    erasure_id: UUID | None = None,
    evidence_sha256: str | None = None,
) -> SubjectRequest:
    """Write into the register what somebody has just done themselves: a request that was answered at once."""
    row = _row(session, right, Channel.SELF_SERVICE, member, member.language, now())
    row.state, row.decision = Stage.CLOSED, Stage.FULFILLED.value
    row.acknowledged_at = row.decided_at = row.closed_at = row.delivered_at = row.received_at
    row.verification, row.verified, row.verified_at = Proof.SIGNED_IN, True, row.received_at
    row.erasure_id, row.evidence_sha256 = erasure_id, evidence_sha256
    moves.begin(session, row, actor=audit.actor_for(member))
    return row


def ask_despite_hold(session: Session, member: Member) -> None:
    """Note that somebody asks to be erased whose data is held; asking again changes nothing."""
    waiting = select(SubjectRequest.id).where(
        SubjectRequest.member_id == member.id,
        SubjectRequest.type == Right.ERASURE,
        SubjectRequest.decided_at.is_(None),
    )
    if session.scalar(waiting.limit(1)) is None:
        open_for(
            session,
            Right.ERASURE,
            Channel.SELF_SERVICE,
            member=member,
            asked=Words(),
            language=member.language,
            actor=audit.actor_for(member),
            proof=Proof.SIGNED_IN,
        )


def _row(
    session: Session,
    right: Right,
    channel: Channel,
    member: Member | None,
    language: str,
    received: datetime,
    law: Regime | None = None,
) -> SubjectRequest:
    regime, place = law or regimes.regime_of(session, member), regimes.place_of(session)
    due = clocks.due(received, right, regimes.law_of(regime), place)
    return SubjectRequest(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        member_id=member.id if member is not None else None,
        type=right,
        channel=channel,
        regime=regime,
        language=language,
        received_at=received,
        acknowledge_by=clocks.acknowledge_by(received, place),
        first_due_at=due,
        due_at=due,
        events=[],
        processors=[],
    )


def acknowledge(session: Session, row: SubjectRequest, *, actor: audit.Actor) -> None:
    """Confirm to the person that their request came, and by when they have an answer."""
    _step(session, row, Stage.ACKNOWLEDGED, actor)


def ask_for_proof(session: Session, row: SubjectRequest, *, actor: audit.Actor, said: str = "") -> None:
    """Ask the person to show who they are."""
    _step(session, row, Stage.VERIFYING, actor, said)


def note_proof(session: Session, row: SubjectRequest, proof: Proof, *, actor: audit.Actor) -> None:
    """Note how it was checked who asks, which lets the answer begin."""
    _demand_open(row)
    row.verification, row.verified, row.verified_at = proof, True, now()
    moves.note(session, row, "verified", actor=actor, method=proof.value)


def start(session: Session, row: SubjectRequest, *, actor: audit.Actor) -> None:
    """Begin with the answer."""
    _step(session, row, Stage.IN_PROGRESS, actor)


def may_extend(session: Session, row: SubjectRequest) -> bool:
    """Whether a request can be given the longer time now."""
    later = _later(session, row)
    return (
        row.decided_at is None and row.extended_at is None and later is not None and now() <= row.first_due_at
    )


def _later(session: Session, row: SubjectRequest) -> datetime | None:
    law, place = regimes.law_of(row.regime), regimes.place_of(session)
    return clocks.due_extended(row.received_at, Right(row.type), law, place)


def extend(session: Session, row: SubjectRequest, reason: Extension, *, actor: audit.Actor) -> None:
    """Take the longer time that the law allows, and tell the person why.

    Raises:
        NotAllowed: the first time is over, it was extended before, or the law knows no extension.
    """
    _demand_open(row)
    later = _later(session, row)
    if row.extended_at is not None or later is None:
        raise NotAllowed(N_("This time cannot be extended any further. Nothing was changed."))
    if now() > row.first_due_at:
        raise NotAllowed(
            N_(
                "A time can only be extended before it is over. Answer as soon as you can. Nothing was changed."
            )
        )
    row.extended_at, row.extension, row.due_at, row.reminded = now(), reason, later, 0
    event = moves.note(
        session, row, "extended", actor=actor, reason=reason.value, due=later.date().isoformat()
    )
    letters.owe(session, row, event, actor)


def hold(session: Session, row: SubjectRequest, basis: Basis, *, actor: audit.Actor) -> None:
    """Keep a person's data although they ask for its erasure; nothing of theirs is erased until `lift`.

    Raises:
        NotAllowed: it is no erasure in progress.
        InvalidInput: no law holds it for this.
    """
    if basis not in HOLDS:
        raise InvalidInput(N_("A hold needs one of the reasons of the list. Nothing was changed."))
    before = (row.hold, row.held_at, row.lifted_at)
    row.hold, row.held_at, row.lifted_at = basis, now(), None
    try:
        _step(session, row, Stage.HELD, actor, hold=basis.value)
    except NotAllowed:
        row.hold, row.held_at, row.lifted_at = before
        raise


def lift(session: Session, row: SubjectRequest, *, actor: audit.Actor) -> None:
    """End a legal hold; a request that waited for that goes on.

    Raises:
        NotAllowed: nothing is held.
    """
    if not moves.is_held(row):
        raise NotAllowed(N_("Nothing is held here. Nothing was changed."))
    row.lifted_at = now()
    event = moves.note(session, row, "lifted", actor=actor)
    letters.owe(session, row, event, actor)
    if row.state == Stage.HELD:
        moves.move(session, row, Stage.IN_PROGRESS, actor=actor)


def propose_refusal(
    session: Session, row: SubjectRequest, decision: Stage, basis: Basis, *, actor: audit.Actor
) -> None:
    """Propose to refuse a request, in whole or in part; nobody is told before a second person confirms it.

    Raises:
        InvalidInput: the law does not know this reason for this request.
        NotAllowed: it is not at a point where it could be refused, or another refusal waits.
    """
    if row.proposed is not None:
        raise NotAllowed(moves.ELSEWHERE)
    if basis not in offered(Right(row.type), Regime(row.regime)):
        raise InvalidInput(N_("The law does not know this reason for such a request. Nothing was changed."))
    if decision not in moves.REFUSALS or decision not in moves.MOVES[Stage(row.state)]:
        raise NotAllowed(N_("This request cannot be refused now. Nothing was changed: look at it again."))
    row.proposed, row.proposed_by, row.basis = decision, actor.member_id, basis
    moves.note(session, row, PROPOSED, actor=actor, decision=decision.value, basis=basis.value)


def proposal_of(session: Session, row: SubjectRequest) -> UUID | None:
    """Return which proposal to refuse waits, as the id of its event; `None` where none does."""
    if row.proposed is None:
        return None
    proposed = select(AuditEvent.id).where(
        AuditEvent.id.in_(row.events), AuditEvent.facts["what"].astext == PROPOSED
    )
    return session.scalar(proposed.order_by(AuditEvent.id.desc()).limit(1))


def withdraw_proposal(session: Session, row: SubjectRequest, *, actor: audit.Actor) -> None:
    """Take a proposed refusal back; whoever may work on requests may do that."""
    if row.proposed is None:
        raise NotAllowed(N_("No refusal waits here. Nothing was changed."))
    row.proposed = row.proposed_by = row.basis = None
    moves.note(session, row, "refusal_dropped", actor=actor)


def confirm_refusal(
    session: Session, row: SubjectRequest, proposal: UUID | None, *, actor: audit.Actor, said: str = ""
) -> None:
    """Refuse what somebody else proposed to refuse, and tell the person why and what they can do.

    Args:
        session: bound to the organization.
        row: the request.
        proposal: the very one that was read, of `proposal_of`.
        actor: who confirms it.
        said: what the company adds.

    Raises:
        NotAllowed: no refusal waits, or another one than was read.
        SamePerson: the one who proposed it.
    """
    if row.proposed is None:
        raise NotAllowed(N_("No refusal waits here. Nothing was changed."))
    if actor.member_id is None or actor.member_id == row.proposed_by:
        raise SamePerson(
            N_("You proposed this refusal, so somebody else has to confirm it. Nothing was changed.")
        )
    if proposal is None or proposal != proposal_of(session, row):
        raise NotAllowed(
            N_(
                "This refusal was taken back and proposed anew since you opened the page. Nothing was refused: "
                "read what is proposed now, and confirm that."
            )
        )
    decision = Stage(row.proposed)
    row.decision = decision
    try:
        _step(session, row, decision, actor, said)
    except NotAllowed:
        row.decision = None
        raise


def cancel(session: Session, row: SubjectRequest, *, actor: audit.Actor) -> None:
    """End a request that the person takes back."""
    _step(session, row, Stage.CANCELLED, actor)


def close(session: Session, row: SubjectRequest, *, actor: audit.Actor) -> None:
    """End a request for good: who asked and what they wrote is forgotten."""
    moves.move(session, row, Stage.CLOSED, actor=actor)
    words.forget(session, row)


def _demand_open(row: SubjectRequest) -> None:
    if row.state in moves.OVER or row.state == Stage.UNCONFIRMED:
        raise NotAllowed(N_("This request was answered already. Nothing was changed."))


def _step(
    session: Session, row: SubjectRequest, to: Stage, actor: audit.Actor, said: str = "", **facts: audit.Fact
) -> None:
    event = moves.move(session, row, to, actor=actor, **facts)
    letters.owe(session, row, event, actor, said)
