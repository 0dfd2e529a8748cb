"""Witnesses: published vectors, forks refused, races, power cuts, and our logs cosigned by a real one over HTTP."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from conftest import add_member, forget_process_state
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from sqlalchemy import delete, select
from sqlalchemy.exc import ProgrammingError

from compliance.evidence import origin_of, published_keys, signing_keys
from compliance.log import checkpoint, cosignature, merkle, sequencer, tree_head, witnesses
from compliance.log.checkpoint import LogKey
from compliance.log.consistency import ConsistencyProof
from compliance.log.cosignature import CosignerKey
from compliance.log.note import NoteError, VerifierKey
from compliance.log.tree_head import CheckpointBody
from compliance.log.witness import MOST_BYTES, SIZE_TYPE, Witness
from compliance.verify import verify_file
from core.db import transaction
from core.errors import ConfigurationError
from core.models import Checkpoint, CosignatureRow
from deploy.witness import application, logs_of

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
# The example of C2SP tlog-cosignature, "Transparency Log Cosignatures".
SPECIFIED = """example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""


class Nodes(dict[tuple[int, int], bytes]):
    """A tree in memory."""

    def get(self, level: int, index: int) -> bytes:  # type: ignore[override]
        return self[level, index]

    def put(self, level: int, index: int, node: bytes) -> None:
        self[level, index] = node


class Log:
    """A log in memory, which can be made to lie."""

    def __init__(self, origin: str = "log.example/log/1") -> None:
        self.key = Ed25519PrivateKey.generate()
        self.second = MLDSA44PrivateKey.generate()
        self.origin = origin

    @property
    def verifier(self) -> LogKey:
        return LogKey(VerifierKey.of(self.origin, self.key), CosignerKey.of(self.origin, self.second))

    def nodes(self, size: int, lie: bytes) -> Nodes:
        nodes = Nodes()
        for number in range(size):
            merkle.append(nodes, number, merkle.leaf_hash(lie + bytes([number])))
        return nodes

    def request(self, old: int, new: int, lie: bytes = b"") -> bytes:
        nodes = self.nodes(new, lie)
        hashes = tuple(merkle.consistency_proof(nodes, old, new)) if 0 < old < new else ()
        body = CheckpointBody(self.origin, new, merkle.root(nodes, new))
        return (
            ConsistencyProof(old, hashes, checkpoint.sign(body, self.key, self.second, AT)).encode().encode()
        )


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def witness(tmp_path: Path, log: Log) -> Witness:
    return Witness(tmp_path / "witness", "witness.example", [log.verifier])


@pytest.mark.parametrize("make", [Ed25519PrivateKey.generate, MLDSA44PrivateKey.generate])
def test_a_cosignature_says_who_saw_it_and_when(log: Log, make: Callable[[], cosignature.PrivateKey]) -> None:
    key = make()
    note = log.request(0, 5).decode().partition("\n\n")[2]
    body = note.partition("\n\n")[0] + "\n"
    whole = note + cosignature.cosign(body, "w.example", key, AT)
    mine = CosignerKey.of("w.example", key)
    assert CosignerKey.parse(str(mine)) == mine
    assert [(one.key, one.at) for one in cosignature.verify(whole, [mine])] == [(mine, AT)]
    assert checkpoint.verify(whole, [log.verifier]).size == 5, (
        "whoever does not know the witness passes it over"
    )
    other = CosignerKey.of("w.example", make())
    assert cosignature.verify(whole, [other]) == []
    for changed in (whole.replace("\n5\n", "\n6\n", 1), whole.replace("log/1", "log/2")):
        with pytest.raises(NoteError):
            cosignature.verify(changed, [mine])


def test_the_specifications_line_has_the_key_id_and_time_that_it_says() -> None:
    line = SPECIFIED.splitlines()[-1]
    assert cosignature.key_id_of(line).hex() == "8d66cf3f"
    assert cosignature.verify(SPECIFIED, []) == []
    body = tree_head.parse_text(SPECIFIED.partition("\n\n")[0] + "\n")
    assert body.size == 20852163
    message = cosignature._message(cosignature.ED25519, "w", 1679315147, body.text, body).decode()
    assert message == f"cosignature/v1\ntime 1679315147\n{body.text}"


def test_the_longer_message_is_laid_out_as_specified() -> None:
    body = CheckpointBody("o", 7, bytes(range(32)))
    message = cosignature._message(cosignature.ML_DSA_44, "w", 258, body.text, body)
    assert message == b"subtree/v1\n\0" + b"\x01w" + (258).to_bytes(8, "big") + b"\x01o" + bytes(8) + (
        7
    ).to_bytes(8, "big") + bytes(range(32))


@pytest.mark.parametrize("vkey", ["", "a+b", "w+00000000+BAAA", "w+zz+!!", "w w+00000000+BAAA"])
def test_what_is_no_witnesss_key_is_refused(vkey: str) -> None:
    with pytest.raises(NoteError):
        CosignerKey.parse(vkey)


def test_a_log_that_grows_is_cosigned_by_both_keys(witness: Witness, log: Log) -> None:
    for old, new in ((0, 3), (3, 8), (8, 8), (8, 9)):
        request = log.request(old, new)
        answer = witness.add_checkpoint(request, AT)
        assert answer.status == 200, answer
        note = request.decode().partition("\n\n")[2]
        found = cosignature.verify(note + answer.text, witness.keys)
        assert {one.key.kind for one in found} == {cosignature.ED25519, cosignature.ML_DSA_44}


def test_another_past_is_never_cosigned_and_leaves_the_record_as_it_was(witness: Witness, log: Log) -> None:
    assert witness.add_checkpoint(log.request(0, 5)).status == 200
    assert witness.add_checkpoint(log.request(5, 5, lie=b"x")).status == 409
    assert witness.add_checkpoint(log.request(5, 8, lie=b"x")).status == 422
    assert witness.add_checkpoint(log.request(5, 8)).status == 200
    for old in (0, 3, 5):
        answer = witness.add_checkpoint(log.request(old, 8))
        assert (answer.status, answer.text, answer.content_type) == (409, "8\n", SIZE_TYPE)
    assert witness.add_checkpoint(log.request(3, 5)).status == 409, "never back"


def test_strangers_and_nonsense_are_told_what_is_wrong(witness: Witness, log: Log) -> None:
    stranger = Log("other.example/log/1")
    assert witness.add_checkpoint(stranger.request(0, 2)).status == 404
    assert witness.add_checkpoint(Log(log.origin).request(0, 2)).status == 403
    assert witness.add_checkpoint(log.request(0, 2).replace(b"old 0", b"old 9")).status == 400
    for nonsense in (
        b"",
        b"old 0",
        b"old x\n\n",
        b"\xff\xfe",
        b"old 0\n" + b"AA==\n" * 70 + b"\nx",
        b"old 00\n\nx\n",
    ):
        assert witness.add_checkpoint(nonsense).status in (400, 404), nonsense


def test_of_two_at_once_one_goes_first_and_none_leads_back(witness: Witness, log: Log) -> None:
    witness.add_checkpoint(log.request(0, 4))
    requests = [log.request(4, new) for new in range(5, 21)]
    answers: list[tuple[int, int]] = []

    def send(place: int) -> None:
        answers.append((place + 5, witness.add_checkpoint(requests[place]).status))

    threads = [threading.Thread(target=send, args=(place,)) for place in range(len(requests))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = [size for size, status in answers if status == 200]
    assert len(taken) == 1
    assert witness.add_checkpoint(log.request(taken[0], 30)).status == 200


def test_what_was_seen_outlives_the_process_and_a_half_written_file(tmp_path: Path, log: Log) -> None:
    folder = tmp_path / "witness"
    first = Witness(folder, "w", [log.verifier])
    first.add_checkpoint(log.request(0, 6))
    next(folder.glob("*.head")).with_suffix(".part").write_text("half")
    again = Witness(folder, "w", [log.verifier])
    assert again.keys == first.keys
    assert again.add_checkpoint(log.request(0, 6)).text == "6\n"


def test_damaged_keys_are_said(tmp_path: Path, log: Log) -> None:
    Witness(tmp_path, "w", [log.verifier])
    (tmp_path / "witness-ed25519.pem").write_text("nothing")
    with pytest.raises(ConfigurationError, match="damaged"):
        Witness(tmp_path, "w", [log.verifier])


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(witness: Witness) -> Iterator[str]:
    """The witness at an address of its own."""
    with make_server("127.0.0.1", 0, application(witness), handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def listed(path: Path, address: str, keys: list[CosignerKey], monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("# who\n" + "".join(f"{key} {address}/\n" for key in keys))
    monkeypatch.setenv("HEADSHOTS_WITNESSES_PATH", str(path))
    forget_process_state()


def newest(org: UUID) -> str:
    with transaction(org) as session:
        found = session.scalars(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)).one()
        return witnesses.cosigned(session, found)


def size_of(note: str) -> int:
    return int(note.splitlines()[1])


def test_our_logs_are_cosigned_and_whoever_rewrites_one_gets_no_more(
    org: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = signing_keys().log_key_of(origin_of(org))
    theirs = Witness(tmp_path / "witness", "witness.example", [ours])
    with served(theirs) as address:
        listed(tmp_path / "witnesses", address, theirs.keys, monkeypatch)
        add_member(org)
        sequencer.sequence_all()
        assert witnesses.ask_all() == 2
        assert witnesses.ask_all() == 0, "of what was seen nothing is asked"
        whole = newest(org)
        assert verify_file(whole.encode(), published_keys(org), theirs.keys).ok
        add_member(org, "Bob")
        sequencer.sequence_all()
        bare = newest(org)
        assert verify_file(bare.encode(), published_keys(org)).ok
        unseen = verify_file(bare.encode(), published_keys(org), theirs.keys)
        assert not unseen.ok
        assert unseen.checks[-1].name == "cosigned"
        # An answer that was lost: the witness saw more than we know of.
        with transaction(org) as session:
            request = sequencer.prove_consistency(session, size_of(whole), size_of(bare)).encode()
        assert theirs.add_checkpoint(request.encode()).status == 200
        assert witnesses.ask_all() == 2
        with transaction(org) as session, pytest.raises(ProgrammingError, match="permission denied"):
            session.execute(delete(CosignatureRow))  # rows are ours to add, and nobody's to take away


def test_a_witness_that_is_away_or_lies_stops_nothing(
    org: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = signing_keys().log_key_of(origin_of(org))
    liar = Witness(tmp_path / "liar", "witness.example", [ours])
    real = Witness(tmp_path / "real", "witness.example", [ours])
    add_member(org)
    sequencer.sequence_all()
    listed(tmp_path / "witnesses", "http://127.0.0.1:9", real.keys, monkeypatch)
    assert witnesses.ask_all() == 0
    with served(liar) as address:
        listed(tmp_path / "witnesses", address, real.keys, monkeypatch)
        assert witnesses.ask_all() == 0
    with transaction(org) as session:
        assert session.scalars(select(CosignatureRow)).all() == []


def test_a_witness_that_answers_byte_by_byte_keeps_the_others_not_waiting(
    org: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = signing_keys().log_key_of(origin_of(org))
    slow = Witness(tmp_path / "slow", "slow.example", [ours])
    real = Witness(tmp_path / "real", "witness.example", [ours])
    add_member(org)
    sequencer.sequence_all()
    over = threading.Event()

    def drip(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterator[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        while not over.wait(0.1):
            yield b"x"

    monkeypatch.setattr(witnesses, "MOST_SECONDS", 0.5)
    with make_server("127.0.0.1", 0, drip, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.handle_request, daemon=True)
        thread.start()
        with served(real) as address:
            lines = [f"{key} http://127.0.0.1:{server.server_port}\n" for key in slow.keys]
            lines += [f"{key} {address}\n" for key in real.keys]
            (tmp_path / "list").write_text("".join(lines))
            monkeypatch.setenv("HEADSHOTS_WITNESSES_PATH", str(tmp_path / "list"))
            forget_process_state()
            assert witnesses.ask_all() == 2
        over.set()
        thread.join()


@pytest.mark.parametrize("line", ["w http://x", "w+00000000+BAAA", "{key} ftp://x", "{key}"])
def test_a_list_of_witnesses_that_cannot_be_read_names_the_line(tmp_path: Path, line: str) -> None:
    key = CosignerKey.of("w", Ed25519PrivateKey.generate())
    (tmp_path / "list").write_text(f"\n{line.format(key=key)}\n")
    with pytest.raises(ConfigurationError, match="line 2"):
        witnesses.known(tmp_path / "list")


def test_a_log_is_given_by_its_key_or_by_a_companys_file(org: UUID, tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text(json.dumps(published_keys(org)))
    [read] = logs_of([str(tmp_path / "keys.json")])
    assert read == signing_keys().log_key_of(origin_of(org))
    assert logs_of([str(read.first)]) == [LogKey(read.first)]


def test_a_request_that_is_too_long_is_not_read(witness: Witness) -> None:
    answered: list[str] = []
    body = application(witness)(
        {
            "PATH_INFO": "/add-checkpoint",
            "REQUEST_METHOD": "POST",
            "wsgi.input": io.BytesIO(b"x" * (MOST_BYTES + 10)),
        },
        lambda status, _headers: answered.append(status),
    )
    assert b"".join(body)
    assert answered[0].startswith("413")
