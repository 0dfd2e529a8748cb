"""`headshots bench compliance`: what proof costs: a log of many entries, proofs from it, all of it held against what was signed, certificates."""

from __future__ import annotations

import random
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from deploy.bench.access import bench_access
from deploy.bench.epoch import bench_turn
from deploy.bench.erasures import bench_erasures

if TYPE_CHECKING:
    from compliance.log.merkle import NodeStore
    from deploy.bench import Report

AT_ONCE = 5000  # rows that are made together
PROOFS = 200
CERTIFICATES = 5
PEOPLE = 100_000  # whom the directory is filled with
APPENDED = 20_000  # of the entries: made as a change makes them, and timed


def bench_compliance(report: Report, org_id: UUID, entries: int, erased: int, folder: Path) -> None:
    """Make a log of `entries` entries in an empty product, erase `erased` people, and measure what rests on it."""
    bench_erasures(report, org_id, erased)
    _append(report, org_id, min(entries, APPENDED))
    _fill(org_id, entries)
    size = _sequence(report, org_id)
    _prove(report, org_id, size)
    _look(report, org_id, size)
    _bundle(report, org_id, size, folder)
    _certify(report, org_id)
    bench_access(report, org_id)
    _directory(report, org_id, min(entries, PEOPLE))
    bench_turn(report, min(entries, PEOPLE))


def _append(report: Report, org_id: UUID, count: int) -> None:
    from compliance.log import sequencer
    from core import audit
    from core.db import transaction

    sequencer.sequence_all()
    began = time.perf_counter()
    for start in range(0, count, 1000):
        with transaction(org_id) as session:
            for number in range(start, min(start + 1000, count)):
                audit.record(session, audit.Tag.BRAND_CHANGED, actor=audit.SYSTEM, number=number)
        sequencer.sequence_all()
    seconds = time.perf_counter() - began
    _tell(report, "append_and_sequence", count / seconds, "entries a second, a thousand to a checkpoint")


def _fill(org_id: UUID, entries: int) -> None:
    """Write the rest of the entries in few statements, as `core.audit.record` would write each."""
    import rfc8785
    from sqlalchemy import func, insert, select

    from core.audit import SYSTEM, Tag
    from core.clock import now, rfc3339
    from core.db import transaction
    from core.ids import new_id
    from core.models import AuditEvent

    with transaction(org_id) as session:
        there = session.scalar(select(func.count()).select_from(AuditEvent)) or 0
    for start in range(there, entries, AT_ONCE):
        rows = []
        for number in range(start, min(start + AT_ONCE, entries)):
            moment = now()
            row: dict[str, Any] = {
                "id": new_id(),
                "org_id": org_id,
                "created_at": moment,
                "tag": Tag.BRAND_CHANGED,
                "facts": {"number": number},
            }
            leaf = {
                "v": 1,
                "id": str(row["id"]),
                "org": str(org_id),
                "at": rfc3339(moment),
                "tag": row["tag"].value,
            }
            row["leaf"] = rfc8785.dumps(
                {**leaf, "actor": SYSTEM.pseudonym, "subject": None, "facts": row["facts"]}
            )
            rows.append(row)
        with transaction(org_id) as session:
            session.execute(insert(AuditEvent), rows)


def _sequence(report: Report, org_id: UUID) -> int:
    from compliance.log import sequencer
    from core.db import transaction

    began = time.perf_counter()
    sequencer.sequence_all()
    seconds = time.perf_counter() - began
    with transaction(org_id) as session:
        newest = sequencer.sequence(session)
    assert newest is not None
    report(
        {"figure": "sequence", "entries": newest.size, "seconds": round(seconds, 1)},
        f"the rest of {newest.size:,} entries sequenced in {seconds:.1f} s",
    )
    return newest.size


def _prove(report: Report, org_id: UUID, size: int) -> None:
    from compliance.log import merkle
    from compliance.log.nodes import StoredNodes
    from core.db import transaction

    places = random.Random(14)  # noqa: S311 - the same places each time

    def proven(make: Callable[[NodeStore, int], list[bytes]]) -> float:
        place = places.randrange(1, size)
        with transaction(org_id) as session:
            began = time.perf_counter()
            StoredNodes(session).prove(lambda nodes: make(nodes, place))
            return time.perf_counter() - began

    def inclusion(nodes: NodeStore, place: int) -> list[bytes]:
        return merkle.inclusion_proof(nodes, place, size)

    def consistency(nodes: NodeStore, place: int) -> list[bytes]:
        return merkle.consistency_proof(nodes, place, size)

    for name, make in (("inclusion_proof", inclusion), ("consistency_proof", consistency)):
        times = sorted(proven(make) for _ in range(PROOFS))
        report(
            {"figure": name, "entries": size, "milliseconds": round(times[PROOFS // 2] * 1000, 2),
             "p95_milliseconds": round(times[PROOFS * 95 // 100] * 1000, 2)},
            f"{name.replace('_', ' ')} among {size:,}: {times[PROOFS // 2] * 1000:.1f} ms, p95 {times[PROOFS * 95 // 100] * 1000:.1f} ms",
        )  # fmt: skip


def _look(report: Report, org_id: UUID, size: int) -> None:
    from compliance.log import watch
    from core.vault import vault

    watches = vault().keys.watches
    before = watches.round_of(org_id).covered_at  # a round that a scheduler has ended was of a smaller log
    began, looks, longest = time.perf_counter(), 0, 0.0
    while watches.round_of(org_id).covered_at == before:
        once = time.perf_counter()
        assert not watch.look(org_id)
        looks, longest = looks + 1, max(longest, time.perf_counter() - once)
    seconds = time.perf_counter() - began
    report(
        {"figure": "look", "entries": size, "seconds": round(seconds, 1), "looks": looks, "longest_seconds": round(longest, 2)},
        f"{size:,} entries held against the database, the tree and its checkpoints in {seconds:.1f} s, in {looks} looks of {longest:.2f} s at most",
    )  # fmt: skip


def _bundle(report: Report, org_id: UUID, size: int, folder: Path) -> None:
    """Send the bundle, and compute every leaf and root of it as an auditor does."""
    import psutil

    from compliance.bundle.making import files
    from compliance.log import merkle
    from core.clock import now
    from core.web.archive import stream

    path, memory = folder / "evidence.zip", psutil.Process().memory_info().rss
    began, first = time.perf_counter(), 0.0
    with path.open("wb") as file:
        for part in stream(files(org_id), now()):
            first = first or time.perf_counter() - began
            file.write(part)
    seconds = time.perf_counter() - began
    grown = (psutil.Process().memory_info().rss - memory) / 2**20
    report(
        {"figure": "bundle", "entries": size, "seconds": round(seconds, 1), "first_byte_seconds": round(first, 3), "grown_mib": round(grown)},
        f"bundle of {path.stat().st_size / 2**20:.0f} MiB in {seconds:.1f} s, first byte after {first * 1000:.0f} ms, {grown:.0f} MiB more memory",
    )  # fmt: skip
    with zipfile.ZipFile(path) as bundle:
        names = sorted(name for name in bundle.namelist() if name.startswith("entries/"))
        began, stack, count = time.perf_counter(), list[tuple[int, bytes]](), 0
        for name in names:
            for line in bundle.open(name):
                level, node, count = 0, merkle.leaf_hash(line[:-1]), count + 1
                while stack and stack[-1][0] == level:
                    node, level = merkle.node_hash(stack.pop()[1], node), level + 1
                stack.append((level, node))
        merkle.fold([node for _, node in stack])
        seconds = time.perf_counter() - began
    assert count == size
    report(
        {"figure": "verify_leaves", "entries": size, "seconds": round(seconds, 1)},
        f"{size:,} leaves verified from the bundle in {seconds:.1f} s",
    )


def _certify(report: Report, org_id: UUID) -> None:
    from compliance.certificate import evidence, facts
    from compliance.certificate.document import render_certificate
    from compliance.certificate.issuing import operator
    from compliance.certificate.parts import EpochTurn, Status
    from compliance.certificate.readback import ReadBack
    from compliance.erasure import TOOL
    from compliance.evidence import keys_address, signing_keys
    from compliance.log import sequencer
    from core import audit
    from core.clock import now
    from core.db import transaction
    from core.ids import new_id
    from core.regimes import Regime

    moment = now()
    places = tuple(f"objects/be/{new_id().hex}" for _ in range(12))
    lines = tuple(
        facts.Line(
            where=facts.Where.OBJECTS,
            category=category,
            count=len(names),
            bytes=2_500_000 * len(names),
            places=names,
            method=facts.Method.DELETE,
            key_id="bench",
            epoch=1,
            verification=ReadBack(facts.Check.NOT_FOUND, names, lambda _: ()).verification,
        )
        for category, names in (("photo", places[:8]), ("headshot", places[8:]))
    )
    with transaction(org_id) as session:
        event = audit.record(session, audit.Tag.BRAND_CHANGED, actor=audit.SYSTEM, certificate=True)
    sequencer.sequence_all()
    with transaction(org_id) as session:
        log = evidence.LogEvidence.of(sequencer.prove(session, event.id))
    standing = facts.Standing(
        status=facts.PartStatus.COMPLETE, count=12, unreadable_since=moment, backups_until=moment
    )
    body = facts.CertificateBody(
        certificate_id=new_id(),
        request_id=new_id(),
        replaces=None,
        status=Status.COMPLETE,
        organization=facts.Controller(id=org_id, name="Northwind Labs"),
        operator=operator(),
        regime=Regime.GDPR,
        subject="0" * 64,
        reason="self_service",
        requested_at=moment - timedelta(minutes=2),
        executed_at=moment - timedelta(minutes=1),
        issued_at=now(),
        pictures=standing,
        directory=standing,
        locations=lines,
        epoch=EpochTurn(number=1, due_at=moment, destroyed_at=moment),
        retained=tuple(
            facts.Retained(what=what, where=facts.Where.DATABASE, count=1, basis=facts.Basis.ACCOUNTABILITY)
            for what in ("members", "photos", "headshots", "consents", "erasures", "audit_events", "outbox")
        ),
        performed_by=TOOL,
    )
    document = evidence.Certificate(certificate=body, log=log)
    times = []
    for _ in range(CERTIFICATES + 1):
        began = time.thread_time()
        render_certificate(document, signing_keys(), "en", keys_address=keys_address(org_id))
        times.append(time.thread_time() - began)
    first, *others = times
    seconds = sorted(others)[len(others) // 2]
    report(
        {"figure": "certificate", "core_seconds": round(seconds, 2), "first_core_seconds": round(first, 2)},
        f"certificate rendered, its facts attached, signed: {seconds:.2f} s of one core ({first:.2f} s the first, with fonts)",
    )


def _directory(report: Report, org_id: UUID, people: int) -> None:
    """Fill the directory with so many people from what is sealed, as after a crash of the database's server."""
    from sqlalchemy import insert

    from core.clock import now
    from core.db import transaction
    from core.ids import new_id
    from core.models import Person
    from core.people import directory
    from core.vault import names, vault

    for start in range(0, people, AT_ONCE):
        keys = vault().keys.create([new_id() for _ in range(min(AT_ONCE, people - start))])
        rows = []
        for number, (person_id, key) in enumerate(keys.items(), start):
            said: names.Names = {
                "email": f"person{number}@northwind.example",
                "first_name": f"Person{number}",
                "last_name": "Example",
                "employee_id": str(number),
                "department": "Sales",
            }
            rows.append(
                {"id": person_id, "org_id": org_id, "created_at": now(), "role": "employee", "language": "en",
                 "pseudonym": person_id.hex, "sealed": names.sealed(org_id, person_id, said, key)}
            )  # fmt: skip
        with transaction(org_id) as session:
            session.execute(insert(Person), rows)
    began = time.perf_counter()
    count = directory.add_missing(org_id)
    seconds = time.perf_counter() - began
    report(
        {"figure": "directory", "people": count, "seconds": round(seconds, 1)},
        f"the directory filled again with {count:,} people in {seconds:.1f} s",
    )


def _tell(report: Report, figure: str, value: float, unit: str) -> None:
    report(
        {"figure": figure, "value": round(value, 1), "unit": unit},
        f"{figure.replace('_', ' ')}: {value:,.0f} {unit}",
    )
