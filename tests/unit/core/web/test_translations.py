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
from core.web.app import LANGUAGES
from deploy.translations import Untranslatable, extract

ROOT = Path(__file__).parents[4]
TRANSLATIONS = ROOT / "core" / "web" / "translations"
TRANSLATED = [code for code in LANGUAGES if code != "en"]
# As the Makefile gives them to pybabel.
KEYWORDS = DEFAULT_KEYWORDS | parse_keywords(["N_", "_l", "_ln:1,2"])
BLANK = re.compile(r"%\((\w+)\)[sd]")
# "Sie" within a sentence; at its start it may mean them.
FORMAL = re.compile(r"\bIhnen\b|(?<=[\w,;] )(Sie|Ihre?[mnrs]?)\b")
# They tell whoever checks them, not a user, how that is done.
TO_STRANGERS = {"certificate.de.toml", "statement.de.toml"}


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
