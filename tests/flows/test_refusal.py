"""Whoever is refused reads which groups came and which would be an admin's, so that somebody can mend it."""

from __future__ import annotations

from dataclasses import replace
from html import unescape

import pytest
from flask import Flask
from saml_site import BASE, IDP, Site, without
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from admin.app import create_app
from core.models import Role
from sso.devidp import app as devidp
from sso.devidp.people import ADMIN_GROUP, AUDITOR_GROUP


@pytest.fixture
def desk(site: Site) -> Site:
    """The same company behind the real admin app."""
    app: Flask = create_app()
    site.wsgi = DispatcherMiddleware(app, {"/devidp": devidp.create_app(IDP, site.keys, site.people)})
    return site


def page_of(browser: Client, address: str = "/admin/people") -> str:
    answer = browser.get(address, base_url=BASE)
    assert answer.status_code == 403
    return " ".join(unescape(answer.text).split())


def test_an_employee_reads_which_groups_came_and_which_would_be_an_admins(desk: Site) -> None:
    desk.people[1] = joe = replace(desk.people[1], groups=("Everyone", "ACME\\HR <b>"))
    browser = desk.browser()
    landed = desk.sign_in(browser, joe)
    assert landed.status_code == 303
    page = page_of(browser, "/admin/")
    assert "came with your sign-in: <code>Everyone</code>, <code>ACME\\HR <b></code>." in page
    assert "<code>ACME\\HR &lt;b&gt;</code>" in browser.get("/admin/people", base_url=BASE).text
    assert f"are admins here: <code>{ADMIN_GROUP}</code>." in page
    assert f"are auditors: <code>{AUDITOR_GROUP}</code>." in page
    german = page_of(browser, "/admin/people?lang=de")
    assert "<code>Everyone</code>" in german
    assert "came with" not in german
    assert "are admins" not in german


def test_a_list_that_did_not_come_is_told_from_an_empty_one(desk: Site) -> None:
    joe = desk.people[1]
    browser = desk.browser()
    desk.hand_in(browser, joe, without(".//saml:Attribute[@Name='groups']"))
    assert "No list of groups came with your sign-in" in page_of(browser)
    browser = desk.browser()
    desk.sign_in(browser, joe)
    assert "you are in no group" in page_of(browser)


def test_an_auditor_whom_a_page_refuses_reads_it_too_and_an_admin_is_not_followed(desk: Site) -> None:
    browser = desk.browser()
    desk.sign_in(browser, desk.people[2])
    assert f"<code>{AUDITOR_GROUP}</code>" in page_of(browser)
    browser = desk.browser()
    desk.sign_in(browser, desk.people[0])
    assert ADMIN_GROUP not in str(browser.get_cookie("admin_form"))


def test_thousands_of_groups_still_fit_a_cookie_and_the_rest_is_counted(desk: Site) -> None:
    groups = tuple(f"Gruppe für Übermut {number}" for number in range(1500))
    desk.people[1] = joe = replace(desk.people[1], groups=groups)
    browser = desk.browser()
    desk.sign_in(browser, joe)
    page = page_of(browser)
    assert "<code>Gruppe für Übermut 0</code>" in page
    assert "and 1480 more" in page
    cookie = browser.get_cookie("admin_form")
    assert cookie is not None
    assert len(cookie.value) < 3000
    desk.people[1] = joe = replace(joe, groups=("ü" * 900, "ü"))
    browser = desk.browser()
    desk.sign_in(browser, joe)
    assert "2 groups" in page_of(browser)


def test_who_may_not_be_linked_reads_which_groups_would_vouch_for_them(desk: Site) -> None:
    desk.hire("joe@acme.example", Role.HR_ADMIN)
    desk.people[1] = joe = replace(desk.people[1], groups=("Everyone",))
    refused = unescape(desk.sign_in(desk.browser(), joe).text)
    assert "account_not_linked" in refused
    assert "<code>Everyone</code>" in refused
    assert f"<code>{ADMIN_GROUP}</code>" in refused


def test_programs_are_told_the_code_alone(desk: Site) -> None:
    browser = desk.browser()
    desk.sign_in(browser, desk.people[1])
    answer = browser.get("/admin/people", base_url=BASE, headers={"Accept": "application/json"})
    assert answer.json["error"]["code"] == "forbidden"
