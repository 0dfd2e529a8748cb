"""Adds committed audit events to their organization's Merkle log and signs a checkpoint."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from compliance.evidence import origin_of, signing_keys
from compliance.log import checkpoint, merkle
from compliance.log.checkpoint import CheckpointBody
from compliance.log.proof import Proof
from core import locks
from core.clock import now
from core.db import Lookup, organization_of, transaction
from core.models import AuditEvent, Checkpoint, LogLeaf, LogNode

# One checkpoint signs at most this many events, so that a large import does not hold the log's lock long.
BATCH = 2000


class StoredNodes:
    """The hashes of an organization's full subtrees, in `log_nodes`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._org_id = organization_of(session)
        self._new: dict[tuple[int, int], bytes] = {}

    def get(self, level: int, index: int) -> bytes:
        """Return a subtree's hash."""
        fresh = self._new.get((level, index))
        if fresh is not None:
            return fresh
        return self._session.get_one(LogNode, (self._org_id, level, index)).hash

    def put(self, level: int, index: int, node: bytes) -> None:
        """Keep a subtree's hash; `flush` writes it."""
        self._new[level, index] = node

    def flush(self) -> None:
        """Write what was put."""
        self._session.add_all(
            LogNode(org_id=self._org_id, level=level, position=index, hash=node)
            for (level, index), node in self._new.items()
        )
        self._session.flush()
        self._new.clear()


def sequence(session: Session) -> Checkpoint | None:
    """Append events that are not in the log yet and sign a new checkpoint, in the caller's transaction.

    Returns the newest checkpoint, or `None` for a log without entries. The log is locked until the
    transaction ends, so two sequencers never fork it; a checkpoint leaves this function only by the
    same commit that stores it.
    """
    org_id = organization_of(session)
    locks.wait(session, locks.Space.LOG, org_id.bytes)
    size = session.scalar(select(func.coalesce(func.max(LogLeaf.position) + 1, 0))) or 0
    events = session.execute(
        select(AuditEvent.id, AuditEvent.leaf)
        .where(~AuditEvent.sequenced)
        .order_by(AuditEvent.id)
        .limit(BATCH)
    ).all()
    if not events:
        return session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
    nodes = StoredNodes(session)
    for event_id, leaf in events:
        session.add(LogLeaf(org_id=org_id, position=size, event_id=event_id))
        size = merkle.append(nodes, size, merkle.leaf_hash(leaf))
    root = merkle.root(nodes, size)
    nodes.flush()
    session.execute(
        update(AuditEvent)
        .where(AuditEvent.id.in_([event_id for event_id, _ in events]))
        .values(sequenced=True)
        .execution_options(synchronize_session=False)
    )
    note = checkpoint.sign(CheckpointBody(origin_of(org_id), size, root), signing_keys().log_key)
    signed = Checkpoint(org_id=org_id, size=size, created_at=now(), note=note)
    session.add(signed)
    session.flush()
    return signed


def sequence_all() -> int:
    """Sequence every organization that has new events, each in transactions of its own; return how many."""
    organizations = Lookup.unsequenced()
    for org_id in organizations:
        with transaction(org_id) as session:
            sequence(session)
    return len(organizations)


def prove(session: Session, event_id: UUID) -> Proof:
    """Prove that a sequenced event is in the log, against the newest checkpoint.

    Raises:
        NoResultFound: the event is not in the log yet.
    """
    leaf = session.scalars(select(LogLeaf).where(LogLeaf.event_id == event_id)).one()
    newest = session.scalars(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)).one()
    path = merkle.inclusion_proof(StoredNodes(session), leaf.position, newest.size)
    event = session.get_one(AuditEvent, event_id)
    return Proof(entry=event.leaf, index=leaf.position, hashes=tuple(path), checkpoint=newest.note)
