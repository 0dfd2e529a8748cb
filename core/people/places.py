"""Where somebody works, as lists and people write it: read into an ISO 3166 code, or not at all. Nothing is guessed.

A code names a country (`DE`) or a state of the United States (`US-IL`); of other countries' states no law here asks.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final

from babel import Locale
from babel.core import get_global

UNITED_STATES: Final = "US"  # without a state: here the law is that of the state
LANGUAGES: Final = ("en", "de", "fr", "es")
# What the Unicode CLDR has beside the countries of ISO 3166: unions, islands of some of them, and codes for tests.
_NO_COUNTRIES: Final = frozenset(
    ["EU", "EZ", "UN", "XA", "XB", "ZZ", "QO", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"]
)
# Usual names that CLDR spells otherwise.
_ALSO: Final = {
    "unitedstatesofamerica": "US", "vereinigtestaatenvonamerika": "US", "etatsunisdamerique": "US",
    "estadosunidosdeamerica": "US", "eeuu": "US", "greatbritain": "GB", "grossbritannien": "GB", "grandebretagne": "GB",
    "granbretana": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northernireland": "GB", "schottland": "GB",
    "angleterre": "GB", "inglaterra": "GB", "holland": "NL", "hollande": "NL", "holanda": "NL", "thenetherlands": "NL",
    "czechrepublic": "CZ", "tschechischerepublik": "CZ", "turkey": "TR", "hongkong": "HK", "macau": "MO", "macao": "MO",
    "bundesrepublikdeutschland": "DE", "ivorycoast": "CI", "elfenbeinkuste": "CI", "russianfederation": "RU",
    "republicofkorea": "KR", "korea": "KR", "vietnam": "VN", "burma": "MM",
}  # fmt: skip
STATES: Final = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky",
    "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire",
    "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina", "ND": "North Dakota",
    "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island",
    "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont",
    "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}  # fmt: skip
_STATE_WORDS: Final = {
    "kalifornien": "CA", "californie": "CA", "colorado": "CO", "washingtonstate": "WA", "washingtondc": "DC",
    "texas": "TX", "hawaii": "HI",
}  # fmt: skip
# Between the parts of an office's place: “US - Illinois - Chicago”, “Munich, Germany”, “USA/Texas”.
_BETWEEN: Final = re.compile(r"\s*[,;/|>]\s*|\s+[-–—]\s+|\s*[()]\s*")


@dataclass(frozen=True)
class Place:
    """What was understood.

    Attributes:
        code: an ISO 3166 code; empty where nothing was.
        unread: what could not be understood, as it stood there; empty where all was.
    """

    code: str = ""
    unread: str = ""


def read(country: str = "", state: str = "", location: str = "") -> Place:
    """Return where somebody works, of what three columns of a list say.

    A country and a state say it themselves; the place of an office is asked only where there is no country. Two letters in it
    count for nothing: “DE” is Germany and Delaware, “CA” Canada and California.
    """
    country, state, location = (" ".join(one.split()) for one in (country, state, location))
    known = _whole(country) or _whole(state)
    if known:
        return Place(known)
    if country:
        code = _country(country)
        return _with_state(code, state) if code else Place(unread=", ".join(filter(None, (state, country))))
    if location:
        return _of_office(location, state)
    if state:
        alone = _state(state) if len(state) > 2 and _key(state) != "georgia" else ""
        return Place(alone) if alone else Place(unread=state)
    return Place()


def code(text: str) -> str:
    """Return a code as a form sends it, if it is one; else an empty string."""
    return _whole(text) or (text if text in _countries() else "")


def countries(language: str) -> list[tuple[str, str]]:
    """Return every country's code and its name in a language, in that language's order."""
    names = Locale(language if language in LANGUAGES else LANGUAGES[0]).territories
    return sorted(((one, names[one]) for one in _countries()), key=lambda one: _key(one[1]))


def name(place: str, language: str) -> str:
    """Return the name of a place, for example `Illinois, Vereinigte Staaten`."""
    country, _, state = place.partition("-")
    called = Locale(language if language in LANGUAGES else LANGUAGES[0]).territories.get(country, country)
    return f"{STATES[state]}, {called}" if state else str(called)


def _with_state(country: str, state: str) -> Place:
    if country != "US" or not state:
        return Place(country)
    found = _state(state)
    return Place(found) if found else Place(country, unread=state)


def _of_office(location: str, state: str) -> Place:
    if whole := _whole(location) or _named(location):
        return _with_state(whole, state) if whole == "US" else Place(whole)
    parts = [one for one in _BETWEEN.split(location) if one]
    country = _named(parts[-1]) if parts else ""
    # “Lebanon, NH” and “Mexico, Missouri” are towns: a country comes first only before a dash, and before no state of its own.
    if not country and "," not in location and not any(map(_state, parts[1:])):
        country = _named(parts[0])
    if country == "US" or (parts and _named(parts[0]) == "US" and "," not in location):
        found = next(filter(None, (_state(one) for one in parts if _named(one) != "US")), "")
        return Place(found) if found else _with_state("US", state)
    return Place(country) if country else Place(unread=location)


def _named(text: str) -> str:
    """Return the country of a name, of a code of three letters, or of the two abbreviations that are no state's."""
    if _key(text) == "georgia":
        return ""
    return _country(text) if len(text) > 2 or text.upper() in ("US", "UK") else ""


def _whole(text: str) -> str:
    """Return a code of a state of the United States as ISO 3166-2 writes it."""
    country, dash, state = text.upper().partition("-")
    return f"US-{state}" if dash and country == "US" and state in STATES else ""


def _state(text: str) -> str:
    found = text.upper() if text.upper() in STATES else _states().get(_key(text), "")
    return f"US-{found}" if found else ""


def _country(text: str) -> str:
    upper = text.upper()
    if upper in _countries():
        return upper
    if upper.isascii() and upper.isalpha() and len(upper) in (2, 3):
        codes = get_global("territory_aliases").get(upper, ())
        return codes[0] if len(codes) == 1 and codes[0] in _countries() else ""
    return _names().get(_key(text), "")


def _key(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in plain if sign.isalnum())


@cache
def _countries() -> frozenset[str]:
    known = map(str, Locale(LANGUAGES[0]).territories)
    return frozenset(one for one in known if len(one) == 2 and one.isalpha()) - _NO_COUNTRIES


@cache
def _names() -> dict[str, str]:
    named = {
        _key(called): one
        for language in LANGUAGES
        for one, called in Locale(language).territories.items()
        if one in _countries()
    }
    return named | _ALSO


@cache
def _states() -> dict[str, str]:
    return {_key(called): one for one, called in STATES.items()} | _STATE_WORDS
