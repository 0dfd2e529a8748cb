"""Mails that did not reach somebody: HR sees whose and why, and has them sent again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation, forget_process_state
from lxml import html
from patience import try_again
from servers.smtp import PostOffice, serving
from sqlalchemy import select
from work import do_all_work

from core import audit
from core.clock import now
from core.db import transaction
from core.models import Invite, Outbox, Participation, State
from core.queue import JobName, enqueue
from core.shoots import invites, undelivered


@pytest.fixture
def post(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    office = PostOffice()
    with serving(office) as port:
        monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{port}")
        forget_process_state()
        yield office


@pytest.fixture
def invited(org: UUID) -> Participation:
    row = add_participation(org, add_member(org))
    with transaction(org) as session:
        invites.create(session, session.get_one(Participation, row.id), actor=audit.SYSTEM)
    return row


def noted(org: UUID, shoot_id: UUID) -> dict[UUID, int]:
    with transaction(org) as session:
        return undelivered.counts(session, [shoot_id])


def row_of(page: str, name: str = "Ada") -> str:
    (row,) = html.fromstring(page).xpath(f"//table//tr[contains(., '{name}')]")
    return " ".join(row.text_content().split())


@pytest.mark.parametrize(
    ("answer", "reason", "pill", "attention"),
    [
        ("550 5.1.1 no such user", "no such mailbox", "Mail came back", "The mail to 1 person came back."),
        ("451 later", "takes no mail just now", "Mail not sent", "A mail to 1 person has not left."),
    ],
)
def test_hr_sees_why_an_invitation_did_not_leave_and_sends_it_again(
    org: UUID,
    browser: Any,
    post: PostOffice,
    invited: Participation,
    answer: str,
    reason: str,
    pill: str,
    attention: str,
) -> None:
    post.answer = answer
    do_all_work()
    address = f"/admin/shoots/{invited.shoot_id}"
    page = browser.get(address).text
    assert reason in row_of(page)
    assert "Send again now" in row_of(page)
    assert attention in page
    assert pill in row_of(browser.get("/admin/people").text)
    post.answer = "250 OK"
    assert browser.post(f"{address}/people/{invited.id}/mail").status_code in (200, 303)
    do_all_work()
    assert len(post.mails) == 1
    with transaction(org) as session:
        (invite,) = session.scalars(select(Invite))
        assert (invite.sent_at is not None, invite.revoked_at) == (True, None), "with the link that it has"
    page = browser.get(address).text
    assert pill not in page
    assert attention not in page
    assert browser.post(f"{address}/people/{invited.id}/mail").status_code == 409


def test_a_mail_about_headshots_that_did_not_leave_is_told(org: UUID, browser: Any, post: PostOffice) -> None:
    row = add_participation(org, add_member(org), State.READY)
    with transaction(org) as session:
        enqueue(session, JobName.READY_MAIL, row.id)
    post.answer = "451 later"
    do_all_work()
    assert noted(org, row.shoot_id) == {row.shoot_id: 1}
    post.answer = "550 no such user"
    try_again(org)
    assert noted(org, row.shoot_id) == {}, "counted as what came back"
    assert "refuses this address" in row_of(browser.get(f"/admin/shoots/{row.shoot_id}").text)
    with transaction(org) as session:
        session.get_one(Participation, row.id).state = State.APPROVED
    assert noted(org, row.shoot_id) == {}, "they came by themselves"


def test_nothing_is_told_of_what_waits_for_its_first_try(
    org: UUID, browser: Any, invited: Participation
) -> None:
    assert noted(org, invited.shoot_id) == {}
    assert "Mail not sent" not in browser.get(f"/admin/shoots/{invited.shoot_id}").text


def test_a_newer_link_ends_what_was_told_of_the_one_before(
    org: UUID, post: PostOffice, invited: Participation
) -> None:
    post.answer = "550 no such user"
    do_all_work()
    post.answer = "250 OK"
    with transaction(org) as session:
        invites.create(session, session.get_one(Participation, invited.id), actor=audit.SYSTEM)
    try_again(org)
    assert noted(org, invited.shoot_id) == {}
    with transaction(org) as session:
        assert session.scalars(select(Outbox).where(Outbox.failed_at <= now())).all()
