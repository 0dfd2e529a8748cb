"""The desk: HR answers what people ask for in time, in twos where they refuse; auditors look on without names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from unit.compliance.test_request_moves import BEGUN, open_one, walk

from compliance.requests import desk, inbox, moves
from compliance.requests.inbox import Wanted
from core import audit
from core.clock import now
from core.db import transaction
from core.models import Member, Outbox, Right, Role, Stage, SubjectRequest
from core.queue import JobName

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def ada(org: UUID, member: Member) -> Member:
    """Somebody of the company."""
    return member


def opened(browser: Any, right: str = "access", address: str = "ada@acme.example", **more: str) -> str:
    form = {"address": address, "right": right, "channel": "hr", "text": "Please, in German.", **more}
    return browser.post("/admin/requests/new", form).json["next"]


def row_of(org: UUID, address: str) -> SubjectRequest:
    with transaction(org) as session:
        return moves.get(session, UUID(address.rsplit("/", 1)[1]))


def test_from_an_empty_desk_to_an_answer(org: UUID, ada: Member, browser: Any) -> None:
    assert "Nothing to answer" in browser.get("/admin/requests").text
    one = opened(browser)
    listed = browser.get("/admin/requests").text
    assert "See their data" in listed
    assert "Ada Example" in listed
    page = browser.get(one).text
    assert "Please, in German." in page
    assert "You have an answer by" in page  # the mail that would follow
    assert "/your-data/" not in page
    for step, form in (
        ("acknowledge", {}),
        ("verify", {"proof": "known"}),
        ("start", {}),
        ("extend", {"reason": "many"}),
        ("fulfil", {"said": "As you wished."}),
    ):
        assert browser.post(f"{one}/{step}", form).status_code == 200, step
    row = row_of(org, one)
    assert (row.state, row.evidence_sha256 is not None) == (Stage.FULFILLED, True)
    page = browser.get(one).text
    assert page.count("not in the signed log yet") == 6
    assert "because many requests have to be answered" in page
    assert "Ada" not in browser.get("/admin/requests").text
    assert "met" in browser.get("/admin/requests?state=fulfilled&right=access").text


def test_what_cannot_be_done_says_why_and_changes_nothing(org: UUID, ada: Member, browser: Any) -> None:
    one = opened(browser)
    for step, form in (
        ("start", {}),
        ("extend", {}),
        ("refuse", {}),
        ("verify", {"proof": "magic"}),
        ("verify", {"proof": "signed_in"}),
        ("dance", {}),
    ):
        assert browser.post(f"{one}/{step}", form).status_code in (409, 422), step
    assert row_of(org, one).state == Stage.RECEIVED
    for wrong in (
        {"right": ""},
        {"address": "nobody"},
        {"received": "2999-01-01"},
        {"received": "soon"},
        {"received": "0001-01-01"},
    ):
        form = {"address": "ada@acme.example", "right": "access", "channel": "hr", **wrong}
        assert browser.post("/admin/requests/new", form).status_code == 422, wrong
    assert browser.get("/admin/requests?state=nonsense").status_code == 422
    assert browser.get(f"/admin/requests?after={UUID(int=1)}").status_code == 422


def test_a_refusal_is_told_only_once_a_second_person_confirms_it(
    org: UUID, ada: Member, browser: Any, signed_in: Callable[[Role], Any]
) -> None:
    one = opened(browser, "erasure")
    browser.post(f"{one}/acknowledge")
    assert browser.post(f"{one}/refuse", {"decision": "denied", "basis": "legal_claims"}).status_code == 200
    before = mails_owed(org)
    page = browser.get(one).text
    assert "Somebody else has to confirm that" in page
    assert browser.post(f"{one}/confirm").status_code == 409
    owner = signed_in(Role.OWNER)
    page = owner.get(one).text
    assert "You can complain about this to a data protection authority" in page
    assert "Art. 17(3)(e) GDPR" in page
    assert mails_owed(org) == before
    assert owner.post(f"{one}/confirm", {"proposal": proposal_on(page)}).status_code == 200
    assert mails_owed(org) == before + 1
    assert row_of(org, one).state == Stage.DENIED


def proposal_on(page: str) -> str:
    found = re.search(r'name="proposal" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_page_from_before_confirms_no_other_refusal_than_it_showed(
    org: UUID, ada: Member, browser: Any, signed_in: Callable[[Role], Any]
) -> None:
    one, owner = opened(browser, "erasure"), signed_in(Role.OWNER)
    browser.post(f"{one}/acknowledge")
    browser.post(f"{one}/refuse", {"decision": "denied", "basis": "legal_claims"})
    stale = proposal_on(owner.get(one).text)
    browser.post(f"{one}/drop")
    browser.post(f"{one}/refuse", {"decision": "denied", "basis": "unfounded"})
    for wrong in ({"proposal": stale}, {"proposal": "none"}, {}):
        assert owner.post(f"{one}/confirm", wrong).status_code == 409
    assert row_of(org, one).state == Stage.ACKNOWLEDGED
    assert owner.post(f"{one}/confirm", {"proposal": proposal_on(owner.get(one).text)}).status_code == 200


def test_a_correction_begins_with_what_is_on_file_and_a_processor_is_named_under_seal_alone(
    org: UUID, ada: Member, browser: Any
) -> None:
    one = opened(browser, "rectification")
    for step, form in (
        ("acknowledge", {}), ("verify", {"proof": "known"}), ("start", {}), ("tell", {"processor": "Grace Hopper Ltd"}),
    ):  # fmt: skip
        assert browser.post(f"{one}/{step}", form).status_code == 200, step
    page = browser.get(one).text
    assert 'name="first_name" value="Ada"' in page
    assert "Grace Hopper Ltd" in page
    assert "Grace" not in str(row_of(org, one).processors)
    assert not re.search(r"\b20\d\d-\d\d-\d\d\b(?!T)", re.sub(r"<time [^>]+>", "", page)), (
        "days are said in words"
    )
    assert "General Data Protection Regulation" in page
    assert browser.post(f"{one}/told", {"processor": "2"}).status_code == 422
    assert browser.post(f"{one}/told", {"processor": "1"}).status_code == 200
    assert row_of(org, one).processors[0]["answered_at"]


def test_the_first_page_says_what_is_overdue_and_what_is_due_soon(
    org: UUID, ada: Member, browser: Any, signed_in: Callable[[Role], Any]
) -> None:
    first, second = opened(browser), opened(browser, "erasure")
    assert "requests-" not in browser.get("/admin/").text
    with transaction(org) as session:
        for address, days in ((first, -1), (second, 3)):
            moves.get(session, UUID(address.rsplit("/", 1)[1])).due_at = now() + timedelta(days=days)
    page = browser.get("/admin/").text
    assert "1 request about somebody’s data is overdue." in page
    assert "1 request about somebody’s data is due within seven days." in page
    assert "requests-" not in signed_in(Role.AUDITOR).get("/admin/").text


def mails_owed(org: UUID) -> int:
    with transaction(org) as session:
        return len(session.scalars(select(Outbox.id).where(Outbox.job == JobName.REQUEST_MAIL)).all())


def test_an_erasure_is_carried_out_and_told_with_its_proof(org: UUID, ada: Member, browser: Any) -> None:
    one = opened(browser, "erasure")
    for step, form in (("acknowledge", {}), ("verify", {"proof": "document"}), ("start", {}), ("fulfil", {})):
        assert browser.post(f"{one}/{step}", form).status_code == 200, step
    page = browser.get(one).text
    assert row_of(org, one).erasure_id is not None
    assert "Please, in German." not in page
    with transaction(org) as session:
        assert session.get_one(Member, ada.id).erased_at is not None
        assert session.scalars(select(Outbox.id).where(Outbox.job == JobName.FAREWELL_MAIL)).all()


def test_auditors_see_everything_and_nobody(
    org: UUID, ada: Member, browser: Any, signed_in: Callable[[Role], Any]
) -> None:
    known, unknown = opened(browser), opened(browser, "opt_out", "grace@home.example")
    with transaction(org) as session:
        desk.record_done(session, session.get_one(Member, ada.id), Right.WITHDRAWAL)
    auditor = signed_in(Role.AUDITOR)
    for address in ("/admin/requests", known, unknown):
        page = auditor.get(address).text
        assert not re.search("Ada|Grace|grace@|Robin|Please, in German", page.partition("<main")[2]), address
        assert "Open a request" not in page
    assert auditor.post(f"{known}/acknowledge").status_code == 403
    assert (
        "Take their consent back" in auditor.get("/admin/requests?state=closed").text.partition("<tbody")[2]
    )
    # Who took a consent back is nothing for whoever works with them every day.
    assert "<tbody" not in browser.get("/admin/requests?state=closed").text


def test_pages_of_the_list_hold_each_request_once_in_the_order_of_what_is_due(org: UUID, ada: Member) -> None:
    with transaction(org) as session:
        rows = [open_one(session, None) for _ in range(7)]
        for number, row in enumerate(rows):
            row.due_at = now() + timedelta(days=number // 2)
        walk(session, rows[3], "cancel", by=audit.SYSTEM)
        seen: list[UUID] = []
        after = None
        while True:
            found = inbox.page(session, Wanted(of_people=False), after=after, most=2)
            seen += [one.row.id for one in found.listed]
            after = found.after
            if after is None:
                break
        assert seen == [
            row.id for row in sorted(rows, key=lambda one: (one.due_at, one.id)) if row is not rows[3]
        ]


def test_the_years_figures_count_what_came_and_how_long_answers_took(
    org: UUID, ada: Member, browser: Any, signed_in: Callable[[Role], Any]
) -> None:
    with transaction(org) as session:
        desk.record_done(session, session.get_one(Member, ada.id), Right.WITHDRAWAL)
        for days in (2, 4, 9):
            row = open_one(session, None)
            walk(session, row, *BEGUN, "fulfil", by=audit.SYSTEM)
            row.received_at = now()
            row.decided_at = now() + timedelta(days=days)
        open_one(session, None)
    address = f"/admin/requests/metrics/{now().year}"
    figures = {one["right"]: one for one in browser.get(f"{address}.json").json["requests"]}
    assert figures["access"] == {
        "right": "access",
        "received": 4,
        "complied": 3,
        "denied": 0,
        "mean_days": 5.0,
        "median_days": 4.0,
    }
    assert "withdrawal" not in figures
    assert "See their data" in browser.get(address).text
    auditor = signed_in(Role.AUDITOR).get(f"{address}.json").json["requests"]
    assert {one["right"]: one["received"] for one in auditor}["withdrawal"] == 1
    assert browser.get("/admin/requests/metrics/1999").status_code == 404


def test_business_days_follow_the_country_that_is_set(org: UUID, ada: Member, browser: Any) -> None:
    assert (
        browser.post("/admin/requests/place", {"country": "XX", "zone": "Europe/Berlin"}).status_code == 422
    )
    assert browser.post("/admin/requests/place", {"country": "DE", "zone": "Mars"}).status_code == 422
    assert (
        browser.post("/admin/requests/place", {"country": "DE", "zone": "Europe/Berlin"}).status_code == 200
    )
    one = opened(browser, received="2025-12-22")
    row = row_of(org, one)
    assert row.acknowledge_by.isoformat() == "2026-01-08T22:59:59+00:00"
    assert "Overdue since January 22, 2026" in browser.get(one).text
    with transaction(org) as session:
        session.execute(update(SubjectRequest).values(first_due_at=now() - timedelta(days=1)))
    browser.post(f"{one}/acknowledge")
    assert browser.post(f"{one}/extend", {"reason": "complex"}).status_code == 409
