"""What grows with an installation: sweeping, sequencing, turning the epoch, and a scheduler with nothing to do."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psutil

if TYPE_CHECKING:
    from deploy.bench import Report

PHOTOS_EACH = 8
SETTLE_SECONDS = 60.0  # after it has begun to lead: until a scheduler has done everything once
AT_ONCE = 1000  # rows and keys that are made together


@dataclass(frozen=True)
class Sizes:
    """How much of each there is."""

    photos: int = 80_000
    events: int = 40_000
    keys: int = 100_000
    companies: int = 300
    watch_seconds: float = 60.0


def bench_scale(report: Report, sizes: Sizes) -> None:
    """Measure each on one product of its own; what is measured comes after what makes it."""
    from deploy.bench import product

    with product() as org_id:
        _sequence(report, org_id, sizes.events)
        _sweep(report, org_id, sizes.photos)
        _turn(report, sizes.keys)
        _idle(report, sizes)


def _sequence(report: Report, org_id: UUID, count: int) -> None:
    from compliance.log import sequencer
    from core import audit
    from core.db import transaction

    for start in range(0, count, AT_ONCE):
        with transaction(org_id) as session:
            for _ in range(min(AT_ONCE, count - start)):
                audit.record(session, audit.Tag.BRAND_CHANGED, actor=audit.SYSTEM, logo=False)
    seconds = _seconds(sequencer.sequence_all)
    report(
        {"figure": "sequence", "events": count, "seconds": round(seconds, 2)},
        f"{count} events sequenced in {seconds:.1f} s",
    )


def _sweep(report: Report, org_id: UUID, count: int) -> None:
    from compliance import retention
    from core.clock import now
    from core.db import transaction
    from core.ids import new_id
    from core.models import Artifact, Kind, Member, Participation, Photo, Shoot, State

    moment = now()
    with transaction(org_id) as session:
        shoot_id = session.query(Shoot.id).scalar()
    made = 0
    while made < count:
        with transaction(org_id) as session:
            common: dict[str, Any] = {"org_id": org_id, "created_at": moment - timedelta(days=400)}
            for _ in range(AT_ONCE // PHOTOS_EACH):
                member = Member(id=new_id(), pseudonym=new_id().hex, **common)
                part = Participation(
                    id=new_id(),
                    shoot_id=shoot_id,
                    member_id=member.id,
                    state=State.APPROVED,
                    changed_at=common["created_at"],
                    approved_at=common["created_at"],
                    **common,
                )
                session.add_all([member, part])
                session.flush()
                for number in range(min(PHOTOS_EACH, count - made)):
                    artifact = Artifact(
                        id=new_id(),
                        member_id=member.id,
                        kind=Kind.PHOTO,
                        media_type="image/jpeg",
                        object_name=f"objects/be/{new_id().hex}",
                        size=1,
                        sealed_sha256="0" * 64,
                        **common,
                    )
                    photo = Photo(
                        id=new_id(),
                        participation_id=part.id,
                        member_id=member.id,
                        artifact_id=artifact.id,
                        upload_key=f"key-{number:08d}",
                        checked_at=common["created_at"],
                        **common,
                    )
                    session.add(artifact)
                    session.flush()
                    session.add(photo)
                    made += 1
    people = 0

    def sweep() -> None:
        nonlocal people
        people = retention.sweep_all()

    seconds = _seconds(sweep)
    report(
        {"figure": "sweep", "photos": count, "people": people, "seconds": round(seconds, 1)},
        f"{count} due photos of {people} people ended in {seconds:.0f} s",
    )


def _turn(report: Report, count: int) -> None:
    from core.ids import new_id
    from core.vault import vault

    keys = vault().keys
    for start in range(0, count, AT_ONCE):
        keys.create([new_id() for _ in range(min(AT_ONCE, count - start))])
    over = threading.Event()
    waits: list[float] = []

    def make() -> None:
        while not over.is_set():
            waits.append(_seconds(lambda: keys.create([new_id()])))

    making = threading.Thread(target=make)
    making.start()
    seconds = _seconds(keys.turn_epoch)
    over.set()
    making.join()
    report(
        {
            "figure": "epoch_turn",
            "keys": count,
            "seconds": round(seconds, 1),
            "keys_made_meanwhile": len(waits),
            "longest_wait_seconds": round(max(waits), 3),
        },
        f"{count} keys under a new epoch in {seconds:.1f} s; who made one meanwhile ({len(waits)} did) waited {max(waits):.2f} s at most",
    )


def _somebody_leads() -> bool:
    """Whether a scheduler holds the lead: nobody else can take it then."""
    from core import locks
    from core.db import engine

    with engine().connect() as connection:
        free = locks.take(connection, locks.Space.SCHEDULER)
        connection.invalidate()  # closed for good, which frees it
    return not free


def _idle(report: Report, sizes: Sizes) -> None:
    from core.clock import now
    from core.people import organizations
    from deploy.local.processes import python_module

    for number in range(sizes.companies - 1):  # one is there
        organizations.create(f"idle-{number}", "Idle")
    # The settings of this process are those of its product.
    process = subprocess.Popen(python_module("deploy.cli", "scheduler"), env=dict(os.environ))  # noqa: TID251 - see above
    try:
        while not _somebody_leads():
            time.sleep(0.5)
        time.sleep(SETTLE_SECONDS)
        watched = psutil.Process(process.pid)
        before, began = _cpu(watched), now()
        time.sleep(sizes.watch_seconds)
        used, passed = _cpu(watched) - before, _since(began)
    finally:
        process.terminate()
        process.wait(timeout=30)
    share = 100 * used / passed
    report(
        {"figure": "idle_scheduler", "companies": sizes.companies, "cpu_percent": round(share, 2)},
        f"scheduler of {sizes.companies} idle companies: {share:.2f} % of one core",
    )


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _since(began: datetime) -> float:
    from core.clock import now

    return (now() - began).total_seconds()


def _seconds(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
