"""Who may enter a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask_babel import gettext as _
from flask_login import current_user, login_required

from core.errors import Forbidden
from core.people.sessions import SignedIn
from core.permissions import Permission, allowed

P = ParamSpec("P")
R = TypeVar("R")


def me() -> SignedIn:
    """Return who makes this request; only inside a guarded view."""
    user = current_user._get_current_object()  # noqa: SLF001 - Flask-Login's proxy has no other way out
    assert isinstance(user, SignedIn)
    return user


def requires(permission: Permission) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a view run only for roles that include `permission`."""

    def guard(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        @login_required  # type: ignore[untyped-decorator]  # Flask-Login ships no types
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if not allowed(me().role, permission):
                raise Forbidden(_("Your role does not include this. Ask an owner of your company's account."))
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]  # read by the test of all routes
        return guarded

    return guard
