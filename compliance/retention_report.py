"""What a company promises to end, what it holds now and what it answers for, as a signed JSON-LD text in terms of the Data Privacy Vocabulary."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from compliance import public_page
from compliance.evidence import origin_of, signing_keys
from compliance.log import note
from compliance.privacy import versions
from compliance.privacy.facts import INSIDE
from compliance.schedule import GRACE, Measured, Truth
from compliance.signed_facts import RETENTION
from core.clock import rfc3339
from core.people import organizations
from core.shoots.promises import Kept

LANGUAGE: Final = "en"  # of the answers; the page has them in each language
PASSING: Final = "passing"  # lists, searches, uploads and exports, which nobody chooses days for
# What the days of each count from.
_FROM: Final = {
    Kept.SELFIES: "approval, or the shoot's deadline",
    Kept.MODELS: "approval, or the shoot's deadline",
    Kept.HEADSHOTS: "the end of the shoot, or a later approval",
    Kept.DECLINERS: "the end of the shoot",
    Kept.LEAVERS: "being locked out",
}


def report(session: Session, truth: Truth) -> str:
    """Return the signed note of what was measured; its text is the JSON (C2SP signed-note v1.0.0, by the key of the company's log).

    A checkpoint's text begins with the log's name and this one with a brace, so neither is ever taken for the other.
    """
    organization = organizations.current(session)
    stated = versions.live(session)
    body = {
        "@context": {"dpv": "https://w3id.org/dpv#"},
        "format": RETENTION,
        "organization": {"id": str(organization.id), "name": organization.name},
        "schedule_version": truth.version,
        "measured_at": rfc3339(truth.at),
        "overdue_after_hours": GRACE.total_seconds() / 3600,
        "categories": [_category(line) for line in truth.lines],
        "answers": [
            {"topic": topic.id, "question": row[0], "answer": row[1], "source": row[2]}
            for topic in public_page.of(session, LANGUAGE).answers
            for listed in topic.tables
            for row in listed.rows
        ],
        "stated": {
            "version": stated.version,
            "since": _time(stated.since),
            "facts": stated.facts.model_dump(mode="json", exclude=set(INSIDE)),
        },
        "log": {"entries": truth.entries, "first_entry": _time(truth.first_entry)},
    }
    text = json.dumps(body, indent=1, ensure_ascii=True) + "\n"
    return note.sign(text, origin_of(organization.id), signing_keys().log_key)


def _category(line: Measured) -> dict[str, Any]:
    return {
        "category": line.kept.value if line.kept else PASSING,
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": f"P{line.days}D"},
            {"@type": "dpv:StorageDeletion"},
        ],
        "days": line.days,
        "counted_from": _FROM[line.kept] if line.kept else "arrival",
        **_held(line),
        "overdue": line.overdue,
    }


def _held(line: Measured) -> dict[str, Any]:
    if line.fewer_than is not None:
        return {"held_fewer_than": line.fewer_than}
    return {"held": line.held, "oldest": _time(line.oldest), "due_within_7_days": line.due}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
