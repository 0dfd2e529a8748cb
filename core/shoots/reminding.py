"""Reminding people of a shoot: one by name, everyone who has not finished, and by the shoot's own schedule."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, ColumnElement, Date, Select, Uuid, any_, cast, func, literal, or_, select
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.db import Lookup, transaction
from core.errors import Conflict, InvalidInput
from core.models import Invite, MailState, Member, Participation, Person, Shoot, State
from core.people import organizations, zones
from core.shoots import invites, participations, reminders, shoots
from core.shoots.reminders import REMINDABLE
from core.words import N_

# Nobody gets two links unasked within this time.
AGAIN_AFTER: Final = timedelta(hours=24)
BATCH: Final = 1000
MOST_STEPS: Final = 6
LONGEST_STEP: Final = 90  # days


class NotRemindable(Conflict):
    """This person has answered, or has finished."""

    code = "not_remindable"


class ScheduleUnusable(InvalidInput):
    """The days cannot be used."""

    code = "schedule_unusable"


@dataclass(frozen=True)
class Plan:
    """Whom a reminder to everyone would reach now, and whom not.

    Attributes:
        reached: how many get one.
        waiting: how many of them get it in the morning, since it is quiet where they are.
        recent: how many got a link within the last day.
        bounced: how many have an address that mails came back from.
        ended: how many asked for no more reminders.
    """

    reached: int
    waiting: int
    recent: int
    bounced: int
    ended: int


def remind(session: Session, participation: Participation, *, actor: audit.Actor) -> Invite:
    """Send one person a new link; the older ones end when its mail has left. It is a reminder, unless the invitation was withdrawn.

    It leaves at once, whatever the hour: somebody asked for it by name.

    Raises:
        NotRemindable: they declined, finished, were erased, asked for no more reminders, or have no access.
        ShootClosed: the shoot has ended.
    """
    shoot = shoots.get(session, participation.shoot_id)
    shoots.open_or_refuse(shoot)
    locks.person(session, participation.member_id)
    if participation.state == State.DECLINED:
        raise NotRemindable("This person is not participating. That answer stands: no reminder is sent.")
    if participation.seen_by_company not in REMINDABLE:
        raise NotRemindable("This person is past the invitation, so no new link is needed.")
    if session.get_one(Member, participation.member_id).disabled_at is not None:
        raise NotRemindable("This person’s access is switched off, so no link is sent.")
    if session.get_one(Member, participation.member_id).restricted_at is not None:
        raise NotRemindable("This person’s data is restricted at their request, so no link is sent.")
    again = invites.is_withdrawn(session, participation)
    if not again and not reminders.wanted(participation):
        raise NotRemindable("This person asked for no more reminders. The link that they have still works.")
    return send_links(session, shoot, [participation], actor, reminder=not again)[0]


def plan(session: Session, shoot: Shoot) -> Plan:
    """Return whom a reminder to everyone would reach now."""
    bounced = Participation.mail_state.is_not_distinct_from(MailState.BOUNCED)
    ended = Participation.reminders_ended_at.is_not(None)
    counted = select(
        func.count().filter(~_is_recent(), ~bounced, ~ended),
        func.count().filter(_is_recent(), ~bounced, ~ended),
        func.count().filter(bounced, ~ended),
        func.count().filter(ended),
    )
    found = session.execute(counted.select_from(Participation).where(*_open(shoot))).one()
    reached, recent, back, stopped = found
    return Plan(reached, _waiting(session, shoot), recent, back, stopped)


def remind_all(session: Session, shoot: Shoot, *, actor: audit.Actor) -> int:
    """Send everyone who has not finished a new link, by day where they are; return how many.

    Nobody who declined, has no access, whose mails come back or who asked for no more reminders is reminded, nobody who
    got a link within the last day, and nobody whose invitation was withdrawn: they get one only when they are asked by name.

    Raises:
        ShootClosed: the shoot has ended.
    """
    shoots.open_or_refuse(shoot)
    return _remind(session, shoot, _reached(shoot), actor)


def recently_mailed(session: Session, participation_ids: Collection[UUID]) -> set[UUID]:
    """Return who of these got a link within the last day."""
    return set(
        session.scalars(select(Participation.id).where(Participation.id.in_(participation_ids), _is_recent()))
    )


def set_schedule(session: Session, shoot: Shoot, days: Sequence[int], *, actor: audit.Actor) -> None:
    """Say when a shoot reminds by itself: days after somebody's invitation, and as negative numbers before the end.

    Raises:
        ScheduleUnusable: too many days, or one that makes no sense.
        ShootClosed: the shoot has ended.
    """
    shoots.open_or_refuse(shoot)
    steps = sorted(set(days), key=lambda day: (day < 0, day))
    if len(steps) > MOST_STEPS or not all(1 <= abs(day) <= LONGEST_STEP for day in steps):
        raise ScheduleUnusable(
            N_(
                "Please give at most six reminders, each 1 to 90 days after the invitation or before the end."
            ),
            field="after",
        )
    if steps == shoot.reminder_days:
        return
    shoot.reminder_days = steps
    session.flush()
    audit.record(
        session,
        audit.Tag.SHOOT_REMINDERS_CHANGED,
        actor=actor,
        shoot=str(shoot.id),
        days=" ".join(map(str, steps)),
    )


def remind_due_all() -> None:
    """Send every company's reminders that are due by their shoots' schedules."""
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            due = session.scalars(
                select(Shoot.id).where(
                    Shoot.closed_at.is_(None),
                    Shoot.deadline > now(),
                    func.cardinality(Shoot.reminder_days) > 0,
                )
            ).all()
        for shoot_id in due:
            with transaction(org_id) as session:
                remind_due(session, shoots.get(session, shoot_id, lock=True))


def remind_due(session: Session, shoot: Shoot) -> int:
    """Remind whoever is due by a shoot's schedule now, by day where they are; return how many.

    A day of the schedule that nobody could be reminded on, at a weekend's outage say, is made up for once.
    """
    if shoot.closed_at is not None or shoot.deadline <= now() or not shoot.reminder_days:
        return 0
    organization = organizations.current(session)
    quiet = organization.quiet_from, organization.quiet_until
    sent = 0
    for zone, places in _by_zone(session, shoot).items():
        if not zones.until_day(now(), zone, *quiet):
            queued = Participation.mail_state.is_not_distinct_from(MailState.QUEUED)
            due = _reached(shoot).where(_lives_in(places), _is_due(shoot, zone), ~queued)
            sent += _remind(session, shoot, due, audit.SYSTEM)
    return sent


def _is_due(shoot: Shoot, zone: str) -> ColumnElement[bool]:
    """Return the condition that a day of the schedule has come since somebody's newest link."""
    links = Invite.participation_id == Participation.id
    first = select(func.min(Invite.sent_at)).where(links).correlate(Participation).scalar_subquery()
    last = (
        select(func.max(Invite.created_at))
        .where(links, Invite.sent_at.is_not(None) | Invite.revoked_at.is_(None))
        .correlate(Participation)
        .scalar_subquery()
    )
    today = now().astimezone(ZoneInfo(zone)).date()
    invited, newest = (cast(func.timezone(zone, moment), Date) for moment in (first, last))
    end = literal(shoot.deadline.date(), Date)
    days = [(invited if step > 0 else end) + step for step in shoot.reminder_days]
    return or_(*((newest < day) & (day <= today) for day in days))


def _by_zone(session: Session, shoot: Shoot) -> dict[str, list[str | None]]:
    """Return where people who could be reminded work, by their zones."""
    company = organizations.current(session).time_zone
    found: dict[str, list[str | None]] = {}
    asked = select(Member.place).join(Participation, Participation.member_id == Member.id)
    for place in session.scalars(asked.where(*_open(shoot)).distinct()):
        found.setdefault(zones.zone_of(place, company), []).append(place)
    return found


def _waiting(session: Session, shoot: Shoot) -> int:
    """Return how many would get a reminder only in the morning."""
    organization = organizations.current(session)
    quiet = organization.quiet_from, organization.quiet_until
    asleep = [
        place
        for zone, places in _by_zone(session, shoot).items()
        if zones.until_day(now(), zone, *quiet)
        for place in places
    ]
    if not asleep:
        return 0
    counted = _reached(shoot).where(_lives_in(asleep)).with_only_columns(func.count())
    return session.scalars(counted).one()


def _lives_in(places: Sequence[str | None]) -> ColumnElement[bool]:
    named = Member.place.in_(places)
    there = named | Member.place.is_(None) if None in places else named
    return Participation.member_id.in_(select(Member.id).where(there))


def _open(shoot: Shoot) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that somebody has not finished, and may be asked."""
    off = select(Person.id).where(participations.shut_out)
    return (
        Participation.shoot_id == shoot.id,
        participations.seen_by_company.in_(REMINDABLE),
        Participation.member_id.not_in(off.correlate(None)),
        ~invites.withdrawn(),
    )


def _reached(shoot: Shoot) -> Select[Participation]:
    return select(Participation).where(
        *_open(shoot),
        ~_is_recent(),
        Participation.mail_state.is_distinct_from(MailState.BOUNCED),
        Participation.reminders_ended_at.is_(None),
    )


def _is_recent() -> ColumnElement[bool]:
    return (
        select(Invite.id)
        .where(
            Invite.participation_id == Participation.id,
            Invite.created_at > now() - AGAIN_AFTER,
            Invite.revoked_at.is_(None),
        )
        .exists()
    )


def _remind(session: Session, shoot: Shoot, wanted: Select[Participation], actor: audit.Actor) -> int:
    found = locks.owners(session, wanted.with_only_columns(Participation.member_id))
    # Who moved on meanwhile is left out.
    rows = session.scalars(wanted.where(Participation.member_id == any_(literal(found, ARRAY(Uuid))))).all()
    for start in range(0, len(rows), BATCH):
        send_links(session, shoot, rows[start : start + BATCH], actor, reminder=True, by_day=True)
    return len(rows)


def send_links(
    session: Session,
    shoot: Shoot,
    rows: Sequence[Participation],
    actor: audit.Actor,
    *,
    reminder: bool,
    by_day: bool = False,
) -> list[Invite]:
    """Send people of a shoot, whom the caller has locked, new links; who had run out of time is invited again.

    Args:
        session: bound to the organization.
        shoot: theirs.
        rows: their places in it.
        actor: who asks for it.
        reminder: whether it is one, and not an invitation.
        by_day: whether it waits for the day where they are.
    """
    for row in rows:
        if row.state == State.EXPIRED:
            participations.move(session, row, State.INVITED, actor=actor)
    return invites.create_all(session, shoot, rows, actor=actor, reminder=reminder, by_day=by_day)


def quiet_for(session: Session, invite: Invite, member: Member, moment: datetime) -> timedelta:
    """Return how long the mail of a link has to wait for the day, where it keeps quiet hours."""
    if not invite.by_day:
        return timedelta(0)
    organization = organizations.current(session)
    zone = zones.zone_of(member.place, organization.time_zone)
    return zones.until_day(moment, zone, organization.quiet_from, organization.quiet_until)
