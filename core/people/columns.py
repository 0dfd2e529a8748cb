"""Which column of an exported list holds what: known by its header, else guessed, for a person to confirm."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
    COUNTRY = "country"
    STATE = "state"
    LOCATION = "location"


NAMES = (Field.FIRST_NAME, Field.LAST_NAME, Field.FULL_NAME)
# Header cells as letters and digits only, the more telling one first: of two columns for one field it wins.
# Excel lists, Google Workspace and Contacts, GAM, Microsoft 365 and Entra in English and German, Outlook, Okta, Slack,
# Workday, UKG, ADP, BambooHR, Personio, Rippling, SAP SuccessFactors, DATEV; in English, German, French and Spanish.
HEADERS: Mapping[Field, tuple[str, ...]] = {
    Field.EMAIL: (
        "workemailaddress", "emailaddresswork", "businessemailinformationemailaddress", "emailprofessionnel",
        "adresseemailprofessionnelle", "emailtravail", "courrielprofessionnel", "mailprofessionnel", "emailpro",
        "correoprofesional", "correocorporativo", "correoelectrónicocorporativo", "correodetrabajo",
        "correoelectrónicodeltrabajo", "emailcorporativo", "emaildeltrabajo", "emaildetrabajo", "arbeitsemail", "emailarbeit",
        "emailgeschäft", "geschäftsemail", "dienstemail", "dienstmail",
        "workemail", "primaryworkemail", "emailprimarywork", "emailwork", "workcontactworkemail", "businessemail",
        "businessemailaddress", "companyemail", "dienstlicheemail", "dienstlicheemailadresse", "emaildienstlich",
        "emailgeschäftlich", "geschäftlicheemail", "mailgeschäftlich", "firmenemail", "primarysmtpaddress", "email", "emailaddress",
        "emailid", "primaryemail", "mail", "mailaddress", "emailadresse", "mailadresse", "smtpaddress", "courriel",
        "adresseemail", "adressemail", "adressemél", "correo", "correoelectrónico", "indirizzoemail", "emailadres",
        "email1value", "userprincipalname", "benutzerprinzipalname", "upn", "signinname", "username", "primaryemailaddress", "adressedecourriel",
        "direccióndecorreoelectrónico", "direccióndecorreo", "benutzername", "nomdutilisateurprincipal", "nombreprincipaldeusuario",
        "nombredeusuario", "nomdutilisateur",
    ),
    Field.FIRST_NAME: (
        "preferredfirstname", "preferrednamefirstname", "firstname", "givenname", "givennames", "first", "forename",
        "namegivenname", "vorname", "rufname", "vornamen", "legalfirstname", "legalnamefirstname", "prénom", "prenom", "voornaam",
        "primernombre",
        "preferredgivenname", "preferrednamefirst", "employeefirstname", "workerfirstname", "prénomusuel", "prénomdusage",
        "nombredepila", "nombrepreferido", "nombres", "vornamebevorzugt", "bevorzugtervorname", "firstnamepreferred",
        "legalnamefirst", "prénoms",
    ),
    Field.LAST_NAME: (
        "preferredlastname", "preferrednamelastname", "lastname", "surname", "familyname", "namefamilyname", "last", "nachname",
        "familienname", "zuname", "legallastname", "legalnamelastname", "sn", "nomdefamille", "apellido", "apellidos",
        "cognome", "achternaam", "sobrenome",
        "employeelastname", "workerlastname", "familyorlastname", "lastnamepreferred", "nomdusage", "nomusuel",
        "nomdenaissance", "apellidospreferidos", "primerapellido", "apellidopaterno", "nachnamebevorzugt",
        "legallastnamesurname",
    ),
    # “Name” is a whole name, or what a column with the other part leaves of it: see `full_names.parts`.
    Field.FULL_NAME: (
        "fullname", "namefullname", "displayname", "preferredname", "preferredfullname", "employeename", "workername", "anzeigename",
        "vollständigername", "vorundnachname", "vornameundnachname", "vornamenachname", "nachnamevorname",
        "namevorname", "lastnamefirstname", "surnamefirstname", "firstnamelastname", "vornamename", "employee", "worker", "mitarbeiter",
        "mitarbeiterin", "mitarbeiterinnen", "mitarbeitername", "mitarbeiterinname", "beschäftigter", "person",
        "legalname", "nomcomplet", "nometprénom", "nombrecompleto", "nombreyapellidos", "nomecompleto",
        "volledigenaam", "name", "nom", "nombre", "nome", "naam", "cn",
        "formattedname", "employeefullname", "fullnamepreferred", "workerlegalname", "collaborateur", "salarié", "employé",
        "nomaffiché", "nomdaffichage", "nomprénom", "empleado", "empleada", "trabajador", "nombreparamostrar",
        "nombredelempleado", "nombreyapellido", "apellidosynombre", "apellidosynombres", "apellidosnombre",
    ),
    Field.EMPLOYEE_ID: (
        "employeeid", "employeenumber", "employeeno", "employee#", "employeenr", "staffid", "staffnumber",
        "personnelnumber", "personnelno", "personnumber", "workerid", "associateid", "fileid", "filenumber", "personalnummer",
        "personalnr", "persnr", "persno", "mitarbeiternummer", "mitarbeiternr", "mitarbeiterid", "matricule",
        "idempleado", "id",
        "employeecode", "empid", "emplid", "eeid", "workernumber", "personid", "personidexternal",
        "assignmentidexternal", "payrollid", "badgenumber", "internalid", "externalid", "hrisid", "stammnummer",
        "identifiantemployé", "matriculesalarié", "numérodemployé", "numéroemployé", "idemployé", "númerodeempleado",
        "numerodeempleado", "nºempleado", "códigodeempleado", "idtrabajador", "legajo", "personalnummerextern",
    ),
    Field.DEPARTMENT: (
        "department", "departmentname", "dept", "homedepartment", "homedepartmentdescription", "abteilung", "team", "bereich", "division", "organisationseinheit",
        "orgunit", "orgeinheit", "supervisoryorganization", "service", "departamento", "costcentername", "costcenter", "costcentre",
        "kostenstelle", "kostenstellenbezeichnung",
        "departmentdescription", "departmentcode", "orglevel1", "organizationname", "costcenterhierarchy", "supervisoryorg",
        "businessunit", "teamname", "département", "departement", "équipe", "servicedépartement",
        "pôle", "unitéorganisationnelle", "departamentonombre", "área", "area", "equipo", "unidadorganizativa",
        "unidaddenegocio", "kostenstellenname", "fachbereich", "teams",
    ),
    Field.LANGUAGE: (
        "language", "preferredlanguage", "lang", "locale", "sprache", "korrespondenzsprache", "langue", "idioma",
        "preferredlocale", "correspondencelanguage", "languageofcorrespondence", "langueofcorrespondance", "languepréférée",
        "languedecorrespondance", "idiomapreferido", "bevorzugtesprache", "usagelocationlanguage",
    ),
    # Where somebody works comes before where they live.
    Field.COUNTRY: (
        "workcountry", "countryofwork", "worklocationcountry", "workaddresscountry", "primaryworkaddresscountry", "locationaddresscountry",
        "locationcountry", "officecountry", "arbeitsland", "einsatzland", "paysdetravail", "paísdetrabajo", "country", "countryregion",
        "countryorregion", "countrycode", "countryname", "land", "landregion", "landoderregion", "ländercode", "länderkürzel",
        "pays", "paysrégion", "paysourégion", "codepays", "país", "paísregión", "paísoregión", "pais",
        "workcountryregion", "locationcountryname", "primarylocationcountry", "countryofemployment", "legalentitycountry",
        "beschäftigungsland", "landdesarbeitsorts", "paysdemploi", "paysdulieudetravail", "paísdeempleo", "paístrabajo",
        "usagelocation", "worklocationcountrycode",
    ),
    Field.STATE: (
        "workstate", "worklocationstate", "workaddressstate", "primaryworkaddressstate", "locationaddressstate", "locationstate",
        "officestate", "arbeitsbundesland", "locationaddressstateprovince", "workstateprovince", "workaddressstateprovince", "state", "stateprovince", "stateorprovince", "stateregion", "stateorterritory", "usstate",
        "province", "bundesland", "bundesstaat", "bundeslandoderprovinz", "bundeslandkanton", "état", "étatprovince", "étatouprovince", "région",
        "estado", "estadoprovincia", "estadooprovincia", "provincia",
        "worklocationstateprovince", "workstatecode", "statecode", "locationstatecode", "provincestate",
        "arbeitsortbundesland", "bundeslandstaat", "bundesstaatbundesland", "bundeslandbundesstaat", "bundeslandprovinz",
        "bundeslandregion", "arbeitsbundesstaat", "usbundesstaat", "stateofwork", "stateofemployment", "workstateregion",
        "étatdetravail", "comunidadautónoma", "estadodetrabajo",
    ),
    Field.LOCATION: (
        "worklocation", "primaryworklocation", "worksite", "workplace", "officelocation", "location", "locationname", "office", "officename", "arbeitsort",
        "dienstort", "arbeitsplatz", "einsatzort", "standort", "bürostandort", "büro", "lieudetravail", "site", "lugardetrabajo",
        "centrodetrabajo", "ubicación", "oficina",
        "physicallocation", "physicaldeliveryofficename", "workplacename", "officelocationname", "locationdescription",
        "workersite", "bürostandortname", "arbeitsstätte", "betriebsstätte", "niederlassung",
        "lieudetravailprincipal", "établissement", "bureau", "sede", "lugardetrabajoprincipal",
    ),
}  # fmt: skip
_RANK = {word: (field, rank) for field, words in HEADERS.items() for rank, word in enumerate(words)}
# Where an export has these, its “id” is the number of an account and not of an employee.
ACCOUNTS = frozenset({"userprincipalname", "benutzerprinzipalname", "objectid", "objektid"})
# Columns of whole names in which the family's comes first, with a comma or without.
FAMILY_FIRST = frozenset(
    {
        "nachnamevorname",
        "namevorname",
        "lastnamefirstname",
        "surnamefirstname",
        "nometprénom",
        "nomprénom",
        "apellidosynombre",
        "apellidosynombres",
        "apellidosnombre",
    }
)
# Notes that Google writes behind its column names, such as [Required] and [UPLOAD ONLY].
_NOTE = re.compile(r"\[[^\[\]]*\]|\([^()]*\)|\*")  # no sign is read twice, whatever a cell holds
_EITHER = re.compile(r"[/|]")
ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
SAMPLES = 3
LOOKED_AT = 50  # rows, to guess a column by
# Lines that a report may write above its header: its title, its date, who asked for it.
MOST_TITLES = 9


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
    def is_family_first(self) -> bool:
        """Whether the header says that a whole name begins with the family's."""
        index = self.taken.get(Field.FULL_NAME)
        return index is not None and _is_family_first(self.labels[index])

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


def has_complete_header(lines: Sequence[Line]) -> bool:
    """Whether a header that says all stands at the beginning of a list or below its titles."""
    return bool(lines) and find(lines[titles(lines)]).is_complete


def titles(lines: Sequence[Line]) -> int:
    """Return how many lines stand above the header, or above the first person where there is none.

    A line of one cell above lines of several is a title; so is whatever stands above a header that says
    all, as long as nobody is among it.
    """
    first = []
    for number, line in enumerate(lines[: MOST_TITLES + 1]):
        if find(line).is_complete:
            return number
        first.append(sum(bool(cell.strip()) for cell in line.cells))
        if any(ADDRESS.fullmatch(cell.strip()) for cell in line.cells):
            break
    return next((number for number, cells in enumerate(first) if cells > 1), 0)


def find(first: Line) -> Columns:
    """Return what the first line of a list says about its columns; without a header, nothing is taken."""
    words = [_word(cell) for cell in first.cells]
    known = [_known(cell) for cell in first.cells]
    if not any(known) and any(ADDRESS.fullmatch(cell.strip()) for cell in first.cells):
        return Columns(("",) * len(first.cells), {}, has_header=False)
    best: dict[Field, tuple[int, int]] = {}
    for index, word in enumerate(words):
        if (place := known[index]) is None or (word == "id" and ACCOUNTS & set(words)):
            continue
        field, rank = place
        best[field] = min(best.get(field, (rank, index)), (rank, index))
    taken = {field: index for field, (_, index) in best.items()}
    return Columns(tuple(" ".join(cell.split()) for cell in first.cells), taken, has_header=True)


def without_addresses(columns: Columns, rows: Sequence[Line]) -> Columns:
    """Return the columns without the one for addresses where it holds other things and another holds some."""
    taken = columns.taken.get(Field.EMAIL)
    if taken is None or not _values(rows, taken) or _addresses(rows, taken):
        return columns
    if not any(_addresses(rows, index) for index in columns.ignored):
        return columns
    others: dict[Field, int] = {
        field: index for field, index in columns.taken.items() if field is not Field.EMAIL
    }
    return replace(columns, taken=others)


def guess(columns: Columns, rows: Sequence[Line]) -> Mapping[Field, int]:
    """Return what the columns seem to hold, by their values: to be confirmed by a person, never to import by."""
    guessed = dict(columns.taken)
    values = {index: _values(rows, index) for index in columns.ignored}
    if Field.EMAIL not in guessed:
        addressed = {index: _addresses(rows, index) for index in values}
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


def has_addresses(rows: Sequence[Line]) -> bool:
    """Whether an email address stands in a cell of its own."""
    return any(ADDRESS.fullmatch(cell.strip()) for row in rows for cell in row.cells)


def _known(cell: str) -> tuple[Field, int] | None:
    """Return what a header's cell names, and how little telling it is; of “Department / Team” what both name."""
    if (place := _RANK.get(_word(cell))) is not None:
        return place
    parts = [_RANK.get(_word(part)) for part in _EITHER.split(cell)]
    fields = {part[0] if part else None for part in parts}
    if len(fields) > 1 and fields <= set(NAMES):
        return Field.FULL_NAME, len(HEADERS[Field.FULL_NAME])
    (field,) = fields if len(fields) == 1 else (None,)
    return (field, len(HEADERS[field])) if field else None


def _is_family_first(label: str) -> bool:
    if _word(label) in FAMILY_FIRST:
        return True
    fields = [_RANK.get(_word(part), (None, 0))[0] for part in _EITHER.split(label)]
    return len(fields) == 2 and (
        fields[0] is Field.LAST_NAME or fields == [Field.FULL_NAME, Field.FIRST_NAME]
    )


def _values(rows: Sequence[Line], index: int) -> list[str]:
    cells = (line.cells[index].strip() for line in rows[:LOOKED_AT] if index < len(line.cells))
    return [cell for cell in cells if cell]


def _addresses(rows: Sequence[Line], index: int) -> int:
    return sum(bool(ADDRESS.fullmatch(value)) for value in _values(rows, index))


def _word(cell: str) -> str:
    plain = _NOTE.sub("", cell).casefold()
    return "".join(sign for sign in plain if sign.isalnum() or sign == "#")
