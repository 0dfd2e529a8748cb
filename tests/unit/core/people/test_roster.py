"""Reading rosters: every usual export, and a reason for everything that cannot be imported."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AppError
from core.people import encodings, roster, tabular
from core.people.roster import Roster
from core.people.rows import Reason, Row, Verdict

HEADER = "email,first name,last name,employee id,department,language\n"


def read(text: str) -> Roster:
    return roster.parse(text.encode())


def only(line: str, header: str = HEADER) -> Row:
    rows = read(header + line + "\n").rows
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_umlauts_survive_every_usual_encoding_and_delimiter(encoding: str, delimiter: str) -> None:
    text = delimiter.join(("E-Mail", "Vorname", "Nachname", "Personalnummer", "Abteilung", "Sprache"))
    text += "\r\n" + delimiter.join(
        ("jörg@acme.example".replace("ö", "oe"), "Jörg", "Müßig", "7", "Büro", "Deutsch")
    )
    row = roster.parse(text.encode(encoding)).rows[0]
    assert row.verdict is Verdict.OK
    assert (row.values.first_name, row.values.last_name) == ("Jörg", "Müßig")
    assert (row.values.employee_id, row.values.department, row.values.language) == ("7", "Büro", "de")


@pytest.mark.parametrize(
    "header",
    [
        "Email,First Name,Last Name",
        "E-MAIL ADDRESS,given_name,SURNAME",
        "mail,vorname,name",
        " Email Address ,Rufname,Familienname",
    ],
)
def test_headers_are_known_by_their_usual_names(header: str) -> None:
    row = only("ada@acme.example,Ada,Lovelace", header + "\n")
    assert (row.values.email, row.values.first_name, row.values.last_name) == (
        "ada@acme.example",
        "Ada",
        "Lovelace",
    )


def test_columns_may_come_in_any_order_with_unknown_ones_between() -> None:
    row = only("Lovelace,x,Ada,y,ada@acme.example", "last,phone,first,fax,email\n")
    assert row.values.email == "ada@acme.example"
    assert row.values.last_name == "Lovelace"


def test_excel_separator_line_is_obeyed_and_not_a_row() -> None:
    assert len(read("sep=;\nemail;first;last\nada@acme.example;Ada;Love, Lace\n").rows) == 1


@pytest.mark.parametrize(
    "first",
    [
        "sep=;",
        "SEP=;",
        '"sep=;"',
        "sep=;;;",
        '"sep=;";;',
        "sep=\t",
        "sep=\t\t\t",
        "sep=|",
        "sep=,,,",
        "sep=:",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_separator_line_is_read_as_excel_reads_it(first: str, end: str, mark: str) -> None:
    delimiter = first.replace('"', "")[4]
    lines = [
        first,
        delimiter.join(("email", "first", "last")),
        delimiter.join(("ada@acme.example", "Ada", "L")),
        "",
    ]
    (row,) = read(mark + end.join(lines)).rows
    assert (row.values.email, row.values.first_name, row.line) == ("ada@acme.example", "Ada", 3)


def test_a_separator_line_that_names_another_sign_does_not_make_one_column_of_all() -> None:
    (row,) = read("sep=,\nemail;first;last\nada@acme.example;Ada;L\n").rows
    assert (row.values.email, row.values.last_name, row.line) == ("ada@acme.example", "L", 3)


@pytest.mark.parametrize("behind", ["", ";;", ","])
@pytest.mark.parametrize("last", ['""Love, Lace""', "Lovelace"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_lines_that_a_spreadsheet_put_into_quotes_as_a_whole_are_unwrapped(
    behind: str, last: str, sign: str
) -> None:
    lines = [sign.join(("email", "first name", "last name")), sign.join(("ada@acme.example", "Ada", last))]
    (row,) = read("\n".join(f'"{line}"{behind}' for line in [*lines, ""] if line)).rows
    assert row.values.email == "ada@acme.example"
    assert row.values.last_name == last.strip('"')
    assert (row.verdict, row.line) == (Verdict.OK, 2)


@pytest.mark.parametrize(
    "content", ["email\nada@acme.example\n", '[{"email":"ada@acme.example"}]', "x\nEMAIL:a@b.example\n"]
)
def test_a_file_of_one_column_is_told_what_is_missing(content: str) -> None:
    with pytest.raises(roster.RosterColumnsMissing, match="only one column"):
        read(content)


INVISIBLE = "\u200b\ufeff\u2060\u00ad\u200e\u200f\u180e\u034f\u3164\U000e0041"


@pytest.mark.parametrize("sign", [*INVISIBLE, "\u200c", "\u200d"])
def test_what_nobody_sees_is_removed_from_names_and_addresses(sign: str) -> None:
    row = only(f"{sign}ada{sign}@acme.example{sign},A{sign}da{sign},{sign}Love{sign}lace,E{sign}1,,")
    assert row.verdict is Verdict.OK
    values = row.values
    assert (values.email, values.first_name, values.last_name, values.employee_id) == (
        "ada@acme.example",
        "Ada",
        "Lovelace",
        "E1",
    )


def test_an_invisible_sign_does_not_hide_a_formula() -> None:
    assert Reason.FORMULA in only("ada@acme.example,\u200b=1+1,L,1,,").reasons


def test_people_told_apart_by_invisible_signs_only_are_one() -> None:
    found = read(HEADER + "ada@acme.example,Ada,L,1,,\nada\u200b@acme.example,Ada,L,2,,\n")
    assert found.rows[1].reasons == (Reason.DUPLICATE_EMAIL,)


def test_joiners_that_a_script_needs_stay() -> None:
    assert only("a@acme.example,می\u200cنا,ک,1,,").values.first_name == "می\u200cنا"


def test_a_quoted_cell_may_hold_line_breaks_delimiters_and_quotes() -> None:
    found = read(HEADER + 'ada@acme.example,"Ada\nMaria","Love, ""Lace""",1,,\nbob@acme.example,Bob,B,2,,\n')
    assert [row.line for row in found.rows] == [2, 4]
    assert found.rows[0].values.first_name == "Ada Maria"
    assert found.rows[0].values.last_name == 'Love, "Lace"'


def test_a_stray_quote_within_a_cell_does_not_lose_the_other_rows() -> None:
    found = read(HEADER + 'ada@acme.example,"Ada"x,Lovelace,1,,\nbob@acme.example,Bob,B,2,,\n')
    assert len(found.rows) == 2
    assert found.rows[1].verdict is Verdict.OK


def test_blank_lines_are_no_people() -> None:
    assert len(read(HEADER + "\n,,,,,\nada@acme.example,Ada,L,1,,\n   \n").rows) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not-an-address,Ada,L,1,,", Reason.EMAIL_INVALID),
        ("ada@,Ada,L,1,,", Reason.EMAIL_INVALID),
        ("ada@localhost,Ada,L,1,,", Reason.EMAIL_INVALID),
        ("ada@acme..example,Ada,L,1,,", Reason.EMAIL_INVALID),
        ("ada@acme.example bob@acme.example,Ada,L,1,,", Reason.EMAIL_INVALID),
        (",Ada,L,1,,", Reason.EMAIL_MISSING),
        ("ada@acme.example,,,1,,", Reason.NAME_MISSING),
        ("ada@acme.example,=1+1,L,1,,", Reason.FORMULA),
        ('ada@acme.example,"=HYPERLINK(""x"")",L,1,,', Reason.FORMULA),
        ("ada@acme.example,Ada,@SUM(A1),1,,", Reason.FORMULA),
        ("ada@acme.example,Ada,-L,1,,", Reason.FORMULA),
        ("ada@acme.example,Ada,+L,1,,", Reason.FORMULA),
        ('ada@acme.example,Ada,"\tL",1,,', Reason.FORMULA),
        ("ada@acme.example,Ada,L,=1,,", Reason.FORMULA),
        ("=ada@acme.example,Ada,L,1,,", Reason.FORMULA),
        ("ada@acme.example,A\x07da,L,1,,", Reason.CONTROL_CHARACTERS),
        ("ada@acme.example,A\u202eda,L,1,,", Reason.CONTROL_CHARACTERS),
        (f"ada@acme.example,{'A' * 81},L,1,,", Reason.TOO_LONG),
        (f"ada@acme.example,Ada,L,1,{'D' * 121},", Reason.TOO_LONG),
        ("ada@acme.example,Ada,L,1,,en,surplus", Reason.TOO_MANY_CELLS),
    ],
)
def test_a_row_that_cannot_be_imported_is_rejected_with_its_reason(line: str, reason: Reason) -> None:
    row = only(line)
    assert row.verdict is Verdict.REJECTED
    assert reason in row.reasons
    assert row.text


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ada@acme.example,,Ada,1,,", Reason.NAME_INCOMPLETE),
        ("ada@acme.example,Ada,L,1,,Klingon", Reason.LANGUAGE_UNKNOWN),
    ],
)
def test_a_row_worth_a_look_is_imported_with_a_warning(line: str, reason: Reason) -> None:
    row = only(line)
    assert row.verdict is Verdict.WARNING
    assert row.is_good
    assert row.reasons == (reason,)


def test_names_of_many_scripts_are_names() -> None:
    for first, last in (
        ("Łukasz", "Żak"),
        ("明", "李"),
        ("محمد", "علي"),
        ("O’Neil", "d'Arc-Smith"),
        ("می‌نا", "ک"),
    ):
        assert only(f"a@acme.example,{first},{last},1,,").verdict is Verdict.OK


def test_the_first_of_two_equal_addresses_stands_whatever_the_capitals() -> None:
    found = read(HEADER + "Ada@acme.example,Ada,L,1,,\nada@ACME.example,Ada,L,2,,\n")
    assert [row.verdict for row in found.rows] == [Verdict.OK, Verdict.REJECTED]
    assert found.rows[1].reasons == (Reason.DUPLICATE_EMAIL,)


def test_a_rejected_row_does_not_make_a_later_good_one_a_duplicate() -> None:
    found = read(HEADER + "ada@acme.example,=Ada,L,1,,\nada@acme.example,Ada,L,1,,\n")
    assert [row.verdict for row in found.rows] == [Verdict.REJECTED, Verdict.OK]


def test_two_people_cannot_share_an_employee_id_and_none_is_fine() -> None:
    found = read(
        HEADER
        + "a@acme.example,A,A,7,,\nb@acme.example,B,B,7,,\nc@acme.example,C,C,,,\nd@acme.example,D,D,,,\n"
    )
    assert [row.verdict for row in found.rows] == [Verdict.OK, Verdict.REJECTED, Verdict.OK, Verdict.OK]
    assert found.rows[1].reasons == (Reason.DUPLICATE_EMPLOYEE_ID,)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "roster_empty"),
        (b"\n\n  \n", "roster_empty"),
        (HEADER.encode(), "roster_empty"),
        (b"name,phone\nAda,1\n", "roster_columns_missing"),
        (b"PK\x03\x04" + bytes(500), "table_unreadable"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "table_unreadable"),
        (b"%PDF-1.7 ...", "table_unreadable"),
        (b'email,first,last\nada@acme.example,"Ada,L\nbob@acme.example,Bob,B\n', "table_unreadable"),
        (HEADER.encode() + b"x" * roster.MAX_BYTES, "roster_too_large"),
    ],
)
def test_a_file_that_is_no_roster_is_refused_as_a_whole(content: bytes, code: str) -> None:
    with pytest.raises(AppError) as refused:
        roster.parse(content)
    assert refused.value.code == code
    assert refused.value.status in (413, 422)


def test_ten_thousand_people_are_taken_and_one_more_is_not() -> None:
    lines = "".join(f"p{n}@acme.example,P,{n},{n},,\n" for n in range(roster.MAX_ROWS))
    assert read(HEADER + lines).counts[Verdict.OK] == roster.MAX_ROWS
    with pytest.raises(roster.RosterTooLarge):
        read(HEADER + lines + "one@acme.example,One,More,x,,\n")


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", " \n", ",\n", "\0\n"])
def test_a_file_of_line_ends_is_refused_before_its_lines_are_read(end: str) -> None:
    content = (HEADER + end * (roster.MAX_BYTES // len(end)))[: roster.MAX_BYTES].encode()
    started = time.process_time()
    with pytest.raises((roster.RosterTooLarge, tabular.TableUnreadable)):
        roster.parse(content)
    assert time.process_time() - started < 1  # seconds; reading every line took four


def test_empty_lines_between_people_are_let_be() -> None:
    people = [f"p{number}@acme.example,P,{number},{number},,\n" for number in range(1000)]
    assert read(HEADER + ("\n" * 50).join(people)).counts[Verdict.OK] == 1000


def test_addresses_that_no_mail_reaches_pass_in_development_only() -> None:
    content = (HEADER + "ada@acme.test,Ada,L,1,,\n").encode()
    assert roster.parse(content).rows[0].reasons == (Reason.EMAIL_INVALID,)
    assert roster.parse(content, test_domains=True).rows[0].verdict is Verdict.OK


@pytest.mark.parametrize(
    ("address", "letters"),
    [
        ("jürgen.müller@acme.example", "ü"),
        ("ju\u0308rgen.groß@acme.example", "ü, ß"),
        ("иван@acme.example", "и, в, а, н"),
        ("jürgen@müller.example", "ü"),
    ],
)
def test_letters_that_addresses_here_cannot_have_are_named(address: str, letters: str) -> None:
    (row,) = roster.parse(f"{HEADER}{address},Ada,L,1,,\n".encode("utf-8-sig")).rows
    assert row.reasons == (Reason.EMAIL_LETTERS,)
    assert row.verdict is Verdict.REJECTED
    assert f"cannot have: {letters}. Please give another address" in row.text


@pytest.mark.parametrize(
    "address", ["jürgen@", "jürgen@acme..example", "jü rgen@acme.example", "jürgen.@acme.example"]
)
def test_what_is_no_address_anyway_is_not_blamed_on_its_letters(address: str) -> None:
    assert only(f"{address},Ada,L,1,,").reasons == (Reason.EMAIL_INVALID,)


@pytest.mark.parametrize(
    ("cell", "neutral"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\0=1", "'\0=1"),
    ],
)
def test_nothing_that_we_write_runs_in_a_spreadsheet(cell: str, neutral: str) -> None:
    written = tabular.write(("a", "b"), [(cell, "plain")])
    assert next(iter(tabular.read(encodings.decode(written).text))).cells == ("a", "b")
    assert neutral.encode() in written


def test_what_we_write_we_can_read_back() -> None:
    cells = ('say "hi"', "two\nlines", "Müller; Söhne", "a,b")
    lines = list(tabular.read(encodings.decode(tabular.write(("w", "x", "y", "z"), [cells])).text))
    assert lines[1].cells == cells


@given(st.binary(max_size=400))
def test_no_bytes_at_all_make_more_than_a_clear_refusal(content: bytes) -> None:
    with suppress(AppError):
        roster.parse(content)


@given(st.text(max_size=200))
def test_no_row_at_all_makes_more_than_a_verdict(text: str) -> None:
    with suppress(AppError):
        assert all(row.is_good or row.reasons for row in read(HEADER + text).rows)
