"""Where the company's pages lead: few ways in, each with the pages that belong together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from core.permissions import Permission, allowed


@dataclass(frozen=True)
class Leaf:
    """One page and those under it."""

    address: str
    label: LazyString
    permission: Permission
    under: tuple[str, ...] = ()  # beginnings of other addresses that are its own

    def holds(self, path: str) -> bool:
        """Whether an address is of this page or under it."""
        return any(path == one or path.startswith(f"{one}/") for one in (self.address, *self.under))


@dataclass(frozen=True)
class Way:
    """One way in.

    Attributes:
        label: as the bar names it.
        icon: its symbol in `icons.svg`.
        leaves: its pages; the bar leads to the first that a role may see, and each of them to the others.
        is_here: whether the page that is shown is one of them.
    """

    label: LazyString
    icon: str
    leaves: tuple[Leaf, ...]
    is_here: bool = False


_WAYS: Final = (
    Way(
        _l("Shoots"),
        "shoots",
        (
            Leaf("/admin/", _l("Shoots"), Permission.VIEW_DASHBOARD, ("/admin/shoots",)),
            Leaf("/admin/renewal", _l("Renewal"), Permission.MANAGE_SHOOTS),
        ),
    ),
    Way(_l("People"), "people", (Leaf("/admin/people", _l("People"), Permission.INVITE),)),
    Way(_l("Styles"), "styles", (Leaf("/admin/styles", _l("Styles"), Permission.EDIT_STYLE),)),
    Way(
        _l("Company"),
        "brand",
        (
            Leaf("/admin/brand", _l("Brand"), Permission.EDIT_STYLE),
            Leaf("/admin/mails", _l("Mails"), Permission.EDIT_MAILS),
            Leaf("/admin/retention", _l("Retention"), Permission.EDIT_RETENTION),
            Leaf("/admin/settings/privacy", _l("Privacy"), Permission.VIEW_AUDIT),
        ),
    ),
    Way(_l("Requests"), "requests", (Leaf("/admin/requests", _l("Requests"), Permission.VIEW_REQUESTS),)),
    Way(
        _l("Evidence"),
        "evidence",
        (
            Leaf("/admin/audit", _l("Signed log"), Permission.VIEW_AUDIT),
            Leaf("/admin/controls", _l("Controls"), Permission.VIEW_AUDIT),
            Leaf("/admin/reports", _l("Reports"), Permission.VIEW_AUDIT),
            Leaf("/admin/breaches", _l("Breaches"), Permission.VIEW_AUDIT),
        ),
    ),
)


def of(role: str, path: str) -> list[Way]:
    """Return the ways in that `role` has, with the pages that it may see, as the page at `path` shows them."""
    return list(_seen(role, path))


def _seen(role: str, path: str) -> Iterator[Way]:
    for way in _WAYS:
        leaves = tuple(one for one in way.leaves if allowed(role, one.permission))
        if leaves:
            yield Way(way.label, way.icon, leaves, any(one.holds(path) for one in leaves))
