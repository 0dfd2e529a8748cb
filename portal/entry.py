"""Coming in: what a browser keeps once somebody has signed in."""

from __future__ import annotations

from uuid import UUID

from flask import Response, current_app, g
from flask import session as form

from core.web import brand
from core.web.app import remember

_WHOSE = "whose"  # in the form secrets: the id of the member whose pages they are for


def enter(response: Response, member_id: UUID, secret: str) -> Response:
    """Let the browser that gets `response` keep what it needs from now on.

    Args:
        response: leads to the first page.
        member_id: who it is; pages of whoever used this browser before can send nothing any more.
        secret: token of the session.
    """
    if form.get(_WHOSE) not in (None, str(member_id)):
        form.clear()
    form[_WHOSE] = str(member_id)
    remember(response, current_app, secret)
    brand.remember(response, g.slug)
    return response
