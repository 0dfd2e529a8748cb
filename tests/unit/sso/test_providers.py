"""What each identity provider sends when its administrator maps nothing, or only what its wizard suggests."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from lxml import etree

from sso import claims
from sso.saml import (
    FORMAT_EMAIL,
    FORMAT_PERSISTENT,
    FORMAT_UNSPECIFIED,
    NAMESPACES,
    NS_ASSERTION,
    AttributeMapping,
    Identity,
)

WS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
MS = "http://schemas.microsoft.com/identity/claims"
FORMATS = "urn:oasis:names:tc:SAML:2.0:attrname-format"
GUID = "3f2c9a54-1d7e-4c38-9b0a-6a2f5d1e7c88"
SURE = "sure"  # all groups came


@dataclass(frozen=True)
class Sent:
    """What an answer has in its NameID and its attribute statement."""

    format: str | None
    name_id: str
    attributes: tuple[tuple[str, str | None, tuple[str, ...]], ...]  # Name, NameFormat, values

    def put_into(self, assertion: etree._Element) -> None:
        name = assertion.find("saml:Subject/saml:NameID", NAMESPACES)
        name.text = self.name_id
        del name.attrib["Format"]
        if self.format is not None:
            name.set("Format", self.format)
        statement = assertion.find("saml:AttributeStatement", NAMESPACES)
        if not self.attributes:
            assertion.remove(statement)
            return
        for attribute in list(statement):
            statement.remove(attribute)
        for attribute_name, name_format, values in self.attributes:
            attribute = etree.SubElement(statement, f"{{{NS_ASSERTION}}}Attribute", Name=attribute_name)
            if name_format is not None:
                attribute.set("NameFormat", name_format)
            for value in values:
                etree.SubElement(attribute, f"{{{NS_ASSERTION}}}AttributeValue").text = value


ENTRA = (
    (f"{MS}/tenantid", None, ("5c9e5b0a-8a52-4b6f-9d0e-2f4b7c1d3e9f",)),
    (f"{MS}/objectidentifier", None, ("b6a7e0f4-93c1-4c1a-8a3f-0f2f3d8f4c11",)),
    (f"{MS}/displayname", None, ("Joe Doe",)),
    (f"{MS}/identityprovider", None, ("https://sts.windows.net/5c9e5b0a-8a52-4b6f-9d0e-2f4b7c1d3e9f/",)),
    ("http://schemas.microsoft.com/claims/authnmethodsreferences", None, (
        "http://schemas.microsoft.com/ws/2008/06/identity/authenticationmethod/password",
        "http://schemas.microsoft.com/claims/multipleauthn",
    )),
    (f"{WS}/givenname", None, ("Joe",)),
    (f"{WS}/surname", None, ("Doe",)),
    (f"{WS}/emailaddress", None, ("Joe@Acme.example",)),
    (f"{WS}/name", None, ("joe@acme.example",)),
)  # fmt: skip
ENTRA_GROUPS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"
ENTRA_LINK = "http://schemas.microsoft.com/claims/groups.link"
GRAPH = "https://graph.windows.net/5c9e5b0a/users/b6a7e0f4/getMemberObjects"

# What is sent; first and last name; groups, and whether they are all there.
SENT = {
    "okta without attribute statements": (
        Sent(FORMAT_UNSPECIFIED, "Joe@Acme.example", ()), ("", ""), (), None,
    ),
    "okta as its wizard suggests": (
        Sent(FORMAT_EMAIL, "Joe@Acme.example", (
            ("firstName", f"{FORMATS}:unspecified", ("Joe",)),
            ("lastName", f"{FORMATS}:unspecified", ("Doe",)),
            ("email", f"{FORMATS}:unspecified", ("Joe@Acme.example",)),
            ("groups", f"{FORMATS}:unspecified", ("Everyone", "headshots-admins")),
        )), ("Joe", "Doe"), ("Everyone", "headshots-admins"), SURE,
    ),
    "entra": (Sent(FORMAT_EMAIL, "joe@acme.example", ENTRA), ("Joe", "Doe"), (), None),
    "entra with groups": (
        Sent(FORMAT_EMAIL, "joe@acme.example", (*ENTRA, (ENTRA_GROUPS, None, (GUID, "another")))),
        ("Joe", "Doe"), (GUID, "another"), SURE,
    ),
    "entra with over 150 groups": (
        Sent(FORMAT_EMAIL, "joe@acme.example", (*ENTRA, (ENTRA_LINK, None, (GRAPH,)))),
        ("Joe", "Doe"), (), None,
    ),
    "entra with some groups and a link": (
        Sent(FORMAT_EMAIL, "joe@acme.example", (
            *ENTRA, (ENTRA_GROUPS, None, (GUID,)), ("_claim_names", None, ('{"groups":"src1"}',)),
        )), ("Joe", "Doe"), (GUID,), None,
    ),
    "google without attribute mapping": (Sent(FORMAT_UNSPECIFIED, "joe@acme.example", ()), ("", ""), (), None),
    "google as its help page maps": (
        Sent(FORMAT_EMAIL, "joe@acme.example", (
            ("FirstName", None, ("Joe",)), ("LastName", None, ("Doe",)), ("Email", None, ("joe@acme.example",)),
            ("Groups", None, ("HR",)),
        )), ("Joe", "Doe"), ("HR",), SURE,
    ),
    "adfs with its rule of ldap attributes": (
        Sent(FORMAT_EMAIL, "joe@acme.example", (
            (f"{WS}/emailaddress", None, ("joe@acme.example",)),
            (f"{WS}/givenname", None, ("Joe",)),
            (f"{WS}/surname", None, ("Doe",)),
            ("http://schemas.xmlsoap.org/claims/Group", None, ("Domain Users", "ACME\\HR")),
        )), ("Joe", "Doe"), ("Domain Users", "ACME\\HR"), SURE,
    ),
    "adfs with the user principal name": (
        Sent(None, "S-1-5-21-1004336348-1177238915-682003330-512", ((f"{WS}/upn", None, ("joe@acme.example",)),)),
        ("", ""), (), None,
    ),
    "keycloak": (
        Sent(FORMAT_UNSPECIFIED, "joe", (
            ("urn:oid:1.2.840.113549.1.9.1", f"{FORMATS}:uri", ("joe@acme.example",)),
            ("urn:oid:2.5.4.42", f"{FORMATS}:uri", ("Joe",)),
            ("urn:oid:2.5.4.4", f"{FORMATS}:uri", ("Doe",)),
            ("Role", f"{FORMATS}:basic", ("offline_access",)),
            ("Role", f"{FORMATS}:basic", ("hr",)),
        )), ("Joe", "Doe"), ("offline_access", "hr"), None,
    ),
    "keycloak with groups": (
        Sent(FORMAT_PERSISTENT, "G-6b1f5c1e-6b5a-4b0b-8f8c-1f0f5d1c2b3a", (
            ("urn:oid:1.2.840.113549.1.9.1", f"{FORMATS}:uri", ("joe@acme.example",)),
            ("urn:oid:2.5.4.42", f"{FORMATS}:uri", ("Joe",)),
            ("urn:oid:2.5.4.4", f"{FORMATS}:uri", ("Doe",)),
            ("member", f"{FORMATS}:basic", ("/staff/hr", "/everyone")),
        )), ("Joe", "Doe"), ("/staff/hr", "/everyone"), SURE,
    ),
    "shibboleth": (
        Sent(FORMAT_PERSISTENT, "kd8skRr0qv9xJ", (
            ("urn:oid:0.9.2342.19200300.100.1.3", f"{FORMATS}:uri", ("joe@acme.example",)),
            ("urn:oid:2.16.840.1.113730.3.1.241", f"{FORMATS}:uri", ("Joe Doe",)),
        )), ("Joe Doe", ""), (), None,
    ),
}  # fmt: skip


def signed_in(desk, sent: Sent) -> Identity:
    return desk.hand_in(desk.response(sent.put_into))


@pytest.mark.parametrize("provider", SENT)
def test_provider_is_understood_as_it_comes(desk, provider):
    sent, name, groups, sure = SENT[provider]
    identity = signed_in(desk, sent)
    assert identity.email == "joe@acme.example"
    assert (identity.first_name, identity.last_name) == name
    assert (identity.groups, identity.all_groups) == (groups, sure == SURE)


def test_name_that_the_company_has_set_is_the_only_one_looked_at(desk):
    mapping = AttributeMapping(email="workMail", first_name="rufname", groups="Role")
    desk.connection = desk.connection.model_copy(update={"attributes": mapping})
    sent = Sent(FORMAT_PERSISTENT, "kd8skRr0qv9xJ", (
        ("email", None, ("the-boss@acme.example",)), ("workMail", None, ("joe@acme.example",)),
        ("firstName", None, ("Joseph",)), ("rufname", None, ("Joe",)), ("lastName", None, ("Doe",)),
        ("groups", None, ("everyone",)), ("Role", None, ("hr",)),
    ))  # fmt: skip
    identity = signed_in(desk, sent)
    assert (identity.email, identity.first_name, identity.last_name) == ("joe@acme.example", "Joe", "Doe")
    assert (identity.groups, identity.all_groups) == (("hr",), True)


def test_empty_list_of_groups_is_a_list_and_a_missing_one_is_none(desk):
    mail = ("email", None, ("joe@acme.example",))
    assert signed_in(desk, Sent(FORMAT_PERSISTENT, "k", (mail, ("groups", None, ())))).all_groups
    assert not signed_in(desk, Sent(FORMAT_PERSISTENT, "k", (mail,))).all_groups


def test_list_cut_at_our_limit_is_not_all_of_it():
    groups = [f"group-{number}" for number in range(claims.MAX_GROUPS + 1)]
    found = claims.read(AttributeMapping(), {"email": ["joe@acme.example"], "groups": groups})
    assert (len(found.groups), found.all_groups) == (claims.MAX_GROUPS, False)


@pytest.mark.parametrize(
    ("arrived", "wanted", "member"),
    [
        (GUID, GUID.upper(), True),
        ("/headshots-admins", "headshots-admins", True),
        ("/staff/hr", "/staff/hr", True),
        ("/staff/hr", "staff/hr", True),
        ("/staff/hr", "hr", False),  # whoever leads /staff could make a group of that name
        ("HR", "hr", False),
        ("ACME\\HR", "ACME\\HR", True),
        ("/", "", False),
        ("", "", False),
    ],
)
def test_group_is_recognised_in_the_spellings_of_providers(arrived, wanted, member):
    assert claims.is_member([arrived], [wanted]) is member
