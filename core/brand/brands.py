"""The company's brand: name, accent colour, logo."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core import audit
from core.brand import pictures
from core.errors import InvalidInput
from core.models import Kind, Organization
from core.people import organizations
from core.style.spec import HEX_COLOR
from core.vault import vault

SMALL_LOGO = 100  # px, longer side: a portrait of 1,024 pixels shows a logo 143 pixels long
LONGEST_NAME = 120  # as wide as the column


class BrandUnusable(InvalidInput):
    """A field of the brand cannot be used."""

    code = "brand_unusable"


def save(
    session: Session,
    *,
    name: str,
    accent: str,
    logo: bytes | None = None,
    remove_logo: bool = False,
    actor: audit.Actor,
) -> Organization:
    """Save the brand; a new logo replaces the old one, whose bytes are destroyed.

    Args:
        session: bound to the organization.
        name: shown on every page and mail.
        accent: sRGB, `#rrggbb`; pages adapt it where it would not be readable.
        logo: PNG, JPEG or WebP; kept as a PNG of at most 512 pixels.
        remove_logo: show the name alone.
        actor: who does it.

    Raises:
        BrandUnusable: the name is empty or too long, or the accent is no colour.
        PictureUnusable: the logo cannot be read.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BrandUnusable("Please give the company's name, at most 120 characters.", field="name")
    if not HEX_COLOR.fullmatch(accent):
        raise BrandUnusable("The accent must be a colour such as #2f4b6e.", field="accent")
    organization = organizations.current(session)
    organization.name, organization.accent = name, accent.lower()
    if logo is not None or remove_logo:
        _replace_logo(session, organization, pictures.logo_png(logo) if logo is not None else None)
    audit.record(
        session, audit.Tag.BRAND_CHANGED, actor=actor, accent=organization.accent, logo=logo is not None
    )
    session.flush()
    return organization


def _replace_logo(session: Session, organization: Organization, png: bytes | None) -> None:
    old = organization.logo_id
    organization.logo_id = None
    if png is not None:
        stored = vault().put(session, png, kind=Kind.LOGO, media_type="image/png", member_id=None)
        organization.logo_id = stored.id
    if old is not None:
        vault().delete(session, [old])
