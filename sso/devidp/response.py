"""Write SAML responses as a real identity provider does: the assertion signed, the browser posts it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from lxml import etree
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from core import clock
from sso.assertion import BEARER, SUCCESS
from sso.credentials import Credentials
from sso.devidp.people import DevPerson
from sso.redirect_binding import parse
from sso.saml import (
    FORMAT_PERSISTENT,
    NAMESPACES,
    NS_ASSERTION,
    NS_PROTOCOL,
    AttributeMapping,
    new_message_id,
)

VALID_FOR = timedelta(minutes=5)  # what Okta and Entra use
PASSWORD_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"  # noqa: S105 - a class URI
BASIC_NAME_FORMAT = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"


@dataclass(frozen=True)
class Answer:
    """What a response says besides who signed in."""

    issuer: str
    audience: str
    acs_url: str
    request_id: str


def signed_response(answer: Answer, person: DevPerson, credentials: Credentials) -> bytes:
    """Return a response in which `person` has just signed in, ready to be posted."""
    return etree.tostring(response(answer, sign(assertion(answer, person), credentials)))


def assertion(answer: Answer, person: DevPerson) -> etree._Element:
    """Return the unsigned assertion."""
    now = clock.now()
    start, end = clock.rfc3339(now - timedelta(minutes=1)), clock.rfc3339(now + VALID_FOR)
    root = etree.Element(
        f"{{{NS_ASSERTION}}}Assertion",
        {"ID": new_message_id(), "Version": "2.0", "IssueInstant": clock.rfc3339(now)},
        nsmap=NAMESPACES,
    )
    _add(root, "Issuer", text=answer.issuer)
    subject = _add(root, "Subject")
    _add(subject, "NameID", {"Format": FORMAT_PERSISTENT}, person.name_id)
    confirmation = _add(subject, "SubjectConfirmation", {"Method": BEARER})
    _add(
        confirmation,
        "SubjectConfirmationData",
        {"NotOnOrAfter": end, "Recipient": answer.acs_url, "InResponseTo": answer.request_id},
    )
    conditions = _add(root, "Conditions", {"NotBefore": start, "NotOnOrAfter": end})
    _add(_add(conditions, "AudienceRestriction"), "Audience", text=answer.audience)
    statement = _add(
        root, "AuthnStatement", {"AuthnInstant": clock.rfc3339(now), "SessionIndex": new_message_id()}
    )
    _add(_add(statement, "AuthnContext"), "AuthnContextClassRef", text=PASSWORD_CONTEXT)
    attributes = _add(root, "AttributeStatement")
    names = AttributeMapping()
    for name, values in (
        (names.email, (person.email,)),
        (names.first_name, (person.first_name,)),
        (names.last_name, (person.last_name,)),
        (names.groups, person.groups),
    ):
        if values or name == names.groups:  # an empty list of groups is one, too: nobody is in any
            attribute = _add(attributes, "Attribute", {"Name": name, "NameFormat": BASIC_NAME_FORMAT})
            for value in values:
                _add(attribute, "AttributeValue", text=value)
    return root


def sign(element: etree._Element, credentials: Credentials) -> etree._Element:
    """Return `element` with an enveloped RSA-SHA256 signature after its issuer."""
    signed = OneLogin_Saml2_Utils.add_sign(
        etree.tostring(element), credentials.key_pem, credentials.certificate_pem
    )
    return parse(signed if isinstance(signed, bytes) else str(signed).encode("utf-8"))


def response(answer: Answer, signed_assertion: etree._Element) -> etree._Element:
    """Return the message around a signed assertion."""
    root = etree.Element(
        f"{{{NS_PROTOCOL}}}Response",
        {
            "ID": new_message_id(),
            "Version": "2.0",
            "IssueInstant": clock.rfc3339(clock.now()),
            "Destination": answer.acs_url,
            "InResponseTo": answer.request_id,
        },
        nsmap=NAMESPACES,
    )
    _add(root, "Issuer", text=answer.issuer)
    status = etree.SubElement(root, f"{{{NS_PROTOCOL}}}Status")
    etree.SubElement(status, f"{{{NS_PROTOCOL}}}StatusCode", {"Value": SUCCESS})
    root.append(signed_assertion)
    return root


def _add(
    parent: etree._Element, name: str, attributes: dict[str, str] | None = None, text: str | None = None
) -> etree._Element:
    child = etree.SubElement(parent, f"{{{NS_ASSERTION}}}{name}", attributes or {})
    child.text = text
    return child
