"""Consent notices: complete, plain, versioned, and tied to what was really shown."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from datetime import date
from hashlib import sha256
from typing import Any

import pytest

from compliance.consent.texts import FOLDER, PurposeText, languages, notice
from core import formal
from core.consent import Purpose
from core.errors import InvalidInput
from core.regimes import Regime
from deploy.formal import says_du

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

# The version of each text and the file's hash; where German says "Sie", the hash of the texts in that wording. A changed
# text, in either wording, needs a new version, then a new line here.
RELEASED = {
    (Regime.GDPR, "de"): ("2026-11.8", "d97b7774fae98d6f97047d1403a31934502497f4330bda4e77fd1ed124941437"),
    (Regime.GDPR, "de-x-sie"): (
        "2026-11.8",
        "77e652266a05a8d1894ef10dd6904757db34d85a6de3ffe68b5477bb23b90ec5",
    ),
    (Regime.GDPR, "en"): ("2026-11.7", "b87daf7d2777d3ecf856e1cd026f43847de62156c60f191878c967ab77520688"),
    (Regime.UK, "en"): ("2026-11.8", "650e82a2e622f121a4c4b1654f85cfacacc2c4d3f4338849285c10537f6d3cfb"),
    (Regime.SWISS, "de"): ("2026-11.9", "e6f6983e4ef4f77b30afd989f07856114966ec68711b9df93afc7afdc290594f"),
    (Regime.SWISS, "de-x-sie"): (
        "2026-11.9",
        "a4ba9a998e9c028bf0329db5be83139c94bd9c69bc42b741c779c562852571d7",
    ),
    (Regime.SWISS, "en"): ("2026-11.8", "7d9ffa1c7d5181d6be6022e8d25b5d680d2df2736c5fb8033a2e745892113c95"),
    (Regime.CCPA, "en"): ("2026-11.8", "b2cf4fec13750302360e9932a329dc50dc3a8b293c51e6d4e95b7179727514f8"),
    (Regime.BIPA, "en"): ("2026-11.9", "8c9db773cef89ff3ecabb9e7717e14b5ed2f3a51f7b5a03b79c53af40a6fb8ff"),
    (Regime.TEXAS, "en"): ("2026-11.8", "b88d2aeef38eb39da457bd62c9b964c4ffea2551a586b2a3b9606b12760d333b"),
    (Regime.WASHINGTON, "en"): (
        "2026-11.8",
        "ca1a4c0baabd31821e640af1172f5ada809bec76c44e447ab16ee7c3eaba40a9",
    ),
    (Regime.COLORADO, "en"): (
        "2026-11.9",
        "6d5ee5147437a53728968cd52e0d33af946ff3754aca32ba882a6e912a4b3b30",
    ),
    (Regime.OTHER, "de"): ("2026-11.9", "1e3b84f54e3d2cd87e3a5fc69d121ceedb2593f4459a063739545cec87511af3"),
    (Regime.OTHER, "de-x-sie"): (
        "2026-11.9",
        "7486836ddcc3ed4a92d425ba203d054334f236085784c4b7fc0d8c289d945230",
    ),
    (Regime.OTHER, "en"): ("2026-11.8", "4572dbb750d9d83c335ff2da6974449ff44b9432bdca9ac7d2c0d1ee04584c3c"),
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
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("DE_de", "de"),
        ("de-x-sie", "de-x-sie"),
        ("fr", "en"),
        ("", "en"),
        ("../x", "en"),
    ],
)
def test_language_without_a_text_falls_back_to_english(asked: str, shown: str) -> None:
    assert notice("gdpr", asked, **FACTS).language == shown


@pytest.mark.parametrize("language", ["de", formal.SIE])
def test_law_without_a_german_text_is_shown_in_english(language: str) -> None:
    assert notice("bipa", language, **FACTS).language == "en"


@pytest.mark.parametrize("regime", [one for one, language in EVERY if language == formal.SIE])
def test_the_two_german_wordings_are_texts_of_their_own_and_neither_asks_again(regime: Regime) -> None:
    informal, formally = (notice(regime, language, **FACTS) for language in ("de", formal.SIE))
    assert informal.sha256 != formally.sha256
    assert {one.sha256 for one in informal.purposes.values()}.isdisjoint(
        {one.sha256 for one in formally.purposes.values()}
    )
    assert informal.counts(formally.regime, formally.version)
    assert formally.counts(informal.regime, informal.version)
    assert not says_du(formally.content.decode())
    titles = [one.purposes[Purpose.PHOTO].title for one in (informal, formally)]
    assert titles[0] == titles[1], "what speaks to nobody is the same"


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


@pytest.mark.parametrize("engine", ["", "diffusion"])
@pytest.mark.parametrize(("regime", "language"), EVERY)
def test_each_purpose_asks_about_one_thing(regime: Regime, language: str, engine: str) -> None:
    shown = notice(regime, language, engine=engine, **FACTS).purposes
    model, paints, nothing = {
        "en": ("image model", "paints", "keeps nothing"),
        "de": ("Bildmodell", "malt", "behält nichts"),
    }[formal.written(language)]
    for purpose in (Purpose.PHOTO, Purpose.LIKENESS):
        assert not any(word in repr(shown[purpose]) for word in (model, paints)), purpose
    for purpose in (Purpose.PAINT, Purpose.CLOTHES, Purpose.ADAPTER):
        assert model in shown[purpose].what
        assert paints in shown[purpose].what
    assert nothing in repr(shown[Purpose.PAINT])
    assert nothing in repr(shown[Purpose.CLOTHES])
    colleagues = {"en": "colleagues", "de": "Kolleg"}[formal.written(language)]
    assert (colleagues in shown[Purpose.LIKENESS].why) is bool(engine)


@pytest.mark.parametrize(("regime", "language"), EVERY)
def test_changed_text_has_a_new_version(regime: Regime, language: str) -> None:
    content = (FOLDER / regime / f"{formal.written(language)}.toml").read_bytes()
    if language == formal.SIE:
        said = formal.worded(language, tomllib.loads(content.decode()))
        content = json.dumps(said, sort_keys=True, ensure_ascii=False).encode()
    assert RELEASED[regime, language] == (
        notice(regime, language, **FACTS).version,
        sha256(content).hexdigest(),
    )
