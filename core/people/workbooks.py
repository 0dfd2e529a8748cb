"""Excel workbooks, read as the text table that they hold: values alone, and nothing in them is ever evaluated.

Row by row, so that no cell far out makes room for all those before it; what it unpacks to is counted first, as a few
kilobytes can unpack to gigabytes.
"""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Final

from core.errors import TooLarge
from core.people import columns
from core.people.tabular import Line, TableUnreadable
from core.words import N_

if TYPE_CHECKING:
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

MOST_BYTES: Final = 100_000_000  # unpacked; 10,000 people with thirty columns are 20 MB
MOST_COLUMNS: Final = 200
MOST_SHEETS: Final = 100
FIRST_ROWS: Final = 1000  # a sheet with nothing in these is empty
_PIECE: Final = 1 << 20
_ZIP: Final = b"PK\x03\x04"


class WorkbookTooLarge(TooLarge):
    """It unpacks to more than a list of people can be."""

    code = "workbook_too_large"


@dataclass(frozen=True)
class Book:
    """A workbook's table.

    Attributes:
        text: its rows as CSV, one a line.
        sheet: which sheet it was read from; empty where there is only one.
    """

    text: str
    sheet: str


def is_workbook(content: bytes) -> bool:
    """Whether a file is a ZIP, as workbooks are."""
    return content.startswith(_ZIP)


def read(content: bytes, *, most_lines: int) -> Book:
    """Return the table of the first sheet that is a list of people, as far as one can be told; a cover sheet is none.

    Columns in which no row has anything are left out.

    Args:
        content: the file.
        most_lines: how many rows are read; one more is kept, so that whoever counts them sees that there are more.

    Raises:
        TableUnreadable: it is no workbook, is locked with a password, or is empty.
        WorkbookTooLarge: it unpacks to too much.
    """
    from openpyxl import load_workbook  # only where a workbook is read: it is large

    try:
        _demand_size(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that are left out
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            sheets = [one for one in book.worksheets if one.sheet_state == "visible"][:MOST_SHEETS]
            sheet = max(sheets, key=_likeness, default=None)  # the first of equals
            if sheet is None or not any(_rows(sheet, FIRST_ROWS)):
                raise TableUnreadable(
                    N_("This workbook is empty. Please choose the one that holds your list.")
                )
            text = _text(_rows(sheet, most_lines + 1))
    except (TableUnreadable, WorkbookTooLarge):
        raise
    except Exception as error:
        raise TableUnreadable(
            N_(
                "This file cannot be read as an Excel workbook. Open it in Excel and save it as “Excel workbook (.xlsx)”"
                " or “CSV UTF-8”; a password has to be taken off first."
            )
        ) from error
    return Book(text, str(sheet.title) if len(sheets) > 1 else "")


def _demand_size(content: bytes) -> None:
    total = 0
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            with archive.open(info) as part:
                # What a header says of its size may be anything.
                while piece := part.read(_PIECE):
                    total += len(piece)
                    if total > MOST_BYTES:
                        raise WorkbookTooLarge(
                            N_(
                                "This workbook is too large. Please copy the list of people into one of its own."
                            )
                        )


def _rows(sheet: ReadOnlyWorksheet, most: int) -> Iterator[tuple[str, ...]]:
    """Yield a sheet's first rows, at most: the number of a row may be anything, and all before it would be made."""
    sheet.reset_dimensions()  # it may say anything
    for row in sheet.iter_rows(max_row=most, max_col=MOST_COLUMNS, values_only=True):
        cells = [_cell(value) for value in row]
        while cells and not cells[-1]:  # each row comes as wide as the widest may be
            cells.pop()
        yield tuple(cells)


def _cell(value: object) -> str:
    """Return a cell as a person reads it; a line break is a blank, so that a row is a line."""
    if value is None:
        return ""
    if (
        isinstance(value, float) and value.is_integer() and abs(value) < 1e15
    ):  # 15 digits are all that Excel keeps
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return " ".join(str(value).split())


def _likeness(sheet: ReadOnlyWorksheet) -> int:
    """Return how much a sheet is like a list of people: a header alone is none, nor is a title."""
    head = _rows(sheet, columns.LOOKED_AT)
    lines = [Line(number, row, number) for number, row in enumerate(head, 1) if row]
    if not lines:
        return 0
    header, *below = lines[columns.titles(lines) :]
    if not below:
        return 1
    if columns.find(header).is_complete:
        return 4
    return 3 if columns.has_addresses(below) else 2 if len(header.cells) > 1 else 1


def _text(rows: Iterator[tuple[str, ...]]) -> str:
    """Return rows as CSV: empty ones stay, so that a row's number is that of its line; empty columns do not."""
    read = list(rows)
    used = sorted({index for row in read for index, cell in enumerate(row) if cell})
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\n")
    for row in read:
        writer.writerow([row[index] if index < len(row) else "" for index in used] if row else ())
    return target.getvalue()
