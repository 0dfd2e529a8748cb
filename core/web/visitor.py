"""Who makes a request, asked once and in one place."""

from __future__ import annotations

from flask import g
from flask_login import current_user

from core.people.sessions import SignedIn


def visitor() -> SignedIn | None:
    """Return who makes this request; `None` without a session, and on the page of a failure, which asks nothing."""
    if not g.get("visitor_is_asked", True):
        return None
    user = current_user._get_current_object()  # noqa: SLF001 - Flask-Login's proxy has no other way out
    return user if isinstance(user, SignedIn) else None
