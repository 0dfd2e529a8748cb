"""Signed facts in hands that would like them to say something else."""

from __future__ import annotations

from uuid import UUID

import pytest

from compliance import public_truth, retention_report
from compliance.evidence import origin_of, published_keys, published_keys_of, signing_keys
from compliance.log.encoding import encode
from compliance.log.note import VerifierKey
from compliance.signed_facts import CLOSING, RETENTION
from compliance.verify import MAX_BYTES, verify_file
from core.db import transaction
from core.people import organizations


@pytest.fixture
def signed(org: UUID) -> str:
    with transaction(org) as session:
        return retention_report.report(session, public_truth.of(org))


def test_the_one_key_of_all_logs_lends_no_company_anothers_facts(org: UUID, signed: str) -> None:
    """A note's signature covers its text and not the name beside it, which anybody can write anew."""
    other = organizations.create("globex", "Globex")
    text, _, line = signed.rpartition("\n\n")
    signature = signing_keys().log_key.sign(f"{text}\n".encode())
    theirs = VerifierKey.of(origin_of(other), signing_keys().log_key)
    relabelled = f"{text}\n\n— {theirs.name} {encode(theirs.key_id + signature)}\n"
    assert verify_file(signed.encode(), published_keys(org)).ok
    for keys in (published_keys(org), published_keys(other), published_keys_of([org, other])):
        assert not verify_file(relabelled.encode(), keys).ok
    del line


def test_facts_are_not_read_as_a_checkpoint_nor_as_facts_of_another_kind(org: UUID, signed: str) -> None:
    keys = published_keys(org)
    for changed in (
        signed.replace(RETENTION, CLOSING, 1),
        signed.replace("{", "{\n", 1),
        signed.replace("{", " {", 1),
        "\ufeff" + signed,
        signed.replace("\n\n", '\n{"categories": []}\n\n', 1),
        signed + "\n",
        signed + signed.rpartition("\n\n")[2],
        signed[1:],
    ):
        assert not verify_file(changed.encode(), keys).ok


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'"organization": ' + b'{"id":' * 100_000,
        b"1" * 5_000_000,
        b"\xff\xfe\x00",
        b"\n" * 1_000_000,
        "— a AAAA\n".encode() * 200_000,
    ],
)
def test_what_nobody_signed_is_refused_at_once(org: UUID, body: bytes) -> None:
    for kind in (RETENTION, CLOSING):
        content = b'{"format": "' + kind.encode() + b'", ' + body + "\n\n— x AAAA\n".encode()
        assert len(content) < MAX_BYTES
        found = verify_file(content, published_keys(org))
        assert not found.ok
        assert found.status is None
