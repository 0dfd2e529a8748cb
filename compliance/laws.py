"""Places in the law as each language writes them, and whose law was read in sources."""

from __future__ import annotations

import re
from typing import Final

from core.regimes import Regime

# What nobody has read in its own text stands for counsel to confirm wherever the company sees it.
UNREAD: Final = frozenset(Regime) - {Regime.GDPR, Regime.CCPA}

_NAMES: Final = {"GDPR": "DSGVO", "FADP": "DSG", "DPO": "DSV"}
_ARTICLE: Final = re.compile(r"(\d+)\((\d+)\)(?:\(([a-z])\))?|(\d+)\(([a-z])\)")


def cited(place: str, language: str) -> str:
    """Return a place such as `Art. 17(3)(e) GDPR` as a language writes it: `Art. 17 Abs. 3 lit. e DSGVO`.

    Places of American law are written alike everywhere, and so is the name of the British regulation.
    """
    if not place.startswith("Art.") or language.partition("-")[0] != "de":
        return place

    def german(found: re.Match[str]) -> str:
        article, paragraph, letter, alone, of_alone = found.groups()
        if alone:
            return f"{alone} lit. {of_alone}"
        return f"{article} Abs. {paragraph}" + (f" lit. {letter}" if letter else "")

    written = _ARTICLE.sub(german, place)
    written = re.sub(r", \((\d+)\)", r", Abs. \1", written)
    written = re.sub(r", \(([a-z])\)", r", lit. \1", written)
    if written.endswith("UK GDPR"):
        return written
    for name, german_name in _NAMES.items():
        written = re.sub(rf"\b{name}\b", german_name, written)
    return written
