"""The page Controls: each line is looked up, and says so where something is not as it should be."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

from conftest import add_member, add_participation
from erasing import erase
from sqlalchemy import select, text

from compliance import controls
from compliance.breaches import register
from compliance.breaches.facts import BreachFacts
from compliance.controls import Evidence, Standing
from compliance.log import sequencer, watch
from compliance.reports.company import issuing
from compliance.reports.company.kinds import Report
from compliance.requests import desk
from compliance.requests.words import Words
from core import attestations, audit
from core.clock import now
from core.db import transaction
from core.models import Channel, EngineName, Member, Organization, Right, Role, State, WebSession


def standings(org: UUID) -> dict[Evidence, Standing]:
    with transaction(org) as session:
        return {one.evidence: one.standing for one in controls.read(session)}


def test_a_line_is_shown_by_evidence_and_not_before(org: UUID) -> None:
    before = standings(org)
    assert set(before) == set(Evidence)
    for evidence in (Evidence.ERASURE, Evidence.LOG, Evidence.CONSENT, Evidence.SIGN_IN, Evidence.RECORDS):
        assert before[evidence] is Standing.NOTHING, evidence
    assert before[Evidence.KEYS] is Standing.LOOK, "nobody has attested that no backup holds the keys"
    erase(org, add_member(org).id)
    attestations.attest("Olga Operator", "Operations")
    with transaction(org) as session:
        issuing.issue(session, Report.RECORDS, "en", actor=audit.SYSTEM)
    after = standings(org)
    for evidence in (Evidence.ERASURE, Evidence.LOG, Evidence.KEYS):
        assert after[evidence] is Standing.SHOWN, evidence
    assert after[Evidence.RECORDS] is Standing.LOOK, (
        "signed, and what the company has to state is missing in it"
    )


def test_what_is_not_as_it_should_be_is_to_be_looked_at(
    org: UUID, execute: Callable[[str], None], signed_in: Callable[[Role], Any]
) -> None:
    ada = add_member(org)
    erase(org, add_member(org, "Grace").id)
    with transaction(org) as session:
        issuing.issue(session, Report.RECORDS, "en", actor=audit.SYSTEM)
        asked = desk.open_for(
            session, Right.ACCESS, Channel.HR, member=ada, asked=Words(), language="en", actor=audit.SYSTEM
        )
        asked.due_at = now() - timedelta(days=1)
        known = now() - timedelta(days=4)
        register.record(session, BreachFacts(nature="A laptop was lost."), aware_at=known, actor=audit.SYSTEM)
        session.get_one(Organization, org).contact_email = "another@acme.example"
        session.execute(
            text("UPDATE erasures SET epoch_destroyed_at = NULL, created_at = created_at - interval '9 days'")
        )
    add_participation(org, ada, State.READY, engine=EngineName.DIFFUSION)
    signed_in(Role.REVIEWER)
    with transaction(org) as session:
        reviewer = session.scalars(select(Member).where(Member.role == Role.REVIEWER)).one()
        reviewer.disabled_at = now()
        assert session.query(WebSession).filter_by(member_id=reviewer.id, ended_at=None).count() == 1
        sequencer.sequence(session)
    execute("UPDATE log_nodes SET hash = sha256('other') WHERE level = 0 AND position = 0")
    watch.look(org)
    found = standings(org)
    for evidence in (
        Evidence.ERASURE,
        Evidence.REQUESTS,
        Evidence.BREACHES,
        Evidence.ROLES,
        Evidence.RECORDS,
        Evidence.LOG,
    ):
        assert found[evidence] is Standing.LOOK, evidence


def test_every_line_leads_to_what_its_reader_may_see(org: UUID, signed_in: Callable[[Role], Any]) -> None:
    for role in (Role.AUDITOR, Role.HR_ADMIN):
        browser = signed_in(role)
        page = browser.get("/admin/controls?lang=de" if role is Role.HR_ADMIN else "/admin/controls")
        assert page.status_code == 200
        links = [
            unescape(link)
            for link in re.findall(r'<a href="([^"]+)">[^<]*<span class="visually-hidden">', page.text)
        ]
        assert len(links) == len(Evidence)
        for link in links:
            if not link.startswith("/trust"):
                assert browser.get(link.split("#")[0]).status_code == 200, (role, link)
