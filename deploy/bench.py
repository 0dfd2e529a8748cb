"""`headshots bench`: figures of this machine, printed, never asserted."""

from __future__ import annotations

import io
import os
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

Report = Callable[[dict[str, Any], str], None]

ROUNDS = 5
MEGAPIXELS = (1, 4, 12, 24, 50)


def machine() -> str:
    """Return what the figures were measured on."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    memory = psutil.virtual_memory().total / 2**30
    return f"{model}, {psutil.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def run_bench(name: str, report: Report) -> None:
    """Run one benchmark."""
    report({"machine": machine()}, machine())
    {"studio": bench_studio, "vault": bench_vault, "import": bench_import}[name](report)


def _seconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median of several runs."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def bench_studio(report: Report) -> None:
    """Photo check and headshot by size of photo, warm, from the NASA portrait enlarged."""
    from PIL import Image
    from skimage import data

    from compliance.consent import own_photos
    from core.style import StyleSpec
    from workers.render import render
    from workers.vision import check, warm

    started = time.perf_counter()
    warm.warm()
    value = round(time.perf_counter() - started, 2)
    report({"figure": "warm_up_seconds", "value": value}, f"warm-up of a worker: {value} s")
    portrait = Image.fromarray(data.astronaut())
    consent = own_photos()
    for size in MEGAPIXELS:
        side = round((size * 1e6) ** 0.5)
        target = io.BytesIO()
        portrait.resize((side, side), Image.Resampling.BICUBIC).save(target, "JPEG", quality=92)
        content = target.getvalue()
        checking = _seconds(partial(check.check, content, consent), 3)
        rendering = _seconds(partial(render, [("photo", content)], StyleSpec(), consent), 3)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        report(
            {
                "figure": "studio",
                "megapixels": size,
                "check_seconds": round(checking, 3),
                "headshot_seconds": round(rendering, 3),
                "peak_memory_gib": round(peak, 2),
            },
            f"{size:3d} megapixels: check {checking:.2f} s, check and headshot {rendering:.2f} s, peak memory so far {peak:.2f} GiB",
        )


def bench_vault(report: Report) -> None:
    """Sealing and opening, and turning the epoch over many keys."""
    from core.ids import new_id
    from core.vault.crypto import new_key, open_sealed, seal
    from core.vault.keys import KeyStore
    from core.vault.kms import FileKms
    from deploy.local import LocalServices

    content, key = bytes(5_000_000), new_key()
    sealed = seal(key, content, b"")
    sealing, opening = (
        _seconds(lambda: seal(key, content, b"")),
        _seconds(lambda: open_sealed(key, sealed, b"")),
    )
    report(
        {"figure": "seal_5_mb", "seconds": round(sealing, 4), "open_seconds": round(opening, 4)},
        f"seal 5 MB {sealing * 1000:.1f} ms, open {opening * 1000:.1f} ms",
    )
    from sqlalchemy import create_engine

    with (
        tempfile.TemporaryDirectory(prefix="headshots-bench-") as home,
        LocalServices(Path(home), durable=True) as services,
    ):
        store = KeyStore(create_engine(services.databases.keys), FileKms(Path(home) / "keyring"), bytes(32))
        store.create_tables()
        people = 10_000
        started = time.perf_counter()
        for start in range(0, people, 1000):
            store.create([new_id() for _ in range(min(1000, people - start))])
        making = time.perf_counter() - started
        turning = _seconds(store.turn_epoch, 1)
        report(
            {
                "figure": "keys",
                "people": people,
                "create_seconds": round(making, 2),
                "turn_seconds": round(turning, 2),
            },
            f"{people} keys: made in {making:.2f} s, epoch turned in {turning:.2f} s",
        )


def bench_import(report: Report) -> None:
    """A roster of 10,000 rows: judged, and committed with members, keys, invitations and events."""
    from sqlalchemy import select

    from core import audit
    from core.db import transaction
    from core.models import Shoot
    from core.services import imports, roster

    rows = [f"E{n:05d},person{n}@northwind.example,First{n},Last{n},Sales" for n in range(10_000)]
    content = ("employee_id,email,first_name,last_name,department\n" + "\n".join(rows)).encode()
    reading = _seconds(lambda: roster.parse(content, test_domains=True), 3)
    report(
        {"figure": "roster_10000_rows", "seconds": round(reading, 2)},
        f"10,000 rows judged in {reading:.2f} s",
    )
    with _product() as org_id:
        started = time.perf_counter()
        with transaction(org_id) as session:
            shoot = session.scalars(select(Shoot)).one()
            run = imports.upload(session, shoot, content)
        judged = time.perf_counter() - started
        started = time.perf_counter()
        with transaction(org_id) as session:
            shoot = session.scalars(select(Shoot)).one()
            imports.commit(session, shoot, run.import_id, actor=audit.SYSTEM)
        committed = time.perf_counter() - started
    report(
        {
            "figure": "import_10000_rows",
            "dry_run_seconds": round(judged, 2),
            "commit_seconds": round(committed, 2),
        },
        f"10,000 people: dry run {judged:.2f} s, commit {committed:.2f} s",
    )


@contextmanager
def _product() -> Iterator[UUID]:
    """Make this process one of a product of its own, with a company and an empty shoot; yield the company."""
    from core.clock import now
    from core.db import transaction
    from core.ids import new_id
    from core.models import Shoot, Style
    from core.schema import migrate
    from core.services import organizations
    from core.style import StyleSpec
    from core.vault import vault
    from deploy.local import LocalServices
    from deploy.stack import environment

    with (
        tempfile.TemporaryDirectory(prefix="headshots-bench-") as home,
        LocalServices(Path(home), durable=True) as services,
    ):
        migrate(services.databases.owner)
        # This process reads its settings after this line; nothing has opened a connection before.
        os.environ.update(environment(Path(home), services, "http://127.0.0.1", 9))  # noqa: TID251 - see above
        vault().keys.create_tables()
        org_id = organizations.create("northwind", "Northwind Labs")
        with transaction(org_id) as session:
            style = Style(id=new_id(), org_id=org_id, name="Bench", spec=StyleSpec().model_dump(mode="json"))
            session.add(style)
            session.flush()
            shoot = Shoot(
                id=new_id(),
                org_id=org_id,
                name="Bench",
                style_id=style.id,
                deadline=now() + timedelta(days=14),
            )
            session.add(shoot)
        yield org_id
