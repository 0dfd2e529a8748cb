"""The open link of a shoot: made, shown to be handed around, and withdrawn."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, make_response, request
from flask_babel import format_decimal
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from admin import qr
from core.clock import now
from core.db import transaction
from core.errors import Conflict, InvalidInput, NotFound
from core.models import Member, Shoot
from core.people import addresses
from core.people.free_mail import FREE_MAIL
from core.permissions import Permission
from core.shoots import open_links, shoots
from core.shoots.open_links import OpenLinkUnusable
from core.web.answers import again, go, page
from core.web.guards import me, requires

bp = Blueprint("open_link", __name__)


@bp.get("/shoots/<uuid:shoot_id>/open-link")
@requires(Permission.INVITE)
def show(shoot_id: UUID) -> Response:
    """Show the link that a shoot has, and ask what a new one is to be."""
    with transaction(me().org_id) as session:
        shown = _shown(session, shoots.get(session, shoot_id))
    return page("admin/open_link.html", **shown)


def _shown(session: Session, shoot: Shoot) -> dict[str, Any]:
    link = open_links.current(session, shoot)
    before = link.domains if link else _own_domain(session)
    ending = open_links.ending(link, shoot) if link else None
    address = open_links.address_of(link) if link and ending is None else ""
    return {
        "shoot": shoot,
        "link": link,
        "address": address,
        "code": bool(address) and qr.svg(address) is not None,
        "ending": ending,
        "ends": open_links.ends_at(link, shoot) if link else None,
        "at": open_links.at(link.domains) if link else [],
        "fields": {
            "domains": ", ".join(map(addresses.readable_domain, before)),
            "most": str(link.most) if link else "",
            "last_day": shoot.deadline.date().isoformat(),
            "free_mail": "",
        },
        "today": now().date().isoformat(),
        "most": open_links.MOST,
    }


def _own_domain(session: Session) -> list[str]:
    """Return the domain of whoever asks, as the company's most likely one."""
    email = session.get_one(Member, me().member_id).email
    domain = addresses.domain_of(email) if email else ""
    return [domain] if domain and domain not in FREE_MAIL else []


@bp.post("/shoots/<uuid:shoot_id>/open-link")
@requires(Permission.INVITE)
def create(shoot_id: UUID) -> Response:
    """Make a link; the one that the shoot had works no more."""
    form = request.form
    try:
        with transaction(me().org_id) as session:
            shoot = shoots.get(session, shoot_id, lock=True)
            shown = _shown(session, shoot)
            link = open_links.create(
                session,
                shoot,
                domains=form.get("domains", ""),
                most=_number(form.get("most", "")),
                last_day=_day(form.get("last_day", "")),
                free_mail="free_mail" in form,
                actor=me().actor,
            )
    except (InvalidInput, Conflict) as error:
        wrong = str(error.details.get("field", ""))
        shown["fields"] |= {name: form.get(name, "") for name in shown["fields"]}
        asks = isinstance(error, open_links.FreeMail) or "free_mail" in form
        return again("admin/open_link.html", error, wrong=wrong, asks=asks, **shown)
    message = _(
        "The link is ready. Up to %(number)s people can join by it.", number=format_decimal(link.most)
    )
    return go(
        f"/admin/shoots/{shoot_id}/open-link", message, id=str(link.id), link=open_links.address_of(link)
    )


def _number(text: str) -> int:
    # More digits than any number that is taken, which may be turned into one all the same.
    return int(text) if text.isascii() and text.strip().isdigit() and len(text) < 10 else 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise OpenLinkUnusable(
            _("Please give the last day as a day, like 2026-12-31."), field="last_day"
        ) from error


@bp.post("/shoots/<uuid:shoot_id>/open-link/revoke")
@requires(Permission.INVITE)
def revoke(shoot_id: UUID) -> Response:
    """Let nobody join by the link any more; whoever did stays invited."""
    with transaction(me().org_id) as session:
        shoot = shoots.get(session, shoot_id, lock=True)
        link = open_links.current(session, shoot)
        if link is not None:
            open_links.revoke(session, link, actor=me().actor)
    return go(
        f"/admin/shoots/{shoot_id}/open-link",
        _("The link leads nowhere any more. Whoever joined by it stays invited."),
    )


@bp.get("/shoots/<uuid:shoot_id>/open-link/qr.svg")
@requires(Permission.INVITE)
def code(shoot_id: UUID) -> Response:
    """Return the link as a QR code, to be put on a slide or a poster."""
    with transaction(me().org_id) as session:
        link = open_links.current(session, shoots.get(session, shoot_id))
        address = open_links.address_of(link) if link else None
    picture = qr.svg(address) if address else None
    if picture is None:
        raise NotFound(_("There is no code for this link. Hand the address around instead."))
    response = make_response(picture)
    response.content_type = "image/svg+xml"
    return response
