"""Who holds the epoch keys, in a folder or in AWS KMS: one contract; and what is the key service's alone."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pypdf
import pytest
import sealing
from click.testing import CliRunner
from conftest import forget_process_state
from erasing import erase
from moto import mock_aws
from moto.kms.models import kms_backends
from sqlalchemy import select
from sqlalchemy.orm import Session
from work import do_all_work

from compliance import erasure
from compliance.certificate import issuing
from compliance.certificate.evidence import Certificate as Evidence
from compliance.certificate.parts import EVIDENCE_NAME
from core import attestations, db
from core.clock import now
from core.db import transaction
from core.errors import ConfigurationError, Unavailable
from core.models import Attestation, Certificate, Erasure, Kind, Member
from core.observe.figures import Figures
from core.outages import Part, part_of
from core.vault import aws_client, aws_kms, vault
from core.vault.aws_client import Address, Code, KeyServiceRefuses
from core.vault.aws_kms import AwsKms
from core.vault.crypto import CannotOpen, new_key
from core.vault.key_tables import KmsKey
from core.vault.kms import EpochKeyGone, FileKms, Kms
from deploy import installation
from deploy.cli import main
from deploy.doctor import machine
from deploy.doctor.finding import Grade

REGION = "eu-central-1"
URL = f"awskms:///?region={REGION}"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """AWS KMS, played in this process; returns its keys by id."""
    monkeypatch.setattr(aws_kms, "LOOK_EVERY", timedelta())
    aws_client._client.cache_clear()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(
            name, "played"
        )  # so that this, and not moto's, is what a test's own changes end with
    with mock_aws():
        yield kms_backends["123456789012"][REGION].keys
    aws_client._client.cache_clear()


def rows() -> dict[int, KmsKey]:
    with Session(vault().keys._engine, expire_on_commit=False) as session:
        return {row.epoch: row for row in session.scalars(select(KmsKey))}


def service_deletes(aws: Any, epoch: int) -> None:
    """What AWS does once the waiting period is over."""
    assert aws[rows()[epoch].key_id].key_state == "PendingDeletion"
    del aws[rows()[epoch].key_id]


@dataclass
class Held:
    """Somebody who holds epoch keys, in a process of its own each time that `again` is called."""

    again: Callable[[], Kms]
    wait: Callable[[int], None]  # until a key that was destroyed is gone


@pytest.fixture(params=["folder", "aws"])
def held(request: pytest.FixtureRequest, environment: dict[str, str], tmp_path: Path) -> Held:
    folder = FileKms(tmp_path / "other keyring")
    if request.param == "folder":
        return Held(lambda: FileKms(tmp_path / "other keyring"), lambda _: None)
    aws = request.getfixturevalue("aws")
    engine, address = vault().keys._engine, Address.parse(URL)
    return Held(lambda: AwsKms(engine, address, folder), lambda epoch: service_deletes(aws, epoch))


def test_whoever_holds_epoch_keys_keeps_the_contract(held: Held) -> None:
    kms, key = held.again(), new_key()
    for _ in range(2):
        kms.prepare(1)
        kms.create(1)
    sealed = kms.wrap(1, key, b"whose")
    assert kms.unwrap(1, sealed, b"whose") == key
    assert held.again().unwrap_all(1, [(sealed, b"whose")] * 2) == [key, key], "in another process"
    with pytest.raises(CannotOpen):
        kms.unwrap(1, sealed, b"another's")
    with pytest.raises(EpochKeyGone):
        kms.wrap(7, key, b"whose")
    kms.create(2)
    with pytest.raises(CannotOpen):
        kms.unwrap(2, sealed, b"whose")
    assert kms.exists(1)
    assert kms.due(1)
    for _ in range(2):
        kms.retire(1)
        kms.destroy(1)
    for one in (kms, held.again()):
        with pytest.raises(EpochKeyGone):
            one.unwrap(1, sealed, b"whose")
    until = kms.held_until(1)
    if kms.exists(1):
        assert until is not None, "what is still there says until when"
        assert timedelta() < until - now() <= kms.waiting(1)
    held.wait(1)
    assert not kms.exists(1)
    assert kms.exists(2)
    assert kms.taken_back() == []
    kms.create(1)
    assert (kms.held_until(1) is None) == (until is None), "AWS: what began to end does not begin anew"


@pytest.fixture
def moved(org: UUID, member: Member, aws: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[UUID, Member]:
    """An installation whose epoch keys lay in a folder and that has a key service in its settings since."""
    with transaction(org) as session:
        sealing.put(session, b"a face", kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id)
    monkeypatch.setenv("HEADSHOTS_KMS_URL", URL)
    forget_process_state()
    installation.demand()
    return org, member


def turn() -> int:
    erasure.turn_epoch()
    forget_process_state()  # as the next process would find it
    return vault().keys.current_epoch()[0]


def test_the_keys_of_a_folder_move_with_the_next_turn(moved: tuple[UUID, Member], tmp_path: Path) -> None:
    _, member = moved
    key = vault().keys.data_key(member.id)
    assert turn() == 2
    assert vault().keys.data_key(member.id) == key
    assert vault().keys.epoch_destroyed_at(1) is not None, "the folder's key is gone at once"
    assert list((tmp_path / "keyring").iterdir()) == []
    assert set(rows()) == {2}
    assert rows()[2].sealed != b""
    installation.demand()
    assert attestations.place().where == f"kms {URL}"


def evidence(org: UUID) -> Evidence:
    with transaction(org) as session:
        pdf = session.scalars(select(Certificate.pdf).order_by(Certificate.id.desc()).limit(1)).one()
    content = pypdf.PdfReader(io.BytesIO(pdf)).attachments[EVIDENCE_NAME][0]
    return Evidence.model_validate(json.loads(content))


def test_a_certificate_is_complete_once_the_key_service_says_that_the_key_is_gone(
    moved: tuple[UUID, Member], aws: Any
) -> None:
    org, member = moved
    before = issuing._keyring(1)
    assert (before.kept, vault().keys.waiting(1)) == ("folder", timedelta()), "not moved yet"
    assert turn() == 2
    erase(org, member.id)
    first = evidence(org).certificate
    assert (first.status, first.keyring.kept, first.keyring.held_until) == ("PENDING", "aws_kms", None)
    assert timedelta(days=8) < first.epoch.due_at - now() < timedelta(days=10)
    assert turn() == 3
    key_id = rows()[2].key_id
    assert aws[key_id].key_state == "PendingDeletion"
    assert rows()[2].sealed == b"", "what it sealed is not kept here either"
    until = vault().keys.held_until(2)
    assert until is not None
    for _ in range(2):
        erasure.settle_all()
        do_all_work()
    assert vault().keys.epoch_destroyed_at(2) is None
    assert evidence(org).certificate.certificate_id == first.certificate_id, "nothing was promised meanwhile"
    service_deletes(aws, 2)
    erasure.settle_all()
    do_all_work()
    last = evidence(org).certificate
    assert (last.status, last.replaces) == ("COMPLETE", first.certificate_id)
    assert last.keyring.held_until == until.replace(microsecond=0)


def test_a_deletion_that_somebody_took_back_is_told_and_never_counts_as_one(
    moved: tuple[UUID, Member], aws: Any
) -> None:
    org, member = moved
    turn()
    erase(org, member.id)
    turn()
    aws[rows()[2].key_id].key_state = "Disabled"  # as CancelKeyDeletion leaves it
    aws[rows()[2].key_id].deletion_date = None
    erasure.settle_all()
    assert vault().keys.taken_back() == [2]
    assert aws[rows()[2].key_id].key_state == "PendingDeletion", "it is scheduled again"
    found = {one.grade for one in machine.keyring()}
    assert Grade.FAILURE in found
    figures = Figures()
    figures.take()
    values = {sample.name: sample.value for family in figures.collect() for sample in family.samples}
    assert values["headshots_key_deletions_taken_back"] == 1
    service_deletes(aws, 2)
    erasure.settle_all()
    assert vault().keys.epoch_destroyed_at(2) is None
    with transaction(org) as session:
        assert session.scalars(select(Erasure.epoch_destroyed_at)).one() is None


def test_an_answer_that_there_is_no_key_is_not_believed_of_another_account(
    moved: tuple[UUID, Member], aws: Any
) -> None:
    turn()
    turn()
    aws.clear()  # knows neither the old one nor the one in use
    with pytest.raises(KeyServiceRefuses) as caught:
        erasure.settle_all()
    assert caught.value.why is Code.NO_KEY
    assert vault().keys.epoch_destroyed_at(2) is None


def test_a_key_service_has_no_escrow_and_says_so(
    moved: tuple[UUID, Member], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "safe.pem").write_text("")
    for command in (["escrow"], ["escrow", "--end"], ["recover", "--key", str(tmp_path / "safe.pem")]):
        done = CliRunner().invoke(main, ["keys", *command])
        assert (done.exit_code, "HEADSHOTS_KMS_URL is set" in done.stderr) == (2, True), command
    monkeypatch.setenv("HEADSHOTS_ESCROW_PATH", str(tmp_path / "escrow"))
    monkeypatch.setenv("HEADSHOTS_ESCROW_PUBLIC_KEY", "00" * 32)
    forget_process_state()
    with pytest.raises(ConfigurationError, match="There is no escrow with HEADSHOTS_KMS_URL"):
        vault()


def test_an_address_that_is_none_is_refused() -> None:
    assert Address.parse(f"{URL}&days=30") == Address(REGION, 30)
    for wrong in ("awskms:///", f"{URL}&days=6", f"{URL}&days=31", f"{URL}&key=x", "gcpkms:///?region=x"):
        with pytest.raises(ConfigurationError, match="HEADSHOTS_KMS_URL must be like"):
            Address.parse(wrong)


class _Answer(BaseHTTPRequestHandler):
    """A key service that gives one error to everybody."""

    code = ""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        content = json.dumps({"__type": self.code, "message": "no"}).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    yield f"{URL}&endpoint=http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("AccessDeniedException", "does not allow this host"),
        ("UnrecognizedClientException", "refuses this host's credentials"),
        ("NotFoundException", "has no such key"),
        ("DisabledException", "somebody disabled the key of the running epoch"),
    ],
)
def test_what_waiting_does_not_mend_stops_a_start_and_says_what_does(
    moved: tuple[UUID, Member], answers: str, monkeypatch: pytest.MonkeyPatch, answer: str, expected: str
) -> None:
    turn()
    monkeypatch.setattr(_Answer, "code", answer)
    ask_elsewhere(monkeypatch, answers)
    with pytest.raises(ConfigurationError, match=expected) as caught:
        installation.demand()
    assert "Nothing is lost" in caught.value.message
    assert CliRunner().invoke(main, ["web"]).exit_code == 2
    ask_elsewhere(monkeypatch, URL)
    installation.demand()


def ask_elsewhere(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("HEADSHOTS_KMS_URL", url)
    aws_client._client.cache_clear()
    forget_process_state()


def test_another_region_and_missing_credentials_stop_a_start(
    moved: tuple[UUID, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    turn()
    ask_elsewhere(monkeypatch, "awskms:///?region=us-east-1")
    with pytest.raises(ConfigurationError, match=r"names the region us-east-1.*Its keys are in eu-central-1"):
        installation.demand()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    ask_elsewhere(monkeypatch, URL)
    with pytest.raises(ConfigurationError, match="no credentials for AWS KMS"):
        installation.demand()


def test_a_key_service_that_is_away_is_an_outage_that_passes(
    moved: tuple[UUID, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, member = moved
    turn()
    key = vault().keys.data_key(member.id)
    ask_elsewhere(monkeypatch, f"{URL}&endpoint=http://127.0.0.1:9")
    installation.demand()  # starts, and waits
    with pytest.raises(Unavailable) as caught:
        vault().keys.data_key(member.id)
    assert part_of(caught.value) is Part.KEYRING
    with pytest.raises(Unavailable):
        vault().keys.turn_epoch()
    assert vault().keys.current_epoch()[0] == 2
    ask_elsewhere(monkeypatch, URL)
    assert vault().keys.data_key(member.id) == key
    assert turn() == 3


def test_a_deletion_that_was_taken_back_and_scheduled_anew_between_two_looks_is_told_by_its_date(
    moved: tuple[UUID, Member], aws: Any
) -> None:
    """Cancelled, used and scheduled again within the quarter of an hour: the state is as before, the date is not."""
    org, member = moved
    turn()
    erase(org, member.id)
    turn()
    erasure.settle_all()
    assert vault().keys.taken_back() == []
    aws[rows()[2].key_id].deletion_date += timedelta(minutes=10)
    erasure.settle_all()
    assert vault().keys.taken_back() == [2]
    service_deletes(aws, 2)
    erasure.settle_all()
    assert vault().keys.epoch_destroyed_at(2) is None, "somebody may have kept what it opened"


def test_what_whoever_owns_the_tables_swaps_between_epochs_opens_nothing(moved: tuple[UUID, Member]) -> None:
    _, member = moved
    turn()
    with Session(vault().keys._engine) as session, session.begin():
        row = session.get_one(KmsKey, 2)
        session.add(KmsKey(epoch=3, arn=row.arn, sealed=row.sealed, created_at=now()))
    forget_process_state()
    with pytest.raises((Unavailable, EpochKeyGone, CannotOpen)):
        vault().keys._kms.unwrap(3, b"x" * 60, b"")
    assert vault().keys.data_key(member.id)


def test_an_attestation_counts_for_the_place_in_which_the_erasures_key_lay(
    org: UUID, member: Member, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def printed(epoch: int) -> tuple[str, bool]:
        attested = issuing._keyring(epoch).attested
        assert attested is not None
        return attested.by, attested.same_place

    attestations.attest("Ada of the folder", "")
    monkeypatch.setenv("HEADSHOTS_KMS_URL", URL)
    forget_process_state()
    assert turn() == 2
    assert printed(1) == ("Ada of the folder", True)
    assert printed(2) == ("Ada of the folder", False)
    attestations.attest("Grace of the service", "")
    assert printed(1) == ("Ada of the folder", True), "what is said of a key service is said of no folder"
    assert printed(2) == ("Grace of the service", True)


def test_an_attestation_of_a_day_that_has_not_come_counts_for_nothing(org: UUID) -> None:
    """A clock that is a year ahead, or a row that somebody wrote, would count for a year."""
    attestations.attest("Ada", "")
    ours = attestations.place()
    with Session(db.engine()) as session, session.begin():
        ahead = now() + timedelta(days=365)
        session.add(
            Attestation(created_at=ahead, name="Grace", role="", place=ours.where, sentence=ours.sentence)
        )
    standing = attestations.standing()
    assert standing.newest is not None
    assert (standing.newest.name, standing.overdue) == ("Ada", "")
    assert len(attestations.given()) == 2, "it is listed"
