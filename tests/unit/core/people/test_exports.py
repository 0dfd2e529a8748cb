"""Exports of the systems that companies keep their people in, workbooks and pasted addresses, read as they come."""

from __future__ import annotations

import csv
import io
import zipfile

import pytest
from openpyxl import Workbook

from core.people import pasted, roster, tabular, workbooks
from core.people.roster import Choice, Question
from core.people.rows import Reason, Verdict
from core.people.tabular import TableUnreadable

EXPORTS = {
    "Workday": "Employee ID,Worker,Preferred Name - First Name,Preferred Name - Last Name,Email - Primary Work,Supervisory Organization,Location,Country\nE1,Ada King,Ada,King,ada@acme.com,R&D,London,United Kingdom",
    "Personio": "ID;Vorname;Nachname;E-Mail;Abteilung;Büro;Status\nE1;Ada;King;ada@acme.com;R&D;Berlin;Aktiv",
    "BambooHR": "Employee #,Last Name,First Name,Work Email,Department,Location,Hire Date\nE1,King,Ada,ada@acme.com,R&D,London,2020-01-01",
    "Rippling": "Employee number,Full name,Work email,Personal email,Department,Work location\nE1,Ada King,ada@acme.com,a@home.com,R&D,Remote",
    "UKG": "Employee Number,First Name,Last Name,Preferred First Name,Email Address,Org Level 1,Work Country\nE1,Augusta,King,Ada,ada@acme.com,R&D,UK",
    "SuccessFactors": "Person ID External,First Name,Last Name,Business Email Address,Department,Country/Region\nE1,Ada,King,ada@acme.com,R&D,GBR",
    "Google Workspace": "First Name [Required],Last Name [Required],Email Address [Required],Employee ID,Department,Status [READ ONLY]\nAda,King,ada@acme.com,E1,R&D,Active",
    "Microsoft 365": "Block credential,Department,Display name,First name,Last name,User principal name,Object Id\nFalse,R&D,Ada King,Ada,King,ada@acme.com,0000",
    "Entra": "userPrincipalName,displayName,surname,mail,givenName,id,userType,department,country\nada@acme.onmicrosoft.com,Ada King,King,ada@acme.com,Ada,1-2-3,Member,R&D,United Kingdom",
    "in French": "Matricule;Prénom;Nom de famille;E-mail personnel;E-mail professionnel;Service;Pays\nE1;Ada;King;a@home.com;ada@acme.com;R&D;Royaume-Uni",
    "in Spanish": "Número de empleado;Nombre;Apellidos;Correo electrónico corporativo;Departamento;País\nE1;Ada;King;ada@acme.com;R&D;Reino Unido",
    "family first, in Spanish": "Apellidos y nombre;Correo corporativo\nKing Ada;ada@acme.com",
}


@pytest.mark.parametrize("system", EXPORTS)
def test_an_export_is_read_without_a_question(system: str) -> None:
    found = roster.parse(EXPORTS[system].encode())
    assert found.asks is None
    (row,) = found.rows
    assert (row.values.first_name, row.values.last_name, row.values.email) == ("Ada", "King", "ada@acme.com")
    if "R&D" in EXPORTS[system]:
        assert row.values.department == "R&D"
    if "E1" in EXPORTS[system]:
        assert row.values.employee_id == "E1"


def workbook(*rows: tuple[object, ...], others: tuple[str, ...] = ()) -> bytes:
    book = Workbook()
    sheet = book.active
    for title in others:
        book.create_sheet(title).append(["nothing", "of", "people"])
    sheet.title = "Staff"
    for row in rows:
        sheet.append(row)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_a_workbook_is_read_as_its_rows_stand_and_no_formula_is_run() -> None:
    content = workbook(
        ("Staff of Acme",),
        (),
        ("Employee ID", "First name", "Last name", "Email", "Department"),
        (1042, "Ada", "King", "ada@acme.com", "R&D"),
        (1043.0, "Grace", '=HYPERLINK("http://x","y")', "grace@acme.com", "=1+1"),
        ("00044", "Em\nmy", "Noether", "emmy@acme.com", None),
        others=("Notes",),
    )
    found = roster.parse(content)
    assert (found.asks, found.sheet, found.above) == (None, "Staff", ("Staff of Acme",))
    assert [row.line for row in found.rows] == [4, 5, 6]
    assert [row.values.employee_id for row in found.rows] == ["1042", "1043", "00044"]
    # What a formula would say is not in a file that nobody has opened, and nothing here works it out.
    assert found.rows[1].values.last_name == ""
    assert (found.rows[2].values.first_name, found.rows[0].verdict) == ("Em my", Verdict.OK)


def test_a_cover_sheet_and_a_header_alone_are_no_list_and_columns_that_hold_nothing_are_not_shown() -> None:
    book = Workbook()
    book.active.append(["Staff of Acme", None, "hr@acme.com"])
    book.create_sheet("Template").append(["email", "first name", "last name"])
    staff = book.create_sheet("Staff")
    staff.append(["Code", None, "Who", "Where"])
    staff.append(["ada@acme.com", None, "Ada King", "London; Paris"])
    target = io.BytesIO()
    book.save(target)
    found = roster.parse(target.getvalue())
    assert (found.sheet, found.asks, found.columns.labels) == (
        "Staff",
        Question.COLUMNS,
        ("Code", "Who", "Where"),
    )
    staff["A1"], staff["C1"] = "Email", "Name"
    target = io.BytesIO()
    book.save(target)
    found = roster.parse(target.getvalue())
    assert (found.sheet, found.columns.labels) == ("Staff", ("Email", "Name", "Where"))
    assert [(row.line, row.values.last_name) for row in found.rows] == [(2, "King")]


def test_a_pdf_is_told_that_excel_is_taken() -> None:
    with pytest.raises(TableUnreadable, match="Excel"):
        roster.parse(b"%PDF-1.7")


@pytest.mark.parametrize("header", ["Bundesland/Staat", "Bundesland", "State/Province", "Work state"])
def test_the_united_states_without_a_state_are_a_warning_as_the_law_cannot_be_told(header: str) -> None:
    text = f"email,first name,last name,country,{header}\na@x.com,A,B,USA,Illinois\nb@x.com,A,B,USA,\nc@x.com,A,B,DE,"
    said, missing, german = roster.parse(text.encode()).rows
    assert (said.values.place, said.reasons, german.reasons) == ("US-IL", (), ())
    assert (missing.values.place, missing.reasons, missing.verdict) == (
        "US",
        (Reason.STATE_MISSING,),
        Verdict.WARNING,
    )


def test_a_file_that_unpacks_to_far_more_or_has_a_cell_far_out_is_no_load(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(workbooks.MOST_BYTES + 1))
    assert len(target.getvalue()) < roster.MAX_BYTES
    with pytest.raises(workbooks.WorkbookTooLarge):
        roster.parse(target.getvalue())
    book = Workbook()
    book.active.append(["email", "first name", "last name"])
    book.active.append(["ada@acme.com", "Ada", "King"])
    book.active["XFD1048576"] = "x"
    target = io.BytesIO()
    book.save(target)
    with pytest.raises(roster.RosterTooLarge):
        roster.parse(target.getvalue())
    book = Workbook()
    book.active["A1048576"] = "x"
    target = io.BytesIO()
    book.save(target)
    with pytest.raises(TableUnreadable, match="empty"):
        roster.parse(_rewritten(target.getvalue(), b'<row r="1048576"', b'<row r="999999999999"'))


def _rewritten(workbook: bytes, before: bytes, after: bytes) -> bytes:
    """Return a workbook as no spreadsheet writes it."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(before, after))
    return target.getvalue()


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + bytes(500), workbook()[:900], workbook()])
def test_what_only_begins_like_a_workbook_says_what_to_do(content: bytes) -> None:
    with pytest.raises(TableUnreadable, match=r"Excel|list"):
        roster.parse(content)


def test_pasted_addresses_are_a_list_and_names_that_they_spell_are_said_to_be_guessed() -> None:
    text = 'ada.king@acme.com, grace@acme.com;\n"Noether, Emmy" <emmy@acme.com>\nMary Jackson <mj@acme.com>, rosa_luxemburg@acme.com'
    found = roster.parse(text.encode())
    assert found.asks is None
    names = [(row.values.first_name, row.values.last_name) for row in found.rows]
    assert names == [
        ("Ada", "King"),
        ("Grace", ""),
        ("Emmy", "Noether"),
        ("Mary", "Jackson"),
        ("Rosa", "Luxemburg"),
    ]
    assert [Reason.NAME_SPELT in row.reasons for row in found.rows] == [True, True, False, False, True]
    assert all(row.is_good for row in found.rows)


@pytest.mark.parametrize(
    "text", ["", "Ada King", "email,first name,last name\nada@acme.com,Ada,King", "ada@acme.com,Ada,King"]
)
def test_what_is_no_list_of_addresses_alone_is_left_to_the_table(text: str) -> None:
    assert pasted.table(text) is None


def test_a_list_with_another_column_than_addresses_still_asks() -> None:
    assert roster.parse(b"x,y\nada@acme.com,12\n", Choice()).asks is Question.COLUMNS


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "text", ["=1+1", "Ada;=1+1", "Ada; =1+1,x", "Ada\t@A1", "Ada\n=1+1", "-1", "R&D; Sales, -Nord"]
)
def test_no_cell_that_is_written_runs_whichever_delimiter_a_spreadsheet_takes(
    text: str, delimiter: str
) -> None:
    content = tabular.write(("a", "b"), [("E1", text)]).decode("utf-8-sig")
    cells = [cell for line in csv.reader(io.StringIO(content), delimiter=delimiter) for cell in line]
    lines = [line for cell in cells for line in cell.splitlines()] if delimiter != "," else cells
    assert not [one for one in lines if one.lstrip().startswith(tabular.FORMULA_STARTS)]
