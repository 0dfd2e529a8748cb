"""What `evidence.json` inside a signed PDF holds: the facts of any edition, and where they stand in the log."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from compliance.certificate.facts import CertificateBody
from compliance.certificate.first import FirstBody
from compliance.certificate.parts import Part, Sha256, canonical_json
from compliance.log.merkle import leaf_hash
from compliance.log.proof import Proof
from compliance.reports.company.facts import ReportBody
from compliance.statement.facts import StatementBody

Body = Annotated[FirstBody | CertificateBody | StatementBody | ReportBody, Field(discriminator="format")]


class LogEvidence(Part):
    """Where the document's audit event stands in the organization's log."""

    event: str  # the leaf: canonical JSON of the event
    leaf_hash: Sha256
    proof: str  # c2sp.org/tlog-proof@v1 with the event as `extra` and the signed checkpoint at its end

    @classmethod
    def of(cls, proof: Proof) -> LogEvidence:
        """Return the evidence that `proof` gives for its entry."""
        return cls(event=proof.entry.decode(), leaf_hash=leaf_hash(proof.entry).hex(), proof=proof.encode())


class Certificate(Part):
    """The whole document."""

    certificate: Body
    log: LogEvidence

    def canonical(self) -> bytes:
        """Return the document as canonical JSON (RFC 8785)."""
        return canonical_json(self)
