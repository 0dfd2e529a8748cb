"""Each decision about consents has a receipt: behind a sign-in, with the whole text, and nothing changes it."""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable
from hashlib import sha256

import pypdf
import pytest
import rfc8785
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from unit.portal.conftest import Person

from compliance.consent import receipts
from core.db import transaction
from core.models import Act, Consent, ConsentReceipt, Member, Outbox
from core.queue import JobName

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def of(person: Person) -> list[ConsentReceipt]:
    with transaction(person.org_id) as session:
        return list(receipts.of_person(session, person.member.id))


def printed(content: bytes) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)


def test_an_answer_has_a_receipt_with_the_whole_text_and_its_hash(ada: Person) -> None:
    page = ada.accept().browser.get("/me/consent").text
    ada.consent(photo="yes")
    (row,) = of(ada)
    said = json.loads(ada.browser.get(f"/me/receipts/{row.id}.json").data)
    assert said["@type"] == "dpv:ConsentRecord"
    assert {one["dpv:hasPurpose"]: one["consent_status"] for one in said["processing"]} == {
        "photo": "dpv:ConsentGiven",
        "likeness": "dpv:ConsentRefused",
    }
    (notice,) = said["notices"]
    assert sha256(rfc8785.dumps(notice["content"])).hexdigest() == notice["sha256"] == row.notice_sha256
    with transaction(ada.org_id) as session:
        assert {one.notice_sha256 for one in session.scalars(select(Consent))} == {notice["sha256"]}
    for line in (notice["content"]["intro"], *notice["content"]["promises"], *notice["content"]["rights"]):
        assert line[:40] in page.replace("&#39;", "'"), "what is kept is what was shown"
    made = ada.browser.get(f"/me/receipts/{row.id}.pdf").data
    shown = printed(made).replace("\n", " ")
    assert notice["sha256"] in shown.replace(" ", "")
    for line in (*notice["content"]["promises"], notice["content"]["purposes"]["likeness"]["how_long"]):
        assert line[:30] in shown
    content = notice["content"]
    words = [content["title"], content["intro"], content["decline"], content["decline_button"]]
    for line in (*words, *(one for asked in content["purposes"].values() for one in asked.values())):
        assert line in html.unescape(page), "nothing is kept that was not shown"
    assert content["decline_button"] not in shown, "the button that says no is no right"
    assert content["decline"][:40] in shown
    attached = pypdf.PdfReader(io.BytesIO(made)).attachments["receipt.json"][0]
    assert json.loads(attached) == said
    token = re.search(r'name="csrf_token" value="([^"]+)"', ada.browser.get("/verify").text)[1]  # type: ignore[index]
    form = {"csrf_token": token, "file": (io.BytesIO(made), "receipt.pdf")}
    checked = ada.browser.post("/verify", data=form).text
    assert "This file carries no signature." in checked
    assert "not ours" not in checked, "a paper of our own is not condemned"


def test_further_questions_claim_no_offer_that_their_page_did_not_show(ada: Person) -> None:
    ada.accept().consent(photo="yes")
    page = ada.browser.get("/me/consent/more").text
    mark = page.partition('name="text_version" value="')[2].partition('"')[0]
    ada.post("/me/consent/more", "/me/consent/more", text_version=mark, likeness="yes")
    later, first = of(ada)
    offered = json.loads(ada.browser.get(f"/me/receipts/{first.id}.json").data)["notices"][0]["content"]
    shown = printed(ada.browser.get(f"/me/receipts/{later.id}.pdf").data).replace("\n", " ")
    assert offered["decline"] not in html.unescape(page)
    assert offered["decline"][:40] not in shown
    assert "further questions only" in shown


def test_declining_has_one_with_what_was_offered_instead(ada: Person) -> None:
    page = ada.accept().browser.get("/me/consent").text
    mark = page.partition('name="text_version" value="')[2].partition('"')[0]
    ada.post("/me/decline", "/me/consent", text_version=mark, alternative="own_picture")
    (row,) = of(ada)
    assert (row.act, row.alternative, row.by_company) == (Act.DECLINED, "own_picture", False)
    said = json.loads(ada.browser.get(f"/me/receipts/{row.id}.json").data)
    assert said["declined"]["notice_sha256"] == said["notices"][0]["sha256"]
    assert said["declined"]["dpv:hasPurpose"] == ["photo", "likeness"]
    shown = printed(ada.browser.get(f"/me/receipts/{row.id}.pdf").data).replace("\n", " ")
    assert "You declined" in shown
    assert said["notices"][0]["content"]["decline"][:40] in shown
    assert "a picture of your own" in shown


def test_a_text_that_was_not_open_is_not_claimed_to_have_been_read(ada: Person) -> None:
    ada.accept().post("/me/decline", "/me/consent", text_version="2020-01.1.ffff", alternative="initials")
    (row,) = of(ada)
    assert row.notice_sha256 is None
    assert "no text was open" in printed(ada.browser.get(f"/me/receipts/{row.id}.pdf").data).replace(
        "\n", " "
    )


def test_taking_back_has_one_with_the_words_that_were_agreed_to(ada: Person) -> None:
    ada.accept().consent(photo="yes", likeness="yes")
    ada.post("/me/consent/withdraw", "/me/privacy", purpose="likeness")
    ada.post("/me/consent/withdraw", "/me/privacy", purpose="likeness")
    taken, given = of(ada)
    assert (taken.act, given.act) == (Act.TAKEN_BACK, Act.ANSWERED), "a second time takes nothing back"
    said = json.loads(ada.browser.get(f"/me/receipts/{taken.id}.json").data)
    assert [(one["dpv:hasPurpose"], one["consent_status"]) for one in said["processing"]] == [
        ("likeness", "dpv:ConsentWithdrawn")
    ]
    assert said["notices"][0]["sha256"] == given.notice_sha256


def test_the_mail_says_that_it_is_there_and_nothing_of_what_was_decided(ada: Person) -> None:
    ada.accept().consent(photo="yes", likeness="yes")
    (row,) = of(ada)
    with transaction(ada.org_id) as session:
        owed = session.scalars(select(Outbox.subject_id).where(Outbox.job == JobName.RECEIPT_MAIL)).all()
        mail = receipts.mail(session, row.id)
    assert list(owed) == [row.id]
    assert mail is not None
    assert "/your-data/" in mail.text
    assert "likeness" not in mail.text.lower()
    assert "agree" not in mail.text.lower()


def test_nobody_opens_a_receipt_of_somebody_else(ada: Person, invited: Callable[[str], Person]) -> None:
    ada.accept().consent(photo="yes")
    (row,) = of(ada)
    bob = invited("Bob").accept()
    assert bob.browser.get(f"/me/receipts/{row.id}.pdf").status_code == 404
    assert bob.browser.get(f"/me/receipts/{row.id}.json").status_code == 404


@pytest.mark.parametrize("change", ["act = 'answered'", "consents = '{}'", "by_company = true"])
def test_the_database_refuses_to_change_a_receipt(ada: Person, change: str) -> None:
    ada.accept().consent(photo="yes")
    with transaction(ada.org_id) as session, pytest.raises(DBAPIError, match="permission denied"):
        session.execute(text(f"UPDATE consent_receipts SET {change}"))
    with transaction(ada.org_id) as session, pytest.raises(DBAPIError, match="permission denied"):
        session.execute(text("DELETE FROM consent_receipts"))


def test_an_erased_person_is_mailed_nothing(ada: Person) -> None:
    ada.accept().consent(photo="yes")
    (row,) = of(ada)
    with transaction(ada.org_id) as session:
        session.get_one(Member, ada.member.id).email = ""
        session.flush()
        assert receipts.mail(session, row.id) is None
