"""Logs with entries, checkpoints, and a past that somebody with more rights than any process of ours rewrites."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from compliance.evidence import origin_of, signing_keys
from compliance.log import checkpoint, sequencer
from core import audit
from core.db import transaction

Execute = Callable[[str], None]


def add_events(org: UUID, count: int) -> str:
    """Add events, sign, and return the newest checkpoint's note."""
    with transaction(org) as session:
        for number in range(count):
            audit.record(session, audit.Tag.SHOOT_CLOSED, actor=audit.SYSTEM, number=number)
        session.flush()
        signed = sequencer.sequence(session)
        assert signed is not None
        return signed.note


def body(note: str) -> checkpoint.CheckpointBody:
    org_id = UUID(note.partition("\n")[0].rpartition("/")[2])
    return checkpoint.verify(note, [signing_keys().log_key_of(origin_of(org_id))])


def go_back_to(execute: Execute, size: int) -> None:
    """Forget what a backup made at `size` entries would not have."""
    execute(
        f"""
        CREATE TEMP TABLE lost AS SELECT event_id FROM log_leaves WHERE position >= {size};
        DELETE FROM log_leaves WHERE position >= {size};
        DELETE FROM audit_events WHERE id IN (SELECT event_id FROM lost);
        DELETE FROM log_nodes WHERE (position + 1) << level > {size};
        DELETE FROM checkpoints WHERE size > {size};
        DROP TABLE lost
        """
    )
