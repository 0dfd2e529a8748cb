"""Admins who chose German meet no English."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation, add_shoot
from flask import Flask
from reading import english_in, read

from core.db import transaction
from core.models import EngineName, Participation, Role, State
from core.people import organizations
from core.portraits import adapters
from deploy.formal import says_du

# Of places, for which German has no other.
PLACES = ("Isle of Man", "District of Columbia")
NAMES = ("Headshots", "the test machine", *PLACES)


def german(browser: Any, address: str, status: int = 200) -> str:
    """Open a page in German and return it, sure that it says nothing in English."""
    answer = browser.get(address, query_string={"lang": "de"})
    assert answer.status_code == status, address
    assert '<html lang="de">' in answer.text
    assert english_in(answer.text, *NAMES) == []
    return str(answer.text)


@pytest.mark.parametrize(
    "address", ["/admin/sign-in", "/admin/sign-in?company=acme", "/admin/sign-in?company=nobody"]
)
def test_sign_in_page_speaks_german(app: Flask, org: UUID, address: str) -> None:
    page = app.test_client().get(f"{address}{'&' if '?' in address else '?'}lang=de").text
    assert '<html lang="de">' in page
    assert english_in(page, *NAMES) == []


def test_sign_in_through_the_company_speaks_german(app: Flask, org: UUID) -> None:
    german(app.test_client(), "/sso/")
    german(app.test_client(), "/sso/nobody/login", 404)


PAGES = (
    "/admin/",
    "/admin/brand",
    "/admin/styles",
    "/admin/styles/new",
    "/admin/people",
    "/admin/audit",
    "/admin/settings/privacy",
    "/admin/breaches",
    "/admin/breaches/new",
)


def test_pages_of_an_empty_company_speak_german(browser: Any) -> None:
    for address in (*PAGES, "/admin/shoots/new"):
        german(browser, address)
    german(browser, "/admin/nowhere", 404)


def test_pages_with_people_speak_german(org: UUID, signed_in: Callable[[Role], Any]) -> None:
    person = add_member(org, "Grace")
    participation = add_participation(org, person, State.READY)
    browser = signed_in(Role.HR_ADMIN)
    shoot = f"/admin/shoots/{participation.shoot_id}"
    for address in (*PAGES, "/admin/shoots/new", shoot, f"{shoot}/import", f"/admin/people/{person.id}"):
        german(browser, address)
    german(signed_in(Role.AUDITOR), "/admin/audit")


def test_pages_of_a_shoot_with_an_image_model_speak_german(org: UUID, browser: Any) -> None:
    person = add_member(org, "Grace")
    row = add_participation(org, person, State.READY, engine=EngineName.DIFFUSION)
    with transaction(org) as session:
        waiting = session.get_one(Participation, row.id)
        waiting.fallback_code = "too_few_passed"
        adapters.spend(session, waiting, 9_000.0, 1_250.0)
    shoot = f"/admin/shoots/{row.shoot_id}"
    page = german(browser, shoot)
    assert "1 Person, 2,5 GPU-Stunden, 1,2 kWh" in page
    assert "waren der Person nicht ähnlich genug" in page
    german(browser, f"/admin/people/{person.id}")


def test_pages_of_a_company_that_says_sie_say_it(org: UUID, signed_in: Callable[[Role], Any]) -> None:
    with transaction(org) as session:
        organizations.current(session).formal_german = True
    person = add_member(org, "Grace")
    participation = add_participation(org, person, State.READY)
    browser = signed_in(Role.HR_ADMIN)
    shoot = f"/admin/shoots/{participation.shoot_id}"
    pages = (
        *PAGES,
        "/admin/shoots/new",
        shoot,
        f"{shoot}/import",
        f"/admin/people/{person.id}",
        "/admin/mails",
    )
    for address in pages:
        said = [text for text in read(german(browser, address)) if text != "du"]  # the other choice
        assert not [text for text in said if says_du(text)], address
    auditor = signed_in(Role.AUDITOR)
    refused = german(auditor, "/admin/brand", 403)
    assert "Ihre Rolle erlaubt das nicht." in refused
    with transaction(org) as session:
        organizations.current(session).formal_german = False
    assert "Deine Rolle erlaubt das nicht." in german(auditor, "/admin/brand", 403)


def test_sign_in_page_says_sie_where_the_company_does(app: Flask, org: UUID) -> None:
    with transaction(org) as session:
        organizations.current(session).formal_german = True
    pages = [
        app.test_client().get(f"/{at}lang=de").text
        for at in ("admin/sign-in?company=acme&", "sso/acme/login?")
    ]
    for page in pages:
        assert "Ihr" in page
        assert not [text for text in read(page) if says_du(text)]


def test_roles_are_refused_in_german(signed_in: Callable[[Role], Any]) -> None:
    german(signed_in(Role.AUDITOR), "/admin/brand", 403)


def test_reasons_of_an_import_are_german(org: UUID, browser: Any) -> None:
    import_page = f"/admin/shoots/{add_shoot(org).id}/import"
    browser.get("/admin/?lang=de")
    roster = b"email,first name,last name\nnobody,Ada,Lovelace\n"
    judged = browser.post(import_page, {"roster": (io.BytesIO(roster), "people.csv")}, json=False)
    assert "keine vollständige Mailadresse" in german(browser, judged.location)
    refused = browser.post(import_page, {"pasted": "first name\nAda"}, json=False)
    assert "In dieser Datei steht keine Mailadresse." in refused.text


@pytest.mark.parametrize(
    "content",
    [
        "email,first name,last name\na@acme.example,Anna,Ağaoğlu\n".encode("cp1254"),
        b"Kontakt,Wer\na@acme.example,Anna Maier\n",
        "email,first name,last name,Fax\na@acme.example,Anna,Müller,1\n".encode("cp1252"),
    ],
)
def test_questions_about_a_list_are_german(org: UUID, browser: Any, content: bytes) -> None:
    import_page = f"/admin/shoots/{add_shoot(org).id}/import"
    judged = browser.post(import_page, {"roster": (io.BytesIO(content), "people.csv")}, json=False)
    german(browser, judged.location)
