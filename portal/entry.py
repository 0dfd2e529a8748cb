"""Coming in: what a browser keeps once somebody has signed in."""

from __future__ import annotations

from uuid import UUID

from flask import Response, current_app, g
from flask import session as form

from core.web import brand
from core.web.app import remember

_WHOSE = "whose"  # in the form secrets: whose pages they are for, and which shoot those mean that name none


def enter(response: Response, member_id: UUID, secret: str, own: UUID | None) -> Response:
    """Let the browser that gets `response` keep what it needs from now on.

    Args:
        response: leads to the first page.
        member_id: who it is; pages of whoever used this browser before can send nothing any more.
        secret: token of the session.
        own: the participation that addresses without one mean; nor can pages of a time when they meant another.
    """
    whose = f"{member_id} {own}"
    if form.get(_WHOSE) not in (None, whose):
        form.clear()
    form[_WHOSE] = whose
    remember(response, current_app, secret)
    brand.remember(response, g.slug)
    return response
