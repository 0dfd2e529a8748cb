"""What is done to each of many people of shoots; to whom and to whom not is in `core.shoots.bulk_judges`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, and_, any_, false, literal, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute, Session

from core import audit, locks
from core.clock import now
from core.errors import Conflict, InvalidInput
from core.models import (
    BulkAction,
    Consent,
    Invite,
    Member,
    Participation,
    Photo,
    Shoot,
    State,
)
from core.people import filters, finding
from core.people.filters import Filter
from core.portraits import restyling
from core.shoots import bulk, invites, participations, reminding, shoots
from core.shoots.bulk import Kind, Outcome
from core.shoots.bulk_judges import Candidate, judge
from core.words import N_

AT_ONCE: Final = 200  # people of a transaction: about a second's work
MADE_AT_ONCE: Final = 25  # to be made again: each of them is a dozen questions
SHOWN: Final = 20  # people of a preview


class OthersNow(Conflict):
    """Other people match than were confirmed."""

    code = "others_now"


class NotConfirmed(InvalidInput):
    """What was typed is not how many people are erased."""

    code = "not_confirmed"


@dataclass(frozen=True)
class Preview:
    """What would come of it: how many of each outcome, and the first people with theirs."""

    total: int
    by_outcome: Mapping[Outcome, int]
    first: Sequence[tuple[Member, Outcome]]
    people: Sequence[tuple[UUID, UUID | None]]

    @property
    def worked(self) -> int:
        """To how many people it would be done."""
        return self.by_outcome.get(Outcome.DONE, 0)

    @property
    def seal(self) -> str:
        """What stands for exactly these people, so that as many others are not taken for them."""
        return bulk.seal(member_id for member_id, _ in self.people)


def preview(session: Session, kind: Kind, wanted: Filter, *, target: UUID | None = None) -> Preview:
    """Return what doing something to everybody whom a filter finds would come to."""
    # Read first: as a part of the question below, a server that has not counted a shoot since its list came would look
    # through all of it for each person.
    parts = session.scalars(_newest(wanted)).all()
    found = _candidates(
        session, kind, target, filters.people(wanted), _among(Participation.id, parts), in_order=True
    )
    outcomes = [judge(kind, one) for one in found]
    first = [one.member_id for one in found[:SHOWN]]
    members = {one.id: one for one in session.scalars(select(Member).where(Member.id.in_(first)))}
    return Preview(
        len(found),
        dict(Counter(outcomes).most_common()),
        [(members[member_id], outcome) for member_id, outcome in zip(first, outcomes, strict=False)],
        [(one.member_id, one.participation_id) for one in found],
    )


def start(
    session: Session,
    kind: Kind,
    wanted: Filter,
    *,
    target: UUID | None,
    seen: str,
    typed: str = "",
    actor: audit.Actor,
) -> BulkAction:
    """Owe something for everybody whom a filter finds.

    Args:
        session: bound to the organization.
        kind: what.
        wanted: to whom.
        target: the shoot that they are invited or moved to.
        seen: the seal of the preview that was looked at.
        typed: how many people are erased, as whoever confirms it typed it.
        actor: who confirms it.

    Raises:
        OthersNow: other people match by now.
        NotConfirmed: people would be erased, and their number was not typed.
        ShootClosed: nobody can be invited there.
    """
    if target is not None:
        shoots.open_or_refuse(shoots.get(session, target))
    found = preview(session, kind, wanted, target=target)
    if found.seal != seen:
        raise OthersNow(
            N_(
                "By now other people match than those you saw: %(number)s. Nothing was done: please look again."
            ),
            number=found.total,
        )
    if kind is Kind.ERASE and typed != str(found.worked):
        raise NotConfirmed(
            N_("To confirm, type how many people are erased. Nothing was erased."), field="confirmation"
        )
    choice = {"shoot": str(target) if target else None}
    return bulk.start(session, kind, choice, found.people, actor=actor)


def _newest(wanted: Filter) -> Select[UUID]:
    """Ask for one participation of each person: an open shoot's before a closed one's, the newest of those."""
    about = filters.parts(wanted).with_only_columns(Participation.id).subquery()
    return (
        select(Participation.id)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(Participation.id.in_(select(about.c.id)))
        .ext(distinct_on(Participation.member_id))
        .order_by(Participation.member_id, Shoot.closed_at.is_not(None), Participation.id.desc())
    )


def _candidates(
    session: Session,
    kind: Kind,
    target: UUID | None,
    people: ColumnElement[bool],
    parts: ColumnElement[bool],
    *,
    in_order: bool = False,
) -> list[Candidate]:
    recent = select(Invite.id).where(
        Invite.participation_id == Participation.id,
        Invite.created_at > now() - reminding.AGAIN_AFTER,
        Invite.revoked_at.is_(None),
    )
    there = (
        Member.id.in_(select(Participation.member_id).where(Participation.shoot_id == target))
        if target is not None
        else false()
    )
    query = (
        select(
            Member.id,
            Member.role,
            Member.disabled_at,
            Member.restricted_at,
            Member.erased_at,
            Participation.id,
            participations.seen_by_company,
            Participation.reminders_ended_at,
            Participation.mail_state,
            Participation.shoot_id,
            Shoot.closed_at.is_not(None),
            invites.withdrawn(),
            recent.exists(),
            there,
            or_(
                *(
                    select(one.id).where(one.participation_id == Participation.id).exists()
                    for one in (Consent, Photo)
                )
            ),
        )
        .select_from(Member)
        .outerjoin(Participation, and_(Participation.member_id == Member.id, parts))
        .outerjoin(Shoot, Shoot.id == Participation.shoot_id)
        .where(people)
    )
    rows = session.execute(query.order_by(*finding.ORDER) if in_order else query)
    found = [
        # A person without a participation is in no state.
        Candidate(row[0], row[1], row[2], row[3], row[4], row[5], State(row[6]) if row[5] else None, row[7], row[8],
                  row[9], row[10], row[11], row[12], row[13], row[14])
        for row in rows
    ]  # fmt: skip
    if kind is not Kind.RESTYLE:
        return found
    told = restyling.judged(session, parts)
    return [
        replace(one, headshots=told[one.participation_id]) if one.participation_id else one for one in found
    ]


def go_on(session: Session, action_id: UUID) -> bool:
    """Do it to the next people, and return whether there are more."""
    action = bulk.locked(session, action_id)
    if bulk.is_over(action) or not bulk.may_go_on(session, action):
        return False
    kind = Kind(action.kind)
    items = bulk.waiting(session, action_id, min(AT_ONCE, MADE_AT_ONCE) if kind is Kind.RESTYLE else AT_ONCE)
    if not items:
        action.finished_at = now()
        return False
    target = UUID(action.choice["shoot"]) if action.choice["shoot"] else None
    member_ids = [item.member_id for item in items]
    part_ids = [item.participation_id for item in items if item.participation_id]
    held = _lock_shoots(session, part_ids, target)
    locks.people(session, member_ids)
    parts = _among(Participation.id, part_ids)
    found = _candidates(session, kind, target, _among(Member.id, member_ids), parts)
    closed = target is not None and held[target].closed_at is not None
    outcomes = {one.member_id: Outcome.SHOOT_CLOSED if closed else judge(kind, one) for one in found}
    done = [one for one in found if outcomes[one.member_id] is Outcome.DONE]
    if done:
        outcomes |= _ACTS[kind](session, done, held, target, bulk.actor_of(session, action)) or {}
    for item in items:
        item.outcome = outcomes.get(item.member_id, Outcome.GONE)
    session.flush()
    return True


def _among(column: InstrumentedAttribute[UUID], ids: Collection[UUID]) -> ColumnElement[bool]:
    return column == any_(literal(list(ids), ARRAY(Uuid)))


def _lock_shoots(session: Session, part_ids: Sequence[UUID], target: UUID | None) -> dict[UUID, Shoot]:
    """Lock the shoots that it is about, before anybody in them."""
    of = select(Participation.shoot_id).where(_among(Participation.id, part_ids))
    ids = {*session.scalars(of), *([target] if target else ())}
    rows = session.scalars(
        select(Shoot)
        .where(_among(Shoot.id, ids))
        .order_by(Shoot.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


_Held = Mapping[UUID, Shoot]


def _parts(session: Session, done: Sequence[Candidate]) -> list[Participation]:
    ids = [one.participation_id for one in done if one.participation_id]
    return list(session.scalars(select(Participation).where(_among(Participation.id, ids))))


def _invite(
    session: Session, done: Sequence[Candidate], held: _Held, target: UUID | None, actor: audit.Actor
) -> None:
    assert target is not None
    members = session.scalars(select(Member).where(_among(Member.id, [one.member_id for one in done])))
    invites.join(session, held[target], members.all(), actor=actor)


def _remind(
    session: Session, done: Sequence[Candidate], held: _Held, _target: UUID | None, actor: audit.Actor
) -> None:
    rows = _parts(session, done)
    for shoot_id, shoot in held.items():
        of_shoot = [row for row in rows if row.shoot_id == shoot_id]
        if of_shoot:
            reminding.send_links(session, shoot, of_shoot, actor, reminder=True, by_day=True)


def _withdraw(
    session: Session, done: Sequence[Candidate], _held: _Held, _target: UUID | None, actor: audit.Actor
) -> None:
    invites.revoke_all(session, _parts(session, done), actor=actor)


def _move(
    session: Session, done: Sequence[Candidate], held: _Held, target: UUID | None, actor: audit.Actor
) -> None:
    assert target is not None
    rows = _parts(session, done)
    members = {
        one.id: one
        for one in session.scalars(select(Member).where(_among(Member.id, [row.member_id for row in rows])))
    }
    for row in rows:
        audit.record(
            session,
            audit.Tag.PARTICIPATION_TRANSFERRED,
            actor=actor,
            subject=members[row.member_id],
            participation=str(row.id),
            before=str(row.shoot_id),
            after=str(target),
        )
        row.shoot_id = target
    session.flush()
    reminding.send_links(session, held[target], rows, actor, reminder=False)


def _restyle(
    session: Session, done: Sequence[Candidate], _held: _Held, _target: UUID | None, actor: audit.Actor
) -> dict[UUID, Outcome]:
    rows = _parts(session, done)
    return {row.member_id: restyling.make_again(session, row, actor=actor) for row in rows}


_Act = Callable[
    [Session, Sequence[Candidate], _Held, UUID | None, audit.Actor], Mapping[UUID, Outcome] | None
]
_ACTS: Final[Mapping[Kind, _Act]] = {
    Kind.INVITE: _invite,
    Kind.REMIND: _remind,
    Kind.WITHDRAW: _withdraw,
    Kind.MOVE: _move,
    Kind.RESTYLE: _restyle,
}
