"""Which law's words somebody gets, by where they work."""

from __future__ import annotations

import pytest

from core.regimes import Regime, regime_of


@pytest.mark.parametrize(
    ("place", "company", "expected"),
    [
        ("DE", Regime.BIPA, Regime.GDPR),
        ("NO", Regime.OTHER, Regime.GDPR),
        ("RE", Regime.OTHER, Regime.GDPR),
        ("GB", Regime.GDPR, Regime.UK),
        ("CH", Regime.GDPR, Regime.SWISS),
        ("US-CA", Regime.GDPR, Regime.CCPA),
        ("US-IL", Regime.GDPR, Regime.BIPA),
        ("US-TX", Regime.GDPR, Regime.TEXAS),
        ("US-WA", Regime.GDPR, Regime.WASHINGTON),
        ("US-CO", Regime.GDPR, Regime.COLORADO),
        ("US-NY", Regime.CCPA, Regime.OTHER),
        ("JP", Regime.GDPR, Regime.OTHER),
        (None, Regime.SWISS, Regime.SWISS),
        ("", Regime.TEXAS, Regime.TEXAS),
        ("US", Regime.BIPA, Regime.BIPA),
        ("US", Regime.GDPR, Regime.OTHER),
    ],
)
def test_the_law_of_the_place_counts_and_the_companys_where_none_is_known(
    place: str | None, company: Regime, expected: Regime
) -> None:
    assert regime_of(place, company) is expected
