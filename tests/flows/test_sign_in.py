"""Signing in as a browser does it: our app, the development identity provider, Postgres and Redis, all real."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import replace
from datetime import timedelta
from html import unescape

import pytest
import wrapping
from click.testing import CliRunner
from conftest import add_participation
from lxml import etree
from saml_site import BASE, IDP, Change, attribute, connect, instead, text, without
from sqlalchemy import select

from core import audit, clock, queue
from core.db import transaction
from core.models import Member, Role, State, WebSession
from core.people import members, organizations, sessions
from core.settings import settings
from deploy.cli import main
from portal.app import create_app as create_portal
from sso import errors
from sso.credentials import load_or_create
from sso.devidp.people import ADMIN_GROUP, AUDITOR_GROUP, DevPerson
from sso.saml import (
    FORMAT_EMAIL,
    FORMAT_PERSISTENT,
    FORMAT_UNSPECIFIED,
    NAMESPACES,
    NS_ASSERTION,
)


def test_first_sign_in_of_a_mapped_admin_makes_the_account(site, browser):
    hannah = site.people[0]
    landed = site.sign_in(browser, hannah, "?next=/admin/shoots%3Fpage=2")
    assert (landed.status_code, landed.location) == (303, "/admin/shoots?page=2")
    member = site.member(hannah.email)
    assert (member.role, member.full_name) == (Role.HR_ADMIN, "Hannah Rivera")
    assert (member.idp_entity_id, member.name_id) == (f"{IDP}/metadata", hannah.name_id)
    assert site.who(browser)["member"] == str(member.id)
    (provisioned,) = site.events(audit.Tag.MEMBER_PROVISIONED)
    (signed_in,) = site.events(audit.Tag.SIGNED_IN)
    assert provisioned.subject_id == signed_in.subject_id == signed_in.actor_id == member.id
    assert b"hannah" not in provisioned.leaf.lower() + signed_in.leaf.lower()


def test_person_without_the_group_is_an_employee(site, browser):
    site.sign_in(browser, site.people[1])
    assert site.who(browser)["role"] == Role.EMPLOYEE


def test_second_sign_in_is_the_same_member_even_under_a_new_address(site, browser):
    site.sign_in(browser, site.people[0])
    first = site.who(browser)["member"]
    renamed = replace(site.people[0], last_name="Married")
    site.people[0] = renamed
    again = site.browser()
    site.sign_in(again, renamed)
    assert site.who(again)["member"] == first
    assert len(site.events(audit.Tag.MEMBER_PROVISIONED)) == 1


def test_role_follows_the_groups_and_says_so(site, browser):
    site.hire("other@acme.example", Role.HR_ADMIN)
    site.sign_in(browser, site.people[0])
    site.people[0] = replace(site.people[0], groups=())
    site.sign_in(browser, site.people[0])
    assert site.who(browser)["role"] == Role.EMPLOYEE
    (change,) = site.events(audit.Tag.MEMBER_ROLE_CHANGED)
    assert change.facts == {"before": "hr_admin", "after": "employee"}


def test_groups_never_take_the_last_admin_away(site, browser):
    site.sign_in(browser, site.people[0])
    site.people[0] = replace(site.people[0], groups=())
    site.sign_in(browser, site.people[0])
    assert site.who(browser)["role"] == Role.HR_ADMIN
    (kept,) = site.events(audit.Tag.MEMBER_ROLE_KEPT)
    assert kept.facts == {"role": "hr_admin"}
    assert not site.events(audit.Tag.MEMBER_ROLE_CHANGED)


def renamed(name: str, *values: str) -> Change:
    """Put another attribute in the place of the groups."""

    def change(assertion: etree._Element) -> None:
        attribute = assertion.find("saml:AttributeStatement/saml:Attribute[@Name='groups']", NAMESPACES)
        for value in list(attribute):
            attribute.remove(value)
        attribute.set("Name", name)
        for value in values:
            etree.SubElement(attribute, f"{{{NS_ASSERTION}}}AttributeValue").text = value

    return change


GROUPS_LINK = "http://schemas.microsoft.com/claims/groups.link"


@pytest.mark.parametrize(
    "change",
    [
        renamed(GROUPS_LINK, "https://graph.windows.net/5c9e5b0a/users/b6a7e0f4/getMemberObjects"),
        renamed("_claim_names", '{"groups":"src1"}'),
        renamed("Role", "offline_access"),
        without("saml:AttributeStatement/saml:Attribute[@Name='groups']"),
    ],
)
@pytest.mark.parametrize("index", [0, 2])
def test_groups_that_did_not_come_take_nobodys_role(site, browser, change, index):
    person = site.people[index]
    site.hire("owner@acme.example", Role.OWNER)  # so that it is not the last admin who stays one
    site.sign_in(browser, person)
    role = site.who(browser)["role"]
    site.hand_in(browser, person, change)
    assert site.who(browser)["role"] == role
    assert site.events(audit.Tag.MEMBER_ROLE_CHANGED) == []
    said = {event.facts["all_groups"] for event in site.events(audit.Tag.SIGNED_IN)}
    assert said == {True, False}, "that the groups did not come is in the log"


def test_an_auditor_signs_in_by_group_and_lands_on_the_evidence(site, browser):
    ines = site.people[2]
    landed = site.sign_in(browser, ines, "?next=/admin/")
    assert (landed.status_code, landed.location) == (303, "/admin/audit")
    assert site.who(browser)["role"] == Role.AUDITOR
    asked = site.sign_in(browser, ines, "?next=/admin/audit%3Ftag=consent.given")
    assert asked.location == "/admin/audit?tag=consent.given", "the page that was asked for"
    assert site.sign_in(browser, site.people[0], "?next=/admin/").location == "/admin/"


def test_company_from_the_command_line_has_admins_and_auditors(site, browser, tmp_path):
    metadata = tmp_path / "idp.xml"
    metadata.write_bytes(browser.get(f"{IDP}/metadata").data)
    command = ["create-company", "globex", "Globex", "--idp-metadata", str(metadata)]
    groups = ["--admin-group", "people-team", "--auditor-group", "works-council", "--auditor-group", "dpo"]
    made = CliRunner().invoke(main, command + groups, catch_exceptions=False)
    assert made.exit_code == 0, made.output
    wanted = {"people-team": Role.HR_ADMIN, "dpo": Role.AUDITOR, AUDITOR_GROUP: Role.EMPLOYEE}
    for group, role in wanted.items():
        person = DevPerson("globex", f"{group}@globex.example", "Gil", group, groups=(group,))
        site.people.append(person)
        somebody = site.browser()
        site.sign_in(somebody, person)
        assert site.who(somebody)["role"] == role


def test_who_organises_shoots_is_no_auditor_whatever_the_groups_say(site, browser):
    site.people[2] = both = replace(site.people[2], groups=(AUDITOR_GROUP, ADMIN_GROUP))
    site.sign_in(browser, both)
    assert site.who(browser)["role"] == Role.HR_ADMIN


def test_an_auditor_whose_group_ends_is_an_employee_and_one_promoted_to_admin_no_auditor(site, browser):
    site.hire("other@acme.example", Role.HR_ADMIN)
    for groups in ((AUDITOR_GROUP,), (), (AUDITOR_GROUP,), (AUDITOR_GROUP, ADMIN_GROUP), (AUDITOR_GROUP,)):
        site.people[2] = replace(site.people[2], groups=groups)
        site.sign_in(browser, site.people[2])
    changes = [event.facts["after"] for event in site.events(audit.Tag.MEMBER_ROLE_CHANGED)]
    assert changes == ["employee", "auditor", "hr_admin", "auditor"]


def test_auditor_group_links_an_auditors_account_and_no_greater_one(site, browser):
    ines = site.people[2]
    owner = site.hire(ines.email, Role.OWNER)
    refused = site.sign_in(browser, ines)
    assert "account_not_linked" in refused.text
    with transaction(site.org_id) as session:
        members.get(session, owner.id).role = Role.AUDITOR
    site.sign_in(browser, ines)
    assert site.who(browser) | {"csrf": ""} == {"member": str(owner.id), "role": "auditor", "csrf": ""}


def test_role_given_by_hand_is_not_taken_by_groups(site, browser):
    site.sign_in(browser, site.people[0])
    with transaction(site.org_id) as session:
        members.by_email(session, site.people[0].email).role = Role.OWNER
    site.people[0] = replace(site.people[0], groups=())
    site.sign_in(browser, site.people[0])
    assert site.who(browser)["role"] == Role.OWNER


class NamedByAddress(DevPerson):
    """Whom the identity provider knows by their address, as most do unless told otherwise."""

    @property
    def name_id(self) -> str:
        return self.email


def test_imported_employee_is_linked_by_the_address_that_the_identity_provider_knows_them_by(site, browser):
    imported = site.hire("Joe@Acme.example")
    site.people[1] = NamedByAddress("acme", "joe@acme.example", "Joe", "Doe")
    site.sign_in(browser, site.people[1])
    member = site.member("joe@acme.example")
    assert (member.id, member.name_id) == (imported.id, site.people[1].name_id)
    assert member.full_name == "Imported Person", "HR's spelling stays"
    (linked,) = site.events(audit.Tag.MEMBER_PROVISIONED)
    assert linked.facts["linked"] is True


def named(value: str, kind: str, mail: str | None = None) -> Change:
    """Let the provider know the person as `value`, and send `mail` in an attribute."""

    def change(assertion: etree._Element) -> None:
        name = assertion.find("saml:Subject/saml:NameID", NAMESPACES)
        name.text = value
        name.set("Format", kind)
        for one in assertion.findall("saml:AttributeStatement/saml:Attribute", NAMESPACES):
            if one.get("Name") == "email":
                one[0].text = mail or value

    return change


@pytest.mark.parametrize("kind", [FORMAT_EMAIL, FORMAT_UNSPECIFIED])
@pytest.mark.parametrize(
    "spellings",
    [
        ("Joe@Acme.example", "joe@acme.example", "JOE@ACME.EXAMPLE"),
        ("joe@bücher.example", "Joe@xn--bcher-kva.example", "joe@BÜCHER.example"),
    ],
)
def test_one_address_in_any_spelling_is_one_person(site, browser, spellings, kind):
    for spelling in (*spellings, *reversed(spellings)):
        assert site.hand_in(browser, site.people[1], named(spelling, kind)).status_code == 303
    assert len(site.events(audit.Tag.MEMBER_PROVISIONED)) == 1
    assert len({event.subject_id for event in site.events(audit.Tag.SIGNED_IN)}) == 1


def test_an_address_kept_in_another_spelling_of_before_still_opens_the_account(site, browser):
    joe = site.hire("Joe@bücher.example")
    with transaction(site.org_id) as session:
        row = session.get_one(Member, joe.id)
        row.idp_entity_id, row.name_id = f"{IDP}/metadata", "Joe@Bücher.example"
    change = named("joe@xn--bcher-kva.example", FORMAT_EMAIL)
    assert site.hand_in(browser, site.people[1], change).status_code == 303
    assert site.who(browser)["member"] == str(joe.id)
    asked = site.logout_request(NamedByAddress("acme", "JOE@bücher.example", "Joe", "Doe"))
    assert browser.get(f"/sso/{site.slug}/sls?{asked}", base_url=BASE).status_code == 200
    assert site.who(browser) is None


def test_names_that_are_no_addresses_are_told_apart_by_their_capitals(site, browser):
    for name, mail in (("kd8skRr0", "joe@acme.example"), ("KD8skRr0", "kim@acme.example")):
        change = named(name, FORMAT_PERSISTENT, mail)
        assert site.hand_in(browser, site.people[1], change).status_code == 303
    assert len({event.subject_id for event in site.events(audit.Tag.SIGNED_IN)}) == 2


@pytest.mark.parametrize("role", list(Role))
def test_address_alone_takes_over_no_account(site, browser, role):
    site.hire("joe@acme.example", role)
    refused = site.sign_in(browser, site.people[1])
    assert refused.status_code == 403
    assert "account_not_linked" in refused.text
    assert site.member("joe@acme.example").name_id is None
    assert site.who(browser) is None


def test_admin_group_and_address_together_link_an_account_with_power(site, browser):
    owner = site.hire("hannah@acme.example", Role.OWNER)
    site.sign_in(browser, site.people[0])
    assert site.who(browser) | {"csrf": ""} == {"member": str(owner.id), "role": "owner", "csrf": ""}


def test_address_of_a_linked_member_belongs_to_one_identity_only(site, browser):
    site.sign_in(browser, site.people[1])
    with transaction(site.org_id) as session:
        members.by_email(session, "joe@acme.example").name_id = "an-older-identity"
    refused = site.sign_in(site.browser(), site.people[1])
    assert "account_not_linked" in refused.text


@pytest.mark.parametrize("groups", [(), (ADMIN_GROUP,), (AUDITOR_GROUP,)])
@pytest.mark.parametrize("known", [True, False], ids=["has an account", "has none"])
@pytest.mark.parametrize("linked", [True, False], ids=["colleague signed in", "colleague never did"])
def test_a_colleagues_address_in_an_answer_shows_nothing_of_theirs(site, browser, groups, known, linked):
    """Whoever can edit the directory's attributes, the whole identity provider even, sees no employee's page."""
    ada = site.hire("ada@acme.example")
    participation = add_participation(site.org_id, ada, State.UPLOADING)
    if linked:
        with transaction(site.org_id) as session:
            session.get_one(Member, ada.id).idp_entity_id = f"{IDP}/metadata"
            session.get_one(Member, ada.id).name_id = "what-the-provider-calls-ada"
    site.people[1] = joe = DevPerson("acme", "joe@acme.example", "Joe", "Doe", groups=groups)
    if known:
        site.sign_in(site.browser(), joe)
    address = ".//saml:Attribute[@Name='email']/saml:AttributeValue"
    answer = site.hand_in(browser, joe, text(address, "ada@acme.example"))
    if known:
        assert site.who(browser)["member"] == str(site.member("joe@acme.example").id)
    elif groups and not linked:  # a group of ours vouches for an account, never for its photos
        assert site.who(browser)["member"] == str(ada.id)
    else:
        assert "account_not_linked" in answer.text
        assert site.who(browser) is None
    cookie = browser.get_cookie("admin_session")
    portal = create_portal().test_client()
    for name in ("portal_session", "admin_session", "portal_form", "device"):
        portal.set_cookie(name, cookie.value if cookie else "none")
    for page in ("/me/", "/me/photos", "/me/photos.json", "/me/privacy", "/me/export.zip", "/me/result"):
        for asked in (page, f"{page}?shoot={participation.id}"):
            assert portal.get(asked).status_code == 401, asked


def test_disabled_member_stays_out(site, browser):
    site.sign_in(browser, site.people[1])
    with transaction(site.org_id) as session:
        members.by_email(session, "joe@acme.example").disabled_at = clock.now()
    refused = site.sign_in(browser, site.people[1])
    assert (refused.status_code, site.who(browser)) == (403, None)
    assert "account_disabled" in refused.text


def test_answer_through_another_browser_signs_nobody_in(site, browser):
    form = site.answer_for(browser, site.people[0])
    victim = site.browser()
    refused = victim.post(f"/sso/{site.slug}/acs", base_url=BASE, data=form)
    assert refused.status_code == 403
    assert "saml_other_browser" in refused.text
    assert site.who(victim) is None
    assert site.member(site.people[0].email) is None


def test_answer_works_once(site, browser):
    form = site.answer_for(browser, site.people[0])
    assert browser.post(f"/sso/{site.slug}/acs", base_url=BASE, data=form).status_code == 303
    again = browser.post(f"/sso/{site.slug}/acs", base_url=BASE, data=form)
    assert "saml_request_expired" in again.text


@pytest.mark.parametrize("wrap", wrapping.EVERY, ids=lambda wrap: wrap.__name__)
@pytest.mark.parametrize("known", [False, True], ids=["nobody yet", "signed in before"])
def test_wrapped_signature_signs_nobody_in(site, browser, wrap, known):
    attacker, victim = site.people[1], site.people[0]
    if known:
        site.sign_in(site.browser(), victim)
    form = site.answer_for(browser, attacker)
    honest = etree.fromstring(base64.b64decode(form["SAMLResponse"]))
    forged = wrap(honest, load_or_create(site.keys, "devidp", "unused"))
    for name in forged.iter(f"{{{NS_ASSERTION}}}NameID"):
        if name.text == wrapping.FORGED:
            name.text = victim.name_id
    for value in forged.iter(f"{{{NS_ASSERTION}}}AttributeValue"):
        if value.xpath("ancestor::*[@ID='_forged']") and "@" in (value.text or ""):
            value.text = victim.email
    sent = {"SAMLResponse": base64.b64encode(etree.tostring(forged)).decode()}
    refused = browser.post(f"/sso/{site.slug}/acs", base_url=BASE, data=sent)
    assert refused.status_code in (400, 403)
    assert site.who(browser) is None
    assert site.member(attacker.email) is None
    assert (site.member(victim.email) is not None) is known
    assert len(site.events(audit.Tag.SIGNED_IN)) == known


def test_two_tabs_can_sign_in_at_the_same_time(site, browser):
    one = site.answer_for(browser, site.people[0])
    other = site.answer_for(browser, site.people[0])
    assert browser.post(f"/sso/{site.slug}/acs", base_url=BASE, data=one).status_code == 303
    assert browser.post(f"/sso/{site.slug}/acs", base_url=BASE, data=other).status_code == 303


def test_answer_for_one_company_opens_no_other(site, browser, keys):
    connect(organizations.create("globex", "Globex"), "globex", keys)
    form = site.answer_for(browser, site.people[0])
    assert "saml_request_expired" in browser.post("/sso/globex/acs", base_url=BASE, data=form).text
    assert site.who(browser) is None


@pytest.mark.parametrize(
    "form", [{}, {"SAMLResponse": ""}, {"SAMLResponse": "PGEvPg=="}, {"SAMLResponse": "%"}]
)
def test_empty_or_broken_answer_is_told_kindly(site, browser, form):
    refused = browser.post(f"/sso/{site.slug}/acs", base_url=BASE, data=form)
    assert refused.status_code in (400, 403)
    assert "you were not signed in" in refused.text.lower() or "start again" in refused.text


DATA = "saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData"
ONE_THING = {
    "saml_version": attribute("", "Version", "1.1"),
    "saml_issuer": text("saml:Issuer", "https://other.example"),
    "saml_no_audience": without("saml:Conditions"),
    "saml_audience": text("saml:Conditions/saml:AudienceRestriction/saml:Audience", "https://other.example"),
    "saml_time": attribute("saml:Conditions", "NotOnOrAfter", "2020-01-01T00:00:00Z"),
    "saml_too_early": attribute("saml:Conditions", "NotBefore", "2999-01-01T00:00:00Z"),
    "saml_time_unreadable": attribute("saml:Conditions", "NotBefore", "yesterday"),
    "saml_confirmation": without("saml:Subject/saml:SubjectConfirmation"),
    "saml_recipient": attribute(DATA, "Recipient", None),
    "saml_request": attribute(DATA, "InResponseTo", None),
    "saml_no_end": attribute(DATA, "NotOnOrAfter", None),
    "saml_confirmation_start": attribute(DATA, "NotBefore", "2020-01-01T00:00:00Z"),
    "saml_authn_statement": without("saml:AuthnStatement"),
    "saml_session_over": attribute("saml:AuthnStatement", "SessionNotOnOrAfter", "2020-01-01T00:00:00Z"),
    "saml_name_id": without("saml:Subject/saml:NameID"),
    "saml_encrypted": instead("saml:Subject/saml:NameID", "EncryptedID"),
    "saml_email": without("saml:AttributeStatement"),
    "saml_schema": without("saml:AuthnStatement/saml:AuthnContext"),
}


@pytest.mark.parametrize("code", ONE_THING)
def test_answer_wrong_in_one_thing_is_told_which_and_what_the_administrator_must_change(site, browser, code):
    refused = site.hand_in(browser, site.people[0], ONE_THING[code])
    page = unescape(refused.text)
    assert refused.status_code in (400, 403)
    assert f"<code>{code}</code>" in page
    assert next(error.text for error in every_refusal() if error.code == code).partition("%(")[0] in page
    assert "administrator" in page
    assert "You were not signed in, and nothing was changed" in page
    assert f"{BASE}/sso/{site.slug}/metadata" in page
    assert f"{BASE}/sso/{site.slug}/acs" in page
    assert site.who(browser) is None
    assert site.member(site.people[0].email) is None


def every_refusal() -> list[type[errors.SignInFailed]]:
    found = [errors.SignInFailed]
    for known in found:
        found.extend(known.__subclasses__())
    return found


def test_each_refusal_has_a_code_of_its_own_and_advice_for_someone():
    codes = [error.code for error in every_refusal()]
    assert len(codes) == len(set(codes))
    for error in every_refusal():
        assert re.search(r"administrator|HR department|[Pp]lease|[Ss]tart again|Sign out", error.text), error


def test_answer_in_an_address_is_told_and_a_reload_starts_again(site, browser):
    form = site.answer_for(browser, site.people[0])
    refused = browser.get(f"/sso/{site.slug}/acs", base_url=BASE, query_string=form)
    assert (refused.status_code, "saml_binding" in refused.text) == (400, True)
    assert browser.get(f"/sso/{site.slug}/acs", base_url=BASE).location == f"/sso/{site.slug}/login"


def test_answer_too_large_for_any_form_is_told_as_an_answer(site, browser):
    refused = browser.post(f"/sso/{site.slug}/acs", base_url=BASE, data={"SAMLResponse": "A" * 2_500_000})
    assert (refused.status_code, "saml_too_large" in refused.text) == (413, True)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/%5Cevil.example"])
def test_sign_in_never_leads_to_another_site(site, browser, elsewhere):
    assert site.sign_in(browser, site.people[0], f"?next={elsewhere}").location == "/admin"


def test_signing_in_again_ends_the_old_session(site, browser):
    site.sign_in(browser, site.people[0])
    stolen = browser.get_cookie("admin_session", domain="localhost").value
    site.sign_in(browser, site.people[0])
    thief = site.browser()
    thief.set_cookie("admin_session", stolen, domain="localhost")
    assert site.who(thief) is None
    assert site.who(browser) is not None


def test_session_ends_no_later_than_the_identity_provider_says(site, browser, monkeypatch):
    end = clock.now() + timedelta(minutes=20)

    def change(assertion: etree._Element) -> None:
        assertion.find("saml:AuthnStatement", NAMESPACES).set("SessionNotOnOrAfter", clock.rfc3339(end))

    assert site.hand_in(browser, site.people[0], change).status_code == 303
    monkeypatch.setattr(sessions, "now", lambda: end - timedelta(minutes=1))
    assert site.who(browser) is not None
    monkeypatch.setattr(sessions, "now", lambda: end)
    assert site.who(browser) is None


def test_session_ends_at_our_own_limit_where_the_provider_sets_a_later_one(site, browser):
    def change(assertion: etree._Element) -> None:
        assertion.find("saml:AuthnStatement", NAMESPACES).set("SessionNotOnOrAfter", "9999-12-31T23:59:59Z")

    site.hand_in(browser, site.people[0], change)
    with transaction(site.org_id) as session:
        kept = session.scalars(select(WebSession)).one()
        assert kept.expires_at - kept.created_at == timedelta(hours=settings().session_hours)


def test_asking_for_a_sign_in_costs_little_of_the_processor(site, browser):
    site.answer_for(browser, site.people[0])  # the signing key is read and proved once
    rounds = []
    for _ in range(5):
        started = time.thread_time()
        for _ in range(10):
            assert browser.get(f"/sso/{site.slug}/login", base_url=BASE).status_code == 302
        rounds.append((time.thread_time() - started) / 10)
    # Seconds of the processor. `headshots bench sign-in` has 0.004 on a quiet machine, where 0.005 are promised;
    # neighbours on a core make it slower. Proving the key for each request alone takes 0.1.
    assert min(rounds) < 0.01


def test_spoofed_host_changes_nothing(site, browser):
    asked = browser.get(f"/sso/{site.slug}/login", base_url="http://evil.example")
    assert asked.location.startswith(f"{IDP}/sso?SAMLRequest=")
    assert b"evil" not in browser.get(f"/sso/{site.slug}/metadata", base_url="http://evil.example").data


def test_redis_learns_nothing_about_a_person(site, browser):
    site.sign_in(browser, site.people[0])
    redis = queue.redis_client()
    for key in redis.keys("sso:*"):
        kept = (key + (redis.get(key) or b"")).lower()
        assert not any(word in kept for word in (b"hannah", b"rivera", b"acme.example"))


def test_unknown_company_is_told_so(site, browser):
    for path in ("login", "metadata", "sls", "acs"):
        refused = browser.get(f"/sso/nobody/{path}", base_url=BASE)
        assert (refused.status_code, "sso_company_unknown" in refused.text) == (404, True)
    assert browser.post("/sso/nobody/acs", base_url=BASE).status_code == 404


def test_company_without_a_connection_offers_metadata_but_no_sign_in(site, browser):
    slug = "new"
    organizations.create(slug, "New")
    assert (
        f'entityID="{BASE}/sso/{slug}/metadata"' in browser.get(f"/sso/{slug}/metadata", base_url=BASE).text
    )
    refused = browser.get(f"/sso/{slug}/login", base_url=BASE)
    assert (refused.status_code, "sso_not_set_up" in refused.text) == (404, True)


def test_short_name_leads_to_the_companys_sign_in(site, browser):
    assert "Short name of your company" in browser.get("/sso/", base_url=BASE).text
    led = browser.get("/sso/", base_url=BASE, query_string={"company": f" {site.slug.upper()} "})
    assert led.location == f"/sso/{site.slug}/login"
    lost = browser.get("/sso/", base_url=BASE, query_string={"company": "<b>nobody"})
    assert lost.status_code == 404
    assert "&lt;b&gt;nobody" in lost.text
    assert 'aria-invalid="true"' in lost.text


def test_sign_out_ends_the_session_and_needs_our_form(site, browser):
    site.sign_in(browser, site.people[0])
    token = browser.get_cookie("admin_session", domain="localhost").value
    assert browser.post(f"/sso/{site.slug}/sls", base_url=BASE).status_code == 400, "no CSRF token"
    csrf = site.who(browser)["csrf"]
    out = browser.post(f"/sso/{site.slug}/sls", base_url=BASE, data={"csrf_token": csrf})
    assert "You are signed out" in out.text
    browser.set_cookie("admin_session", token, domain="localhost")
    assert site.who(browser) is None
    assert len(site.events(audit.Tag.SIGNED_OUT)) == 1


def test_identity_providers_logout_ends_the_named_session_only(site, browser):
    other = site.browser()
    site.sign_in(browser, site.people[0])
    site.sign_in(other, site.people[0])
    with transaction(site.org_id) as session:
        first = session.scalars(select(WebSession).order_by(WebSession.id)).first().saml_session_index
    query = site.logout_request(site.people[0], index=first)
    assert site.browser().get(f"/sso/{site.slug}/sls?{query}", base_url=BASE).status_code == 200
    assert site.who(browser) is None
    assert site.who(other) is not None


def test_identity_providers_logout_without_an_index_ends_all(site, browser):
    other = site.browser()
    site.sign_in(browser, site.people[0])
    site.sign_in(other, site.people[0])
    site.browser().get(f"/sso/{site.slug}/sls?{site.logout_request(site.people[0])}", base_url=BASE)
    assert site.who(browser) is site.who(other) is None


def test_logout_request_counts_once(site, browser):
    query = site.logout_request(site.people[0])
    site.sign_in(browser, site.people[0])
    browser.get(f"/sso/{site.slug}/sls?{query}", base_url=BASE)
    site.sign_in(browser, site.people[0])
    again = site.browser().get(f"/sso/{site.slug}/sls?{query}", base_url=BASE)
    assert (again.status_code, "saml_replayed" in again.text) == (403, True)
    assert site.who(browser) is not None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("unsigned", "saml_unsigned"),
        ("tampered", "saml_signature"),
        ("elsewhere", "saml_logout"),
        ("old", "saml_logout"),
        ("empty", "saml_malformed"),
    ],
)
def test_logout_request_that_proves_nothing_ends_nothing(site, browser, change, code):
    site.sign_in(browser, site.people[0])
    hannah = site.people[0]
    query = {
        "unsigned": lambda: site.logout_request(hannah).partition("&SigAlg")[0],
        "tampered": lambda: site.logout_request(hannah).replace("&SigAlg", "&RelayState=x&SigAlg"),
        "elsewhere": lambda: site.logout_request(hannah, Destination=f"{BASE}/sso/{site.slug}/sls.evil"),
        "old": lambda: site.logout_request(
            hannah, IssueInstant=clock.rfc3339(clock.now() - timedelta(minutes=20))
        ),
        "empty": lambda: "",
    }[change]()
    refused = site.browser().get(f"/sso/{site.slug}/sls?{query}", base_url=BASE)
    assert refused.status_code in (400, 403)
    assert code in refused.text
    assert site.who(browser) is not None
