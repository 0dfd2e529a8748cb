"""Readiness: each part is really stopped, and the answer says so within its time."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from conftest import forget_process_state
from psycopg import sql
from servers.s3 import S3, Fault
from sqlalchemy import create_engine, make_url, text

from core.observe import health
from core.observe.health import NO_ANSWER, Health, Part, State
from deploy.local.processes import free_port
from deploy.local.services import LocalServices
from deploy.wsgi import create_application
from migrations import HEAD

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PROMISED_SECONDS = 5.0  # a probe's own patience, as docs/operate.md sets it


@pytest.fixture
def whole(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """An installation with a mail server too."""
    monkeypatch.setattr(health, "KEEP_SECONDS", 0.0)
    port = free_port()
    mail = Controller(Sink(), hostname="127.0.0.1", port=port)
    mail.start()
    monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{port}")
    forget_process_state()
    site.cache_clear()
    site()  # a process that started while all was well
    yield environment
    mail.stop()


@cache
def site() -> WSGIApplication:
    return create_application()


def ask(path: str = "/readyz") -> tuple[int, dict[str, Any]]:
    """Ask a web process that has nothing in its memory."""
    health.health.cache_clear()
    application = site()
    begun = time.monotonic()
    status: list[str] = []
    body = b"".join(
        application(
            {"PATH_INFO": path, "REQUEST_METHOD": "GET"},
            lambda said, *_: status.append(said),  # type: ignore[arg-type,return-value]
        )
    )
    assert time.monotonic() - begun < PROMISED_SECONDS
    return int(status[0].split()[0]), json.loads(body)


def broken(report: dict[str, Any]) -> set[str]:
    return {name for name, part in report["parts"].items() if part["state"] != "ok"}


@contextmanager
def shut(services: LocalServices, url: str) -> Iterator[None]:
    """Let nobody into the database at `url`, and those who are in out."""
    name = make_url(url).database
    assert name is not None
    with closing(services.postgres.connect()) as connection:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        connection.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        try:
            yield
        finally:
            connection.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


def test_a_whole_installation_is_ready(whole: dict[str, str]) -> None:
    status, report = ask()
    assert (status, report["status"], broken(report)) == (200, "ready", set())
    assert list(report["parts"]) == [
        "database",
        "directory",
        "keys_database",
        "keyring",
        "storage",
        "redis",
        "mail",
        "log",
    ]
    assert all(part["since"].endswith("Z") for part in report["parts"].values())


def test_pages_need_their_database(whole: dict[str, str], services: LocalServices) -> None:
    with shut(services, whole["HEADSHOTS_DATABASE_URL"]):
        status, report = ask()
    assert (status, broken(report)) == (503, {"database", "directory"})
    assert ask()[0] == 200


@pytest.mark.parametrize(("at", "status"), [("0003", 503), (HEAD, 200), ("9999", 200)])
def test_pages_need_a_schema_that_is_not_older_than_their_release(
    whole: dict[str, str], at: str, status: int
) -> None:
    owner = create_engine(whole["HEADSHOTS_DATABASE_OWNER_URL"])
    with owner.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :at"), {"at": at})
    owner.dispose()
    answer, report = ask()
    assert answer == status
    assert report["parts"]["database"]["state"] == ("ok" if status == 200 else "SchemaTooOld")


def test_pages_need_the_keys_database(whole: dict[str, str], services: LocalServices) -> None:
    with shut(services, whole["HEADSHOTS_KEYS_DATABASE_URL"]):
        status, report = ask()
    assert (status, broken(report)) == (503, {"keys_database", "keyring"})


def test_a_stopped_postgres_is_said_in_time(whole: dict[str, str], services: LocalServices) -> None:
    services.postgres.stop()
    try:
        status, report = ask()
        assert ask("/healthz")[0] == 200, "the process itself lives"
    finally:
        services.ensure_running()
    assert (status, broken(report)) == (503, {"database", "directory", "keys_database", "keyring"})
    assert not any(secret in json.dumps(report) for secret in ("headshots_app", "password", "host="))


def test_pages_need_the_keyring(whole: dict[str, str]) -> None:
    for key in Path(whole["HEADSHOTS_KEYRING_PATH"]).iterdir():
        key.unlink()
    status, report = ask()
    assert (status, report["parts"]["keyring"]["state"]) == (503, "EpochKeyGone")
    assert broken(report) == {"keyring"}


def test_pages_need_the_storage(whole: dict[str, str], tmp_path: Path) -> None:
    assert ask()[0] == 200
    shutil.rmtree(tmp_path / "storage")
    status, report = ask()
    assert (status, broken(report)) == (503, {"storage"})


def test_a_storage_that_never_answers_is_said_in_time(
    whole: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("HEADSHOTS_STORAGE_URL", "s3://bucket/prefix")
        monkeypatch.setenv("AWS_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        monkeypatch.setenv("AWS_REGION", "nowhere")
        forget_process_state()
        status, report = ask()
    assert (status, report["parts"]["storage"]["state"]) == (503, NO_ANSWER)


def test_a_storage_that_does_not_let_us_in_says_so(
    whole: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with S3("headshots") as s3:
        for name, value in s3.environment().items():
            monkeypatch.setenv(name, value)
        forget_process_state()
        for fault, state in ((Fault.BAD_KEY, "credentials_refused"), (Fault.NO_BUCKET, "place_unknown")):
            s3.fault = fault
            health.health.cache_clear()
            status, report = ask()
            assert (status, report["parts"]["storage"]["state"]) == (503, state)


def test_without_redis_pages_work_and_it_is_said(whole: dict[str, str], services: LocalServices) -> None:
    services.redis.stop()
    try:
        status, report = ask()
    finally:
        services.ensure_running()
    assert (status, report["status"], broken(report)) == (200, "degraded", {"redis"})


def test_without_mail_pages_work_and_it_is_said(
    whole: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{free_port()}")
    forget_process_state()
    status, report = ask()
    assert (status, report["status"], broken(report)) == (200, "degraded", {"mail"})
    assert report["parts"]["mail"]["state"] == "connection_refused"


def test_a_part_is_asked_once_however_many_ask() -> None:
    asked = []

    def slowly() -> None:
        asked.append(time.monotonic())
        time.sleep(0.2)

    watch = Health([Part("slow", slowly)])
    together = [threading.Thread(target=watch.report) for _ in range(20)]
    for one in together:
        one.start()
    for one in together:
        one.join()
    watch.report()
    assert len(asked) == 1


def test_an_answer_counts_for_seconds_and_then_no_more() -> None:
    works = [1]
    watch = Health([Part("part", lambda: 1 / works[0], keep_seconds=0.3)])
    before = watch.report()
    works[0] = 0
    assert watch.report().state is State.READY
    time.sleep(0.4)
    after = watch.report()
    assert after.state is State.UNREADY
    assert after.parts[0].since > before.parts[0].since
    time.sleep(0.4)
    assert watch.report().parts[0].since == after.parts[0].since, "since it broke, not since it was asked"


def hanging(free: threading.Event) -> Callable[[], object]:
    return lambda: free.wait(30)


def test_a_part_that_hangs_holds_one_thread_and_nobody_longer_than_its_time() -> None:
    free = threading.Event()
    watch = Health([Part("hangs", hanging(free), keep_seconds=0.0)], timeout_seconds=0.3)
    begun = time.monotonic()
    reports = [watch.report() for _ in range(5)]
    assert time.monotonic() - begun < 1.0
    assert [thread.name for thread in threading.enumerate()].count("ask-hangs") == 1
    assert {report.parts[0].error for report in reports} == {NO_ANSWER}
    free.set()
    time.sleep(0.1)
    assert watch.report().state is State.READY


def test_nobody_waits_for_a_part_that_is_not_needed() -> None:
    slow = [0.0]
    watch = Health(
        [Part("mail", lambda: time.sleep(slow[0]), needed=False, keep_seconds=0.0)], timeout_seconds=2.0
    )
    watch.report()
    slow[0] = 1.0
    begun = time.monotonic()
    assert watch.report().state is State.READY
    assert time.monotonic() - begun < 0.5
