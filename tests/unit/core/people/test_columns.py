"""Which column is which: exports as systems write them, and what a list does not say."""

from __future__ import annotations

import pytest

from core.people import roster
from core.people.columns import Field
from core.people.full_names import parts, split
from core.people.roster import Choice, Question, RosterColumnsMissing
from core.people.rows import Reason, Verdict

GOOGLE = (
    ",".join(
        (
            "First Name [Required],Last Name [Required],Email Address [Required],Password [Required]",
            "Org Unit Path [Required],New Primary Email [UPLOAD ONLY],Status [READ ONLY],Recovery Email",
            "Employee ID,Manager Email,Department",
        )
    ),
    "Jürgen,Müller,jm@acme.example,****,/,,Active,private@acme.example,E1,boss@acme.example,Sales",
)
MICROSOFT = (
    "Block credential,Department,Display name,First name,Last name,Licenses,Object Id,User principal name",
    "False,Sales,Jürgen Müller,Jürgen,Müller,E3,9f0c2b1e-0000-0000-0000-000000000000,jm@acme.example",
)
ENTRA = (
    "userPrincipalName,displayName,surname,mail,givenName,id,userType,jobTitle,department",
    "jm_upn@acme.example,Jürgen Müller,Müller,jm@acme.example,Jürgen,9f0c2b1e-0000-0000,Member,Clerk,Sales",
)
MICROSOFT_GERMAN = (
    "Anmeldedaten blockieren,Abteilung,Anzeigename,Vorname,Nachname,Objekt-ID,ID,Benutzerprinzipalname",
    "Falsch,Sales,Jürgen Müller,Jürgen,Müller,9f0c,7,jm@acme.example",
)
GOOGLE_CONTACTS = (
    "First Name,Middle Name,Last Name,Nickname,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Value,Labels",
    "Jürgen,,Müller,,* Work,jm@acme.example,private@acme.example,* myContacts",
)
GOOGLE_GAM = (
    "primaryEmail,name.givenName,name.familyName,name.fullName,orgUnitPath",
    "jm@acme.example,Jürgen,Müller,Jürgen Müller,/",
)
OUTLOOK_GERMAN = (
    "Anrede,Vorname,Weitere Vornamen,Nachname,Abteilung,E-Mail-Adresse,E-Mail: Angezeigter Name,E-Mail 2: Adresse",
    "Herr,Jürgen,,Müller,Sales,jm@acme.example,Jürgen Müller,private@acme.example",
)
SLACK = (
    "username,email,status,userid,fullname,displayname",
    "jmueller,jm@acme.example,Member,U1,Jürgen Müller,jm",
)
ADP = (
    "Legal First Name,Legal Last Name,Work Contact: Work Email,File Number,Home Department Description",
    "Jürgen,Müller,jm@acme.example,E1,Sales",
)
EXPORTS = (MICROSOFT_GERMAN, GOOGLE_CONTACTS, GOOGLE_GAM, OUTLOOK_GERMAN, SLACK, ADP)
M365_SHORT = ("Display name,User principal name", "Jürgen Müller,jm@acme.example")
UKG = ("First Name,Last Name,Work Email,Worker ID,Cost Center Name", "Jürgen,Müller,jm@acme.example,E1,Sales")
WORKDAY = ("Name,Email,Employee ID,Department", "Jürgen Müller,jm@acme.example,E1,Sales")
GERMAN = (
    "Mitarbeiter;Dienstliche E-Mail;Pers.-Nr.;Kostenstelle",
    '"Müller, Jürgen";jm@acme.example;E1;Sales',
)


@pytest.mark.parametrize("export", [GOOGLE, MICROSOFT, ENTRA, M365_SHORT, UKG, WORKDAY, GERMAN, *EXPORTS])
def test_an_export_is_taken_as_it_is(export: tuple[str, str]) -> None:
    found = roster.parse("\r\n".join(export).encode())
    (row,) = found.rows
    assert row.verdict is Verdict.OK
    assert (row.values.first_name, row.values.last_name) == ("Jürgen", "Müller")
    assert row.values.email == "jm@acme.example"
    assert row.values.department in ("", "Sales")
    assert row.values.employee_id in ("", "E1")


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Name,Vorname,Nachname,E-Mail", "Jürgen Müller,Jürgen,Müller"),
        ("Name,First Name,Surname,Email", "Jürgen Müller,Jürgen,Müller"),
        ("Name,Vorname,Titel,Email", "Müller,Jürgen,Dr."),
        ("Vorname,Name,Ort,Email", "Jürgen,Jürgen Müller,Ulm"),
        ("Name,Surname,City,Email", "Jürgen,Müller,Ulm"),
        ("Full name,Surname,City,Email", '"Müller, Jürgen",Müller,Ulm'),
        ("Display name,Given name,Surname,Mail", "Jürgen Müller,,"),
    ],
)
def test_a_whole_name_beside_its_parts_is_never_added_to_them(header: str, cells: str) -> None:
    (row,) = roster.parse(f"{header}\n{cells},jm@acme.example\n".encode()).rows
    assert (row.values.first_name, row.values.last_name) == ("Jürgen", "Müller")
    assert row.verdict is Verdict.OK


@pytest.mark.parametrize(
    ("full", "first", "last"),
    [
        ("Anna Müller", "Anna", "Müller"),
        ("Müller, Anna", "Anna", "Müller"),
        ("Anna Maria Schmidt", "Anna Maria", "Schmidt"),
        ("Ludwig van Beethoven", "Ludwig", "van Beethoven"),
        ("Martin Luther King Jr.", "Martin Luther", "King Jr."),
        ("Martin Luther King, Jr.", "Martin Luther", "King, Jr."),
        ("Jean-Luc DE LA TOUR", "Jean-Luc", "DE LA TOUR"),
        ("JP Smith", "JP", "Smith"),
        ("田中 太郎", "太郎", "田中"),
        ("Sukarno", "Sukarno", ""),
        ("", "", ""),
    ],
)
def test_a_whole_name_is_split_where_people_split_it(full: str, first: str, last: str) -> None:
    assert split(full) == (first, last)
    assert parts("", "", full) == (first, last)


@pytest.mark.parametrize(
    ("header", "name", "first", "last"),
    [
        ("Nachname Vorname", "Müller Jürgen", "Jürgen", "Müller"),
        ('"Name, Vorname"', "Müller Anna Maria", "Anna Maria", "Müller"),
        ('"Nachname, Vorname"', '"Müller, Jürgen"', "Jürgen", "Müller"),
        ("Last name / First name", "von der Leyen Ursula", "Ursula", "von der Leyen"),
        ("Nom et prénom", "Dupont Jean-Luc", "Jean-Luc", "Dupont"),
        ("Nachname Vorname", "Müller", "Müller", ""),
        ("Vorname Nachname", "Jürgen Müller", "Jürgen", "Müller"),
    ],
)
def test_a_header_says_which_name_comes_first(header: str, name: str, first: str, last: str) -> None:
    (row,) = roster.parse(f"{header},Email\n{name},jm@acme.example\n".encode()).rows
    assert (row.values.first_name, row.values.last_name) == (first, last)


@pytest.mark.parametrize("header", ["Abteilung / Team", "Department | Team", "Team/Bereich"])
def test_a_header_of_two_words_for_one_thing_is_that_thing(header: str) -> None:
    (row,) = roster.parse(f"Email,First name,{header}\njm@acme.example,Jürgen,Sales\n".encode()).rows
    assert row.values.department == "Sales"


@pytest.mark.parametrize("header", ["Department / Country", "City / State", "Email / Phone", "/"])
def test_a_header_of_two_things_is_neither(header: str) -> None:
    parsed = roster.parse(f"Email,First name,{header}\njm@acme.example,Jürgen,Sales\n".encode())
    assert set(parsed.columns.taken) == {Field.EMAIL, Field.FIRST_NAME}


@pytest.mark.parametrize("header", ["E-Mail;Vorname;Nachname", "E-Mail;Nachname, Vorname"])
@pytest.mark.parametrize(
    "title", ["Unsere Leute", "Unsere Leute, nach Abteilung", '"Stand; heute"', "Stand: 1.3.;;"]
)
@pytest.mark.parametrize("more", ["", "Bericht 4711\n", "\n"])
def test_a_title_above_the_header_is_left_out_and_said(header: str, title: str, more: str) -> None:
    name = "Jürgen;Müller" if "Vorname;" in header else "Müller, Jürgen"
    found = roster.parse(f"{title}\n{more}{header}\njm@acme.example;{name}\n".encode())
    (row,) = found.rows
    assert (row.values.first_name, row.values.last_name, row.verdict) == ("Jürgen", "Müller", Verdict.OK)
    assert row.line == 3 + (more != "")
    assert len(found.above) == 1 + (len(more) > 1)
    assert found.above[0].startswith(("Unsere Leute", "Stand"))


def test_a_title_above_unknown_columns_or_none_is_no_column() -> None:
    for content in (f"Our people\n{STRANGE}", f"Our people\n{NO_HEADER}"):
        found = roster.parse(content.encode())
        assert found.asks is Question.COLUMNS
        assert found.above == ("Our people",)
        assert len(found.samples) == content.splitlines()[1].count(",") + 1
        chosen = roster.parse(
            content.encode(), Choice(columns=found.guess, has_header=found.columns.has_header)
        )
        assert [row.values.email for row in chosen.rows] == ["jm@acme.example", "al@acme.example"]


def test_nobody_is_taken_for_a_title() -> None:
    found = roster.parse(b"Ada Lovelace;al@acme.example\nName;E-Mail\nJ M;jm@acme.example\n")
    assert found.asks is Question.COLUMNS
    assert not found.above


def test_a_column_of_addresses_that_holds_none_is_asked_about() -> None:
    content = b"Username,First name,Last name,Contact\njm,J,M,jm@acme.example\nal,A,L,al@acme.example\n"
    found = roster.parse(content)
    assert found.asks is Question.COLUMNS
    assert found.guess[Field.EMAIL] == 3
    (row,) = roster.parse(b"Username,First name,Last name\njm,J,M\n").rows
    assert row.reasons == (Reason.EMAIL_INVALID,)


def test_columns_that_are_not_used_are_named() -> None:
    found = roster.parse("\r\n".join(GOOGLE).encode())
    assert [sample.label for sample in found.ignored] == [
        "Password [Required]",
        "Org Unit Path [Required]",
        "New Primary Email [UPLOAD ONLY]",
        "Status [READ ONLY]",
        "Recovery Email",
        "Manager Email",
    ]


NO_HEADER = "Jürgen Müller,jm@acme.example,Sales\nAda Lovelace,al@acme.example,Navy\n"
STRANGE = "Angestellte/r,Kontakt\nJürgen Müller,jm@acme.example\nAda Lovelace,al@acme.example\n"
PARTS = "Kontakt;V.;N.\njm@acme.example;Jürgen;Müller\nal@acme.example;Ada;Lovelace\n"


@pytest.mark.parametrize(
    ("content", "guess", "has_header"),
    [
        (NO_HEADER, {Field.EMAIL: 1, Field.FULL_NAME: 0}, False),
        (STRANGE, {Field.EMAIL: 1, Field.FULL_NAME: 0}, True),
        (PARTS, {Field.EMAIL: 0, Field.FIRST_NAME: 1, Field.LAST_NAME: 2}, True),
    ],
)
def test_a_list_that_does_not_say_which_column_is_which_is_asked_about(
    content: str, guess: dict[Field, int], has_header: bool
) -> None:
    found = roster.parse(content.encode())
    assert (found.asks, found.rows) == (Question.COLUMNS, ())
    assert dict(found.guess) == guess
    assert found.columns.has_header is has_header
    chosen = roster.parse(content.encode(), Choice(columns=found.guess, has_header=has_header))
    assert [(row.values.first_name, row.values.email) for row in chosen.rows] == [
        ("Jürgen", "jm@acme.example"),
        ("Ada", "al@acme.example"),
    ]


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {Field.EMAIL: 1},
        {Field.FULL_NAME: 0},
        {Field.EMAIL: 1, Field.FULL_NAME: 1},
        {Field.EMAIL: 1, Field.FULL_NAME: 9},
        {Field.EMAIL: -1, Field.FULL_NAME: 0},
    ],
)
def test_a_choice_that_does_not_fit_the_list_is_refused(columns: dict[Field, int]) -> None:
    with pytest.raises(RosterColumnsMissing):
        roster.parse(STRANGE.encode(), Choice(columns=columns, has_header=True))


def test_an_address_of_the_directory_stands_in_only_where_there_is_no_column_for_mail() -> None:
    (row,) = roster.parse("\r\n".join((ENTRA[0], ENTRA[1].replace(",jm@acme.example", ","))).encode()).rows
    assert row.reasons == (Reason.EMAIL_MISSING,)


@pytest.mark.parametrize("sign", ["[", "("])
def test_a_header_of_open_brackets_is_read_once(sign: str) -> None:
    roster.parse(
        f"Email,{sign * 100_000}\na@b.example,x\n".encode()
    )  # took minutes: the square of its length
