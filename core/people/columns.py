"""Which column of an exported list holds what: known by its header, else guessed, for a person to confirm."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.people.tabular import Line


class Field(StrEnum):
    """What the import takes from a row."""

    EMAIL = "email"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    FULL_NAME = "full_name"
    EMPLOYEE_ID = "employee_id"
    DEPARTMENT = "department"
    LANGUAGE = "language"


NAMES = (Field.FIRST_NAME, Field.LAST_NAME, Field.FULL_NAME)
# Header cells as letters and digits only, the more telling one first: of two columns for one field it wins.
# Excel lists, Google Workspace, Microsoft 365 and Entra, Workday, UKG, ADP, BambooHR, Personio, SAP, DATEV.
HEADERS: Mapping[Field, tuple[str, ...]] = {
    Field.EMAIL: (
        "workemail", "primaryworkemail", "emailprimarywork", "emailwork", "workcontactworkemail", "businessemail",
        "businessemailaddress", "companyemail", "dienstlicheemail", "dienstlicheemailadresse", "emaildienstlich",
        "emailgeschäftlich", "geschäftlicheemail", "firmenemail", "primarysmtpaddress", "email", "emailaddress",
        "emailid", "primaryemail", "mail", "mailaddress", "emailadresse", "mailadresse", "smtpaddress", "courriel",
        "adresseemail", "adressemail", "adressemél", "correo", "correoelectrónico", "indirizzoemail", "emailadres",
        "userprincipalname", "upn", "signinname", "username",
    ),
    Field.FIRST_NAME: (
        "preferredfirstname", "preferrednamefirstname", "firstname", "givenname", "givennames", "first", "forename",
        "vorname", "rufname", "vornamen", "legalfirstname", "legalnamefirstname", "prénom", "prenom", "voornaam",
        "primernombre",
    ),
    Field.LAST_NAME: (
        "preferredlastname", "preferrednamelastname", "lastname", "surname", "familyname", "last", "nachname",
        "familienname", "zuname", "legallastname", "legalnamelastname", "sn", "nomdefamille", "apellido", "apellidos",
        "cognome", "achternaam", "sobrenome",
    ),
    # “Name” is a whole name, or what a column with the other part leaves of it: see `full_names.parts`.
    Field.FULL_NAME: (
        "displayname", "fullname", "preferredname", "preferredfullname", "employeename", "workername", "anzeigename",
        "vollständigername", "vorundnachname", "vornameundnachname", "vornamenachname", "nachnamevorname",
        "namevorname", "lastnamefirstname", "firstnamelastname", "vornamename", "employee", "worker", "mitarbeiter",
        "mitarbeiterin", "mitarbeiterinnen", "mitarbeitername", "mitarbeiterinname", "beschäftigter", "person",
        "legalname", "nomcomplet", "nometprénom", "nombrecompleto", "nombreyapellidos", "nomecompleto",
        "volledigenaam", "name", "nom", "nombre", "nome", "naam", "cn",
    ),
    Field.EMPLOYEE_ID: (
        "employeeid", "employeenumber", "employeeno", "employee#", "employeenr", "staffid", "staffnumber",
        "personnelnumber", "personnelno", "personnumber", "workerid", "associateid", "fileid", "personalnummer",
        "personalnr", "persnr", "persno", "mitarbeiternummer", "mitarbeiternr", "mitarbeiterid", "matricule",
        "idempleado", "id",
    ),
    Field.DEPARTMENT: (
        "department", "departmentname", "dept", "abteilung", "team", "bereich", "division", "organisationseinheit",
        "orgunit", "supervisoryorganization", "service", "departamento", "costcentername", "costcenter", "costcentre",
        "kostenstelle", "kostenstellenbezeichnung",
    ),
    Field.LANGUAGE: (
        "language", "preferredlanguage", "lang", "locale", "sprache", "korrespondenzsprache", "langue", "idioma",
    ),
}  # fmt: skip
_RANK = {word: (field, rank) for field, words in HEADERS.items() for rank, word in enumerate(words)}
# Where an export has these, its “id” is the number of an account and not of an employee.
ACCOUNTS = frozenset({"userprincipalname", "objectid"})
# Notes that Google writes behind its column names, such as [Required] and [UPLOAD ONLY].
_NOTE = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*")
ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
SAMPLES = 3
LOOKED_AT = 50  # rows, to guess a column by


@dataclass(frozen=True)
class Columns:
    """A list's columns and what is taken from each.

    Attributes:
        labels: The header's cells; an empty one, and each of a list without a header, is called "".
        taken: Field → index of its column.
        has_header: Whether the first line names the columns.
    """

    labels: tuple[str, ...]
    taken: Mapping[Field, int]
    has_header: bool

    @property
    def is_complete(self) -> bool:
        """Whether there is an address, and a name of any kind."""
        return Field.EMAIL in self.taken and any(field in self.taken for field in NAMES)

    @property
    def ignored(self) -> tuple[int, ...]:
        """The columns that nothing is taken from."""
        used = set(self.taken.values())
        return tuple(index for index in range(len(self.labels)) if index not in used)


@dataclass(frozen=True)
class Sample:
    """A column as a person can recognize it: its header and its first values."""

    index: int
    label: str
    values: tuple[str, ...]


def find(first: Line) -> Columns:
    """Return what the first line of a list says about its columns; without a header, nothing is taken."""
    words = [_word(cell) for cell in first.cells]
    known = any(word in _RANK for word in words)
    if not known and any(ADDRESS.fullmatch(cell.strip()) for cell in first.cells):
        return Columns(("",) * len(first.cells), {}, has_header=False)
    best: dict[Field, tuple[int, int]] = {}
    for index, word in enumerate(words):
        field, rank = _RANK.get(word, (None, 0))
        if field is None or (word == "id" and ACCOUNTS & set(words)):
            continue
        best[field] = min(best.get(field, (rank, index)), (rank, index))
    taken = {field: index for field, (_, index) in best.items()}
    return Columns(tuple(" ".join(cell.split()) for cell in first.cells), taken, has_header=True)


def guess(columns: Columns, rows: Sequence[Line]) -> Mapping[Field, int]:
    """Return what the columns seem to hold, by their values: to be confirmed by a person, never to import by."""
    guessed = dict(columns.taken)
    values = {index: _values(rows, index) for index in columns.ignored}
    if Field.EMAIL not in guessed:
        addressed = {
            index: sum(bool(ADDRESS.fullmatch(value)) for value in column) for index, column in values.items()
        }
        if addressed and max(addressed.values()) > 0:
            guessed[Field.EMAIL] = max(addressed, key=lambda index: addressed[index])
    if not any(field in guessed for field in NAMES):
        named = [
            index
            for index, column in values.items()
            if column
            and index not in guessed.values()
            and not any(sign.isdigit() or sign == "@" for value in column for sign in value)
        ]
        whole = [index for index in named if all(re.search(r"[ ,]", value) for value in values[index])]
        if whole:
            guessed[Field.FULL_NAME] = whole[0]
        elif len(named) > 1:
            guessed[Field.FIRST_NAME], guessed[Field.LAST_NAME] = named[:2]
        elif named:
            guessed[Field.FULL_NAME] = named[0]
    return guessed


def samples(columns: Columns, rows: Sequence[Line]) -> tuple[Sample, ...]:
    """Return every column with its first values."""
    return tuple(
        Sample(index, label, tuple(_values(rows, index)[:SAMPLES]))
        for index, label in enumerate(columns.labels)
    )


def _values(rows: Sequence[Line], index: int) -> list[str]:
    cells = (line.cells[index].strip() for line in rows[:LOOKED_AT] if index < len(line.cells))
    return [cell for cell in cells if cell]


def _word(cell: str) -> str:
    plain = _NOTE.sub("", cell).casefold()
    return "".join(sign for sign in plain if sign.isalnum() or sign == "#")
