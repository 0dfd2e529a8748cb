"""A session opens one app, and only where the way of signing in leads there."""

from __future__ import annotations

import itertools
from uuid import UUID

import pytest
from conftest import add_participation
from flask import Flask

from admin.app import create_app as create_admin
from core import audit
from core.db import transaction
from core.models import App, Member, Role, SignInMethod, State, WebSession
from core.people import members, sessions
from portal.app import create_app as create_portal

COOKIES = ("portal_session", "admin_session")
PAGES = {App.PORTAL: "/me/privacy", App.ADMIN: "/admin/people"}
# The only ways in.
OPEN = {
    (App.PORTAL, "portal_session", SignInMethod.INVITE),
    (App.PORTAL, "portal_session", SignInMethod.DATA),
    (App.ADMIN, "admin_session", SignInMethod.SAML),
}


@pytest.fixture
def apps(environment: dict[str, str]) -> dict[App, Flask]:
    return {App.PORTAL: create_portal(), App.ADMIN: create_admin()}


@pytest.fixture
def boss(org: UUID) -> Member:
    """An HR admin who is invited to a shoot like everybody else."""
    person = members.NewMember("boss@acme.example", "Robin", "Boss", role=Role.HR_ADMIN)
    with transaction(org) as session:
        (member,) = members.add(session, [person], actor=audit.SYSTEM, tag=audit.Tag.MEMBER_IMPORTED)
    add_participation(org, member, State.UPLOADING)
    return member


def token(org: UUID, member: Member, method: SignInMethod, **values: str) -> str:
    with transaction(org) as session:
        made = sessions.start(session, session.get_one(Member, member.id), method)
        for name, value in values.items():
            setattr(session.query(WebSession).order_by(WebSession.id.desc()).first(), name, value)
        return made


@pytest.mark.parametrize("app", list(App))
@pytest.mark.parametrize("cookie", COOKIES)
@pytest.mark.parametrize("method", list(SignInMethod))
def test_every_pair_of_app_cookie_and_method(
    apps: dict[App, Flask], org: UUID, boss: Member, app: App, cookie: str, method: SignInMethod
) -> None:
    browser = apps[app].test_client()
    browser.set_cookie(cookie, token(org, boss, method))
    answer = browser.get(PAGES[app])
    assert (answer.status_code == 200) == ((app, cookie, method) in OPEN)
    assert answer.status_code in (200, 401)
    if answer.status_code == 401:
        assert "Boss" not in answer.text


def test_an_invitation_of_an_hr_admin_erases_nobody(
    apps: dict[App, Flask], org: UUID, boss: Member, member: Member
) -> None:
    apps[App.ADMIN].config["WTF_CSRF_ENABLED"] = False
    browser = apps[App.ADMIN].test_client()
    browser.set_cookie("admin_session", token(org, boss, SignInMethod.INVITE))
    answer = browser.post(f"/admin/people/{member.id}/erase", data={"confirmation": member.email})
    assert answer.status_code == 401
    with transaction(org) as session:
        assert session.get_one(Member, member.id).erased_at is None


def test_a_row_that_says_two_things_opens_nothing(apps: dict[App, Flask], org: UUID, boss: Member) -> None:
    """The app is checked in the database, the way of signing in once more where the session is found."""
    for app, method in itertools.product(App, SignInMethod):
        if method.opens is not app:
            assert sessions.find(token(org, boss, method, app=app), app) is None


def test_a_session_of_no_app_opens_nothing(org: UUID, boss: Member) -> None:
    made = token(org, boss, SignInMethod.SAML)
    with transaction(org) as session:
        session.query(WebSession).update({"app": None})
    assert all(sessions.find(made, app) is None for app in App)
