"""Workers killed, Redis flushed, Postgres restarted in the middle: nothing is lost or done twice."""

from __future__ import annotations

import io
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from conftest import add_member, add_participation
from PIL import Image
from rq import Queue
from rq.serializers import JSONSerializer
from sealing import sealed
from servers.smtp import PostOffice, serving
from skimage import data
from sqlalchemy import func, select, update

from compliance import consent
from core import audit, owed, progress, relay
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.models import Artifact, AuditEvent, Headshot, Kind, Member, Outbox, Participation, State
from core.portraits import photos, submission, verdicts
from core.queue import JobName, Lane, enqueue_all, redis_client, take
from core.vault import vault
from deploy.local.processes import child_environment, leashed, python_module
from deploy.local.services import LocalServices
from workers.process.runner import MAX_ATTEMPTS, perform
from workers.process.single import only_one

# mediapipe's generated code uses what newer protobuf deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PATIENCE = 120.0  # seconds; on a quiet machine everything here takes a tenth of it


@pytest.fixture
def post(environment: dict[str, str]) -> Iterator[PostOffice]:
    office = PostOffice()
    with serving(office) as port:
        environment["HEADSHOTS_SMTP_URL"] = f"smtp://127.0.0.1:{port}"
        yield office


def recipients(post: PostOffice) -> list[str]:
    return sorted(one for mail in post.mails for one in mail.to)


@pytest.fixture
def relaying(environment: dict[str, str]) -> Iterator[None]:
    """The scheduler's relay."""
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join()


Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture
def start_worker(environment: dict[str, str], post: PostOffice, tmp_path: Path) -> Iterator[Start]:
    """Starts real worker processes; their logs are shown when a test fails."""
    log = tmp_path / "workers.log"
    log.touch()
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = leashed(python_module("deploy.cli", "worker"))
        # Names its connections, so that Postgres can say which worker holds a lock.
        variables = child_environment({**environment, "PGAPPNAME": f"worker {len(started)}"})
        with log.open("ab") as file:
            process = subprocess.Popen(command, env=variables, stdout=file, stderr=subprocess.STDOUT)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
    print(log.read_text())


def waiting(lane: Lane) -> int:
    return Queue(lane, connection=redis_client(), serializer=JSONSerializer).count


def eventually(check: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} seconds for: {what}"
        time.sleep(0.01)


def portrait() -> bytes:
    target = io.BytesIO()
    Image.fromarray(data.astronaut()).save(target, "JPEG", quality=95)
    return target.getvalue()


def submit(org: UUID, member: Member) -> Participation:
    """Upload a photo that the check accepted, and send it to the studio."""
    participation = add_participation(org, member, State.CONSENTED)
    with transaction(org) as session:
        row = session.get_one(Participation, participation.id)
        photo = photos.store(
            session,
            row,
            sealed(org, portrait(), Kind.PHOTO, member.id),
            upload_key="one",
            consent=consent.require(session, member.id),
        ).photo
        verdicts.record_verdict(
            session, photo, {"accepted": True}, stripped=sealed(org, portrait(), Kind.PHOTO, member.id)
        )
        submission.submit(session, row, actor=audit.actor_for(member))
    return participation


def state_of(participation: Participation) -> State:
    with transaction(participation.org_id) as session:
        return State(session.get_one(Participation, participation.id).state)


def wait_for_the_middle(participation: Participation) -> None:
    def is_there() -> bool:
        seen = progress.read(participation.id)
        return seen is not None and seen.step == "portrait"

    eventually(is_there, "a render under way")
    assert state_of(participation) is State.RENDERING


def wait_until_ready(*participations: Participation) -> None:
    eventually(lambda: all(state_of(one) is State.READY for one in participations), "headshots")


def render_row(participation: Participation) -> Outbox:
    with transaction(participation.org_id) as session:
        return session.scalars(
            select(Outbox).where(Outbox.subject_id == participation.id, Outbox.job == JobName.RENDER)
        ).one()


def assert_rendered_once(participation: Participation) -> None:
    assert state_of(participation) is State.READY
    with transaction(participation.org_id) as session:
        made = session.scalars(select(Headshot).where(Headshot.participation_id == participation.id)).all()
        stored = session.scalars(
            select(Artifact.id).where(
                Artifact.member_id == participation.member_id, Artifact.kind == Kind.HEADSHOT
            )
        ).all()
        events = session.scalars(
            select(AuditEvent).where(
                AuditEvent.tag == audit.Tag.HEADSHOTS_RENDERED,
                AuditEvent.subject_id == participation.member_id,
            )
        ).all()
        mails = session.scalars(
            select(Outbox).where(Outbox.subject_id == participation.id, Outbox.job == JobName.READY_MAIL)
        ).all()
    assert [shot.rank for shot in made] == [0]
    assert list(stored) == [made[0].artifact_id]
    assert (len(events), len(mails)) == (1, 1)
    assert render_row(participation).done_at is not None


def assert_all_work_ends_well(org: UUID) -> None:
    def open_rows() -> int:
        with transaction(org) as session:
            return session.scalar(select(func.count()).where(Outbox.done_at.is_(None))) or 0

    eventually(lambda: open_rows() == 0, "all owed work")
    with transaction(org) as session:
        held = session.scalars(select(Artifact.object_name).where(Artifact.destroyed_at.is_(None))).all()
    # What lost a race may have left an object without a row, which the sweep takes.
    assert set(held) <= {name for name, _ in vault().store.names()}


def busy_worker(services: LocalServices) -> int:
    """Return the number of the one worker that holds the lock of a piece of work."""
    with closing(services.postgres.connect()) as connection:
        rows = connection.execute(
            "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
            " WHERE l.locktype = 'advisory' AND a.application_name LIKE 'worker %'"
        ).fetchall()
    ((name,),) = rows
    return int(str(name).split()[1])


def test_another_worker_takes_over_from_one_killed_in_the_middle(
    services: LocalServices, org: UUID, member: Member, relaying: None, start_worker: Start, post: PostOffice
) -> None:
    workers = [start_worker(), start_worker()]
    participation = submit(org, member)
    wait_for_the_middle(participation)
    busy = workers[busy_worker(services)]
    busy.kill()
    assert busy.wait() == -signal.SIGKILL
    assert state_of(participation) is State.RENDERING
    killed = time.monotonic()
    wait_until_ready(participation)
    print(f"ready {time.monotonic() - killed:.1f} seconds after the kill")
    assert_rendered_once(participation)
    assert_all_work_ends_well(org)
    assert recipients(post) == [member.email]


def test_flushed_redis_loses_neither_waiting_nor_running_work(
    services: LocalServices, org: UUID, member: Member, relaying: None, start_worker: Start, post: PostOffice
) -> None:
    first, second = submit(org, member), submit(org, add_member(org, "Grace"))
    eventually(lambda: waiting(Lane.BATCH) == 2, "the relay")
    services.flush_redis()  # both wait
    worker = start_worker()
    wait_for_the_middle(first)
    services.flush_redis()  # one runs, one waits
    wait_until_ready(first, second)
    for participation in (first, second):
        assert_rendered_once(participation)
    assert_all_work_ends_well(org)
    assert recipients(post) == ["ada@acme.example", "grace@acme.example"]
    assert worker.poll() is None


def test_restarted_postgres_neither_stops_nor_repeats_a_render(
    services: LocalServices, org: UUID, member: Member, relaying: None, start_worker: Start, post: PostOffice
) -> None:
    worker = start_worker()
    participation = submit(org, member)
    wait_for_the_middle(participation)
    services.restart_postgres()
    # The restart freed the worker's lock, so a second delivery works at the same time as the first.
    perform(str(render_row(participation).id))
    wait_until_ready(participation)
    assert_rendered_once(participation)
    assert_all_work_ends_well(org)
    assert recipients(post) == [member.email]
    assert worker.poll() is None


def test_work_delivered_twice_at_once_is_done_once(org: UUID, member: Member) -> None:
    participation = submit(org, member)
    outbox_id = str(render_row(participation).id)
    both = threading.Barrier(2)

    def deliver() -> None:
        both.wait()
        perform(outbox_id)

    with ThreadPoolExecutor(2) as pool:
        for delivery in [pool.submit(deliver), pool.submit(deliver)]:
            delivery.result()
    perform(outbox_id)
    assert_rendered_once(participation)


def test_failing_work_is_tried_later_and_later_then_parked_with_its_code(org: UUID, member: Member) -> None:
    participation = submit(org, member)
    with transaction(org) as session:
        (photo,) = photos.of_participation(session, participation.id)
        damaged = session.get_one(Artifact, photo.artifact_id).object_name
    vault().store.put(damaged, b"\x01" + bytes(100))
    outbox_id = render_row(participation).id

    for attempt, wait in enumerate(owed.PAUSES_SECONDS[: MAX_ATTEMPTS - 1], start=1):
        begun = now()
        perform(str(outbox_id))
        row = render_row(participation)
        assert (row.attempts, row.published_at, row.failed_at) == (attempt, None, None)
        assert begun + timedelta(seconds=wait / 2) < row.not_before <= now() + timedelta(seconds=wait)
        assert state_of(participation) in (State.SUBMITTED, State.RENDERING)
        relay.publish_due()
        assert waiting(Lane.BATCH) == 0
    with transaction(org) as session:
        session.get_one(Outbox, outbox_id).not_before = now()
    assert relay.publish_due() == 1
    assert (waiting(Lane.BATCH), take(Lane.BATCH)) == (1, (outbox_id, org))

    perform(str(outbox_id))
    row = render_row(participation)
    assert (row.attempts, row.error_code) == (MAX_ATTEMPTS, "cannot_open")
    assert row.failed_at is not None
    with transaction(org) as session:
        ended = session.get_one(Participation, participation.id)
        assert (ended.state, ended.failure_code) == (State.FAILED, "cannot_open")
    perform(str(outbox_id))
    assert render_row(participation).attempts == MAX_ATTEMPTS


def test_withdrawn_consent_ends_the_work_at_once(org: UUID, member: Member) -> None:
    participation = submit(org, member)
    with transaction(org) as session:
        consent.withdraw(session, session.get_one(Member, member.id), Purpose.PHOTO)
    perform(str(render_row(participation).id))
    assert render_row(participation).error_code == "consent_required"
    assert state_of(participation) is State.FAILED


def test_work_that_died_with_its_worker_is_given_back_and_what_runs_is_not(org: UUID, member: Member) -> None:
    with transaction(org) as session:
        enqueue_all(session, JobName.PURGE, [member.id] * 600)
    taken = [take(Lane.PROOF), take(Lane.PROOF)]
    lost, running = (one[0] for one in taken if one is not None)
    assert relay.publish_lost() == 0  # just taken: its worker may be about to lock it
    with transaction(org) as session:
        session.execute(
            update(Outbox)
            .where(Outbox.published_at.is_not(None))
            .values(published_at=now() - timedelta(minutes=1))
        )
    with only_one(running):
        assert relay.publish_lost() == 1
    with transaction(org) as session:
        assert session.get_one(Outbox, lost).published_at is None
        assert session.get_one(Outbox, running).published_at is not None
    assert take(Lane.PROOF) == (lost, org)
    assert relay.publish_lost() == 1  # its lock is gone
