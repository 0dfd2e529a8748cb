"""How a handler answers: a page for people, JSON for programs, and a redirect after a form."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, flash, jsonify, make_response, redirect, render_template, request

from core.errors import AppError, InvalidInput
from core.web.errors import wants_json


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Render a page."""
    return make_response(render_template(f"admin/{template}", **values), status)


def done(location: str, message: str = "", category: str = "good", **body: Any) -> Response:
    """Answer a form that worked: 303 to `location` with a note, or `body` as JSON.

    The note travels in a cookie, so it never names a person.
    """
    if wants_json():
        return jsonify({"location": location, "message": message, **body})
    if message:
        flash(message, category)
    return make_response(redirect(location, 303))


def again(template: str, error: AppError, **values: Any) -> Response:
    """Answer a form that did not work: the same page with what was typed and what to change."""
    if wants_json():
        raise error
    return page(template, error.status, problem=error, **values)


def uuid_argument(name: str) -> UUID | None:
    """Return the id in the query string or form called `name`; `None` where there is none.

    Raises:
        InvalidInput: it is no id.
    """
    value = request.values.get(name, "")
    if not value:
        return None
    try:
        return UUID(value)
    except ValueError as error:
        raise InvalidInput("This address is not complete. Please go back and try again.") from error
