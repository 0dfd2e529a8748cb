"""Consent notices: complete, plain, versioned, and tied to what was really shown."""

from __future__ import annotations

import dataclasses
import re
from datetime import date
from hashlib import sha256
from typing import Any

import pytest

from compliance.consent.texts import FOLDER, PurposeText, languages, notice
from core.consent import Purpose
from core.errors import InvalidInput
from core.regimes import Regime

FACTS: dict[str, Any] = {
    "company": "Acme {GmbH}",
    "processor": "Headshots Ltd",
    "region": "the European Union",
    "retention_days": 30,
    "headshot_days": 45,
    "leaver_days": 90,
    "latest": date(2027, 3, 1),
    "today": date(2026, 11, 30),
}
EVERY = [(regime, language) for regime in Regime for language in languages(regime)]

# The version of each text and the file's hash. A changed text needs a new version, then a new line here.
RELEASED = {
    (Regime.GDPR, "de"): ("2026-11.6", "3a85d1fcc205b721e858d19fe3be5c1926c0277adb88413bd61b0eb6502893bb"),
    (Regime.GDPR, "en"): ("2026-11.6", "e200ee2d56015bfc98a2d25a3e58aca27f5095898b003d4e140a108ef742004e"),
    (Regime.UK, "en"): ("2026-11.7", "d317292c03401844a99ed2d49a34a2f6415af2af0d52ccc4ed1b9e338c0e52e5"),
    (Regime.SWISS, "de"): ("2026-11.7", "9d4e6f96ffe0e803b0083fdf36f7b7bedacd0a1be5cbeb89d95dcd4e4d2b5936"),
    (Regime.SWISS, "en"): ("2026-11.7", "8cfcdb81054e38b3501d8eac1647f7a9317914f5300069e42c56774a4cb36cd1"),
    (Regime.CCPA, "en"): ("2026-11.7", "d47b1136dc7a6a0ff3ac3469df63d60085ed5be7bf3f935e42498cc718b98a46"),
    (Regime.BIPA, "en"): ("2026-11.8", "f202eac0afb52cd118dcc3e04e4d53d845cc07483cf906145c99d951507ab3c8"),
    (Regime.TEXAS, "en"): ("2026-11.7", "f179272c783f9174ddcab99e96de92e0818082edef558c2534f3ee2633a8d7e7"),
    (Regime.WASHINGTON, "en"): (
        "2026-11.7",
        "f345f336dcbfe50c83945337f13218cff2a40b4c5d2552755f69580f18938476",
    ),
    (Regime.COLORADO, "en"): (
        "2026-11.8",
        "1d714a6c5d885173fe732613c30f8fec0524b78b5c743fbad12b3e9d10ac7c48",
    ),
    (Regime.OTHER, "de"): ("2026-11.7", "bdefcc347fd61a8f7c32482891c3eddd7266479a8801bf18999ecce009fc8079"),
    (Regime.OTHER, "en"): ("2026-11.7", "c89b83a4b9022ee8f8b6013ec1b9adc89f380b48177d9e40b37cf2276ca90f3d"),
}


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.?!:;]) ", text)


@pytest.mark.parametrize(("regime", "language"), EVERY)
def test_notice_is_complete_and_filled_in(regime: Regime, language: str) -> None:
    shown = notice(regime, language, **FACTS)
    assert (shown.regime, shown.language) == (regime, language)
    assert len(shown.promises) == 5
    assert set(shown.purposes) == set(Purpose)
    everything = repr(shown)
    assert "Acme {GmbH}" in everything
    assert "30 " in " ".join(shown.promises)
    assert not re.search(
        r"\{(?!GmbH\})", everything.replace("mappingproxy({", "").replace("{<Purpose", "<Purpose")
    )


@pytest.mark.parametrize(("regime", "language"), EVERY)
def test_text_is_plain_enough_for_a_fourteen_year_old(regime: Regime, language: str) -> None:
    shown = notice(regime, language, **{**FACTS, "company": "Acme", "region": "Europe"})
    texts = [shown.intro, shown.decline, *shown.promises, *shown.rights]
    for purpose in shown.purposes.values():
        texts += [getattr(purpose, field.name) for field in dataclasses.fields(PurposeText)][:-2]
    for text in texts:
        for sentence in sentences(text):
            assert len(sentence.split()) <= 25, sentence


@pytest.mark.parametrize(("regime", "language"), EVERY)
def test_saying_no_is_offered_and_costs_nothing(regime: Regime, language: str) -> None:
    shown = notice(regime, language, **FACTS)
    assert shown.decline
    assert shown.decline_button
    for text in shown.purposes.values():
        assert text.if_no
        assert text.button


def test_hash_changes_with_any_word_fact_language_or_regime() -> None:
    def hashes(regime: str = "gdpr", language: str = "en", **changes: Any) -> set[str]:
        return {text.sha256 for text in notice(regime, language, **{**FACTS, **changes}).purposes.values()}

    assert len(hashes()) == len(Purpose)
    assert hashes() == hashes()
    assert hashes().isdisjoint(hashes(language="de"))
    assert hashes().isdisjoint(hashes("ccpa"))
    assert hashes() != hashes(retention_days=31)
    assert hashes() != hashes(company="Other")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [("de", "de"), ("de-AT", "de"), ("DE_de", "de"), ("fr", "en"), ("", "en"), ("../x", "en")],
)
def test_language_without_a_text_falls_back_to_english(asked: str, shown: str) -> None:
    assert notice("gdpr", asked, **FACTS).language == shown


def test_law_without_a_german_text_is_shown_in_english() -> None:
    assert notice("bipa", "de", **FACTS).language == "en"


@pytest.mark.parametrize("regime", ["", "GDPR", "lgpd", "../gdpr"])
def test_law_without_a_text_is_refused(regime: str) -> None:
    with pytest.raises(InvalidInput, match="gdpr, uk, swiss, ccpa, bipa, texas, washington, colorado, other"):
        notice(regime, "en", **FACTS)


def test_one_day_is_written_as_one_day() -> None:
    assert "erased 1 day after" in notice("gdpr", "en", **{**FACTS, "retention_days": 1}).promises[3]


def test_illinois_release_names_purpose_term_and_recipient() -> None:
    release = notice("bipa", "en", **FACTS).purposes[Purpose.LIKENESS]
    assert "geometry" in release.what
    assert "only purpose" in release.why
    assert "30 days after you approve, and not beyond March 1, 2027" in release.how_long
    assert release.release
    assert "destroyed 30 days after" in release.what, "before anything is opened"
    assert "Headshots Ltd" in release.who
    assert "sign the release" in release.button


@pytest.mark.parametrize("engine", ["", "diffusion"])
@pytest.mark.parametrize(("regime", "language"), EVERY)
def test_each_purpose_asks_about_one_thing(regime: Regime, language: str, engine: str) -> None:
    shown = notice(regime, language, engine=engine, **FACTS).purposes
    model, paints, nothing = {
        "en": ("image model", "paints", "keeps nothing"),
        "de": ("Bildmodell", "malt", "behält nichts"),
    }[language]
    for purpose in (Purpose.PHOTO, Purpose.LIKENESS):
        assert not any(word in repr(shown[purpose]) for word in (model, paints)), purpose
    for purpose in (Purpose.PAINT, Purpose.CLOTHES, Purpose.ADAPTER):
        assert model in shown[purpose].what
        assert paints in shown[purpose].what
    assert nothing in repr(shown[Purpose.PAINT])
    assert nothing in repr(shown[Purpose.CLOTHES])
    colleagues = {"en": "colleagues", "de": "Kolleg"}[language]
    assert (colleagues in shown[Purpose.LIKENESS].why) is bool(engine)


@pytest.mark.parametrize(("regime", "language"), EVERY)
def test_changed_text_has_a_new_version(regime: Regime, language: str) -> None:
    content = (FOLDER / regime / f"{language}.toml").read_bytes()
    assert RELEASED[regime, language] == (
        notice(regime, language, **FACTS).version,
        sha256(content).hexdigest(),
    )
