"""Reading a roster: from the bytes of a CSV file to one verdict a row. Knows nothing of the database."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from email_validator import EmailNotValidError, validate_email

from core.errors import InvalidInput, TooLarge
from core.people import tabular
from core.words import N_

MAX_BYTES = 5_000_000
MAX_ROWS = 10_000
# Ten for each person: empty lines between them and breaks within a cell leave a list far below.
MAX_LINES = 10 * MAX_ROWS
# As wide as the columns of `members`.
LONGEST = {"email": 254, "first_name": 80, "last_name": 80, "employee_id": 64, "department": 120}
REQUIRED = ("email", "first_name", "last_name")
LANGUAGES = {
    "en": "en",
    "english": "en",
    "englisch": "en",
    "de": "de",
    "german": "de",
    "deutsch": "de",
}
HEADERS = {
    "email": ("email", "emailaddress", "mail", "mailaddress", "emailadresse", "mailadresse", "workemail"),
    "first_name": ("firstname", "first", "givenname", "vorname", "rufname"),
    "last_name": ("lastname", "last", "surname", "familyname", "nachname", "familienname", "name"),
    "employee_id": ("employeeid", "employeenumber", "employeeno", "staffid", "personnelnumber",
                    "personalnummer", "personalnr", "mitarbeiternummer", "mitarbeiterid", "id"),
    "department": ("department", "dept", "team", "division", "abteilung", "bereich"),
    "language": ("language", "lang", "locale", "sprache"),
}  # fmt: skip
COLUMN_OF = {synonym: column for column, synonyms in HEADERS.items() for synonym in synonyms}
# Characters that turn the reading direction: a name with one can look like another name.
DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class RosterEmpty(InvalidInput):
    """The file has no row below its header."""

    code = "roster_empty"


class RosterColumnsMissing(InvalidInput):
    """The header does not name every column that an invitation needs."""

    code = "roster_columns_missing"


class RosterTooLarge(TooLarge):
    """More rows or bytes than one import takes."""

    code = "roster_too_large"


class Verdict(StrEnum):
    """What the import will do with a row."""

    OK = "ok"
    WARNING = "warning"  # imported, and something in it is worth a look
    SKIPPED = "skipped"  # nothing to do: the person is in the shoot already
    REJECTED = "rejected"


class Reason(StrEnum):
    """Why a row is not plainly fine."""

    TOO_MANY_CELLS = "too_many_cells"
    EMAIL_MISSING = "email_missing"
    EMAIL_INVALID = "email_invalid"
    NAME_MISSING = "name_missing"
    NAME_INCOMPLETE = "name_incomplete"
    FORMULA = "formula"
    CONTROL_CHARACTERS = "control_characters"
    TOO_LONG = "too_long"
    DUPLICATE_EMAIL = "duplicate_email"
    DUPLICATE_EMPLOYEE_ID = "duplicate_employee_id"
    LANGUAGE_UNKNOWN = "language_unknown"
    EXISTING_MEMBER = "existing_member"
    ALREADY_IN_SHOOT = "already_in_shoot"
    EMPLOYEE_ID_TAKEN = "employee_id_taken"
    MEMBER_DISABLED = "member_disabled"


TEXTS: Mapping[Reason, str] = {
    Reason.TOO_MANY_CELLS: N_(
        "The row has more cells than the header. Put names with a comma into quotation marks."
    ),
    Reason.EMAIL_MISSING: N_("There is no email address."),
    Reason.EMAIL_INVALID: N_("This is not a complete email address."),
    Reason.NAME_MISSING: N_("There is no name."),
    Reason.NAME_INCOMPLETE: N_("Only one of first and last name is given."),
    Reason.FORMULA: N_("A cell begins like a spreadsheet formula (=, +, - or @)."),
    Reason.CONTROL_CHARACTERS: N_("A cell holds invisible control characters."),
    Reason.TOO_LONG: N_("A cell is longer than it can be stored."),
    Reason.DUPLICATE_EMAIL: N_("The same email address stands in an earlier row."),
    Reason.DUPLICATE_EMPLOYEE_ID: N_("The same employee ID stands in an earlier row."),
    Reason.LANGUAGE_UNKNOWN: N_("This language is not offered; your company's language is used."),
    Reason.EXISTING_MEMBER: N_("Already in your organization; the known name is kept."),
    Reason.ALREADY_IN_SHOOT: N_("Already in this shoot; no second invitation is sent."),
    Reason.EMPLOYEE_ID_TAKEN: N_("Someone with another email address has this employee ID."),
    Reason.MEMBER_DISABLED: N_("This account was closed by your company's directory."),
}
WARNINGS = frozenset({Reason.NAME_INCOMPLETE, Reason.LANGUAGE_UNKNOWN, Reason.EXISTING_MEMBER})
SKIPS = frozenset({Reason.ALREADY_IN_SHOOT})


@dataclass(frozen=True)
class Values:
    """A row's cells, trimmed; `language` is `en`, `de` or empty for the company's own."""

    email: str = ""
    first_name: str = ""
    last_name: str = ""
    employee_id: str = ""
    department: str = ""
    language: str = ""


@dataclass(frozen=True)
class Row:
    """One person of the file, and why the row is not plainly fine."""

    line: int
    values: Values
    reasons: tuple[Reason, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The weightiest of the reasons decides."""
        if any(reason not in WARNINGS and reason not in SKIPS for reason in self.reasons):
            return Verdict.REJECTED
        if any(reason in SKIPS for reason in self.reasons):
            return Verdict.SKIPPED
        return Verdict.WARNING if self.reasons else Verdict.OK

    @property
    def is_good(self) -> bool:
        """Whether the import will invite this person."""
        return self.verdict in (Verdict.OK, Verdict.WARNING)

    @property
    def text(self) -> str:
        """The reasons in English, one sentence each."""
        return " ".join(TEXTS[reason] for reason in self.reasons)

    def because(self, *reasons: Reason) -> Row:
        """Return the row with further reasons."""
        return replace(self, reasons=(*self.reasons, *reasons))


@dataclass(frozen=True)
class Roster:
    """Every row with its verdict."""

    rows: tuple[Row, ...]

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many rows have each verdict."""
        found = Counter(row.verdict for row in self.rows)
        return {verdict: found[verdict] for verdict in Verdict}


def parse(content: bytes, *, test_domains: bool = False) -> Roster:
    """Judge every row of a CSV file by what the file itself says.

    Comma, semicolon or tab; UTF-8, UTF-16 or Windows-1252; English or German header in any order.

    Args:
        content: the file.
        test_domains: accept addresses under `.test`, which no mail reaches: in development only.

    Raises:
        RosterTooLarge: over 5 MB, 10,000 people or 100,000 lines.
        RosterEmpty: nothing below the header.
        RosterColumnsMissing: names the columns that an invitation needs.
        TableUnreadable: not a text table.
    """
    if len(content) > MAX_BYTES:
        raise RosterTooLarge("The file is larger than 5 MB. Please split it: nothing has been imported yet.")
    text = tabular.decode(content)
    # Counted before a line is looked at: an empty one costs as much to read as a person.
    if tabular.line_ends(text) > MAX_LINES:
        raise RosterTooLarge(
            N_(
                "The file has more than 100,000 lines. Please delete empty ones, or split it:"
                " nothing has been imported yet."
            )
        )
    lines = tabular.read(text)
    header = next(lines, None)
    if header is None:
        raise RosterEmpty("The file is empty. It needs a header line and one line for each person.")
    columns = _columns(header)
    rows: list[Row] = []
    emails: set[str] = set()
    employee_ids: set[str] = set()
    for line in lines:
        if len(rows) == MAX_ROWS:
            raise RosterTooLarge(
                "The file has more than 10,000 people. Please split it: nothing has been imported yet."
            )
        row = _row(line, columns, test_domains)
        email, employee_id = row.values.email.casefold(), row.values.employee_id
        # The first of two stands, so only a row that will be imported can make a later one a duplicate.
        if email and email in emails:
            row = row.because(Reason.DUPLICATE_EMAIL)
        elif employee_id and employee_id in employee_ids:
            row = row.because(Reason.DUPLICATE_EMPLOYEE_ID)
        if row.is_good:
            emails.add(email)
            employee_ids.add(employee_id)
        rows.append(row)
    if not rows:
        raise RosterEmpty("There is a header and no person below it. Please add one line for each person.")
    return Roster(tuple(rows))


def _columns(header: tabular.Line) -> dict[str, int]:
    columns: dict[str, int] = {}
    for index, cell in enumerate(header.cells):
        name = "".join(character for character in cell.casefold() if character.isalnum())
        column = COLUMN_OF.get(name)
        if column is not None:
            columns.setdefault(column, index)
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        names = ", ".join(column.replace("_", " ") for column in missing)
        raise RosterColumnsMissing(
            "The first line must name the columns; not found: %(names)s."
            " A header that works: email, first name, last name, employee id, department, language.",
            names=names,
            missing=missing,
        )
    columns["+"] = len(header.cells)
    return columns


def _row(line: tabular.Line, columns: Mapping[str, int], test_domains: bool) -> Row:
    raw = {
        column: line.cells[index]
        for column, index in columns.items()
        if column != "+" and index < len(line.cells)
    }
    # A line break or a run of blanks within a cell is a blank.
    cells = {column: " ".join(unicodedata.normalize("NFC", cell).split()) for column, cell in raw.items()}
    reasons: list[Reason] = []
    if any(cell.strip() for cell in line.cells[columns["+"] :]):
        reasons.append(Reason.TOO_MANY_CELLS)
    if any(_is_strange(character) for cell in cells.values() for character in cell):
        reasons.append(Reason.CONTROL_CHARACTERS)
    if any(len(cells.get(column, "")) > most for column, most in LONGEST.items()):
        reasons.append(Reason.TOO_LONG)
    if any(_is_formula(raw.get(column, "")) for column in (*REQUIRED, "employee_id")):
        reasons.append(Reason.FORMULA)
    reasons += _name_reasons(cells)
    email, problem = _email(cells.get("email", ""), test_domains)
    if problem and Reason.FORMULA not in reasons:
        reasons.append(problem)
    language, problem = _language(cells.get("language", ""))
    if problem:
        reasons.append(problem)
    values = Values(
        email=email,
        first_name=cells.get("first_name", ""),
        last_name=cells.get("last_name", ""),
        employee_id=cells.get("employee_id", ""),
        department=cells.get("department", ""),
        language=language,
    )
    return Row(line.number, values, tuple(reasons))


def _is_strange(character: str) -> bool:
    # Control, surrogate, private and unassigned characters have no place in a name.
    return character in DIRECTION_MARKS or unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn")


def _is_formula(cell: str) -> bool:
    return cell.startswith(tabular.FORMULA_STARTS) or cell.lstrip().startswith(tabular.FORMULA_STARTS)


def _name_reasons(cells: Mapping[str, str]) -> list[Reason]:
    given = [bool(cells.get(column)) for column in ("first_name", "last_name")]
    if all(given):
        return []
    return [Reason.NAME_INCOMPLETE] if any(given) else [Reason.NAME_MISSING]


def _email(cell: str, test_domains: bool) -> tuple[str, Reason | None]:
    if not cell:
        return "", Reason.EMAIL_MISSING
    try:
        found = validate_email(
            cell, check_deliverability=False, allow_smtputf8=False, test_environment=test_domains
        )
    except EmailNotValidError:
        return cell, Reason.EMAIL_INVALID
    # The form that every mail server understands: an international domain in its ASCII spelling.
    return found.ascii_email or found.normalized, None


def _language(cell: str) -> tuple[str, Reason | None]:
    if not cell:
        return "", None
    known = LANGUAGES.get(cell.casefold()) or LANGUAGES.get(cell.casefold().replace("_", "-").split("-")[0])
    return (known, None) if known else ("", Reason.LANGUAGE_UNKNOWN)
