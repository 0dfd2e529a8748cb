"""Read who signed in from an assertion that has been verified."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from lxml import etree

from sso import errors
from sso.claims import read
from sso.saml import FORMAT_EMAIL, FORMAT_TRANSIENT, FORMAT_UNSPECIFIED, NAMESPACES, Identity, SamlConnection

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
    name_id = text_of(name)
    name_id_format = FORMAT_UNSPECIFIED if name is None else name.get("Format", FORMAT_UNSPECIFIED)
    if not name_id or len(name_id) > MAX_NAME_ID or name_id_format == FORMAT_TRANSIENT:
        raise errors.NameIdUnusable
    values = _attributes(assertion)
    claims = read(connection.attributes, values)
    return Identity(
        idp_entity_id=connection.idp_entity_id,
        name_id=name_id,
        name_id_format=name_id_format,
        session_index=_session_index(assertion),
        session_end=session_end,
        email=_email(claims.email, name_id, name_id_format, values),
        first_name=claims.first_name[:MAX_NAME],
        last_name=claims.last_name[:MAX_NAME],
        groups=claims.groups,
        all_groups=claims.all_groups,
    )


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


def _email(claimed: str | None, name_id: str, name_id_format: str, attributes: Iterable[str]) -> str:
    # Okta and Google send a NameID of no format that is the address, and no attribute until one is added.
    address = (claimed or (name_id if name_id_format in (FORMAT_EMAIL, FORMAT_UNSPECIFIED) else "")).lower()
    local, _, domain = address.rpartition("@")
    if not local or not domain or len(address) > MAX_EMAIL or any(part.isspace() for part in address):
        arrived = [name[:MAX_SAID] for name in attributes]
        raise errors.EmailMissing(arrived=", ".join(arrived[:MOST_SAID]) or "–")
    return address


def text_of(element: etree._Element | None) -> str:
    """Return all of an element's text: a comment inside must not cut a name short (CVE-2017-11427)."""
    return "" if element is None else str(element.xpath("string()")).strip()
