"""A company hears of headshots that end before anybody has downloaded them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, forget_process_state
from portraits_made import add_headshot
from servers.smtp import PostOffice, serving
from work import do_all_work

from compliance import ending
from core.clock import now
from core.db import transaction
from core.models import Member, Participation, Shoot, State
from core.people import organizations


@pytest.fixture
def post(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    office = PostOffice()
    with serving(office) as port:
        monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{port}")
        forget_process_state()
        yield office


def made(org: UUID, member: Member, *, ends_in: int) -> UUID:
    """An approved headshot that ends in so many days."""
    participation_id, headshot_id = add_headshot(org, member, State.APPROVED)
    with transaction(org) as session:
        part = session.get_one(Participation, participation_id)
        over = now() - timedelta(days=30 - ends_in, hours=-1)
        part.chosen_headshot_id, part.approved_at = headshot_id, over
        session.get_one(Shoot, part.shoot_id).deadline = over
        organizations.current(session).contact_email = "hr@acme.example"
    return participation_id


def test_company_is_told_a_week_before_and_once(
    post: PostOffice, org: UUID, member: Member, browser: Any
) -> None:
    made(org, add_member(org, "Later"), ends_in=20)
    ending.owe_all()
    do_all_work()
    assert post.mails == []
    assert 'id="ending"' not in browser.get("/admin/").text
    soon = made(org, member, ends_in=6)
    for _ in range(2):
        ending.owe_all()
        do_all_work()
    (mail,) = post.mails
    assert mail.to == ("hr@acme.example",)
    assert "seven days: 1." in mail.text
    assert "1 approved headshot that nobody" in browser.get("/admin/").text
    with transaction(org) as session:
        session.get_one(Participation, soon).state = State.DELIVERED
        assert ending.count(session) == 0
        assert ending.mails(session) == []
