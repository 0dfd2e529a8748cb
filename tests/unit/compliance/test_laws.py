"""Whoever asks is answered by the law of where they work, and no other's is cited to them."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

import pytest
from conftest import add_shoot
from stage import build
from unit.compliance.test_request_moves import open_one

from compliance.laws import cited
from compliance.reports import making
from compliance.requests import clocks, export, letters, refusals
from compliance.requests.clocks import Law, Place
from core.clock import now
from core.db import transaction
from core.models import Right, State
from core.models import Stage as Reached
from core.regimes import Regime

# What a text by a law may name of laws; what it may not is everybody else's. Whole words: references are random letters.
OWN: Final = {
    Regime.GDPR: r"(?<!UK )GDPR|DSGVO|Datenschutz-Grundverordnung|Art\.",
    Regime.UK: r"UK GDPR|Data Protection Act 2018|Art\.",
    Regime.SWISS: r"\bFADP\b|Federal Act on Data Protection|\bDSG\b|\bDSV\b|DPO\b|Art\.",
    Regime.CCPA: r"California|\bCCR\b|Civ\. Code|Kalifornien",
    Regime.BIPA: r"740 ILCS|Illinois",
    Regime.TEXAS: r"Tex\.|Texas|503\.001",
    Regime.WASHINGTON: r"\bRCW\b|Washington",
    Regime.COLORADO: r"C\.R\.S\.|Colorado",
    Regime.OTHER: r"$^",
}
PLACES: Final = {
    Regime.GDPR: "DE", Regime.UK: "GB", Regime.SWISS: "CH", Regime.CCPA: "US-CA", Regime.BIPA: "US-IL",
    Regime.TEXAS: "US-TX", Regime.WASHINGTON: "US-WA", Regime.COLORADO: "US-CO", Regime.OTHER: "JP",
}  # fmt: skip


def foreign(text: str, regime: Regime) -> list[str]:
    """Return what a text names of another law."""
    allowed = OWN[regime]
    # The British regulation's name holds the European one's.
    plain = text if regime is Regime.UK else text.replace("UK GDPR", "British")
    others = {one for law, pattern in OWN.items() if law is not regime for one in re.findall(pattern, plain)}
    return sorted(
        one
        for one in others
        if one and not re.search(allowed, one) and not (one == "Art." and "Art." in allowed)
    )


@pytest.mark.parametrize("regime", list(Regime))
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_report_cites_the_law_of_where_its_person_works_alone(
    org: UUID, regime: Regime, language: str
) -> None:
    stage = build(org, add_shoot(org), State.READY)
    with transaction(org) as session:
        member = stage.member(session)
        member.place = PLACES[regime]
        session.flush()
        plan = export.plan(session, member, language)
    # The texts that were read keep the law that they were written for.
    read = making.finished(plan.report, (), plan.regime)
    said = "\n".join(
        word
        for section in read.sections
        if section.id != "consents"
        for word in (section.heading, section.law, *section.text, *section.items,
                     *(f"{one.value} {one.source}" for one in section.facts),
                     *(cell for table in section.tables for row in table.rows for cell in row))
    )  # fmt: skip
    assert foreign(f"{said}\n{read.subtitle}", regime) == []
    laws = {section.law for section in read.sections}
    assert all(re.search(OWN[regime], law) for law in laws if law)
    assert not re.search(r"\bJP\b|US-[A-Z]{2}", said), "a place is said by its name"


@pytest.mark.parametrize("regime", list(Regime))
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_refusal_cites_the_law_of_where_its_person_works_or_that_it_names_none(
    org: UUID, regime: Regime, language: str
) -> None:
    with transaction(org) as session:
        member = build(org, add_shoot(org), State.READY).member(session)
        member.place = PLACES[regime]
        session.flush()
        for right in Right:
            row = open_one(session, member, right)
            assert row.regime == regime
            row.language = language
            for basis, place in refusals.offered(right, regime).items():
                row.basis = basis
                _, text = letters.written(session, row, Reached.DENIED)
                assert foreign(text, regime) == [], (right, basis)
                assert (
                    cited(place, language) if place else letters.words_in(language)["no_statute"][regime]
                ) in text


def test_a_place_in_the_law_is_written_as_the_language_has_it() -> None:
    assert cited("Art. 17(3)(e) GDPR", "de") == "Art. 17 Abs. 3 lit. e DSGVO"
    assert cited("Art. 12(2), (6) GDPR", "de") == "Art. 12 Abs. 2, Abs. 6 DSGVO"
    assert cited("Art. 26(1)(a), 29(1) FADP", "de-CH") == "Art. 26 Abs. 1 lit. a, 29 Abs. 1 DSG"
    assert cited("Art. 12(5)(b) UK GDPR", "de") == "Art. 12 Abs. 5 lit. b UK GDPR"
    assert cited("Art. 17(3)(e) GDPR", "en") == "Art. 17(3)(e) GDPR"
    assert cited("Cal. Civ. Code § 1798.105(d)(1)", "de") == "Cal. Civ. Code § 1798.105(d)(1)"


def test_switzerland_has_thirty_days() -> None:
    received, place = now().replace(month=1, day=15, hour=12), Place("CH", "Europe/Zurich")
    due = clocks.due(received, Right.ACCESS, Law.SWISS, place)
    assert clocks.days_left(due, received, place) == 30
    later = clocks.due_extended(received, Right.ACCESS, Law.SWISS, place)
    assert later is not None
    assert clocks.days_left(later, received, place) == 90
