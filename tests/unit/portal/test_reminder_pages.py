"""Ending reminders, from a mail program and by hand."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from compliance import erasure
from core import audit
from core.db import transaction
from core.models import AuditEvent, Member, Participation
from core.shoots import reminders


def _address(person: Any) -> str:
    with transaction(person.org_id) as session:
        return urlsplit(reminders.link_of(session.get_one(Participation, person.participation_id))).path


def _ended(person: Any) -> bool:
    with transaction(person.org_id) as session:
        return session.get_one(Participation, person.participation_id).reminders_ended_at is not None


def test_a_mail_program_ends_reminders_with_one_post_and_nothing_else(ada: Any, portal: Any) -> None:
    for _ in range(2):
        answer = portal.test_client().post(_address(ada), data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200, "a redirect would lose the POST (RFC 8058 §3.1)"
    assert _ended(ada)
    with transaction(ada.org_id) as session:
        tags = session.scalars(select(AuditEvent.tag)).all()
    assert tags.count("reminders.ended") == 1
    assert ada.accept().browser.get("/me/").location == "/me/consent", "the invitation still works"


def test_a_person_reads_what_stays_and_can_change_their_mind(ada: Any) -> None:
    address = _address(ada)
    page = ada.browser.get(address).text
    assert "No more reminders?" in page
    assert "“Spring”" in page
    assert not _ended(ada), "looking changes nothing"
    assert ada.post(address, address).location == address
    assert "Your invitation, your data and your rights stay as they are." in ada.browser.get(address).text
    assert _ended(ada)
    assert ada.post(address, address, again="yes").location == address
    assert not _ended(ada)
    assert ada.browser.get("/me/").status_code == 401, "the address signs nobody in"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-4],
        lambda text: text[:-2] + "AA",
        lambda _: "x",
        lambda _: "ä",
        lambda text: text + ".",
        lambda text: text[:8] + "%20" + text[8:],
        lambda text: text + "====",
    ],
)
def test_a_changed_address_ends_nothing(ada: Any, change: Any) -> None:
    head, _, token = _address(ada).rpartition("/")
    assert ada.browser.post(f"{head}/{change(token)}").status_code == 404
    assert not _ended(ada)


def test_who_was_erased_has_no_reminders_to_end(ada: Any, portal: Any) -> None:
    address = _address(ada)
    with transaction(ada.org_id) as session:
        erasure.request(
            session,
            session.get_one(Member, ada.member.id),
            reason=erasure.ErasureReason.EMPLOYER_REQUEST,
            actor=audit.SYSTEM,
            language="en",
        )
    browser = portal.test_client()
    assert browser.get(address).status_code == 410
    for form in ({}, {"again": "yes"}, {"List-Unsubscribe": "One-Click"}):
        assert browser.post(address, data=form).status_code == 410
    with transaction(ada.org_id) as session:
        tags = session.scalars(select(AuditEvent.tag)).all()
    assert not any(tag.startswith("reminders.") for tag in tags)
