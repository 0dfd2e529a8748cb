"""Who may enter a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import current_app
from flask_babel import gettext as _

from core.errors import Forbidden
from core.people.sessions import SignedIn
from core.permissions import Permission, allowed
from core.web.errors import signed_out
from core.web.visitor import visitor

P = ParamSpec("P")
R = TypeVar("R")


def me() -> SignedIn:
    """Return who makes this request; only inside a guarded view."""
    user = visitor()
    assert user is not None
    return user


def signed_in(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view run only for somebody with a session."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if visitor() is None:
            raise signed_out(current_app)
        return view(*args, **kwargs)

    return guarded


def requires(permission: Permission) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view run only for roles that include `permission`."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @signed_in
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not allowed(me().role, permission):
                raise Forbidden(_("Your role does not include this. Ask an owner of your company's account."))
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]  # read by the test of all routes
        return guarded

    return guard
