"""Who may enter which admin page."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from conftest import add_member, add_participation
from flask import Flask
from werkzeug.routing import AnyConverter, Rule

from compliance.log import listing
from core import audit
from core.db import transaction
from core.models import Member, Participation, Role, Shoot, State
from core.people import organizations
from core.permissions import ROLES, Permission
from core.shoots import bulk

# Everything else under /admin asks for a permission.
OPEN = {"sign_in.sign_in", "sign_in.sign_out"}
SOME_ID = "01a20aac-06e6-71c1-bad5-30a9025795b2"


def _some(rule: Rule, name: str) -> object:
    """Return something that an address may have there."""
    converter = rule._converters[name]
    if isinstance(converter, AnyConverter):
        return min(converter.items)
    return 1 if name in ("size", "year") else SOME_ID


def admin_rules(app: Flask) -> list[tuple[str, str, str]]:
    """Return (method, address, endpoint) of every admin route."""
    found = []
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/admin"):
            continue
        values = {name: _some(rule, name) for name in rule.arguments}
        with app.test_request_context():
            address = app.url_map.bind("localhost").build(rule.endpoint, values)
        found += [
            (method, address, rule.endpoint) for method in rule.methods or () if method in ("GET", "POST")
        ]
    return found


def test_every_admin_route_asks_for_a_permission(app: Flask) -> None:
    unguarded = {
        endpoint
        for _, _, endpoint in admin_rules(app)
        if endpoint not in OPEN
        and not isinstance(getattr(app.view_functions[endpoint], "permission", None), Permission)
    }
    assert not unguarded
    assert len(admin_rules(app)) > 25


def test_no_admin_page_shows_itself_without_a_session(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    for method, address, endpoint in admin_rules(app):
        if endpoint == "sign_in.sign_in":
            continue
        answer = client.open(address, method=method, headers={"Accept": "text/html"})
        assert answer.status_code == 401, address
        assert "Sign in with your company account" in answer.text


def test_each_role_enters_exactly_what_its_permissions_say(app: Flask, signed_in: Callable) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    for role in Role:
        client = signed_in(role)._client
        for method, address, endpoint in admin_rules(app):
            if endpoint in OPEN:
                continue
            permission = app.view_functions[endpoint].permission
            answer = client.open(address, method=method, headers={"Accept": "application/json"})
            assert (answer.status_code == 403) == (permission not in ROLES[role]), (role, method, address)
            assert answer.status_code < 500, (role, method, address)


def test_no_route_shows_or_changes_what_is_another_companys(
    app: Flask, org: UUID, signed_in: Callable
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    other = organizations.create("other", "Other")
    part = add_participation(other, add_member(other, "Secretperson"), State.INVITED)
    with transaction(other) as session:
        people = [(part.member_id, part.id)]
        action = bulk.start(session, bulk.Kind.REMIND, {"shoot": None}, people, actor=audit.SYSTEM)
    theirs = {
        "member_id": part.member_id,
        "shoot_id": part.shoot_id,
        "participation_id": part.id,
        "action_id": action.id,
    }
    client = signed_in(Role.OWNER)._client
    asked = 0
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/admin") or not rule.arguments & theirs.keys():
            continue
        values = {name: theirs.get(name, SOME_ID) for name in rule.arguments if name not in ("size", "year")}
        values |= {name: 1 for name in rule.arguments if name in ("size", "year")}
        with app.test_request_context():
            address = app.url_map.bind("localhost").build(rule.endpoint, values)
        for method in rule.methods & {"GET", "POST"}:
            answer = client.open(address, method=method, headers={"Accept": "application/json"})
            # With nobody ticked, nothing is done in any shoot, and it is not asked whose it is.
            said = (200,) if rule.endpoint == "shoots.some" else (404, 410, 422)
            assert answer.status_code in said, (method, address, answer.status_code)
            assert "Secretperson" not in answer.text
            asked += 1
    assert asked > 20
    for address in (
        f"/admin/people?shoot={part.shoot_id}",
        f"/admin/people/act?kind=remind&shoot={part.shoot_id}",
    ):
        assert client.get(address, headers={"Accept": "application/json"}).json.get("matching", 0) == 0
    form = {"kind": "invite", "to": str(part.shoot_id), "seen": "0"}
    assert (
        client.post("/admin/people/act", data=form, headers={"Accept": "application/json"}).status_code == 404
    )
    with transaction(other) as session:
        kept = session.get_one(Participation, part.id)
        assert (kept.state, session.get_one(Member, part.member_id).disabled_at) == (State.INVITED, None)
        assert session.get_one(Shoot, part.shoot_id).closed_at is None


def test_an_auditor_sees_counts_and_no_names(org: UUID, signed_in: Callable) -> None:
    shoot_id = add_participation(org, add_member(org, "Grace")).shoot_id
    assert "Grace" in signed_in(Role.HR_ADMIN).get(f"/admin/shoots/{shoot_id}").text
    auditor = signed_in(Role.AUDITOR)
    page = auditor.get(f"/admin/shoots/{shoot_id}")
    assert page.status_code == 200
    assert "Grace" not in page.text
    assert "Grace" not in auditor.get("/admin/audit").text
    listed = auditor.get(f"/admin/shoots/{shoot_id}", headers={"Accept": "application/json"}).json
    assert listed["people"] == []


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR])
def test_the_navigation_hides_what_a_role_may_not_enter(role: Role, signed_in: Callable) -> None:
    page = signed_in(role).get("/admin/").text
    assert 'href="/admin/brand"' not in page
    assert 'href="/admin/people"' not in page
    assert ('href="/admin/audit"' in page) == (role is Role.AUDITOR)


def test_every_link_an_auditor_is_shown_opens(org: UUID, signed_in: Callable) -> None:
    shoot_id = add_participation(org, add_member(org, "Grace")).shoot_id
    auditor = signed_in(Role.AUDITOR)
    for address in ("/admin/audit", "/admin/", f"/admin/shoots/{shoot_id}"):
        page = auditor.get(address)
        assert page.status_code == 200
        for link in set(re.findall(r'href="(/admin[^"#]*)"', page.text)):
            assert auditor.get(unescape(link)).status_code == 200, (address, link)


def test_the_door_remembers_the_company_and_leads_back(app: Flask, org: UUID) -> None:
    client = app.test_client()
    assert client.get("/admin/sign-in?company=nobody").status_code == 404
    page = client.get("/admin/sign-in?company=ACME")
    assert 'href="/sso/acme/login' in page.text
    again = client.get("/admin/audit")
    assert again.status_code == 401
    assert 'href="/sso/acme/login?next=/admin/audit"' in again.text


def test_the_door_never_leads_to_another_site(app: Flask, org: UUID) -> None:
    page = app.test_client().get("/admin/sign-in?company=acme&next=https://evil.example/admin/")
    links = [unescape(link) for link in re.findall(r'(?:href|action)="([^"]*)"', page.text)]
    # The same page in another language is asked the same, and answers it the same.
    assert [link for link in links if "evil.example" in link and not link.startswith("?")] == []
    assert [link for link in links if urlsplit(link).netloc] == []


def test_signing_out_ends_the_session_on_the_server(app: Flask, browser: object) -> None:
    kept = browser._client.get_cookie(app.config["SIGN_IN_COOKIE"]).value
    assert browser.post("/admin/sign-out", json=False).status_code == 303
    thief = app.test_client()
    thief.set_cookie(app.config["SIGN_IN_COOKIE"], kept)
    assert thief.get("/admin/").status_code == 401


@pytest.mark.parametrize("role", [Role.OWNER, Role.HR_ADMIN])
def test_who_works_with_people_cannot_follow_them_through_the_log(
    role: Role, org: UUID, signed_in: Callable
) -> None:
    grace = add_participation(org, add_member(org, "Grace"))
    with transaction(org) as session:
        member = session.get_one(Member, grace.member_id)
        audit.record(
            session, audit.Tag.PHOTO_UPLOADED, actor=audit.actor_for(member), subject=member, photo="x"
        )
        total = listing.log_state(session).total
    worker, auditor = signed_in(role), signed_in(Role.AUDITOR)
    for address in ("/admin/audit", "/admin/audit?tag=photo.uploaded"):
        seen = worker.get(address).text
        assert member.pseudonym[:10] not in seen
        assert ">Photo sent</td>" not in seen
        assert f"The log holds {total + 2} events in all." in seen
        assert "Events about a person are for auditors only" in seen
        full = auditor.get(address).text
        assert member.pseudonym in full
        assert "for auditors only" not in full
    page = worker.get("/admin/audit").text
    assert ">Company added</td>" in page
    assert "Deletion certificates" in page
    assert 'value="photo.uploaded"' not in page


def test_only_auditors_see_events_of_people() -> None:
    assert {role for role in Role if Permission.VIEW_EVENTS_OF_PEOPLE in ROLES[role]} == {Role.AUDITOR}


def test_an_event_says_whom_it_is_about_or_is_about_nobody(org: UUID, member: Member) -> None:
    with transaction(org) as session:
        with pytest.raises(AssertionError):
            audit.record(session, audit.Tag.PHOTO_UPLOADED, actor=audit.SYSTEM)
        with pytest.raises(AssertionError):
            audit.record(session, audit.Tag.SHOOT_CREATED, actor=audit.SYSTEM, subject=member)


def test_a_form_sent_after_the_session_was_lost_leads_to_the_sign_in(app: Flask, org: UUID) -> None:
    client = app.test_client()
    client.get("/admin/sign-in?company=acme")
    answer = client.post("/admin/people", data={"csrf_token": "of a session that ended"})
    assert answer.status_code == 401
    assert "last step was not sent" in answer.text
    assert "/sso/acme/login" in answer.text
