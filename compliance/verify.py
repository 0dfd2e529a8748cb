"""Offline checks of the evidence we hand out, with nothing but the published public keys."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import rfc8785
from pydantic import ValidationError

from compliance import signed_facts
from compliance.certificate.evidence import Body, Certificate, LogEvidence
from compliance.certificate.parts import EVIDENCE_NAME, Clock
from compliance.log import checkpoint, consistency, cosignature, note
from compliance.log.checkpoint import LogKey
from compliance.log.cosignature import CosignerKey
from compliance.log.note import NoteError
from compliance.log.proof import HEADER, Proof
from compliance.log.tree_head import CheckpointBody
from compliance.opening import commitment
from compliance.origin.checking import check as check_picture
from compliance.origin.reading import media_type_of
from compliance.pdf.seal import has_none
from compliance.pdf.signed import open_signed
from compliance.reports.company.facts import ReportBody
from compliance.signing import PublishedKeys
from compliance.statement.facts import StatementBody
from core.clock import rfc3339

MAX_BYTES = (
    20_000_000  # a certificate is about 50 kB, of thousands of locations below 5 MB; a picture for print 3 MB
)


# An authority is asked in the moment of signing; a stamp of another day was put on later.
LATEST_STAMP = timedelta(days=1)


class Kind(StrEnum):
    """What a file turned out to be."""

    CERTIFICATE = "deletion_certificate"
    STATEMENT = "monthly_statement"
    REPORT = "company_report"
    PROOF = "log_proof"
    CHECKPOINT = "checkpoint"
    CONSISTENCY = "consistency"
    RETENTION = "retention_report"
    CLOSING = "end_of_company"
    PICTURE = "picture"
    UNSIGNED = "unsigned"  # a PDF without any signature: nothing can be said about it either way
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class CheckResult:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class Claim:
    """Whose somebody says that a certificate is.

    Attributes:
        opening: the second half of their receipt, see `compliance.opening`.
        address: theirs, in any spelling.
    """

    opening: str
    address: str


@dataclass(frozen=True)
class Verification:
    """Everything that was checked, in order; the first failure ends the list."""

    kind: Kind
    checks: tuple[CheckResult, ...]
    # Of a certificate: PENDING or COMPLETE; of a retention report: KEPT or OVERDUE; of a company: CLOSED; of a picture: how it was made, in
    # IPTC's word; only when `ok`.
    status: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the file is what it says and unchanged."""
        return bool(self.checks) and all(one.ok for one in self.checks)


class _Stopped(Exception):
    """A check failed and is in the list already; what follows would rest on it."""


@dataclass
class _Checks:
    results: list[CheckResult] = field(default_factory=list)

    def add(self, name: str, ok: bool, detail: str) -> None:
        self.results.append(CheckResult(name, ok, detail if ok else f"does not hold: {detail}"))
        if not ok:
            raise _Stopped

    def fail(self, name: str, detail: str) -> None:
        self.results.append(CheckResult(name, ok=False, detail=detail))

    @contextmanager
    def findings(self) -> Iterator[None]:
        """Make a finding of whatever goes wrong in the block."""
        try:
            yield
        except _Stopped:
            pass
        except NoteError as error:
            self.fail("log signature and proof", str(error))
        except ValidationError as error:
            problem = error.errors(include_input=False)[0]["msg"].removeprefix("Value error, ")
            self.fail("public keys", f"not a file of published keys: {problem}")
        except Exception as error:  # noqa: BLE001 - parsers of hostile bytes raise anything; it is a finding
            self.fail("readable", f"the file is damaged or not one of ours ({type(error).__name__})")


def verify_file(
    source: Path | bytes,
    keys: Mapping[str, Any],
    witnesses: Iterable[CosignerKey] = (),
    claim: Claim | None = None,
) -> Verification:
    """Check a certificate PDF, a signed checkpoint or retention report, a log proof, or where a picture comes from. Never raises.

    Args:
        source: The file, or its content.
        keys: What `SigningKeys.published_keys` returned: the JSON from `/trust/<org>`.
        witnesses: Of whom each must have cosigned, if it is a checkpoint; their keys do not come from us.
        claim: Whose it must be; of anything else than a certificate that is never so.

    Returns:
        The checks made. One changed, added or missing byte anywhere fails one of them.
    """
    checks = _Checks()
    kind, status = Kind.UNKNOWN, None
    with checks.findings():
        content = _read(source, checks)
        kind = _kind_of(content)
        if kind is Kind.UNKNOWN:
            checks.fail(
                "format",
                "neither a certificate or statement (PDF), nor a log proof, nor a signed checkpoint or report, nor a picture",
            )
            raise _Stopped
        if kind is Kind.UNSIGNED:
            checks.fail(
                "signature present", "the file carries none, so nothing can be said about it either way"
            )
            raise _Stopped
        published = PublishedKeys.model_validate(keys)
        logs = [log.key for log in published.logs]
        if kind is Kind.CERTIFICATE:
            kind, status = _certificate(content, published, logs, checks, claim)
        elif kind is Kind.PICTURE:
            status = check_picture(content, published.pictures, checks.add)
        elif kind is Kind.RETENTION:
            status = _retention(content, logs, checks)
        elif kind is Kind.CLOSING:
            status = _closing(content, logs, checks)
        elif kind is Kind.PROOF:
            proof = Proof.parse(content)
            checks.add("entry in log", ok=True, detail=_describe(proof.verify(logs)))
            _second(proof.checkpoint, logs, checks)
        else:
            checks.add("checkpoint signed", ok=True, detail=_describe(checkpoint.verify(content, logs)))
            _second(content, logs, checks)
            _cosigned(content, list(witnesses), checks)
        if claim is not None and kind is not Kind.CERTIFICATE:
            checks.add("about this person", ok=False, detail="only a deletion certificate is about somebody")
    return Verification(kind, tuple(checks.results), status)


def verify_consistency(
    old: Path | bytes, new: Path | bytes, proof: Path | bytes | None, keys: Mapping[str, Any]
) -> Verification:
    """Check that a later checkpoint continues an earlier one. Never raises.

    Args:
        old: A signed checkpoint.
        new: A later one, or a consistency proof, which ends in one.
        proof: The consistency proof, where `new` is none and has more entries.
        keys: What `SigningKeys.published_keys` returned.
    """
    checks = _Checks()
    with checks.findings():
        earlier, later = _read(old, checks), _read(new, checks)
        given = _read(proof, checks) if proof is not None else None
        published = PublishedKeys.model_validate(keys)
        logs = [log.key for log in published.logs]
        before, after = consistency.verify(earlier, later, given, logs)
        checks.add("earlier checkpoint signed", ok=True, detail=_describe(before))
        checks.add("later checkpoint signed", ok=True, detail=_describe(after))
        checks.add(
            "nothing rewritten between",
            ok=True,
            detail=f"the log of {after.size} entries begins with the same {before.size}",
        )
    return Verification(Kind.CONSISTENCY, tuple(checks.results))


def _read(source: Path | bytes, checks: _Checks) -> bytes:
    if isinstance(source, Path):
        try:
            size = source.stat().st_size
            content = source.read_bytes() if size <= MAX_BYTES else b""
        except OSError as error:
            checks.fail("readable", f"the file cannot be read: {error.strerror}")
            raise _Stopped from error
    else:
        size, content = len(source), source
    if size > MAX_BYTES:
        checks.fail("size", f"{size} bytes; evidence has at most {MAX_BYTES}")
        raise _Stopped
    return content


_FACTS = {signed_facts.RETENTION: Kind.RETENTION, signed_facts.CLOSING: Kind.CLOSING}


def _kind_of(content: bytes) -> Kind:
    if content.startswith(b"%PDF-"):
        return Kind.UNSIGNED if has_none(content) else Kind.CERTIFICATE
    if content.startswith(HEADER.encode() + b"\n"):
        return Kind.PROOF
    if media_type_of(content):
        return Kind.PICTURE
    if "\n\n— ".encode() in content:
        return _FACTS.get(signed_facts.format_of(content) or "", Kind.CHECKPOINT)
    return Kind.UNKNOWN


def _certificate(
    content: bytes,
    published: PublishedKeys,
    logs: list[LogKey],
    checks: _Checks,
    claim: Claim | None,
) -> tuple[Kind, str]:
    """Check a certificate or a statement from its outside in; return which it is and its status."""
    signed = open_signed(content, published.documents, published.authorities, checks.add)
    checks.add("evidence attached", list(signed.attachments) == [EVIDENCE_NAME], f"one file, {EVIDENCE_NAME}")
    evidence = signed.attachments[EVIDENCE_NAME]
    try:
        document = Certificate.model_validate(json.loads(evidence))
    except ValueError as error:
        checks.fail("evidence schema", f"{EVIDENCE_NAME} is no certificate or statement of a known version")
        raise _Stopped from error
    checks.add(
        "evidence schema",
        document.canonical() == evidence == rfc8785.dumps(json.loads(evidence)),
        f"{document.certificate.format}, canonical JSON",
    )
    body = document.certificate
    checks.add("time as stated", *_time(signed.stamped_at, body))
    checks.add("deletions verified", not body.failed, body.checked)
    head = _log(document, logs, checks)
    checks.add(
        "log of this company",
        head.origin.endswith(f"/log/{body.organization.id}"),
        f"{body.organization.name}, {head.origin}",
    )
    # Neither fonts nor letters prove anything: a page and its facts belong together because one signature covers
    # both, and because the page was made under the number of the facts, which are those of one status.
    checks.add(
        "page of these facts",
        signed.identifier == body.certificate_id.bytes,
        f"the document was made for certificate {body.certificate_id}",
    )
    if isinstance(body, StatementBody):
        return Kind.STATEMENT, body.status
    if isinstance(body, ReportBody):
        return Kind.REPORT, body.status
    if claim is not None:
        checks.add(
            "about this person",
            body.subject == commitment(claim.opening, claim.address),
            "this receipt and this address open what the certificate shows of its person",
        )
    return Kind.CERTIFICATE, body.status.value


def _time(stamped_at: datetime | None, body: Body) -> tuple[bool, str]:
    """Say whether a signature carries the time that its document says it does."""
    if body.clock is Clock.OWN or stamped_at is None:
        own = body.clock is Clock.OWN and stamped_at is None
        return own, "signed with the platform's own time, as the document says"
    return (
        abs(stamped_at - body.issued_at) <= LATEST_STAMP,
        f"signed {stamped_at:%Y-%m-%d %H:%M} UTC by an authority's clock, within a day of {body.issued_at:%Y-%m-%d %H:%M}",
    )


def _retention(content: bytes, logs: list[LogKey], checks: _Checks) -> str:
    """Check who signed a report of what a company holds; return whether it says that nothing is overdue."""
    facts = signed_facts.read(note.verify(content, [log.first for log in logs]), signed_facts.RETENTION)
    overdue = signed_facts.overdue(facts)
    checks.add(
        "retention report signed",
        ok=True,
        detail=f"{facts['organization']['name']}, measured at {facts['measured_at']}, {overdue} overdue",
    )
    return "OVERDUE" if overdue else "KEPT"


def _closing(content: bytes, logs: list[LogKey], checks: _Checks) -> str:
    """Check who signed that a company is gone, and that it claims no more than it lists."""
    facts = signed_facts.read(note.verify(content, [log.first for log in logs]), signed_facts.CLOSING)
    checks.add(
        "end of company signed",
        ok=True,
        detail=f"{facts['organization']['name']}, checked at {facts['checked_at']}",
    )
    certificates = facts["certificates"]
    checks.add(
        "everybody certified",
        len({one["sha256"] for one in certificates}) == facts["people"] and not facts["objects_left"],
        f"{facts['people']} people, {len(certificates)} certificates, {facts['objects_left']} objects left",
    )
    return "CLOSED"


def _cosigned(content: bytes, witnesses: list[CosignerKey], checks: _Checks) -> None:
    """Check that each of these witnesses has seen the checkpoint as the newest of its log."""
    found = {one.key: one for one in cosignature.verify(content, witnesses)} if witnesses else {}
    for key in witnesses:
        seen = found.get(key)
        detail = f"{key.name} saw no other past until {rfc3339(seen.at)}" if seen else f"by {key.name}"
        checks.add("cosigned", seen is not None, detail)


def _second(signed: str | bytes, logs: list[LogKey], checks: _Checks) -> None:
    """Say whether a checkpoint that holds has the log's second signature too: only one from before it may lack it."""
    found = checkpoint.opened(signed, logs)
    if found.second is not None:
        detail = f"ML-DSA-44, {rfc3339(found.second.at)}"
    elif found.key.second is None:
        detail = "not checked: these keys name no second one; a newer keys.json does"
    else:
        detail = f"none, as the log has it from {found.key.second_from} entries on: Ed25519 alone vouches for this one"
    checks.add("second signature", ok=True, detail=detail)


def _log(document: Certificate, logs: list[LogKey], checks: _Checks) -> CheckpointBody:
    """Check that the certified facts are in the log that the published key signs."""
    proof = Proof.parse(document.log.proof)
    checks.add("leaf hash", LogEvidence.of(proof) == document.log, "the log's entry hashes to the leaf named")
    head = proof.verify(logs)
    checks.add("entry in log", ok=True, detail=_describe(head))
    _second(proof.checkpoint, logs, checks)
    facts = json.loads(proof.entry).get("facts", {})
    expected = document.certificate.facts()
    checks.add(
        "facts in log",
        {name: facts.get(name) for name in expected} == expected,
        f"the entry names these facts by SHA-256 {expected['certificate_sha256']}",
    )
    return head


def _describe(head: CheckpointBody) -> str:
    return f"{head.origin}, {head.size} entries, root {head.root.hex()}"
