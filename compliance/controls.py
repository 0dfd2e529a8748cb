"""What a control asks for, and whether what lies here shows that it works: read anew each time.

The numbers of controls are those of ISO/IEC 27001:2022 Annex A and of the SOC 2 Trust Services Criteria (2017, points of 2022). Which
evidence serves which control is our reading; an auditor has their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from compliance import recall, schedule
from compliance.breaches import register
from compliance.log import listing
from compliance.privacy import versions
from compliance.reports.company import issuing
from compliance.reports.company.kinds import Report
from compliance.reports.wording import LANGUAGES
from compliance.requests import inbox
from core import attestations
from core.clock import now
from core.db import organization_of
from core.models import (
    Consent,
    EngineName,
    Erasure,
    Headshot,
    Member,
    Participation,
    Role,
    SamlConnectionRow,
    Shoot,
    WebSession,
)
from core.people import access
from core.settings import settings
from core.vault import vault

# A day's key ends within an epoch, and its turn may wait for a machine that was away over a weekend.
LATE: Final = timedelta(days=3)


class Standing(StrEnum):
    """What the evidence says of a control at this moment."""

    SHOWN = "shown"
    LOOK = "look"  # something is not as it should be
    NOTHING = "nothing"  # there is nothing yet that could show it


class Evidence(StrEnum):
    """What is looked at; one row of the page each."""

    ERASURE = "erasure"
    RETENTION = "retention"
    LOG = "log"
    CONSENT = "consent"
    REQUESTS = "requests"
    RECIPIENTS = "recipients"
    BREACHES = "breaches"
    ROLES = "roles"
    SIGN_IN = "sign_in"
    KEYS = "keys"
    RECORDS = "records"
    ASSESSMENT = "assessment"
    PROCESSORS = "processors"
    MARKING = "marking"


@dataclass(frozen=True)
class Control:
    """One row.

    Attributes:
        evidence: what was looked at.
        asked_by: the rules that ask for it.
        standing: what was found.
        figures: what was counted, by the names that the page's words use.
    """

    evidence: Evidence
    asked_by: tuple[str, ...]
    standing: Standing
    figures: dict[str, Any] = field(default_factory=dict)


def read(session: Session) -> list[Control]:
    """Look at each control's evidence in the session's company."""
    return [Control(evidence, asked_by, *look(session)) for evidence, (asked_by, look) in _CONTROLS.items()]


_Found = tuple[Standing, dict[str, Any]]


def _verdict(*, wrong: bool, empty: bool = False) -> Standing:
    if wrong:
        return Standing.LOOK
    return Standing.NOTHING if empty else Standing.SHOWN


def _count(session: Session, table: type[Any], *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def _erasure(session: Session) -> _Found:
    late = now() - timedelta(hours=settings().epoch_hours) - LATE
    total, complete, failed, waits = session.execute(
        select(
            func.count(),
            func.count(Erasure.epoch_destroyed_at),
            func.count(Erasure.failure).filter(Erasure.epoch_destroyed_at.is_(None)),
            func.count().filter(Erasure.epoch_destroyed_at.is_(None), Erasure.created_at < late),
        ).select_from(Erasure)
    ).one()
    return _verdict(wrong=bool(failed or waits), empty=not total), {
        "total": total,
        "complete": complete,
        "late": failed + waits,
    }


def _retention(session: Session) -> _Found:
    truth = schedule.measure(session)
    overdue = sum(line.overdue for line in truth.lines)
    held = sum(line.held for line in truth.lines)
    return _verdict(wrong=bool(overdue)), {"version": truth.version, "held": held, "overdue": overdue}


def _log(session: Session) -> _Found:
    state = listing.log_state(session)
    differs = vault().keys.watches.differences(organization_of(session), listing.PAGE)
    return _verdict(wrong=bool(differs), empty=state.checkpoint is None), {
        "size": state.checkpoint.size if state.checkpoint else 0,
        "at": state.checkpoint.created_at if state.checkpoint else None,
        "differs": len(differs),
    }


def _consent(session: Session) -> _Found:
    answers, unkept = session.execute(
        select(func.count(), func.count().filter(Consent.notice_sha256.is_(None))).select_from(Consent)
    ).one()
    photographed = _count(session, Headshot)
    without = _count(
        session,
        Headshot,
        ~select(Consent.id).where(Consent.participation_id == Headshot.participation_id).exists(),
    )
    return _verdict(wrong=bool(without or unkept), empty=not answers), {
        "headshots": photographed,
        "without": without,
        "unkept": unkept,
    }


def _requests(session: Session) -> _Found:
    load = inbox.load(session)
    return _verdict(wrong=bool(load.overdue)), {"open": load.open, "overdue": load.overdue}


def _recipients(session: Session) -> _Found:
    waiting = recall.waiting(session)
    return _verdict(wrong=bool(waiting)), {"waiting": waiting}


def _breaches(session: Session) -> _Found:
    rows = register.listed(session)
    late = [row for row in rows if register.waits(row) and register.due_at(row) < now()]
    return _verdict(wrong=bool(late)), {"known": len(rows), "late": len(late)}


def _roles(session: Session) -> _Found:
    held = {
        Role(role): number
        for role, number in session.execute(
            select(Member.role, func.count())
            .where(Member.role != Role.EMPLOYEE, access.comes_in())
            .group_by(Member.role)
        )
    }
    gone = select(Member.id).where(Member.disabled_at.is_not(None))
    left = _count(
        session,
        WebSession,
        WebSession.member_id.in_(gone),
        WebSession.ended_at.is_(None),
        WebSession.expires_at > now(),
    )
    return _verdict(wrong=bool(left), empty=not held), {"roles": held, "left": left}


def _sign_in(session: Session) -> _Found:
    connected = _count(session, SamlConnectionRow)
    return _verdict(wrong=False, empty=not connected), {"connected": bool(connected)}


def _keys(_session: Session) -> _Found:
    number, since = vault().keys.current_epoch()
    late = now() - since > timedelta(hours=settings().epoch_hours) + LATE
    attested = attestations.standing()
    return _verdict(wrong=late or bool(attested.overdue)), {
        "epoch": number,
        "since": since,
        "late": late,
        "attested": attested.newest.created_at if attested.newest and not attested.overdue else None,
    }


def _report(report: Report) -> Callable[[Session], _Found]:
    def look(session: Session) -> _Found:
        signed = [row for language in LANGUAGES if (row := issuing.newest(session, report, language))]
        if not signed:
            return Standing.NOTHING, {"version": 0, "at": None, "missing": 0}
        newest = max(signed, key=lambda row: row.created_at)
        missing = len(versions.live(session).facts.missing)  # a draft that is signed is a draft
        return _verdict(wrong=bool(missing) or not issuing.is_current(session, newest)), {
            "version": newest.version,
            "at": newest.created_at,
            "missing": missing,
        }

    return look


def _marking(session: Session) -> _Found:
    used = _count(session, Shoot, Shoot.engine != EngineName.STUDIO)
    made, unmarked = session.execute(
        select(func.count(), func.count().filter(Headshot.mark.is_(None)))
        .select_from(Headshot)
        .join(Participation, Participation.id == Headshot.participation_id)
        .join(Member, Member.id == Participation.member_id)
        .where(Headshot.engine != EngineName.STUDIO, Member.erased_at.is_(None))
    ).one()
    return _verdict(wrong=bool(unmarked), empty=not used), {
        "shoots": used,
        "made": made,
        "unmarked": unmarked,
    }


_CONTROLS: Final[dict[Evidence, tuple[tuple[str, ...], Callable[[Session], _Found]]]] = {
    Evidence.ERASURE: (("GDPR Art. 17", "ISO 27001 A.8.10", "SOC 2 CC6.5, P4.3"), _erasure),
    Evidence.RETENTION: (("GDPR Art. 5(1)(e)", "ISO 27001 A.8.10", "SOC 2 C1.2, P4.2"), _retention),
    Evidence.LOG: (("GDPR Art. 5(2)", "ISO 27001 A.8.15, A.5.28", "SOC 2 CC7.2"), _log),
    Evidence.CONSENT: (("GDPR Art. 7(1), 9(2)(a)", "ISO 27001 A.5.34", "SOC 2 P2.1, P3.2"), _consent),
    Evidence.REQUESTS: (("GDPR Art. 12(3), 15 to 22", "11 CCR §7021", "SOC 2 P5.1, P5.2"), _requests),
    Evidence.RECIPIENTS: (("GDPR Art. 19", "11 CCR §7022", "SOC 2 P6.1"), _recipients),
    Evidence.BREACHES: (
        ("GDPR Art. 33, 34", "ISO 27001 A.5.24, A.5.26", "SOC 2 CC7.3, CC7.4"),
        _breaches,
    ),
    Evidence.ROLES: (("GDPR Art. 32", "ISO 27001 A.5.15, A.5.18", "SOC 2 CC6.2, CC6.3"), _roles),
    Evidence.SIGN_IN: (("GDPR Art. 32", "ISO 27001 A.5.16, A.8.5", "SOC 2 CC6.1"), _sign_in),
    Evidence.KEYS: (("GDPR Art. 32(1)(a)", "ISO 27001 A.8.24, A.8.13", "SOC 2 CC6.1, CC6.7"), _keys),
    Evidence.RECORDS: (("GDPR Art. 30", "ISO 27001 A.5.34"), _report(Report.RECORDS)),
    Evidence.ASSESSMENT: (("GDPR Art. 35", "ISO 27001 A.5.34"), _report(Report.DPIA)),
    Evidence.PROCESSORS: (
        ("GDPR Art. 28", "ISO 27001 A.5.19, A.5.20", "SOC 2 CC9.2"),
        _report(Report.ANNEXES),
    ),
    Evidence.MARKING: (("AI Act Art. 50(2)",), _marking),
}
