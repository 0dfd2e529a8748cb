"""Invitations and ready mails as jobs: through the real outbox, Redis, RQ and SMTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from conftest import add_member, add_participation, add_shoot, forget_process_state
from servers.smtp import PostOffice, serving
from sqlalchemy import select, update
from unit.admin.test_download import finish
from work import do_all_work

from core import audit
from core.clock import end_of_day, now
from core.db import transaction
from core.mail import rate
from core.models import (
    AuditEvent,
    Invite,
    Member,
    Outbox,
    Participation,
    Shoot,
    SignInMethod,
    State,
    WebSession,
)
from core.people import sessions
from core.portraits import reviews
from core.queue import JobName, enqueue
from core.shoots import devices, invites, reminders, reminding, shoots
from core.shoots.wording import words


@pytest.fixture
def post(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    office = PostOffice()
    with serving(office) as port:
        monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{port}")
        forget_process_state()
        yield office


def create_invite(org: UUID, member: Member) -> Invite:
    row = add_participation(org, member)
    with transaction(org) as session:
        return invites.create(session, row, actor=audit.SYSTEM)


def events(org: UUID, tag: audit.Tag) -> list[AuditEvent]:
    with transaction(org) as session:
        return list(session.scalars(select(AuditEvent).where(AuditEvent.tag == tag)))


def only_work(org: UUID) -> Outbox:
    with transaction(org) as session:
        return session.scalars(select(Outbox)).one()


def test_created_invite_is_mailed_and_noted(post: PostOffice, org: UUID, member: Member) -> None:
    invite = create_invite(org, member)
    do_all_work()
    (mail,) = post.mails
    assert mail.to == (member.email,)
    assert invites.link_of(invite) in mail.links
    with transaction(org) as session:
        assert session.get_one(Invite, invite.id).sent_at is not None
    (event,) = events(org, audit.Tag.INVITE_SENT)
    assert event.subject_id == member.id
    assert only_work(org).done_at is not None


def test_invite_is_mailed_once_however_often_it_is_owed(post: PostOffice, org: UUID, member: Member) -> None:
    invite = create_invite(org, member)
    with transaction(org) as session:
        enqueue(session, JobName.INVITE_MAIL, invite.id)
    do_all_work()
    assert len(post.mails) == 1


def test_withdrawn_invite_is_not_mailed(post: PostOffice, org: UUID, member: Member) -> None:
    invite = create_invite(org, member)
    with transaction(org) as session:
        session.get_one(Invite, invite.id).revoked_at = now()
    do_all_work()
    assert post.mails == []
    assert only_work(org).done_at is not None


def test_erased_person_gets_no_mail(post: PostOffice, org: UUID, member: Member) -> None:
    create_invite(org, member)
    with transaction(org) as session:
        row = session.get_one(Member, member.id)
        row.erased_at, row.email = now(), None
    do_all_work()
    assert post.mails == []


def test_busy_server_is_asked_again_later(post: PostOffice, org: UUID, member: Member) -> None:
    create_invite(org, member)
    post.answer = "451 greylisted"
    do_all_work()
    work = only_work(org)
    assert work.done_at is None
    assert work.failed_at is None
    assert (work.attempts, work.outages > 0, post.mails) == (0, True, [])
    post.answer = "250 OK"
    with transaction(org) as session:
        session.get_one(Outbox, work.id).not_before = now()
    do_all_work()
    assert len(post.mails) == 1


def test_refused_address_is_given_up_and_told(post: PostOffice, org: UUID, member: Member) -> None:
    invite = create_invite(org, member)
    post.answer = "550 no such user"
    do_all_work()
    work = only_work(org)
    assert work.failed_at is not None
    assert work.error_code == "mail_refused_550"
    (event,) = events(org, audit.Tag.INVITE_UNDELIVERED)
    assert event.facts == {"invite": str(invite.id), "code": "mail_refused_550"}


def test_ready_headshots_are_told(post: PostOffice, org: UUID, member: Member) -> None:
    row = add_participation(org, member, State.READY)
    with transaction(org) as session:
        enqueue(session, JobName.READY_MAIL, row.id)
    do_all_work()
    (mail,) = post.mails
    assert mail.subject.startswith("Your headshots are ready: ")


def test_who_is_asked_for_another_headshot_reads_why(post: PostOffice, org: UUID, member: Member) -> None:
    part = finish(org, add_shoot(org), member, "red")
    with transaction(org) as session:
        row = session.get_one(Participation, part)
        assert row.chosen_headshot_id is not None
        reviews.ask_again(session, row, row.chosen_headshot_id, reviews.Flaw.BLUR, actor=audit.SYSTEM)
    do_all_work()
    (mail,) = post.mails
    assert mail.subject.startswith("Please send another photo: ")
    assert "It is not sharp enough" in mail.text
    assert set(reviews.FLAWS) == set(words("de")["flaws"]) == set(words("en")["flaws"])


@pytest.mark.parametrize("state", [State.APPROVED, State.UPLOADING, State.ERASED])
def test_person_who_moved_on_is_not_told(post: PostOffice, org: UUID, member: Member, state: State) -> None:
    row = add_participation(org, member, state)
    with transaction(org) as session:
        enqueue(session, JobName.READY_MAIL, row.id)
    do_all_work()
    assert post.mails == []
    assert only_work(org).done_at is not None


def opened_elsewhere(org: UUID, member: Member) -> WebSession:
    """Open a person's link on two devices; return the session of the second."""
    row = add_participation(org, member)
    with transaction(org) as session:
        for device in ("phone", "laptop"):
            token = sessions.start(session, member, SignInMethod.INVITE, participation=row)
            opened = sessions.row_of(session, token)
            devices.arrive(session, opened, secret=device, agent="Windows")
        return opened


def test_a_link_opened_elsewhere_is_told_to_the_address_that_got_it(
    post: PostOffice, org: UUID, member: Member
) -> None:
    opened = opened_elsewhere(org, member)
    do_all_work()
    (mail,) = post.mails
    assert mail.to == (member.email,)
    assert mail.subject.startswith("Your link was opened on another device: ")
    assert devices.link_of(opened) in mail.text


def test_a_person_who_could_not_be_told_is_in_the_log(post: PostOffice, org: UUID, member: Member) -> None:
    opened = opened_elsewhere(org, member)
    post.answer = "550 no such person"
    do_all_work()
    (event,) = events(org, audit.Tag.DEVICE_UNDELIVERED)
    assert event.facts == {"row": str(opened.id), "code": "mail_refused"}


def test_nobody_is_told_of_what_they_have_ended(post: PostOffice, org: UUID, member: Member) -> None:
    opened = opened_elsewhere(org, member)
    with transaction(org) as session:
        devices.shut_out(session, opened.id)
    do_all_work()
    assert post.mails == []


def remind(org: UUID, member: Member) -> tuple[Invite, Invite]:
    """Invite somebody, and remind them while the mail server is away; return both links."""
    first = create_invite(org, member)
    with transaction(org) as session:
        session.get_one(Invite, first.id).sent_at = now()
        row = session.get_one(Participation, first.participation_id)
        second = reminding.remind(session, row, actor=audit.SYSTEM)
    return first, second


def test_a_reminder_is_mailed_as_one(post: PostOffice, org: UUID, member: Member) -> None:
    _, second = remind(org, member)
    do_all_work()
    (mail,) = post.mails
    assert mail.subject.startswith("Reminder, ")
    assert invites.link_of(second) in mail.links


@pytest.mark.parametrize("state", [State.DECLINED, State.SUBMITTED, State.APPROVED, State.DELIVERED])
def test_whoever_finished_or_declined_meanwhile_gets_no_reminder_and_keeps_their_link(
    post: PostOffice, org: UUID, member: Member, state: State
) -> None:
    first, second = remind(org, member)
    with transaction(org) as session:
        session.get_one(Participation, first.participation_id).state = state
    do_all_work()
    assert post.mails == []
    with transaction(org) as session:
        assert invites.usable(session, first.id)
        assert session.get_one(Invite, second.id).revoked_at is not None
    assert not events(org, audit.Tag.INVITE_SENT)


def test_who_wants_no_reminders_gets_none_and_can_still_be_invited_anew(
    post: PostOffice, org: UUID, member: Member
) -> None:
    first, _ = remind(org, member)
    with transaction(org) as session:
        reminders.end(session, first.participation_id)
    do_all_work()
    assert post.mails == []
    with transaction(org) as session:
        row = session.get_one(Participation, first.participation_id)
        with pytest.raises(reminding.NotRemindable):
            reminding.remind(session, row, actor=audit.SYSTEM)
        assert reminding.remind_all(session, session.get_one(Shoot, row.shoot_id), actor=audit.SYSTEM) == 0
        invites.revoke(session, row.id, actor=audit.SYSTEM)
        reminding.remind(session, row, actor=audit.SYSTEM)
    do_all_work()
    (mail,) = post.mails
    assert not mail.subject.startswith("Reminder")


def usable(org: UUID, invite: Invite) -> bool:
    with transaction(org) as session:
        try:
            return bool(invites.usable(session, invite.id))
        except invites.InviteRevoked:
            return False


def person_in_list(org: UUID, invite: Invite) -> shoots.Person:
    with transaction(org) as session:
        row = session.get_one(Participation, invite.participation_id)
        (person,) = shoots.people(session, row.shoot_id).people
        return person


def resend(org: UUID, invite: Invite) -> Invite:
    with transaction(org) as session:
        row = session.get_one(Participation, invite.participation_id)
        return reminding.remind(session, row, actor=audit.SYSTEM)


def test_an_earlier_link_works_until_the_mail_with_the_new_one_has_left(
    post: PostOffice, org: UUID, member: Member
) -> None:
    first = create_invite(org, member)
    assert person_in_list(org, first).link_waits
    do_all_work()
    assert not person_in_list(org, first).link_waits
    post.answer = "451 later"
    second = resend(org, first)
    do_all_work()
    assert usable(org, first)
    assert person_in_list(org, first).link_waits
    post.answer = "250 OK"
    with transaction(org) as session:
        session.execute(update(Outbox).values(not_before=now()))
    do_all_work()
    assert usable(org, second)
    assert not usable(org, first)
    assert not person_in_list(org, first).link_waits
    assert [invites.link_of(second) in mail.links for mail in post.mails] == [False, True]


def test_an_earlier_link_works_on_when_the_new_mail_is_refused(
    post: PostOffice, org: UUID, member: Member
) -> None:
    first = create_invite(org, member)
    do_all_work()
    post.answer = "550 no such user"
    resend(org, first)
    do_all_work()
    assert usable(org, first)


def test_of_two_mails_that_wait_only_the_newer_leaves(post: PostOffice, org: UUID, member: Member) -> None:
    first = create_invite(org, member)
    second = resend(org, first)
    do_all_work()
    (mail,) = post.mails
    assert invites.link_of(second) in mail.links
    assert not usable(org, first)


def test_links_follow_the_deadline_both_ways(post: PostOffice, org: UUID, member: Member) -> None:
    invite = create_invite(org, member)
    do_all_work()

    def move(days: int) -> datetime:
        with transaction(org) as session:
            row = session.get_one(Participation, invite.participation_id)
            shoot = shoots.get(session, row.shoot_id, lock=True)
            day = now().date() + timedelta(days=days)
            assert shoots.move_deadline(session, shoot, day, actor=audit.SYSTEM) == (days <= 90, days > 90)
        with transaction(org) as session:
            return session.get_one(Invite, invite.id).expires_at

    assert move(40) == end_of_day(now().date() + timedelta(days=40))
    assert move(0) == end_of_day(now().date())
    assert move(200) == end_of_day(now().date() + timedelta(days=90)), "the most that a link works"
    with transaction(org) as session:
        session.get_one(Invite, invite.id).expires_at = now()
    with pytest.raises(invites.InviteExpired), transaction(org) as session:
        invites.usable(session, invite.id)
    move(3)
    assert usable(org, invite)
    assert len(events(org, audit.Tag.SHOOT_DEADLINE_MOVED)) == 4


def test_a_withdrawn_link_stays_so_when_the_deadline_moves(
    post: PostOffice, org: UUID, member: Member
) -> None:
    invite = create_invite(org, member)
    with transaction(org) as session:
        invites.revoke(session, invite.participation_id, actor=audit.SYSTEM)
        row = session.get_one(Participation, invite.participation_id)
        shoot = shoots.get(session, row.shoot_id, lock=True)
        day = now().date() + timedelta(days=40)
        assert shoots.move_deadline(session, shoot, day, actor=audit.SYSTEM) == (0, 0)
    assert not usable(org, invite)


@pytest.fixture
def five_a_second(post: PostOffice, monkeypatch: pytest.MonkeyPatch) -> PostOffice:
    monkeypatch.setenv("HEADSHOTS_MAIL_PER_SECOND", "5")
    forget_process_state()
    return post


def test_mails_over_the_rate_come_back_in_turn_and_nobody_waits_for_them(
    five_a_second: PostOffice, org: UUID, member: Member
) -> None:
    people = [member, *(add_member(org, f"Person{number}") for number in range(11))]
    for one in people:
        create_invite(org, one)
    started = time.monotonic()
    do_all_work()
    sent, seconds = len(five_a_second.mails), time.monotonic() - started
    assert sent <= 5 + 5 * seconds
    with transaction(org) as session:
        waiting = session.scalars(select(Outbox).where(Outbox.done_at.is_(None))).all()
        assert all((row.attempts, row.failed_at, row.published_at) == (0, None, None) for row in waiting)
    while len(five_a_second.mails) < len(people):
        assert time.monotonic() - started < 60
        do_all_work()
        assert len(five_a_second.mails) <= 5 + 5 * (time.monotonic() - started)
        time.sleep(0.05)
    assert sorted(mail.to[0] for mail in five_a_second.mails) == sorted(one.email or "" for one in people)


def test_a_mail_that_somebody_waits_for_is_not_held_back(
    five_a_second: PostOffice, org: UUID, member: Member
) -> None:
    while not rate.wait_seconds():
        pass
    opened_elsewhere(org, member)
    do_all_work()
    assert len(five_a_second.mails) == 1
