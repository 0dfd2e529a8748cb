"""Adds committed audit events to their organization's Merkle log and signs a checkpoint."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Uuid, any_, func, insert, literal, select, update
from sqlalchemy.orm import Session

from compliance.evidence import origin_of, signing_keys
from compliance.log import alarm, heads, merkle, watch
from compliance.log.consistency import ConsistencyProof
from compliance.log.nodes import StoredNodes
from compliance.log.proof import Proof
from compliance.log.tree_head import CheckpointBody
from core import locks
from core.clock import now
from core.db import Lookup, organization_of, transaction
from core.errors import NotFound
from core.logs import logger
from core.models import AuditEvent, Checkpoint, LogLeaf
from core.vault import SignedHead
from core.vault.watches import Difference, What

# One checkpoint signs at most this many events, so that a large import does not hold the log's lock long.
BATCH = 10_000


def sequence(session: Session) -> Checkpoint | None:
    """Append events that are not in the log yet and sign a new checkpoint, in the caller's transaction.

    Returns the newest checkpoint, or `None` for a log without entries. The log is locked until the
    transaction ends, so two sequencers never fork it; a checkpoint leaves this function only by the
    same commit that stores it. What was signed before is held against the database first: hashes that differ
    are never signed on, and an entry whose words differ from its signed hash is told, as the tree is still the signed one.

    Raises:
        LogForked: the database holds another past than the one signed; nothing was signed.
    """
    org_id = organization_of(session)
    locks.wait(session, locks.Space.LOG, org_id.bytes)
    nodes = StoredNodes(session)
    size = heads.agree(session, nodes)
    nodes.fetch(merkle.peaks(0, size))  # all that the tree grows on from
    alarm.tell(session, watch.before_signing(session, size))
    events = session.execute(
        select(AuditEvent.id, AuditEvent.leaf)
        .where(~AuditEvent.sequenced)
        .order_by(AuditEvent.id)
        .limit(BATCH)
    ).all()
    if not events:
        return session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
    ids = [event_id for event_id, _ in events]
    leaves = (
        func.unnest(literal(list(range(size, size + len(ids))), ARRAY(BigInteger)), literal(ids, ARRAY(Uuid)))
        .table_valued("position", "event_id", name="added")
        .render_derived()
    )
    session.execute(
        insert(LogLeaf).from_select(
            ["org_id", "position", "event_id"],
            select(literal(org_id, Uuid), leaves.c.position, leaves.c.event_id),
        )
    )
    for _, leaf in events:
        size = merkle.append(nodes, size, merkle.leaf_hash(leaf))
    root = merkle.root(nodes, size)
    nodes.flush()
    session.execute(
        update(AuditEvent)
        .where(AuditEvent.id == any_(literal(ids, ARRAY(Uuid))))
        .values(sequenced=True)
        .execution_options(synchronize_session=False)
    )
    at = now()
    note = signing_keys().sign_checkpoint(CheckpointBody(origin_of(org_id), size, root), at)
    signed = Checkpoint(org_id=org_id, size=size, created_at=at, note=note)
    session.add(signed)
    session.flush()
    heads.keep_after_commit(session, SignedHead(size, heads.peaks_of(nodes, size), note))
    return signed


def sequence_all() -> int:
    """Sequence until no organization has new events, each batch in a transaction of its own; return of how many.

    Of a large import each batch waits its turn. A log that may not be signed is said and does not keep the others
    waiting.
    """
    done: set[UUID] = set()
    forked: set[UUID] = set()
    while waiting := [org_id for org_id in Lookup.unsequenced() if org_id not in forked]:
        for org_id in waiting:
            try:
                with transaction(org_id) as session:
                    sequence(session)
            except heads.LogForked as error:
                _tell_fork(org_id, error)
                forked.add(org_id)
            else:
                done.add(org_id)
    return len(done)


def watch_all() -> None:
    """Hold every log against what was signed, also one that has nothing new to sign: the next share of each.

    A log that cannot be looked at does not keep the others waiting.

    Raises:
        Exception: the last that one of them failed with.
    """
    failure: Exception | None = None
    for org_id in Lookup.organizations():
        try:
            _watch(org_id)
        except Exception as error:  # noqa: BLE001 - said here, and by the duty that fails
            logger().error("log_not_looked_at", org=str(org_id), exc_info=error)
            failure = error
    if failure is not None:
        raise failure


def _watch(org_id: UUID) -> None:
    fork: heads.LogForked | None = None
    try:
        with transaction(org_id) as session:
            sequence(session)  # first, so that what a restore lost is known as a gap
    except heads.LogForked as error:
        fork = error
    watch.look(org_id)
    if fork is not None:  # last: the end of a whole look forgets what was seen before it began
        _tell_fork(org_id, fork)


def _tell_fork(org_id: UUID, error: heads.LogForked) -> None:
    logger().error("log_forked", org=str(org_id), code=error.code)
    with transaction(org_id) as session:
        alarm.tell(session, [Difference(0, What.FORK)])


def prove(session: Session, event_id: UUID) -> Proof:
    """Prove that a sequenced event is in the log, against the newest checkpoint.

    Raises:
        NoResultFound: the event is not in the log yet.
    """
    leaf = session.scalars(select(LogLeaf).where(LogLeaf.event_id == event_id)).one()
    newest = session.scalars(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)).one()
    path = StoredNodes(session).prove(lambda nodes: merkle.inclusion_proof(nodes, leaf.position, newest.size))
    event = session.get_one(AuditEvent, event_id)
    return Proof(entry=event.leaf, index=leaf.position, hashes=tuple(path), checkpoint=newest.note)


def prove_consistency(session: Session, old: int, new: int) -> ConsistencyProof:
    """Prove that the log of the checkpoint over `new` entries begins with its first `old`.

    Raises:
        NotFound: no checkpoint was signed at this size, or its log has fewer entries.
    """
    later = session.get(Checkpoint, (organization_of(session), new))
    if later is None or not 0 <= old <= new:
        raise NotFound("There are no checkpoints of these sizes.")
    hashes = (
        StoredNodes(session).prove(lambda nodes: merkle.consistency_proof(nodes, old, new)) if old else []
    )
    return ConsistencyProof(old, tuple(hashes), later.note)
