"""What the database says of a log's past is held against what was signed, whoever rewrote it."""

from __future__ import annotations

from uuid import UUID

import pytest
from signed_logs import Execute, add_events, go_back_to
from sqlalchemy import func, select, text

from compliance.log import alarm, merkle, sequencer, watch
from compliance.log.watch import look
from core import audit
from core.db import transaction
from core.models import AuditEvent, Checkpoint, Outbox
from core.queue import JobName
from core.vault import vault
from core.vault.watches import What


def known(org: UUID) -> set[tuple[int, What]]:
    return {(one.position, one.what) for one, _ in vault().keys.watches.differences(org)}


def event_at(position: int) -> str:
    return f"(SELECT event_id FROM log_leaves WHERE position = {position})"


REWRITTEN = {
    "leaf of an event": (
        f"UPDATE audit_events SET leaf = convert_to(regexp_replace(convert_from(leaf, 'utf8'), '\"number\":.', '\"number\":9'), 'utf8') WHERE id = {event_at(3)}",
        {(3, What.EVENT)},
    ),
    "what pages show of an event": (
        f"UPDATE audit_events SET facts = '{{\"number\": 9}}' WHERE id = {event_at(3)}",
        {(3, What.EVENT)},
    ),
    "time of an event": (
        f"UPDATE audit_events SET created_at = created_at - interval '1 day' WHERE id = {event_at(3)}",
        {(3, What.EVENT)},
    ),
    "kind of an event": (
        f"UPDATE audit_events SET tag = 'shoot.created' WHERE id = {event_at(3)}",
        {(3, What.EVENT)},
    ),
    "leaf removed": ("DELETE FROM log_leaves WHERE position = 3", {(3, What.LEAF), (0, What.UNLISTED)}),
    "leaf and event removed": (
        (
            "CREATE TEMP TABLE gone AS SELECT event_id FROM log_leaves WHERE position = 3;"
            " DELETE FROM log_leaves WHERE position = 3;"
            " DELETE FROM audit_events WHERE id IN (SELECT event_id FROM gone); DROP TABLE gone"
        ),
        {(3, What.LEAF)},
    ),
    "newest leaf removed": ("DELETE FROM log_leaves WHERE position = 9", {(0, What.UNLISTED)}),
    "two leaves swapped": (
        (
            "UPDATE log_leaves SET position = position + 1000 WHERE position IN (3, 6);"
            " UPDATE log_leaves SET position = 1009 - position WHERE position > 1000;"
            " UPDATE log_leaves SET position = CASE position WHEN 6 THEN 6 ELSE position END"
        ),
        {(3, What.EVENT), (6, What.EVENT)},
    ),
    "event and its hash": (
        (
            f"UPDATE audit_events SET leaf = convert_to(regexp_replace(convert_from(leaf, 'utf8'), '\"number\":.', '\"number\":9'), 'utf8') WHERE id = {event_at(3)};"
            f" UPDATE audit_events SET facts = '{{\"number\": 9}}' WHERE id = {event_at(3)};"
            f" UPDATE log_nodes SET hash = (SELECT sha256('\\x00'::bytea || leaf) FROM audit_events WHERE id = {event_at(3)}) WHERE level = 0 AND position = 3"
        ),
        {(0, What.TREE), (2, What.TREE)},
    ),
    "an inner hash": (
        "UPDATE log_nodes SET hash = sha256('other') WHERE level = 1 AND position = 2",
        {(4, What.TREE)},
    ),
    "a checkpoint": (
        "UPDATE checkpoints SET note = replace(note, E'\\n4\\n', E'\\n5\\n') WHERE size = 4",
        {(4, What.CHECKPOINT)},
    ),
    "an invented checkpoint": (
        "INSERT INTO checkpoints (org_id, size, created_at, note) SELECT org_id, 6, created_at, note FROM checkpoints WHERE size = 4",
        {(6, What.CHECKPOINT)},
    ),
    "an event slipped in": (
        (
            "INSERT INTO audit_events (id, org_id, created_at, tag, facts, leaf, sequenced)"
            " SELECT gen_random_uuid(), org_id, created_at, tag, facts, leaf, true FROM audit_events LIMIT 1"
        ),
        {(0, What.UNLISTED)},
    ),
}


@pytest.mark.parametrize("what", REWRITTEN)
def test_whatever_the_tables_owner_rewrites_is_noticed(org: UUID, execute: Execute, what: str) -> None:
    add_events(org, 3)
    add_events(org, 6)
    assert look(org) == set()
    statement, expected = REWRITTEN[what]
    execute(statement)

    sequencer.watch_all()
    assert known(org) == expected
    with transaction(org) as session:
        (told,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.LOG_DIFFERS))
        assert told.facts["what"] in {one.value for _, one in expected}
        assert session.scalars(select(Outbox.subject_id).where(Outbox.job == JobName.LOG_MAIL)).all() == [org]

    add_events(org, 1)
    sequencer.watch_all()
    sequencer.watch_all()  # told once, not each hour
    assert known(org) == expected
    with transaction(org) as session:
        assert session.scalar(select(func.count()).where(Outbox.job == JobName.LOG_MAIL)) == 1


def test_the_newest_entries_are_looked_at_before_each_signature(org: UUID, execute: Execute) -> None:
    add_events(org, 5)
    execute(f"UPDATE audit_events SET facts = '{{}}' WHERE id = {event_at(4)}")
    add_events(org, 1)
    assert known(org) == {(4, What.EVENT)}


def test_a_log_that_agrees_again_is_no_more_told(org: UUID, execute: Execute) -> None:
    add_events(org, 5)
    execute("UPDATE log_nodes SET hash = sha256(hash) WHERE level = 0 AND position = 2")
    sequencer.watch_all()
    assert known(org) == {(2, What.TREE)}
    execute(
        "UPDATE log_nodes SET hash = (SELECT sha256('\\x00'::bytea || leaf) FROM audit_events JOIN log_leaves l ON l.event_id ="
        " audit_events.id WHERE l.position = 2) WHERE level = 0 AND position = 2"
    )
    sequencer.watch_all()
    assert known(org) == set()
    with transaction(org) as session:
        assert alarm.mails(session) == []


@pytest.mark.parametrize(("kept", "lost"), [(1, 1), (5, 3), (7, 1), (8, 8), (6, 20), (13, 22)])
def test_what_a_restore_lost_is_a_gap_and_no_difference(
    org: UUID, execute: Execute, kept: int, lost: int
) -> None:
    add_events(org, kept - 1)
    add_events(org, lost)
    go_back_to(execute, kept)
    add_events(org, 9)
    add_events(org, 3)
    go_back_to(execute, kept + lost + 10)
    add_events(org, 4)
    sequencer.watch_all()
    assert known(org) == set()

    for position in (0, kept - 1, kept + lost, kept + lost + 2):
        execute(f"UPDATE audit_events SET facts = '{{\"x\": 1}}' WHERE id = {event_at(position)}")
        sequencer.watch_all()
        assert (position, What.EVENT) in known(org)


def test_a_large_log_is_looked_at_in_shares_until_all_of_it_was(
    org: UUID, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PART", 16)
    monkeypatch.setattr(watch, "LEAST", 32)
    monkeypatch.setattr(watch, "NEWEST", 4)
    add_events(org, 170)
    add_events(org, 3)
    execute(f"UPDATE audit_events SET facts = '{{}}' WHERE id = {event_at(100)}")
    looks = 0
    while (100, What.EVENT) not in known(org):
        look(org)
        looks += 1
    assert looks == 4  # two parts each
    while vault().keys.watches.round_of(org).covered_at is None:
        look(org)
        looks += 1
    assert looks == 6
    assert known(org) == {(100, What.EVENT)}


def test_a_fork_is_told_also_where_nothing_waits_to_be_signed(org: UUID, execute: Execute) -> None:
    add_events(org, 7)
    execute("UPDATE log_nodes SET hash = sha256('rewritten') WHERE level = 3")
    sequencer.watch_all()
    assert (0, What.FORK) in known(org)
    with transaction(org) as session:
        assert len(alarm.mails(session)) == 1


def test_a_checkpoint_that_was_removed_comes_back(org: UUID, execute: Execute) -> None:
    note = add_events(org, 4)
    execute("DELETE FROM checkpoints")
    add_events(org, 1)
    with transaction(org) as session:
        assert session.scalars(select(Checkpoint.note).where(Checkpoint.size == 5)).all() == [note]


def test_a_database_that_lost_its_newest_leaves_signs_nothing_anew_even_if_the_keys_forgot(
    org: UUID, execute: Execute
) -> None:
    add_events(org, 7)
    execute("DELETE FROM log_leaves WHERE position > 4")
    with vault().keys._engine.begin() as connection:
        connection.execute(text("DELETE FROM log_heads"))
    with transaction(org) as session:
        signed = sequencer.sequence(session)
    assert signed is not None
    assert signed.size == 9  # after all that was signed, and the gap's event


def test_subtrees_lead_up_to_their_peaks() -> None:
    nodes: dict[tuple[int, int], bytes] = {}

    class Store:
        def get(self, level: int, index: int) -> bytes:
            return nodes[level, index]

        def put(self, level: int, index: int, node: bytes) -> None:
            nodes[level, index] = node

    size = 0
    for number in range(77):
        size = merkle.append(Store(), size, merkle.leaf_hash(str(number).encode()))
    top = set(merkle.peaks(0, size))
    for start in range(0, 77, 5):
        for end in range(start + 1, 78, 3):
            pieces = merkle.peaks(start, end)
            assert next((index << level, (index + 1) << level) for level, index in pieces)[0] == start
            for piece in pieces:
                beside = [nodes[place] for place in merkle.siblings(piece, size)]
                peak, node = merkle.climb(piece, nodes[piece], beside)
                assert peak in top
                assert node == nodes[peak]
