"""The texts that people answered, made again from what they were made of, and held against the hash that was kept."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.consent.texts import Notice, PurposeText, Regime, notice
from compliance.reports.wording import Wording
from core.audit import Tag
from core.models import AuditEvent, Consent, EngineName
from core.people import organizations
from core.settings import settings
from core.shoots.promises import Kept, schedule

# In the order of the page; what was true of the whole page stands last.
PARTS: Final = ("title", "what", "why", "who", "how_long", "if_no", "button", "page")


def of(session: Session, rows: Sequence[Consent]) -> dict[str, dict[str, str]]:
    """Return each text that can be made again, by its hash: what it said, by part.

    A text from before its words changed, or from when the company was called otherwise, cannot: it is left out.
    """
    wanted = {row.text_sha256 for row in rows}
    found: dict[str, dict[str, str]] = {}
    for regime, language in {(row.regime, row.language) for row in rows if row.regime in set(Regime)}:
        for selfies, headshots, engine in _ways(session):
            if wanted <= found.keys():
                return found
            shown = notice(
                regime,
                language,
                company=organizations.current(session).name,
                processor=settings().operator_name,
                region=Wording(language).said(settings().storage_region),
                retention_days=selfies,
                headshot_days=headshots,
                engine=engine.value,
            )
            for text in shown.purposes.values():
                if text.sha256 in wanted:
                    found.setdefault(text.sha256, _parts(shown, text))
    return found


def _parts(shown: Notice, text: PurposeText) -> dict[str, str]:
    said = {name: str(getattr(text, name)) for name in PARTS if name != "page"}
    page = (shown.title, shown.intro, *shown.promises, *shown.rights, shown.decline)
    return {**said, "page": "\n".join(page)}


def _ways(session: Session) -> list[tuple[int, int, EngineName]]:
    """Return for how many days pictures were ever kept, with each way of making them."""
    days = {kept: {of} for kept, of in schedule(organizations.current(session)).items()}
    asked = select(AuditEvent.facts).where(AuditEvent.tag == Tag.RETENTION_CHANGED)
    for change in session.scalars(asked):
        known = days[Kept(change.get("kept", Kept.SELFIES))]
        known |= {value for value in (change.get("before"), change.get("after")) if isinstance(value, int)}
    return list(product(sorted(days[Kept.SELFIES]), sorted(days[Kept.HEADSHOTS]), EngineName))
