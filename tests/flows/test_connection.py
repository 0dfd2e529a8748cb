"""A company's connection to its identity provider, changed from the terminal while people sign in through it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lxml import etree
from saml_site import BASE, IDP, Change, Site
from sqlalchemy import select
from werkzeug.test import Client

from core import audit
from core.db import Lookup, transaction
from core.models import AuditEvent, Member, Role
from deploy.cli import main
from sso.credentials import load_or_create
from sso.devidp.people import ADMIN_GROUP, DevPerson
from sso.metadata import NS_METADATA
from sso.saml import NAMESPACES, NS_ASSERTION, fingerprint

OTHER = "https://other.example/metadata"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["company", *arguments])


def changed(*arguments: str) -> dict[str, Any]:
    done = run("edit", "acme", *arguments, "--json")
    assert done.exit_code == 0, done.output
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def refused(*arguments: str, status: int = 1) -> str:
    done = run("edit", "acme", *arguments)
    assert done.exit_code == status, done.output
    assert "Traceback" not in done.output
    return done.output


def is_in(site: Site, person: DevPerson, change: Change = lambda _: None, *, asked: bool = True) -> bool:
    """Whether an answer that the site's key signs opens a session."""
    browser = site.browser()
    form = site.told(browser, person, change, asked=asked)
    browser.post(f"/sso/{person.org}/acs", base_url=BASE, data=form)
    return site.who(browser) is not None


@pytest.fixture
def metadata(browser: Client, tmp_path: Path) -> Path:
    """The development provider's own description."""
    file = tmp_path / "idp.xml"
    file.write_bytes(browser.get(f"{IDP}/metadata").data)
    return file


@pytest.fixture
def other(metadata: Path, tmp_path: Path) -> Path:
    """The description of another provider with another key."""
    root = etree.fromstring(metadata.read_bytes())
    root.set("entityID", OTHER)
    mine = load_or_create(tmp_path, "other", "unused").certificate_pem.split("-----")[2].strip()
    for certificate in root.iter("{http://www.w3.org/2000/09/xmldsig#}X509Certificate"):
        certificate.text = mine
    file = tmp_path / "other.xml"
    file.write_bytes(etree.tostring(root))
    return file


def certificate(site: Site, name: str, folder: Path) -> tuple[Path, str]:
    """A signing certificate of the provider's, as a file, and its fingerprint."""
    made = load_or_create(site.keys, name, "unused")
    file = folder / f"{name}.pem"
    file.write_text(made.certificate_pem)
    return file, fingerprint(made.certificate_pem)


def test_our_addresses_are_printed_before_the_provider_is_connected(site: Site, metadata: Path) -> None:
    made = CliRunner().invoke(main, ["create-company", "globex", "Globex"])
    shown = run("show", "globex")
    for output in (made.stdout, shown.stdout):
        for address in ("metadata", "acs", "sls", "login"):
            assert f"{BASE}/sso/globex/{address}" in output
        assert "headshots company edit globex --idp-metadata" in output
    facts = json.loads(run("show", "globex", "--json").stdout)
    assert (facts["connected"], facts["entity_id"]) == (False, f"{BASE}/sso/globex/metadata")
    assert site.browser().get("/sso/globex/metadata", base_url=BASE).status_code == 200

    command = ["edit", "globex", "--idp-metadata", str(metadata)]
    assert "--admin-group" in run(*command).output, "else nobody could manage the company"
    assert run(*command, "--admin-group", "people-team").exit_code == 0
    gil = DevPerson("globex", "gil@globex.example", "Gil", "Moreau", groups=("people-team",))
    site.people.append(gil)
    browser = site.browser()
    site.sign_in(browser, gil)
    assert site.who(browser)["role"] == Role.HR_ADMIN


def test_the_days_that_selfies_are_kept_are_shown_and_changed(site: Site) -> None:
    assert json.loads(run("show", "acme", "--json").stdout)["kept_days"]["selfies"] == 30
    changed = run("edit", "acme", "--retention-days", "14", "--json")
    assert json.loads(changed.stdout)["kept_days"]["selfies"] == 14
    assert "14 days" in run("show", "acme").stdout
    assert run("edit", "acme", "--retention-days", "400").exit_code == 1
    CliRunner().invoke(main, ["create-company", "globex", "Globex"])
    assert run("edit", "globex", "--retention-days", "3").exit_code == 0, "also before it is connected"


def test_show_prints_what_is_set(site: Site) -> None:
    facts = json.loads(run("show", "acme", "--json").stdout)
    assert (facts["idp_entity_id"], facts["idp_sso_url"]) == (f"{IDP}/metadata", f"{IDP}/sso")
    assert facts["admin_groups"] == [ADMIN_GROUP]
    assert facts["attributes"]["email"] == "email"
    assert facts["idp_initiated"] is False
    assert [sorted(one) for one in facts["certificates"]] == [["expires", "sha256"]]
    shown = run("show", "acme").stdout
    assert facts["certificates"][0]["sha256"] in shown
    assert ADMIN_GROUP in shown


def test_several_keys_count_while_one_is_renewed(site: Site, metadata: Path, tmp_path: Path) -> None:
    hannah = site.people[0]
    first = json.loads(run("show", "acme", "--json").stdout)["certificates"][0]["sha256"]
    site.signing = "second"
    file, second = certificate(site, "second", tmp_path)
    assert not is_in(site, hannah)
    facts = changed("--add-certificate", str(file))
    assert [one["sha256"] for one in facts["certificates"]] == [first, second]
    assert is_in(site, hannah)
    site.signing = "devidp"
    assert is_in(site, hannah), "and the old one still counts"

    third_file, third = certificate(site, "third", tmp_path)
    changed("--add-certificate", str(third_file), "--remove-certificate", first[:8])
    assert not is_in(site, hannah)
    site.signing = "third"
    assert is_in(site, hannah)

    facts = changed(
        "--idp-metadata", str(metadata)
    )  # of the provider in use: its key is trusted beside the others
    assert [one["sha256"] for one in facts["certificates"]] == [second, third, first]
    assert changed("--add-certificate", str(file)) == facts, "twice is once"


def test_what_cannot_be_is_told_in_a_line_and_changes_nothing(site: Site, tmp_path: Path) -> None:
    before = run("show", "acme", "--json").stdout
    only = json.loads(before)["certificates"][0]["sha256"]
    broken = tmp_path / "broken.pem"
    broken.write_bytes(b"\xff\x00 no certificate")
    assert "add the new one first" in refused("--remove-certificate", only)
    assert "headshots company show" in refused("--remove-certificate", only[:7])
    assert "headshots company show" in refused("--remove-certificate", "0" * 64)
    assert "A signing certificate cannot be used" in refused("--add-certificate", str(broken))
    assert "metadata" in refused("--idp-metadata", str(broken))
    assert "attribute" in refused("--attribute", f"email={'x' * 300}")
    assert "email, first_name, last_name, groups" in refused("--attribute", "phone=mobile", status=2)
    assert "needs the provider's" in refused("--new-provider", status=2)
    assert "not both" in refused("--auditor-group", "dpo", "--no-auditor-groups", status=2)
    assert "no company called nobody" in run("show", "nobody").output
    assert "no company called nobody" in run("edit", "nobody").output
    assert run("show", "acme", "--json").stdout == before
    many = [certificate(site, f"key-{number}", tmp_path)[0] for number in range(10)]
    options = [word for file in many for word in ("--add-certificate", str(file))]
    assert "certificate" in refused(*options), "ten at most"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--admin-group", ""),
        ("--admin-group", " / "),
        ("--admin-group", "x" * 257),
        ("--auditor-group", ""),
        ("--attribute", "email= "),
    ],
)
def test_a_group_or_a_claim_without_a_name_is_refused(site: Site, arguments: tuple[str, str]) -> None:
    before = run("show", "acme", "--json").stdout
    assert "Nothing was changed" in refused(*arguments)
    assert run("show", "acme", "--json").stdout == before


@pytest.mark.parametrize("contact", ["javascript:alert(1)", "hr@acme.example\nBcc: x@evil.example", "nobody"])
def test_a_contact_is_an_address(site: Site, contact: str) -> None:
    made = CliRunner().invoke(main, ["create-company", "globex", "Globex", "--contact", contact])
    assert made.exit_code == 1
    assert "complete email address" in made.output


def attributes(**named: str) -> Change:
    """Send these attributes and no others."""

    def change(assertion: etree._Element) -> None:
        statement = assertion.find("saml:AttributeStatement", NAMESPACES)
        assert statement is not None
        for one in list(statement):
            statement.remove(one)
        for name, value in named.items():
            attribute = etree.SubElement(statement, f"{{{NS_ASSERTION}}}Attribute", Name=name)
            etree.SubElement(attribute, f"{{{NS_ASSERTION}}}AttributeValue").text = value

    return change


def test_names_of_attributes_are_set_and_forgotten_again(site: Site) -> None:
    sent = attributes(
        workMail="kim@acme.example", rufname="Kim", team="people-team", mail="boss@acme.example"
    )
    kim = DevPerson("acme", "kim@acme.example", "", "")
    changed(
        "--attribute", "email=workMail", "--attribute", "first_name=rufname", "--attribute", "groups=team",
        "--admin-group", "people-team",
    )  # fmt: skip
    assert is_in(site, kim, sent)
    member = site.member("kim@acme.example")
    assert member is not None
    assert (member.first_name, member.role) == ("Kim", Role.HR_ADMIN)
    facts = changed("--attribute", "email=", "--attribute", "groups=")
    assert facts["attributes"] == {
        "email": "email",
        "first_name": "rufname",
        "last_name": "lastName",
        "groups": "groups",
    }
    assert is_in(site, DevPerson("acme", "x", "", ""), sent)
    assert site.member("boss@acme.example") is not None, "the usual names are known again"


def test_groups_are_replaced_and_auditors_can_be_none(site: Site) -> None:
    facts = changed("--admin-group", "people-team", "--admin-group", "hr")
    assert facts["admin_groups"] == ["hr", "people-team"]
    assert facts["auditor_groups"] != []
    assert changed("--no-auditor-groups")["auditor_groups"] == []
    hannah = site.people[0]
    browser = site.browser()
    site.sign_in(browser, hannah)
    assert site.who(browser)["role"] == Role.EMPLOYEE, "her group is no admin's any more"


def test_sign_ins_start_at_the_provider_only_where_that_is_switched_on(site: Site) -> None:
    hannah = site.people[0]
    assert not is_in(site, hannah, asked=False)
    assert changed("--idp-initiated")["idp_initiated"] is True
    assert is_in(site, hannah, asked=False)
    assert is_in(site, hannah)
    assert changed("--no-idp-initiated")["idp_initiated"] is False
    assert not is_in(site, hannah, asked=False)


def test_another_provider_is_taken_only_when_that_is_meant(site: Site, other: Path) -> None:
    hannah, browser = site.people[0], site.browser()
    site.sign_in(browser, hannah)
    member_id = site.who(browser)["member"]
    assert "--new-provider" in refused("--idp-metadata", str(other))
    assert site.who(browser) is not None

    facts = changed("--idp-metadata", str(other), "--new-provider")
    assert facts["idp_entity_id"] == OTHER
    assert len(facts["certificates"]) == 1, "nothing of the earlier one is trusted"
    assert facts["admin_groups"] == [ADMIN_GROUP], "and what was set here stays"
    assert site.who(browser) is None, "who came through the earlier one is signed out"
    assert not is_in(site, hannah)
    with transaction(site.org_id) as session:
        row = session.scalars(select(Member)).one()
        assert (str(row.id), row.idp_entity_id, row.name_id) == (member_id, None, None)


def test_the_log_says_what_was_changed_and_of_nothing_else(site: Site, tmp_path: Path) -> None:
    file, _ = certificate(site, "second", tmp_path)
    before = len(site.events(audit.Tag.CONNECTION_CHANGED))
    changed("--add-certificate", str(file), "--idp-initiated")
    changed("--idp-initiated")
    changed()
    told: list[AuditEvent] = site.events(audit.Tag.CONNECTION_CHANGED)[before:]
    assert [one.facts for one in told] == [
        {"changed": "idp_certificates,allow_unsolicited", "certificates": 2}
    ]


def test_a_company_that_cannot_be_connected_is_not_made(site: Site, metadata: Path) -> None:
    root = etree.fromstring(metadata.read_bytes())
    for role in root.findall(f"{{{NS_METADATA}}}IDPSSODescriptor"):
        root.remove(role)
    metadata.write_bytes(etree.tostring(root))
    command = ["create-company", "globex", "Globex", "--admin-group", "hr"]
    for arguments in (["--idp-metadata", str(metadata)], []):
        made = CliRunner().invoke(main, command + arguments)
        assert made.exit_code == 1, made.output
        assert Lookup.organization("globex") is None
