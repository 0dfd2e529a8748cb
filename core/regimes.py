"""Which law's words somebody gets: by where they work. The one place that decides it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Regime(StrEnum):
    """The law whose words a person is asked, answered and told in."""

    GDPR = "gdpr"  # the European Union and the EEA
    UK = "uk"
    SWISS = "swiss"
    CCPA = "ccpa"  # California
    BIPA = "bipa"  # Illinois
    TEXAS = "texas"
    WASHINGTON = "washington"
    COLORADO = "colorado"
    OTHER = "other"  # a place whose law has no text of its own here


_STATES: Final = {
    "US-CA": Regime.CCPA,
    "US-IL": Regime.BIPA,
    "US-TX": Regime.TEXAS,
    "US-WA": Regime.WASHINGTON,
    "US-CO": Regime.COLORADO,
}
# The member states, Iceland, Liechtenstein and Norway, and the parts of members that ISO 3166 gives codes of their own.
_EEA: Final = frozenset(
    [
        "AT",
        "BE",
        "BG",
        "CY",
        "CZ",
        "DE",
        "DK",
        "EE",
        "ES",
        "FI",
        "FR",
        "GR",
        "HR",
        "HU",
        "IE",
        "IT",
        "LT",
        "LU",
        "LV",
        "MT",
        "NL",
        "PL",
        "PT",
        "RO",
        "SE",
        "SI",
        "SK",
        "IS",
        "LI",
        "NO",
        "AX",
        "GF",
        "GP",
        "MF",
        "MQ",
        "RE",
        "YT",
    ]
)
AMERICAN: Final = frozenset(_STATES.values())


def regime_of(place: str | None, company: Regime) -> Regime:
    """Return the law whose words count for somebody.

    Args:
        place: where they work, an ISO 3166 code such as `DE` or `US-IL`; nothing where nobody has said.
        company: its default, which counts where no place is known. It also counts where somebody is known to work in
            the United States and not in which state, if it is the law of a state: without a state nothing rules it out.
    """
    if not place:
        return company
    country = place.partition("-")[0]
    if country == "US":
        unknown = company if place == "US" and company in AMERICAN else Regime.OTHER
        return _STATES.get(place, unknown)
    if country in _EEA:
        return Regime.GDPR
    return {"GB": Regime.UK, "CH": Regime.SWISS}.get(country, Regime.OTHER)
