"""Every text that a page can show is there in German, compiled, with the same blanks."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from core.errors import AppError
from core.formal import SIE
from core.formal import catalogue as catalogue_of
from core.web.app import LANGUAGES
from deploy import formal
from deploy.formal import TO_STRANGERS
from deploy.translations import Untranslatable, extract

ROOT = Path(__file__).parents[4]
TRANSLATIONS = ROOT / "core" / "web" / "translations"
TRANSLATED = [code for code in LANGUAGES if code != "en"]
# As the Makefile gives them to pybabel.
KEYWORDS = DEFAULT_KEYWORDS | parse_keywords(["N_", "_l", "_ln:1,2"])
BLANK = re.compile(r"%\((\w+)\)[sd]")
# "Sie" within a sentence; at its start it may mean them.
FORMAL = re.compile(r"\bIhnen\b|(?<=[\w,;] )(Sie|Ihre?[mnrs]?)\b")


def catalogue(language: str) -> Catalog:
    with (TRANSLATIONS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


@pytest.fixture(scope="module")
def written() -> dict[str, tuple[str, ...]]:
    """Where each text was found first, and its forms (one, or singular and plural)."""
    with (ROOT / "core" / "web" / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found: dict[str, tuple[str, ...]] = {}
    for _name, _line, text, _comments, _context in extract_from_dir(ROOT, methods, options, KEYWORDS):
        forms = (text,) if isinstance(text, str) else text
        found[forms[0]] = max(forms, found.get(forms[0], ()), key=len)
    return found


def forms_of(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_has_a_translation(language: str, written: dict[str, tuple[str, ...]]) -> None:
    assert len(written) > 500, "the extraction found hardly anything"
    known = catalogue(language)
    missing = [
        text
        for text, forms in written.items()
        if (message := known.get(text)) is None
        or message.fuzzy
        or len(forms_of(message)) != (1 if len(forms) == 1 else known.num_plurals)
        or not all(forms_of(message))
    ]
    assert not missing, f"run `make translations` and translate: {missing}"


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_is_left_over(language: str, written: dict[str, tuple[str, ...]]) -> None:
    known = catalogue(language)
    texts = {message.id if isinstance(message.id, str) else message.id[0] for message in known if message.id}
    assert texts <= set(written), "run `make translations`"
    assert not known.obsolete


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_have_the_same_blanks(language: str) -> None:
    for message in catalogue(language):
        if not message.id:
            continue
        originals = (message.id,) if isinstance(message.id, str) else tuple(message.id)
        blanks = set(BLANK.findall(originals[-1]))
        forms = forms_of(message)
        # "every hour" needs no number where the original says "every %(num)s hour".
        optional = {"num"} if len(forms) > 1 else set()
        for index, form in enumerate(forms):
            found = set(BLANK.findall(form))
            assert found == blanks or (index == 0 and found == blanks - optional), message.id
            assert form.count("%") == len(BLANK.findall(form)), f"a stray per cent sign: {form}"
            assert _fields(form) == _fields(originals[0]), message.id


def _fields(text: str) -> set[str]:
    """Words in braces, which JavaScript or a file name's template fills in."""
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("language", TRANSLATED)
def test_compiled_catalogue_is_current(language: str) -> None:
    fresh = io.BytesIO()
    write_mo(fresh, catalogue(language))
    compiled = TRANSLATIONS / language / "LC_MESSAGES" / "messages.mo"
    assert compiled.read_bytes() == fresh.getvalue(), "run `make translations`"


def test_german_keeps_its_tone() -> None:
    """It says "du", as the consent texts and mails do."""
    said = [form for message in catalogue("de") if message.id for form in forms_of(message)]
    assert not [form for form in said if FORMAL.search(form) or re.search(r"\bIhre[mnrs]?\b", form)]


def test_german_of_mails_and_reports_keeps_its_tone() -> None:
    said = {
        f"{path.name}: {line}"
        for part in ("compliance", "core")
        for path in (ROOT / part).rglob("*.toml")
        if path.name not in TO_STRANGERS
        for line in path.read_text().splitlines()
    }
    assert len(said) > 1000
    assert not [line for line in said if FORMAL.search(line)]


def pairs() -> list[tuple[str, str]]:
    """Each German text whose wording differs, and the one with "Sie"."""
    return [(str(one.id), str(one.string)) for one in formal.read() if one.id]


def test_each_german_text_that_says_du_is_there_with_sie() -> None:
    written = dict(pairs())
    assert len(written) > 1000
    missing = [text for text in formal.texts() if formal.says_du(text) and not written.get(text)]
    assert not missing, f"run `make translations` and write with Sie: {missing}"


def test_no_wording_with_sie_is_left_over() -> None:
    assert {text for text, _ in pairs()} <= set(formal.texts()), "run `make translations`"


def test_no_wording_with_sie_says_du() -> None:
    assert not [said for _, said in pairs() if formal.says_du(said)]


def test_wordings_with_sie_have_the_same_blanks_lines_and_addresses() -> None:
    for text, said in pairs():
        for pattern in (BLANK, re.compile(r"\{\w*\}"), re.compile(r"\n"), re.compile(r"https?://\S+")):
            assert sorted(pattern.findall(said)) == sorted(pattern.findall(text)), text
        assert said.count("%") == text.count("%")
        assert said != text


def test_compiled_wordings_with_sie_are_current() -> None:
    assert formal.FORMAL.with_suffix(".mo").read_bytes() == formal.compiled(formal.read()), (
        "run `make translations`"
    )


def test_bringing_the_wordings_up_to_date_changes_nothing_twice() -> None:
    before = formal.read()
    after = formal.updated(before)
    assert [(one.id, one.string) for one in after if one.id] == [
        (one.id, one.string) for one in before if one.id
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Hast du es?",
        "Deine Daten",
        "Bitte versuch es noch einmal.",
        "Nichts wurde geändert: Lade die Seite neu.",
        "Frage dann die Stelle.",
        "Die Kopien bei euch müsst ihr selbst löschen.",
        "Wähle, was gilt.",
    ],
)
def test_what_says_du_is_seen(text: str) -> None:
    assert formal.says_du(text)


@pytest.mark.parametrize(
    "text",
    [
        "Ich frage für mich",
        "Stelle für Datenschutz",
        "Keine Suche nach Gesichtern",
        "Bitte laden Sie die Seite neu.",
        "Vergleiche von Gesichtern",
        "Nein, Initialen",
    ],
)
def test_what_speaks_to_nobody_is_left_alone(text: str) -> None:
    assert not formal.says_du(text)


def test_pages_take_their_wording_with_sie_from_the_same_catalogue() -> None:
    informal, formally = catalogue_of("de"), catalogue_of(SIE)
    assert (informal.gettext("Your data"), formally.gettext("Your data")) == ("Deine Daten", "Ihre Daten")
    assert informal.gettext("Save") == formally.gettext("Save") == "Speichern"
    counted = (
        "One photo still asks which person is you. It is used once you have answered.",
        "%(num)s photos still ask which person is you. They are used once you have answered.",
    )
    assert "Person du bist" in informal.ngettext(*counted, 2)
    assert "Person Sie sind" in formally.ngettext(*counted, 2)
    assert formally.ngettext(*counted, 1).startswith("Ein Foto fragt noch, welche Person Sie sind")


def found_in(source: str) -> list[str]:
    return [text for _line, _function, text, _comments in extract(io.BytesIO(source.encode()), {}, (), {})]


def test_what_errors_say_is_found_without_marks() -> None:
    assert set(
        found_in(
            'TWICE = "Two."\n'
            'MESSAGES = {1: "Three."}\n'
            "def fail(state):\n"
            '    raise Conflict("One." if state else TWICE, state="quietly")\n'
            '    raise errors.NotFound(MESSAGES.get(state, "Four."))\n'
            'class SignInFailed(AppError):\n    code = "mine"\n    text = "Five."\n'
            'print("not said")\n'
            'raise ConfigurationError("seen by no page")\n'
        )
    ) == {"One.", "Two.", "Three.", "Four.", "Five."}


def test_message_built_before_its_look_up_is_refused() -> None:
    with pytest.raises(Untranslatable):
        found_in('raise NotFound(f"There is no {name}.")')


def test_error_fills_its_blanks_whatever_stands_in_them() -> None:
    error = AppError("“%(line)s” at 100% of %(most)s, %(unknown)s", line="5%(most)s %d", most=20)
    assert str(error) == error.message == "“5%(most)s %d” at 100% of 20, %(unknown)s"
