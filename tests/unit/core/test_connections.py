"""A host that is lost without a word is noticed, and one that never answers is not waited for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import redis
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from core import connections, db
from core.connections import WATCH, postgres_connection, postgres_engine, redis_options
from core.db import Lookup, direct_engine, engine, transaction
from core.vault import vault

SERVERS = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")


@contextmanager
def silent() -> Iterator[int]:
    """A host that takes connections and never says a word."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


@contextmanager
def over_tcp(path: str) -> Iterator[int]:
    """Carry what comes in over TCP to a Unix socket; yield the port."""

    def pump(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass

    def accept(server: socket.socket) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            inner = socket.socket(socket.AF_UNIX)
            inner.connect(path)
            ends.extend((client, inner))
            for pair in ((client, inner), (inner, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    ends: list[socket.socket] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=accept, args=(server,), daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    for end in ends:
        end.close()


def watched(descriptor: int) -> dict[str, int]:
    with closing(socket.fromfd(descriptor, socket.AF_INET, socket.SOCK_STREAM)) as end:
        return {
            name: end.getsockopt(level, option)
            for name, level, option in (
                ("on", socket.SOL_SOCKET, socket.SO_KEEPALIVE),
                ("idle", socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
                ("probe", socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
                ("probes", socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
                ("lost", socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
            )
        }


WANTED = {
    "on": 1,
    "idle": WATCH.idle_seconds,
    "probe": WATCH.probe_seconds,
    "probes": WATCH.probes,
    "lost": WATCH.lost_seconds * 1000,
}


def test_both_ends_watch_every_connection_to_postgres(org: UUID) -> None:
    for made in (engine(), direct_engine(), vault().keys._engine):
        with made.connect() as connection:
            said = connection.execute(
                text("SELECT name, source FROM pg_settings WHERE name = ANY (:names)"),
                {"names": list(SERVERS)},
            )
            assert {tuple(row) for row in said} == {(name, "session") for name in SERVERS}
    url = make_url(engine().url)
    with over_tcp(f"{url.query['host']}/.s.PGSQL.{url.query.get('port', url.port or 5432)}") as port:
        reached = url.set(host="127.0.0.1", port=port, query={}).render_as_string(hide_password=False)
        with closing(postgres_connection(reached)) as connection:
            assert watched(connection.fileno()) == WANTED
        with postgres_engine(reached, poolclass=NullPool).connect() as connection:
            assert watched(connection.connection.driver_connection.fileno()) == WANTED


def test_redis_is_watched_over_tcp(services) -> None:
    with over_tcp(services.redis_url.removeprefix("unix://").partition("?")[0]) as port:
        url = f"redis://127.0.0.1:{port}"
        with redis.Redis.from_url(url, **redis_options(url)) as client:
            assert client.ping()
            connection = client.connection_pool.get_connection()
            assert watched(connection._sock.fileno()) == WANTED
            client.connection_pool.release(connection)


def test_a_host_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    # libpq waits two seconds at least.
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 2)
    monkeypatch.setitem(connections._redis, "seconds", 1)
    with silent() as port:
        started = time.monotonic()
        with pytest.raises(psycopg.OperationalError):
            postgres_connection(f"postgresql+psycopg://x:y@127.0.0.1:{port}/x")
        with pytest.raises(OperationalError):
            postgres_engine(f"postgresql+psycopg://x:y@127.0.0.1:{port}/x").connect()
        url = f"redis://127.0.0.1:{port}"
        with pytest.raises(redis.RedisError):
            redis.Redis.from_url(url, **redis_options(url), retry=None).ping()
        assert time.monotonic() - started < 15


def test_a_web_process_has_its_transactions_ended(org: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "_limits", {})
    db.limit_transactions(statement_seconds=1, idle_seconds=1)
    with pytest.raises(DBAPIError), transaction(org) as session:
        session.execute(text("SELECT pg_sleep(30)"))
    with pytest.raises(DBAPIError):
        _lie_idle(org)
    assert Lookup.organizations() == [org]
    with engine().connect() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == "0", (
            "nothing of it stays with the session"
        )


def _lie_idle(org: UUID) -> None:
    with transaction(org) as session:
        session.execute(text("SELECT 1"))
        time.sleep(2)
        session.execute(text("SELECT 1"))


def test_every_connection_is_made_in_one_place() -> None:
    root = Path(connections.__file__).resolve().parents[1]
    elsewhere = [
        str(file.relative_to(root))
        for part in ("admin", "portal", "sso", "compliance", "core", "workers")
        for file in (root / part).rglob("*.py")
        if file.name != "connections.py"
        and any(word in file.read_text() for word in ("create_engine(", "psycopg.connect("))
    ]
    assert elsewhere == []


def test_the_systems_authorities_are_a_file_that_psycopgs_own_libpq_finds() -> None:
    secure = "postgresql+psycopg://ada:p%40ss@db.internal/headshots?sslmode=verify-full&sslrootcert=system"
    address = make_url(connections.trusting(secure))
    named = address.query["sslrootcert"]
    assert isinstance(named, str)
    assert Path(named).read_text("utf-8").count("BEGIN CERTIFICATE") > 20
    assert (address.password, address.query["sslmode"]) == ("p@ss", "verify-full")
    for other in (
        secure.replace("=system", "=/etc/own.pem"),
        "postgresql://ada@db/headshots?sslmode=require",
    ):
        assert connections.trusting(other) == other
