"""The company's face on our pages: colours checked for contrast, the logo, shared static files."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, g, request, url_for
from sqlalchemy.exc import NoResultFound

from core.db import Lookup, transaction
from core.errors import NotFound
from core.models import Artifact, Organization
from core.people import organizations
from core.style.colors import DARK_GROUND, LIGHT_GROUND, parse_hex, readable, text_on, to_hex
from core.vault import vault
from core.web.cookies import keep

bp = Blueprint("brand", __name__, url_prefix="/brand")
shared = Blueprint(
    "shared", __name__, static_folder="static", template_folder="templates", static_url_path="/static/shared"
)

COOKIE = "company"
COOKIE_SECONDS = 31_536_000


@dataclass(frozen=True)
class Brand:
    """What templates show of a company, and how its pages speak German. Colours are `#rrggbb`."""

    name: str
    logo_url: str | None
    accent: str
    on_accent: str
    accent_on_light: str
    accent_on_dark: str
    formal: bool  # whether German says "Sie"


def brand_of(organization: Organization) -> Brand:
    """Return the company's brand with an accent that reads on light, on dark and under text."""
    accent = parse_hex(organization.accent)
    return Brand(
        name=organization.name,
        logo_url=(
            url_for("brand.logo", org_id=organization.id, logo_id=organization.logo_id)
            if organization.logo_id
            else None
        ),
        accent=to_hex(accent),
        on_accent=to_hex(text_on(accent)),
        accent_on_light=to_hex(readable(accent, LIGHT_GROUND)),
        accent_on_dark=to_hex(readable(accent, DARK_GROUND)),
        formal=organization.formal_german,
    )


def dress(organization: Organization) -> Brand:
    """Have the page of this request look, and speak, as the company does; return its brand."""
    made = g.brand = brand_of(organization)
    return made


def of_company(slug: str) -> Brand | None:
    """Dress the page of this request as the company with this short name, if there is one; return its brand."""
    org_id = Lookup.organization(slug) if slug else None
    if org_id is None:
        return None
    with transaction(org_id) as session:
        return dress(organizations.current(session))


def remembered() -> str:
    """Return the short name of the company that this browser was last at; empty before the first."""
    kept = request.cookies.get(COOKIE, "")
    return kept if organizations.SLUG.fullmatch(kept) else ""


def remember(response: Response, slug: str) -> None:
    """Let this browser's pages keep the company's look without a session; says nothing about a person."""
    keep(response, COOKIE, slug, seconds=COOKIE_SECONDS)


@bp.get("/<uuid:org_id>/logo/<uuid:logo_id>")
def logo(org_id: UUID, logo_id: UUID) -> Response:
    """Serve a company's logo: public, since it stands on pages before sign-in."""
    with transaction(org_id) as session:
        try:
            organization = organizations.current(session)
        except NoResultFound as error:
            raise NotFound("There is no logo at this address.") from error
        if organization.logo_id != logo_id:
            raise NotFound("There is no logo at this address.")
        media_type = session.get_one(Artifact, logo_id).media_type
        held = vault().find(session, logo_id)
    response = Response(vault().open(held), mimetype=media_type)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
