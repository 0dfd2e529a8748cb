"""What erasing many people costs, from the button to the final certificate, with two workers, while somebody uses the portal."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

import httpx

from deploy.bench.processes import answers, cpu_seconds, running, wait_until
from deploy.local.processes import free_port

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from core.models import Participation
    from core.queue import JobName
    from deploy.bench import Report

WORKERS = 2
SAMPLE = 5  # people who are erased in this process, step by step
PEOPLE = 10_000  # of the figure to reach
MOST_MINUTES = 30.0
MOST_MILLISECONDS = 500.0  # of a page meanwhile, p95
LOOK_SECONDS = 0.2
AT_ONCE = 500
KINDS = ("photo", "likeness", "headshot")  # that each of them has in the storage


def bench_erasures(report: Report, org_id: UUID, people: int) -> None:
    """Erase `people` of a company and certify it, twice: before the epoch has turned and after."""
    from sqlalchemy import select

    from core import crew
    from core.db import transaction
    from core.models import Shoot
    from deploy.bench import crowd

    with transaction(org_id) as session:
        shoot_id = session.scalars(select(Shoot.id)).one()
    _steps(report, org_id, [_filled(org_id, one) for one in crowd.people(org_id, shoot_id, SAMPLE)])
    visitor = _filled(org_id, crowd.people(org_id, shoot_id, 1)[0])
    those = []
    for start in range(0, people, AT_ONCE):
        some = crowd.people(org_id, shoot_id, min(AT_ONCE, people - start))
        those += [_filled(org_id, one) for one in some]
    port = free_port()
    commands = [
        ("deploy.cli", "web", "--bind", f"127.0.0.1:{port}", "--workers", "1"),
        ("deploy.cli", "scheduler"),
        *[("deploy.cli", "worker")] * WORKERS,
    ]
    with running(commands) as processes:
        wait_until(lambda: answers(port) and len(crew.alive()) == WORKERS)
        began, own = time.perf_counter(), time.process_time()
        before = [cpu_seconds(one) for one in processes]
        with _visited(port, visitor) as pages:
            for one in those:
                _press(org_id, one)
            pending = _until(org_id, "PENDING", people, began)
            _turn()
            complete = _until(org_id, "COMPLETE", people, began)
        spent = sum(cpu_seconds(one) for one in processes) - sum(before) + time.process_time() - own
    late = statistics.quantiles(pages, n=20)[-1] if len(pages) > 1 else 0.0
    each = spent / people
    report(
        {
            "figure": "erasures",
            "people": people,
            "pending_seconds": round(pending, 1),
            "complete_seconds": round(complete, 1),
            "core_seconds_a_person": round(each, 3),
            "minutes_for_10000": round(complete / people * PEOPLE / 60, 1),
            "page_p95_milliseconds": round(late),
            "pages": len(pages),
        },
        f"{people:,} people erased: each has a certificate after {pending:.0f} s and the final one, the epoch having turned, after {complete:.0f} s, "
        f"with {WORKERS} workers; {each:.2f} core-seconds each, all processes together. At that rate {PEOPLE:,} take "
        f"{complete / people * PEOPLE / 60:.0f} min ({MOST_MINUTES:.0f} to reach). A page of the portal meanwhile: p95 {late:.0f} ms "
        f"({MOST_MILLISECONDS:.0f} to reach, {len(pages)} asked)",
    )


def _filled(org_id: UUID, part: Participation) -> Participation:
    """Give somebody a photo, its numbers and a headshot."""
    from core.db import transaction
    from core.ids import new_id
    from core.models import Headshot, Kind, Photo, Shoot
    from core.vault import vault

    sealed = {
        kind: vault().seal(
            org_id, bytes(1000), kind=Kind(kind), media_type="image/jpeg", member_id=part.member_id
        )
        for kind in KINDS
    }
    whose = {"org_id": org_id, "member_id": part.member_id, "participation_id": part.id}
    with transaction(org_id) as session:
        held = {kind: vault().keep(session, one).id for kind, one in sealed.items()}
        photo = Photo(
            id=new_id(), artifact_id=held["photo"], likeness_id=held["likeness"], upload_key="bench",
            verdict={"accepted": True, "issues": []}, **whose,
        )  # fmt: skip
        session.add(photo)
        session.flush()
        style_id = session.get_one(Shoot, part.shoot_id).style_id
        session.add(
            Headshot(
                id=new_id(), photo_id=photo.id, style_id=style_id, artifact_id=held["headshot"], engine="studio",
                rank=0, gates={}, seconds=1.0, **whose,
            )
        )  # fmt: skip
    return part


def _press(org_id: UUID, part: Participation) -> None:
    from compliance import erasure
    from core import audit
    from core.db import transaction
    from core.models import Member

    with transaction(org_id) as session:
        member = session.get_one(Member, part.member_id)
        erasure.request(
            session,
            member,
            reason=erasure.ErasureReason.SELF_SERVICE,
            actor=audit.actor_for(member),
            language="en",
        )


def _turn() -> None:
    from compliance import erasure

    erasure.turn_epoch()


def _until(org_id: UUID, status: str, people: int, began: float) -> float:
    """Return after how many seconds as many certificates of a status are there."""
    from sqlalchemy import func, select

    from core.db import transaction
    from core.models import Certificate

    while True:
        with transaction(org_id) as session:
            # Those of the sample are there before.
            there = session.scalar(select(func.count()).where(Certificate.status == status)) or 0
        if there >= people + SAMPLE:
            return time.perf_counter() - began
        time.sleep(LOOK_SECONDS)


@dataclass
class _Step:
    """Of one step, per person."""

    core: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    @contextmanager
    def timed(self) -> Iterator[None]:
        core, wall = time.process_time(), time.perf_counter()
        yield
        self.core.append(time.process_time() - core)
        self.wall.append(time.perf_counter() - wall)


def _steps(report: Report, org_id: UUID, people: list[Participation]) -> None:
    """Say what each step costs of a core, in one process and with nothing else to do; Postgres' own work is not in it."""
    from compliance import erasure
    from core.queue import JobName

    steps: dict[str, _Step] = {}

    def each(name: str, works: list[Callable[[], object]]) -> None:
        step = steps.setdefault(name, _Step())
        for work in works:
            with step.timed():
                work()

    each("button", [lambda one=one: _press(org_id, one) for one in people])  # type: ignore[misc]
    each("erase", _owed(org_id, JobName.ERASE))
    each("certify", _owed(org_id, JobName.CERTIFY))
    with (turned := _Step()).timed():
        erasure.turn_epoch()
    each("certify again", _owed(org_id, JobName.CERTIFY))
    medians = {name: statistics.median(one.core) for name, one in steps.items()}
    medians["turn and settle"] = turned.core[0] / len(people)
    total = sum(medians.values())
    said = ", ".join(f"{name} {seconds:.3f}" for name, seconds in medians.items())
    report(
        {
            "figure": "erasure_steps",
            **{name.replace(" ", "_"): round(one, 4) for name, one in medians.items()},
        },
        f"core-seconds a person, median of {len(people)}: {said}; together {total:.2f}, with {MOST_MINUTES * 60 * 2 / PEOPLE:.2f} to reach "
        f"for {PEOPLE:,} on two cores",
    )


def _owed(org_id: UUID, job: JobName) -> list[Callable[[], object]]:
    """Return the work that is owed of one kind."""
    from sqlalchemy import select

    from core.db import transaction
    from core.models import Outbox
    from workers.process.runner import perform

    def owed(session: Session) -> list[UUID]:
        wanted = select(Outbox.id).where(Outbox.job == job, Outbox.done_at.is_(None))
        return list(session.scalars(wanted.order_by(Outbox.id)))

    with transaction(org_id) as session:
        return [lambda one=one: perform(str(one)) for one in owed(session)]  # type: ignore[misc]


@contextmanager
def _visited(port: int, visitor: Participation) -> Iterator[list[float]]:
    """Ask for a page of the portal again and again, as somebody who stays; yields how many milliseconds each took."""
    from core.db import transaction
    from core.models import Member, SignInMethod
    from core.people import sessions
    from portal.app import create_app

    with transaction(visitor.org_id) as session:
        member = session.get_one(Member, visitor.member_id)
        token = sessions.start(session, member, SignInMethod.INVITE, participation=visitor)
    cookie = create_app().config["SIGN_IN_COOKIE"]
    taken: list[float] = []
    over, failures = threading.Event(), list[int]()

    def ask() -> None:
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", cookies={cookie: token}, trust_env=False, timeout=60
        ) as browser:
            while not over.wait(LOOK_SECONDS):
                began = time.perf_counter()
                answer = browser.get("/me/privacy")
                taken.append((time.perf_counter() - began) * 1000)
                if answer.status_code != httpx.codes.OK:
                    failures.append(answer.status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield taken
    finally:
        over.set()
        asking.join()
    assert not failures, f"the page answered {failures[0]}"
