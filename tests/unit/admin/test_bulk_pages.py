"""Something for everybody whom a filter finds: who and what first, then behind the pages with a result for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation, add_shoot
from sealing import put
from sqlalchemy import func, select, update
from unit.admin.test_download import png
from work import do_jobs

from core import audit
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import (
    AuditEvent,
    BulkAction,
    BulkItem,
    Erasure,
    Invite,
    Kind,
    MailState,
    Member,
    Outbox,
    Participation,
    Photo,
    Role,
    Shoot,
    State,
)
from core.people import access
from core.queue import JobName
from core.shoots import bulk_steps, invites
from workers.jobs import bulk as job
from workers.process.runner import JobRun

JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of three people, and one part a delivery."""
    monkeypatch.setattr(bulk_steps, "AT_ONCE", 3)
    monkeypatch.setattr(job, "SECONDS", 0.000_001)


@pytest.fixture
def shoot_id(org: UUID) -> UUID:
    """A shoot with somebody of each kind in it, whose links are days old."""
    shoot = add_shoot(org)
    states = [State.INVITED] * 4 + [State.OPENED, State.CONSENTED, State.DECLINED, State.APPROVED]
    parts = []
    for number, state in enumerate(states):
        member = add_member(org, f"P{number}", email=f"p{number}@acme.example", department="Sales")
        parts.append(add_participation(org, member, state))
    with transaction(org) as session:
        session.execute(update(Participation).values(shoot_id=shoot.id))
        for part in session.scalars(select(Participation)):
            invites.create(session, part, actor=audit.SYSTEM)
        session.execute(update(Invite).values(created_at=now() - timedelta(days=2)))
        session.get_one(Participation, parts[1].id).reminders_ended_at = now()
        access.disable(session, session.get_one(Member, parts[2].member_id), actor=audit.SYSTEM)
    return shoot.id


def do_it(browser: Any, org: UUID, query: str, **said: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Look, confirm, and have it done; return the preview and the result."""
    place = "/admin/people/erase" if "kind=" not in query else "/admin/people/act"
    seen = browser.get(f"{place}?{query}", headers=JSON).json
    form = dict(one.split("=") for one in query.split("&")) | {"seen": seen["seen"]} | said
    answer = browser.post(place, form)
    assert answer.status_code == 200, answer.text
    do_jobs(org, JobName.BULK)
    return seen, browser.get(answer.json["next"], headers=JSON).json


def invited(org: UUID, shoot_id: UUID) -> Counter[str]:
    with transaction(org) as session:
        return Counter(session.scalars(select(Participation.state).where(Participation.shoot_id == shoot_id)))


def test_everybody_who_can_be_reminded_is_and_the_others_say_why_not(
    org: UUID, shoot_id: UUID, browser: Any
) -> None:
    with transaction(org) as session:
        grace = session.scalars(select(Member).where(Member.email == "p0@acme.example")).one()
        part = session.scalars(select(Participation).where(Participation.member_id == grace.id)).one()
        part.mail_state = MailState.BOUNCED
    seen, done = do_it(browser, org, f"kind=remind&shoot={shoot_id}")
    expected = {
        "done": 3,
        "no_reminders": 1,
        "access_off": 1,
        "declined": 1,
        "finished": 1,
        "bounced": 1,
    }
    assert (seen["total"], seen["counts"], done["counts"]) == (8, expected, expected)
    with transaction(org) as session:
        new = session.scalars(select(Invite).where(Invite.created_at > now() - timedelta(hours=1))).all()
        assert [one.reminder for one in new] == [True] * 3
        owed = session.scalars(select(Outbox.subject_id).where(Outbox.job == JobName.INVITE_MAIL)).all()
        assert {one.id for one in new} <= set(owed)
    again, _ = do_it(browser, org, f"kind=remind&shoot={shoot_id}")
    assert again["counts"]["recent"] == 3, "a second time mails nobody twice"


def test_each_part_is_a_delivery_of_its_own_and_a_worker_that_ends_loses_and_doubles_nothing(
    org: UUID, shoot_id: UUID, browser: Any
) -> None:
    seen = browser.get(f"/admin/people/act?kind=remind&shoot={shoot_id}", headers=JSON).json["seen"]
    form = {"kind": "remind", "shoot": str(shoot_id), "seen": seen}
    action_id = UUID(browser.post("/admin/people/act", form).json["action"])
    seen = []
    for _ in range(4):
        with transaction(org) as session:
            owed = session.scalars(
                select(Outbox).where(Outbox.job == JobName.BULK, Outbox.done_at.is_(None))
            ).all()
        for one in owed:
            job.run(JobRun(one.id, org, one.subject_id, 1))
        answer = browser.get(f"/admin/people/bulk/{action_id}", headers=JSON).json
        seen.append((answer["done"], answer["finished_at"] is not None))
    assert seen == [(3, False), (6, False), (8, False), (8, True)]
    with transaction(org) as session:
        assert session.scalar(select(func.count()).select_from(Invite).where(Invite.reminder)) == 4


def test_withdrawing_ends_links_of_whom_it_is_about_and_of_nobody_else(
    org: UUID, shoot_id: UUID, browser: Any
) -> None:
    other = add_participation(org, add_member(org, "Other"), State.INVITED)
    with transaction(org) as session:
        kept = invites.create(session, other, actor=audit.SYSTEM).id
    _, done = do_it(browser, org, f"kind=withdraw&shoot={shoot_id}&state=invited")
    assert done["counts"] == {"done": 3, "withdrawn": 1}, (
        "access that was switched off has ended a link already"
    )
    with transaction(org) as session:
        assert session.get_one(Invite, kept).revoked_at is None
        events = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.INVITE_REVOKED)).all()
        assert len(events) == 3


def test_who_has_agreed_to_nothing_moves_with_a_new_invitation_and_the_rest_stays(
    org: UUID, shoot_id: UUID, browser: Any
) -> None:
    target = add_shoot(org)
    with transaction(org) as session:
        # Joe had sent photos when the shoot was closed on him; it was opened again.
        joe = add_participation(org, add_member(org, "Joe"), State.EXPIRED)
        photo = put(session, png("red", 8), kind=Kind.PHOTO, media_type="image/png", member_id=joe.member_id)
        row = session.get_one(Participation, joe.id)
        row.shoot_id = shoot_id
        session.add(
            Photo(
                id=new_id(),
                org_id=org,
                participation_id=row.id,
                member_id=row.member_id,
                artifact_id=photo.id,
                upload_key="k",
            )
        )
    _, done = do_it(browser, org, f"kind=move&shoot={shoot_id}&to={target.id}")
    assert done["counts"] == {"done": 4, "begun": 2, "declined": 1, "finished": 1, "access_off": 1}
    assert invited(org, target.id) == {State.INVITED: 3, State.OPENED: 1}
    with transaction(org) as session:
        moved = select(Participation.id).where(Participation.shoot_id == target.id)
        links = select(Invite.expires_at).where(Invite.participation_id.in_(moved), Invite.sent_at.is_(None))
        assert session.get_one(Shoot, target.id).deadline in session.scalars(links).all()
    again, _ = do_it(browser, org, f"kind=invite&to={target.id}")
    assert again["counts"]["already_there"] == 4


def test_everybody_of_a_department_is_invited_to_another_shoot(
    org: UUID, shoot_id: UUID, browser: Any
) -> None:
    target = add_shoot(org)
    _, done = do_it(browser, org, f"kind=invite&shoot={shoot_id}&to={target.id}")
    assert done["counts"] == {"done": 7, "access_off": 1}
    assert invited(org, target.id) == {State.INVITED: 7}


def test_erasing_many_asks_for_their_number_and_leaves_who_works_in_these_pages(
    org: UUID, shoot_id: UUID, browser: Any
) -> None:
    seen = browser.get("/admin/people/erase", headers=JSON).json
    assert seen["counts"] == {"done": 8, "staff": 1}
    wrong = browser.post("/admin/people/erase", {"seen": seen["seen"], "confirmation": "9"}, json=False)
    assert wrong.status_code == 422
    assert "Nothing was erased" in wrong.text
    _, done = do_it(browser, org, "access=", confirmation="8")
    assert done["counts"] == {"done": 8, "staff": 1}
    with transaction(org) as session:
        assert session.scalar(select(func.count()).select_from(Erasure)) == 8
        left = session.scalars(select(Member.email).where(Member.erased_at.is_(None))).all()
        assert left == ["hr_admin@acme.example"]
        assert session.scalar(select(func.count()).select_from(BulkItem)) == 9
    page = browser.get(f"/admin/people/bulk/{action_of(org)}").text
    assert page.count("Erased person") == 8


def test_nothing_is_done_to_others_than_were_shown(org: UUID, shoot_id: UUID, browser: Any) -> None:
    seen = browser.get(f"/admin/people/act?kind=remind&shoot={shoot_id}", headers=JSON).json["seen"]
    form = {"kind": "remind", "shoot": str(shoot_id), "seen": seen}
    new = add_participation(org, add_member(org, "New"))
    with transaction(org) as session:
        row = session.get_one(Participation, new.id)
        gone = select(Participation).where(Participation.shoot_id == shoot_id).limit(1)
        session.scalars(gone).one().shoot_id, row.shoot_id = row.shoot_id, shoot_id
    late = browser.post("/admin/people/act", form, json=False)
    assert late.status_code == 409
    assert "other people match than those you saw: 8." in late.text, "as many, and others"
    for wrong in ({"kind": "erase"}, {"kind": "sync"}, {"kind": "x"}, {"kind": "move", "seen": ""}):
        assert browser.post("/admin/people/act", form | wrong).status_code in (409, 422)
    with transaction(org) as session:
        assert not session.scalars(select(BulkAction)).all()


def test_it_stops_once_whoever_asked_may_not_do_it_any_more(
    org: UUID, shoot_id: UUID, signed_in: Callable[[Role], Any]
) -> None:
    owner, hr = signed_in(Role.OWNER), signed_in(Role.HR_ADMIN)
    seen = hr.get(f"/admin/people/act?kind=remind&shoot={shoot_id}", headers=JSON).json["seen"]
    answer = hr.post("/admin/people/act", {"kind": "remind", "shoot": str(shoot_id), "seen": seen})
    with transaction(org) as session:
        member = session.scalars(select(Member).where(Member.role == Role.HR_ADMIN)).one()
        access.disable(session, member, actor=audit.SYSTEM)
    do_jobs(org, JobName.BULK)
    done = owner.get(answer.json["next"], headers=JSON).json
    assert (done["done"], done["failure"]) == (0, "not_allowed")


def action_of(org: UUID) -> UUID:
    with transaction(org) as session:
        return session.scalars(select(BulkAction.id)).one()
