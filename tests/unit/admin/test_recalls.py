"""The page of copies to delete: it names the files, takes an answer once, and is for those who download."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation
from erasing import erase

from compliance import recall
from core import audit
from core.db import transaction
from core.ids import new_id
from core.models import Participation, Role, State
from core.portraits import downloads

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def asked(org: UUID) -> UUID:
    """What the company is asked after it had downloaded somebody's headshot."""
    person = add_member(org, "Grace")
    part = add_participation(org, person, State.APPROVED)
    with transaction(org) as session:
        session.get_one(Participation, part.id).chosen_headshot_id = new_id()
        downloads.handed(session, part.id, is_master=True, actor=audit.SYSTEM)
    erase(org, person.id)
    with transaction(org) as session:
        return recall.listed(session)[0].id


def test_the_way_from_the_first_page_to_the_answer(asked: UUID, browser: Any) -> None:
    first = browser.get("/admin/").text
    assert 'id="recalls"' in first
    assert "1 person of whom your company has copies was erased." in first
    assert f"/admin/recalls/{asked}" in browser.get("/admin/recalls").text
    page = browser.get(f"/admin/recalls/{asked}").text
    assert "Grace" in page
    assert "1 file to delete" in page
    refused = browser.post(f"/admin/recalls/{asked}/confirm", json=False)
    assert refused.status_code == 422
    assert "Grace" in browser.get(f"/admin/recalls/{asked}").text
    browser.post(f"/admin/recalls/{asked}/confirm", {"deleted": "1"})
    after = browser.get(f"/admin/recalls/{asked}").text
    assert "Grace" not in after
    assert "Confirmed on" in after
    assert 'id="recalls"' not in browser.get("/admin/").text
    assert "confirmed" in browser.get("/admin/recalls").text


def test_who_may_not_download_may_not_read_the_names(asked: UUID, signed_in: Callable[[Role], Any]) -> None:
    auditor = signed_in(Role.AUDITOR)
    assert auditor.get(f"/admin/recalls/{asked}").status_code == 403
    assert 'id="recalls"' not in auditor.get("/admin/").text


def test_nothing_to_delete_says_so(browser: Any) -> None:
    assert "nobody of whom you have copies was erased" in browser.get("/admin/recalls").text
