"""Reminders by a shoot's schedule: when they are due, by whose clock, and to whom never."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from conftest import add_member, add_participation, forget_process_state
from servers.smtp import PostOffice, serving
from sqlalchemy import func, select
from work import do_all_work

from core import audit
from core.clock import now
from core.db import transaction
from core.models import Invite, MailState, Member, Outbox, Participation, Shoot, State
from core.people import organizations, zones
from core.shoots import invites, reminders, reminding

NIGHT = datetime(2026, 11, 30, 21, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "hours"),
    [
        ("Europe/Berlin", 9.5),  # 22:30
        ("America/New_York", 0),  # 16:30
        ("Asia/Kolkata", 5),  # 03:00
        ("Australia/Sydney", 0),  # 08:30
    ],
)
def test_it_is_quiet_by_the_clock_of_whoever_reads(zone: str, hours: float) -> None:
    assert zones.until_day(NIGHT, zone, 18, 8) == timedelta(hours=hours)
    assert zones.until_day(NIGHT, zone, 8, 8) == timedelta(0)


@pytest.mark.parametrize(
    ("place", "zone"),
    [
        ("DE", "Europe/Berlin"),
        ("US-CA", "America/Los_Angeles"),
        ("US", "Europe/Vienna"),  # where in it nobody knows
        ("GB", "Europe/London"),
        (None, "Europe/Vienna"),
    ],
)
def test_people_live_by_the_clock_of_where_they_work(place: str | None, zone: str) -> None:
    assert zones.zone_of(place, "Europe/Vienna") == zone


def invited(org: UUID, name: str = "Ada", *, days_ago: float, state: State = State.INVITED) -> Participation:
    """Somebody whose invitation left so many days ago, in a company where it is never quiet."""
    row = add_participation(org, add_member(org, name), state)
    with transaction(org) as session:
        organization = organizations.current(session)
        organization.quiet_from = organization.quiet_until
        invite = invites.create(session, session.get_one(Participation, row.id), actor=audit.SYSTEM)
        invite.created_at = invite.sent_at = now() - timedelta(days=days_ago)
        session.get_one(Participation, row.id).mail_state = MailState.SENT
    return row


def due(org: UUID, row: Participation) -> int:
    with transaction(org) as session:
        return reminding.remind_due(session, session.get_one(Shoot, row.shoot_id))


@pytest.mark.parametrize(
    ("days_ago", "left", "number"),
    [(2, 14, 0), (3, 14, 1), (5, 14, 1), (1.2, 2, 1), (1.2, 3, 0), (0.3, 1, 0)],
)
def test_a_shoot_reminds_on_its_days_once(org: UUID, days_ago: float, left: int, number: int) -> None:
    row = invited(org, days_ago=days_ago)
    with transaction(org) as session:
        session.get_one(Shoot, row.shoot_id).deadline = now() + timedelta(days=left)
    assert (due(org, row), due(org, row)) == (number, 0)


@pytest.mark.parametrize(("hours", "number"), [(20, 0), (30, 1)])
def test_a_later_day_reminds_again_and_never_within_a_day(org: UUID, hours: int, number: int) -> None:
    row = invited(org, days_ago=7)
    assert due(org, row) == 1
    with transaction(org) as session:
        newest = session.scalars(select(Invite).order_by(Invite.id.desc()).limit(1)).one()
        newest.created_at = newest.sent_at = now() - timedelta(hours=hours)
        session.get_one(Participation, row.id).mail_state = MailState.SENT
    assert due(org, row) == number


@pytest.mark.parametrize(
    "why", ["declined", "approved", "ended", "bounced", "queued", "disabled", "closed", "no schedule"]
)
def test_some_are_never_reminded(org: UUID, why: str) -> None:
    states = {"declined": State.DECLINED, "approved": State.APPROVED}
    row = invited(org, days_ago=3, state=states.get(why, State.OPENED))
    with transaction(org) as session:
        participation = session.get_one(Participation, row.id)
        shoot = session.get_one(Shoot, row.shoot_id)
        if why == "ended":
            reminders.end(session, row.id)
        elif why in set(MailState):
            participation.mail_state = why
        elif why == "disabled":
            session.get_one(Member, row.member_id).disabled_at = now()
        elif why == "closed":
            shoot.closed_at = now()
        elif why == "no schedule":
            reminding.set_schedule(session, shoot, [], actor=audit.SYSTEM)
    assert due(org, row) == 0


@pytest.mark.parametrize("days", [[0], [91], [-91], [1, 2, 3, 4, 5, 6, 7]])
def test_a_schedule_that_makes_no_sense_is_refused(org: UUID, days: list[int]) -> None:
    row = invited(org, days_ago=0)
    with transaction(org) as session, pytest.raises(reminding.ScheduleUnusable):
        reminding.set_schedule(session, session.get_one(Shoot, row.shoot_id), days, actor=audit.SYSTEM)


@pytest.fixture
def post(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    office = PostOffice()
    with serving(office) as port:
        monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{port}")
        forget_process_state()
        yield office


def test_a_reminder_to_everyone_waits_for_the_day_and_one_by_name_does_not(
    org: UUID, post: PostOffice
) -> None:
    row = invited(org, days_ago=3)
    hour = now().hour
    with transaction(org) as session:
        organization = organizations.current(session)
        organization.quiet_from, organization.quiet_until = hour, (hour + 3) % 24
        shoot = session.get_one(Shoot, row.shoot_id)
        assert reminding.remind_due(session, shoot) == 0, "the scheduler asks again by day"
        assert reminding.plan(session, shoot) == reminding.Plan(1, 1, 0, 0, 0)
        assert reminding.remind_all(session, shoot, actor=audit.SYSTEM) == 1
    do_all_work()
    assert len(post.mails) == 0
    with transaction(org) as session:
        waits = session.scalar(select(func.max(Outbox.not_before)).where(Outbox.done_at.is_(None)))
        assert waits is not None
        assert timedelta(hours=1, minutes=59) < waits - now() <= timedelta(hours=3)
        reminding.remind(session, session.get_one(Participation, row.id), actor=audit.SYSTEM)
    do_all_work()
    (mail,) = post.mails
    assert mail.subject.startswith("Reminder, ")
