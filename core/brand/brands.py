"""The company's brand: name, accent colour, logo."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from core import audit, uploads
from core.errors import InvalidInput
from core.models import Kind, Organization, Use
from core.people import organizations
from core.style.part import HEX_COLOR
from core.vault import Sealed, vault

SMALL_LOGO = 100  # px, longer side: a portrait of 1,024 pixels shows a logo 143 pixels long
LONGEST_NAME = 120  # as wide as the column
LONGEST_LEGAL_NAME = 200  # characters
LONGEST_ADDRESS = 400  # characters, line ends included


class BrandUnusable(InvalidInput):
    """A field of the brand cannot be used."""

    code = "brand_unusable"


def save(
    session: Session,
    *,
    name: str,
    accent: str,
    remove_logo: bool = False,
    actor: audit.Actor,
) -> Organization:
    """Save the brand; a logo comes by `replace_logo`, once a worker has judged it.

    Args:
        session: bound to the organization.
        name: shown on every page and mail.
        accent: sRGB, `#rrggbb`; pages adapt it where it would not be readable.
        remove_logo: show the name alone, also if a logo is being checked.
        actor: who does it.

    Raises:
        BrandUnusable: the name is empty or too long, or the accent is no colour.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BrandUnusable("Please give the company's name, at most 120 characters.", field="name")
    if not HEX_COLOR.fullmatch(accent):
        raise BrandUnusable("The accent must be a colour such as #2f4b6e.", field="accent")
    organization = organizations.current(session)
    session.refresh(organization, with_for_update={"key_share": True})
    before = organization.name, organization.accent
    organization.name, organization.accent = name, accent.lower()
    if remove_logo:
        uploads.end(session, Use.LOGO)
        _show(session, organization, None)
    if remove_logo or before != (organization.name, organization.accent):
        audit.record(
            session, audit.Tag.BRAND_CHANGED, actor=actor, accent=organization.accent, logo=remove_logo
        )
    session.flush()
    return organization


def name_entity(session: Session, *, legal_name: str, postal_address: str, actor: audit.Actor) -> None:
    """Say who the company is in law and where: certificates name it as the one that is responsible.

    Args:
        session: bound to the organization.
        legal_name: as a register has it, in one line; empty to say nothing.
        postal_address: in as many lines as it takes; empty to say nothing.
        actor: who says so.

    Raises:
        BrandUnusable: one of them is too long; nothing was changed.
    """
    legal_name = " ".join(legal_name.split())
    lines = (" ".join(line.split()) for line in postal_address.splitlines())
    address = "\n".join(line for line in lines if line)
    if len(legal_name) > LONGEST_LEGAL_NAME:
        raise BrandUnusable("The legal name has at most 200 characters.", field="legal_name")
    if len(address) > LONGEST_ADDRESS:
        raise BrandUnusable("The postal address has at most 400 characters.", field="postal_address")
    organization = organizations.current(session)
    session.refresh(organization, with_for_update={"key_share": True})
    if (organization.legal_name, organization.postal_address) == (legal_name, address):
        return
    organization.legal_name, organization.postal_address = legal_name, address
    audit.record(session, audit.Tag.ENTITY_CHANGED, actor=actor, name=bool(legal_name), address=bool(address))
    session.flush()


def label_models(session: Session, wanted: bool, *, actor: audit.Actor) -> None:
    """Have every file of a model-made picture, downloaded from now on, say so visibly, or no longer.

    Args:
        session: bound to the organization.
        wanted: whether they do.
        actor: who says so.
    """
    organization = organizations.current(session)
    session.refresh(organization, with_for_update={"key_share": True})
    if organization.label_models == wanted:
        return
    organization.label_models = wanted
    audit.record(session, audit.Tag.LABEL_CHANGED, actor=actor, wanted=wanted)
    session.flush()


def seal_logo(org_id: UUID, png: bytes) -> Sealed:
    """Seal a logo, encoded anew by the caller, before the transaction that shows it."""
    return vault().seal(org_id, png, kind=Kind.LOGO, media_type="image/png", member_id=None)


def replace_logo(session: Session, sealed: Sealed, *, actor: audit.Actor) -> UUID:
    """Show another logo from now on; the bytes of the old one are destroyed.

    Args:
        session: bound to the organization.
        sealed: what `seal_logo` made of it.
        actor: who sent it.
    """
    organization = organizations.current(session)
    session.refresh(organization, with_for_update={"key_share": True})
    stored = vault().keep(session, sealed)
    _show(session, organization, stored.id)
    audit.record(session, audit.Tag.BRAND_CHANGED, actor=actor, accent=organization.accent, logo=True)
    return stored.id


def _show(session: Session, organization: Organization, logo_id: UUID | None) -> None:
    old, organization.logo_id = organization.logo_id, logo_id
    session.flush()
    if old is not None:
        vault().delete(session, [old])
