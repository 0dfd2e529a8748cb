"""Who a company is in law: said on the page Privacy or the command line, kept until it is said otherwise."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from click.testing import CliRunner

from compliance.privacy import versions
from core.db import transaction
from core.people import organizations
from deploy.cli import main

ADDRESS = "Hauptstraße 1\n10115 Berlin"


def entity(org: UUID) -> tuple[str, str]:
    with transaction(org) as session:
        found = organizations.current(session)
        return found.legal_name, found.postal_address


def test_a_brand_that_is_saved_leaves_it_as_it_is(org: UUID, browser: Any) -> None:
    CliRunner().invoke(main, ["company", "edit", "acme", "--legal-name", "Acme GmbH"])
    answer = browser.post("/admin/brand", {"name": "Acme", "accent": "#2f4b6e", "legal_name": ""})
    assert answer.status_code == 200
    assert entity(org) == ("Acme GmbH", "")
    assert "/admin/settings/privacy" in browser.get("/admin/brand").text


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
    assert CliRunner().invoke(main, ["company", "edit", "acme", "--contact", "nobody"]).exit_code != 0
    edit = ["company", "edit", "acme", "--contact", "dsb@acme.example", "--json"]
    said = json.loads(CliRunner().invoke(main, edit).output)
    assert (said["contact"], said["legal_name"]) == ("dsb@acme.example", "Acme AG")
    with transaction(org) as session:
        assert [step.version for step in versions.history(session)] == [3, 2, 1], "each is a version"


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
