"""Which groups came with a sign-in and which give a role: told where somebody is refused, or nobody could mend it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from flask import session

from sso.saml import Identity, SamlConnection

MOST, MOST_BYTES = (
    20,
    1500,
)  # of names that are kept: the browser holds them, and a cookie has 4,096 bytes at most
_KEPT = "groups"


@dataclass(frozen=True)
class Groups:
    """What a page says of somebody's groups."""

    arrived: tuple[str, ...]
    more: int  # that came too, and are not named
    complete: bool  # whether the provider sent a list, with nothing left out
    admin: tuple[str, ...]  # whose members are admins
    auditor: tuple[str, ...]  # whose members are auditors


def of(connection: SamlConnection, identity: Identity) -> Groups:
    """Return what a page says of a sign-in's groups."""
    arrived = _some(identity.groups)
    return _groups(connection, arrived, len(identity.groups) - len(arrived), identity.all_groups)


def keep(identity: Identity) -> None:
    """Remember in the browser which groups came, for a page that refuses later."""
    arrived = _some(identity.groups)
    session[_KEPT] = [list(arrived), len(identity.groups) - len(arrived), identity.all_groups]


def kept(connection: SamlConnection) -> Groups | None:
    """Return what a page says of the groups that came when this browser signed in, if they were remembered."""
    if _KEPT not in session:
        return None
    arrived, more, complete = session[_KEPT]
    return _groups(connection, tuple(arrived), more, complete)


def _some(groups: Sequence[str]) -> tuple[str, ...]:
    found, size = [], 0
    for group in groups[:MOST]:
        size += len(json.dumps(group))
        if size > MOST_BYTES:
            break
        found.append(group)
    return tuple(found)


def _groups(connection: SamlConnection, arrived: tuple[str, ...], more: int, complete: bool) -> Groups:
    return Groups(
        arrived,
        more,
        complete,
        tuple(sorted(connection.admin_groups)),
        tuple(sorted(connection.auditor_groups)),
    )
