"""Who a company is in law: said on the page Brand or the command line, kept until it is said otherwise."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from click.testing import CliRunner
from sqlalchemy import select

from core.db import transaction
from core.models import AuditEvent
from core.people import organizations
from deploy.cli import main

ADDRESS = "Hauptstraße 1\n10115 Berlin"


def entity(org: UUID) -> tuple[str, str]:
    with transaction(org) as session:
        found = organizations.current(session)
        return found.legal_name, found.postal_address


def brand(**values: str) -> dict[str, str]:
    return {"name": "Acme", "accent": "#2f4b6e", **values}


def test_the_page_saves_it_and_the_log_says_so_without_the_words(org: UUID, browser: Any) -> None:
    browser.post("/admin/brand", brand(legal_name=" Acme  GmbH ", postal_address=ADDRESS + "\r\n\r\n"))
    assert entity(org) == ("Acme GmbH", ADDRESS)
    page = browser.get("/admin/brand").text
    assert 'value="Acme GmbH"' in page
    assert "10115 Berlin" in page
    with transaction(org) as session:
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == "organization.entity_changed"))
        assert event.facts == {"name": True, "address": True}
        assert b"Berlin" not in event.leaf


def test_what_a_form_does_not_have_is_not_cleared_and_what_it_empties_is(org: UUID, browser: Any) -> None:
    browser.post("/admin/brand", brand(legal_name="Acme GmbH", postal_address=ADDRESS))
    browser.post("/admin/brand", brand())
    assert entity(org) == ("Acme GmbH", ADDRESS)
    browser.post("/admin/brand", brand(legal_name="", postal_address=""))
    assert entity(org) == ("", "")


def test_what_is_too_long_is_refused_and_stands_in_the_form_again(org: UUID, browser: Any) -> None:
    answer = browser.post("/admin/brand", brand(legal_name="A" * 201, postal_address=ADDRESS), json=False)
    assert answer.status_code == 422
    assert "at most 200 characters" in answer.text
    assert "A" * 201 in answer.text
    assert entity(org) == ("", "")


def test_the_command_says_it_too_and_shows_what_is_not_given(org: UUID) -> None:
    shown = CliRunner().invoke(main, ["company", "show", "acme"])
    assert shown.output.count("not given") == 3
    edit = ["company", "edit", "acme", "--legal-name", "Acme GmbH", "--postal-address", ADDRESS, "--json"]
    done = CliRunner().invoke(main, edit)
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    assert (said["legal_name"], said["postal_address"]) == ("Acme GmbH", ADDRESS)
    assert CliRunner().invoke(main, ["company", "edit", "acme", "--legal-name", "Acme AG"]).exit_code == 0
    assert entity(org) == ("Acme AG", ADDRESS)


def test_the_command_says_where_the_company_is_and_whose_law_is_usual(org: UUID) -> None:
    edit = [
        "company",
        "edit",
        "acme",
        "--country",
        "CH",
        "--time-zone",
        "Europe/Zurich",
        "--regime",
        "swiss",
        "--json",
    ]
    said = json.loads(CliRunner().invoke(main, edit).output)
    assert (said["country"], said["time_zone"], said["regime"]) == ("CH", "Europe/Zurich", "swiss")
    wrong = CliRunner().invoke(main, ["company", "edit", "acme", "--country", "Schweiz"])
    assert wrong.exit_code != 0
    assert (
        json.loads(CliRunner().invoke(main, ["company", "show", "acme", "--json"]).output)["country"] == "CH"
    )
