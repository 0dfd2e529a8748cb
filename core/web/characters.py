"""Characters that no column can keep, refused before any page reads them.

Postgres stores no NUL in a text, and half of a surrogate pair is no character at all (Unicode 15, 3.9);
whoever sends one is a probe or a broken program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, current_app, request
from flask_babel import gettext as _

from core.composed import is_stream_safe
from core.errors import AppError
from core.web.errors import answer

_NOT_KEPT = re.compile("[\0\ud800-\udfff]")


class UnusableText(AppError):
    """Something that was sent holds a character that cannot be kept."""

    code = "unusable_text"
    status = 400


def can_be_kept(text: str) -> bool:
    """Whether a column can hold `text`, and comparing it costs no more than its length."""
    return _NOT_KEPT.search(text) is None and is_stream_safe(text)


def register(app: Flask) -> None:
    """Let `app` refuse such a request, wherever in it the character stands."""
    app.before_request(_refuse)


def _refuse() -> Response | None:
    if request.mimetype != "multipart/form-data":  # read whole, where that reads part by part
        request.max_content_length = current_app.config["MAX_FORM_MEMORY_SIZE"]
    bad_cookies = [name for name, value in request.cookies.items() if not can_be_kept(name + value)]
    if not bad_cookies and _can_all_be_kept():
        return None
    response = answer(
        UnusableText(
            _(
                "This address or form holds a character that cannot be used. Nothing was changed: "
                "type it anew, and try again."
            )
        )
    )
    for name in bad_cookies:  # or the browser would bring it again for ever
        if can_be_kept(name):
            response.delete_cookie(name)
    return response


def _can_all_be_kept() -> bool:
    try:
        return all(map(can_be_kept, _sent()))
    except RecursionError:  # JSON in more brackets than any program of ours sends
        return False


def _sent() -> Iterator[str]:
    """Yield every text of the request that a page may read."""
    yield request.path
    for name, value in request.args.items(multi=True):
        yield name + value
    if request.endpoint is None or request.method in ("GET", "HEAD", "OPTIONS"):
        return  # nobody reads a body
    for name, value in request.form.items(multi=True):
        yield name + value
    for name, file in request.files.items(multi=True):
        yield name + (file.filename or "")
    if request.is_json:
        yield from _within(request.get_json(silent=True))


def _within(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from _within(one)
    elif isinstance(value, list):
        for one in value:
            yield from _within(one)
