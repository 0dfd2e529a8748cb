"""Which fonts this machine has for which letters: fontconfig's answer, as WeasyPrint's pages get it too."""

from __future__ import annotations

import ctypes
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes.util import find_library
from functools import cache
from typing import Any

# Values of fontconfig's C interface (fontconfig.h 2.12 and later).
_MATCH_PATTERN = 0
_RESULT_MATCH = 0
_WEIGHT_BOLD = 200


@cache
def _library() -> Any:
    """Return libfontconfig, ready to be asked, or `None` where the machine has none."""
    try:
        library = ctypes.CDLL("libfontconfig.so.1")
    except OSError:
        name = find_library("fontconfig")  # where it has another file name, as on macOS
        if name is None:
            return None
        library = ctypes.CDLL(name)
    for name in ("FcPatternCreate", "FcCharSetCreate", "FcFontMatch"):
        getattr(library, name).restype = ctypes.c_void_p
    return library if library.FcInit() else None


@contextmanager
def _best_match(text: str, *, bold: bool) -> Iterator[Any]:
    """Yield fontconfig's pattern of the font that has the most letters of `text`, or `None`."""
    library = _library()
    if library is None:
        yield None
        return
    letters, wanted = ctypes.c_void_p(library.FcCharSetCreate()), ctypes.c_void_p(library.FcPatternCreate())
    try:
        for letter in text:
            library.FcCharSetAddChar(letters, ctypes.c_uint32(ord(letter)))
        library.FcPatternAddCharSet(wanted, b"charset", letters)
        library.FcPatternAddString(wanted, b"family", b"sans-serif")
        if bold:
            library.FcPatternAddInteger(wanted, b"weight", _WEIGHT_BOLD)
        library.FcConfigSubstitute(None, wanted, _MATCH_PATTERN)
        library.FcDefaultSubstitute(wanted)
        result = ctypes.c_int()
        found = ctypes.c_void_p(library.FcFontMatch(None, wanted, ctypes.byref(result)))
        try:
            yield found or None
        finally:
            if found:
                library.FcPatternDestroy(found)
    finally:
        library.FcPatternDestroy(wanted)
        library.FcCharSetDestroy(letters)


def covering(text: str, *, bold: bool = False) -> tuple[str, int] | None:
    """Return file and face number of an installed font that has every letter of `text`, or `None`."""
    with _best_match(text, bold=bold) as found:
        if found is None:
            return None
        library = _library()
        letters, file, face = ctypes.c_void_p(), ctypes.c_char_p(), ctypes.c_int()
        if library.FcPatternGetCharSet(found, b"charset", 0, ctypes.byref(letters)) != _RESULT_MATCH:
            return None
        if not all(library.FcCharSetHasChar(letters, ctypes.c_uint32(ord(letter))) for letter in text):
            return None
        if library.FcPatternGetString(found, b"file", 0, ctypes.byref(file)) != _RESULT_MATCH:
            return None
        library.FcPatternGetInteger(found, b"index", 0, ctypes.byref(face))
        return (file.value or b"").decode(), face.value


def without_glyph(text: str) -> list[str]:
    """Return the letters of `text` that no installed font has, each once, in order.

    What is never drawn by itself (spaces, controls, joiners, selectors of a form) is not asked for.
    """
    drawn = dict.fromkeys(
        letter
        for letter in text
        if not letter.isspace()
        and unicodedata.category(letter) != "Cf"
        and not "\ufe00" <= letter <= "\ufe0f"
    )
    return [letter for letter in drawn if covering(letter) is None]
