"""The company's face on our pages: colours checked for contrast, the logo, shared static files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from flask import Blueprint, Response, url_for
from sqlalchemy.exc import NoResultFound

from core.db import transaction
from core.errors import NotFound
from core.models import Artifact, Organization
from core.services import organizations
from core.vault import vault

bp = Blueprint("brand", __name__, url_prefix="/brand")
shared = Blueprint(
    "shared", __name__, static_folder="static", template_folder="templates", static_url_path="/static/shared"
)

STATIC = Path(__file__).parent / "static"
# WCAG 2.2 SC 1.4.3: text against its ground.
MIN_CONTRAST = 4.5
WHITE, BLACK = (255, 255, 255), (17, 17, 17)
DARK_GROUND = (23, 26, 31)

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Brand:
    """What templates show of a company. Colours are `#rrggbb`."""

    name: str
    logo_url: str | None
    accent: str
    on_accent: str
    accent_on_light: str
    accent_on_dark: str


def _rgb(color: str) -> Rgb:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _hex(color: Rgb) -> str:
    return "#" + "".join(f"{part:02x}" for part in color)


def _luminance(color: Rgb) -> float:
    """Relative luminance, WCAG 2.2."""
    linear = [
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in color
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast ratio of two sRGB colours, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(color: Rgb, ground: Rgb) -> Rgb:
    """Return `color`, moved towards black or white until it reads on `ground`."""
    towards = BLACK if _luminance(ground) > 0.4 else WHITE
    for step in range(21):
        mixed = tuple(
            round(part + (aim - part) * step / 20) for part, aim in zip(color, towards, strict=True)
        )
        if contrast(mixed, ground) >= MIN_CONTRAST:  # type: ignore[arg-type]  # three parts in, three out
            return mixed  # type: ignore[return-value]  # as above
    return towards


def brand_of(organization: Organization) -> Brand:
    """Return the company's brand with an accent that reads on light, on dark and under text."""
    accent = _rgb(organization.accent)
    on_accent = WHITE if contrast(WHITE, accent) >= contrast(BLACK, accent) else BLACK
    return Brand(
        name=organization.name,
        logo_url=(
            url_for("brand.logo", org_id=organization.id, logo_id=organization.logo_id)
            if organization.logo_id
            else None
        ),
        accent=_hex(accent),
        on_accent=_hex(on_accent),
        accent_on_light=_hex(readable(accent, WHITE)),
        accent_on_dark=_hex(readable(accent, DARK_GROUND)),
    )


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
        content = vault().get(session, logo_id)
    response = Response(content, mimetype=media_type)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
