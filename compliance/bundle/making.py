"""Making the auditor's bundle: file after file, so that a log of any size is sent in constant memory and begins at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.consent.texts import purposes_of
from compliance.evidence import keys_address, origin_of, published_keys
from compliance.log import merkle, sequencer, watch
from compliance.log.encoding import encode
from compliance.log.nodes import StoredNodes
from core.audit import Tag
from core.clock import now, rfc3339
from core.db import transaction
from core.models import (
    AuditEvent,
    Certificate,
    Checkpoint,
    CompanyReport,
    LogLeaf,
    Organization,
    ShownNotice,
    Stage,
    Statement,
    SubjectRequest,
)
from core.people import organizations
from core.settings import settings
from core.vault import vault

FOLDER = Path(__file__).parent
PART = 4096  # entries, or checkpoints, in a file: a megabyte or two
DOCUMENTS: dict[str, tuple[str, type[Certificate | Statement | CompanyReport]]] = {
    Tag.CERTIFICATE_ISSUED: ("certificates", Certificate),
    Tag.STATEMENT_ISSUED: ("statements", Statement),
    Tag.REPORT_ISSUED: ("reports", CompanyReport),
}
REGISTERED = (
    "id", "type", "channel", "regime", "state", "received_at", "acknowledge_by", "acknowledged_at", "first_due_at",
    "due_at", "extended_at", "extension", "verification", "tier", "verified", "hold", "held_at", "lifted_at",
    "decision", "basis", "decided_at", "delivered_at", "closed_at", "erasure_id", "evidence_sha256",
)  # fmt: skip
AT_ONCE = 100  # certificates whose proofs are made in one transaction

Files = Iterator[tuple[str, bytes]]


def files(org_id: UUID) -> Files:
    """Yield the bundle's files, path and content, made one after the other; the log's end is that of the beginning.

    Each part is read in a transaction of its own: none is open while a slow line takes what was made.
    """
    with transaction(org_id) as session:
        size = session.scalar(select(Checkpoint.size).order_by(Checkpoint.size.desc()).limit(1)) or 0
        about = _about(session, size)
        organization = organizations.current(session)
    yield "README.txt", _readme(organization, about).encode()
    yield "verify.py", (FOLDER / "verify.py.txt").read_bytes()
    yield "bundle.json", json.dumps(about, indent=1).encode()
    yield "keys.json", json.dumps(published_keys(org_id), indent=1).encode()
    yield from _entries(org_id, size)
    yield from _checkpoints(org_id, size)
    yield from _consent_texts(org_id)
    yield from _documents(org_id, size)
    yield from _requests(org_id)


def _about(session: Session, size: int) -> dict[str, Any]:
    org_id = organizations.current(session).id
    nodes = StoredNodes(session)
    gaps = []
    for first, after in watch.gaps(session):
        if after <= size:
            places = merkle.peaks(0, after)
            nodes.fetch(places)
            gaps.append(
                {"first": first, "after": after, "peaks": [encode(nodes.get(*place)) for place in places]}
            )
    return {
        "format": "headshots.evidence/1",
        "log": origin_of(org_id),
        "made_at": rfc3339(now()),
        "entries": size,
        "gaps": gaps,
        "differences": [
            {"what": one.what.value, "position": one.position, "seen_since": rfc3339(since)}
            for one, since in vault().keys.watches.differences(org_id)
        ],
    }


def _readme(organization: Organization, about: dict[str, Any]) -> str:
    return (
        (FOLDER / "README.txt")
        .read_text("utf-8")
        .format(
            company=organization.name,
            made_at=about["made_at"],
            entries=about["entries"],
            base_url=settings().base_url,
            keys_address=keys_address(organization.id),
        )
    )


def _entries(org_id: UUID, size: int) -> Files:
    for start in range(0, size, PART):
        with transaction(org_id) as session:
            leaves = session.scalars(
                select(AuditEvent.leaf)
                .join(LogLeaf, LogLeaf.event_id == AuditEvent.id)
                .where(LogLeaf.position >= start, LogLeaf.position < min(start + PART, size))
                .order_by(LogLeaf.position)
            ).all()
        if leaves:
            yield f"entries/{start:012d}.jsonl", b"".join(leaf + b"\n" for leaf in leaves)


def _checkpoints(org_id: UUID, size: int) -> Files:
    after = 0
    while True:
        with transaction(org_id) as session:
            rows = session.execute(
                select(Checkpoint.size, Checkpoint.created_at, Checkpoint.note)
                .where(Checkpoint.size > after, Checkpoint.size <= size)
                .order_by(Checkpoint.size)
                .limit(PART)
            ).all()
        if not rows:
            return
        lines = [
            json.dumps(
                {"size": row.size, "at": rfc3339(row.created_at), "note": row.note}, ensure_ascii=False
            )
            for row in rows
        ]
        yield f"checkpoints/{rows[0].size:012d}.jsonl", ("\n".join(lines) + "\n").encode()
        after = rows[-1].size


def _documents(org_id: UUID, size: int) -> Files:
    after = UUID(int=0)
    while True:
        with transaction(org_id) as session:
            events = session.execute(
                select(AuditEvent.id, AuditEvent.tag, AuditEvent.facts, LogLeaf.position)
                .join(LogLeaf, LogLeaf.event_id == AuditEvent.id)
                .where(AuditEvent.tag.in_(DOCUMENTS), AuditEvent.id > after)
                .order_by(AuditEvent.id)
                .limit(AT_ONCE)
            ).all()
        if not events:
            return
        after = events[-1].id
        for event in events:
            if event.position >= size:
                continue
            number = event.facts["certificate_id"]
            with transaction(org_id) as session:
                folder, table = DOCUMENTS[event.tag]
                pdf = session.scalar(select(table.pdf).where(table.id == UUID(number)))
                proof = sequencer.prove(session, event.id).encode()
            yield f"proofs/{number}.txt", proof.encode()
            if pdf is not None:
                yield f"{folder}/{number}.pdf", pdf


def _consent_texts(org_id: UUID) -> Files:
    """Yield every text that people answered, whole and by purpose, each by its hash."""
    sent: set[str] = set()
    after = UUID(int=0)
    while True:
        with transaction(org_id) as session:
            question = select(ShownNotice).where(ShownNotice.id > after).order_by(ShownNotice.id)
            rows = session.scalars(question.limit(AT_ONCE)).all()
        for row in rows:
            after = row.id
            parts = {one.sha256: one.content for one in purposes_of(row.content.encode())}
            for name, content in {**parts, row.sha256: row.content.encode()}.items():
                if name not in sent:
                    sent.add(name)
                    yield f"consent-texts/{name}.json", content
        if len(rows) < AT_ONCE:
            return


def _requests(org_id: UUID) -> Files:
    """Yield the register of requests, one a line: what was asked, by when it was owed and what came of it, of nobody by name.

    The hash of an answer and the numbers of its entries in the log tie a line to what was signed.
    """
    after = UUID(int=0)
    while True:
        with transaction(org_id) as session:
            rows = session.scalars(
                select(SubjectRequest)
                .where(SubjectRequest.id > after, SubjectRequest.state != Stage.UNCONFIRMED)
                .order_by(SubjectRequest.id)
                .limit(PART)
            ).all()
            places = _places(session, [one for row in rows for one in row.events])
        if not rows:
            return
        lines = [
            json.dumps({name: _plain(getattr(row, name)) for name in REGISTERED} | {"entries": found})
            for row in rows
            for found in [[places[one] for one in row.events if one in places]]
        ]
        yield f"requests/{rows[0].id}.jsonl", ("\n".join(lines) + "\n").encode()
        after = rows[-1].id


def _places(session: Session, events: list[UUID]) -> dict[UUID, int]:
    found = session.execute(select(LogLeaf.event_id, LogLeaf.position).where(LogLeaf.event_id.in_(events)))
    return {row.event_id: row.position for row in found}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return str(value) if isinstance(value, UUID) else value
