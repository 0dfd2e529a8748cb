"""Whether the parts that pages need answer: each asked in a thread of its own, within a time, and not again for seconds.

However many ask, a part is asked once at a time: one that hangs holds one thread and not the whole process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

import redis
from sqlalchemy import NullPool, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.clock import now, rfc3339
from core.connections import postgres_engine
from core.db import DirectoryEmpty, demand_schema
from core.logs import logger
from core.mail import lines
from core.models import DirectoryState
from core.observe import metrics
from core.reasons import Reason, reason_of
from core.settings import settings
from core.vault import vault
from core.vault.key_tables import Epoch, LogDifference
from core.vault.kms import EpochKeyGone
from core.vault.outage import Outage

TIMEOUT_SECONDS = 2.0
KEEP_SECONDS = 3.0
MAIL_KEEP_SECONDS = 60.0  # a mail server that is greeted every few seconds by every process shuts the door
NO_ANSWER = "no_answer"


class State(StrEnum):
    """How the whole is."""

    READY = "ready"
    DEGRADED = "degraded"  # pages work, and something behind them waits
    UNREADY = "unready"


@dataclass(frozen=True)
class Part:
    """Something that this process depends on.

    Attributes:
        name: Short and stable.
        ask: Returns when the part works, and raises when it does not.
        needed: Whether pages cannot do without.
        keep_seconds: For how long an answer counts.
    """

    name: str
    ask: Callable[[], object]
    needed: bool = True
    keep_seconds: float = KEEP_SECONDS


@dataclass(frozen=True)
class Standing:
    """How a part is.

    Attributes:
        error: Why, or the kind of error, without its text, which may hold an address or a secret; `None` where it works.
        since: When it began to be so, as far as this process has seen.
    """

    name: str
    needed: bool
    error: str | None
    since: datetime


@dataclass(frozen=True)
class Report:
    """How all parts are."""

    parts: tuple[Standing, ...]

    @property
    def state(self) -> State:
        """Unready without a part that pages need, degraded without another."""
        broken = [part for part in self.parts if part.error is not None]
        if any(part.needed for part in broken):
            return State.UNREADY
        return State.DEGRADED if broken else State.READY

    def as_json(self) -> dict[str, Any]:
        """Return it without secrets."""
        parts = {
            part.name: {
                "state": "ok" if part.error is None else part.error,
                "needed": part.needed,
                "since": rfc3339(part.since),
            }
            for part in self.parts
        }
        return {"status": self.state.value, "parts": parts}


def _kind(failure: Exception) -> str:
    """Name what is wrong, without a word of the error's text: its reason, where it is one of reaching the part."""
    reaching = isinstance(
        failure, Outage | DBAPIError | redis.RedisError | OSError
    )  # SMTP's errors are OSErrors
    reason = reason_of(failure) if reaching else Reason.OTHER
    return type(failure).__name__ if reason is Reason.OTHER else reason.value


class _Watched:
    """One part, and what is known of it."""

    def __init__(self, part: Part, timeout_seconds: float) -> None:
        self.part = part
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._asking: threading.Event | None = None
        self._begun = 0.0  # time.monotonic()
        self._fresh_until = 0.0  # time.monotonic()
        self._standing: Standing | None = None

    def begin(self) -> None:
        """Ask, unless what is known still counts or somebody asks already."""
        with self._lock:
            if self._asking is not None or time.monotonic() < self._fresh_until:
                return
            self._asking = threading.Event()
            self._begun = time.monotonic()
            threading.Thread(
                target=self._ask, args=(self._asking,), name=f"ask-{self.part.name}", daemon=True
            ).start()

    def _ask(self, asking: threading.Event) -> None:
        error: str | None = None
        try:
            self.part.ask()
        except Exception as failure:  # noqa: BLE001 - whatever is wrong, the part does not work
            error = _kind(failure)
        with self._lock:
            if time.monotonic() - self._begun > self._timeout:
                error = NO_ANSWER  # too late for whoever waited
            self._note(error)
            self._asking = None
        asking.set()

    def _note(self, error: str | None) -> None:
        known = self._standing
        metrics.PART_UP.labels(self.part.name).set(error is None)
        if known is None or known.error != error:
            self._standing = Standing(self.part.name, self.part.needed, error, now())
            if error is not None:
                logger().error("part_does_not_answer", code=self.part.name, error=error)
            elif known is not None:
                logger().info("part_answers_again", code=self.part.name)
        self._fresh_until = time.monotonic() + self.part.keep_seconds

    def read(self) -> Standing:
        """Return how the part is, at the latest when its time is over."""
        with self._lock:
            asking, known = self._asking, self._standing
        # Nobody waits for a part that pages can do without: the last answer counts until the next.
        if asking is not None and (self.part.needed or known is None):
            asking.wait(max(0.0, self._begun + self._timeout - time.monotonic()))
        with self._lock:
            if self._asking is not None and time.monotonic() - self._begun >= self._timeout:
                self._note(NO_ANSWER)
            assert self._standing is not None
            return self._standing


class Health:
    """What `/readyz` answers."""

    def __init__(self, parts: Sequence[Part], *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._parts = [_Watched(part, timeout_seconds) for part in parts]

    def report(self) -> Report:
        """Return how the parts are; takes as long as the slowest that is needed, and never longer than a part's time."""
        for part in self._parts:
            part.begin()
        return Report(tuple(part.read() for part in self._parts))


def ask_database() -> None:
    """Ask the main database for its schema, on a connection of its own: that the pool is busy is no outage.

    Raises:
        OperationalError: it does not answer.
        SchemaTooOld: it lacks what this release's pages ask for.
    """
    with _session(settings().database_url.get_secret_value()) as session:
        demand_schema(session.connection())


def ask_directory() -> None:
    """Ask whether the directory of people is whole, which it is not after a crash of the database's server.

    Raises:
        DirectoryEmpty: the scheduler is filling it again.
        OperationalError: the database does not answer.
    """
    with _session(settings().database_url.get_secret_value()) as session:
        demand_schema(session.connection())
        if session.scalar(select(DirectoryState.whole)) is None:
            raise DirectoryEmpty


def ask_keys_database() -> int:
    """Return the current epoch's number, from the keys database.

    Raises:
        OperationalError: it does not answer.
        LookupError: it has no epoch, so nothing can be sealed.
    """
    newest = select(func.max(Epoch.number)).where(Epoch.closed_at.is_(None))
    with _session(settings().keys_database_url.get_secret_value()) as session:
        number = session.scalar(newest)
    if number is None:
        raise LookupError("no epoch")
    return int(number)


def ask_keyring() -> None:
    """Seal and open something under the current epoch's key, as each data key is.

    Raises:
        EpochKeyGone: the keyring does not have it.
        Unavailable: the keyring cannot be read.
    """
    try:
        vault().keys.check_keyring(ask_keys_database())
    except EpochKeyGone:  # the epoch may have turned between the question and the answer
        vault().keys.check_keyring(ask_keys_database())


def ask_storage() -> None:
    """Ask the object storage for an object that is not there.

    Raises:
        Unavailable: it does not answer.
    """
    vault().store.check()


class LogDiffers(Exception):
    """A company's evidence log is not what was signed."""


def ask_logs() -> None:
    """Ask beside the keys whether every log was what was signed when it was last looked at.

    Raises:
        LogDiffers: one was not.
    """
    try:
        with _session(settings().keys_database_url.get_secret_value()) as session:
            differing = session.scalar(select(LogDifference.org_id).limit(1)) is not None
    except DBAPIError:  # another part's trouble, told there
        return
    if differing:
        raise LogDiffers


def ask_redis() -> None:
    """Ask Redis, on a connection of its own.

    Raises:
        RedisError: it does not answer.
    """
    with redis.Redis.from_url(
        settings().redis_url.get_secret_value(),
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    ) as client:
        client.ping()


def greet_mail() -> None:
    """Open a line to the mail server, sign in, and leave.

    Raises:
        MailFailed: encryption or a sign-in is needed and the server offers none.
        SMTPException: the server refuses.
        OSError: it does not answer, or its certificate is not trusted.
    """
    lines.connect().close()


def _session(url: str) -> Session:
    connect_args = {"connect_timeout": max(2, int(TIMEOUT_SECONDS))}
    return Session(postgres_engine(url, poolclass=NullPool, connect_args=connect_args))


@cache
def health() -> Health:
    """Return the process's view of its parts."""
    return Health(
        [
            Part("database", ask_database),
            Part("directory", ask_directory),
            Part("keys_database", ask_keys_database),
            Part("keyring", ask_keyring),
            Part("storage", ask_storage),
            Part("redis", ask_redis, needed=False),
            Part("mail", greet_mail, needed=False, keep_seconds=MAIL_KEEP_SECONDS),
            Part("log", ask_logs, needed=False),
        ]
    )
