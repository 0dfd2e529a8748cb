"""What a look at one thing found, and looking at many without waiting for any for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.belonging import Unreadable, unreadable
from core.errors import AppError, Misfit, Unavailable
from core.reasons import Reason, reason_of
from core.vault.aws_client import KeyServiceRefuses
from deploy.doctor.causes import Kind, Outside, told

# A part that is slower than this does not serve a page either.
PATIENCE_SECONDS: Final = 20.0


class Grade(StrEnum):
    """How bad it is."""

    OK = "ok"
    SKIPPED = "skipped"  # not set up, so nothing to look at
    WARNING = "warning"  # works, and will cost somebody one day
    FAILURE = "failure"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: Which look; stable.
        says: What was found, without a secret.
        mend: What to do; empty where nothing is wrong.
    """

    check: str
    grade: Grade
    says: str
    mend: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it for `--json`."""
        return {"check": self.check, "grade": self.grade.value, "says": self.says, "mend": self.mend}

    def sentence(self) -> str:
        """Return it for people."""
        line = f"{self.grade.value:8} {self.check}: {self.says}"
        return f"{line}\n         → {self.mend}" if self.mend else line


@dataclass(frozen=True)
class Look:
    """Something to look at.

    Attributes:
        find: Yields what it finds. An `AppError` of ours tells its message, any other error its reason, or else its
            kind alone, since its text may hold an address with a password.
        mend: What to do when it raises and the reason does not say.
        outside: What it looks at, if that can be away.
    """

    check: str
    find: Callable[[], Iterator[Finding]]
    mend: str
    outside: Outside | None = None


def ok(check: str, says: str) -> Finding:
    """Nothing is wrong."""
    return Finding(check, Grade.OK, says)


def skipped(check: str, says: str) -> Finding:
    """There is nothing to look at."""
    return Finding(check, Grade.SKIPPED, says)


def warning(check: str, says: str, mend: str) -> Finding:
    """It works for now."""
    return Finding(check, Grade.WARNING, says, mend)


def failure(check: str, says: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(check, Grade.FAILURE, says, mend)


def examine(looks: Sequence[Look], *, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[Finding]:
    """Yield what all looks find, in their order; all are taken at the same time, each in a thread of its own."""
    started = []
    for look in looks:
        found: list[Finding] = []
        thread = threading.Thread(target=_take, args=(look, found), name=look.check, daemon=True)
        thread.start()
        started.append((look, found, thread))
    for look, found, thread in started:
        thread.join(patience_seconds)
        yield from tuple(found)
        if thread.is_alive():
            mend = look.mend if look.outside is None else told(look.outside, Reason.TIMEOUT)[1]
            yield failure(look.check, f"no answer within {patience_seconds:.0f} s", mend)


def _take(look: Look, found: list[Finding]) -> None:
    try:
        for one in look.find():
            found.append(one)  # noqa: PERF402 - each at once: the next may never come
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        found.append(failure(look.check, *_read(look, error)))


def _read(look: Look, error: Exception) -> tuple[str, str]:
    """Return what `error` says, without a secret, and what to do."""
    if (closed := error if isinstance(error, Unreadable) else unreadable(error)) is not None:
        return closed.says, closed.mend
    if isinstance(error, Misfit | KeyServiceRefuses):
        return error.operator, look.mend
    if isinstance(error, DBAPIError | PoolTimeout) and (
        look.outside is None or look.outside.kind is not Kind.POSTGRES
    ):
        return (
            "this cannot be looked at while a database does not work",
            "Mend the findings on the databases first.",
        )
    reason = reason_of(error)
    if reason is not Reason.OTHER and look.outside is not None:
        return told(look.outside, reason)
    if isinstance(error, AppError) and not isinstance(error, Unavailable):
        return error.message, look.mend
    return type(error).__name__, look.mend
