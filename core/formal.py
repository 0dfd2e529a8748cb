"""German with "Sie": the same texts in the other form of address, for companies that chose it.

All German of ours says "du". `formal.po` beside the pages' catalogue has the other wording of each text in which the two
differ, by the German text itself: so pages, mails, reports and consent texts use one list, though only the pages'
texts come from gettext. A language tag says which of the two is meant: `de`, or `SIE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from babel.support import NullTranslations, Translations

# BCP 47: what follows `x` is ours to define. As long as the columns that say in which language a person read a text.
SIE: Final = "de-x-sie"
TRANSLATIONS: Final = Path(__file__).parent / "web" / "translations"
_FALLBACK: Final = "en"

Words = TypeVar("Words")


def spoken(language: str, *, formal: bool) -> str:
    """Return the tag of how somebody is spoken to in `language`.

    Args:
        language: A tag such as `de` or `de-AT`.
        formal: whether their company says "Sie".
    """
    return SIE if formal and written(language) == "de" else language


def written(language: str) -> str:
    """Return the language of a tag, such as `de`: how it writes dates and numbers does not depend on the form of address."""
    return language.replace("_", "-").partition("-")[0].lower()


def worded(language: str, words: Words) -> Words:
    """Return German texts as `language` has them: a text, or texts in lists and tables, however deep."""
    result: Words = _sie(words) if language == SIE else words
    return result


def chosen(known: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return the texts for `language` of a file that has them by language; the English ones, where it has none."""
    words: dict[str, Any] = known.get(written(language), known[_FALLBACK])
    return worded(language, words)


@cache
def catalogue(language: str) -> NullTranslations:
    """Return the texts of pages in a language."""
    return _Formal() if language == SIE else Translations.load(TRANSLATIONS, [language])


def _sie(words: Any) -> Any:
    if isinstance(words, str):
        # An empty text is no entry: gettext would answer it with the file's own header.
        return _wordings().gettext(words) if words else words
    if isinstance(words, Mapping):
        return {name: _sie(one) for name, one in words.items()}
    return [_sie(one) for one in words] if isinstance(words, list) else words


@cache
def _wordings() -> NullTranslations:
    return Translations.load(TRANSLATIONS, ["de"], "formal")


class _Formal(NullTranslations):
    """The pages' German catalogue with each text in the other wording."""

    def gettext(self, message: str) -> str:
        return str(_sie(catalogue("de").gettext(message)))

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return str(_sie(catalogue("de").ngettext(msgid1, msgid2, n)))

    # What Flask-Babel asks.
    ugettext = gettext
    ungettext = ngettext
