"""Holding the database against what was signed before: a log's newest signed head also lies with the keys.

A restored database has forgotten the end of its log. Signing what it would grow to from there would be a second
root for one size, under one key. The head with the keys has the hashes of its full subtrees, and from those the tree
grows on: new entries stand after everything that was ever signed, and an entry says what is missing.

The head is kept right after the commit that stores the checkpoint, and again by the next run where a crash came
between. It does not help against a key store that was restored to the same past; auditors' copies of checkpoints do.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from compliance.evidence import signing_keys
from compliance.log import checkpoint, merkle
from compliance.log.nodes import StoredNodes
from compliance.log.note import NoteError
from core import audit
from core.clock import now
from core.db import organization_of
from core.errors import Conflict
from core.logs import logger
from core.models import Checkpoint, LogLeaf
from core.vault import SignedHead, vault

_FORKED = (
    "This database holds another log than the one that was signed, so nothing more is signed: a second "
    "root for one size would make every certificate doubtful. Was a backup of another installation "
    "restored? Restore the newest backup of this one."
)


class LogForked(Conflict):
    """The database's log is not the one that was signed."""

    code = "log_forked"


def peaks_of(nodes: StoredNodes, size: int) -> tuple[bytes, ...]:
    """Return the hashes that a tree of `size` leaves grows on from."""
    return tuple(nodes.get(*place) for place in merkle.peaks(0, size))


def agree(session: Session, nodes: StoredNodes) -> int:
    """Return how many leaves the log has, after holding the database against the newest signed head.

    Where the database is behind, its tree is brought to that head, and the gap becomes an event.

    Raises:
        LogForked: one of them is not the past of the other.
    """
    org_id = organization_of(session)
    size = session.scalar(select(func.coalesce(func.max(LogLeaf.position) + 1, 0))) or 0
    newest = session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
    signed = vault().keys.heads.newest(org_id)
    if signed is not None:
        _check_past(nodes, size, signed)
    if newest is not None and (signed is None or signed.size < newest.size):
        signed = _stored(session, nodes, newest)
        vault().keys.heads.keep(org_id, signed)
    if signed is None:
        return size
    if size < signed.size:
        _bridge(session, nodes, size, signed)
        return signed.size
    if session.get(Checkpoint, (org_id, signed.size)) is None:
        session.add(Checkpoint(org_id=org_id, size=signed.size, created_at=now(), note=signed.note))
    return size


def _stored(session: Session, nodes: StoredNodes, newest: Checkpoint) -> SignedHead:
    """Return the newest head as the database has it: a crash kept it from the keys, or those went back in time.

    Raises:
        LogForked: it is not one that was signed over this tree.
    """
    places = merkle.peaks(0, newest.size)
    nodes.fetch(places)
    hashes = tuple(node for place in places if (node := nodes.find(place)) is not None)
    if len(hashes) < len(places) or not is_of(newest, organization_of(session), merkle.fold(hashes)):
        raise LogForked(_FORKED, entries=newest.size, signed_entries=newest.size)
    return SignedHead(newest.size, hashes, newest.note)


def is_of(row: Checkpoint, org_id: UUID, root: bytes) -> bool:
    """Whether a checkpoint is one that this installation signed over `root`, under whatever name it had then."""
    origin = row.note.partition("\n")[0]
    try:
        body = checkpoint.verify(row.note, [signing_keys().log_key_of(origin, second_from=None)])
    except NoteError:
        return False
    return origin.endswith(f"/log/{org_id}") and body.size == row.size and body.root == root


def keep_after_commit(session: Session, head: SignedHead) -> None:
    """Keep `head` with the keys as soon as the transaction that stores its checkpoint has ended well."""
    org_id = organization_of(session)

    @event.listens_for(session, "after_commit", once=True)
    def keep(_: Session) -> None:
        try:
            vault().keys.heads.keep(org_id, head)
        except Exception as error:  # noqa: BLE001 - the checkpoint stands; the next run keeps its head
            logger().error("signed_head_not_kept", org=str(org_id), size=head.size, exc_info=error)


def _check_past(nodes: StoredNodes, size: int, signed: SignedHead) -> None:
    """Compare every subtree that both have."""
    nodes.fetch(merkle.peaks(0, signed.size))
    for (level, index), node in zip(merkle.peaks(0, signed.size), signed.peaks, strict=True):
        if (index + 1) << level <= size and nodes.find((level, index)) != node:
            raise LogForked(_FORKED, entries=size, signed_entries=signed.size)


def _bridge(session: Session, nodes: StoredNodes, size: int, signed: SignedHead) -> None:
    """Bring a restored log to its newest signed head, and record what it lost."""
    for place, node in zip(merkle.peaks(0, signed.size), signed.peaks, strict=True):
        stored = nodes.find(place)
        if stored is None:
            nodes.put(*place, node)
        elif stored != node:  # not a restore: only entries went, and their hashes were rewritten
            raise LogForked(_FORKED, entries=size, signed_entries=signed.size)
    org_id = organization_of(session)
    if session.get(Checkpoint, (org_id, signed.size)) is None:
        session.add(Checkpoint(org_id=org_id, size=signed.size, created_at=now(), note=signed.note))
    audit.record(
        session,
        audit.Tag.LOG_GAP_FOUND,
        actor=audit.SYSTEM,
        first_lost=size + 1,
        last_lost=signed.size,
    )
    session.flush()
    logger().error("log_gap_found", org=str(org_id), first_lost=size + 1, last_lost=signed.size)
