"""Why something outside does not work, told apart as an operator mends it, whichever library says so.

The libraries' own words hold addresses, names and sometimes secrets, so they are read here and never passed on.
"""

from __future__ import annotations

import errno
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import psycopg
import redis
from obstore.exceptions import BaseError as StorageError
from obstore.exceptions import PermissionDeniedError, UnauthenticatedError


class Reason(StrEnum):
    """Stable codes; they stand in log lines."""

    NAME_UNKNOWN = "name_unknown"  # DNS does not know the host
    REFUSED = "connection_refused"
    UNREACHABLE = "network_unreachable"
    TIMEOUT = "timeout"
    CLOSED = "connection_closed"
    TLS = "encryption_failed"
    CREDENTIALS = "credentials_refused"
    NO_CREDENTIALS = "no_credentials"
    NOT_ALLOWED = "not_allowed"  # it knows us, and we may not
    UNKNOWN_PLACE = "place_unknown"  # a database or a bucket that does not exist
    NO_TABLES = "no_tables"  # a database that was never migrated
    WRONG_REGION = "wrong_region_or_endpoint"
    CLOCK = "clock_wrong"
    BUSY = "busy"  # starts, stops, or has too much to do
    FULL = "full"
    NOT_THERE = "not_there"  # a file or a folder
    DEVICE = "device_failed"  # a disk or a mount that gives errors
    OTHER = "other"


_OF_ERRNO: Final = {
    errno.ECONNREFUSED: Reason.REFUSED,
    errno.EHOSTUNREACH: Reason.UNREACHABLE,
    errno.ENETUNREACH: Reason.UNREACHABLE,
    errno.EHOSTDOWN: Reason.UNREACHABLE,
    errno.ETIMEDOUT: Reason.TIMEOUT,
    errno.ECONNRESET: Reason.CLOSED,
    errno.EPIPE: Reason.CLOSED,
    errno.ECONNABORTED: Reason.CLOSED,
    errno.EACCES: Reason.NOT_ALLOWED,
    errno.EPERM: Reason.NOT_ALLOWED,
    errno.EROFS: Reason.NOT_ALLOWED,
    errno.ENOSPC: Reason.FULL,
    errno.EDQUOT: Reason.FULL,
    errno.ENOENT: Reason.NOT_THERE,
    errno.ENOTDIR: Reason.NOT_THERE,
    errno.EIO: Reason.DEVICE,
    errno.ESTALE: Reason.DEVICE,
    errno.ENOTCONN: Reason.DEVICE,
}

# What storages answer, most telling first: S3 API reference, error responses (also of MinIO and Ceph); Azure Blob Storage
# error codes; Cloud Storage HTTP status and error codes; below them the words of the client (object_store, reqwest, rustls).
_OF_STORAGE: Final = tuple(
    (re.compile(words), reason)
    for words, reason in (
        (r"RequestTimeTooSkewed|RequestExpired", Reason.CLOCK),
        (r"NoSuchBucket|ContainerNotFound|bucket does not exist", Reason.UNKNOWN_PLACE),
        (
            (
                r"InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|TokenRefreshRequired|AuthenticationFailed"
                r"|InvalidAuthenticationInfo|status code: 401"
            ),
            Reason.CREDENTIALS,
        ),
        (
            r"169\.254\.169\.254|latest/api/token|metadata\.google|could not find .*credential",
            Reason.NO_CREDENTIALS,
        ),
        (
            r"QuotaExceeded|InsufficientStorage|StorageFull|status code: 507|os error (?:28|122)\b",
            Reason.FULL,
        ),
        (
            (
                r"incorrectly configured region|PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint"
                r"|InvalidRegion|scheme is not allowed|BadScheme"
            ),
            Reason.WRONG_REGION,
        ),
        (r"status code: 403|os error (?:1|13|30)\b", Reason.NOT_ALLOWED),
        (r"status code: (?:429|5\d\d)", Reason.BUSY),
        (r"dns error|failed to lookup address", Reason.NAME_UNKNOWN),
        (r"InvalidCertificate|invalid peer certificate|InvalidMessage\(|AlertReceived\(", Reason.TLS),
        (r"ConnectionRefused|os error 111\b", Reason.REFUSED),
        (r"NetworkUnreachable|HostUnreachable", Reason.UNREACHABLE),
        (r"kind: Timeout|TimedOut|os error 110\b", Reason.TIMEOUT),
        (r"ConnectionReset|IncompleteMessage|UnexpectedEof|BrokenPipe|connection closed", Reason.CLOSED),
        (r"os error (?:2|20)\b", Reason.NOT_THERE),
        (r"os error (?:5|107|116)\b", Reason.DEVICE),
    )
)

# What libpq and psycopg say before there is a session, and so no SQLSTATE. A server speaks its own language after
# FATAL; the pieces in English tell more, and FATAL alone that it answers and does not let us in.
_OF_POSTGRES: Final = tuple(
    (re.compile(words), reason)
    for words, reason in (
        (r"failed to resolve host|could not translate host name", Reason.NAME_UNKNOWN),
        (
            r"starting up|shutting down|in recovery|too many (?:clients|connections)|connection slots|no more connections",
            Reason.BUSY,
        ),
        (r"FATAL:.*database .* does not exist", Reason.UNKNOWN_PLACE),
        (r"no pg_hba\.conf entry|permission denied for database", Reason.NOT_ALLOWED),
        (r"FATAL|authentication|no password supplied", Reason.CREDENTIALS),
        (r"SSL|certificate|TLS", Reason.TLS),
        (r"Connection refused|No such file or directory", Reason.REFUSED),
        (r"unreachable|No route to host", Reason.UNREACHABLE),
        (r"timeout expired|timed out", Reason.TIMEOUT),
        (r"closed|reset by peer|Broken pipe", Reason.CLOSED),
    )
)
# Of a session (PostgreSQL manual, appendix A), by their beginnings.
_OF_STATE: Final = {
    "28": Reason.CREDENTIALS,
    "42501": Reason.NOT_ALLOWED,
    "3D000": Reason.UNKNOWN_PLACE,
    "42P01": Reason.NO_TABLES,
    "53100": Reason.FULL,
    "53": Reason.BUSY,
    "57P": Reason.BUSY,
    "57014": Reason.TIMEOUT,
    "08": Reason.CLOSED,
    "58": Reason.DEVICE,
}


def reason_of(error: BaseException) -> Reason:
    """Return why `error` came; the first in the chain of what it came from that tells."""
    for one in _chain(error):
        if (reason := _own(one)) is not Reason.OTHER:
            return reason
    return Reason.OTHER


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield `error` and all that it came of: libraries that wrap others keep what happened in either place."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [
            each
            for each in (getattr(one, "orig", None), one.__cause__, one.__context__)
            if isinstance(each, BaseException)
        ]


def _own(error: BaseException) -> Reason:
    match error:
        case psycopg.Error():
            return _of_postgres(error)
        case redis.RedisError():
            return _of_redis(error)
        case UnauthenticatedError():
            return Reason.CREDENTIALS
        case StorageError():
            found = _of_words(_OF_STORAGE, error)
            return (
                Reason.NOT_ALLOWED
                if found is Reason.OTHER and isinstance(error, PermissionDeniedError)
                else found
            )
        case smtplib.SMTPResponseException():
            return _of_smtp(error)
        case smtplib.SMTPServerDisconnected():
            return Reason.TIMEOUT if "timed out" in str(error) else Reason.CLOSED
        case socket.gaierror():
            return Reason.NAME_UNKNOWN
        case ssl.SSLError():
            return Reason.TLS
        case TimeoutError():
            return Reason.TIMEOUT
        case FileNotFoundError() if error.errno is None:  # the storage's, which it raises for a bucket too
            found = _of_words(_OF_STORAGE, error)
            return Reason.NOT_THERE if found is Reason.OTHER else found
        case OSError():
            return _OF_ERRNO.get(error.errno or 0, Reason.OTHER)
    return Reason.TIMEOUT if type(error).__name__.endswith("Timeout") else Reason.OTHER  # httpx's


def _of_words(words: tuple[tuple[re.Pattern[str], Reason], ...], error: BaseException) -> Reason:
    text = str(error)
    return next((reason for pattern, reason in words if pattern.search(text)), Reason.OTHER)


def _of_postgres(error: psycopg.Error) -> Reason:
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        return Reason.TIMEOUT
    if state := error.sqlstate:
        return next(
            (reason for begins, reason in _OF_STATE.items() if state.startswith(begins)), Reason.OTHER
        )
    return _of_words(_OF_POSTGRES, error) if isinstance(error, psycopg.OperationalError) else Reason.OTHER


def _of_redis(error: redis.RedisError) -> Reason:
    text = str(error)
    if isinstance(error, redis.exceptions.AuthenticationError) or re.search(
        r"WRONGPASS|NOAUTH|invalid username", text
    ):
        return Reason.CREDENTIALS
    if isinstance(error, redis.exceptions.NoPermissionError):
        return Reason.NOT_ALLOWED
    if isinstance(error, redis.exceptions.OutOfMemoryError):
        return Reason.FULL
    if isinstance(error, redis.exceptions.BusyLoadingError) or "max number of clients" in text:
        return Reason.BUSY
    if isinstance(error, redis.TimeoutError):
        return Reason.TIMEOUT
    if "Connection closed by server" in text:
        return Reason.CLOSED
    return Reason.OTHER  # the system's own error says more


def _of_smtp(error: smtplib.SMTPResponseException) -> Reason:
    """Read an answer (RFC 5321 §4.2.3, RFC 4954 §6)."""
    if 400 <= error.smtp_code < 500:
        return Reason.BUSY
    if isinstance(error, smtplib.SMTPAuthenticationError) or error.smtp_code in (530, 534, 535, 538):
        return Reason.CREDENTIALS
    return Reason.NOT_ALLOWED
