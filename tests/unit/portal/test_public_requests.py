"""Requests without an account: a code shows whose address it is, and nobody learns who is known."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from unit.portal.conftest import Person
from werkzeug.test import TestResponse

from compliance.requests import clocks, letters, public, words
from compliance.requests.clocks import Law, Place
from core.clock import now
from core.db import transaction
from core.models import Channel, Outbox, Right, Stage, SubjectRequest
from core.people import organizations
from core.queue import JobName
from core.vault import vault

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

NAMED = {"name": "ada  LOVELACE", "department": "", "employee_id": "E1"}


@pytest.fixture
def browser(portal: Flask) -> FlaskClient:
    """Somebody without a session."""
    return portal.test_client()


def post(browser: FlaskClient, at: str, /, **values: str) -> TestResponse:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(at).text)
    assert found
    return browser.post(at, data={"csrf_token": found[1], **values})


def ask(browser: FlaskClient, **values: str) -> str:
    form = {"right": "access", "address": "ada@acme.example", "who": "self", **values}
    answer = post(browser, "/privacy/acme", **form)
    assert answer.status_code == 303, answer.text
    return answer.location


def newest(org: UUID) -> SubjectRequest:
    with transaction(org) as session:
        row = session.scalars(select(SubjectRequest).order_by(SubjectRequest.id.desc()).limit(1)).first()
        assert row is not None
        return row


def test_known_and_unknown_get_the_same_words_and_a_code(
    org: UUID, ada: Person, browser: FlaskClient
) -> None:
    pages = []
    for address in ("ada@acme.example", "nobody@home.example"):
        page = browser.get(ask(browser, address=address)).text
        pages.append(re.sub(r'(csrf_token" value="|code/|nonce=")[^"]+', "", page))
        with transaction(org) as session:
            mail = public.mail(session, newest(org).id)
            assert mail is not None
            assert (mail.to, public.code_of(newest(org).id) in mail.text) == (address, True)
            assert session.scalars(select(Outbox.id).where(Outbox.job == JobName.REQUEST_CODE)).all()
    assert pages[0] == pages[1]
    assert newest(org).events == []


def test_who_knows_themselves_is_verified_and_the_details_are_not_kept(
    org: UUID, ada: Person, browser: FlaskClient
) -> None:
    with transaction(org) as session:
        person = session.merge(ada.member)
        person.employee_id = "E1"
    address = ask(browser, text="All of it.")
    code = public.code_of(newest(org).id)
    answer = post(browser, address, code=f"{code[:4]} {code[4:]}", declared="yes", **NAMED)
    assert answer.status_code == 303
    row = newest(org)
    assert (row.state, row.member_id, row.points, row.verified) == (Stage.RECEIVED, ada.member.id, 3, True)
    assert words.read(row).text == "All of it."
    assert vault().keys.among([row.id]) == set()
    assert "LOVELACE" not in repr(words.read(row))
    status = browser.get(answer.location).text
    assert "arrived" in status
    assert "Ada" not in status
    assert (
        post(browser, "/privacy/acme", right="access", address="x@y.example", who="self").status_code == 303
    )
    assert browser.get(address).status_code == 410


@pytest.mark.parametrize(
    ("right", "said", "verified"),
    [
        ("access", {**NAMED}, None),  # without the declaration
        ("access", {"declared": "yes", "name": "Ada Lovelace"}, None),
        ("erasure", {"name": "Ada Lovelace"}, True),
        ("erasure", {"name": "Eva"}, None),
        ("opt_out", {}, True),
    ],
)
def test_how_sure_it_is_follows_what_is_asked(
    org: UUID, ada: Person, browser: FlaskClient, right: str, said: dict[str, str], verified: bool | None
) -> None:
    with transaction(org) as session:
        session.merge(ada.member).employee_id = "E1"
    address = ask(browser, right=right)
    post(browser, address, code=public.code_of(newest(org).id), **said)
    assert (newest(org).state, newest(org).verified) == (Stage.RECEIVED, verified)


def test_a_code_is_good_for_five_tries_and_an_hour(org: UUID, browser: FlaskClient) -> None:
    address = ask(browser)
    for _ in range(5):
        assert post(browser, address, code="00000000").status_code == 422
    assert browser.get(address).status_code == 410
    address = ask(browser, address="other@home.example")
    with transaction(org) as session:
        old = now() - public.VALID - (now() - newest(org).created_at)
        session.execute(
            update(SubjectRequest).where(SubjectRequest.id == newest(org).id).values(created_at=old)
        )
    assert browser.get(address).status_code == 410
    assert newest(org).state == Stage.UNCONFIRMED


def test_an_agent_gets_the_code_and_the_person_the_answers(
    org: UUID, ada: Person, browser: FlaskClient
) -> None:
    address = ask(
        browser, who="agent", code_to="law@firm.example", agent="Firm", name="Ada Lovelace", right="erasure"
    )
    with transaction(org) as session:
        mail = public.mail(session, newest(org).id)
        assert mail is not None
        assert mail.to == "law@firm.example"
    post(browser, address, code=public.code_of(newest(org).id))
    row = newest(org)
    assert (row.channel, row.verified, row.member_id) == (Channel.AGENT, None, ada.member.id)
    assert words.read(row).agent == "Firm, law@firm.example"
    with transaction(org) as session:
        assert letters.address_of(session, row) == "ada@acme.example"


def test_what_is_not_complete_is_said_and_a_wrong_link_leads_nowhere(org: UUID, browser: FlaskClient) -> None:
    for number, wrong in enumerate(({"right": ""}, {"address": "x"}, {"who": "agent"}, {"text": "x" * 4001})):
        form = {"right": "access", "address": f"ada{number}@acme.example", "who": "self", **wrong}
        assert post(browser, "/privacy/acme", **form).status_code == 422, wrong
    address = ask(browser)
    assert browser.get(address[:-2] + "xy").status_code == 404
    assert browser.get("/privacy/acme/requests/short").status_code == 404
    assert browser.get("/privacy/nobody").status_code == 404
    assert browser.get(address.replace("/code/", "/requests/")).status_code == 303
    other = letters.token_of(UUID(int=1), newest(org).id)
    assert browser.get(f"/privacy/acme/code/{other}").status_code == 404


def test_requests_of_ones_own_are_asked_and_listed(org: UUID, ada: Person) -> None:
    ada.accept().consent(photo="yes", likeness="yes")
    wrong = ada.post("/me/requests", "/me/privacy", right="rectification", text="")
    assert wrong.location == "/me/privacy"
    for right in ("rectification", "restriction", "objection"):
        ada.post("/me/requests", "/me/privacy", right=right, text="My name is Ada King.")
    ada.post("/me/requests", "/me/privacy", right="access")
    with transaction(org) as session:
        rows = session.scalars(select(SubjectRequest).order_by(SubjectRequest.id)).all()
        assert [one.type for one in rows] == [Right.RECTIFICATION, Right.RESTRICTION, Right.OBJECTION]
        assert all(one.verified and words.read(one).text for one in rows)
    page = ada.browser.get("/me/privacy").text
    assert page.count("arrived") >= 3
    assert "Object to what is done with my data" in page
    assert "taken back" in page  # what measures the face has ended at once


def test_codes_to_one_address_are_counted_whatever_else_the_form_says(
    org: UUID, browser: FlaskClient
) -> None:
    form = {"right": "access", "address": "ada@acme.example", "who": "self"}
    answers = [
        post(browser, "/privacy/acme", **form, code_to=f"{number}@elsewhere.example").status_code
        for number in range(4)
    ]
    assert answers == [303, 303, 303, 429]


def test_a_request_counts_by_the_law_where_its_person_turns_out_to_work(
    org: UUID, ada: Person, browser: FlaskClient
) -> None:
    with transaction(org) as session:
        session.merge(ada.member).place = "US-CA"
    address = ask(browser, right="opt_out")
    assert newest(org).regime == "gdpr"
    post(browser, address, code=public.code_of(newest(org).id))
    row = newest(org)
    assert row.regime == "ccpa"
    assert row.due_at == row.first_due_at == clocks.due(row.received_at, Right.OPT_OUT, Law.CCPA, Place())


@pytest.mark.parametrize(("regime", "perjury"), [("gdpr", False), ("ccpa", True)])
def test_nobody_declares_what_their_law_does_not_know(
    org: UUID, browser: FlaskClient, regime: str, perjury: bool
) -> None:
    with transaction(org) as session:
        organizations.current(session).regime = regime
    page = browser.get(ask(browser)).text
    assert "I declare" in page
    assert ("perjury" in page) is perjury
