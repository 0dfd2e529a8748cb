"""Answers that carry a person's bytes: never stored by a cache, never run by a browser."""

from __future__ import annotations

from flask import Response, make_response


def picture(content: bytes, media_type: str) -> Response:
    """Return an image for the page that shows it."""
    response = make_response(content)
    response.content_type = media_type
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Disposition"] = "inline"
    # Whatever the bytes are, opened on their own they can neither run nor load anything.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def attachment(content: bytes, media_type: str, name: str) -> Response:
    """Return a file for the downloads folder; a `name` that names somebody goes to whoever may know them alone."""
    response = picture(content, media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
