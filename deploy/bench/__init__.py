"""`headshots bench`: figures of this machine, printed, never asserted."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psutil

from core.errors import ConfigurationError
from core.logs import configure

if TYPE_CHECKING:
    from deploy.bench.scale import Sizes

Report = Callable[[dict[str, Any], str], None]

ROUNDS = 5


def machine() -> str:
    """Return what the figures were measured on."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    memory = psutil.virtual_memory().total / 2**30
    return f"{model}, {psutil.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def run_bench(
    name: str,
    report: Report,
    photos: Path | None = None,
    *,
    mails: int = 2000,
    renders: int = 10_000,
    members: int = 100_000,
    sizes: Sizes | None = None,
    entries: int = 1_000_000,
    headshots: int = 10_000,
    erased: int = 10_000,
) -> None:
    """Run one benchmark.

    Args:
        name: which.
        report: takes the figures.
        photos: for those of pictures: one subfolder per person.
        mails: for `lanes`: how many go out.
        renders: for `lanes`: how many pictures wait.
        members: for `pages` and `portal`: how many people the company has.
        sizes: for `scale`: how much there is.
        entries: for `compliance`: how many the log has.
        headshots: for `gallery`: how many the shoot has.
        erased: for `compliance`: how many people are erased.
    """
    report({"machine": machine()}, machine())
    if name == "studio":
        from deploy.bench.studio import bench_studio

        bench_studio(report, people_of(photos))
    elif name == "check":
        from deploy.bench.check import bench_check

        bench_check(report, people_of(photos))
    elif name == "matte":
        from deploy.bench.matte import bench_matte

        bench_matte(report, people_of(photos))
    elif name == "likeness":
        from deploy.bench.likeness import bench_likeness

        bench_likeness(report, people_of(photos))
    elif name == "scale":
        from deploy.bench.scale import Sizes, bench_scale

        configure("ERROR")
        bench_scale(report, sizes or Sizes())
    elif name == "pages":
        from deploy.bench.pages import bench_pages

        configure("ERROR")
        with product() as org_id:
            bench_pages(report, org_id, members)
    elif name == "portal":
        from deploy.bench.portal import bench_portal

        configure("ERROR")
        with product() as org_id:
            bench_portal(report, org_id, members)
    elif name == "gallery":
        from deploy.bench.gallery import bench_gallery

        configure("ERROR")
        with product() as org_id:
            bench_gallery(report, org_id, headshots)
    elif name == "compliance":
        from deploy.bench.compliance import bench_compliance

        configure("ERROR")
        with product() as org_id, tempfile.TemporaryDirectory(prefix="headshots-bench-") as folder:
            bench_compliance(report, org_id, entries, erased, Path(folder))
    elif name == "files":
        from deploy.bench.files import bench_files

        bench_files(report)
    elif name == "origin":
        from deploy.bench.origin import bench_origin

        bench_origin(report)
    elif name == "diffusion":
        try:
            from workers.diffusion.bench_person import bench_diffusion
        except ImportError as error:
            raise ConfigurationError("This needs torch, diffusers and peft. Run `make setup-gpu`.") from error
        configure("WARNING")
        bench_diffusion(report, people_of(photos))
    elif name == "mail":
        from deploy.bench.mail import bench_mail
        from deploy.local.processes import free_port

        configure("WARNING")
        port = free_port()
        with product(port) as org_id:
            bench_mail(report, org_id, port)
    elif name == "lanes":
        from deploy.bench.lanes import bench_lanes
        from deploy.local.processes import free_port

        configure("WARNING")
        ((_, photo), *_), *_ = people_of(photos).values()
        port = free_port()
        with product(port) as org_id:
            bench_lanes(report, org_id, port, photo, mails=mails, renders=renders)
    else:
        {"vault": bench_vault, "import": bench_import, "sign-in": bench_sign_in}[name](report)


def people_of(photos: Path | None) -> dict[str, list[tuple[str, bytes]]]:
    """Return the people of a folder, or the one in the sample portrait."""
    from workers.folder.people import read_people
    from workers.folder.sample import sample_people

    return read_people(photos) if photos else sample_people()


def seconds_of(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median of several runs."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def bench_vault(report: Report) -> None:
    """Sealing and opening."""
    from core.vault.crypto import new_key, open_sealed, seal

    content, key = bytes(5_000_000), new_key()
    sealed = seal(key, content, b"")
    sealing, opening = (
        seconds_of(lambda: seal(key, content, b"")),
        seconds_of(lambda: open_sealed(key, sealed, b"")),
    )
    report(
        {"figure": "seal_5_mb", "seconds": round(sealing, 4), "open_seconds": round(opening, 4)},
        f"seal 5 MB {sealing * 1000:.1f} ms, open {opening * 1000:.1f} ms",
    )


def bench_import(report: Report) -> None:
    """A roster of 10,000 rows: judged, confirmed, and imported with members, keys, invitations and events."""
    from core.people import roster
    from deploy.bench import lists

    rows = [f"E{n:05d},person{n}@northwind.example,First{n},Last{n},Sales" for n in range(10_000)]
    content = ("employee_id,email,first_name,last_name,department\n" + "\n".join(rows)).encode()
    reading = seconds_of(lambda: roster.parse(content, test_domains=True), 3)
    report(
        {"figure": "roster_10000_rows", "seconds": round(reading, 2)},
        f"10,000 rows judged in {reading:.2f} s",
    )
    with product() as org_id:
        started = time.perf_counter()
        import_id = lists.send(org_id, content)
        judged = time.perf_counter() - started
        started = time.perf_counter()
        lists.confirm(org_id, import_id)
        confirmed = time.perf_counter() - started
        started = time.perf_counter()
        lists.import_all(org_id, import_id)
        imported = time.perf_counter() - started
    report(
        {
            "figure": "import_10000_rows",
            "dry_run_seconds": round(judged, 2),
            "request_seconds": round(confirmed, 2),
            "import_seconds": round(imported, 2),
        },
        f"10,000 people: dry run {judged:.2f} s, confirmed in {confirmed:.2f} s, imported behind the pages in {imported:.2f} s",
    )


def bench_sign_in(report: Report) -> None:
    """What it costs to send a browser to the identity provider: anybody may ask, as often as they like."""
    from admin.app import create_app
    from core.db import transaction
    from core.settings import settings
    from sso import connections
    from sso.devidp.app import dev_connection

    times = 200
    configure("WARNING")
    with product() as org_id:
        config = settings()
        assert config.development_idp_path is not None
        base = config.base_url
        with transaction(org_id) as session:
            connections.save(
                session, dev_connection("northwind", base, f"{base}/devidp", config.development_idp_path)
            )
        browser = create_app().test_client()
        browser.get("/sso/northwind/login")  # reads the key, once a process
        started, cpu = time.perf_counter(), time.thread_time()
        for _ in range(times):
            assert browser.get("/sso/northwind/login").status_code == 302
        cpu, seconds = time.thread_time() - cpu, time.perf_counter() - started
    milliseconds = cpu / times * 1000
    report(
        {
            "figure": "sign_in_request",
            "cpu_milliseconds": round(milliseconds, 2),
            "milliseconds": round(seconds / times * 1000, 2),
        },
        f"sending a browser to sign in: {milliseconds:.1f} ms of one core, {seconds / times * 1000:.1f} ms in all",
    )


@contextmanager
def product(smtp_port: int = 9) -> Iterator[UUID]:
    """Make this process one of a product of its own, with a company and an empty shoot; yield the company.

    Args:
        smtp_port: where its mail server is; nobody is at the discard port.
    """
    from core.clock import now
    from core.db import transaction
    from core.ids import new_id
    from core.models import Shoot, Style
    from core.people import organizations
    from core.schema import migrate
    from core.style.spec import StyleSpec
    from deploy import installation
    from deploy.local.services import LocalServices
    from deploy.local.stack import environment

    with (
        tempfile.TemporaryDirectory(prefix="headshots-bench-") as home,
        LocalServices(Path(home), durable=True) as services,
    ):
        migrate(services.databases.owner)
        # This process reads its settings after this line; nothing has opened a connection before.
        os.environ.update(environment(Path(home), services, "http://127.0.0.1", smtp_port))  # noqa: TID251 - see above
        installation.initialize()
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
