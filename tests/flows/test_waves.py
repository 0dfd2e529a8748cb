"""A wave of mails: nobody waits behind it, and none of it is lost when workers and relay are killed in the middle."""

from __future__ import annotations

import io
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from conftest import add_member, add_participation
from PIL import Image
from sealing import sealed
from servers.smtp import PostOffice, serving
from skimage import data
from sqlalchemy import func, select

from compliance import consent
from core import crew
from core.db import transaction
from core.models import Kind, Member, Outbox, Participation, State
from core.portraits import photos
from core.queue import JobName, enqueue_all
from deploy.local.processes import child_environment, leashed, python_module

# mediapipe's generated code uses what newer protobuf deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PATIENCE = 180.0  # seconds; on a quiet machine everything here takes a tenth of it
Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture
def post(environment: dict[str, str]) -> Iterator[PostOffice]:
    office = PostOffice()
    with serving(office) as port:
        environment["HEADSHOTS_SMTP_URL"] = f"smtp://127.0.0.1:{port}"
        yield office


@pytest.fixture
def start(environment: dict[str, str], post: PostOffice, tmp_path: Path) -> Iterator[Start]:
    """Starts real processes; their logs are shown when a test fails."""
    log = tmp_path / "processes.log"
    log.touch()
    started: list[subprocess.Popen[bytes]] = []

    def start_one(command: str) -> subprocess.Popen[bytes]:
        with log.open("ab") as file:
            process = subprocess.Popen(
                leashed(python_module("deploy.cli", command)),
                env=child_environment(environment),
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.wait()
    print(log.read_text())


def eventually(check: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not check():
        assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} seconds for: {what}"
        time.sleep(0.05)


def owe_mails(member: Member, count: int) -> None:
    """Owe somebody who has taken part the link to their data, so many times."""
    add_participation(member.org_id, member)
    with transaction(member.org_id) as session:
        enqueue_all(session, JobName.DATA_MAIL, [member.id] * count)


def open_work(org: UUID) -> int:
    with transaction(org) as session:
        return session.scalar(select(func.count()).where(Outbox.done_at.is_(None))) or 0


def upload(participation: Participation) -> None:
    picture = io.BytesIO()
    Image.fromarray(data.astronaut()).save(picture, "JPEG", quality=95)
    kept = sealed(participation.org_id, picture.getvalue(), Kind.PHOTO, participation.member_id)
    with transaction(participation.org_id) as session:
        photos.store(
            session,
            session.get_one(Participation, participation.id),
            kept,
            upload_key="one",
            consent=consent.require(session, participation.member_id),
        )


def test_photo_check_is_next_while_a_wave_of_mails_goes_out(
    org: UUID, member: Member, start: Start, post: PostOffice
) -> None:
    person = add_participation(org, add_member(org, "Grace"), State.CONSENTED)
    start("scheduler")
    start("worker")
    eventually(lambda: len(crew.alive()) == 1, "the worker")
    owe_mails(member, 200)
    eventually(lambda: len(post.mails) > 3, "the first mails")
    upload(person)

    def intake() -> Outbox:
        with transaction(org) as session:
            return session.scalars(select(Outbox).where(Outbox.job == JobName.INTAKE)).one()

    eventually(lambda: intake().done_at is not None, "the photo's check")
    check = intake()
    with transaction(org) as session:
        mails = select(func.count()).where(Outbox.job == JobName.DATA_MAIL)
        meanwhile = session.scalar(
            mails.where(Outbox.done_at > check.created_at, Outbox.done_at < check.published_at)
        )
        left = session.scalar(mails.where(Outbox.done_at.is_(None)))
    assert meanwhile is not None
    assert meanwhile < 30  # what goes out until the relay has seen the photo, not the whole wave
    assert left is not None
    assert left > 0


@pytest.mark.slow
def test_wave_is_sent_whole_when_workers_and_relay_are_killed_in_the_middle(
    org: UUID, member: Member, start: Start, post: PostOffice
) -> None:
    mails = 120
    owe_mails(member, mails)
    running = {name: start(name.split()[0]) for name in ("scheduler", "worker one", "worker two")}
    for part in (0.1, 0.3, 0.5):
        eventually(lambda part=part: len(post.mails) > part * mails, "mails")
        for name in running:
            running[name].kill()
            running[name].wait()
            running[name] = start(name.split()[0])
    eventually(lambda: open_work(org) == 0, "all mails")
    sent = post.ids
    assert len(set(sent)) == mails
    # Who dies between the server's answer and its own note sends that one mail again, under the same id.
    assert len(sent) - mails <= 2 * 3
