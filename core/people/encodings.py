"""In which encoding a list was written: known for certain, shown by its names, or asked.

A file that is not Unicode does not say what its bytes mean. Each encoding is tried, and what comes out
is held against how words are written and against common names: one reading has to beat every other in
the words in which they differ. Where none does, a person chooses between the readings.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.people import spelling

SAMPLES = 3  # lines shown of each reading
LONGEST_SAMPLE = 60  # letters of a line
MOST_READINGS = 8  # to choose from; the page offers every other encoding by its name
LONGEST_WORD = 64  # bytes: what is longer is no name, and is judged by its beginning
MOST_CHANCES = 3  # distinct words: a fourth is not UTF-8 by chance as well
MOST_WORDS = 400  # distinct words that a file is judged by; all of its high bytes are among them


class Encoding(StrEnum):
    """How letters become bytes; the values stand in addresses of pages, in the order of how frequent they are."""

    UTF_8 = "utf-8"
    UTF_16_LE = "utf-16-le"
    UTF_16_BE = "utf-16-be"
    TWICE = "utf-8-twice"  # UTF-8 that was read as something else and saved as UTF-8 again
    WINDOWS_1252 = "cp1252"
    WINDOWS_1250 = "cp1250"
    WINDOWS_1251 = "cp1251"
    MAC_ROMAN = "mac_roman"
    SHIFT_JIS = "cp932"
    GBK = "gbk"
    BIG5 = "cp950"
    KOREAN = "cp949"
    WINDOWS_1254 = "cp1254"
    WINDOWS_1253 = "cp1253"
    WINDOWS_1255 = "cp1255"
    WINDOWS_1256 = "cp1256"
    WINDOWS_1257 = "cp1257"
    THAI = "cp874"
    ISO_8859_15 = "iso8859_15"
    ISO_8859_2 = "iso8859_2"
    DOS_850 = "cp850"
    DOS_852 = "cp852"
    DOS_866 = "cp866"
    KOI8 = "koi8_u"
    MAC_LATIN_2 = "mac_latin2"
    MAC_CYRILLIC = "mac_cyrillic"
    EUC_JP = "euc_jp"
    MAC_TURKISH = "mac_turkish"
    MAC_GREEK = "mac_greek"
    ISO_8859_7 = "iso8859_7"
    ISO_8859_5 = "iso8859_5"
    ISO_8859_4 = "iso8859_4"
    ISO_8859_6 = "iso8859_6"
    DOS_857 = "cp857"
    DOS_737 = "cp737"
    DOS_775 = "cp775"
    DOS_855 = "cp855"
    DOS_862 = "cp862"
    DOS_720 = "cp720"


UNICODE = (Encoding.UTF_8, Encoding.UTF_16_LE, Encoding.UTF_16_BE, Encoding.TWICE)
OTHERS = tuple(one for one in Encoding if one not in UNICODE)
# What UTF-8 is mistaken for before it is saved as UTF-8 once more.
MISTAKEN = ("cp1252", "mac_roman", "cp1250", "cp850", "cp437", "cp1251")
# Bytes below 0x40 are ASCII in every one of OTHERS, also behind the first byte of an East Asian letter.
_RUN = re.compile(rb"[^\x00-\x3f]+")
_LINE_END = re.compile("\r\n|\r|\n")  # and not the others of str.splitlines: byte 0x85 is an ellipsis
_BEYOND_ASCII = re.compile("[^\x00-\x7f]{2,}")


@dataclass(frozen=True)
class Reading:
    """What the file says in one encoding: a few of its lines in which the readings differ."""

    encoding: Encoding
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Decoded:
    """A file as text.

    Attributes:
        odd: Numbers, from 1, of the lines that are in another encoding than the rest, read as is likely.
        readings: Not empty where a person has to choose first; the likely reading comes first.
    """

    text: str
    encoding: Encoding
    odd: frozenset[int] = frozenset()
    readings: tuple[Reading, ...] = ()


def decode(content: bytes, chosen: Encoding | None = None) -> Decoded:
    """Return the text of a file, in the encoding that a person chose, or that its bytes show.

    Never fails: what cannot be read becomes U+FFFD, which the judgement of each row notices.
    """
    for mark, half in (
        (codecs.BOM_UTF16_LE, Encoding.UTF_16_LE),
        (codecs.BOM_UTF16_BE, Encoding.UTF_16_BE),
    ):
        if content.startswith(mark):
            return Decoded(content.removeprefix(mark).decode(half, "replace"), half)
    is_marked, content = content.startswith(codecs.BOM_UTF8), content.removeprefix(codecs.BOM_UTF8)
    if chosen is not None:
        return _as(content, chosen)
    if len(content) % 2 == 0 and content.count(0) > len(content) // 4:
        # UTF-16 without its mark: the zero halves of Latin letters tell which half comes first.
        low_first = content[1::2].count(0) >= content[0::2].count(0)
        half = Encoding.UTF_16_LE if low_first else Encoding.UTF_16_BE
        return Decoded(content.decode(half, "replace"), half)
    if not is_marked and not _is_utf_8(content):
        return _not_unicode(content)
    text, odd = _mostly_utf_8(content)
    repaired = _twice(text)
    if repaired != text:
        candidates = {Encoding.TWICE: repaired, Encoding.UTF_8: text}
        return Decoded(repaired, Encoding.TWICE, readings=_side_by_side(candidates))
    return (None if is_marked else _by_chance(content, text)) or Decoded(text, Encoding.UTF_8, odd)


def _as(content: bytes, encoding: Encoding) -> Decoded:
    if encoding is Encoding.UTF_8 or encoding is Encoding.TWICE:
        text, odd = _mostly_utf_8(content)
        return Decoded(text if encoding is Encoding.UTF_8 else _twice(text), encoding, odd)
    return Decoded(content.decode(encoding, "replace"), encoding)


def _by_chance(content: bytes, text: str) -> Decoded | None:
    """Return the question where a few bytes of another encoding happen to be UTF-8 that nobody writes."""
    words = Counter(_words(content))
    if len(words) > MOST_CHANCES or not words:
        return None
    if sum(map(_is_misspelt, words)) * 2 < len(words):
        return None
    ranked = _ranked(_telling(words))[:MOST_READINGS]
    likely = [one for one in ranked if not any(map(spelling.is_misspelt, one.words))]
    if not likely:
        return None
    candidates = {one.encoding: content.decode(one.encoding, "replace") for one in likely}
    candidates[Encoding.UTF_8] = text
    return Decoded(candidates[likely[0].encoding], likely[0].encoding, readings=_side_by_side(candidates))


def _not_unicode(content: bytes) -> Decoded:
    """Choose between the older encodings, and UTF-8 with some lines in one of them."""
    words = Counter(_words(content))
    # What is UTF-8 by chance reads as nobody writes.
    valid = [word for word in words if _is_utf_8(word) and not _is_misspelt(word)]
    if len(valid) >= 2 * (len(words) - len(valid)):
        # A word in another encoding is hardly ever UTF-8 by chance, so most of this file is.
        text, odd = _mostly_utf_8(content)
        return Decoded(text, Encoding.UTF_8, odd)
    judged = _telling(words)
    ranked = _ranked(judged)
    best = ranked[0]
    rivals = ranked[1:]
    if not valid and all(spelling.beats(best.words, rival.words) for rival in rivals):
        return Decoded(content.decode(best.encoding, "replace"), best.encoding)
    doubtful = [rival for rival in rivals if not spelling.beats(best.words, rival.words)]
    shown = [best, *doubtful][:MOST_READINGS]
    candidates = {one.encoding: content.decode(one.encoding, "replace") for one in shown}
    if valid:
        candidates[Encoding.UTF_8] = _mostly_utf_8(content)[0]
    return Decoded(candidates[best.encoding], best.encoding, readings=_side_by_side(candidates))


@dataclass(frozen=True)
class _Candidate:
    encoding: Encoding
    words: tuple[str, ...]


def _ranked(words: Sequence[bytes]) -> list[_Candidate]:
    """Return one candidate for each different reading of `words`, the likeliest first."""
    different: dict[tuple[str, ...], _Candidate] = {}
    for encoding in OTHERS:
        read = tuple(word.decode(encoding, "replace") for word in words)
        different.setdefault(read, _Candidate(encoding, read))
    # Sorting is stable, so of two equally good ones the more frequent encoding stays first.
    return sorted(different.values(), key=lambda one: spelling.likelihood(one.words), reverse=True)


def _telling(words: Counter[bytes]) -> list[bytes]:
    """Return words that hold every high byte of the file, then the most frequent others."""
    chosen: dict[bytes, None] = {}
    seen: set[int] = set()
    for word in words:
        if not seen.issuperset(word[:LONGEST_WORD]):
            seen.update(word[:LONGEST_WORD])
            chosen[word[:LONGEST_WORD]] = None
    for word, _ in words.most_common(MOST_WORDS):
        chosen[word[:LONGEST_WORD]] = None
    return list(chosen)


def _is_utf_8(word: bytes) -> bool:
    try:
        word.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_misspelt(word: bytes) -> bool:
    # The sign for a lost letter has three bytes: that is no chance, and the row's judgement notices it.
    return spelling.is_misspelt(word.decode("utf-8")[:LONGEST_WORD].replace("\ufffd", ""))


def _mostly_utf_8(content: bytes) -> tuple[str, frozenset[int]]:
    """Read line by line as UTF-8, and the lines that are not in the likeliest other encoding."""
    lines = content.splitlines(keepends=True)
    odd = [number for number, line in enumerate(lines) if not _is_utf_8(line)]
    if not odd:
        return content.decode("utf-8"), frozenset()
    words = Counter(word for number in odd for word in _words(lines[number]))
    other = _ranked(_telling(words))[0].encoding
    strange = set(odd)
    text = "".join(
        line.decode(other, "replace") if number in strange else line.decode("utf-8")
        for number, line in enumerate(lines)
    )
    return text, frozenset(number + 1 for number in odd)


def _twice(text: str) -> str:
    """Return the text with letters mended that went through UTF-8 twice; the same text where none did."""
    runs = set(_BEYOND_ASCII.findall(text))
    mended = max(
        ({run: whole for run in runs if (whole := _once(run, encoding))} for encoding in MISTAKEN), key=len
    )
    if not mended:
        return text
    return _BEYOND_ASCII.sub(lambda found: mended.get(found[0], found[0]), text)


def _once(run: str, encoding: str) -> str | None:
    """Return what `run` was before it was read as `encoding`; `None` where it never was."""
    try:
        # A byte that the encoding leaves open went through as a control character.
        whole = b"".join(
            sign.encode("latin-1" if "\x80" <= sign <= "\x9f" else encoding) for sign in run
        ).decode("utf-8")
    except UnicodeError:
        return None
    return whole if all(sign.isalnum() or sign in "’‘“”–—…´ \ufffd" for sign in whole) else None


def _side_by_side(candidates: dict[Encoding, str]) -> tuple[Reading, ...]:
    """Return each reading with the same lines, chosen so that the readings differ in them."""
    encodings = list(candidates)
    split = [_LINE_END.split(text) for text in candidates.values()]
    # An encoding that swallows a line end cannot be set side by side by number; then its own lines are shown.
    lines = range(min(map(len, split)))
    chosen: list[int] = []
    told: set[tuple[int, int]] = set()
    for line in lines:
        texts = [text[line] for text in split]
        new = {(a, b) for a in range(len(texts)) for b in range(a) if texts[a] != texts[b]} - told
        if new and len(chosen) < SAMPLES:
            told |= new
            chosen.append(line)
    for line in lines:
        if len(chosen) >= SAMPLES:
            break
        if line not in chosen and len({text[line] for text in split}) > 1:
            chosen.append(line)
    return tuple(
        Reading(encoding, tuple(_shown(text[line]) for line in sorted(chosen)))
        for encoding, text in zip(encodings, split, strict=True)
    )


def _shown(line: str) -> str:
    """Return the parts of a line that need an encoding to be read."""
    cells: Iterable[str] = (cell.strip(' "') for cell in re.split(r"[,;\t|]", line))
    return " · ".join(cell for cell in cells if not cell.isascii())[:LONGEST_SAMPLE]


def _words(content: bytes) -> list[bytes]:
    """Return the words with a letter beyond ASCII; by one pass, however long a run of letters is."""
    return [run for run in _RUN.findall(content) if not run.isascii()]
