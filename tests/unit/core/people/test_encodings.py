"""What the bytes of a list mean: found by evidence, or asked, and never something else in silence."""

from __future__ import annotations

import codecs
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.people import encodings, roster
from core.people.encodings import Encoding
from core.people.roster import Choice, Question, Roster
from core.people.rows import Reason, Verdict

WESTERN = "Jürgen Müller,Zoë Größer,André Lefèvre,José Muñoz,Søren Jørgensen,Françoise Bäcker"
CENTRAL = "Łukasz Wójcik,Jiří Dvořák,Željko Kovačević,Małgorzata Wiśniewska,Győző Szőke"
CYRILLIC = "Иван Петров,Наталья Смирнова,Сергей Кузнецов,Юлия Соколова"
JAPANESE = "佐藤 健太,鈴木 花子,高橋 大輔,田中 さくら,渡辺 陽子"


def listed(names: str) -> str:
    people = [name.split() for name in names.split(",")]
    rows = [f"p{n}@acme.example,{first},{last},E{n}" for n, (first, last) in enumerate(people)]
    return "\r\n".join(["email,first name,last name,employee id", *rows, ""])


def names_of(found: Roster) -> str:
    return ",".join(f"{row.values.first_name} {row.values.last_name}" for row in found.rows)


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        (WESTERN, "cp1252"),
        (WESTERN, "mac_roman"),
        (WESTERN, "cp850"),
        (WESTERN, "utf-16"),
        (CENTRAL.replace("Željko Kovačević,", ""), "cp1250"),
        (CENTRAL, "cp1250"),
        (CENTRAL, "iso8859_2"),
        (CENTRAL, "mac_latin2"),
        (CENTRAL, "cp852"),
        (CYRILLIC, "cp1251"),
        (CYRILLIC, "koi8_u"),
        (CYRILLIC, "cp866"),
        (JAPANESE, "cp932"),
        (JAPANESE, "euc_jp"),
        ("Ayşe Yılmaz,Çağla Şahin,Gökçe Yıldırım", "cp1254"),
        ("Γιώργος Παπαδόπουλος,Ελένη Γεωργίου", "cp1253"),
        ("王 伟,李 娜,张 敏,刘 洋,陈 杰", "gbk"),
        ("陳 怡君,林 志明,黃 淑芬,張 雅婷", "cp950"),
        ("김 민준,이 서연,박 지훈,최 수빈", "cp949"),
        ("Ayşe Yılmaz,Çağla Şahin,Işıl İnce", "mac_turkish"),
        ("Ayşe Yılmaz,Çağla Şahin,Işıl İnce", "cp857"),
        ("Άγγελος Ώρας,Ελένη Γεωργίου", "iso8859_7"),
        ("Άγγελος Ώρας,Ελένη Γεωργίου", "mac_greek"),
        ("Γιώργος Παπαδόπουλος,Ελένη Γεωργίου", "cp737"),
        (CYRILLIC, "iso8859_5"),
        (CYRILLIC, "cp855"),
        ("Jānis Bērziņš,Jūratė Šimkutė", "iso8859_4"),
        ("Jānis Bērziņš,Jūratė Šimkutė", "cp775"),
        ("שרה כהן,דוד לוי", "cp862"),
        ("محمد العتيبي,فاطمة الشمري", "iso8859_6"),
        ("محمد العتيبي,فاطمة الشمري", "cp720"),
    ],
)
def test_an_older_encoding_is_found_by_its_names_or_asked_with_the_right_one(
    names: str, encoding: str
) -> None:
    content = listed(names).encode(encoding)
    found = roster.parse(content)
    if found.asks is None:
        assert names_of(found) == names
        return
    assert found.asks is Question.ENCODING
    assert not found.rows
    right = [
        one.encoding
        for one in found.readings
        if encodings.decode(content, one.encoding).text == listed(names)
    ]
    assert right
    assert names_of(roster.parse(content, Choice(encoding=right[0]))) == names


@pytest.mark.parametrize(
    ("names", "encoding", "expected"),
    [
        (WESTERN, "cp1252", Encoding.WINDOWS_1252),
        (WESTERN, "mac_roman", Encoding.MAC_ROMAN),
        (CENTRAL, "cp1250", Encoding.WINDOWS_1250),
        (CYRILLIC, "cp1251", Encoding.WINDOWS_1251),
        (JAPANESE, "cp932", Encoding.SHIFT_JIS),
    ],
)
def test_what_spreadsheets_write_needs_no_question(names: str, encoding: str, expected: Encoding) -> None:
    found = roster.parse(listed(names).encode(encoding))
    assert (found.asks, found.encoding) == (None, expected)
    assert names_of(found) == names


# Names that the evidence does not hold, so that it has to find out by spelling or to ask.
UNCOMMON = {
    "cp1252": "Bürger Äpfel Überall Lübke Gößling Krähe Mérigoux Crépin Iñárritu Kjøller Thøgersen Hæstad Ærø",
    "mac_roman": "Bürger Äpfel Überall Lübke Gößling Krähe Mérigoux Crépin Iñárritu Kjøller Thøgersen Hæstad",
    "cp850": "Bürger Äpfel Überall Lübke Gößling Krähe Mérigoux Crépin Iñárritu Kjøller Brøndum Lyngsø Rønnow",
    "cp1250": "Gałązka Chruściel Wądołowski Żmijewska Řezníček Vyskočil Žáček Kubíček Kőszegi Pődör",
    "iso8859_2": "Gałązka Chruściel Wądołowski Żmijewska Řezníček Vyskočil Žáček Kubíček Kőszegi Pődör",
    "mac_latin2": "Gałązka Chruściel Wądołowski Żmijewska Řezníček Vyskočil Žáček Kubíček Kőszegi Pődör",
    "cp1254": "Bıçakçı Gündoğdu Şentürk Işıklı Kuşçu Çakır Yaşar Ağaoğlu Bilgiç",
    "cp1251": "Пушкин Лермонтов Щербаков Жуков Чехов Гоголь Эдуард Юрьев",
    "koi8_u": "Пушкин Лермонтов Щербаков Жуков Чехов Гоголь Эдуард Юрьев",
    "cp1253": "Παπανδρέου Καραμανλής Θεοδωράκης Βαγγέλης Μερκούρη Τσίπρας Ξενάκης",
    "cp1255": "רבין פרס נתניהו שרון ברק לפיד אלתרמן ביאליק",
    "cp1257": "Raiņa Ķeniņš Ābele Ēriks Grīnbergs Āboliņš Žīgurs Šteins",
    "mac_turkish": "Bıçakçı Gündoğdu Şentürk Işıklı Kuşçu Çakır Yaşar Ağaoğlu Bilgiç",
    "cp857": "Bıçakçı Gündoğdu Şentürk Işıklı Kuşçu Çakır Yaşar Ağaoğlu Bilgiç",
    "iso8859_5": "Пушкин Лермонтов Щербаков Жуков Чехов Гоголь Эдуард Юрьев",
    "cp855": "Пушкин Лермонтов Щербаков Жуков Чехов Гоголь Эдуард Юрьев",
    "iso8859_7": "Παπανδρέου Καραμανλής Θεοδωράκης Άρης Μερκούρη Τσίπρας Ξενάκης",
    "mac_greek": "Παπανδρέου Καραμανλής Θεοδωράκης Άρης Μερκούρη Τσίπρας Ξενάκης",
    "cp737": "Παπανδρέου Καραμανλής Θεοδωράκης Άρης Μερκούρη Τσίπρας Ξενάκης",
    "iso8859_4": "Raiņa Ķeniņš Ābele Ēriks Grīnbergs Āboliņš Žīgurs Šteins",
    "cp775": "Raiņa Ķeniņš Ābele Ēriks Grīnbergs Āboliņš Žīgurs Šteins",
    "cp932": "松岡修造 本田圭佑 大谷翔平 渋谷すばる 黒澤明 宇多田ヒカル 三島由紀夫",
    "euc_jp": "松岡修造 本田圭佑 大谷翔平 渋谷すばる 黒澤明 宇多田ヒカル 三島由紀夫",
    "gbk": "邓小平 李小龙 姚明 章子怡 巩俐 张艺谋 陈凯歌 周迅",
    "cp950": "蔡英文 馬英九 周杰倫 林志玲 侯孝賢 鄧麗君 張惠妹 陳綺貞",
    "cp949": "박지성 손흥민 김연아 송강호 이병헌 전지현 최민식 윤여정",
}


@pytest.mark.parametrize("encoding", UNCOMMON)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 8])
def test_no_list_of_uncommon_names_is_read_wrongly_in_silence(encoding: str, size: int) -> None:
    names = UNCOMMON[encoding].split()
    chance = random.Random(size)
    for _ in range(8):
        people = ",".join(f"Anna {chance.choice(names)}" for _ in range(size))
        found = encodings.decode(listed(people).encode(encoding))
        assert found.readings or found.text == listed(people)


ODD_WORDS = [
    "é",
    "ŁŁ",
    "ÉÉ",
    "ÄÖÜ",
    "Ж",
    "Юлия",
    "№1",
    "m²",
    "½",
    "“x”",
    "–",
    "李",
    "café™",
    "à",
    "Ã",
    "ÃO",
    "Łéo",
    "\n",
    ",",
]


@given(st.lists(st.sampled_from(ODD_WORDS), max_size=30))
def test_a_file_in_utf_8_with_several_words_beyond_ascii_is_utf_8(words: list[str]) -> None:
    people = "email,first name,last name\np@acme.example,Jürgen,Größer\nq@acme.example,Zoë,Łukasiewicz\n"
    text = people + " ".join(words)
    found = encodings.decode(text.encode())
    assert (found.text, found.readings) == (text, ())


def test_one_row_in_another_encoding_gets_a_warning_with_its_likely_reading() -> None:
    rows = listed(WESTERN).encode().splitlines(keepends=True)
    rows[3] = "p2@acme.example,René,Lefèvre,E2\r\n".encode("cp1252")
    found = roster.parse(b"".join(rows))
    assert found.asks is None
    assert [row.reasons for row in found.rows if row.reasons] == [(Reason.OTHER_ENCODING,)]
    assert (found.rows[2].verdict, found.rows[2].values.first_name) == (Verdict.WARNING, "René")
    assert found.rows[0].values.first_name == "Jürgen"


def test_a_mark_says_what_the_rest_of_the_file_is() -> None:
    content = codecs.BOM_UTF8 + listed("Jan 뇋ek").encode() + "x@acme.example,René,X,E9\r\n".encode("cp1252")
    found = roster.parse(content)
    assert [row.values.last_name for row in found.rows] == ["뇋ek", "X"]
    assert found.rows[1].reasons == (Reason.OTHER_ENCODING,)


def test_a_row_of_several_lines_in_another_encoding_is_found_on_each_of_them() -> None:
    content = listed(WESTERN).encode() + 'x@acme.example,"Ada\r\nRené",Lovelace,E9\r\n'.encode("cp1252")
    assert roster.parse(content).rows[-1].reasons == (Reason.OTHER_ENCODING,)


def test_a_file_of_two_halves_is_asked_about() -> None:
    content = listed("Łukasz Wójcik,Zoë Größer").encode() + listed(WESTERN).encode("cp1252")
    found = roster.parse(content)
    assert found.asks is Question.ENCODING
    assert Encoding.UTF_8 in {one.encoding for one in found.readings}


@pytest.mark.parametrize("mistaken", ["cp1252", "mac_roman", "cp1250", "cp850", "cp437"])
def test_letters_that_went_through_utf_8_twice_are_asked_about_side_by_side(mistaken: str) -> None:
    names = "Jürgen Müller,André Größer"
    content = listed(names).encode().decode(mistaken).encode()
    found = roster.parse(content)
    assert found.asks is Question.ENCODING
    mended, as_it_is = found.readings
    assert (mended.encoding, as_it_is.encoding) == (Encoding.TWICE, Encoding.UTF_8)
    assert mended.samples[0] == "Jürgen · Müller"
    assert names_of(roster.parse(content, Choice(encoding=Encoding.TWICE))) == names
    assert "Jürgen" not in names_of(roster.parse(content, Choice(encoding=Encoding.UTF_8)))


def test_a_few_bytes_that_are_utf_8_by_chance_are_asked_about() -> None:
    content = listed("Jan Žáček").encode("mac_latin2")
    content.decode("utf-8")
    found = roster.parse(content)
    assert found.asks is Question.ENCODING
    assert {Encoding.UTF_8, Encoding.MAC_LATIN_2} <= {one.encoding for one in found.readings}


def test_bytes_that_are_utf_8_by_chance_make_no_utf_8_file_of_another() -> None:
    names = "Jiří Dvořák,Štěpán Říha"
    found = roster.parse(listed(names).encode("mac_latin2"))
    assert found.encoding is not Encoding.UTF_8
    assert found.asks is Question.ENCODING or names_of(found) == names


def test_readings_show_the_same_lines_and_differ() -> None:
    readings = roster.parse(listed("Anna Ağaoğlu,Ada Lovelace,Jan Çakır").encode("cp1254")).readings
    assert len(readings) > 1
    assert len({one.samples for one in readings}) == len(readings)
    assert {len(one.samples) for one in readings} == {2}


@pytest.mark.parametrize("name", ["M?ller", "J?rgen", "????", "M\ufffdller", "M¿ller", "M□ller"])
@pytest.mark.parametrize("column", ["email", "first", "last"])
def test_letters_that_were_lost_are_noticed(name: str, column: str) -> None:
    cells = {"email": "ada@acme.example", "first": "Ada", "last": "Lovelace"}
    cells[column] = f"{name}@acme.example" if column == "email" else name
    found = roster.parse(f"email,first,last\n{','.join(cells.values())}\n".encode())
    assert Reason.LETTERS_LOST in found.rows[0].reasons
    assert found.rows[0].verdict is Verdict.REJECTED


@pytest.mark.parametrize(
    "name", ["M_ller", "M&uuml;ller", "M\\u00fcller", "M=FCller", "M+APw-ller", "M#ller", "M◊ller", "M^uller"]
)
def test_signs_that_names_do_not_have_are_worth_a_look(name: str) -> None:
    (row,) = roster.parse(f"email\tfirst\tlast\nada@acme.example\tJo\t{name}\n".encode("utf-8-sig")).rows
    assert row.reasons == (Reason.NAME_ODD,)
    assert row.verdict is Verdict.WARNING


@pytest.mark.parametrize(
    "name",
    [
        "O'Neill",
        "O´Neill",
        "Maier-Huber",
        "d’Arc",
        "King, Jr.",
        "Müller (extern)",
        "Ana “Ani”",
        "St. John",
        "中島・太郎",
    ],
)
def test_signs_that_names_do_have_are_let_be(name: str) -> None:
    (row,) = roster.parse(f"email\tfirst\tlast\nada@acme.example\tJo\t{name}\n".encode("utf-8-sig")).rows
    assert row.verdict is Verdict.OK


def test_a_question_mark_in_a_department_is_worth_a_look() -> None:
    content = "email,first,last,department\na@acme.example,A,B,B?ro\nb@acme.example,B,C,R&D?\n"
    doubtful, fine = roster.parse(content.encode()).rows
    assert doubtful.reasons == (Reason.LETTERS_DOUBTFUL,)
    assert fine.verdict is Verdict.OK
