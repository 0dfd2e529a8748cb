"""Which SAML attribute carries which fact: the names that identity providers send when nobody maps anything.

Okta and Google let an administrator type the names and suggest those of the first column; Entra and ADFS send
URIs of WS-Federation, Keycloak and Shibboleth object identifiers of X.500. A name that a company has set is
the only one looked at, since it may have been chosen over one that people can edit themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from sso.saml import AttributeMapping

_WS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
_MS = "http://schemas.microsoft.com/ws/2008/06/identity/claims/"

# In the order in which they are preferred; compared without regard to capitals.
# Entra: learn.microsoft.com saml-claims-customization, "restricted claim set"; ADFS: its claim descriptions;
# Keycloak: the built-in protocol mappers of SAML clients; object identifiers: RFC 4519, RFC 4524, RFC 2985.
EMAIL = (
    "email", "mail", "emailAddress", "email_address", "user.email",
    f"{_WS}emailaddress", "http://schemas.xmlsoap.org/claims/EmailAddress",
    "urn:oid:0.9.2342.19200300.100.1.3", "urn:oid:1.2.840.113549.1.9.1",
    f"{_WS}upn", "http://schemas.xmlsoap.org/claims/UPN",
)  # fmt: skip
FIRST_NAME = (
    "firstName", "first_name", "givenName", "given_name", "user.firstName", f"{_WS}givenname", "urn:oid:2.5.4.42",
)  # fmt: skip
LAST_NAME = (
    "lastName", "last_name", "surname", "sn", "familyName", "family_name", "user.lastName",
    f"{_WS}surname", "urn:oid:2.5.4.4",
)  # fmt: skip
WHOLE_NAME = (
    "displayName", "display_name", "http://schemas.microsoft.com/identity/claims/displayname",
    "urn:oid:2.16.840.1.113730.3.1.241", "http://schemas.xmlsoap.org/claims/CommonName", "urn:oid:2.5.4.3",
)  # fmt: skip
GROUPS = (
    "groups", "group", "memberOf", "member", f"{_MS}groups", "http://schemas.xmlsoap.org/claims/Group",
    f"{_MS}groupsid", "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
)  # fmt: skip
# Roles of an application are named like groups and can give what a group gives. They are another list than
# the groups, so that a person is missing from it says nothing about the groups.
ROLES = ("Role", "roles", f"{_MS}role")
# What Entra sends in place of more than 150 groups: where to ask for them.
INSTEAD_OF_GROUPS = ("http://schemas.microsoft.com/claims/groups.link", "groups.link", "_claim_names")

MAX_GROUPS = 2_000

_UNMAPPED = AttributeMapping()
_KNOWN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"email": EMAIL, "first_name": FIRST_NAME, "last_name": LAST_NAME, "groups": GROUPS}
)


@dataclass(frozen=True)
class Claims:
    """What an assertion's attributes say."""

    email: str | None
    first_name: str
    last_name: str
    groups: tuple[str, ...]
    all_groups: bool  # the list is there and nothing was left out of it


def read(mapping: AttributeMapping, attributes: Mapping[str, list[str]]) -> Claims:
    """Return the facts in `attributes`, which has the values of each name.

    Where neither first nor last name comes but a whole name does, it stands as the first name: where to cut it
    cannot be known.
    """
    folded: dict[str, list[str]] = {}
    for name, values in attributes.items():
        folded.setdefault(name.casefold(), []).extend(values)

    def first(names: Iterable[str]) -> str | None:
        return next((values[0] for name in names if (values := folded.get(name.casefold()))), None)

    def fact(name: str) -> str | None:
        mapped = str(getattr(mapping, name))
        if mapped == getattr(_UNMAPPED, name):
            return first(_KNOWN[name])
        return next(iter(attributes.get(mapped, [])), None)

    names = [fact("first_name") or "", fact("last_name") or ""]
    if not any(names):
        names[0] = first(WHOLE_NAME) or ""
    groups, all_groups = _groups(mapping, attributes, folded)
    return Claims(fact("email"), names[0], names[1], groups, all_groups)


def is_member(groups: Iterable[str], wanted: Iterable[str]) -> bool:
    """Return whether one of `groups` is one of `wanted`, as providers and administrators write them."""
    named = {_comparable(group) for group in wanted} - {""}  # or a group without a name would be everybody's
    return not named.isdisjoint(_comparable(group) for group in groups)


def _groups(
    mapping: AttributeMapping, attributes: Mapping[str, list[str]], folded: Mapping[str, list[str]]
) -> tuple[tuple[str, ...], bool]:
    if mapping.groups == _UNMAPPED.groups:
        lists = [folded[key] for name in GROUPS if (key := name.casefold()) in folded]
        more = [folded[key] for name in ROLES if (key := name.casefold()) in folded]
    else:
        lists, more = [attributes[name] for name in (mapping.groups,) if name in attributes], []
    found = tuple(dict.fromkeys(group for values in (*lists, *more) for group in values))
    linked = any(name.casefold() in folded for name in INSTEAD_OF_GROUPS)
    return found[:MAX_GROUPS], bool(lists) and not linked and len(found) <= MAX_GROUPS


def _comparable(group: str) -> str:
    """Return a group in one spelling: Keycloak sends the path `/staff/hr`, Entra an object id."""
    try:
        return str(UUID(group))
    except ValueError:
        return group.strip().removeprefix("/")
