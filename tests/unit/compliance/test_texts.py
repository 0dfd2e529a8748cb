"""Consent notices: complete, plain, versioned, and tied to what was really shown."""

from __future__ import annotations

import dataclasses
import re
from hashlib import sha256
from typing import Any

import pytest

from compliance.consent.texts import FOLDER, PurposeText, Regime, languages, notice
from core.consent import Purpose
from core.errors import InvalidInput

FACTS: dict[str, Any] = {
    "company": "Acme {GmbH}",
    "processor": "Headshots Ltd",
    "region": "the European Union",
    "retention_days": 30,
    "headshot_days": 45,
}
EVERY = [(regime, language) for regime in Regime for language in languages(regime)]

# The version of each text and the file's hash. A changed text needs a new version, then a new line here.
RELEASED = {
    (Regime.GDPR, "de"): ("2026-11.6", "bd2be9b02328cbbca1a582f790ed4684b3298511546e1d72c23d592aaaa5d716"),
    (Regime.GDPR, "en"): ("2026-11.6", "0efeb7f9ab864cb9b095e71eaeb1851ac9d1597adc3d6d96395f13fc85518668"),
    (Regime.CCPA, "en"): ("2026-11.6", "88c77a87926195c15ffa53b799135f46845f20e80133363a2975d824b744037d"),
    (Regime.BIPA, "en"): ("2026-11.6", "756d472e40eff8b59756e95f3c2e7cf705ca8d3e73be9071c4967f458d84068c"),
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
        texts += [getattr(purpose, field.name) for field in dataclasses.fields(PurposeText)][:-1]
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
    with pytest.raises(InvalidInput, match="gdpr, ccpa, bipa"):
        notice(regime, "en", **FACTS)


def test_one_day_is_written_as_one_day() -> None:
    assert "erased 1 day after" in notice("gdpr", "en", **{**FACTS, "retention_days": 1}).promises[3]


def test_illinois_release_names_purpose_term_and_recipient() -> None:
    release = notice("bipa", "en", **FACTS).purposes[Purpose.LIKENESS]
    assert "geometry" in release.what
    assert "only purpose" in release.why
    assert "destroyed 30 days after" in release.how_long
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
