"""Signing a report about a company: once for each version of what it says, kept, and held against the one before."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.certificate.evidence import Certificate, LogEvidence
from compliance.certificate.issuing import clock, controller, operator
from compliance.certificate.parts import EVIDENCE_NAME
from compliance.erasure import TOOL
from compliance.evidence import signing_keys
from compliance.log import sequencer
from compliance.pdf import making
from compliance.reports import page
from compliance.reports.company.facts import ReportBody, hash_of
from compliance.reports.company.kinds import Report, sections
from compliance.reports.document import Document, Section
from compliance.reports.wording import Wording
from core import audit, locks
from core.clock import now
from core.db import organization_of
from core.ids import new_id
from core.models import CompanyReport
from core.people import organizations
from core.people.tabular import neutral


@dataclass(frozen=True)
class Change:
    """One thing that two versions say differently."""

    where: str
    before: str
    after: str


def newest(session: Session, report: Report, language: str) -> CompanyReport | None:
    """Return the newest signed version; `None` where there is none."""
    return session.scalars(_versions(report, language).limit(1)).first()


def is_current(session: Session, row: CompanyReport) -> bool:
    """Whether a version still says what is so now."""
    return row.facts_sha256 == hash_of(sections(session, Report(row.report), row.language))


def issue(session: Session, report: Report, language: str, *, actor: audit.Actor) -> CompanyReport:
    """Return the signed report as things are now; a new version only where it says something else.

    Args:
        session: bound to the company.
        report: which one.
        language: of its words; English where there is no translation.
        actor: who asks for it.
    """
    say = Wording(language, "company")
    locks.wait(session, locks.Space.LOG, organization_of(session).bytes)
    said = sections(session, report, say.language)
    before = newest(session, report, say.language)
    if before is not None and before.facts_sha256 == hash_of(said):
        return before
    organization = organizations.current(session)
    body = ReportBody(
        certificate_id=new_id(),
        report=report.value,
        version=before.version + 1 if before else 1,
        language=say.language,
        organization=controller(organization),
        operator=operator(),
        issued_at=now(),
        sections=said,
        clock=clock(),
        performed_by=TOOL,
    )
    event = audit.record(
        session,
        audit.Tag.REPORT_ISSUED,
        actor=actor,
        subject=None,
        report=report.value,
        version=body.version,
        language=say.language,
        **body.facts(),
    )
    session.flush()
    while not event.sequenced:
        sequencer.sequence(session)
        session.refresh(event)
    evidence = Certificate(certificate=body, log=LogEvidence.of(sequencer.prove(session, event.id)))
    pdf = making.sign(
        making.render(
            page.html(document(body)),
            identifier=body.certificate_id.bytes,
            attachment=making.Attachment(
                EVIDENCE_NAME,
                evidence.canonical(),
                "Machine-readable evidence (RFC 8785 JSON)",
                body.issued_at,
            ),
        ),
        signing_keys(),
    )
    row = CompanyReport(
        id=body.certificate_id,
        org_id=organization.id,
        created_at=body.issued_at,
        report=report.value,
        language=say.language,
        version=body.version,
        facts=json.loads(body.canonical()),
        facts_sha256=hash_of(said),
        pdf=pdf,
        sha256=sha256(pdf).hexdigest(),
    )
    session.add(row)
    session.flush()
    return row


def document(body: ReportBody) -> Document:
    """Return the page of a report: what it says, its version, and how to check it."""
    say = Wording(body.language, "company")
    return Document(
        body.format,
        str(body.certificate_id),
        body.language,
        body.issued_at,
        say(f"titles.{body.report}"),
        f"{say(f'subtitles.{body.report}')} · {say('version', version=body.version)}",
        body.organization.legal_name or body.organization.name,
        (
            *body.sections,
            Section("check", say("check.heading"), text=tuple(say.table("check.text"))),
        ),
    )


def unsigned_document(session: Session, report: Report, language: str) -> Document:
    """Return what a report says now, for a page that everybody may read."""
    say = Wording(language, "company")
    return Document(
        "headshots.company-report/1",
        report.value,
        say.language,
        now(),
        say(f"titles.{report.value}"),
        say(f"subtitles.{report.value}"),
        organizations.current(session).legal_name or organizations.current(session).name,
        sections(session, report, say.language),
    )


def versions(session: Session, report: Report, language: str) -> list[CompanyReport]:
    """Return the signed versions, the newest first."""
    return list(session.scalars(_versions(report, language)))


def _versions(report: Report, language: str) -> Any:
    return (
        select(CompanyReport)
        .where(CompanyReport.report == report.value, CompanyReport.language == language)
        .order_by(CompanyReport.version.desc())
    )


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """Return what a later version says otherwise, line by line."""
    old, new = _lines(before), _lines(after)
    return [
        Change(where, old.get(where, ""), new.get(where, ""))
        for where in dict.fromkeys([*old, *new])
        if old.get(where) != new.get(where)
    ]


def _lines(facts: dict[str, Any]) -> dict[str, str]:
    """Return each thing that a report says, by where it says it."""
    found: dict[str, str] = {}
    for one in facts["sections"]:
        found |= {f"{one['heading']} · {fact['label']}": fact["value"] for fact in one["facts"]}
        for listed in one["tables"]:
            found |= {f"{one['heading']} · {row[0]}": " · ".join(row[1:]) for row in listed["rows"]}
        for number, line in enumerate([*one["text"], *one["items"]], 1):
            found[f"{one['heading']} · {number}"] = line
    return found


def as_csv(facts: dict[str, Any]) -> str:
    """Return the report's facts and tables as rows: where, what, value, source."""
    target = io.StringIO()
    rows = csv.writer(target)
    rows.writerow(["section", "law", "what", "value", "source"])
    for one in facts["sections"]:
        rows.writerows(
            [one["id"], one["law"], neutral(fact["label"]), neutral(fact["value"]), fact["source"]]
            for fact in one["facts"]
        )
        for listed in one["tables"]:
            rows.writerows([one["id"], one["law"], *map(neutral, row)] for row in listed["rows"])
    return target.getvalue()
