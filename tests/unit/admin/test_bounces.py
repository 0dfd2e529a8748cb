"""Mails that came back: told by the mail server, a report or a provider; counted, shown, and sent to another address."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from conftest import add_member, add_participation, forget_process_state
from patience import try_again
from servers.smtp import PostOffice, serving
from sqlalchemy import select
from work import do_all_work

from core import audit
from core.clock import now
from core.db import transaction
from core.mail import returns
from core.models import AuditEvent, Delivery, Invite, MailState, Member, Participation, State, Teller
from core.shoots import deliveries, invites
from deploy.cli import main
from portal.app import create_app as create_portal

SECRET = "a secret that whoever delivers our mails knows too"
REPORT = """From: Mail Delivery System <mailer-daemon@mx.test>
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="part"

--part
Content-Type: text/plain

I am sorry to have to tell you this, grace@acme.example.
--part
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.test
Original-Envelope-Id: {envelope}

Final-Recipient: rfc822; ada@acme.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <ada@acme.example>: unknown
--part--
"""


@pytest.fixture
def post(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    office = PostOffice()
    with serving(office) as port:
        monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{port}")
        monkeypatch.setenv("HEADSHOTS_BOUNCE_ADDRESS", "bounces@mail.example.com")
        monkeypatch.setenv("HEADSHOTS_BOUNCE_SECRET", SECRET)
        forget_process_state()
        yield office


@pytest.fixture
def invited(org: UUID, post: PostOffice) -> Participation:
    """Ada, whose invitation the mail server took."""
    row = add_participation(org, add_member(org))
    with transaction(org) as session:
        invites.create(session, session.get_one(Participation, row.id), actor=audit.SYSTEM)
    do_all_work()
    assert len(post.mails) == 1
    return row


def report(to: str = "", *, envelope: str = "", action: str = "failed", status: str = "5.1.1") -> bytes:
    return REPORT.format(to=to, envelope=envelope, action=action, status=status).encode()


def pipe(content: bytes, *options: str) -> Result:
    return CliRunner().invoke(main, ["bounce", "--json", *options], input=io.BytesIO(content))


def call(body: bytes, media_type: str, *, secret: str = SECRET, late: int = 0) -> Any:
    moment = str(int(now().timestamp()) - late)
    signature = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return (
        create_portal()
        .test_client()
        .post(
            "/bounces",
            data=body,
            content_type=media_type,
            headers={"X-Headshots-Signature": f"t={moment},v1={signature}", "Accept": "application/json"},
        )
    )


def state_of(org: UUID, row: Participation) -> str | None:
    with transaction(org) as session:
        return session.get_one(Participation, row.id).mail_state


def test_a_mail_is_queued_until_the_server_has_it_and_the_pages_say_so(org: UUID, browser: Any) -> None:
    row = add_participation(org, add_member(org))
    with transaction(org) as session:
        invites.create(session, session.get_one(Participation, row.id), actor=audit.SYSTEM)
    shoot = f"/admin/shoots/{row.shoot_id}"
    assert browser.get(f"{shoot}/counts.json").json["mails"] == {"queued": 1, "sent": 0, "bounced": 0}
    for page in (shoot, "/admin/"):
        assert '<span data-mail="queued">1</span> queued' in browser.get(page).text
    assert "A mail waits for its turn." in browser.get(f"/admin/people/{row.member_id}").text


def test_a_report_by_mail_is_known_by_its_return_path_alone_and_names_nobody(
    org: UUID, browser: Any, post: PostOffice, invited: Participation
) -> None:
    (return_path,) = post.return_paths
    assert return_path.startswith("bounces+")
    assert return_path.endswith("@mail.example.com")
    assert len(return_path.partition("@")[0]) <= 64
    assert json.loads(pipe(report(action="delayed"), "--recipient", return_path).stdout) == {"noted": False}
    assert state_of(org, invited) == MailState.SENT
    told = pipe(report(return_path))
    assert (told.exit_code, json.loads(told.stdout)) == (0, {"noted": True})
    assert "acme.example" not in told.output
    assert state_of(org, invited) == MailState.BOUNCED
    shoot = f"/admin/shoots/{invited.shoot_id}"
    page = browser.get(f"{shoot}?mail=bounced").text
    assert "There is no such mailbox." in page
    assert "The mail to 1 person came back." in page
    assert "Ada" not in browser.get(f"{shoot}?mail=sent").text
    assert "Mail came back" in browser.get("/admin/people?mail=bounced").text
    assert "Ada" not in browser.get("/admin/people?mail=queued").text
    assert "(5.1.1)" in browser.get(f"/admin/people/{invited.member_id}").text
    with transaction(org) as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.MAIL_BOUNCED)).one()
    assert (event.facts["status"], event.facts["told_by"]) == ("5.1.1", "report")


@pytest.mark.parametrize(
    "content", [b"", b"Subject: I am on holiday\n\nUntil Monday.", report("a@b.example")]
)
def test_whatever_else_comes_back_changes_nothing_and_gets_no_answer(
    org: UUID, invited: Participation, content: bytes
) -> None:
    assert (pipe(content).exit_code, state_of(org, invited)) == (0, MailState.SENT)


def test_nobody_makes_up_a_report_of_a_mail_they_never_saw(
    org: UUID, post: PostOffice, invited: Participation
) -> None:
    sign = post.return_paths[0].partition("+")[2].partition("@")[0]
    forged = ("a" if sign[0] != "a" else "b") + sign[1:]
    assert json.loads(pipe(report(envelope=forged)).stdout) == {"noted": False}
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(1000))
    assert json.loads(pipe(deep + sign.encode()).stdout) == {"noted": False}, "parts within parts"
    assert state_of(org, invited) == MailState.SENT
    assert json.loads(pipe(report(envelope=sign)).stdout) == {"noted": True}


def test_a_provider_tells_with_a_signature_and_nobody_without(
    org: UUID, post: PostOffice, invited: Participation
) -> None:
    body = json.dumps({"bounces": [{"mail": post.ids[0], "status": "5.2.2"}, {"mail": "<x@y>"}]}).encode()
    for refused in (
        call(body, "application/json", secret="another secret of the right length"),
        call(body, "application/json", late=600),
    ):
        assert refused.status_code == 403
    assert state_of(org, invited) == MailState.SENT
    assert call(b"{}", "application/json").status_code == 422
    assert call(body, "application/json").json == {"noted": 1, "unknown": 1}
    with transaction(org) as session:
        row = session.scalars(select(Delivery)).one()
        assert (row.status, row.told_by) == ("5.2.2", Teller.PROVIDER)
    raw = call(report(post.return_paths[0]), "message/rfc822")
    assert raw.json == {"noted": 1, "unknown": 0}, "told twice is fine"


def test_without_a_secret_nobody_tells_anything(org: UUID) -> None:
    assert call(b"{}", "application/json").status_code == 404


def test_a_late_report_of_an_older_mail_says_nothing_of_the_newer(
    org: UUID, post: PostOffice, invited: Participation
) -> None:
    with transaction(org) as session:
        invites.create(session, session.get_one(Participation, invited.id), actor=audit.SYSTEM)
    assert json.loads(pipe(report(post.return_paths[0])).stdout) == {"noted": True}
    assert state_of(org, invited) == MailState.QUEUED
    do_all_work()
    assert state_of(org, invited) == MailState.SENT


def test_hr_corrects_the_address_and_the_invitation_goes_there(
    org: UUID, browser: Any, post: PostOffice, invited: Participation
) -> None:
    pipe(report(post.return_paths[0]))
    add_member(org, "Grace")
    address = f"/admin/people/{invited.member_id}/facts"
    for typed, status in (("ada@", 422), ("grace@acme.example", 409)):
        assert browser.post(address, {"email": typed}).status_code == status
    assert browser.post(address, {"email": "ADA@acme.example"}).json["changed"] == []
    assert (
        "Somebody else of your company"
        in browser.post(address, {"email": "grace@acme.example"}, json=False).text
    )
    assert browser.post(address, {"email": "Ada.L@acme.example"}).json["links"] == 1
    assert state_of(org, invited) == MailState.QUEUED
    with transaction(org) as session:
        first, _ = session.scalars(select(Invite).order_by(Invite.id)).all()
        assert first.revoked_at is not None, "whoever reads the wrong mailbox has a link"
    do_all_work()
    assert post.mails[-1].to == ("ada.l@acme.example",)
    assert not post.mails[-1].subject.startswith("Reminder")
    assert state_of(org, invited) == MailState.SENT
    with transaction(org) as session:
        assert deliveries.bounces(session, [invited.id]) == {}
        assert session.get_one(Member, invited.member_id).email == "ada.l@acme.example"


def test_who_has_finished_is_not_asked_again_when_their_address_changes(
    org: UUID, browser: Any, post: PostOffice
) -> None:
    row = add_participation(org, add_member(org), State.APPROVED)
    assert (
        browser.post(f"/admin/people/{row.member_id}/facts", {"email": "a@acme.example"}).json["links"] == 0
    )
    do_all_work()
    assert post.mails == []


def test_a_refused_mail_that_is_tried_again_and_taken_is_no_bounce(
    org: UUID, browser: Any, post: PostOffice
) -> None:
    row = add_participation(org, add_member(org))
    with transaction(org) as session:
        invites.create(session, session.get_one(Participation, row.id), actor=audit.SYSTEM)
    post.answer = "451 4.2.1 later"
    do_all_work()
    assert state_of(org, row) == MailState.QUEUED, "a delay is no bounce"
    post.answer = "554 5.7.1 policy"
    try_again(org)
    assert state_of(org, row) == MailState.BOUNCED
    post.answer = "250 OK"
    browser.post(f"/admin/shoots/{row.shoot_id}/people/{row.id}/mail")
    do_all_work()
    assert state_of(org, row) == MailState.SENT


def test_a_sign_fits_any_mail_server(environment: dict[str, str]) -> None:
    mail_id = UUID(int=7)
    sign = returns.token_of(mail_id)
    assert returns.find(sign.upper().encode()) == mail_id
    assert returns.find(f"{sign} {returns.token_of(UUID(int=8))}".encode()) is None
