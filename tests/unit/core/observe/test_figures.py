"""Figures of the whole installation: right, fresh or absent, and without anybody in them."""

from __future__ import annotations

import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from compliance import erasure
from compliance.log import sequencer
from core import attestations, audit, gpu
from core.clock import now
from core.db import Lookup, engine, transaction
from core.errors import ConfigurationError
from core.ids import new_id
from core.models import Erasure, Installation, Member
from core.observe import figures as module
from core.observe import health
from core.observe.figures import Figures
from core.observe.server import served
from core.people import members, organizations
from core.queue import JobName, Lane, enqueue_all, lane_of
from core.settings import settings
from deploy.local.processes import (
    child_environment,
    end_process,
    free_port,
    leashed,
    python_module,
    wait_ready,
)
from deploy.local.services import LocalServices


def taken() -> dict[str, Any]:
    """Take the figures; return name to value, or to a dict by labels."""
    collector = Figures()
    collector.take()
    found: dict[str, Any] = {}
    for family in collector.collect():
        for sample in family.samples:
            if sample.labels:
                found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
            else:
                found[sample.name] = sample.value
    return found


def owe(org: UUID, job: JobName, count: int, **values: Any) -> None:
    with transaction(org) as session:
        for row in enqueue_all(session, job, [new_id() for _ in range(count)]):
            for name, value in values.items():
                setattr(row, name, value)


def minutes_ago(count: float) -> datetime:
    return now() - timedelta(minutes=count)


def test_the_queue_is_told_by_lane_and_class_of_company(org: UUID) -> None:
    large = organizations.create("globex", "Globex", contact_email="privacy@globex.example")
    with transaction(large) as session:
        people = [members.NewMember(f"m{number}@globex.example", "M", "Globex") for number in range(100)]
        members.add(session, people, actor=audit.SYSTEM, tag=audit.Tag.MEMBER_IMPORTED)
    owe(org, JobName.INTAKE, 3, not_before=minutes_ago(2))
    owe(large, JobName.INTAKE, 5, not_before=minutes_ago(7))
    owe(large, JobName.RENDER, 2, not_before=now() + timedelta(hours=1))  # not due
    owe(
        org,
        JobName.ERASE,
        1,
        first_failed_at=minutes_ago(30),
        outages=4,
        not_before=now() + timedelta(hours=1),
    )
    owe(org, JobName.ERASE, 4, done_at=now())
    found = taken()
    small, medium = module.Company.SMALL, module.Company.MEDIUM
    check, erase, render = (lane_of(job).value for job in (JobName.INTAKE, JobName.ERASE, JobName.RENDER))
    jobs, oldest = found["headshots_queue_jobs"], found["headshots_queue_oldest_seconds"]
    assert jobs[check, medium] == 5
    assert oldest[check, medium] == pytest.approx(7 * 60, abs=20)
    assert oldest[erase, small] == pytest.approx(30 * 60, abs=20), (
        "work that fails ages from its first failure"
    )
    assert found["headshots_queue_failing_jobs"][erase, small] == 1
    assert found["headshots_queue_held_jobs"][erase, small] == 1
    assert jobs[render, medium] == 0, "what is for later does not wait"
    assert {lane for lane, _ in jobs} >= set(Lane), "an empty lane is a nought"
    assert sum(jobs.values()) == 3 + 5 + 1


def test_what_is_owed_to_people_and_auditors_ages(org: UUID, member: Member) -> None:
    with transaction(org) as session:
        sequencer.sequence(session)
    fresh = taken()
    assert fresh["headshots_oldest_overdue_deletion_seconds"] == 0
    assert fresh["headshots_oldest_uncertified_erasure_seconds"] == 0
    assert fresh["headshots_oldest_unsequenced_seconds"] == 0
    with transaction(org) as session:
        row = session.get_one(Member, member.id)
        erasure.request(
            session, row, reason=erasure.ErasureReason.EMPLOYER_REQUEST, actor=audit.SYSTEM, language="en"
        )
        session.execute(update(Erasure).values(created_at=minutes_ago(90)))
    owed = taken()
    assert owed["headshots_oldest_overdue_deletion_seconds"] == pytest.approx(90 * 60, abs=20)
    assert owed["headshots_oldest_uncertified_erasure_seconds"] == pytest.approx(90 * 60, abs=20)
    assert 0 < owed["headshots_oldest_unsequenced_seconds"] < 20


def test_keys_certificates_and_gpus(org: UUID) -> None:
    pem = (settings().signing_path / "document.pem").read_text()
    certificate = pem[pem.index("-----BEGIN CERTIFICATE") :]
    with transaction(org) as session:
        session.execute(
            text(
                "INSERT INTO saml_connections (id, org_id, created_at, idp_entity_id, idp_sso_url, idp_certificates,"
                " attributes, admin_groups) VALUES (:id, :org, now(), 'idp', 'https://idp', :certificates, '{}', '[]')"
            ),
            {
                "id": new_id(),
                "org": org,
                "certificates": f'["{certificate.strip()}", "no certificate"]'.replace("\n", "\\n"),
            },
        )
    gpu.report("host/1", 3, 10)
    gpu.report("host/2", 4, 10)
    found = taken()
    assert found["headshots_epoch_age_seconds"] < 3600
    assert 0 < found["headshots_keyring_free_bytes"] < found["headshots_keyring_size_bytes"]
    expiry = found["headshots_certificate_expiry_timestamp_seconds"]
    assert set(expiry) == {("document",), ("origin",), ("saml_sp",), ("saml_idp",)}
    assert expiry["document",] > now().timestamp() + 20 * 365 * 86400
    assert (found["headshots_gpu_workers"], found["headshots_gpu_memory_used_bytes"]) == (2, 7)


def test_a_backup_ages_and_none_at_all_as_long_as_the_installation(org: UUID) -> None:
    assert taken()["headshots_backup_age_seconds"] < 3600
    with Session(engine()) as session, session.begin():
        session.execute(update(Installation).values(backup_at=minutes_ago(60 * 40)))
    assert taken()["headshots_backup_age_seconds"] == pytest.approx(40 * 3600, abs=20)


def test_a_drill_ages_and_none_at_all_as_long_as_the_installation(org: UUID) -> None:
    assert taken()["headshots_drill_age_seconds"] < 3600
    with Session(engine()) as session, session.begin():
        session.execute(update(Installation).values(drill_at=minutes_ago(60 * 24 * 101)))
    assert taken()["headshots_drill_age_seconds"] == pytest.approx(101 * 86400, abs=20)


def test_an_attestation_ages_and_counts_for_the_place_of_the_keys_alone(
    org: UUID, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Session(engine()) as session, session.begin():
        session.execute(update(Installation).values(created_at=minutes_ago(60 * 24 * 40)))
    assert taken()["headshots_attestation_age_seconds"] == pytest.approx(40 * 86400, abs=20)
    attestations.attest("Ada Lovelace", "Head of IT")
    assert taken()["headshots_attestation_age_seconds"] < 20
    monkeypatch.setenv("HEADSHOTS_ESCROW_PATH", str(tmp_path / "escrow"))
    settings.cache_clear()
    assert taken()["headshots_attestation_age_seconds"] == pytest.approx(40 * 86400, abs=20)


def test_a_figure_that_cannot_be_had_is_said_and_costs_the_others_nothing(org: UUID) -> None:
    for key in Path(settings().keyring_path).iterdir():
        key.unlink()
    Path(settings().keyring_path).rmdir()
    found = taken()
    assert found["headshots_figure_missing"]["keys",] == 1
    assert found["headshots_figure_missing"]["queue",] == 0
    assert "headshots_epoch_age_seconds" not in found
    assert found["headshots_oldest_unsequenced_seconds"] >= 0


def test_what_costs_more_is_taken_less_often_and_what_failed_at_once_again() -> None:
    asked: list[str] = []
    fails = [True]

    def cheap() -> Iterator[GaugeMetricFamily]:
        asked.append("cheap")
        yield GaugeMetricFamily("headshots_cheap", "", value=1)

    def dear() -> Iterator[GaugeMetricFamily]:
        asked.append("dear")
        if fails[0]:
            raise RuntimeError
        yield GaugeMetricFamily("headshots_dear", "", value=1)

    collector = Figures({cheap: 0.0, dear: 3600.0})
    collector.take()
    assert "headshots_dear" not in [family.name for family in collector.collect()]
    fails[0] = False
    collector.take()
    collector.take()
    assert asked == ["cheap", "dear"] * 2 + ["cheap"]
    assert {"headshots_cheap", "headshots_dear"} <= {family.name for family in collector.collect()}


def test_what_is_out_of_date_is_not_told(org: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = Figures()
    registry = CollectorRegistry()
    registry.register(collector)
    assert b"headshots" not in generate_latest(registry), "nothing before the first time"
    collector.take()
    assert b"headshots_queue_jobs" in generate_latest(registry)
    monkeypatch.setattr(module, "STALE_SECONDS", -1.0)
    assert b"headshots" not in generate_latest(registry)


def test_figures_name_no_company(org: UUID, member: Member) -> None:
    owe(org, JobName.INTAKE, 1)
    collector = Figures()
    registry = CollectorRegistry()
    registry.register(collector)
    collector.take()
    told = generate_latest(registry).decode()
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|acme|Acme|Ada", told)
    labels = {label for family in collector.collect() for sample in family.samples for label in sample.labels}
    assert labels <= {"lane", "company", "use", "figure"}


def test_figures_of_a_long_queue_are_cheap(org: UUID) -> None:
    owe(org, JobName.INVITE_MAIL, 10_000)
    begun = time.perf_counter()
    figures = Lookup.queue_figures()
    assert sum(figure.waiting for figure in figures) == 10_000
    assert time.perf_counter() - begun < 1.0  # some 15 ms on a quiet machine


@pytest.fixture
def scheduler(environment: dict[str, str], org: UUID, tmp_path: Path) -> Iterator[str]:
    """A real scheduler; the address of its metrics."""
    bind = f"127.0.0.1:{free_port()}"
    with (tmp_path / "scheduler.log").open("wb") as log:
        process = subprocess.Popen(
            leashed(python_module("deploy.cli", "scheduler")),
            env=child_environment({**environment, "HEADSHOTS_METRICS_BIND": bind}),
            stdout=log,
            stderr=log,
        )
    try:
        wait_ready(f"http://{bind}/readyz")
        yield f"http://{bind}"
    finally:
        end_process(process, signal.SIGTERM, patience=15)


def test_the_scheduler_tells_figures_and_duties_on_a_port_of_its_own(scheduler: str) -> None:
    def read() -> str:
        with urllib.request.urlopen(f"{scheduler}/metrics", timeout=20) as answer:
            return str(answer.read().decode())

    deadline = time.monotonic() + 60
    wanted = ('headshots_duty_last_success_timestamp_seconds{duty="epoch"}', "headshots_queue_jobs{")
    while not all(name in (told := read()) for name in wanted) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert all(name in told for name in wanted)
    assert 'headshots_part_up{part="storage"} 1.0' in told
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{scheduler}/admin", timeout=20)


def test_whether_parts_answer_is_told_though_nobody_probes(
    environment: dict[str, str], services: LocalServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    bind = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("HEADSHOTS_METRICS_BIND", bind)
    settings.cache_clear()

    def told() -> str:
        health.health.cache_clear()
        with urllib.request.urlopen(f"http://{bind}/metrics", timeout=20) as answer:
            return str(answer.read().decode())

    with served():
        assert 'headshots_part_up{part="redis"} 1.0' in told()
        services.redis.stop()
        try:
            assert 'headshots_part_up{part="redis"} 0.0' in told()
        finally:
            services.ensure_running()
        assert 'headshots_part_up{part="redis"} 1.0' in told()


def test_a_port_that_is_taken_is_said(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSHOTS_METRICS_BIND", f"127.0.0.1:{free_port()}")
    settings.cache_clear()
    with served(), pytest.raises(ConfigurationError, match="a port of its own"), served():
        pass
