"""Read who signed in from an assertion that has been verified."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from lxml import etree

from core.people import addresses
from sso import errors
from sso.claims import read
from sso.saml import (
    FORMAT_EMAIL,
    FORMAT_TRANSIENT,
    FORMAT_UNSPECIFIED,
    NAMESPACES,
    Identity,
    NameId,
    SamlConnection,
)

MAX_NAME_ID = 256  # characters; saml-core-2.0 §8.3.7 for persistent identifiers
MAX_NAME = 80  # characters of a first or last name; the column's width
MAX_EMAIL = 254  # characters; RFC 5321 §4.5.3.1.3 less the brackets
MOST_SAID, MAX_SAID = 20, 120  # names of attributes on a page, characters of each
MAX_SESSION_INDEX = 256  # characters; the column's width

_ENCRYPTED = ("saml:Subject/saml:EncryptedID", "saml:AttributeStatement/saml:EncryptedAttribute")


def read_identity(
    connection: SamlConnection, assertion: etree._Element, session_end: datetime | None
) -> Identity:
    """Return who `assertion` says has signed in. The caller has verified it.

    Args:
        connection: Whose names the attributes have.
        assertion: Signed, and for us.
        session_end: When the identity provider wants the session over.

    Raises:
        AssertionEncrypted: the NameID or an attribute is encrypted.
        NameIdUnusable: no NameID, or one that changes at every sign-in.
        EmailMissing: no usable address in the mapped attribute or the NameID.
    """
    if any(assertion.find(path, NAMESPACES) is not None for path in _ENCRYPTED):
        raise errors.AssertionEncrypted
    name = assertion.find("saml:Subject/saml:NameID", NAMESPACES)
    name_id = read_name_id(name)
    transient = name is not None and name.get("Format") == FORMAT_TRANSIENT
    if not name_id.value or len(name_id.value) > MAX_NAME_ID or transient:
        raise errors.NameIdUnusable
    values = _attributes(assertion)
    claims = read(connection.attributes, values)
    return Identity(
        idp_entity_id=connection.idp_entity_id,
        name_id=name_id,
        session_index=_session_index(assertion),
        session_end=session_end,
        email=_email(claims.email, name_id, values),
        first_name=claims.first_name[:MAX_NAME],
        last_name=claims.last_name[:MAX_NAME],
        groups=claims.groups,
        all_groups=claims.all_groups,
    )


def read_name_id(name: etree._Element | None) -> NameId:
    """Return what a NameID says; an address in the one spelling that stands for all.

    Providers that send one (Okta, Google, Entra) take it from a field whose capitals an administrator may change
    any day. Every other name is told apart letter by letter, as some providers' are Base64.
    """
    value = text_of(name)
    kind = FORMAT_UNSPECIFIED if name is None else name.get("Format", FORMAT_UNSPECIFIED)
    if kind in (FORMAT_EMAIL, FORMAT_UNSPECIFIED) and _is_address(value):
        return NameId(addresses.canonical(value), is_address=True)
    return NameId(value)


def _session_index(assertion: etree._Element) -> str | None:
    statement = assertion.find("saml:AuthnStatement", NAMESPACES)
    index = None if statement is None else statement.get("SessionIndex")
    # A longer one is of no use: without an index, a logout request ends all of the person's sessions.
    return index if index and len(index) <= MAX_SESSION_INDEX else None


def _attributes(assertion: etree._Element) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for attribute in assertion.findall("saml:AttributeStatement/saml:Attribute", NAMESPACES):
        values = (text_of(value) for value in attribute.findall("saml:AttributeValue", NAMESPACES))
        found.setdefault(attribute.get("Name", ""), []).extend(value for value in values if value)
    return found


def _is_address(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    return bool(local and domain) and len(text) <= MAX_EMAIL and not any(sign.isspace() for sign in text)


def _email(claimed: str | None, name_id: NameId, attributes: Iterable[str]) -> str:
    # Okta and Google send a NameID of no format that is the address, and no attribute until one is added.
    address = claimed or (name_id.value if name_id.is_address else "")
    if not _is_address(address):
        arrived = [name[:MAX_SAID] for name in attributes]
        raise errors.EmailMissing(arrived=", ".join(arrived[:MOST_SAID]) or "–")
    return addresses.canonical(address)


def text_of(element: etree._Element | None) -> str:
    """Return all of an element's text: a comment inside must not cut a name short (CVE-2017-11427)."""
    return "" if element is None else str(element.xpath("string()")).strip()
