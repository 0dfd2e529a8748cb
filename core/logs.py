"""Structured logs without personal data: JSON lines of event names, ids, counts and codes."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

import structlog
from structlog.typing import EventDict, WrappedLogger

from core.errors import ConfigurationError
from core.settings import settings

# A log call may carry these; anything else is dropped, so that a name or an address cannot slip in.
ALLOWED = frozenset(
    {
        "event", "level", "timestamp", "logger", "org", "member", "participation", "photo", "headshot",
        "erasure", "certificate", "job", "outbox", "attempt", "code", "status", "method", "route", "milliseconds",
        "count", "bytes", "seconds", "error", "where", "process", "signal", "epoch", "lane", "size", "address",
        "request", "recall", "farewell", "witness", "position", "first_lost", "last_lost", "key", "file",
        "kind", "loss_by_level", "used_gb", "peak_gb", "total_gb",
    }
)  # fmt: skip


def _only_allowed(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {key: value for key, value in event.items() if key in ALLOWED}


def _where(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace an exception by its type and place: its message and locals may hold personal data."""
    exception = event.pop("exc_info", None)
    if exception is True:
        exception = sys.exc_info()[1]
    if isinstance(exception, BaseException):
        event["error"] = type(exception).__name__
        trace = exception.__traceback__
        places = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{code.co_filename.rsplit('/', 2)[-1]}:{trace.tb_lineno}:{code.co_name}")
            trace = trace.tb_next
        event["where"] = " < ".join(reversed(places[-6:]))
    return event


def fault(error: BaseException) -> str:
    """Name an error by its type and place, which hold no personal data."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(where.filename).name}, line {where.lineno}"


def configure(level_name: str | None = None) -> None:
    """Send our events as JSON lines to stderr; other libraries' loggers speak from WARNING up, by name only.

    Args:
        level_name: From where on; the settings say, which a command without a service does not have.
    """
    level = logging.getLevelNamesMapping()[level_name or settings().log_level]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _where,
            _only_allowed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger() -> structlog.typing.FilteringBoundLogger:
    """Return the process's logger; set up first if need be.

    The library's own set-up prints local variables of tracebacks, and those may hold anything.
    """
    if not structlog.is_configured():
        try:
            configure()
        except ConfigurationError:  # a command that works on files has no settings of a service
            configure("WARNING")
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return log
