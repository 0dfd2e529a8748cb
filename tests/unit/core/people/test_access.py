"""Switching somebody's access off and on, and that somebody can always manage the company."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Event
from uuid import UUID

import pytest
from click.testing import CliRunner
from conftest import add_member, add_participation
from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance import erasure
from compliance.erasure import ErasureReason
from core import audit, locks
from core.clock import now
from core.db import transaction
from core.errors import InvalidInput
from core.models import App, AuditEvent, Invite, Member, Role, Shoot, SignInMethod, State
from core.people import access, data_links, sessions
from core.shoots import invites, reminding
from deploy.cli import main
from sso import provisioning
from sso.devidp import app as devidp
from sso.saml import Identity, NameId
from workers.jobs.invite_mail import mail_of


def events(org: UUID, tag: audit.Tag) -> int:
    with transaction(org) as session:
        return len(session.scalars(select(AuditEvent).where(AuditEvent.tag == tag)).all())


def disable(session: Session, member: Member) -> None:
    access.disable(session, member, actor=audit.SYSTEM)


def erase(session: Session, member: Member) -> None:
    erasure.request(session, member, reason=ErasureReason.EMPLOYER_REQUEST, actor=audit.SYSTEM, language="en")


def erase_oneself(session: Session, member: Member) -> None:
    erasure.request(session, member, reason=ErasureReason.SELF_SERVICE, actor=audit.SYSTEM, language="en")


WAYS_TO_GO: list[Callable[[Session, Member], None]] = [disable, erase, erase_oneself]


def test_switching_off_ends_sessions_and_links_and_switching_on_brings_none_back(
    org: UUID, member: Member
) -> None:
    participation = add_participation(org, member)
    with transaction(org) as session:
        row = session.get_one(Member, member.id)
        token = sessions.start(session, row, SignInMethod.INVITE, participation=participation)
        invite = invites.create(session, participation, actor=audit.SYSTEM)
        old = data_links.find(data_links.link_of(row).rpartition("/")[2])
        assert data_links.open_with(session, old).id == member.id
    assert sessions.find(token, App.PORTAL)
    for _ in range(2):
        with transaction(org) as session:
            access.disable(session, session.get_one(Member, member.id), actor=audit.SYSTEM)
    assert sessions.find(token, App.PORTAL) is None
    with transaction(org) as session:
        assert mail_of(session, invite.id) is None
        with pytest.raises(invites.InviteRevoked):
            invites.usable(session, invite.id)
        assert invites.renew(session, invite.id) is None
        with pytest.raises(reminding.NotRemindable, match="switched off"):
            reminding.remind(session, participation, actor=audit.SYSTEM)
        shoot = session.get_one(Shoot, participation.shoot_id)
        assert reminding.remind_all(session, shoot, actor=audit.SYSTEM) == 0
    assert events(org, audit.Tag.MEMBER_DISABLED) == 1
    for _ in range(2):
        with transaction(org) as session:
            access.enable(session, session.get_one(Member, member.id), actor=audit.SYSTEM)
    assert events(org, audit.Tag.MEMBER_ENABLED) == 1
    assert sessions.find(token, App.PORTAL) is None
    with transaction(org) as session:
        with pytest.raises(invites.InviteRevoked):
            invites.usable(session, invite.id)
        with pytest.raises(data_links.DataLinkUnknown):
            data_links.open_with(session, old)
        again = data_links.find(data_links.link_of(session.get_one(Member, member.id)).rpartition("/")[2])
        assert data_links.open_with(session, again).id == member.id
        fresh = reminding.remind(session, participation, actor=audit.SYSTEM)
        assert invites.usable(session, fresh.id)


@pytest.mark.parametrize("go", WAYS_TO_GO)
@pytest.mark.parametrize("role", access.STAFF)
def test_the_last_one_who_can_manage_does_not_go(
    org: UUID, go: Callable[[Session, Member], None], role: Role
) -> None:
    add_member(org, "Grace", role=Role.AUDITOR)
    boss = add_member(org, "Robin", role=role)
    with pytest.raises(access.LastAdmin), transaction(org) as session:
        go(session, session.get_one(Member, boss.id))
    with transaction(org) as session:
        row = session.get_one(Member, boss.id)
        assert (row.erased_at, row.disabled_at) == (None, None)
    other = add_member(org, "Kim", role=Role.HR_ADMIN)
    with transaction(org) as session:
        disable(session, session.get_one(Member, other.id))
    with pytest.raises(access.LastAdmin), transaction(org) as session:
        go(session, session.get_one(Member, boss.id))
    with transaction(org) as session:
        access.enable(session, session.get_one(Member, other.id), actor=audit.SYSTEM)
    with transaction(org) as session:
        go(session, session.get_one(Member, boss.id))


@pytest.mark.parametrize(("one", "other"), list(itertools.product(WAYS_TO_GO[:2], repeat=2)))
def test_two_admins_who_take_each_other_out_leave_one(
    org: UUID, one: Callable[[Session, Member], None], other: Callable[[Session, Member], None]
) -> None:
    robin = add_member(org, "Robin", role=Role.HR_ADMIN)
    kim = add_member(org, "Kim", role=Role.OWNER)
    read = Event()

    def take_out_robin() -> str:
        try:
            with transaction(org) as session:
                row = session.get_one(Member, robin.id)
                read.set()
                other(session, row)
        except access.LastAdmin:
            return "refused"
        return "done"

    with ThreadPoolExecutor(1) as pool:
        with transaction(org) as session:
            one(session, session.get_one(Member, kim.id))
            second = pool.submit(take_out_robin)
            assert read.wait(10)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.5)  # waits for the first
        assert second.result(timeout=20) == "refused"
    with transaction(org) as session:
        row = session.get_one(Member, robin.id)
        assert (row.erased_at, row.disabled_at) == (None, None)


def test_whatever_two_admins_do_to_each_other_at_once_one_stays(org: UUID, tmp_path: Path) -> None:
    """Every pair of verbs, twice; both have read the other before either acts."""
    connection = devidp.dev_connection("acme", "http://localhost", "http://localhost/devidp", tmp_path)

    def demote(session: Session, member: Member) -> None:
        """Let somebody sign in whose groups are no admin's any more."""
        member.idp_entity_id, member.name_id = connection.idp_entity_id, str(member.id)
        session.flush()
        said = Identity(
            idp_entity_id=connection.idp_entity_id,
            name_id=NameId(str(member.id)),
            session_index=None,
            session_end=None,
            email=member.email or "",
            first_name="",
            last_name="",
            groups=("staff",),
            all_groups=True,
        )
        provisioning.member_for(session, connection, said)

    def take_out(person: Member, go: Callable[[Session, Member], None], both: Barrier) -> None:
        first = iter([both.wait])  # not when it is done again

        def work() -> None:
            with transaction(org) as session:
                row = session.get_one(Member, person.id)
                next(first, lambda: 0)()
                go(session, row)

        with suppress(access.LastAdmin):
            locks.again(work)

    for number, (one, other) in enumerate([*itertools.product([disable, erase, demote], repeat=2)] * 2):
        pair = [
            add_member(org, name, email=f"{name}{number}@acme.example", role=Role.HR_ADMIN)
            for name in ("kim", "robin")
        ]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(take_out, pair, (one, other), [Barrier(2, timeout=20)] * 2))
        with transaction(org) as session:
            can_manage = select(Member).where(
                Member.role.in_(access.STAFF), Member.erased_at.is_(None), Member.disabled_at.is_(None)
            )
            (left,) = session.scalars(can_manage).all()
            left.role = Role.EMPLOYEE  # the next pair is alone again


def test_the_terminal_switches_off_and_on(org: UUID, member: Member) -> None:
    add_participation(org, member, State.OPENED)
    for verb, tag in (("disable", audit.Tag.MEMBER_DISABLED), ("enable", audit.Tag.MEMBER_ENABLED)):
        assert member.email
        done = CliRunner().invoke(main, ["member", verb, "acme", member.email.upper()])
        assert (done.exit_code, events(org, tag)) == (0, 1), done.output
        with transaction(org) as session:
            row = session.get_one(Member, member.id)
            assert (row.disabled_at is not None) == (verb == "disable")
            assert not session.scalars(select(Invite).where(Invite.revoked_at.is_(None))).all()


@pytest.mark.parametrize(
    "arguments",
    [["nobody", "ada@acme.example"], ["acme", "nobody@acme.example"], ["acme", "boss@acme.example"]],
)
def test_the_terminal_says_what_it_cannot_do(org: UUID, arguments: list[str]) -> None:
    add_member(org, "Robin", email="boss@acme.example", role=Role.OWNER)
    done = CliRunner().invoke(main, ["member", "disable", *arguments])
    assert done.exit_code == 1
    assert len(done.output.strip().splitlines()) == 1, done.output


def test_an_auditors_time_ends_by_itself_and_their_own_data_stays_open(
    org: UUID, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_member(org, "Olga", role=Role.OWNER)
    with transaction(org) as session:
        auditor = session.merge(add_member(org, "Audra", role=Role.AUDITOR))
        token = sessions.start(session, auditor, SignInMethod.SAML)
        with pytest.raises(InvalidInput, match="over"):
            access.limit(session, auditor, now().date() - timedelta(days=1), actor=audit.SYSTEM)
        access.limit(session, auditor, now().date(), actor=audit.SYSTEM)
        until = auditor.access_until
    assert until is not None
    assert sessions.find(token, App.ADMIN)
    later = until + timedelta(seconds=1)
    monkeypatch.setattr(sessions, "now", lambda: later)
    assert sessions.find(token, App.ADMIN) is None
    with transaction(org) as session:
        auditor = session.merge(auditor)
        with pytest.raises(sessions.AccessOver, match="day that was set"):
            sessions.start(session, auditor, SignInMethod.SAML)
        own = sessions.start(session, auditor, SignInMethod.INVITE)
    assert sessions.find(own, App.PORTAL)
    assert events(org, audit.Tag.MEMBER_ACCESS_LIMITED) == 1


def test_the_last_admin_keeps_their_access(org: UUID) -> None:
    with transaction(org) as session:
        owner = session.merge(add_member(org, "Olga", role=Role.OWNER))
        with pytest.raises(access.LastAdmin):
            access.limit(session, owner, now().date() + timedelta(days=9), actor=audit.SYSTEM)
        assert owner.access_until is None


def test_two_admins_whose_time_ends_leave_nobody_behind(org: UUID) -> None:
    kim = add_member(org, "Kim", role=Role.OWNER)
    robin = add_member(org, "Robin", role=Role.HR_ADMIN)
    day = now().date() + timedelta(days=9)
    with transaction(org) as session:
        access.limit(session, session.get_one(Member, robin.id), day, actor=audit.SYSTEM)
    for go in (*WAYS_TO_GO, lambda session, one: access.limit(session, one, day, actor=audit.SYSTEM)):
        with pytest.raises(access.LastAdmin), transaction(org) as session:
            go(session, session.get_one(Member, kim.id))
    with transaction(org) as session:
        disable(session, session.get_one(Member, robin.id))


def test_nobody_gives_themselves_more_time(org: UUID) -> None:
    add_member(org, "Kim", role=Role.OWNER)
    robin = add_member(org, "Robin", role=Role.HR_ADMIN)
    today = now().date()
    with transaction(org) as session:
        row = session.get_one(Member, robin.id)
        access.limit(session, row, today + timedelta(days=9), actor=audit.SYSTEM)
        for day in (None, today + timedelta(days=10)):
            with pytest.raises(access.OwnTime):
                access.limit(session, row, day, actor=audit.actor_for(row))
        access.limit(session, row, today + timedelta(days=8), actor=audit.actor_for(row))
        assert row.access_until is not None
