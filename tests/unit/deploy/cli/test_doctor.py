"""The doctor: finds what is really broken, says how to mend it, and never says a secret."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message as MessageHandler
from click.testing import CliRunner, Result
from conftest import SECRET, forget_process_state
from networks import flat_network, pool_network, wall_network
from sqlalchemy import create_engine, make_url, text

from compliance import attestation_letters
from core import attestations
from core.mail.message import MailFailed
from core.settings import Settings, settings
from core.vault import vault
from deploy.cli import main
from deploy.doctor.finding import Finding, Grade, Look, examine, ok
from deploy.local.processes import free_port
from deploy.local.services import LocalServices

PASSWORD = "correct-horse-battery"


class Inbox(MessageHandler):  # type: ignore[misc]  # aiosmtpd ships no types
    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Message] = []

    def handle_message(self, message: Message) -> None:
        self.taken.append(message)


@pytest.fixture
def inbox(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A whole installation, with a mail server and all keys."""
    handler, port = Inbox(), free_port()
    mail = Controller(handler, hostname="127.0.0.1", port=port)
    mail.start()
    monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{port}")
    forget_process_state()
    yield handler
    mail.stop()


def ask(*options: str) -> tuple[Result, dict[str, list[dict[str, Any]]]]:
    """Run the doctor; return also its findings by what was looked at."""
    result = CliRunner().invoke(main, ["doctor", "--json", *options])
    found: dict[str, list[dict[str, Any]]] = {}
    for line in result.stdout.splitlines():
        finding = json.loads(line)
        found.setdefault(finding["check"], []).append(finding)
    return result, found


def failures(found: dict[str, list[dict[str, Any]]]) -> set[str]:
    return {check for check, all_of in found.items() if any(one["grade"] == "failure" for one in all_of)}


def says(found: dict[str, list[dict[str, Any]]], check: str) -> str:
    return " ".join(one["says"] for one in found[check])


def owner(environment: dict[str, str], *statements: str) -> None:
    engine = create_engine(environment["HEADSHOTS_DATABASE_OWNER_URL"])
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def test_a_whole_installation_has_no_failure(inbox: Inbox) -> None:
    result, found = ask()
    assert failures(found) == set(), result.stdout
    assert result.exit_code == 0
    wanted = {
        "database", "app_role", "tenant_walls", "lookup_role", "migrations", "names", "owner_role", "keys_database", "installation",
        "keyring",
        "signing_keys", "storage", "clock_storage", "clock_database", "redis", "scheduler", "mail", "mail_domain", "base_url",
        "disk", "backup", "drill", "attestation", "fonts", "libraries", "matting_model", "likeness_model",
        "gpu",
    }  # fmt: skip
    assert wanted <= set(found)
    assert all(
        one["mend"] for all_of in found.values() for one in all_of if one["grade"] in ("failure", "warning")
    )
    assert not inbox.taken, "no mail without being asked"


def test_a_restore_that_was_not_tried_for_a_quarter_is_found(
    inbox: Inbox, environment: dict[str, str]
) -> None:
    for tried, grade, says_of_it in (
        ("NULL", "warning", "no restore was ever tried"),
        ("now() - interval '101 days'", "warning", "the newest good one is of"),
        ("now() - interval '99 days'", "ok", "the newest good one is of"),
    ):
        owner(environment, f"UPDATE installation SET drill_at = {tried}")
        _, found = ask()
        assert [one["grade"] for one in found["drill"]] == [grade]
        assert says_of_it in says(found, "drill")


def test_an_attestation_is_asked_for_once_a_month_and_a_mail_that_fails_is_sent_later(
    inbox: Inbox, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def pass_days(days: int) -> None:
        shift = f"- interval '{days} days'"
        owner(
            environment,
            f"UPDATE attestations SET created_at = created_at {shift}",
            f"UPDATE installation SET created_at = created_at {shift}, attestation_asked_at = attestation_asked_at {shift}",
        )

    def graded() -> tuple[str, str]:
        _, found = ask()
        ((one,),) = (found["attestation"],)
        return one["grade"], one["says"]

    monkeypatch.setenv("HEADSHOTS_OPERATOR_EMAIL", "ops@headshots.example")
    forget_process_state()
    attestation_letters.remind()
    assert not inbox.taken, "a new installation is given time"
    assert graded() == ("warning", "nobody has attested that no backup holds the epoch keys")
    pass_days(32)
    with monkeypatch.context() as away:
        away.setenv("HEADSHOTS_SMTP_URL", "smtp://127.0.0.1:9")
        forget_process_state()
        with pytest.raises(MailFailed):
            attestation_letters.remind()
    forget_process_state()
    for _ in range(2):
        attestation_letters.remind()
    (mail,) = inbox.taken
    assert mail["To"] == "ops@headshots.example"
    assert str(settings().keyring_path) in mail.get_payload(0).get_payload(decode=True).decode()
    attestations.attest("Ada Lovelace", "")
    pass_days(31 - 1)
    assert graded()[0] == "ok"
    pass_days(2)
    assert graded()[0] == "warning"
    for _ in range(2):
        attestation_letters.remind()
    assert len(inbox.taken) == 2
    attestations.attest("Ada Lovelace", "")
    pass_days(20)
    attestation_letters.remind()
    assert len(inbox.taken) == 2


def test_it_speaks_in_lines_for_people(inbox: Inbox) -> None:
    result = CliRunner().invoke(main, ["doctor"])
    assert "ok       app_role: headshots_app is bound by row-level security" in result.stdout
    assert result.stderr.startswith("0 failures")


def test_a_test_message_is_sent_on_demand(inbox: Inbox) -> None:
    result, found = ask("--mail-to", "operator@acme.example")
    assert result.exit_code == 0
    assert says(found, "mail_sent")
    (message,) = inbox.taken
    assert message["To"] == "operator@acme.example"


def test_the_storage_is_left_as_it_was(inbox: Inbox, tmp_path: Path) -> None:
    before = [path for path in (tmp_path / "storage").rglob("*") if path.is_file()]
    ask()
    assert [path for path in (tmp_path / "storage").rglob("*") if path.is_file()] == before
    name = f"{vault().store.CHECK_PREFIX}left"
    vault().store.put(name, b"a doctor that was killed")
    assert name not in dict(vault().store.names()), "the sweep counts no probe"


def test_a_role_that_can_lift_the_walls_is_found(
    inbox: Inbox, services: LocalServices, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = make_url(environment["HEADSHOTS_DATABASE_URL"]).database
    assert name is not None
    for url, fault in (
        (services.superuser_url(name), "is a superuser"),
        (environment["HEADSHOTS_DATABASE_OWNER_URL"], "owns tables"),
    ):
        monkeypatch.setenv("HEADSHOTS_DATABASE_URL", url)
        forget_process_state()
        result, found = ask()
        assert result.exit_code == 1
        assert "app_role" in failures(found)
        assert fault in says(found, "app_role")


def test_a_wall_that_is_down_and_a_schema_that_is_behind_are_found(
    inbox: Inbox, environment: dict[str, str]
) -> None:
    owner(
        environment,
        "ALTER TABLE photos NO FORCE ROW LEVEL SECURITY",
        "UPDATE alembic_version SET version_num = '0003'",
    )
    _, found = ask()
    assert {"tenant_walls", "migrations"} <= failures(found)
    assert "photos" in says(found, "tenant_walls")
    assert "is at schema 0003" in says(found, "migrations")


def test_keys_that_are_gone_or_open_to_others_are_found(inbox: Inbox) -> None:
    settings().keyring_path.chmod(0o755)
    (settings().signing_path / "log.pem").unlink()
    _, found = ask()
    assert failures(found) == {"installation", "keyring", "signing_keys"}
    assert "log.pem is missing" in says(found, "signing_keys")
    for key in settings().keyring_path.iterdir():
        key.unlink()
    _, found = ask()
    assert "has no key of the current epoch" in says(found, "keyring")


def test_parts_that_are_away_are_found_together(
    inbox: Inbox, services: LocalServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{free_port()}")
    forget_process_state()
    vault()
    shutil.rmtree(tmp_path / "storage")
    services.redis.stop()
    try:
        result, found = ask()
    finally:
        services.ensure_running()
    assert result.exit_code == 1
    assert failures(found) >= {"storage", "redis", "mail"}
    assert "database" not in failures(found)


def test_no_secret_is_ever_printed(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = f"nobody:{PASSWORD}@127.0.0.1:{free_port()}"
    for name, url in (
        ("DATABASE_URL", f"postgresql+psycopg://{nobody}/headshots"),
        ("DATABASE_OWNER_URL", f"postgresql+psycopg://{nobody}/headshots"),
        ("KEYS_DATABASE_URL", f"postgresql+psycopg://{nobody}/headshots"),
        ("REDIS_URL", f"redis://{nobody}/0"),
        ("SMTP_URL", f"smtp://{nobody}"),
    ):
        monkeypatch.setenv(f"HEADSHOTS_{name}", url)
    forget_process_state()
    for options in ([], ["--json"]):
        result = CliRunner().invoke(main, ["doctor", *options])
        assert result.exit_code == 1
        assert PASSWORD not in result.output
        assert SECRET not in result.output
        assert "nobody" not in result.output
    forget_process_state()


def test_incomplete_settings_are_wrong_usage(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEADSHOTS_STORAGE_URL")
    settings.cache_clear()
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 2
    assert "HEADSHOTS_STORAGE_URL" in result.stderr


def test_without_any_setting_it_is_told_where_they_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HEADSHOTS_{name.upper()}", raising=False)
    settings.cache_clear()
    result = CliRunner().invoke(main, ["jobs", "list"])
    assert result.exit_code == 2
    assert "the line “Operate” of its banner" in result.stderr
    settings.cache_clear()


def test_a_part_that_hangs_is_a_finding_and_holds_nobody() -> None:
    free = threading.Event()

    def hangs() -> Iterator[Finding]:
        yield ok("hangs", "begun")
        free.wait(30)

    found = list(
        examine(
            [Look("hangs", hangs, "Free it."), Look("works", lambda: iter([ok("works", "yes")]), "")],
            patience_seconds=0.3,
        )
    )
    free.set()
    assert [(one.check, one.grade) for one in found] == [
        ("hangs", Grade.OK),
        ("hangs", Grade.FAILURE),
        ("works", Grade.OK),
    ]
    assert found[1].mend == "Free it."


def test_it_says_which_matting_is_in_use_and_a_worker_does_not_start_with_a_wrong_one(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, found = ask()
    assert [one["grade"] for one in found["matting_model"]] == ["ok"]
    assert "built-in cut" in says(found, "matting_model")
    path = wall_network(tmp_path / "walls.onnx")
    path.with_suffix(".json").write_text('{"name": "Walls", "licence": "CC0-1.0"}')
    monkeypatch.setenv("HEADSHOTS_MATTING_MODEL", str(path))
    forget_process_state()
    _, found = ask()
    assert "Walls (CC0-1.0; walls.onnx, SHA-256 " in says(found, "matting_model")
    monkeypatch.setenv(
        "HEADSHOTS_MATTING_MODEL", str(flat_network(tmp_path / "colours.onnx", 0.5, channels=3))
    )
    forget_process_state()
    result, found = ask()
    assert result.exit_code == 1
    assert failures(found) == {"matting_model"}
    assert "colours.onnx gives 3 × 64 × 64 numbers" in says(found, "matting_model")
    worker = CliRunner().invoke(main, ["worker", "--burst"])
    assert worker.exit_code == 2
    assert "HEADSHOTS_MATTING_MODEL: colours.onnx" in worker.stderr


def test_it_says_which_encoder_compares_faces_and_a_worker_does_not_start_with_a_wrong_one(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, found = ask()
    assert "dlib's ResNet v1 (public domain)" in says(found, "likeness_model")
    path = pool_network(tmp_path / "pool.onnx")
    monkeypatch.setenv("HEADSHOTS_LIKENESS_MODEL", str(path))
    forget_process_state()
    _, found = ask()
    assert failures(found) == {"likeness_model"}
    assert "pool.json beside it" in says(found, "likeness_model")
    worker = CliRunner().invoke(main, ["worker", "--burst"])
    assert worker.exit_code == 2
    assert "HEADSHOTS_LIKENESS_MODEL: pool.json" in worker.stderr
    path.with_suffix(".json").write_text(
        '{"name": "Pool", "licence": "CC0-1.0", "limits": {"same_person": 1.2, "most_pairs": 0.9}}'
    )
    _, found = ask()
    assert "Pool (CC0-1.0; pool.onnx, SHA-256 " in says(found, "likeness_model")
