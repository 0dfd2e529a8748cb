"""Holding every entry of a log against what was signed: leaves from their events, hashes up to the signed head, checkpoints.

Whoever owns the tables can rewrite them, and the newest signed head with the keys tells: it commits to every entry before
it. Before each signature the newest entries are looked at, each hour a share of every log, so that each is looked at as a
whole within `ROUND_HOURS`, and a small one each hour. A part of a log is read and dropped before the next, and each has
a transaction of its own.

What a restore lost, and the log says so itself, is no difference; what stands before such a gap is held against the
checkpoint that was signed there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.orm import Session

from compliance.log import alarm, heads, merkle
from core.audit import Tag
from core.clock import now, rfc3339
from core.db import organization_of, transaction
from core.models import AuditEvent, Checkpoint, LogLeaf, LogNode
from core.vault import SignedHead, vault
from core.vault.watches import Difference, Round, What

Place = tuple[int, int]  # level and index of a full subtree

PART = 4096  # entries that are read at once
ROUND_HOURS = 24
LEAST = 4 * PART  # entries of one log that an hourly look takes at least
NEWEST = 256  # entries that are looked at before each signature: three milliseconds


@dataclass(frozen=True)
class Span:
    """Entries `[start, end)` without a gap, and signed hashes that they lead up to.

    `anchors` are the peaks of the signed tree of `signed` leaves; entries from `signed` on, if any, are held against the
    stored hashes alone.
    """

    start: int
    end: int
    signed: int
    anchors: Mapping[Place, bytes]


def before_signing(session: Session, size: int) -> set[Difference]:
    """Return what differs among the newest entries of a log of `size`, whose head was held against the keys' before."""
    head = vault().keys.heads.newest(organization_of(session))
    if head is None:
        return set()
    start = max(0, min(size, head.size) - NEWEST)
    found: set[Difference] = set()
    for span in spans(session, head):
        if span.end > start:
            found |= _look(session, replace(span, start=max(span.start, start)))
    return found


def look(org_id: UUID) -> set[Difference]:
    """Look at the next share of an organization's log; return what differs in it.

    What an earlier look found and a whole one that began after it does not find any more is forgotten.
    """
    watches = vault().keys.watches
    running = watches.round_of(org_id)
    head = vault().keys.heads.newest(org_id)
    size = head.size if head is not None else 0
    found: set[Difference] = set()
    left = max(LEAST, ceil(size / ROUND_HOURS))
    while left > 0:
        with transaction(org_id) as session:
            part, running = _part(session, running, head)
            alarm.tell(session, part)
        left -= PART
        found |= part
        if running.position >= size and running.event_after is None:
            watches.forget_before(org_id, running.began_at)
            running = Round(now(), 0, None, covered_at=now())
            left = 0
        watches.keep(org_id, running)
    return found


def _part(session: Session, running: Round, head: SignedHead | None) -> tuple[set[Difference], Round]:
    """Look at the next entries, and at as many events."""
    found: set[Difference] = set()
    start = running.position
    end = min(start + PART - start % PART, head.size) if head is not None else start
    if head is not None and start < end:
        for span in spans(session, head):
            if span.start < end and span.end > start:
                found |= _look(session, replace(span, start=max(span.start, start), end=min(span.end, end)))
    unlisted, last = _unlisted(session, running.event_after)
    return found | unlisted, replace(running, position=end, event_after=last)


def _unlisted(session: Session, after: UUID | None) -> tuple[set[Difference], UUID | None]:
    """Return events that say they are in the log and are not, and the last event looked at; `None` after the last of all."""
    events = select(AuditEvent.id, AuditEvent.sequenced).order_by(AuditEvent.id).limit(PART)
    if after is not None:
        events = events.where(AuditEvent.id > after)
    read = events.subquery()
    rows = session.execute(
        select(read.c.id, read.c.sequenced, LogLeaf.position)
        .outerjoin(LogLeaf, LogLeaf.event_id == read.c.id)
        .order_by(read.c.id)
    ).all()
    lost = any(sequenced and place is None for _, sequenced, place in rows)
    return (
        {Difference(0, What.UNLISTED)} if lost else set(),
        rows[-1].id if len(rows) == PART else None,
    )


def gaps(session: Session) -> list[tuple[int, int]]:
    """Return the ranges of entries, `[first, after the last)` from 0, that the log itself says were lost, in order."""
    leaves = session.scalars(
        select(AuditEvent.leaf).where(AuditEvent.tag == Tag.LOG_GAP_FOUND).order_by(AuditEvent.id)
    )
    facts = [json.loads(leaf)["facts"] for leaf in leaves]
    return sorted((one["first_lost"] - 1, one["last_lost"]) for one in facts)


def spans(session: Session, head: SignedHead) -> Iterator[Span]:
    """Yield what a log signed up to `head` has between its gaps, from the left."""
    start = 0
    for first, after in gaps(session):
        if start < first:
            signed, anchors = _signed_before(session, first)
            yield Span(start, first, signed, anchors)
        start = max(start, after)
    if start < head.size:
        anchors = dict(zip(merkle.peaks(0, head.size), head.peaks, strict=True))
        yield Span(start, head.size, head.size, anchors)


def _signed_before(session: Session, size: int) -> tuple[int, dict[Place, bytes]]:
    """Return the largest signed tree of at most `size` leaves, and its peaks; none, where it cannot be trusted."""
    row = session.scalar(
        select(Checkpoint).where(Checkpoint.size <= size).order_by(Checkpoint.size.desc()).limit(1)
    )
    if row is None:
        return 0, {}
    places = merkle.peaks(0, row.size)
    nodes = _nodes(session, places)
    hashes = [nodes[place] for place in places if place in nodes]
    if len(hashes) < len(places) or not heads.is_of(row, organization_of(session), merkle.fold(hashes)):
        return 0, {}
    return row.size, dict(zip(places, hashes, strict=True))


def _look(session: Session, span: Span) -> set[Difference]:
    """Compute the entries of `span` anew, and hold them against the stored hashes, the signed ones and the checkpoints."""
    start, end = span.start, span.end
    stored = _stored(session, start, end)
    found: set[Difference] = set()
    entries: dict[Place, bytes] = {}
    rows = {row.position: row for row in _rows(session, start, end)}
    for position in range(start, end):
        row = rows.get(position)
        if row is None:
            found.add(Difference(position, What.LEAF))
        else:
            entries[0, position] = merkle.leaf_hash(row.leaf)
            if not _agrees(row):
                found.add(Difference(position, What.EVENT))
    left = merkle.peaks(0, start)
    beside = _nodes(session, {*left, *_beside(span)})
    computed = dict(entries)
    _fill(computed, stored, start, end)
    whole = _leads_up(computed, beside, span)
    if not whole:
        # Entries that do not fit their stored hash are to blame, if the stored hashes lead up.
        for place, node in entries.items():
            if stored.get(place) != node:
                found.add(Difference(place[1], What.EVENT))
                computed[place] = stored.get(place, node)
        _fill(computed, stored, start, end)
        whole = _leads_up(computed, beside, span)
        if not whole:
            found.add(Difference(start, What.TREE))
    found |= {
        Difference(index << level, What.TREE)
        for (level, index), node in computed.items()
        if stored.get((level, index)) != node
    }
    if whole and all(place in beside for place in left):
        found |= _checkpoints(session, span, [(place, beside[place]) for place in left], computed)
    return found


def _agrees(row: Row[Any]) -> bool:
    """Whether what pages show of an event is what its leaf says."""
    try:
        leaf = json.loads(row.leaf)
        return bool(
            leaf["id"] == str(row.id)
            and leaf["at"] == rfc3339(row.created_at)
            and leaf["tag"] == row.tag
            and leaf["facts"] == row.facts
            and (leaf["subject"] is None) == (row.subject_id is None)
        )
    except (ValueError, KeyError, TypeError):
        return False


def _rows(session: Session, start: int, end: int) -> Sequence[Row[Any]]:
    return session.execute(
        select(
            LogLeaf.position,
            AuditEvent.id,
            AuditEvent.created_at,
            AuditEvent.tag,
            AuditEvent.facts,
            AuditEvent.leaf,
            AuditEvent.subject_id,
        )
        .join(AuditEvent, AuditEvent.id == LogLeaf.event_id)
        .where(LogLeaf.position >= start, LogLeaf.position < end)
    ).all()


def _stored(session: Session, start: int, end: int) -> dict[Place, bytes]:
    """Return the stored hashes of every full subtree over entries of `[start, end)`."""
    ranges = []
    for level in range((end - start).bit_length()):
        first, after = -(-start >> level), end >> level
        if first < after:
            ranges.append(and_(LogNode.level == level, LogNode.position >= first, LogNode.position < after))
    rows = session.execute(select(LogNode.level, LogNode.position, LogNode.hash).where(or_(*ranges)))
    return {(level, index): node for level, index, node in rows}


def _nodes(session: Session, places: Sequence[Place] | set[Place]) -> dict[Place, bytes]:
    if not places:
        return {}
    matches = [and_(LogNode.level == level, LogNode.position == index) for level, index in places]
    rows = session.execute(select(LogNode.level, LogNode.position, LogNode.hash).where(or_(*matches)))
    return {(level, index): node for level, index, node in rows}


def _fill(nodes: dict[Place, bytes], stored: Mapping[Place, bytes], start: int, end: int) -> None:
    """Compute the full subtrees over `[start, end)` from their leaves; a leaf that is missing is taken as stored."""
    for position in range(start, end):
        if (0, position) not in nodes and (0, position) in stored:
            nodes[0, position] = stored[0, position]
    for level in range(1, (end - start).bit_length()):
        for index in range(-(-start >> level), end >> level):
            left, right = nodes.get((level - 1, 2 * index)), nodes.get((level - 1, 2 * index + 1))
            if left is not None and right is not None:
                nodes[level, index] = merkle.node_hash(left, right)


def _beside(span: Span) -> set[Place]:
    end = min(span.end, span.signed)
    return {
        place
        for piece in merkle.peaks(span.start, end)
        for place in merkle.siblings(piece, span.signed)
        if not (span.start <= place[1] << place[0] and (place[1] + 1) << place[0] <= end)
    }


def _leads_up(computed: Mapping[Place, bytes], beside: Mapping[Place, bytes], span: Span) -> bool:
    """Whether the entries lead up to signed hashes."""
    for piece in merkle.peaks(span.start, min(span.end, span.signed)):
        path = [computed.get(place, beside.get(place)) for place in merkle.siblings(piece, span.signed)]
        node = computed.get(piece)
        hashes = [one for one in path if one is not None]
        if node is None or len(hashes) < len(path):
            return False
        peak, top = merkle.climb(piece, node, hashes)
        if span.anchors.get(peak) != top:
            return False
    return True


def _checkpoints(
    session: Session, span: Span, left: list[tuple[Place, bytes]], computed: Mapping[Place, bytes]
) -> set[Difference]:
    """Hold the stored checkpoints over `(start, end]` against the entries; at a gap's end also that over `start`."""
    org_id = organization_of(session)
    rows = {
        row.size: row
        for row in session.scalars(
            select(Checkpoint).where(Checkpoint.size >= span.start, Checkpoint.size <= span.end)
        )
    }
    known = {**dict(left), **computed}
    found: set[Difference] = set()
    for size, row in rows.items():
        hashes = [_resolved(known, place) for place in merkle.peaks(0, size)]
        whole = [one for one in hashes if one is not None]
        if size == 0 or len(whole) < len(hashes) or not heads.is_of(row, org_id, merkle.fold(whole)):
            found.add(Difference(size, What.CHECKPOINT))
    return found


def _resolved(known: dict[Place, bytes], place: Place) -> bytes | None:
    """Return the hash of a full subtree that is known, or whose parts are."""
    level, index = place
    if place not in known and level > 0:
        left = _resolved(known, (level - 1, 2 * index))
        right = _resolved(known, (level - 1, 2 * index + 1)) if left is not None else None
        if left is not None and right is not None:
            known[place] = merkle.node_hash(left, right)
    return known.get(place)
