"""The employee portal."""

from __future__ import annotations

from typing import Any

from flask import Flask, g, render_template

from core.web.app import create_app as create_base
from core.web.visitor import visitor
from portal import consent, declined, erased, gallery, invite, privacy, progress, reminders, trust, upload
from portal.visit import stay


def create_app() -> Flask:
    """Return the portal as a WSGI app."""
    app = create_base("portal", __name__)
    for part in (invite, consent, declined, upload, progress, gallery, privacy, erased, trust, reminders):
        app.register_blueprint(part.bp)
    app.context_processor(_context)
    app.url_defaults(stay)

    @app.get("/")
    def start() -> str:
        return render_template("start.html")

    return app


def _context() -> dict[str, Any]:
    return {
        "brand": g.get("brand"),
        "slug": g.get("slug"),
        "shoot_name": g.get("shoot_name"),
        "signed_in": visitor() is not None,
    }
