"""A database that went back in time, or was rewritten, gets nothing signed that contradicts what was."""

from __future__ import annotations

import contextlib
from uuid import UUID

import pytest
from signed_logs import Execute, add_events, body, go_back_to
from sqlalchemy import select, text

from compliance.evidence import origin_of, signing_keys
from compliance.log import heads, merkle, sequencer
from compliance.log.nodes import StoredNodes
from compliance.verify import verify_file
from core import audit
from core.db import Lookup, transaction
from core.models import AuditEvent, Checkpoint, LogLeaf
from core.people import organizations
from core.vault import vault


@pytest.mark.parametrize(("kept", "lost"), [(1, 1), (5, 3), (7, 1), (8, 8), (6, 20)])
def test_after_a_restore_the_log_goes_on_behind_everything_that_was_signed(
    org: UUID, execute: Execute, kept: int, lost: int
) -> None:
    add_events(org, kept - 1)  # the organization's own creation is the first
    before = body(add_events(org, lost))
    go_back_to(execute, kept)

    after = body(add_events(org, lost))
    assert before.size == kept + lost
    assert after.size == before.size + lost + 1  # and the gap's own event
    with transaction(org) as session:
        assert merkle.root(StoredNodes(session), before.size) == before.root
        assert {body(note).size for note in session.scalars(select(Checkpoint.note))} >= {before.size}
        gap = session.scalars(select(AuditEvent).where(AuditEvent.tag == "log.gap_found")).one()
        assert gap.facts == {"first_lost": kept + 1, "last_lost": before.size}
        proof = sequencer.prove(session, gap.id)
    assert verify_file(proof.encode().encode(), signing_keys().published_keys([origin_of(org)])).ok
    assert body(add_events(org, 1)).size == after.size + 1  # found once


def test_one_key_never_signs_two_roots_for_one_size(org: UUID, execute: Execute) -> None:
    signed = {body(add_events(org, count)) for count in (3, 2, 4)}
    for size in (7, 2, 5):
        go_back_to(execute, size)
        signed |= {body(add_events(org, count)) for count in (1, 2, 3)}
    assert len({one.size for one in signed}) == len(signed) == 12


def test_a_log_that_was_rewritten_is_not_signed_and_others_are(org: UUID, execute: Execute) -> None:
    other = organizations.create("globex", "Globex", contact_email="privacy@globex.example")
    add_events(org, 7)
    execute(f"UPDATE log_nodes SET hash = sha256('rewritten') WHERE level = 3 AND org_id = '{org}'")
    with pytest.raises(heads.LogForked):
        add_events(org, 1)
    with transaction(org) as session:
        audit.record(session, audit.Tag.SHOOT_CLOSED, actor=audit.SYSTEM)
    assert sequencer.sequence_all() == 1
    with transaction(other) as session:
        assert session.scalars(select(Checkpoint.size)).all() == [1]
    with transaction(org) as session:
        assert session.scalars(select(Checkpoint.size)).all() == [8]


def test_a_head_that_a_crash_kept_from_the_keys_is_kept_by_the_next_run(org: UUID) -> None:
    add_events(org, 2)
    older = vault().keys.heads.newest(org)
    assert older is not None
    note = add_events(org, 2)
    with vault().keys._engine.begin() as connection:  # as if the process had died between the two commits
        connection.execute(text("DELETE FROM log_heads"))
    vault().keys.heads.keep(org, older)

    with transaction(org) as session:
        sequencer.sequence(session)
    kept = vault().keys.heads.newest(org)
    assert kept is not None
    assert (kept.size, kept.note) == (5, note)
    assert merkle.fold(kept.peaks) == body(note).root


def test_a_head_is_not_kept_where_its_checkpoint_was_not_stored(org: UUID) -> None:
    add_events(org, 2)
    with contextlib.suppress(RuntimeError), transaction(org) as session:
        audit.record(session, audit.Tag.SHOOT_CLOSED, actor=audit.SYSTEM)
        session.flush()
        sequencer.sequence(session)
        raise RuntimeError
    kept = vault().keys.heads.newest(org)
    assert kept is not None
    assert kept.size == 3


def test_an_older_head_never_replaces_a_newer_one(org: UUID) -> None:
    add_events(org, 2)
    older = vault().keys.heads.newest(org)
    assert older is not None
    add_events(org, 2)
    vault().keys.heads.keep(org, older)
    newest = vault().keys.heads.newest(org)
    assert newest is not None
    assert newest.size == 5


def test_all_events_are_sequenced_at_once_in_batches_and_each_is_proven(
    org: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "BATCH", 7)
    other = organizations.create("globex", "Globex")
    sequencer.sequence_all()
    with transaction(org) as session:
        for number in range(30):
            audit.record(session, audit.Tag.SHOOT_CLOSED, actor=audit.SYSTEM, number=number)
    with transaction(other) as session:
        audit.record(session, audit.Tag.SHOOT_CLOSED, actor=audit.SYSTEM, number=0)
    assert sequencer.sequence_all() == 2
    assert Lookup.unsequenced() == []
    with transaction(org) as session:
        newest = session.scalars(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)).one()
        leaves = [
            (leaf.position, merkle.leaf_hash(session.get_one(AuditEvent, leaf.event_id).leaf))
            for leaf in session.scalars(select(LogLeaf).order_by(LogLeaf.position))
        ]
        assert [position for position, _ in leaves] == list(range(31))
        root = body(newest.note).root
        for position, leaf in leaves:
            path = merkle.inclusion_proof(StoredNodes(session), position, newest.size)
            assert merkle.verify_inclusion(leaf, position, newest.size, path, root)
