"""Reading a roster: from the bytes of a CSV file to one verdict a row. Knows nothing of the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain, islice

from email_validator import EmailNotValidError, validate_email

from core.errors import InvalidInput, TooLarge
from core.people import addresses, cells, columns, encodings, full_names, pasted, places, tabular, workbooks
from core.people.columns import Columns, Field, Sample
from core.people.encodings import Decoded, Encoding, Reading
from core.people.rows import Reason, Row, Values, Verdict
from core.words import N_

MAX_BYTES = 5_000_000
MAX_ROWS = 10_000
# Ten for each person: empty lines between them and breaks within a cell leave a list far below.
MAX_LINES = 10 * MAX_ROWS
# As wide as the columns of `members`.
LONGEST = {"email": 254, "first_name": 80, "last_name": 80, "employee_id": 64, "department": 120}
LANGUAGES = {
    "en": "en",
    "english": "en",
    "englisch": "en",
    "de": "de",
    "german": "de",
    "deutsch": "de",
}
LONGEST_PLACE = 80  # of what could not be read, to show it
# What goes into mails and file names, so it must not run in a spreadsheet.
PLAIN = (Field.EMAIL, Field.FIRST_NAME, Field.LAST_NAME, Field.FULL_NAME, Field.EMPLOYEE_ID)
WHOLE = (Field.EMAIL, Field.FIRST_NAME, Field.LAST_NAME, Field.FULL_NAME)


class RosterEmpty(InvalidInput):
    """The file has no row below its header."""

    code = "roster_empty"


class RosterColumnsMissing(InvalidInput):
    """No column of the file can be what an invitation needs, or the chosen ones are not."""

    code = "roster_columns_missing"


class RosterTooLarge(TooLarge):
    """More rows or bytes than one import takes."""

    code = "roster_too_large"


class Question(StrEnum):
    """What a person has to say before a file can be judged."""

    ENCODING = "encoding"
    COLUMNS = "columns"


@dataclass(frozen=True)
class Choice:
    """What a person said about a file; what is `None` is found out.

    Attributes:
        columns: Field → index of its column, from 0.
        has_header: Whether the first line names the columns.
    """

    encoding: Encoding | None = None
    columns: Mapping[Field, int] | None = None
    has_header: bool | None = None


@dataclass(frozen=True)
class Roster:
    """Every row with its verdict, or the question that comes before.

    Attributes:
        rows: Empty while something is asked.
        encoding: What the file was read in.
        columns: What was taken from where.
        asks: What a person has to choose first.
        readings: Where the encoding is asked: what each one makes of the same lines, the likely one first.
        samples: Every column with its first values.
        guess: Where the columns are asked: what they seem to hold.
        above: The lines above the header, or above the first person: they are left out.
        choice: What was said about it, now or when such a list was read before.
        sheet: Which sheet of a workbook it was read from; empty where there is only one.
    """

    rows: tuple[Row, ...]
    encoding: Encoding
    columns: Columns
    asks: Question | None = None
    readings: tuple[Reading, ...] = ()
    samples: tuple[Sample, ...] = ()
    guess: Mapping[Field, int] = field(default_factory=dict)
    above: tuple[str, ...] = ()
    sheet: str = ""
    choice: Choice = field(default_factory=lambda: Choice())

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many rows have each verdict."""
        found = Counter(row.verdict for row in self.rows)
        return {verdict: found[verdict] for verdict in Verdict}

    @property
    def ignored(self) -> tuple[Sample, ...]:
        """The columns that nothing is taken from."""
        return tuple(self.samples[index] for index in self.columns.ignored)


def parse(content: bytes, choice: Choice | None = None, *, test_domains: bool = False) -> Roster:
    """Judge every row of a CSV file by what the file itself says, or ask what it does not say.

    Comma, semicolon, tab or bar; any usual encoding; header in any order, or none.

    Args:
        content: the file.
        choice: what a person said about it.
        test_domains: accept addresses under `.test`, which no mail reaches: in development only.

    Raises:
        RosterTooLarge: over 5 MB, 10,000 people or 100,000 lines.
        RosterEmpty: nothing below the header.
        RosterColumnsMissing: no column can hold addresses, or the chosen columns are not in the file.
        TableUnreadable: not a text table.
    """
    choice = choice or Choice()
    if len(content) > MAX_BYTES:
        raise RosterTooLarge("The file is larger than 5 MB. Please split it: nothing has been imported yet.")
    decoded, sheet = _decoded(content, choice)
    is_addresses = (addressed := pasted.table(decoded.text)) is not None
    if addressed is not None:
        decoded = replace(decoded, text=addressed)
    # Counted before a line is looked at: an empty one costs as much to read as a person.
    if tabular.line_ends(decoded.text) > MAX_LINES:
        raise RosterTooLarge(
            N_(
                "The file has more than 100,000 lines. Please delete empty ones, or split it:"
                " nothing has been imported yet."
            )
        )
    if decoded.readings:
        nothing = Columns((), {}, has_header=False)
        return Roster((), decoded.encoding, nothing, Question.ENCODING, decoded.readings)
    head, lines = _begin(decoded.text)
    if not head:
        raise RosterEmpty("The file is empty. It needs a header line and one line for each person.")
    start = columns.titles(head)
    found = _columns(head[start:], choice)
    above = tuple(_title(line) for line in head[:start])
    head = head[start + found.has_header :]
    if not head:
        raise RosterEmpty("There is a header and no person below it. Please add one line for each person.")
    if choice.columns is None:
        found = columns.without_addresses(found, head)
    samples = columns.samples(found, head)
    if not found.is_complete:
        if Field.EMAIL not in found.taken and "@" not in decoded.text:
            raise RosterColumnsMissing(
                "There is no email address in this file. It needs a column with one for each person, and"
                " their names. A header that works: email, first name, last name, employee id, department,"
                " language, country."
            )
        if len(found.labels) < 2:
            raise RosterColumnsMissing(
                N_(
                    "There is only one column in this file. Email addresses and names need one each, set apart by"
                    " comma, semicolon or tab. A header that works: email, first name, last name."
                )
            )
        guess = columns.guess(found, head)
        return Roster(
            (),
            decoded.encoding,
            found,
            Question.COLUMNS,
            samples=samples,
            guess=guess,
            above=above,
            sheet=sheet,
        )
    rows = _rows(chain(head, lines), found, decoded.odd, test_domains)
    if is_addresses:
        rows = tuple(_spelt(row) for row in rows)
    return Roster(rows, decoded.encoding, found, samples=samples, above=above, sheet=sheet)


def _decoded(content: bytes, choice: Choice) -> tuple[Decoded, str]:
    """Return the text of a file, and which sheet of a workbook it was read from."""
    if workbooks.is_workbook(content):
        book = workbooks.read(content, most_lines=MAX_LINES)
        return Decoded(book.text, Encoding.UTF_8), book.sheet
    tabular.refuse_known_binary(content)
    decoded = encodings.decode(content, choice.encoding)
    tabular.refuse_binary(decoded.text)
    return decoded, ""


def _begin(text: str) -> tuple[list[tabular.Line], Iterator[tabular.Line]]:
    """Return the first lines and the rest: read so that they have a header that says all, if any way does."""
    head, lines = _first_lines(text, tabular.delimiters(text)[0])
    if not columns.has_complete_header(head):
        for whole in (text, tabular.unwrapped(text)):
            for delimiter in tabular.delimiters(whole):
                with suppress(tabular.TableUnreadable):
                    other, rest = _first_lines(whole, delimiter)
                    if columns.has_complete_header(other):
                        return other, rest
    return head, lines


def _first_lines(text: str, delimiter: str) -> tuple[list[tabular.Line], Iterator[tabular.Line]]:
    lines = tabular.read(text, delimiter)
    return list(islice(lines, columns.LOOKED_AT)), lines


def _title(line: tabular.Line) -> str:
    return " ".join(" ".join(line.cells).split())


def _columns(lines: Sequence[tabular.Line], choice: Choice) -> Columns:
    """Return what the header says about the columns, and what a person says above it."""
    first = lines[0]
    found = columns.find(first)
    has_header = found.has_header if choice.has_header is None else choice.has_header
    labels = (
        tuple(" ".join(cell.split()) for cell in first.cells)
        if has_header
        else ("",) * max(len(line.cells) for line in lines)
    )
    if choice.columns is None:
        return Columns(labels, found.taken if has_header else {}, has_header)
    chosen = Columns(labels, choice.columns, has_header)
    used = list(chosen.taken.values())
    if not chosen.is_complete or len(set(used)) < len(used) or not set(used) <= set(range(len(labels))):
        raise RosterColumnsMissing(
            N_(
                "Please choose one column with the email addresses and one or two with the names,"
                " and no column twice."
            )
        )
    return chosen


def _rows(
    lines: Iterator[tabular.Line], found: Columns, odd: frozenset[int], test_domains: bool
) -> tuple[Row, ...]:
    rows: list[Row] = []
    emails: set[str] = set()
    employee_ids: set[str] = set()
    for line in lines:
        if len(rows) == MAX_ROWS:
            raise RosterTooLarge(
                "The file has more than 10,000 people. Please split it: nothing has been imported yet."
            )
        row = _row(line, found, test_domains)
        if odd and not odd.isdisjoint(range(line.number, line.ends + 1)):
            row = row.because(Reason.OTHER_ENCODING)
        email, employee_id = addresses.canonical(row.values.email), row.values.employee_id
        # The first of two stands, so only a row that will be imported can make a later one a duplicate.
        if row.values.email and email in emails:
            row = row.because(Reason.DUPLICATE_EMAIL)
        elif employee_id and employee_id in employee_ids:
            row = row.because(Reason.DUPLICATE_EMPLOYEE_ID)
        if row.is_good:
            emails.add(email)
            employee_ids.add(employee_id)
        rows.append(row)
    return tuple(rows)


def judge_one(cells: Mapping[Field, str], *, test_domains: bool = False) -> Row:
    """Judge one person as a row of a list is judged, whatever they come from.

    Args:
        cells: what is said of them, as somebody wrote it.
        test_domains: see `parse`.
    """
    found = Columns(tuple(cells), {one: index for index, one in enumerate(cells)}, has_header=True)
    return _row(tabular.Line(1, tuple(cells.values()), 1), found, test_domains)


def _spelt(row: Row) -> Row:
    """Say of a person who came as an address alone where the name is from."""
    name = f"{row.values.first_name} {row.values.last_name}".strip()
    is_guessed = bool(name) and name == pasted.spelt(row.values.email)
    return row.because(Reason.NAME_SPELT) if is_guessed else row


def _row(line: tabular.Line, found: Columns, test_domains: bool) -> Row:
    raw = {one: line.cells[index] for one, index in found.taken.items() if index < len(line.cells)}
    tidy = {one: cells.tidy(cell) for one, cell in raw.items()}
    first_name, last_name = full_names.parts(
        tidy.get(Field.FIRST_NAME, ""),
        tidy.get(Field.LAST_NAME, ""),
        tidy.get(Field.FULL_NAME, ""),
        family_first=found.is_family_first,
    )
    email, problem = _email(tidy.get(Field.EMAIL, ""), test_domains)
    language, unknown = _language(tidy.get(Field.LANGUAGE, ""))
    works = places.read(*(tidy.get(one, "") for one in (Field.COUNTRY, Field.STATE, Field.LOCATION)))
    values = Values(
        email=email,
        first_name=first_name,
        last_name=last_name,
        employee_id=tidy.get(Field.EMPLOYEE_ID, ""),
        department=tidy.get(Field.DEPARTMENT, ""),
        language=language,
        place=works.code,
        place_unread=works.unread[:LONGEST_PLACE],
    )
    reasons = list(_cell_reasons(line.cells[len(found.labels) :], raw, tidy))
    if any(len(getattr(values, name)) > most for name, most in LONGEST.items()):
        reasons.append(Reason.TOO_LONG)
    if not (first_name and last_name):
        reasons.append(Reason.NAME_INCOMPLETE if first_name or last_name else Reason.NAME_MISSING)
    if problem and Reason.FORMULA not in reasons:
        reasons.append(problem)
    if unknown:
        reasons.append(unknown)
    if works.unread:
        reasons.append(Reason.PLACE_UNKNOWN)
    elif works.code == places.UNITED_STATES:
        reasons.append(Reason.STATE_MISSING)
    return Row(line.number, values, tuple(reasons))


def _cell_reasons(
    surplus: tuple[str, ...], raw: Mapping[Field, str], tidy: Mapping[Field, str]
) -> Iterator[Reason]:
    """Yield what is wrong with the cells themselves, whatever they are to say."""
    if any(cell.strip() for cell in surplus):
        yield Reason.TOO_MANY_CELLS
    if any(map(cells.is_strange, tidy.values())):
        yield Reason.CONTROL_CHARACTERS
    # An invisible character before a formula must not hide it.
    formula = any(cells.is_formula(raw.get(one, "")) or cells.is_formula(tidy.get(one, "")) for one in PLAIN)
    if formula:
        yield Reason.FORMULA
    if any(cells.has_lost_letters(tidy.get(one, "")) for one in WHOLE) or any(
        cells.LOST in cell for cell in tidy.values()
    ):
        yield Reason.LETTERS_LOST
    elif not formula and any(cells.has_odd_signs(tidy.get(one, "")) for one in columns.NAMES):
        yield Reason.NAME_ODD
    elif cells.may_have_lost_letters(tidy.get(Field.DEPARTMENT, "")):
        yield Reason.LETTERS_DOUBTFUL


def _email(cell: str, test_domains: bool) -> tuple[str, Reason | None]:
    if not cell:
        return "", Reason.EMAIL_MISSING
    # Nobody types a joiner into an address.
    cell = "".join(sign for sign in cell if sign not in cells.JOINERS)
    try:
        found = validate_email(cell, check_deliverability=False, test_environment=test_domains)
    except EmailNotValidError:
        return cell, Reason.EMAIL_INVALID
    # Complete, but only servers with SMTPUTF8 (RFC 6531) take it. A replacement sign is nobody's letter.
    if found.smtputf8:
        return cell, Reason.EMAIL_INVALID if cells.LOST in cell else Reason.EMAIL_LETTERS
    # The form that every mail server understands: an international domain in its ASCII spelling.
    return f"{found.local_part}@{found.ascii_domain}", None


def _language(cell: str) -> tuple[str, Reason | None]:
    if not cell:
        return "", None
    known = LANGUAGES.get(cell.casefold()) or LANGUAGES.get(cell.casefold().replace("_", "-").split("-")[0])
    return (known, None) if known else ("", Reason.LANGUAGE_UNKNOWN)
