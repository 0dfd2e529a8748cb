"""A signed certificate of an erasure, made with the real parts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import rfc8785

from compliance.certificate.evidence import Certificate, LogEvidence
from compliance.certificate.facts import (
    Basis,
    CertificateBody,
    Check,
    Controller,
    Line,
    Method,
    Operator,
    PartStatus,
    Recall,
    Recipient,
    Retained,
    Standing,
    Verification,
    Where,
)
from compliance.certificate.parts import EpochTurn, Status, Tool
from compliance.log import merkle
from compliance.log.proof import Proof
from compliance.log.tree_head import CheckpointBody
from compliance.signing import SigningKeys, log_origin
from core.regimes import Regime

ORG = UUID("0193a0c4-7b00-7000-8000-000000000001")
ORIGIN = log_origin("photos.example.com", ORG)
START = datetime(2026, 11, 23, 9, 58, tzinfo=UTC)
TOOL = Tool(name="headshots", version="0.1.0")

MakeBody = Callable[..., CertificateBody]
Seal = Callable[..., Certificate]


def line(category: str, *places: str, **changes: Any) -> Line:
    values: dict[str, Any] = {
        "where": Where.OBJECTS,
        "category": category,
        "count": len(places),
        "bytes": 2_345_678,
        "places": places,
        "method": Method.DELETE,
        "key_id": "k-0193a0c4",
        "epoch": 41,
        "verification": Verification(
            check=Check.NOT_FOUND, at=START + timedelta(minutes=3), read=len(places), left=0
        ),
    }
    return Line(**{**values, **changes})


def row(table: str, *columns: str, count: int = 1) -> Line:
    return line(
        table,
        *(f"{table}.{name}" for name in columns),
        where=Where.DATABASE,
        count=count,
        bytes=0,
        method=Method.OVERWRITE,
        key_id=None,
        epoch=None,
        backup_readable_until=START + timedelta(days=30) if count else None,
        verification=Verification(
            check=Check.EMPTIED, at=START + timedelta(minutes=3), read=len(columns), left=0
        ),
    )


@pytest.fixture(scope="session")
def signing_keys(tmp_path_factory: pytest.TempPathFactory) -> SigningKeys:
    return SigningKeys.make(Path(tmp_path_factory.mktemp("signing")))


@pytest.fixture(scope="session")
def published(signing_keys: SigningKeys) -> dict[str, Any]:
    return signing_keys.published_keys([ORIGIN])


@pytest.fixture(scope="session")
def make_body() -> MakeBody:
    """Return a maker of certified facts; keywords replace fields."""

    def make(status: Status = Status.COMPLETE, **changes: Any) -> CertificateBody:
        turned = None if status is Status.PENDING else START + timedelta(hours=14)
        values: dict[str, Any] = {
            "certificate_id": UUID("0193a0c4-7b00-7000-8000-0000000000c1"),
            "replaces": UUID("0193a0c4-7b00-7000-8000-0000000000c0") if status is Status.COMPLETE else None,
            "status": status,
            "request_id": UUID("0193a0c4-7b00-7000-8000-0000000000a1"),
            "organization": Controller(
                id=ORG,
                name="Müller & Söhne",
                legal_name="Müller & Söhne GmbH",
                address="Hauptstraße 1\n10115 Berlin",
            ),
            "operator": Operator(name="Headshots GmbH", address="Am Kanal 3, 20457 Hamburg"),
            "regime": Regime.GDPR,
            "subject": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "reason": "self_service",
            "requested_at": START,
            "executed_at": START + timedelta(minutes=2),
            "issued_at": START + timedelta(hours=14, minutes=1),
            "pictures": Standing(
                status=PartStatus(status.value),
                count=9,
                unreadable_since=START + timedelta(minutes=2),
                backups_until=turned or START + timedelta(hours=20),
            ),
            "directory": Standing(
                status=PartStatus.PENDING,
                count=1,
                unreadable_since=START,
                backups_until=START + timedelta(days=30),
            ),
            "locations": (
                line("photo", *(f"objects/3f{number:02x}9ac1d204" for number in range(6))),
                line("preview", "objects/77a1c02b", bytes=61_204),
                line("headshot", *(f"objects/5b{number:02x}e2" for number in range(3)), bytes=912_004),
                line(
                    "key",
                    "k-0193a0c4",
                    where=Where.KEYS,
                    bytes=0,
                    method=Method.CRYPTO_ERASE,
                    key_id=None,
                    verification=Verification(
                        check=Check.KEY_ABSENT, at=START + timedelta(minutes=2), read=1, left=0
                    ),
                ),
                row("members", "email", "first_name", "last_name", "department"),
                row("photos", "verdict", "subject_x", count=6),
                row("adapters", "curve", count=0),
            ),
            "epoch": EpochTurn(number=41, due_at=START + timedelta(hours=20), destroyed_at=turned),
            "retained": (
                Retained(what="members", where=Where.DATABASE, count=1, basis=Basis.ACCOUNTABILITY),
                Retained(what="consents", where=Where.DATABASE, count=2, basis=Basis.CONSENT_PROOF),
                Retained(what="erasure_ledger", where=Where.KEYS, count=1, basis=Basis.RESTORE),
            ),
            "recipients": (Recipient(what="headshot", at=START - timedelta(days=3)),),
            "recall": Recall(asked_at=START, files=1, until=START + timedelta(days=30)),
            "performed_by": TOOL,
        }
        return CertificateBody(**{**values, **changes})

    return make


@pytest.fixture(scope="session")
def seal(signing_keys: SigningKeys) -> Seal:
    """Return what puts a certificate's event into a log of 6 entries and attaches the proof."""

    def make(body: CertificateBody, origin: str = ORIGIN, facts: dict[str, str] | None = None) -> Certificate:
        event = rfc8785.dumps({"tag": "certificate.issued", "facts": facts or body.facts()})
        entries = [b"{}", b"[]", b"1", event, b"2", b"3"]
        nodes: dict[tuple[int, int], bytes] = {}

        class Store:
            def get(self, level: int, index: int) -> bytes:
                return nodes[level, index]

            def put(self, level: int, index: int, node: bytes) -> None:
                nodes[level, index] = node

        store, size = Store(), 0
        for entry in entries:
            size = merkle.append(store, size, merkle.leaf_hash(entry))
        head = CheckpointBody(origin, size, merkle.root(store, size))
        signed = signing_keys.sign_checkpoint(head, START)
        proof = Proof(event, 3, tuple(merkle.inclusion_proof(store, 3, size)), signed)
        return Certificate(certificate=body, log=LogEvidence.of(proof))

    return make
