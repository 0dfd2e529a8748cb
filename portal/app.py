"""The employee portal."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, g, url_for

from core.shoots import participations
from core.web import brand
from core.web.answers import page
from core.web.app import create_app as create_base
from core.web.errors import answer, wants_json
from core.web.visitor import visitor
from portal import (
    bounces,
    by_company,
    consent,
    data_link,
    declined,
    editing,
    erased,
    gallery,
    invite,
    log_tiles,
    open_link,
    opendsr,
    origin,
    own_copy,
    own_requests,
    pieces,
    policy,
    privacy,
    progress,
    public_requests,
    receipts,
    rejecting,
    reminders,
    strangers,
    trust,
    upload,
)
from portal.visit import stay


def create_app() -> Flask:
    """Return the portal as a WSGI app."""
    app = create_base("portal", __name__)
    for part in (
        invite,
        open_link,
        consent,
        declined,
        upload,
        pieces,
        by_company,
        policy,
        progress,
        gallery,
        rejecting,
        editing,
        privacy,
        own_requests,
        public_requests,
        opendsr,
        receipts,
        erased,
        trust,
        origin,
        own_copy,
        log_tiles,
        reminders,
        bounces,
        data_link,
        strangers,
    ):
        app.register_blueprint(part.bp)
    app.before_request(data_link.begins_nothing)
    app.context_processor(_context)
    app.url_defaults(stay)

    @app.errorhandler(participations.ShootEnded)
    def on_ended(error: participations.ShootEnded) -> Response:
        return (
            answer(error) if wants_json() else page("ended.html", error.status, problem=error, by_mail=False)
        )

    @app.get("/")
    def start() -> Response:
        return page("start.html")

    return app


def _context() -> dict[str, Any]:
    slug = g.get("slug") or brand.remembered()
    return {
        "ask_for_data_url": url_for("data_link.ask", slug=slug) if slug else None,
        "brand": g.get("brand"),
        "slug": g.get("slug"),
        "person": g.get("person"),
        "shoot_name": g.get("shoot_name"),
        "signed_in": visitor() is not None,
    }
