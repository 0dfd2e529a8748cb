"""Which report a person gets, and how it ends: with the list of what goes with it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from compliance.reports import know, manifest
from compliance.reports.access import making as access
from compliance.reports.document import Document
from compliance.requests.regimes import regime_of
from core.models import Member
from core.regimes import Regime


def hands_over_biometrics(regime: Regime) -> bool:
    """Whether numbers taken of a face are handed over: in California they are described (11 CCR §7024(d))."""
    return regime is not Regime.CCPA


def report(session: Session, member: Member, *, language: str, names: dict[UUID, str]) -> Document:
    """Return what is known of `member`, in their law's terms."""
    made = know.report if regime_of(session, member) is Regime.CCPA else access.report
    return made(session, member, language=language, names=names)


def finished(document: Document, sent: Sequence[manifest.Sent], regime: Regime) -> Document:
    """Return the report with the list of the files that go with it."""
    return document.plus(manifest.section(sent, regime, document.language))
