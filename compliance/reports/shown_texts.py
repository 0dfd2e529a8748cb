"""The texts that people answered, as they were kept with their answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.consent.texts import purposes_of
from core.models import Consent, ShownNotice

# In the order of the page; what was true of the whole page stands last.
PARTS: Final = ("title", "what", "why", "who", "how_long", "if_no", "page")


def of(session: Session, rows: Sequence[Consent]) -> dict[str, dict[str, str]]:
    """Return each text that was kept, by its hash: what it said, by part.

    A text that was answered before whole pages were kept is left out.
    """
    wanted = {row.text_sha256 for row in rows}
    pages = {row.notice_sha256 for row in rows if row.notice_sha256}
    found: dict[str, dict[str, str]] = {}
    for content in session.scalars(select(ShownNotice.content).where(ShownNotice.sha256.in_(pages))):
        kept = json.loads(content)
        for part in purposes_of(content.encode()):
            if part.sha256 in wanted:
                found[part.sha256] = {**kept["purposes"][part.purpose.value], "page": _page(kept)}
    return found


def _page(kept: dict[str, Any]) -> str:
    return "\n".join(
        (kept["title"], kept["intro"], *kept["promises"], *kept["rights"], kept["decline"])
    ).rstrip()
