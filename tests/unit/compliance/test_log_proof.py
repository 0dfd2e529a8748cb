"""Proof files: one entry can be checked offline, and nothing in the file can be changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from compliance.log import checkpoint, merkle
from compliance.log.checkpoint import LogKey
from compliance.log.cosignature import CosignerKey
from compliance.log.note import NoteError, VerifierKey
from compliance.log.proof import Proof
from compliance.log.tree_head import CheckpointBody

ORIGIN = "photos.example.com/log/1"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SECOND = MLDSA44PrivateKey.from_seed_bytes(bytes(range(32)))
AT = datetime(2026, 11, 30, tzinfo=UTC)
TRUSTED = [LogKey(VerifierKey.of(ORIGIN, KEY), CosignerKey.of(ORIGIN, SECOND))]
ENTRIES = [f'{{"number":{number}}}'.encode() for number in range(13)]


def make_proof(index: int, entries: list[bytes] = ENTRIES) -> Proof:
    nodes: dict[tuple[int, int], bytes] = {}

    class Store:
        def get(self, level: int, position: int) -> bytes:
            return nodes[level, position]

        def put(self, level: int, position: int, node: bytes) -> None:
            nodes[level, position] = node

    store, size = Store(), 0
    for entry in entries:
        size = merkle.append(store, size, merkle.leaf_hash(entry))
    signed = checkpoint.sign(CheckpointBody(ORIGIN, size, merkle.root(store, size)), KEY, SECOND, AT)
    return Proof(entries[index], index, tuple(merkle.inclusion_proof(store, index, size)), signed)


PROOF = make_proof(6).encode()


@pytest.mark.parametrize("index", range(len(ENTRIES)))
def test_every_entry_has_a_proof_that_survives_the_file(index: int) -> None:
    made = make_proof(index)
    parsed = Proof.parse(made.encode().encode())
    assert parsed == made
    assert parsed.verify(TRUSTED).size == len(ENTRIES)
    assert parsed.entry == ENTRIES[index]


def test_only_entry_of_a_log_needs_no_path() -> None:
    proof = Proof.parse(make_proof(0, ENTRIES[:1]).encode())
    assert proof.hashes == ()
    assert proof.verify(TRUSTED).size == 1


@given(st.integers(0, len(PROOF.encode()) - 1), st.integers(1, 255))
def test_proof_with_one_changed_byte_is_refused(place: int, flip: int) -> None:
    changed = bytearray(PROOF.encode())
    changed[place] ^= flip
    with pytest.raises(NoteError):
        Proof.parse(bytes(changed)).verify(TRUSTED)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1",
        PROOF.replace("@v1", "@v2"),
        PROOF.replace("index 6", "index 06"),
        PROOF.replace("index 6", "index 7"),
        PROOF.replace("extra ", "extra  "),
        PROOF.replace("\nindex", "\n" + "A" * 43 + "=\nindex"),
        PROOF.replace("index 6\n", "index 6\n" + ("A" * 43 + "=\n") * 64),
        PROOF.replace("index 6\n", "index 6\nAAAA\n"),
        PROOF + "\n",
        " " + PROOF,
        "x" * 2_000_000,
    ],
)
def test_files_that_are_no_proof_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Proof.parse(text).verify(TRUSTED)
