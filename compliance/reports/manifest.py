"""What goes with a report: each file with its hash, computed of the very bytes that were sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compliance.reports.document import Section, table
from compliance.reports.law import place_of
from compliance.reports.wording import Wording
from core.regimes import Regime


@dataclass(frozen=True)
class Sent:
    """One file of an archive."""

    name: str
    size: int
    sha256: str


def section(sent: Sequence[Sent], regime: Regime, language: str) -> Section:
    """Return the list as the last part of a report."""
    say = Wording(language)
    rows = [(one.name, say.number(one.size), one.sha256) for one in sent]
    return Section(
        "manifest",
        say("manifest.heading"),
        place_of(regime, "manifest", say.language),
        text=(say("manifest.text" if rows else "manifest.alone"),),
        tables=table(say.table("manifest.columns"), rows),
    )
