"""`headshots bench lanes`: who waits how long while others have much to do, with real processes and a mail server."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from compliance import erasure
from compliance.consent import leaving
from core import audit, crew
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.ids import new_id
from core.models import Member, Outbox, Participation, Photo, State
from core.queue import CHANNEL, JOBS, JobName, Lane, enqueue_all
from deploy.bench import crowd
from deploy.bench.mail import invite, waiting
from deploy.bench.processes import answers, running, wait_until

Report = Callable[[dict[str, Any], str], None]

WORKERS = 2
OFFERED_A_SECOND = 1000
OFFERED_SECONDS = 6
OFFERED_AT_ONCE = 50
BACKLOG = 10_000
CHECKS = 20
LETTERS = 10  # people who decide something, and people who are erased
CHECK_EVERY = 0.3  # seconds between two photos
TEAM = 20  # people of the small company
ROUNDS = 3
# Pictures of the large company that are really made; the rest of its queue is never reached.
REAL = 30
_LOOK = 0.02  # seconds


def bench_lanes(
    report: Report, org_id: UUID, smtp_port: int, photo: bytes, *, mails: int, renders: int
) -> None:
    """Report how fast work is handed over, and how long a person and a small company wait behind a wave.

    Args:
        report: takes the figures.
        org_id: a company with an empty shoot, of the product that this process's settings name.
        smtp_port: of those settings.
        photo: that everybody sends.
        mails: how many go out while photos are checked.
        renders: how many pictures of another company wait before the small one's.
    """
    hand_over(report)
    workers = [("deploy.cli", "worker")] * WORKERS
    with running([("deploy.bench.sink", str(smtp_port)), ("deploy.cli", "scheduler"), *workers]):
        wait_until(lambda: answers(smtp_port))
        wait_until(lambda: len(crew.alive()) == WORKERS)
        check_behind_mails(report, org_id, photo, mails)
        proof_behind_mails(report, org_id)
        wait_until(lambda: waiting(org_id) == 0)
        wait_until(lambda: not crew.is_somebody_there())
        picture_behind_pictures(report, photo, renders)


def hand_over(report: Report) -> None:
    """Offer work at a steady rate, then at once, to takers that do nothing with it."""
    org_id = crowd.company("handed-over")
    takers = [("deploy.bench.taker",)] * WORKERS
    with running([("deploy.cli", "scheduler"), *takers]):
        wait_until(lambda: len(crew.alive()) == WORKERS)
        offered, begun = OFFERED_A_SECOND * OFFERED_SECONDS, time.monotonic()
        for number in range(offered // OFFERED_AT_ONCE):
            time.sleep(max(0.0, begun + number * OFFERED_AT_ONCE / OFFERED_A_SECOND - time.monotonic()))
            with transaction(org_id) as session:
                enqueue_all(session, JobName.INVITE_MAIL, [new_id() for _ in range(OFFERED_AT_ONCE)])
            if number * OFFERED_AT_ONCE % OFFERED_A_SECOND == 0:  # before the relay takes it for lost
                _mark_taken(org_id)
        seconds = time.monotonic() - begun
        wait_until(lambda: _mark_taken(org_id) == 0)
        took = func.extract("epoch", Outbox.published_at - Outbox.created_at)
        with transaction(org_id) as session:
            half, most = session.execute(
                select(*(func.percentile_cont(part).within_group(took) for part in (0.5, 0.95)))
            ).one()
            session.execute(delete(Outbox))
        _queue(org_id, JobName.INVITE_MAIL, BACKLOG)
        begun = time.monotonic()
        wait_until(lambda: _mark_taken(org_id) == 0)
        rate = BACKLOG / (time.monotonic() - begun)
    report(
        {
            "figure": "outbox_to_worker",
            "offered_a_second": round(offered / seconds),
            "median_seconds": round(float(half), 3),
            "p95_seconds": round(float(most), 3),
            "backlog_a_second": round(rate),
        },
        f"outbox to worker, offered {offered / seconds:.0f}/s: median {half * 1000:.0f} ms, p95 {most * 1000:.0f} ms; "
        f"{BACKLOG} at once: {rate:.0f}/s",
    )


def _mark_taken(org_id: UUID) -> int:
    """Mark as done what was taken; return how much is left."""
    with transaction(org_id) as session:
        session.execute(
            update(Outbox)
            .where(Outbox.published_at.is_not(None), Outbox.done_at.is_(None))
            .values(done_at=now())
        )
        return session.scalar(select(func.count()).where(Outbox.done_at.is_(None))) or 0


def _queue(org_id: UUID, job: JobName, count: int) -> None:
    """Owe work on nobody, in one statement."""
    with transaction(org_id) as session:
        session.execute(
            text(
                "INSERT INTO outbox (id, org_id, created_at, job, subject_id, not_before, attempts)"
                " SELECT gen_random_uuid(), :org, now(), :job, gen_random_uuid(), now(), 0"
                " FROM generate_series(1, :count)"
            ),
            {"org": org_id, "job": job.value, "count": count},
        )
        session.execute(select(func.pg_notify(CHANNEL, "")))


def check_behind_mails(report: Report, org_id: UUID, photo: bytes, mails: int) -> None:
    """Send one photo after the other while mails go out."""
    small = crowd.company("at-a-page")
    crowd_there = crowd.people(small, crowd.shoot_of(small), CHECKS + 1)
    _checked(crowd_there[-1], photo)  # as the workers have done before
    invite(org_id, mails)
    wait_until(lambda: waiting(org_id) < mails)
    before, begun, took = waiting(org_id), time.monotonic(), []
    for person in crowd_there[:CHECKS]:
        if waiting(org_id) == 0:
            break
        took.append(_checked(person, photo))
        time.sleep(CHECK_EVERY)
    sent, seconds = before - waiting(org_id), time.monotonic() - begun
    p95 = sorted(took)[max(0, round(0.95 * len(took)) - 1)]
    report(
        {
            "figure": "photo_check_behind_mails",
            "mails": mails,
            "checks": len(took),
            "median_seconds": round(statistics.median(took), 2),
            "p95_seconds": round(p95, 2),
            "mails_a_second": round(sent / seconds, 1),
        },
        f"photo check while {mails} mails go out, {len(took)} checks: median {statistics.median(took):.2f} s, "
        f"p95 {p95:.2f} s; meanwhile {sent / seconds:.0f} mails/s",
    )


def _checked(person: Participation, photo: bytes) -> float:
    """Return how many seconds a photo's check takes from when it has arrived."""
    photo_id = crowd.upload(person, photo)
    begun = time.monotonic()

    def is_checked() -> bool:
        with transaction(person.org_id) as session:
            return session.get_one(Photo, photo_id).verdict is not None

    wait_until(is_checked, every=_LOOK)
    return time.monotonic() - begun


def proof_behind_mails(report: Report, org_id: UUID) -> None:
    """Have people of the company whose mails go out take a consent back, and HR erase some, while they wait there."""
    everybody = crowd.people(org_id, crowd.shoot_of(org_id), 2 * LETTERS)
    before = waiting(org_id)
    receipts = [_told(person, JobName.RECEIPT_MAIL, _take_back) for person in everybody[:LETTERS]]
    proofs = [_told(person, JobName.FAREWELL_MAIL, _erase) for person in everybody[LETTERS:]]
    after = waiting(org_id)
    report(
        {
            "figure": "letters_behind_mails",
            "mails_waiting": [before, after],
            "receipt_median_seconds": round(statistics.median(receipts), 2),
            "receipt_longest_seconds": round(max(receipts), 2),
            "certificate_median_seconds": round(statistics.median(proofs), 2),
            "certificate_longest_seconds": round(max(proofs), 2),
        },
        f"while {before} to {after} of the company's other mails wait, {LETTERS} of each: a receipt's mail is out "
        f"{statistics.median(receipts):.2f} s after the decision (longest {max(receipts):.2f}), a certificate signed and "
        f"its mail out {statistics.median(proofs):.2f} s after the erasure (longest {max(proofs):.2f})",
    )


def _take_back(session: Session, member: Member) -> None:
    leaving.take_back(session, member, [Purpose.LIKENESS], actor=audit.actor_for(member))


def _erase(session: Session, member: Member) -> None:
    erasure.request(
        session,
        member,
        reason=erasure.ErasureReason.EMPLOYER_REQUEST,
        actor=audit.SYSTEM,
        language=member.language,
    )


def _told(person: Participation, mail: JobName, act: Callable[[Session, Member], None]) -> float:
    """Return how many seconds after an act all that it owes is done, its mail among it."""
    with transaction(person.org_id) as session:
        act(session, session.get_one(Member, person.member_id))
    begun, owed = time.monotonic(), (mail, *JOBS[Lane.PROOF])

    def is_done() -> bool:
        with transaction(person.org_id) as session:
            left = select(func.count()).where(
                Outbox.job.in_(owed), Outbox.done_at.is_(None), Outbox.not_before <= now()
            )
            return session.scalar(left) == 0

    wait_until(is_done, every=_LOOK)
    return time.monotonic() - begun


def picture_behind_pictures(report: Report, photo: bytes, renders: int) -> None:
    """Have a small company's first headshot made while nothing else waits, and behind a large company's."""
    idle = statistics.median(_first_headshot(f"alone-{number}", photo) for number in range(ROUNDS))
    large = crowd.company("large")
    for person in crowd.people(large, crowd.shoot_of(large), REAL):
        crowd.submit(person, photo)
    _queue(large, JobName.RENDER, renders - REAL)
    wait_until(lambda: _made(large) is not None)
    behind = [_first_headshot(f"small-{number}", photo) for number in range(ROUNDS)]
    with transaction(large) as session:
        made = session.scalar(select(func.count()).where(Participation.state == State.READY)) or 0
        session.execute(delete(Outbox).where(Outbox.published_at.is_(None)))
    median = statistics.median(behind)
    report(
        {
            "figure": "first_headshot_behind_renders",
            "queued": renders,
            "people": TEAM,
            "idle_seconds": round(idle, 2),
            "median_seconds": round(median, 2),
            "longest_seconds": round(max(behind), 2),
            "times_idle": round(median / idle, 2),
            "others_made_meanwhile": made,
        },
        f"first headshot of {TEAM} people: alone {idle:.2f} s, behind {renders} of another company {median:.2f} s "
        f"({median / idle:.1f} times, longest {max(behind):.2f} s)"
        + ("" if made < REAL else "; the others' pictures ran out, so the figure flatters"),
    )


def _first_headshot(name: str, photo: bytes) -> float:
    """Return after how many seconds the first of a new company's people has headshots; the rest is called off."""
    org_id = crowd.company(name)
    team = crowd.people(org_id, crowd.shoot_of(org_id), TEAM)
    begun = now()
    for person in team:
        crowd.submit(person, photo)
    wait_until(lambda: _made(org_id) is not None, every=_LOOK)
    ready = _made(org_id)
    assert ready is not None
    with transaction(org_id) as session:
        session.execute(delete(Outbox).where(Outbox.published_at.is_(None)))
    wait_until(lambda: _is_done(org_id))
    return (ready - begun).total_seconds()


def _made(org_id: UUID) -> datetime | None:
    """Return when the first of a company's people had headshots."""
    with transaction(org_id) as session:
        return session.scalar(
            select(func.min(Participation.changed_at)).where(Participation.state == State.READY)
        )


def _is_done(org_id: UUID) -> bool:
    with transaction(org_id) as session:
        running_jobs = select(func.count()).where(Outbox.job == JobName.RENDER, Outbox.done_at.is_(None))
        return session.scalar(running_jobs) == 0
