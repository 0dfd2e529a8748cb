"""Consistency proofs: every pair of sizes, published vectors, and nothing else passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from signed_logs import Execute, add_events, body, go_back_to
from sqlalchemy import select

from compliance.evidence import origin_of, signing_keys
from compliance.log import consistency, merkle, sequencer
from compliance.log.consistency import ConsistencyProof
from compliance.log.note import NoteError
from compliance.log.tree_head import CheckpointBody
from compliance.verify import verify_consistency
from core.clock import now
from core.db import transaction
from core.models import Checkpoint
from deploy.cli import main
from tests.unit.compliance.test_log_merkle import ROOT_4, SHARED, VECTOR_LEAVES, VECTOR_ROOTS, grow


def test_the_published_vector() -> None:
    store = grow([merkle.leaf_hash(entry) for entry in VECTOR_LEAVES])
    proof = merkle.consistency_proof(store, 6, 8)
    assert [one.hex() for one in proof] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a", SHARED, ROOT_4
    ]  # fmt: skip
    roots = [bytes.fromhex(root) for root in VECTOR_ROOTS]
    assert merkle.verify_consistency(6, 8, roots[5], roots[7], proof)


def test_every_pair_of_sizes_is_proven_and_nothing_else_passes() -> None:
    entries = [str(number).encode() for number in range(40)]
    store = grow(entries)
    roots = [merkle.root(store, size) for size in range(41)]
    for new in range(1, 41):
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(store, old, new)
            assert merkle.verify_consistency(old, new, roots[old], roots[new], proof)
            assert not merkle.verify_consistency(old, new, roots[old - 1], roots[new], proof)
            assert not merkle.verify_consistency(old, new, roots[old], roots[new - 1], proof)
            assert not merkle.verify_consistency(old, new, roots[old], roots[new], [*proof, roots[1]])
            if proof:
                assert not merkle.verify_consistency(old, new, roots[old], roots[new], proof[:-1])
                changed = [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]]
                assert not merkle.verify_consistency(old, new, roots[old], roots[new], changed)
    for old, new in ((0, 5), (6, 5)):
        with pytest.raises(ValueError, match="no consistency proof"):
            merkle.consistency_proof(store, old, new)


@pytest.fixture
def notes(org: UUID) -> list[str]:
    return [add_events(org, 4), add_events(org, 6)]


def proof_of(org: UUID, old: int, new: int) -> str:
    with transaction(org) as session:
        return sequencer.prove_consistency(session, old, new).encode()


def test_the_command_says_whether_one_checkpoint_continues_another(
    org: UUID, notes: list[str], tmp_path: Path
) -> None:
    keys, old, new, proof = (tmp_path / name for name in ("keys.json", "old", "new", "proof"))
    keys.write_text(json.dumps(signing_keys().published_keys([origin_of(org)])))
    old.write_text(notes[0])
    new.write_text(notes[1])
    proof.write_text(proof_of(org, 5, 11))

    def run(*arguments: Any) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["verify", "--keys", str(keys), *map(str, arguments)])
        return done.exit_code, done.output

    code, said = run("--consistency", old, new, "--proof", proof)
    assert code == 0, said
    assert "begins with the same 5" in said
    assert run("--consistency", old, proof)[0] == 0  # a proof ends in the later checkpoint
    assert run("--consistency", old, old)[0] == 0
    code, said = run("--consistency", old, new)
    assert code == 1
    assert "log/consistency/5/11" in said
    assert run("--consistency", new, old)[0] == 1
    assert run("--proof", proof)[0] == 2
    assert run()[0] == 2


def test_a_fork_is_told(org: UUID, notes: list[str], execute: Execute) -> None:
    published = signing_keys().published_keys([origin_of(org)])
    head = body(notes[1])
    other = CheckpointBody(head.origin, head.size, merkle.leaf_hash(b"other"))
    forged = signing_keys().sign_checkpoint(other, now())
    proof = proof_of(org, 5, 11)
    assert verify_consistency(notes[0].encode(), notes[1].encode(), proof.encode(), published).ok
    assert not verify_consistency(notes[0].encode(), forged.encode(), proof.encode(), published).ok
    assert not verify_consistency(forged.encode(), notes[1].encode(), None, published).ok
    for position in range(0, len(proof), 7):
        broken = bytearray(proof.encode())
        broken[position] ^= 1
        assert not verify_consistency(notes[0].encode(), bytes(broken), None, published).ok
    for text in (
        "",
        "old 5",
        "old 05\n\nx",
        "old 5\nAAAA\n\nx",
        "old 5\n" + "\n".join(["A" * 44] * 64) + "\n\nx",
    ):
        with pytest.raises(NoteError):
            ConsistencyProof.parse(text)


def test_a_checkpoint_from_before_a_restore_is_continued(org: UUID, execute: Execute) -> None:
    add_events(org, 4)
    kept = add_events(org, 6)  # by an auditor
    go_back_to(execute, 5)
    add_events(org, 3)
    with transaction(org) as session:
        newest = session.scalars(select(Checkpoint.size).order_by(Checkpoint.size.desc()).limit(1)).one()
        proof = sequencer.prove_consistency(session, 11, newest)
    keys = [signing_keys().log_key_of(origin_of(org))]
    before, after = consistency.verify(kept, proof.encode(), None, keys)
    assert (before.size, after.size) == (11, newest)
