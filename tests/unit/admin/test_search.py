"""Searching lists of people: no name in an address, and a way back that works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from conftest import add_member, add_participation
from lxml import html
from sqlalchemy import select

from compliance import erasure
from core import audit
from core.clock import now
from core.db import transaction
from core.models import Artifact, Kind, Member, Outbox, Participation, Role, State
from core.queue import JobName, redis_client
from core.shoots import shoots


def found(browser: Any, address: str, **form: str) -> Any:
    """Search as a browser does; return the answer and the page that it leads to."""
    answer = browser.post(address, form, json=False)
    assert answer.status_code == 303
    return answer.location, browser.get(answer.location)


def test_people_are_found_by_name_without_a_name_in_any_address(org: UUID, browser: Any) -> None:
    row = add_participation(org, add_member(org, "Grace"), State.INVITED)
    for address in ("/admin/people", f"/admin/shoots/{row.shoot_id}"):
        location, page = found(browser, address, q="gra exam")
        assert "grace@acme" in page.text
        assert 'value="gra exam"' in page.text
        assert "gra" not in location.removeprefix(address)
        # The way back in a browser asks for the address once more.
        assert "grace@acme" in browser.get(location).text
        assert "grace@acme" not in found(browser, address, q="%")[1].text
        assert found(browser, address, q=" ")[0].partition("#")[0] == address
        assert 'method="get" role="search"' not in browser.get(address).text


def test_accents_and_case_keep_nobody_from_being_found(org: UUID, browser: Any) -> None:
    add_member(org, "Öbäma", email="one@acme.example")
    add_member(org, "Søren", email="two@acme.example")
    add_member(org, "Robin", email="three@acme.example")
    for words, who in (
        ("obama", "one"),
        ("OBÄMA", "one"),
        ("Obá", "one"),
        ("soren", "two"),
        ("röbin", "three"),
    ):
        page = found(browser, "/admin/people", q=words)[1].text
        emails = [one for one in ("one", "two", "three") if f"{one}@acme.example" in page]
        assert emails == [who], words


def test_a_search_keeps_its_state_and_goes_on_over_pages(org: UUID, browser: Any) -> None:
    emails = [f"ada{number:02d}@acme.example" for number in range(shoots.PAGE + 1)]
    members = [add_member(org, email.partition("@")[0].title(), email=email) for email in emails]
    shoot = add_participation(org, add_member(org, "Grace"), State.INVITED).shoot_id
    with transaction(org) as session:
        session.add_all(
            Participation(org_id=org, shoot_id=shoot, member_id=one.id, state=State.INVITED, changed_at=now())
            for one in members
        )
    address = f"/admin/shoots/{shoot}"
    location, first = found(browser, address, q="ada", state="invited")
    assert "state=invited" in location
    next_page = html.fromstring(first.text).xpath("string(//a[@rel='next']/@href)")
    second = browser.get(address + next_page).text
    assert [email in first.text for email in emails] == [True] * shoots.PAGE + [False]
    assert [email in second for email in emails] == [False] * shoots.PAGE + [True]
    assert "grace@acme" not in first.text + second


def test_a_search_lies_sealed_ends_after_an_hour_and_belongs_to_who_asked(
    org: UUID, browser: Any, signed_in: Callable[[Role], Any], tmp_path: Any
) -> None:
    add_member(org, "Grace")
    location, _ = found(browser, "/admin/people", q="Murray Hopper")
    stored = [path.read_bytes() for path in (tmp_path / "storage").rglob("*") if path.is_file()]
    assert stored
    assert not any(b"Hopper" in content for content in stored)
    redis = redis_client()
    assert not any(b"Hopper" in key + (redis.dump(key) or b"") for key in redis.keys("*"))
    assert "Nobody matches" in browser.get(location).text
    other = signed_in(Role.OWNER).get(location).text
    assert "Hopper" not in other
    assert "This search has ended" in other
    with transaction(org) as session:
        kept = session.scalars(select(Artifact).where(Artifact.kind == Kind.SEARCH)).one()
        kept.created_at = now() - timedelta(hours=1.1)
    over = browser.get(location)
    assert over.status_code == 200
    assert "This search has ended" in over.text
    assert "Grace" in over.text
    assert "Hopper" not in over.text


def test_no_search_outlives_the_erasure_of_whom_it_may_name(org: UUID, browser: Any) -> None:
    ada = add_member(org, "Grace")
    location, _ = found(browser, "/admin/people", q="Hoper")
    with transaction(org) as session:
        erasure.request(
            session,
            session.get_one(Member, ada.id),
            reason=erasure.ErasureReason.EMPLOYER_REQUEST,
            actor=audit.SYSTEM,
            language="en",
        )
    assert "This search has ended" in browser.get(location).text
    with transaction(org) as session:
        kept = session.scalars(select(Artifact).where(Artifact.kind == Kind.SEARCH)).one()
        owed = session.scalars(select(Outbox.subject_id).where(Outbox.job == JobName.PURGE)).all()
        assert kept.delete_requested_at is not None
        assert kept.id in owed
