"""How long a part that lies outside is waited for: what every connection to Postgres and Redis is made with.

A host that is lost without a word sends no FIN: only the system's own probes find out, on Linux after two hours
(tcp(7), tcp_keepalive_time). Until then whoever asked waits, and its locks stay with the server.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection

from migrations import HEAD

CONNECT_SECONDS: Final = 5
# Debian, Ubuntu and Alpine; Fedora and its kin.
_TRUSTED: Final = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
# How a process of ours is called in the server's list of connections, with the newest migration that it knows.
APPLICATION: Final = f"headshots {HEAD}"
REDIS_SECONDS: Final = 15.0  # what one answer of Redis may take: workers wait there for work
_redis = {"seconds": REDIS_SECONDS}


@dataclass(frozen=True)
class Watch:
    """When a silent connection is asked, how often, and after how many questions without an answer it is lost."""

    idle_seconds: int = 15
    probe_seconds: int = 5
    probes: int = 3

    @property
    def lost_seconds(self) -> int:
        """How long a host can be away before the other end knows."""
        return self.idle_seconds + self.probe_seconds * self.probes

    @property
    def ours(self) -> dict[str, int | str]:
        """How libpq watches (PostgreSQL manual, 34.1.2); a socket on the same machine has no use for it, and takes it."""
        return {
            "connect_timeout": CONNECT_SECONDS,
            "fallback_application_name": APPLICATION,
            "keepalives": 1,
            "keepalives_idle": self.idle_seconds,
            "keepalives_interval": self.probe_seconds,
            "keepalives_count": self.probes,
            "tcp_user_timeout": self.lost_seconds * 1000,  # milliseconds until what was sent is acknowledged
        }

    @property
    def servers(self) -> str:
        """The statement that has the server watch: it holds the locks of a client that is gone.

        Through a pooler it is the pooler's connection that is watched, the same way by everybody.
        """
        values = {
            "tcp_keepalives_idle": self.idle_seconds,
            "tcp_keepalives_interval": self.probe_seconds,
            "tcp_keepalives_count": self.probes,
            "tcp_user_timeout": self.lost_seconds * 1000,
        }
        calls = (f"set_config('{name}', '{value}', false)" for name, value in values.items())
        return f"SELECT {', '.join(calls)}"


WATCH: Final = Watch()


def trusting(url: str) -> str:
    """Return a Postgres address whose `sslrootcert=system` names the file of the authorities that this machine trusts.

    The libpq in psycopg's wheel looks for them where it was built, which no machine has, and so trusts nobody.
    """
    address = make_url(url)
    if address.query.get("sslrootcert") != "system":
        return url
    trusted = ssl.get_default_verify_paths().cafile or next(
        (each for each in _TRUSTED if Path(each).is_file()), None
    )
    # Of `system` itself libpq lets nothing weaker follow (PostgreSQL manual, 34.1.2, sslrootcert).
    if trusted is None:
        return url
    named = address.update_query_dict({"sslrootcert": trusted, "sslmode": "verify-full"})
    return named.render_as_string(hide_password=False)


def postgres_connection(url: str) -> psycopg.Connection:
    """Open a connection that commits each statement, for what lives longer than a transaction.

    Args:
        url: as SQLAlchemy or libpq writes it.
    """
    address = trusting(url).replace("postgresql+psycopg://", "postgresql://")
    connection = psycopg.connect(make_conninfo(address, **WATCH.ours), autocommit=True)
    connection.execute(WATCH.servers.encode())
    return connection


def postgres_engine(
    url: str, *, watch: Watch = WATCH, connect_args: dict[str, Any] | None = None, **options: Any
) -> Engine:
    """Return an engine whose connections are watched from both ends, and are waited for no longer than said here."""
    made = create_engine(trusting(url), connect_args={**watch.ours, **(connect_args or {})}, **options)

    @event.listens_for(made, "connect")
    def have_it_watched(connection: DBAPIConnection, _: object) -> None:
        before = connection.autocommit
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(watch.servers)
        cursor.close()
        connection.autocommit = before

    return made


def hurry_redis(seconds: float) -> None:
    """Let what this process asks Redis from now on wait no longer than this; for one that people wait for.

    Call it before the first client is made.
    """
    _redis["seconds"] = seconds


def redis_options(url: str) -> dict[str, Any]:
    """Return what a client of Redis is made with; a socket on the same machine cannot be lost without a word."""
    if url.startswith("unix"):
        return {"socket_timeout": _redis["seconds"]}
    watched = {
        socket.TCP_KEEPIDLE: WATCH.idle_seconds,
        socket.TCP_KEEPINTVL: WATCH.probe_seconds,
        socket.TCP_KEEPCNT: WATCH.probes,
        socket.TCP_USER_TIMEOUT: WATCH.lost_seconds * 1000,
    }
    return {
        "socket_timeout": _redis["seconds"],
        "socket_connect_timeout": min(CONNECT_SECONDS, _redis["seconds"]),
        "socket_keepalive": True,
        "socket_keepalive_options": watched,
    }
