from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from urllib.parse import urlsplit

import pytest
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from core.errors import ConfigurationError
from core.settings import settings
from sso.assertion import validate_response
from sso.devidp.app import create_app, demo_people, dev_connection
from sso.devidp.people import ADMIN_GROUP, AUDITOR_GROUP, DevPerson
from sso.replay import ReplayCache
from sso.saml import login_request

SP = "http://localhost"  # as the fixture `environment` says
IDP = f"{SP}/devidp"
PEOPLE = [
    DevPerson("acme", "hannah@acme.example", "Hannah", "Rivera", "HR admin", (ADMIN_GROUP,)),
    DevPerson("acme", "joe@acme.example", "Joe", "<b>O'Neill</b>", "Engineer"),
    DevPerson("globex", "gil@globex.example", "Gil", "Foreign"),
]


@pytest.fixture
def configured(environment, monkeypatch, keys):
    monkeypatch.setenv("HEADSHOTS_SIGNING_PATH", str(keys))
    settings.cache_clear()
    return monkeypatch


@pytest.fixture
def client(configured, keys, sp_key):
    return create_app(IDP, keys, PEOPLE).test_client()


@pytest.fixture
def dev(keys):
    return dev_connection("acme", SP, IDP, keys)


def ask(client, connection, key):
    asked = login_request(connection, key)
    return asked, "/sso?" + urlsplit(asked.url).query


def form_value(page, name):
    return unescape(re.search(rf'name="{name}" value="([^"]*)"', page).group(1))


def test_choosing_a_person_signs_them_in(client, dev, sp_key, redis):
    asked, address = ask(client, dev, sp_key)
    page = client.get(address).text
    action = unescape(re.search(r'<form method="post" action="([^"]*)"', page).group(1))
    assert action == address
    answer = client.post(action, data={"person": PEOPLE[0].name_id})
    assert f'action="{dev.acs_url}"' in answer.text
    identity = validate_response(
        dev,
        form_value(answer.text, "SAMLResponse"),
        expected_request_id=asked.request_id,
        replays=ReplayCache(redis),
    )
    assert (identity.email, identity.groups) == ("hannah@acme.example", (ADMIN_GROUP,))
    assert identity.idp_entity_id == dev.idp_entity_id


def test_page_lists_the_companys_people_and_no_others(client, dev, sp_key):
    page = client.get(ask(client, dev, sp_key)[1]).text
    assert "Hannah Rivera" in page
    assert "HR admin" in page
    assert "&lt;b&gt;O&#39;Neill" in page
    assert "Foreign" not in page


def test_company_without_people_says_what_to_do(client, dev, sp_key):
    page = client.get(ask(client, dev.model_copy(update={"org": "nobody"}), sp_key)[1]).text
    assert "Nobody from" in page


def test_person_of_another_company_cannot_be_chosen(client, dev, sp_key):
    answer = client.post(ask(client, dev, sp_key)[1], data={"person": PEOPLE[2].name_id})
    assert answer.status_code == 422
    assert "SAMLResponse" not in answer.text


def test_request_signed_by_someone_else_is_refused(client, dev, other_key):
    answer = client.get(ask(client, dev, other_key)[1])
    assert answer.status_code == 403
    assert "saml_signature" in answer.text


def test_request_without_signature_is_refused(client, dev, sp_key):
    address = ask(client, dev, sp_key)[1].partition("&SigAlg")[0]
    assert client.get(address).status_code == 403
    assert client.post(address, data={"person": PEOPLE[0].name_id}).status_code == 403


@pytest.mark.parametrize(
    "elsewhere", [{"sp_base_url": "http://evil.example"}, {"idp_sso_url": "http://evil.example/sso"}]
)
def test_request_of_another_site_is_refused_even_when_signed(client, dev, sp_key, elsewhere):
    assert client.get(ask(client, dev.model_copy(update=elsewhere), sp_key)[1]).status_code == 400


def test_pages_allow_only_their_own_style_and_script(client, dev, sp_key):
    answer = client.post(ask(client, dev, sp_key)[1], data={"person": PEOPLE[0].name_id})
    policy = answer.headers["Content-Security-Policy"]
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy).group(1)
    assert f'<script nonce="{nonce}">' in answer.text
    assert "<button>Continue</button>" in answer.text, "works without the script, too"
    assert "default-src 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    again = client.post(ask(client, dev, sp_key)[1], data={"person": PEOPLE[0].name_id})
    assert nonce not in again.headers["Content-Security-Policy"]


def test_metadata_describes_what_the_connection_says(client, dev):
    answer = client.get("/metadata")
    assert not isinstance(OneLogin_Saml2_XML.validate_xml(answer.data, "saml-schema-metadata-2.0.xsd"), str)
    told = OneLogin_Saml2_IdPMetadataParser.parse(answer.data)["idp"]
    assert told["entityId"] == dev.idp_entity_id
    assert told["singleSignOnService"]["url"] == dev.idp_sso_url
    assert told["x509cert"] in dev.idp_certificates[0].replace("\n", "")


def test_production_refuses_to_start_it(configured, keys):
    configured.setenv("HEADSHOTS_ENVIRONMENT", "production")
    configured.setenv("HEADSHOTS_BASE_URL", "https://photos.example.com")
    settings.cache_clear()
    with pytest.raises(ConfigurationError, match="production"):
        create_app(IDP, keys, PEOPLE)


def test_person_keeps_their_identifier_and_shares_it_with_nobody():
    hannah = PEOPLE[0]
    assert hannah.name_id == replace(hannah, last_name="Married").name_id
    assert len({person.name_id for person in PEOPLE}) == len(PEOPLE)
    assert hannah.email not in hannah.name_id


def test_first_of_the_demo_people_is_an_admin_and_not_everyone_is():
    people = demo_people()
    assert ADMIN_GROUP in people[0].groups
    assert any(not person.groups for person in people)


def test_one_of_the_demo_people_is_an_auditor_and_the_page_says_so(configured, keys, sp_key):
    people = demo_people()
    (auditor,) = (person for person in people if AUDITOR_GROUP in person.groups)
    assert ADMIN_GROUP not in auditor.groups
    connection = dev_connection("northwind", SP, IDP, keys)
    page = create_app(IDP, keys, people).test_client().get(ask(None, connection, sp_key)[1]).text
    shown = page.partition(auditor.full_name)[2].partition("</label>")[0]
    assert '<span class="tag">Auditor</span>' in shown
