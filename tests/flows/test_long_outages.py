"""What lies outside is away for longer than any number of tries, and comes back: nothing was given up meanwhile."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from conftest import add_participation, forget_process_state
from patience import owed_work, try_again
from PIL import Image
from sealing import sealed
from servers.s3 import S3, Fault
from servers.smtp import PostOffice, serving
from skimage import data
from sqlalchemy import select
from structlog.testing import capture_logs
from work import do_all_work

from compliance import consent, erasure
from core import audit
from core.clock import now
from core.db import transaction
from core.models import Certificate, Erasure, Invite, Kind, Member, Outbox, Participation, State
from core.outages import Part
from core.owed import AT_A_PAGE_SECONDS, PAUSES_SECONDS
from core.portraits import photos, verdicts
from core.queue import JobName
from core.shoots import invites
from core.vault import vault
from deploy.local.services import LocalServices
from workers.process.runner import ALARM_SECONDS, MAX_ATTEMPTS

# mediapipe's generated code uses what newer protobuf deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

MORE_THAN_EVER = MAX_ATTEMPTS + 3


@pytest.fixture
def s3(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """The storage, as S3."""
    with S3("bucket") as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        forget_process_state()
        vault().ties.adopt_storage()
        yield server


def objects(s3: S3) -> list[str]:
    """What is stored, without the mark of the installation."""
    return [name for name in s3.names() if "/objects/" in name]


@pytest.fixture
def post(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    office = PostOffice()
    with serving(office) as port:
        monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{port}")
        forget_process_state()
        yield office


def portrait() -> bytes:
    target = io.BytesIO()
    Image.fromarray(data.astronaut()).save(target, "JPEG", quality=95)
    return target.getvalue()


def upload(org: UUID, member: Member) -> Participation:
    participation = add_participation(org, member, State.CONSENTED)
    with transaction(org) as session:
        photos.store(
            session,
            session.get_one(Participation, participation.id),
            sealed(org, portrait(), Kind.PHOTO, member.id),
            upload_key="one",
            consent=consent.require(session, member.id),
        )
    return participation


def erase(org: UUID, member: Member) -> Erasure:
    with transaction(org) as session:
        asked = erasure.request(
            session,
            session.get_one(Member, member.id),
            reason=erasure.ErasureReason.SELF_SERVICE,
            actor=audit.SYSTEM,
            language="en",
        )
        return session.get_one(Erasure, asked.erasure_id)


def certified(org: UUID, record: Erasure) -> list[str]:
    with transaction(org) as session:
        return list(
            session.scalars(select(Certificate.status).where(Certificate.erasure_id == record.id)).all()
        )


def only(org: UUID, job: JobName) -> Outbox:
    (row,) = [one for one in owed_work(org) if one.job == job]
    return row


@pytest.mark.parametrize(
    "fault", [Fault.UNAVAILABLE, pytest.param(Fault.RESET, marks=pytest.mark.slow), Fault.DENIED]
)
def test_an_erasure_is_tried_until_everything_is_gone(
    s3: S3, org: UUID, member: Member, fault: Fault
) -> None:
    upload(org, member)
    do_all_work()
    assert objects(s3)
    s3.fault = fault
    record = erase(org, member)
    do_all_work()
    try_again(org, MORE_THAN_EVER)
    waiting = only(org, JobName.ERASE)
    assert (waiting.done_at, waiting.failed_at, waiting.started_at) == (None, None, None)
    assert (waiting.attempts, waiting.error_code) == (0, Part.STORAGE)
    assert waiting.outages > MORE_THAN_EVER
    assert certified(org, record) == []
    s3.fault = Fault.NONE
    try_again(org)
    assert objects(s3) == []
    assert certified(org, record) == ["PENDING"]
    done = only(org, JobName.ERASE)
    assert (done.done_at is not None, done.error_code) == (True, None)


def test_a_photo_is_checked_however_long_the_storage_was_away(s3: S3, org: UUID, member: Member) -> None:
    participation = upload(org, member)
    s3.fault = Fault.UNAVAILABLE
    do_all_work()
    try_again(org, MORE_THAN_EVER)
    row = only(org, JobName.INTAKE)
    assert (row.attempts, row.deaths, row.failed_at) == (0, 0, None)
    assert row.not_before <= now() + timedelta(seconds=AT_A_PAGE_SECONDS), "somebody looks at the page"
    s3.fault = Fault.NONE
    try_again(org)
    with transaction(org) as session:
        (photo,) = photos.of_participation(session, participation.id)
        assert verdicts.standing_of(photo) is verdicts.Standing.ACCEPTED


def test_work_that_waits_for_the_same_part_goes_on_when_one_of_it_finds_the_part_back(
    s3: S3, org: UUID, member: Member
) -> None:
    for _ in range(2):
        upload(org, member)
    s3.fault = Fault.UNAVAILABLE
    do_all_work()
    try_again(org, 5)
    s3.fault = Fault.NONE
    with transaction(org) as session:
        first = session.scalars(select(Outbox).where(Outbox.job == JobName.INTAKE).limit(1)).one()
        first.not_before = now()
    do_all_work()
    assert all(one.done_at for one in owed_work(org) if one.job == JobName.INTAKE)


@pytest.mark.parametrize("answer", ["451 come back later", "421 shutting down"])
def test_an_invitation_is_sent_however_long_the_mail_server_was_busy(
    post: PostOffice, org: UUID, member: Member, answer: str
) -> None:
    with transaction(org) as session:
        invite = invites.create(
            session,
            session.get_one(Participation, add_participation(org, member).id),
            actor=audit.SYSTEM,
        )
    post.answer = answer
    do_all_work()
    try_again(org, MORE_THAN_EVER)
    row = only(org, JobName.INVITE_MAIL)
    assert (row.failed_at, row.attempts, row.error_code) == (None, 0, Part.MAIL)
    longest = timedelta(seconds=PAUSES_SECONDS[-1])
    assert now() + longest / 2 < row.not_before <= now() + longest
    post.answer = "250 OK"
    try_again(org)
    assert len(post.mails) == 1
    with transaction(org) as session:
        assert session.get_one(Invite, invite.id).sent_at is not None


@contextmanager
def without_the_keys_database(services: LocalServices, _keyring: Path) -> Iterator[None]:
    name = vault().keys._engine.url.database
    vault().keys._engine.dispose()
    with services.postgres.connect() as connection:
        connection.autocommit = True
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'.encode())
        yield
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'.encode())


@contextmanager
def without_the_keyring(_services: LocalServices, keyring: Path) -> Iterator[None]:
    keyring.rename(keyring.with_name("away"))
    yield
    keyring.with_name("away").rename(keyring)


Without = Callable[[LocalServices, Path], AbstractContextManager[None]]


@pytest.mark.parametrize(
    ("without", "part"),
    [(without_the_keys_database, Part.DATABASE), (without_the_keyring, Part.KEYRING)],
)
def test_keys_that_are_away_are_no_fault_of_a_photo(
    services: LocalServices, org: UUID, member: Member, tmp_path: Path, without: Without, part: Part
) -> None:
    participation = upload(org, member)
    with without(services, tmp_path / "keyring"):
        do_all_work()
        try_again(org, MORE_THAN_EVER)
        row = only(org, JobName.INTAKE)
        assert (row.attempts, row.failed_at, row.error_code) == (0, None, part)
    try_again(org)
    with transaction(org) as session:
        (photo,) = photos.of_participation(session, participation.id)
        assert verdicts.standing_of(photo) is verdicts.Standing.ACCEPTED


def test_an_outage_that_lasts_is_an_alarm(s3: S3, org: UUID, member: Member) -> None:
    upload(org, member)
    s3.fault = Fault.UNAVAILABLE
    do_all_work()
    with transaction(org) as session:
        row = session.scalars(select(Outbox)).one()
        assert row.first_failed_at is not None
        row.first_failed_at -= timedelta(seconds=ALARM_SECONDS)
    with capture_logs() as said:
        try_again(org)
    alarm = next(one for one in said if one["event"] == "work_keeps_failing")
    assert (alarm["job"], alarm["code"]) == ("intake", Part.STORAGE)
    assert alarm["count"] >= 2
    assert alarm["seconds"] >= ALARM_SECONDS
