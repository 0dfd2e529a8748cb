"""Consent notices: what a person reads before they say yes or no, by law and language, with a version.

A text file is `<regime>/<language>.toml`; the German ones say "du", and `core.formal` has their other wording, which is
a text of its own: `de-x-sie` is its language, in what is hashed and in each stored consent. A table such as `likeness.diffusion` holds what is said otherwise in a
shoot with that engine, `from.2027-01-01` what is said as well from that day on. Regimes stay apart on purpose: under the
GDPR consent must be free of any pressure, while other laws ask for other words (a written release, a notice at collection).
Whoever changes a text, in either wording, gives it a new `version`; stored consents name version and hash. `material` is the last version
whose change mattered: whoever agreed to that one or a later one is not asked again.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any

import rfc8785
from babel.dates import format_date

from core import formal
from core.consent import Purpose
from core.errors import InvalidInput
from core.regimes import Regime

FORMAT = "headshots.notice/1"
FOLDER = Path(__file__).parent
FALLBACK = "en"  # every regime has it


@dataclass(frozen=True)
class PurposeText:
    """One question, with everything a person needs to answer it."""

    title: str
    what: str  # what is done
    why: str
    who: str  # who sees it
    how_long: str
    if_no: str  # what happens to those who say no: nothing bad
    release: bool  # whether the law asks for a name that the person has typed
    sha256: str  # of the rendered texts above with regime, language and version, as RFC 8785 JSON


@dataclass(frozen=True)
class Notice:
    """All that a person is told before they answer, ready to show as plain text."""

    regime: str
    language: str  # the one that is shown, as `core.formal` tags it; English where there is no translation
    version: str
    material: str  # the last version whose change mattered
    title: str
    intro: str
    promises: tuple[str, ...]  # "what happens to my photos", five lines
    rights: tuple[str, ...]
    decline: str  # what happens to those who decline altogether; empty where the page offers no such thing
    decline_button: str
    purposes: Mapping[Purpose, PurposeText]

    def hashed(self, purpose: Purpose) -> bytes:
        """Return what the hash of a purpose's text is over: RFC 8785 JSON."""
        return _hashed(self.regime, self.language, self.version, purpose, _words(self.purposes[purpose]))

    @property
    def content(self) -> bytes:
        """All of it as it is shown, as RFC 8785 JSON: what is kept with the answers, and what receipts are over."""
        said = {name: value for name, value in vars(self).items() if name not in ("material", "purposes")}
        asked = {purpose.value: _words(text) for purpose, text in self.purposes.items()}
        return rfc8785.dumps({**said, "format": FORMAT, "purposes": asked})

    @property
    def sha256(self) -> str:
        """The hash over the whole of it."""
        return sha256(self.content).hexdigest()

    def counts(self, regime: str, version: str) -> bool:
        """Whether an answer to another text needs no new asking: the same law's, and not older than what mattered."""
        return regime == self.regime and _order(version) >= _order(self.material)


def _words(text: PurposeText) -> dict[str, str]:
    return {name: value for name, value in asdict(text).items() if name not in ("sha256", "release")}


def _order(version: str) -> tuple[int, ...]:
    """Return a version such as `2026-11.6` so that it can be compared; what is none comes before all."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _hashed(regime: str, language: str, version: str, purpose: Purpose, words: Mapping[str, str]) -> bytes:
    identity = {"regime": regime, "language": language, "version": version, "purpose": purpose.value}
    return rfc8785.dumps({**identity, "text": dict(words)})


@dataclass(frozen=True)
class Part:
    """What one purpose says in a notice that was kept: the very bytes of its hash."""

    purpose: Purpose
    sha256: str
    content: bytes


def purposes_of(content: bytes) -> list[Part]:
    """Return the parts of a notice's `content`."""
    kept = json.loads(content)
    parts = [
        (Purpose(name), _hashed(kept["regime"], kept["language"], kept["version"], Purpose(name), words))
        for name, words in kept["purposes"].items()
    ]
    return [Part(purpose, sha256(part).hexdigest(), part) for purpose, part in parts]


def languages(regime: Regime) -> tuple[str, ...]:
    """Return the languages that `regime`'s texts exist in, sorted; German in both of its forms of address."""
    found = {file.stem for file in (FOLDER / regime.value).glob("*.toml")}
    return tuple(sorted(found | ({formal.SIE} if "de" in found else set())))


def spoken(regime: Regime, language: str) -> str:
    """Return in which language `regime`'s text is shown to somebody who reads `language`."""
    tag = language if language == formal.SIE else formal.written(language)
    return tag if tag in languages(regime) else FALLBACK


def notice(
    regime: str,
    language: str,
    *,
    company: str,
    processor: str,
    region: str,
    retention_days: int,
    headshot_days: int,
    leaver_days: int,
    latest: date,
    today: date,
    engine: str = "",
) -> Notice:
    """Return the notice of `regime` in `language`, filled in.

    Args:
        regime: A `Regime` value.
        language: A tag such as `de`, `de-AT` or `core.formal.SIE`; English where there is no translation.
        company: Who asks: the employer.
        processor: Who runs this platform for the company.
        region: Where the photos are stored, e.g. "the European Union".
        retention_days: Days after approval until photos and working data are erased.
        headshot_days: Days after the shoot has ended until headshots are.
        leaver_days: Days after somebody has left until everything of theirs is.
        latest: The day on which whatever was measured on a face is destroyed, come what may.
        today: Which words count already.
        engine: The shoot's, which decides on some of the words.

    Raises:
        InvalidInput: there is no such regime. Consent under the wrong law's words would be worthless.
    """
    if regime not in set(Regime):
        raise InvalidInput(
            "There is no consent text for this law. Choose one of: %(laws)s.",
            laws=", ".join(Regime),
            regime=regime,
        )
    known = Regime(regime)
    shown = spoken(known, language)
    source = _load(known, shown)

    def period(days: int) -> str:
        return str(source["one_day"] if days == 1 else source["days"].format(count=days))

    facts = {
        "company": company,
        "processor": processor,
        "region": region,
        "retention": period(retention_days),
        "headshots": period(headshot_days),
        "leavers": period(leaver_days),
        "latest": format_date(latest, "long", locale=formal.written(shown)),
    }

    def fill(text: str) -> str:
        return text.format_map(facts)

    version: str = source["version"]
    rights: list[str] = list(source["rights"])
    for day, later in sorted(source.get("from", {}).items()):
        if date.fromisoformat(day) <= today:
            version = later["version"]
            rights += later["rights"]
    purposes = {}
    for purpose in Purpose:
        own = source[purpose.value]
        words = {
            name: fill(text) for name, text in {**own, **own.get(engine, {})}.items() if isinstance(text, str)
        }
        hashed = sha256(_hashed(known.value, shown, version, purpose, words))
        purposes[purpose] = PurposeText(**words, release=own.get("release", False), sha256=hashed.hexdigest())
    return Notice(
        regime=known.value,
        language=shown,
        version=version,
        material=source["material"],
        title=fill(source["title"]),
        intro=fill(source["intro"]),
        promises=tuple(map(fill, source["promises"])),
        rights=tuple(map(fill, rights)),
        decline=fill(source["decline"]),
        decline_button=fill(source["decline_button"]),
        purposes=MappingProxyType(purposes),
    )


@cache
def _load(regime: Regime, language: str) -> dict[str, Any]:
    file = FOLDER / regime.value / f"{formal.written(language)}.toml"
    return formal.worded(language, tomllib.loads(file.read_text(encoding="utf-8")))
