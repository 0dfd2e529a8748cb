"""Which provision asks for a section of a report about a person, by the law where they work."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from compliance.laws import cited
from core.regimes import Regime

PLACES: Final = Path(__file__).with_name("laws.toml")


def place_of(regime: Regime, section: str, language: str) -> str:
    """Return the provision as the language writes it; empty where that law asks for no such section."""
    return cited(_load()[regime.value].get(section, ""), language)


@cache
def _load() -> dict[str, dict[str, str]]:
    return tomllib.loads(PLACES.read_text(encoding="utf-8"))
