"""Reading tables that people export from spreadsheets, and writing ones that a spreadsheet may open.

Reading finds the delimiter out by itself; `encodings` finds the encoding. Writing neutralises formulas, so
that a cell that someone else typed never runs on the reader's machine (OWASP ASVS 5.0, 1.2.10).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from core.errors import InvalidInput
from core.words import N_

DELIMITERS = ",;\t|"
# Excel's own first line, in quotes or not, and with the empty cells that it writes behind it when it saves the file.
_DECLARED = re.compile(r"""(?i)"?sep=(?P<delimiter>[^\w\s"]|\t)[^\w\r\n]*(?:\r\n|\r|\n|\Z)""")
# A cell that begins with one of these may run as a formula (OWASP ASVS 5.0, 1.2.10; CR added).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")
BINARY_STARTS = {
    b"PK\x03\x04": N_("This is an Excel or ZIP file. In Excel choose “Save as” and the type “CSV UTF-8”."),
    b"\xd0\xcf\x11\xe0": N_("This is an old Excel file. In Excel choose “Save as” and the type “CSV UTF-8”."),
    b"%PDF": N_("This is a PDF. Please export the list as a CSV file."),
}
_STRANGE = "".join(map(chr, range(32))).translate({ord(end): None for end in "\r\n\t"})
NOT_TEXT = "This file is not text. Please export the list as a CSV file and upload that."


class TableUnreadable(InvalidInput):
    """The file as a whole is no table that we can read."""

    code = "table_unreadable"


@dataclass(frozen=True)
class Line:
    """One record; `number` and `ends` are the lines of the file on which it begins and ends, counted from 1."""

    number: int
    cells: tuple[str, ...]
    ends: int

    @property
    def is_blank(self) -> bool:
        """Whether nothing stands in it."""
        return not any(cell.strip() for cell in self.cells)


def refuse_known_binary(content: bytes) -> None:
    """Say what a file is that begins like no text.

    Raises:
        TableUnreadable: with the way to a text of it.
    """
    for start, message in BINARY_STARTS.items():
        if content.startswith(start):
            raise TableUnreadable(message)


def refuse_binary(text: str) -> None:
    """Refuse what is no text in any encoding.

    Raises:
        TableUnreadable: line ends and tabs are text; with many other control characters it is a picture
            or a program.
    """
    strange = sum(map(text.count, _STRANGE))
    if strange > max(2, len(text) // 200):
        raise TableUnreadable(NOT_TEXT)


def line_ends(text: str) -> int:
    """Return how many lines end in a text, with whichever of the three line ends."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def read(text: str) -> Iterator[Line]:
    """Yield every record that is not blank; the first one is the header.

    Raises:
        TableUnreadable: a quotation mark is opened and never closed, or a cell has no end.
    """
    delimiter, text, before = _delimiter(text)
    strict = _quotes_are_closed(text, delimiter, before)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    begins = before + 1
    try:
        for cells in reader:
            line = Line(begins, tuple(cells), before + reader.line_num)
            begins = line.ends + 1
            if not line.is_blank:
                yield line
    except csv.Error as error:
        raise TableUnreadable(
            "The file cannot be read from line %(line)s on: a cell has no end.", line=begins
        ) from error


def _delimiter(text: str) -> tuple[str, str, int]:
    """Return the delimiter, the text without Excel's `sep=;` line, and how many lines that took away."""
    if declared := _DECLARED.match(text):
        return declared["delimiter"], text[declared.end() :], 1
    header = next((line for line in text.splitlines() if line.strip()), "")
    outside = "".join(header.split('"')[0::2])
    return max(DELIMITERS, key=outside.count), text, 0


def _quotes_are_closed(text: str, delimiter: str, before: int) -> bool:
    """Return whether every quotation mark is where RFC 4180 wants it; a stray one within a cell is let be.

    Raises:
        TableUnreadable: one is opened and never closed, so the rest of the file would be one cell.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = before + 1
    try:
        for _ in reader:
            begins = before + reader.line_num + 1
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise TableUnreadable(
                "In line %(line)s a quotation mark is opened and never closed. Please correct the line.",
                line=begins,
            ) from error
        return False
    return True


def neutral(cell: str) -> str:
    """Return `cell` so that no spreadsheet runs it: formulas get an apostrophe in front."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def write(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a CSV file (RFC 4180, UTF-8 with mark, which Excel needs) in which nothing can run."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([neutral(cell) for cell in header])
    writer.writerows([[neutral(cell) for cell in row] for row in rows])
    return codecs.BOM_UTF8 + target.getvalue().encode()
