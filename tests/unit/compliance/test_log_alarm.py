"""A log that is not what was signed is told: by mail, in `/readyz`, as a figure, above the pages of those who can act."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from conftest import add_member, forget_process_state
from servers.smtp import PostOffice, serving
from signed_logs import Execute, add_events
from work import do_all_work

from admin.app import create_app
from compliance.log import sequencer
from core.clock import now
from core.db import transaction
from core.models import Member, Organization, Role, SignInMethod
from core.observe.figures import logs
from core.observe.health import State, health
from core.people import sessions

ALARM = "is not what was signed"


@pytest.fixture
def post(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    office = PostOffice()
    with serving(office) as port:
        monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{port}")
        monkeypatch.setenv("HEADSHOTS_OPERATOR_EMAIL", "operator@platform.example")
        forget_process_state()
        yield office


def rewrite(org: UUID, execute: Execute) -> None:
    add_events(org, 5)
    execute("UPDATE log_nodes SET hash = sha256(hash) WHERE level = 0 AND position = 2")
    sequencer.watch_all()


def page_of(org: UUID, role: Role) -> str:
    member = add_member(org, role.value, role=role)
    with transaction(org) as session:
        token = sessions.start(session, session.get_one(Member, member.id), SignInMethod.SAML)
    app = create_app()
    client = app.test_client()
    client.set_cookie(app.config["SIGN_IN_COOKIE"], token)
    return client.get("/admin/", follow_redirects=True).text


def test_operator_and_contact_are_mailed_once(post: PostOffice, org: UUID, execute: Execute) -> None:
    with transaction(org) as session:
        session.get_one(Organization, org).contact_email = "privacy@acme.example"
    rewrite(org, execute)
    do_all_work()
    assert {mail.to for mail in post.mails} == {("operator@platform.example",), ("privacy@acme.example",)}
    assert all(ALARM in mail.subject for mail in post.mails)
    assert all("/admin/audit" in mail.text for mail in post.mails)
    sequencer.watch_all()
    do_all_work()
    assert len(post.mails) == 2


def test_without_a_contact_the_owners_are_told(post: PostOffice, org: UUID, execute: Execute) -> None:
    add_member(org, "Olga", role=Role.OWNER)
    add_member(org, "Emil", role=Role.EMPLOYEE)
    otto = add_member(org, "Otto", role=Role.OWNER)
    with transaction(org) as session:
        session.get_one(Member, otto.id).access_until = now() - timedelta(days=1)  # their time is over
        session.get_one(Organization, org).contact_email = ""
    rewrite(org, execute)
    do_all_work()
    assert {mail.to for mail in post.mails} == {("operator@platform.example",), ("olga@acme.example",)}


def test_owners_and_auditors_read_it_above_their_pages_and_nobody_else(org: UUID, execute: Execute) -> None:
    rewrite(org, execute)
    told = {role: "log-differs" in page_of(org, role) for role in Role if role is not Role.EMPLOYEE}
    assert told == {Role.OWNER: True, Role.AUDITOR: True, Role.HR_ADMIN: False, Role.REVIEWER: False}


def test_readiness_and_figures_tell_it(org: UUID, execute: Execute) -> None:
    rewrite(org, execute)
    report = health().report()
    assert {part.name for part in report.parts if part.error} >= {"log"}
    assert report.state is not State.UNREADY
    assert {one.name: one.samples[0].value for one in logs()}["headshots_logs_differing"] == 1
