"""Outages: what went wrong because something outside was away, told apart from what is the work's own fault.

An outage is not a try. Work that met one waits and goes on when the part answers again, however long that takes.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from enum import StrEnum
from types import TracebackType
from typing import Final

import redis
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import Unavailable
from core.mail.message import MailFailed
from core.vault.kms import EpochKeyGone
from core.vault.outage import Outage


class Part(StrEnum):
    """What can be away; the stable codes of outages."""

    STORAGE = "storage_away"
    KEYRING = "keyring_away"
    DATABASE = "database_away"
    REDIS = "redis_away"
    MAIL = "mail_away"
    NETWORK = "network_away"
    OTHER = "unavailable"


# Classes of SQLSTATE that an operator or time mends (PostgreSQL manual, appendix A): connection exception,
# insufficient resources such as a full disk, operator intervention such as a shutdown, system error.
_AWAY_STATES: Final = ("08", "53", "57P", "58")
_VAULT_PARTS: Final = {"storage": Part.STORAGE, "keyring": Part.KEYRING}
# Modules in which this program does nothing but wait for an answer from outside.
_WAITING: Final = {
    "core.vault.store": Part.STORAGE,
    "core.vault.kms": Part.KEYRING,
    "core.mail.lines": Part.MAIL,
    "smtplib": Part.MAIL,
    "psycopg.waiting": Part.DATABASE,
    "redis.connection": Part.REDIS,
}


def part_of(error: BaseException) -> Part | None:
    """Return what was away when `error` came of that; `None` where the work itself is at fault.

    A mail that is refused for its own or its recipient's sake is no outage, and neither is a value that a
    database does not take.
    """
    for one in _chain(error):
        if (part := _own(one)) is not None:
            return part
    return None


def waited_for(error: BaseException) -> Part | None:
    """Return what was being waited for when `error`, the end of a job's time, came; `None` if the work was busy."""
    for module in _modules(error.__traceback__):
        if module in _WAITING:
            return _WAITING[module]
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield `error` and what it was raised from; not what was merely being handled when it came."""
    while error is not None:
        yield error
        error = error.__cause__


def _own(error: BaseException) -> Part | None:
    if isinstance(error, Outage):
        return _VAULT_PARTS.get(error.part, Part.OTHER)
    if isinstance(error, MailFailed):
        return Part.MAIL if error.retryable else None
    if isinstance(error, EpochKeyGone):
        # A living key is always wrapped under the current epoch: its file is gone only where the folder is.
        return Part.KEYRING
    if isinstance(error, redis.RedisError):
        return Part.REDIS
    if isinstance(error, PoolTimeout):
        return Part.DATABASE
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        away = error.connection_invalidated or (state is None and _is_operational(error))
        return Part.DATABASE if away or (state or "").startswith(_AWAY_STATES) else None
    if isinstance(error, Unavailable):
        return Part.OTHER
    if isinstance(error, ConnectionError | socket.gaierror):
        return Part.NETWORK
    return None


def _is_operational(error: DBAPIError) -> bool:
    """Whether the driver speaks of the connection; such an error has no SQLSTATE, since no server sent it."""
    return type(error).__name__ in ("OperationalError", "InterfaceError")


def _modules(trace: TracebackType | None) -> Iterator[str]:
    while trace is not None:
        yield str(trace.tb_frame.f_globals.get("__name__", ""))
        trace = trace.tb_next
