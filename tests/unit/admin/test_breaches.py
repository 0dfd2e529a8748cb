"""The register of breaches: what is written down, the 72 hours, what was decided, and what nobody can undo."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from compliance.breaches import register, reminders
from compliance.reports.company.kinds import Report, sections
from core.clock import now
from core.db import transaction
from core.models import AuditEvent, Breach, Outbox, Role
from core.people import organizations
from core.queue import JobName
from deploy.formal import says_du
from portal.app import create_app as create_portal

WHAT = "A file with sealed photos was sent to another company."


def local(org: UUID, ago: timedelta = timedelta()) -> str:
    with transaction(org) as session:
        zone = ZoneInfo(organizations.current(session).time_zone)
    return (now() - ago).astimezone(zone).strftime("%Y-%m-%dT%H:%M")


def opened(org: UUID, browser: Any, ago: timedelta = timedelta(hours=1), **more: str) -> str:
    answer = browser.post("/admin/breaches/new", {"aware_at": local(org, ago), "nature": WHAT, **more})
    assert answer.status_code == 200, answer.json
    return str(answer.json["next"])


def told(org: UUID, language: str = "en") -> str:
    with transaction(org) as session:
        return json.dumps(
            [repr(one) for one in sections(session, Report.BREACHES, language)], ensure_ascii=False
        )


def test_the_way_of_a_breach_from_the_first_hour_to_the_register(org: UUID, browser: Any) -> None:
    with transaction(org) as session:
        organizations.current(session).time_zone = "Europe/Berlin"
    assert "No breach is in the company" in told(org)
    address = opened(org, browser)
    assert "70 hours left" in browser.get("/admin/breaches").text
    refused = browser.post(f"{address}/close")
    assert refused.status_code == 409
    saved = browser.post(address, {"revision": "1", "people": "40", "measures": "It was called back."})
    assert saved.status_code == 200
    for step, values in (
        ("decide", {"whom": "authority", "decision": "yes", "reason": "A risk is likely."}),
        ("told", {"whom": "authority", "told_at": local(org)}),
        ("decide", {"whom": "people", "decision": "no", "reason": "Nobody can read it."}),
        ("close", {}),
    ):
        assert browser.post(f"{address}/{step}", values).status_code == 200, step
    said = told(org)
    for wanted in (
        WHAT,
        "about 40",
        "It was called back.",
        "A risk is likely.",
        "Nobody can read it.",
        "Europe/Berlin",
    ):
        assert wanted in said
    with transaction(org) as session:
        row = session.scalars(select(Breach)).one()
        tags = session.scalars(
            select(AuditEvent.tag).where(AuditEvent.id.in_(row.events)).order_by(AuditEvent.id)
        ).all()
        leaves = b"".join(session.scalars(select(AuditEvent.leaf)))
        assert row.authority_told_at is not None
    assert [tag.removeprefix("breach.") for tag in tags] == [
        "recorded",
        "changed",
        "decided",
        "told",
        "decided",
        "closed",
    ]
    assert b"sealed photos" not in leaves
    late = browser.post(address, {"revision": str(row.revision), "measures": "More."})
    assert late.status_code == 409, "a closed entry stays as it is"
    assert "It was called back." in told(org)
    assert "of none so far" in create_portal().test_client().get("/trust/acme").text


def test_an_open_breach_is_said_to_be_looked_at_and_nothing_else_of_it(org: UUID, browser: Any) -> None:
    def page() -> str:
        return create_portal().test_client().get("/trust/acme").text

    address = opened(org, browser)
    assert "One is being looked at" in page()
    assert "of none so far" not in page()
    assert WHAT not in page()
    browser.post(f"{address}/decide", {"whom": "people", "decision": "yes", "reason": "A high risk."})
    assert "One is being looked at" in page(), "they are to be told, and were not yet"
    browser.post(f"{address}/told", {"whom": "people", "told_at": local(org)})
    assert "Yes, of 1." in page()
    assert "One is being looked at" not in page()


def test_72_hours_are_hours_whatever_the_clocks_do() -> None:
    """Clocks went back in Berlin on 25 October 2026, and a weekend lay between."""
    zone = ZoneInfo("Europe/Berlin")
    row = Breach(aware_at=datetime(2026, 10, 23, 18, 0, tzinfo=zone))
    assert register.due_at(row).astimezone(zone) == datetime(2026, 10, 26, 17, 0, tzinfo=zone)


def test_after_the_72_hours_the_delay_needs_a_reason(org: UUID, browser: Any) -> None:
    address = opened(org, browser, timedelta(hours=80))
    assert "over for 8 hours" in browser.get(address).text
    browser.post(f"{address}/decide", {"whom": "authority", "decision": "yes", "reason": "Risk."})
    values = {"whom": "authority", "told_at": local(org)}
    refused = browser.post(f"{address}/told", values)
    assert (refused.status_code, refused.json["error"]["field"]) == (422, "delay_reason")
    assert (
        browser.post(f"{address}/told", {**values, "delay_reason": "It was found late."}).status_code == 200
    )
    assert (
        browser.post(f"{address}/decide", {"whom": "authority", "decision": "no", "reason": "x"}).status_code
        == 409
    )


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"nature": " "}, "nature"),
        ({"people": "many"}, "people"),
        ({"aware_at": "yesterday"}, "aware_at"),
        ({"aware_at": "2999-01-01T00:00"}, "aware_at"),
        ({"aware_at": "0001-01-01T00:00"}, "aware_at"),  # before time begins, in UTC
        ({"of_whom": "ada@acme.example"}, "of_whom"),
        ({"measures": "x" * 4001}, "measures"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_written_down(
    org: UUID, browser: Any, wrong: dict[str, str], field: str
) -> None:
    with transaction(org) as session:
        organizations.current(session).time_zone = "Europe/Berlin"
    answer = browser.post("/admin/breaches/new", {"aware_at": local(org), "nature": WHAT, **wrong})
    assert (answer.status_code, answer.json["error"]["field"]) == (422, field)
    with transaction(org) as session:
        assert session.scalars(select(Breach)).all() == []


def test_two_who_write_at_once_do_not_overwrite_each_other(org: UUID, browser: Any) -> None:
    address = opened(org, browser)
    assert browser.post(address, {"revision": "1", "measures": "First."}).status_code == 200
    answer = browser.post(address, {"revision": "1", "measures": "Second."}, json=False)
    assert answer.status_code == 409
    assert "Second." in answer.text, "what was typed is not lost"
    assert "First." in told(org)


@pytest.mark.parametrize("formally", [True, False])
def test_what_people_are_told_speaks_as_the_company_does(org: UUID, browser: Any, formally: bool) -> None:
    with transaction(org) as session:
        organizations.current(session).formal_german = formally
    drafted = browser.get(f"{opened(org, browser)}/people.de.txt").text
    assert ("Was Sie tun können" in drafted, "Was du tun kannst" in drafted) == (formally, not formally)
    assert says_du(drafted) is not formally


@pytest.mark.parametrize("report", list(Report))
def test_reports_of_a_company_speak_to_nobody(org: UUID, report: Report) -> None:
    with transaction(org) as session:
        found = [
            sections(session, report, "de") for organizations.current(session).formal_german in (True, False)
        ]
    assert found[0] == found[1], (
        "so a version that was signed is no other one when the company speaks otherwise"
    )


def test_drafts_say_what_is_known_and_what_is_not(org: UUID, browser: Any) -> None:
    address = opened(org, browser, of_what="sealed photos")
    draft = browser.get(f"{address}/authority.en.txt").text
    for wanted in (WHAT, "Art. 33(3)(c)", "not known yet", "have counsel confirm", "privacy@acme.example"):
        assert wanted in draft
    assert "have counsel confirm every word" in browser.get(f"{address}/states.en.txt").text
    german = browser.get(f"{address}/people.de.txt").text
    assert "/trust/acme" in german
    assert "rechtlich bestätigen" in german
    assert browser.get(f"{address}/authority.de.pdf").data.startswith(b"%PDF-")
    for wrong in ("nobody.en.pdf", "people.fr.pdf", "people.en.exe"):
        assert browser.get(f"{address}/{wrong}").status_code == 404


def test_the_company_is_reminded_a_day_and_six_hours_before_and_once_it_is_over(
    org: UUID, browser: Any
) -> None:
    address = opened(org, browser)
    for number, ago in enumerate((47, 49, 67, 73)):
        with transaction(org) as session:
            session.scalars(select(Breach)).one().aware_at = now() - timedelta(hours=ago)
        for _again in range(2):
            with transaction(org) as session:
                reminders.owe(session)
                owed = select(Outbox).where(Outbox.job == JobName.BREACH_REMINDER)
                assert len(session.scalars(owed).all()) == number
    with transaction(org) as session:
        (mail,) = reminders.mails(session)
    assert mail.to == "privacy@acme.example"
    assert "/admin/breaches" in mail.text
    assert "photos" not in mail.subject + mail.text
    browser.post(f"{address}/decide", {"whom": "authority", "decision": "no", "reason": "No risk."})
    with transaction(org) as session:
        assert reminders.mails(session) == []


def test_auditors_read_and_nobody_deletes(org: UUID, browser: Any, signed_in: Callable[[Role], Any]) -> None:
    address = opened(org, browser)
    auditor = signed_in(Role.AUDITOR)
    assert WHAT in auditor.get(address).text
    assert auditor.post(f"{address}/close").status_code == 403
    assert auditor.get("/admin/breaches/new").status_code == 403
    assert signed_in(Role.REVIEWER).get("/admin/breaches").status_code == 403
    with pytest.raises(Exception, match="permission denied"), transaction(org) as session:
        session.execute(text("DELETE FROM breaches"))
