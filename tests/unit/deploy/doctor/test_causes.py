"""The doctor tells each way in which a part fails apart, with an advice of its own and no secret."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import structlog
from aiosmtpd.smtp import AuthResult
from click.testing import CliRunner
from conftest import forget_process_state
from doctored import PASSWORD, USER, finding, findings
from servers.authority import Authority
from servers.s3 import S3, Fault
from servers.smtp import PostOffice, serving
from sqlalchemy import make_url
from structlog.testing import capture_logs

from core.reasons import Reason
from core.vault import vault
from core.vault.outage import Outage
from deploy.cli import main
from deploy.doctor.finding import Finding, Grade
from deploy.local.processes import free_port
from deploy.local.services import LocalServices

pytestmark = pytest.mark.usefixtures("environment")


@contextmanager
def listening(answer: bytes | None) -> Iterator[int]:
    """A host that takes connections and says `answer` to whatever comes, or nothing at all."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            while answer is not None:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                with one:
                    one.recv(1024)
                    one.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def test_postgres_says_why_it_does_not_work(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = make_url(environment["HEADSHOTS_DATABASE_URL"])

    def found(url: str, **more: float) -> Finding:
        monkeypatch.setenv("HEADSHOTS_DATABASE_URL", url)
        return finding("database", **more)

    def elsewhere(host: str, port: int, query: str = "") -> str:
        return f"postgresql+psycopg://{USER}:{PASSWORD}@{host}:{port}/headshots{query}"

    with listening(None) as silent, listening(b"N") as plain:
        said = {
            "password": found(ours.set(password=PASSWORD).render_as_string(hide_password=False)),
            "database": found(ours.set(database="elsewhere").render_as_string(hide_password=False)),
            "name": found(elsewhere("nobody.invalid", 5432)),
            "port": found(elsewhere("127.0.0.1", free_port())),
            "silence": found(elsewhere("127.0.0.1", silent)),
            "encryption": found(elsewhere("127.0.0.1", plain, "?sslmode=require")),
        }
    assert all(one.grade is Grade.FAILURE for one in said.values())
    for text in ("says", "mend"):
        assert len({getattr(one, text) for one in said.values()}) == len(said), said
    assert "refuses the user and password in HEADSHOTS_DATABASE_URL" in said["password"].says
    assert "no database of the name" in said["database"].says
    assert "DNS knows no host" in said["name"].says
    assert "nothing listens" in said["port"].says
    assert "firewalls" in said["silence"].mend
    assert "ssl = on" in said["encryption"].mend


def test_every_command_says_why_its_database_does_not_work(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = make_url(environment["HEADSHOTS_DATABASE_URL"])
    for url, said in (
        (ours.set(password=PASSWORD), "refuses the user and password in its address"),
        (ours.set(host="nobody.invalid", query={}), "DNS knows no host"),
    ):
        monkeypatch.setenv("HEADSHOTS_DATABASE_URL", url.render_as_string(hide_password=False))
        forget_process_state()
        result = CliRunner().invoke(main, ["jobs", "list"])
        assert (result.exit_code, said in result.stderr) == (1, True), result.stderr
        assert PASSWORD not in result.stderr
    forget_process_state()


def test_before_the_first_migration_it_says_what_is_to_be_done(
    services: LocalServices, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    empty = services.fresh_databases("empty")
    for name, value in services.environment(empty).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HEADSHOTS_KEYRING_PATH", str(tmp_path / "nothing here"))
    (one,) = (one for one in findings("keys_database") if one.grade is Grade.FAILURE)
    assert (one.says, "Run `headshots migrate` once" in one.mend) == (
        "it has no tables of this product",
        True,
    )
    (disk,) = (one for one in findings("disk") if one.grade is Grade.FAILURE)
    assert f"there is no folder {tmp_path / 'nothing here'} for the keyring" in disk.says
    forget_process_state()
    services.drop_databases(empty)


def test_redis_says_why_it_does_not_work(services: LocalServices, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(url: str, **more: float) -> Finding:
        monkeypatch.setenv("HEADSHOTS_REDIS_URL", url)
        return finding("redis", **more)

    with (
        listening(None) as silent,
        listening(b"-WRONGPASS invalid username-password pair or user is disabled.\r\n") as closed,
    ):
        said = {
            "password": found(f"redis://{USER}:{PASSWORD}@127.0.0.1:{closed}/0"),
            "name": found(f"redis://{USER}:{PASSWORD}@nobody.invalid:6379/0"),
            "port": found(f"redis://{USER}:{PASSWORD}@127.0.0.1:{free_port()}/0"),
            "silence": found(f"redis://127.0.0.1:{silent}/0", patience_seconds=1),
            "encryption": found(f"rediss://127.0.0.1:{closed}/0"),
        }
    for text in ("says", "mend"):
        assert len({getattr(one, text) for one in said.values()}) == len(said), said
    assert "refuses the user and password in HEADSHOTS_REDIS_URL" in said["password"].says
    assert "rediss://" in said["encryption"].mend


def test_mail_says_why_it_does_not_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    def found(url: str, **more: float) -> Finding:
        monkeypatch.setenv("HEADSHOTS_SMTP_URL", url)
        return finding("mail", **more)

    def refuse(*_: object) -> AuthResult:
        return AuthResult(success=False, handled=False)

    with (
        listening(None) as silent,
        serving(PostOffice(), authenticator=refuse, auth_require_tls=False) as strict,
        serving(PostOffice(), tls_context=authority.server) as unknown,
    ):
        said = {
            "name": found(f"smtp://{USER}:{PASSWORD}@nobody.invalid:587"),
            "port": found(f"smtp://{USER}:{PASSWORD}@127.0.0.1:{free_port()}"),
            "silence": found(f"smtp://127.0.0.1:{silent}", patience_seconds=1),
            "encryption": found(f"smtp://127.0.0.1:{unknown}"),
            "none": found(f"smtp://{USER}:{PASSWORD}@127.0.0.1:{strict}"),
        }
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
        with serving(PostOffice(), tls_context=authority.server, authenticator=refuse) as encrypted:
            said["password"] = found(f"smtp://{USER}:{PASSWORD}@127.0.0.1:{encrypted}")
    assert len({one.says for one in said.values()}) == len(said), said
    assert "refuses the user and password in HEADSHOTS_SMTP_URL" in said["password"].says
    assert "offers no encryption" in said["none"].says
    assert "smtps://" in said["encryption"].mend


def in_s3(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_the_storage_says_why_it_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    said: dict[str, Finding] = {}
    with S3("headshots") as s3:
        in_s3(monkeypatch, s3.environment())
        assert all(one.grade is Grade.OK for one in findings("storage"))
        for fault in (
            Fault.DENIED, Fault.BAD_KEY, Fault.NO_BUCKET, Fault.OTHER_REGION, Fault.SKEWED, Fault.FULL, Fault.UNAVAILABLE,
        ):  # fmt: skip
            s3.fault = fault
            said[fault] = finding("storage")
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
        said["port"] = finding("storage")
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://nobody.invalid")
        said["name"] = finding("storage")
    assert len({one.says for one in said.values()}) == len(said), said
    assert len({one.mend for one in said.values()}) == len(said), said
    assert "AWS_SECRET_ACCESS_KEY" in said[Fault.BAD_KEY].mend
    assert "s3:ListBucket" in said[Fault.DENIED].mend
    assert "no bucket" in said[Fault.NO_BUCKET].says
    assert "AWS_REGION" in said[Fault.OTHER_REGION].mend
    assert "timedatectl" in said[Fault.SKEWED].mend
    assert "full" in said[Fault.FULL].says


def test_without_credentials_the_storage_is_not_called_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with S3("headshots") as s3:
        in_s3(monkeypatch, s3.environment())
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        # What stands in for the cloud's own address of roles, which loopback has not.
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{free_port()}")
        assert finding("storage").says == "this host has no credentials for it"


@pytest.mark.parametrize("away", ["HEADSHOTS_KEYS_DATABASE_URL", "HEADSHOTS_DATABASE_URL"])
def test_during_an_outage_nobody_is_told_to_exchange_keys(monkeypatch: pytest.MonkeyPatch, away: str) -> None:
    monkeypatch.setenv(away, f"postgresql+psycopg://{USER}:{PASSWORD}@127.0.0.1:{free_port()}/headshots")
    found = findings("installation")
    assert not [one for one in found if "keys of one that works" in one.mend or "Copy" in one.mend], found
    assert any("Mend the findings on" in one.mend for one in found)
    if away == "HEADSHOTS_KEYS_DATABASE_URL":
        assert "Mend the findings on the databases" in finding("keyring").mend


def test_a_storage_that_is_away_does_not_make_the_keys_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    with S3("headshots") as s3:
        in_s3(monkeypatch, s3.environment())
        s3.fault = Fault.DENIED
        (one,) = (one for one in findings("installation") if one.grade is not Grade.OK)
    assert one.grade is Grade.WARNING
    assert "storage: cannot be compared" in one.says


def test_a_bucket_that_does_not_exist_never_says_that_an_object_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with S3("headshots") as s3:
        in_s3(monkeypatch, s3.environment())
        forget_process_state()
        store = vault().store
        verbs: tuple[Callable[[], object], ...] = (
            lambda: store.get("objects/a"), lambda: store.delete("objects/a"), lambda: store.exists("objects/a"), store.check,
        )  # fmt: skip
        s3.fault = Fault.NO_BUCKET
        for verb in verbs:
            with pytest.raises(Outage) as raised:
                verb()
            assert raised.value.reason is Reason.UNKNOWN_PLACE


def test_the_log_names_the_reason_and_people_read_the_same_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    structlog.reset_defaults()  # an earlier test may have set a level
    with S3("headshots") as s3:
        in_s3(monkeypatch, s3.environment())
        forget_process_state()
        for fault, code in (
            (Fault.BAD_KEY, "credentials_refused"),
            (Fault.FULL, "full"),
            (Fault.NO_BUCKET, "place_unknown"),
        ):
            s3.fault = fault
            with capture_logs() as said, pytest.raises(Outage, match="try again in a moment"):
                vault().store.put("objects/a", b"x")
            assert [(line["event"], line["code"]) for line in said] == [("storage_unavailable", code)]
