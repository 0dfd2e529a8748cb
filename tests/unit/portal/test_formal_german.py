"""A company whose German says "Sie" says it on every page, in every mail and in what people agree to."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from reading import read
from sqlalchemy import select

from compliance import company_letters, ending
from compliance.consent import receipts
from compliance.reports import page, receipt
from compliance.requests import desk, export, words
from compliance.requests import letters as request_letters
from core import audit
from core.db import transaction
from core.formal import SIE
from core.models import (
    Channel,
    Consent,
    ConsentReceipt,
    Invite,
    Member,
    Organization,
    Right,
    Shoot,
    ShownNotice,
    State,
)
from core.people import data_links, organizations
from core.shoots import letters, wording
from deploy.formal import says_du

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def sie(ada: Any) -> Any:
    """Ada, who reads German, at a company that says "Sie"."""
    return _company_says(ada, formally=True)


def _company_says(person: Any, *, formally: bool) -> Any:
    with transaction(person.org_id) as session:
        session.get_one(Organization, person.org_id).formal_german = formally
        session.get_one(Member, person.member.id).language = "de"
    return person


def informal_on(browser: FlaskClient, address: str, status: int = 200) -> list[str]:
    """Open a page in German; return which of its texts say "du"."""
    answer = browser.get(address, query_string={"lang": "de"})
    assert answer.status_code == status, address
    assert '<html lang="de">' in answer.text
    return [text for text in read(answer.text) if says_du(text)]


def _invitation(person: Any) -> Any:
    with transaction(person.org_id) as session:
        asked = select(Invite).where(Invite.participation_id == person.participation_id)
        return letters.invitation(session, session.scalars(asked).one())


@pytest.mark.parametrize("formally", [True, False])
def test_invitation_page_mail_and_consent_speak_as_the_company_says(ada: Any, formally: bool) -> None:
    person = _company_says(ada, formally=formally)
    mail = _invitation(person)
    assert mail.language == "de"
    assert mail.subject.startswith("Ihr neues Porträt" if formally else "Dein neues Porträt")
    page = person.browser.get(person.link()).text
    assert ("Zeit für Ihr Porträt" in page, "Zeit für dein Porträt" in page) == (formally, not formally)
    person.accept()
    page = person.browser.get("/me/consent").text
    title = "Ihre Fotos, Ihre Entscheidung" if formally else "Deine Fotos, deine Entscheidung"
    assert title in page
    person.consent(photo="yes")
    with transaction(person.org_id) as session:
        rows = session.scalars(select(Consent)).all()
        (kept,) = session.scalars(select(ShownNotice)).all()
    assert {row.language for row in rows} == {SIE if formally else "de"}
    assert {row.notice_sha256 for row in rows} == {kept.sha256}
    assert json.loads(kept.content)["title"] == title
    assert says_du(mail.text + page + kept.content) is not formally


def test_every_step_and_what_went_wrong_says_sie(sie: Any, shoot: Shoot) -> None:
    assert informal_on(sie.browser, sie.link()) == []
    sie.accept()
    assert informal_on(sie.browser, "/me/consent") == []
    sie.consent(photo="yes", likeness="yes")
    photo = sie.upload().json["id"]
    sie.judge(photo, issues=({"code": "dark", "severity": "warn"},))
    sie.judge_group(sie.upload(key="key-00000002").json["id"])
    page = sie.browser.get("/me/photos").text
    assert "Ihr Gesicht ist auf diesem Foto dunkel" in page
    assert "Wer davon sind Sie?" in page
    assert informal_on(sie.browser, "/me/photos") == []
    assert "laden Sie" in sie.upload(b"not a photo" * 400, key="key-00000003").json["error"]["message"]
    sie.fetch("/me/submit")
    assert informal_on(sie.browser, "/me/progress") == []
    sie.set_state(State.FAILED, failure_code="no_usable_photo")
    assert informal_on(sie.browser, "/me/progress") == []
    sie.set_state(State.READY)
    sie.render(shoot)
    for address in ("/me/result", "/me/privacy", "/me/consent/withdraw"):
        assert informal_on(sie.browser, address) == []
    assert informal_on(sie.browser, "/nowhere", 404) == []


def test_pages_without_a_session_speak_as_their_company_does(sie: Any) -> None:
    for address in ("/trust/acme", "/trust/acme/data", "/privacy/acme"):
        assert informal_on(sie.browser, address) == [], address
    assert informal_on(sie.browser, "/"), "no company, no choice"


def test_declining_and_its_receipt_say_sie(sie: Any) -> None:
    sie.accept()
    sie.post("/me/decline", "/me/consent", alternative="initials")
    assert informal_on(sie.browser, "/me/declined") == []
    with transaction(sie.org_id) as session:
        row = session.scalars(select(ConsentReceipt)).one()
        mail = receipts.mail(session, row.id)
    assert row.language == SIE
    assert mail is not None
    assert "Ihrer Entscheidung" in mail.subject
    assert not says_du(mail.text)


def test_what_is_held_about_somebody_is_told_with_sie(sie: Any) -> None:
    with transaction(sie.org_id) as session:
        member = session.get_one(Member, sie.member.id)
        found, mail = data_links.link_of(member), letters.data(session, member)
    assert "Ein Link zu Ihren Daten" in mail.text
    assert not says_du(mail.text)
    assert informal_on(sie.browser, urlsplit(found).path) == []
    sie.accept().consent(photo="yes", likeness="yes")
    sie.judge(sie.upload().json["id"])
    with transaction(sie.org_id) as session:
        member = session.get_one(Member, sie.member.id)
        report = export.plan(session, member).report
        (row,) = receipts.of_person(session, sie.member.id)
        kept = receipt.document(receipt.read(session, row))
    assert (report.language, kept.language) == (SIE, SIE)
    for document in (report, kept):
        assert not [text for text in document.words() if says_du(text)]
        assert '<html lang="de-x-sie">' in page.html(document)
    assert "Auskunft über Ihre personenbezogenen Daten" in report.words()
    assert sie.browser.get("/me/report.pdf").data.startswith(b"%PDF")


def test_a_receipt_goes_on_saying_what_it_said(ada: Any) -> None:
    """Its texts are those of the notice that was read, whatever the company says by now."""
    person = _company_says(ada, formally=False)
    person.accept().consent(photo="yes")
    _company_says(person, formally=True)
    with transaction(person.org_id) as session:
        (row,) = receipts.of_person(session, person.member.id)
        said = list(receipt.document(receipt.read(session, row)).words())
    assert "Was du entschieden hast" in said
    assert "Was Sie entschieden haben" not in said


@pytest.mark.parametrize("kind", wording.KINDS)
def test_every_mail_says_sie_except_in_a_companys_own_words(sie: Any, shoot: Shoot, kind: str) -> None:
    own = "Hallo du"
    with transaction(sie.org_id) as session:
        member = session.get_one(Member, sie.member.id)
        ours = letters.sample(session, kind, "de", wording.said(session, kind, "de"), member, shoot)
        assert not says_du(f"{ours.subject} {ours.text} {ours.html}")
        assert not [one.ours for one in wording.parts(session, kind, "de") if says_du(one.ours)]
        wording.save(session, kind, "de", {"title": own}, actor=audit.SYSTEM)
        theirs = letters.sample(session, kind, "de", wording.said(session, kind, "de"), member, shoot)
        assert own in theirs.text
        assert letters.sample(session, kind, "en", wording.said(session, kind, "en"), member, shoot)


def test_mails_about_requests_and_to_the_company_say_sie(sie: Any) -> None:
    with transaction(sie.org_id) as session:
        organizations.current(session).contact_email = "hr@acme.example"
        organizations.current(session).language = "de"
        member = session.get_one(Member, sie.member.id)
        row = desk.open_for(
            session,
            Right.RECTIFICATION,
            Channel.HR,
            member=member,
            asked=words.Words(),
            language="de",
            actor=audit.SYSTEM,
        )
        for kind in sorted(request_letters.TOLD):
            row.basis = row.hold = None
            subject, text = request_letters.preview(session, row, kind)
            assert not says_du(subject + text), kind
        (mail,) = company_letters.written(session, ending.WORDS, "/admin/", 3)
    assert "Laden Sie sie aus ihren Shootings herunter" in mail.text


def test_a_failure_of_ours_is_told_with_sie(sie: Any, portal: Flask) -> None:
    sie.accept()

    def fail() -> str:
        raise RuntimeError("nobody's fault")

    portal.view_functions["privacy.show"] = fail
    portal.config["PROPAGATE_EXCEPTIONS"] = False
    assert informal_on(sie.browser, "/me/privacy", 500) == []


def test_nobody_is_asked_again_because_the_company_speaks_otherwise(ada: Any) -> None:
    person = _company_says(ada, formally=False)
    person.accept().consent(photo="yes", likeness="yes")
    _company_says(person, formally=True)
    page = person.browser.get("/me/privacy").text
    assert "/me/consent/more" not in page


def test_words_that_changed_while_the_page_was_open_are_read_again_before_they_count(ada: Any) -> None:
    person = _company_says(ada, formally=False)
    person.accept()
    page = person.browser.get("/me/consent").text
    mark = page.split('name="text_version" value="')[1].split('"')[0]
    _company_says(person, formally=True)
    answer = person.post("/me/consent", "/me/consent", text_version=mark, photo="yes")
    assert answer.status_code == 409
    assert "Ihre Fotos, Ihre Entscheidung" in answer.text
    with transaction(person.org_id) as session:
        assert session.scalars(select(Consent)).all() == []
