"""Companies and the identity providers that they trust: created, shown, changed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from compliance.privacy import versions
from compliance.privacy.facts import checked
from compliance.requests import regimes
from core import audit
from core.db import Lookup, transaction
from core.errors import InvalidInput, NotFound
from core.mail.message import can_be_addressed
from core.people import organizations
from core.regimes import Regime
from core.settings import settings
from core.shoots import promises
from core.shoots.promises import Kept
from deploy import installation
from sso import connections, provisioning
from sso.metadata import connection_from_metadata
from sso.saml import SamlConnection, ServiceProvider, fingerprint

ENTITY: Final = ("legal_name", "postal_address", "contact_email")
LEAST_PREFIX = 8  # hexadecimal digits of a fingerprint that name a certificate


@dataclass(frozen=True)
class Company:
    """How a company signs in: what its provider must know of us, and what we know of it once it is connected; and for how long it keeps things."""

    provider: ServiceProvider
    connection: SamlConnection | None
    days: Mapping[Kept, int]  # how long what is kept
    legal_name: str = ""
    postal_address: str = ""
    contact_email: str = ""
    country: str = ""
    time_zone: str = "UTC"
    regime: Regime = Regime.GDPR


_ADDRESS: Final = re.compile(r"[^\s@<>:]+@[^\s@<>:]+\.[^\s@<>:]+")
# Entra's display names of groups have 256 at most, and no provider's ids are longer.
_LONGEST_GROUP: Final = 256


@dataclass(frozen=True)
class Edit:
    """What is to be different; what is not given stays as it is."""

    idp_metadata: bytes | None = None
    new_provider: bool = False
    add_certificates: Collection[str] = ()  # PEM or its base64
    remove_certificates: Collection[str] = ()  # fingerprints, or how they begin
    attributes: Mapping[str, str] | None = None
    admin_groups: frozenset[str] | None = None
    auditor_groups: frozenset[str] | None = None
    allow_unsolicited: bool | None = None
    days: Mapping[Kept, int] = field(default_factory=dict)  # how long what is kept
    legal_name: str | None = None
    postal_address: str | None = None
    contact_email: str | None = None
    country: str | None = None
    time_zone: str | None = None
    regime: Regime | None = None

    @property
    def is_about_sign_in(self) -> bool:
        """Whether anything of how it signs in is to be different."""
        groups = self.admin_groups is not None or self.auditor_groups is not None
        given = self.idp_metadata or self.new_provider or self.add_certificates or self.remove_certificates
        return bool(given or self.attributes or groups or self.allow_unsolicited is not None)

    @property
    def is_about_entity(self) -> bool:
        """Whether who the company is in law is to be different."""
        return any(getattr(self, name) is not None for name in ENTITY)

    @property
    def is_about_place(self) -> bool:
        """Whether where it is, or whose law's words are its usual ones, is to be different."""
        return any(one is not None for one in (self.country, self.time_zone, self.regime))


def create(slug: str, name: str, contact: str, edit: Edit, *, language: str = "en") -> Company:
    """Create a company; with metadata in `edit` it can sign in at once, without it is connected later.

    Raises:
        InvalidInput: the slug cannot stand in an address or is taken, or something of `edit` is not usable.
    """
    installation.demand()
    if Lookup.organization(slug) is not None:
        raise InvalidInput(f"There is a company called {slug} already.")
    if contact and not (_ADDRESS.fullmatch(contact) and can_be_addressed(contact)):
        raise InvalidInput("The contact is not a complete email address. Nothing was created.")
    connection = _edited(slug, None, edit) if edit.is_about_sign_in else None
    org_id = organizations.create(slug, name, contact_email=contact, language=language)
    with transaction(org_id) as session:
        if connection is not None:
            connections.save(session, connection)
        return _company(session, slug, connection)


def read(slug: str) -> Company:
    """Return how a company signs in.

    Raises:
        NotFound: there is none of this name.
    """
    with transaction(find(slug)) as session:
        return _company(session, slug, connections.find(session))


def change(slug: str, edit: Edit) -> Company:
    """Change how a company signs in, how long it keeps things or who it is in law, and return how it does now.

    Metadata of the provider in use adds its certificates to those that are trusted, so that both count while a key
    is renewed; the old one is removed when it is over. With another provider (`new_provider`) nothing of the
    earlier one is trusted any more, and everybody is linked anew at their next sign-in.

    Raises:
        NotFound: there is no such company.
        InvalidInput: what cannot be; nothing was changed.
    """
    with transaction(find(slug)) as session:
        before = after = connections.find(session)
        if edit.is_about_sign_in or not (edit.days or edit.is_about_entity or edit.is_about_place):
            after = _edited(slug, before, edit)
            if before is not None and before.idp_entity_id != after.idp_entity_id:
                _leave(session, before, edit)
            connections.save(session, after)
        if edit.days:
            promises.change(session, edit.days, actor=audit.SYSTEM)
        if edit.is_about_entity:
            _state(session, edit)
        if edit.is_about_place:
            now = organizations.current(session)
            regimes.set_place(
                session,
                now.country if edit.country is None else edit.country,
                now.time_zone if edit.time_zone is None else edit.time_zone,
                actor=audit.SYSTEM,
            )
            if edit.regime is not None:
                organizations.choose_regime(session, edit.regime, actor=audit.SYSTEM)
        return _company(session, slug, after)


def _state(session: Session, edit: Edit) -> None:
    """Put another version of what the company states live, with only who it is in law changed."""
    before = versions.live(session)
    given = {name: getattr(edit, name) for name in ENTITY if getattr(edit, name) is not None}
    facts = checked(before.facts.model_dump() | given, before=before.facts)
    versions.publish(session, facts, base=before.version, actor=audit.SYSTEM)


def _company(session: Session, slug: str, connection: SamlConnection | None) -> Company:
    found = organizations.current(session)
    return Company(
        _provider(slug),
        connection,
        promises.schedule(found),
        found.legal_name,
        found.postal_address,
        found.contact_email,
        found.country,
        found.time_zone,
        Regime(found.regime),
    )


def _leave(session: Session, before: SamlConnection, edit: Edit) -> None:
    if not edit.new_provider:
        raise InvalidInput(
            "These metadata are another identity provider's: its entity ID is not the one in use. If your company "
            "changes its provider, add --new-provider: then everybody is signed out and linked anew at their next "
            "sign-in. Nothing was changed."
        )
    provisioning.forget(session, before.idp_entity_id)


def _edited(slug: str, before: SamlConnection | None, edit: Edit) -> SamlConnection:
    if edit.idp_metadata is not None:
        new = connection_from_metadata(slug, settings().base_url, edit.idp_metadata, frozenset())
        kept = before.idp_certificates if before is not None and not edit.new_provider else ()
        taken = {
            "idp_entity_id": new.idp_entity_id,
            "idp_sso_url": new.idp_sso_url,
            "idp_certificates": tuple(dict.fromkeys((*kept, *new.idp_certificates))),
        }
        connection = connections.altered(before or new, **taken)
    elif before is not None:
        connection = before
    else:
        raise InvalidInput(
            "This company is not connected to its identity provider yet: give the provider's metadata file "
            "(--idp-metadata) and at least one --admin-group."
        )
    changes: dict[str, object] = {}
    if edit.attributes:
        changes["attributes"] = {**connection.attributes.model_dump(), **edit.attributes}
    for name in ("admin_groups", "auditor_groups", "allow_unsolicited"):
        if (value := getattr(edit, name)) is not None:
            changes[name] = value
    for group in (edit.admin_groups or frozenset()) | (edit.auditor_groups or frozenset()):
        if not group.strip(" /") or len(group) > _LONGEST_GROUP:
            raise InvalidInput(
                "A group is its name or id as the identity provider sends it: not empty, and at most "
                f"{_LONGEST_GROUP} letters. Nothing was changed."
            )
    if any(claim and not claim.strip() for claim in (edit.attributes or {}).values()):
        raise InvalidInput(
            "An attribute needs the name that the identity provider sends. Nothing was changed."
        )
    if edit.add_certificates:
        changes["idp_certificates"] = (*connection.idp_certificates, *edit.add_certificates)
    connection = connections.altered(connection, **changes)
    if edit.remove_certificates:
        left = _without(connection.idp_certificates, edit.remove_certificates)
        connection = connections.altered(connection, idp_certificates=left)
    if not connection.admin_groups:
        raise InvalidInput("Nobody could manage the company: name at least one --admin-group.")
    return connection


def _without(certificates: tuple[str, ...], fingerprints: Collection[str]) -> tuple[str, ...]:
    left = certificates
    for given in fingerprints:
        wanted = given.replace(":", "").lower()
        found = [one for one in certificates if fingerprint(one).startswith(wanted)]
        if len(wanted) < LEAST_PREFIX or len(found) != 1:
            raise InvalidInput(
                f"{given} names no one certificate of this company: give at least the first {LEAST_PREFIX} digits "
                "of its fingerprint, as `headshots company show` prints it."
            )
        left = tuple(one for one in left if one != found[0])
    if not left:
        raise InvalidInput("Without any certificate nobody could sign in: add the new one first.")
    return left


def _provider(slug: str) -> ServiceProvider:
    return ServiceProvider(org=slug, sp_base_url=settings().base_url)


def find(slug: str) -> UUID:
    """Return the id of the company with this short name.

    Raises:
        NotFound: there is none.
    """
    org_id = Lookup.organization(slug)
    if org_id is None:
        raise NotFound(f"There is no company called {slug}.")
    return org_id
