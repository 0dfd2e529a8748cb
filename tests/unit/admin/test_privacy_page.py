"""What the company states of itself: written, looked at as the public page, put live as a version that the log knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation
from lxml import html
from sqlalchemy import select, text

from compliance.evidence import published_keys
from compliance.privacy import versions
from compliance.privacy.facts import PrivacyFacts
from compliance.reports.access import making as access
from compliance.reports.company.kinds import Report, sections
from compliance.verify import verify_file
from core.db import transaction
from core.models import AuditEvent, Member, Role, SignInMethod, State
from core.people import organizations, sessions
from portal.app import create_app as create_portal

PAGE = "/admin/settings/privacy"
ROWS = {
    "subprocessors-0-name": "Example Mail Ltd",
    "subprocessors-0-country": "Ireland",
    "subprocessors-0-notified": "2026-10-01",
    "subprocessors-0-objections": "none",
}
STATED = {
    "base": "0",
    "lists": "1",
    "legal_name": " Acme  GmbH ",
    "postal_address": "Hauptstraße 1\r\n10115 Berlin\r\n\r\n",
    "contact_email": "privacy@acme.example",
    "dpo": "dsb@acme.example",
    "authority": "Authority of Berlin",
    "notice_days": "30",
    "no_transfers": "1",
    "sentence_en": "Our works council agreed.",
    **ROWS,
}


def stated(org: UUID) -> PrivacyFacts:
    with transaction(org) as session:
        return versions.live(session).facts


def said(org: UUID, report: Report, language: str = "en") -> str:
    with transaction(org) as session:
        return json.dumps([repr(one) for one in sections(session, report, language)], ensure_ascii=False)


def test_nothing_is_live_before_it_was_looked_at_and_then_everything_says_it(org: UUID, browser: Any) -> None:
    shown = browser.post(f"{PAGE}/preview", STATED, json=False)
    assert shown.status_code == 200
    assert "Our works council agreed." in shown.text
    assert "What is asked first" in shown.text, "the public page as it would be"
    assert stated(org).dpo == ""
    hidden = html.fromstring(shown.text).xpath("//form[@action='/admin/settings/privacy']//*[@name]")
    kept = {one.get("name"): one.get("value") or (one.text or "").lstrip("\n") for one in hidden}
    kept.pop("back")
    answer = browser.post(PAGE, kept)
    assert answer.json["next"] == PAGE
    now = stated(org)
    assert (now.legal_name, now.postal_address) == ("Acme GmbH", "Hauptstraße 1\n10115 Berlin")
    assert [one.name for one in now.subprocessors] == ["Example Mail Ltd"]
    with transaction(org) as session:
        assert organizations.current(session).legal_name == "Acme GmbH", "as certificates name it"
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == "organization.privacy_changed"))
        assert event.facts["facts_sha256"] == now.sha256
        assert "dpo" in event.facts["changed"]
        assert b"dsb@" not in event.leaf
    for wanted in ("dsb@acme.example", "Authority of Berlin"):
        assert wanted in said(org, Report.RECORDS)
    annexes = said(org, Report.ANNEXES)
    for wanted in ("30 days", "Example Mail Ltd", "Oct 1, 2026"):
        assert wanted in annexes
    public = create_portal().test_client()
    trust = public.get("/trust/acme").text
    for wanted in (
        "Acme GmbH",
        "dsb@acme.example",
        "Authority of Berlin",
        "Our works council agreed.",
        "Ireland",
    ):
        assert wanted in trust
    note = public.get("/trust/acme/retention.note").data
    assert b"Example Mail Ltd" in note
    assert verify_file(note, published_keys(org)).ok


def test_what_nobody_stated_names_who_can_and_where(org: UUID) -> None:
    for language, words in (("en", "owner or HR admin"), ("de", "Inhaber oder Personalabteilung")):
        for report in (Report.RECORDS, Report.ANNEXES, Report.DPIA):
            found = said(org, report, language)
            assert words in found
            assert PAGE in found
    assert "HEADSHOTS_OPERATOR_ADDRESS" in said(org, Report.RECORDS)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"contact_email": "nobody"}, "not a complete mail address"),
        (
            {"contact_email": "data..team@acme.example"},
            "not a complete mail address",
        ),  # no mail could be sent
        ({"notice_days": "soon"}, "whole number"),
        ({"impact_review": "2026-13-01"}, "year-month-day"),
        ({"impact_review": "2020-01-01"}, "a day that is over"),
        ({"transfers-0-recipient": "Somebody", "no_transfers": "1"}, "one of the two"),
        ({"subprocessors-0-name": ""}, "has no name"),
        ({"sentence_en": "x" * 2001}, "at most 2000"),
        ({"base": "x"}, "not complete"),
    ],
)
def test_what_cannot_be_is_said_and_stands_in_the_form_again(
    org: UUID, browser: Any, wrong: dict[str, str], told: str
) -> None:
    for address in (f"{PAGE}/preview", PAGE):
        answer = browser.post(address, {**STATED, **wrong}, json=False)
        assert answer.status_code == 422
        assert told in answer.text
    assert stated(org).dpo == ""


def test_a_form_that_was_open_while_another_went_live_changes_nothing(org: UUID, browser: Any) -> None:
    assert browser.post(PAGE, STATED).status_code == 200
    late = browser.post(PAGE, {**STATED, "dpo": "other@acme.example"}, json=False)
    assert "Version 1 was put live in the meantime" in late.text
    assert stated(org).dpo == "dsb@acme.example"


def test_a_field_that_a_form_lacks_stays_and_a_row_is_removed_by_its_box_alone(
    org: UUID, browser: Any
) -> None:
    browser.post(PAGE, STATED)
    browser.post(PAGE, {"base": "1", "dpo": "new@acme.example"})
    now = stated(org)
    assert (now.dpo, now.legal_name, now.no_transfers) == ("new@acme.example", "Acme GmbH", True)
    assert len(now.subprocessors) == 1
    browser.post(PAGE, {**STATED, "base": "2", "subprocessors-0-remove": "1"})
    assert stated(org).subprocessors == ()
    with transaction(org) as session:
        assert [step.version for step in versions.history(session)] == [3, 2, 1]


def test_auditors_read_and_change_nothing_and_a_version_stays_as_it_was(
    org: UUID, signed_in: Callable[[Role], Any], browser: Any
) -> None:
    browser.post(PAGE, STATED)
    auditor = signed_in(Role.AUDITOR)
    shown = auditor.get(PAGE).text
    assert "dsb@acme.example" in shown
    assert "/preview" not in shown
    assert auditor.post(PAGE, STATED).status_code == 403
    assert signed_in(Role.REVIEWER).get(PAGE).status_code == 403
    with pytest.raises(Exception, match="permission denied"), transaction(org) as session:
        session.execute(text("UPDATE privacy_versions SET version = 9"))


def test_people_are_told_on_the_page_that_asks_them(org: UUID, browser: Any) -> None:
    browser.post(PAGE, STATED)
    person = add_member(org, "Grace")
    add_participation(org, person, State.OPENED)
    with transaction(org) as session:
        token = sessions.start(session, person, SignInMethod.INVITE)
    app = create_portal()
    visitor = app.test_client()
    visitor.set_cookie(app.config["SIGN_IN_COOKIE"], token)
    page = visitor.get("/me/consent").text
    for wanted in ("Data protection officer: dsb@acme.example", "Our works council agreed.", "Acme GmbH"):
        assert wanted in page
    with transaction(org) as session:
        report = access.report(session, session.get_one(Member, person.id), language="en", names={})
    words = " ".join(report.words())
    for wanted in ("dsb@acme.example", "Authority of Berlin", "states that nothing goes elsewhere"):
        assert wanted in words
