"""How a handler answers: a page for people, JSON for programs, and a redirect after a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, flash, jsonify, make_response, redirect, render_template, request
from flask_babel import gettext as _

from core.errors import AppError, InvalidInput
from core.web.errors import said, wants_json


def page(template: str, status: int = 200, /, **values: Any) -> Response:
    """Render a page."""
    return make_response(render_template(template, **values), status)


def json_answer(body: Mapping[str, Any], status: int = 200) -> Response:
    """Answer a program, or a page's script, with JSON."""
    return make_response(jsonify(body), status)


def go(address: str, message: str = "", category: str = "good", **facts: Any) -> Response:
    """Send people on: 303 to `address` with a note; programs get `next`, the note and `facts` as JSON.

    The note travels in a cookie, so it never names a person.
    """
    if wants_json():
        return json_answer({"next": address, **({"message": message} if message else {}), **facts})
    if message:
        flash(message, category)
    return make_response(redirect(address, 303))


def back(error: AppError, address: str) -> Response:
    """Answer a form that cannot be done: programs get the error, people the page again with the reason."""
    if wants_json():
        raise error
    flash(said(error), "bad")
    return make_response(redirect(address, 303))


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
        raise InvalidInput(_("This address is not complete. Please go back and try again.")) from error
