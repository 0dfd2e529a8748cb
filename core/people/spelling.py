"""How likely it is that a word was meant as it reads: the evidence by which an encoding is known."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from core.people.known_names import FAMILY_NAMES, FAMILY_SIGNS, FAMILY_SYLLABLES, KNOWN

# A known word says most; a word of pairs that known words have can be a chance; and so can the first sign
# of a Chinese or Korean family name: one in thirty read at random is such a one.
KNOWN_POINTS, SIGN_POINTS, PAIRS_POINTS = 6, 2, 1
# Letters beside each other in the known words, their ends included, where one is beyond ASCII.
PAIRS = frozenset(
    pair for name in KNOWN for pair in (a + b for a, b in pairwise(f" {name} ")) if not pair.isascii()
)
# One reading is believed against another in the words in which they differ ...
ENOUGH_POINTS = 6  # ... if it has a known word there, three family names or six such words,
MANY_TIMES = 5  # and this many times the other's points;
FAULT = 3  # points that a misspelt word takes away where readings are put in an order
HALF, TENTH = 2, 10  # or if half of the other's words are misspelt, and not a tenth of its own.
# East Asian readings without rare letters: what each encoding adds to the older standard is rare in names.
_COMMON = {"CJK": ("gb2312", "shift_jis", "big5"), "HANGUL": ("euc_kr",)}
_JOINERS = "’‘'´`·-–"
_QUOTES = "“”„«»‹›‚"
_EAST_ASIAN = frozenset(("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC"))


def beats(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether the words, read as `one`, leave no doubt against their reading as `other`."""
    differ = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    faults = sum(is_misspelt(a) for a, _ in differ)
    other_faults = sum(is_misspelt(b) for _, b in differ)
    points = sum(familiarity(a) for a, _ in differ)
    other_points = sum(familiarity(b) for _, b in differ)
    if points >= ENOUGH_POINTS and points >= MANY_TIMES * other_points and faults <= other_faults:
        return True
    return other_faults * HALF >= len(differ) and faults * TENTH <= len(differ) and points >= other_points


def likelihood(words: Sequence[str]) -> int:
    """Return a number by which readings of the same words can be ordered."""
    return sum(familiarity(word) - FAULT * is_misspelt(word) for word in words)


@lru_cache(maxsize=20_000)
def familiarity(word: str) -> int:
    """Return how much a word looks like a name or a word of an office."""
    if any(part in KNOWN for part in word.casefold().split("_")):
        return KNOWN_POINTS
    pairs = [a + b for a, b in pairwise(f" {word.casefold()} ") if not (a + b).isascii()]
    if pairs and all(pair in PAIRS for pair in pairs):
        return PAIRS_POINTS
    first = word[:1]
    if first in FAMILY_SYLLABLES and 2 <= len(word) <= 4:
        return SIGN_POINTS
    if any(word.startswith(name) for name in FAMILY_NAMES):
        return KNOWN_POINTS
    return SIGN_POINTS if first in FAMILY_SIGNS and len(word) <= 4 else 0


@lru_cache(maxsize=20_000)
def is_misspelt(word: str) -> bool:
    """Return whether nobody writes such a word: signs within it, mixed scripts, capitals inside."""
    scripts = {_script(sign) for sign in word if unicodedata.category(sign)[0] in "LM"} - {""}
    if len(scripts) > 1 and not scripts <= _EAST_ASIAN:
        return True
    return (
        any(_is_wrong(word, place) for place in range(len(word)) if not word[place].isascii())
        or _is_crowded(word, scripts)
        or any(_is_rare(word, encodings) for script, encodings in _COMMON.items() if scripts == {script})
    )


def _is_wrong(word: str, place: int) -> bool:
    """Return whether the letter or sign at `place` does not stand there in any language."""
    sign, before, after = word[place], word[place - 1 : place], word[place + 1 : place + 2]
    category = unicodedata.category(sign)
    if category in ("Cc", "Cn", "Co", "Cs") or sign == "\ufffd":
        return True
    if category[0] in "LM":
        if category == "Lo" and _script(sign) in ("FEMININE", "MASCULINE"):
            return True
        if category == "Lu":
            return before.islower()
        if category == "Ll" and sign not in "ßŉ":
            return after.isupper() or (
                before.isupper() and len(word) > 2 and word[place - 2 : place].isupper()
            )
        return False
    joined = before.isalpha() and after.isalpha()
    if sign in _JOINERS:
        # O’Neil and Müller–Schmidt, but not Mu–oz.
        return joined and after.islower() and len(before) > 0 and before.islower()
    if sign in _QUOTES:
        return joined
    return before.isalpha() or after.isalpha()


def _is_crowded(word: str, scripts: set[str]) -> bool:
    """Return whether more Latin letters have marks than a language gives a word."""
    if scripts != {"LATIN"}:
        return False
    letters = [sign for sign in word if sign.isalpha()]
    marked = sum(not sign.isascii() for sign in letters)
    return marked > 2 and marked * 3 > len(letters) * 2


def _is_rare(word: str, encodings: Sequence[str]) -> bool:
    return not any(_fits(word, encoding) for encoding in encodings)


def _fits(word: str, encoding: str) -> bool:
    try:
        word.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=5_000)
def _script(sign: str) -> str:
    """Return the script's name; empty for marks and signs that go with any."""
    if sign == "ー" or sign == "々":
        return ""
    name = unicodedata.name(sign, "")
    if name.startswith(("COMBINING", "MODIFIER")):
        return ""
    if name.startswith("HALFWIDTH"):
        return "HALFWIDTH"
    return name.partition(" ")[0]
