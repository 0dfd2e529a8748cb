"""The cookies that our pages keep: never for scripts, never for other sites, never in the clear."""

from __future__ import annotations

from flask import Response

from core.settings import settings


def name_of(cookie: str) -> str:
    """Return the name of a cookie that holds a secret: in production one that no other host can set (RFC 6265bis)."""
    return f"__Host-{cookie}" if settings().is_production else cookie


def keep(response: Response, name: str, value: str, *, seconds: int) -> None:
    """Let the browser keep `value` for `seconds`."""
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        secure=settings().is_production,
        httponly=True,
        samesite="Lax",
        path="/",
    )
