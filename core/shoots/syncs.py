"""A directory that is followed: a list's rows held against the company, and the groups that HR ticked applied."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.db import organization_of
from core.errors import Conflict, InvalidInput
from core.models import BulkAction, BulkItem, Member, Organization, Role
from core.people import access, facts, list_columns, members, sync
from core.people.facts import Fact, FactTaken
from core.people.roster import Choice, Roster
from core.people.rows import Reason, Row
from core.people.sync import Entry, Plan
from core.shoots import bulk, by_hand, imports, invites, shoots
from core.shoots.bulk import Kind, Outcome
from core.vault import vault
from core.words import N_

AT_ONCE: Final = 200  # people of a transaction: about a second's work
# In the file's place of a shoot, since such a list is for none.
NAMES: Final = frozenset({Fact.FIRST_NAME, Fact.LAST_NAME})
NO_SHOOT: Final = UUID(int=0)
LONGEST: Final = timedelta(
    days=1
)  # of a list that no worker comes to; after this its file is deleted like any other


class Group(StrEnum):
    """What HR ticks."""

    JOIN = "join"
    MOVE = "move"
    LEAVE = "leave"


class PlanChanged(Conflict):
    """Since the dry run somebody joined, changed or left, so that it would do something else than was confirmed."""

    code = "plan_changed"


class NothingTicked(InvalidInput):
    """No group was chosen, or nobody is in it."""

    code = "nothing_ticked"


def entries(parsed: Roster) -> list[Entry]:
    """Return a list's rows as a directory's."""
    return [_entry(row) for row in parsed.rows]


def _entry(row: Row) -> Entry:
    said = {fact: str(getattr(row.values, fact)) for fact in Fact}
    guessed = NAMES if Reason.NAME_SPELT in row.reasons else frozenset()
    return Entry(row.line, {fact: text for fact, text in said.items() if text}, row.is_good, guessed)


def dry_run(session: Session, content: bytes, choice: Choice) -> tuple[Roster, Plan | None]:
    """Return how a list is read, and what following it would do; no plan while something has to be asked.

    Raises:
        InvalidInput: what was said does not fit the list; see `core.people.roster.parse`.
    """
    parsed = imports.parse_as_before(session, content, choice)
    return parsed, None if parsed.asks is not None else sync.plan(session, entries(parsed))


def counts(plan: Plan) -> dict[Group, int]:
    """Return how many people each group has."""
    return {
        Group.JOIN: len(plan.joiners),
        Group.MOVE: len(plan.movers),
        Group.LEAVE: len(plan.leavers),
    }


def seal(plan: Plan) -> str:
    """Return what stands for exactly these leavers."""
    return bulk.seal(one.id for one in plan.leavers)


def start(
    session: Session,
    import_id: UUID,
    content: bytes,
    choice: Choice,
    *,
    ticked: dict[Group, int],
    leavers: str,
    stay: Collection[UUID] = (),
    shoot_id: UUID | None,
    actor: audit.Actor,
) -> BulkAction:
    """Owe that a list is followed.

    Args:
        session: bound to the organization.
        import_id: the file's number.
        content: of the file.
        choice: what was said about it.
        ticked: the groups, each with how many people the dry run had in it.
        leavers: the seal of those whom the dry run had.
        stay: whom of those who are not in the list nothing is done to.
        shoot_id: where joiners are invited to; none if nowhere.
        actor: who confirms it.

    Raises:
        NothingTicked: nobody would be touched.
        PlanChanged: a group has other people than were confirmed.
        ImportGone: the file was deleted.
        ShootClosed: nobody can be invited there.
    """
    session.get_one(Organization, organization_of(session), with_for_update={"key_share": True})
    if (known := session.get(BulkAction, import_id)) is not None:
        return known  # a second click
    imports.find(session, import_id)
    parsed, plan = dry_run(session, content, choice)
    if plan is None:
        raise imports.ImportUnclear(
            N_("Please answer first how the list is to be read. Nothing was changed.")
        )
    found = counts(plan)
    kept = set(stay) if Group.LEAVE in ticked else set()
    others_left = Group.LEAVE in ticked and leavers != seal(plan)
    is_other = others_left or any(found[group] != number for group, number in ticked.items())
    if is_other or not kept <= {one.id for one in plan.leavers}:
        raise PlanChanged(
            N_(
                "Somebody was added, changed or switched off since you looked. Nothing was changed: please look again."
            )
        )
    leaving = ticked.get(Group.LEAVE, 0) - len(kept)
    total = sum(ticked.values()) - len(kept)
    if total == 0:
        raise NothingTicked(N_("Tick at least one group with somebody in it. Nothing was changed."))
    if shoot_id is not None:
        shoots.open_or_refuse(shoots.get(session, shoot_id))
    list_columns.keep(session, parsed, choice)
    action = bulk.start(
        session,
        Kind.SYNC,
        {
            "groups": sorted(ticked),
            "shoot": str(shoot_id) if shoot_id else None,
            "read": imports.stored(parsed.choice),
        },
        # Who is added from now on is not in the list either, and has not left.
        [(one.id, None) for one in plan.leavers if one.id not in kept] if Group.LEAVE in ticked else [],
        total=total,
        action_id=import_id,
        actor=actor,
    )
    audit.record(
        session,
        audit.Tag.ROSTER_FOLLOWED,
        actor=actor,
        joined=ticked.get(Group.JOIN, 0),
        changed=ticked.get(Group.MOVE, 0),
        left=leaving,
    )
    return action


def go_on(session: Session, action_id: UUID, rows: Sequence[Entry]) -> bool:
    """Do the next people of a list that is followed, and return whether there are more.

    The plan is made anew each time: who has had their turn is left out. Of leavers it says only who still is one of those
    who were confirmed.

    Raises:
        ArtifactGone: the list was deleted meanwhile, with somebody's erasure, say: its rows may name them.
        ImportCrossed: someone added one of these people at this moment; these were not done.
    """
    session.get_one(
        Organization, organization_of(session), with_for_update={"key_share": True}, populate_existing=True
    )
    action = bulk.locked(session, action_id)
    if bulk.is_over(action) or not bulk.may_go_on(session, action):
        return False
    had = set(session.scalars(select(BulkItem.member_id).where(BulkItem.action_id == action_id)))
    plan = sync.plan(session, rows)
    movers = [one for one in plan.movers if one.known.id not in had]
    vault().find(session, action_id)  # after the plan: whose erasure that saw, has deleted the list
    actor, ticked = bulk.actor_of(session, action), action.choice["groups"]
    if Group.JOIN in ticked and plan.joiners:
        _join(session, action, plan.joiners[:AT_ONCE], actor)
    elif Group.MOVE in ticked and movers:
        _move(session, action, movers[:AT_ONCE], actor)
    elif items := bulk.waiting(session, action_id, AT_ONCE):
        _leave(session, items, {one.id for one in plan.leavers}, actor)
    else:
        action.finished_at = now()
        return False
    return True


def needed(moment: datetime) -> Select[UUID]:
    """Ask for the files of lists that are being followed, for a day."""
    return select(BulkAction.id).where(
        BulkAction.kind == Kind.SYNC,
        BulkAction.finished_at.is_(None),
        BulkAction.failure.is_(None),
        BulkAction.created_at > moment - LONGEST,
    )


def finish(session: Session, action_id: UUID) -> None:
    """Delete the file of a list that was followed, or will not be."""
    if imports.is_here(session, action_id):
        vault().delete(session, [action_id])


def _join(session: Session, action: BulkAction, joiners: Sequence[Entry], actor: audit.Actor) -> None:
    language = session.get_one(Organization, action.org_id).language
    shoot = shoots.get(session, UUID(action.choice["shoot"]), lock=True) if action.choice["shoot"] else None
    new = [facts.new(one.facts, language=language) for one in joiners]
    try:
        added = members.add(session, new, actor=actor, tag=audit.Tag.MEMBER_IMPORTED)
    except IntegrityError as error:
        raise imports.ImportCrossed("Someone was added to your organization at this very moment.") from error
    if shoot is not None and shoot.closed_at is None:
        invites.join(session, shoot, added, actor=actor)
    bulk.add(session, action, [(one.id, None) for one in added], Outcome.JOINED)


def _move(session: Session, action: BulkAction, movers: Sequence[sync.Mover], actor: audit.Actor) -> None:
    locks.people(session, [one.known.id for one in movers])
    held = {one.id: one for one in session.scalars(_members([one.known.id for one in movers]))}
    for one in movers:
        member = held[one.known.id]
        if member.erased_at is not None:
            continue
        try:
            by_hand.correct(
                session,
                member,
                {fact: after for fact, (_, after) in one.changes.items()},
                by="roster",
                actor=actor,
            )
            outcome = Outcome.CHANGED
        except FactTaken:
            outcome = Outcome.TAKEN
        bulk.add(session, action, [(member.id, None)], outcome)


def _leave(session: Session, items: Sequence[BulkItem], left: Collection[UUID], actor: audit.Actor) -> None:
    """Switch off access; the company's rule for people who have left erases them later, with a certificate each."""
    ids = [one.member_id for one in items]
    locks.people(session, ids)
    held = {one.id: one for one in session.scalars(_members(ids).execution_options(populate_existing=True))}
    for item in items:
        member = held[item.member_id]
        item.outcome = _judge(member, left)
        if item.outcome is Outcome.LEFT:
            access.disable(session, member, actor=actor)
    session.flush()


def _judge(member: Member, left: Collection[UUID]) -> Outcome:
    """Return whether a leaver who was confirmed still is one, or why not."""
    if member.erased_at is not None:
        return Outcome.GONE
    if member.disabled_at is not None:
        return Outcome.ACCESS_OFF
    if member.role != Role.EMPLOYEE:
        return Outcome.STAFF
    return Outcome.LEFT if member.id in left else Outcome.ALREADY_THERE


def _members(ids: Sequence[UUID]) -> Select[Member]:
    return select(Member).where(Member.id.in_(ids)).order_by(Member.id)
