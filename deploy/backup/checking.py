"""Whether what stands in the databases and the storage holds: logs, certificates, objects, and who was erased."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance import removals, strays
from compliance.evidence import origin_of, published_keys, signing_keys
from compliance.log import checkpoint, merkle
from compliance.log.nodes import StoredNodes
from compliance.verify import verify_file
from core.db import Lookup, transaction
from core.errors import AppError
from core.models import (
    Artifact,
    AuditEvent,
    Certificate,
    Checkpoint,
    CompanyReport,
    LogLeaf,
    LogNode,
    Person,
    Statement,
)
from core.vault import Held, vault

SAMPLE = 20  # objects of each company that are opened; all are looked for


@dataclass
class Findings:
    """What was looked at, and what did not hold."""

    companies: int = 0
    entries: int = 0
    certificates: int = 0
    objects: int = 0
    opened: int = 0
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """Return it as values."""
        return asdict(self)


def check() -> Findings:
    """Look at everything of every company, and change nothing.

    Raises:
        Unavailable: the storage does not answer.
    """
    found = Findings()
    for org_id in Lookup.organizations():
        found.companies += 1
        with transaction(org_id, nameless=True) as session:
            _log(session, org_id, found)
            _certificates(session, org_id, found)
            _erased(session, found)
            sample = _sample(session)
        _open(org_id, sample, found)
    if back := removals.standing():
        found.problems.append(
            f"{back} photos, own pictures or parts in shoots are back that their people had removed"
        )
    compared = strays.look()
    found.objects = compared.objects
    if compared.missing:
        found.problems.append(f"{len(compared.missing)} rows without their object")
    if len(compared.strays) > strays.allowed(compared.objects):
        found.problems.append(f"{len(compared.strays)} objects without a row")
    return found


def _log(session: Session, org_id: UUID, found: Findings) -> None:
    newest = session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
    if newest is None:
        return
    entries = session.execute(
        select(AuditEvent.leaf, LogNode.hash)
        .join(LogLeaf, LogLeaf.event_id == AuditEvent.id)
        .join(LogNode, (LogNode.position == LogLeaf.position) & (LogNode.level == 0))
        .execution_options(yield_per=1000)
    )
    wrong = 0
    for leaf, node in entries:
        found.entries += 1
        wrong += merkle.leaf_hash(leaf) != node
    head = checkpoint.verify(newest.note, [signing_keys().log_key_of(origin_of(org_id), second_from=None)])
    if wrong or merkle.root(StoredNodes(session), newest.size) != head.root:
        found.problems.append(f"the log of company {org_id} is not the signed one")


def _certificates(session: Session, org_id: UUID, found: Findings) -> None:
    published = published_keys(org_id)
    for certificate in session.scalars(select(Certificate).execution_options(yield_per=20)):
        found.certificates += 1
        if not verify_file(certificate.pdf, published).ok:
            found.problems.append(f"certificate {certificate.id} does not verify")
    for statement in session.scalars(select(Statement).execution_options(yield_per=20)):
        if not verify_file(statement.pdf, published).ok:
            found.problems.append(f"the statement of {statement.month} does not verify")
    for report in session.scalars(select(CompanyReport).execution_options(yield_per=20)):
        if not verify_file(report.pdf, published).ok:
            found.problems.append(f"report {report.report}, version {report.version}, does not verify")


def _erased(session: Session, found: Findings) -> None:
    living = list(session.scalars(select(Person.id).where(Person.erased_at.is_(None))))
    for start in range(0, len(living), 1000):
        back = vault().keys.erasures.among(living[start : start + 1000])
        if back:
            found.problems.append(f"{len(back)} people are back who were erased")


def _sample(session: Session) -> list[Held]:
    alive = select(Artifact).where(Artifact.delete_requested_at.is_(None))
    newest = session.scalars(alive.order_by(Artifact.id.desc()).limit(SAMPLE)).all()
    return [vault().find(session, artifact.id) for artifact in newest]


def _open(org_id: UUID, sample: list[Held], found: Findings) -> None:
    for held in sample:
        try:
            vault().open(held)
        except (AppError, LookupError) as error:
            if _is_alive(org_id, held.id):
                found.problems.append(
                    f"object of artifact {held.id} cannot be opened: {type(error).__name__}"
                )
        else:
            found.opened += 1


def _is_alive(org_id: UUID, artifact_id: UUID) -> bool:
    """Whether an artifact is still to be read: what was deleted since it was found is no fault."""
    with transaction(org_id, nameless=True) as session:
        artifact = session.get(Artifact, artifact_id)
        return artifact is not None and artifact.delete_requested_at is None
