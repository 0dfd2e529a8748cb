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
from itertools import islice, pairwise

from core.errors import InvalidInput
from core.words import N_

DELIMITERS = ";\t|,"  # of two that stand equally often, the earlier: a comma stands in names as well
FIRST_LINES = 12  # that are not blank: titles, the header and a row below it
# Excel's own first line, in quotes or not, and with the empty cells that it writes behind it when it saves the file.
_DECLARED = re.compile(r"""(?i)"?sep=(?P<delimiter>[^\w\s"]|\t)[^\w\r\n]*(?:\r\n|\r|\n|\Z)""")
# A cell that begins with one of these may run as a formula (OWASP ASVS 5.0, 1.2.10; CR added). Where a spreadsheet's own
# delimiter is another than ours, as in German, a cell begins behind each of those too.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")
_INNER_FORMULA = re.compile(r"(?<=[;\t|\r\n])(\s*)(?=[=+\-@])")
BINARY_STARTS = {
    b"\xd0\xcf\x11\xe0": N_(
        "This is an old Excel file. In Excel choose “Save as” and the type “Excel workbook (.xlsx)”."
    ),
    b"%PDF": N_("This is a PDF. Please export the list as an Excel workbook (.xlsx) or a CSV file."),
}
_STRANGE = "".join(map(chr, range(32))).translate({ord(end): None for end in "\r\n\t"})
NOT_TEXT = N_(
    "This file is no table. Please export the list as an Excel workbook (.xlsx) or a CSV file and upload that."
)


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


def delimiters(text: str) -> tuple[str, ...]:
    """Return what may stand between the cells of a text, the likeliest first: what Excel's own line says.

    Else the header's is likely: the first that the line below has as well, for a title above may hold a comma.
    """
    declared = _DECLARED.match(text)
    body = text[declared.end() :] if declared else text
    counts = [_counts(line) for line in islice(filter(str.strip, body.splitlines()), FIRST_LINES)]
    there = [sign for sign in DELIMITERS if any(own[sign] for own in counts)] or [","]
    alone = next((own for own in counts if any(own.values())), _counts(""))
    there.sort(key=alone.__getitem__, reverse=True)
    for own, below in pairwise(counts):
        if own[likely := max(DELIMITERS, key=own.__getitem__)] and below[likely]:
            there.insert(0, likely)
            break
    return tuple(dict.fromkeys((declared["delimiter"], *there) if declared else there))


def unwrapped(text: str) -> str:
    """Return a text whose lines are a quoted cell each without these quotation marks, else the same text.

    A spreadsheet leaves such a file when it saves one that it had opened with another delimiter.
    """
    lines = text.splitlines(keepends=True)
    bare = [line.strip().rstrip("".join(DELIMITERS)) for line in lines if line.strip()]
    if not bare or not all(len(line) > 1 and line[0] == line[-1] == '"' for line in bare):
        return text
    return "\n".join(line.strip().rstrip("".join(DELIMITERS))[1:-1].replace('""', '"') for line in lines)


def read(text: str, delimiter: str | None = None) -> Iterator[Line]:
    """Yield every record that is not blank; with the likeliest delimiter, unless one is given.

    Raises:
        TableUnreadable: a quotation mark is opened and never closed, or a cell has no end.
    """
    delimiter = delimiter or delimiters(text)[0]
    before = 0
    if declared := _DECLARED.match(text):
        text, before = text[declared.end() :], 1
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


def _counts(line: str) -> dict[str, int]:
    """Return how often each delimiter stands in a line outside quotation marks."""
    outside = "".join(line.split('"')[0::2])
    return {delimiter: outside.count(delimiter) for delimiter in DELIMITERS}


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
    """Return `cell` so that no spreadsheet runs it, or part of it: formulas get an apostrophe in front."""
    cell = _INNER_FORMULA.sub(r"\1'", cell)
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def write(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a CSV file (RFC 4180, UTF-8 with mark, which Excel needs) in which nothing can run."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow([neutral(cell) for cell in header])
    writer.writerows([[neutral(cell) for cell in row] for row in rows])
    return codecs.BOM_UTF8 + target.getvalue().encode()
