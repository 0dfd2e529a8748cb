"""Keeps the list of German texts that are worded otherwise with "Sie": `python -m deploy.formal`, part of `make translations`.

Each German text that speaks to somebody with "du" gets an entry, empty until it is written; what no German text
says any more is dropped. `core.formal` says what the list is for.
"""

from __future__ import annotations

import io
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from core.formal import TRANSLATIONS

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = TRANSLATIONS / "de" / "LC_MESSAGES"
FORMAL: Final = FOLDER / "formal.po"
# They tell whoever checks a file, not a user, how that is done, and say "Sie" as they are.
TO_STRANGERS: Final = {"certificate.de.toml", "statement.de.toml"}

_HEADER: Final = '# German texts that are worded otherwise where a company says "Sie": see core/formal.py.'
_MADE: Final = datetime(2026, 11, 30, tzinfo=UTC)  # the moment of a run would make each run a change

_PRONOUNS: Final = r"\b(?:du|dich|dir|dein\w*|euch|euer|eure[mnrs]?)\b"
_PLURAL: Final = r"\b(?:dürft|habt|könnt|müsst|seid|ihr antwortet)\b"
# What German texts ask for with "du"; never a noun, and no other form of its verb after "ich".
_IMPERATIVES: Final = (
    "antworte|beantworte|beende|beginne|behalte|benenne|berichtige|bestätige|bewahre|dreh|drehe|entferne|"
    "entscheide|ergänze|erkläre|exportiere|filtere|fordere|frag|füge|geh|gehe|gib|hake|halte|heb|hebe|"
    "hol|hole|importiere|komm|kopiere|korrigiere|kreuze|kürze|lade|lass|lasse|leg|lies|lös|lösch|lösche|"
    "mach|mache|melde|nenne|nimm|notiere|nutze|öffne|organisiere|probier|probiere|prüfe|ruf|rufe|sag|"
    "sage|schalte|schau|schick|schicke|schließ|schließe|schneide|schreib|schreibe|sende|senk|senke|setz|"
    "setze|sieh|speichere|sperr|starte|stell|stütze|tippe|trag|trage|überlege|verbessere|verbinde|"
    "vergiss|verlass|vermerke|verwende|wähl|wähle|warte|wechsle|wisch|wische|zeig|zeige|zieh|ziehe|ändere"
)
# Nouns as well: asked for where they stand in small letters, or begin a sentence that goes on like a request.
_ALSO_NOUNS: Final = ("frage", "halt", "spiel", "stelle", "suche", "vergleiche", "versuch", "versuche")
_GOES_ON: Final = "dann|das|den|die|es|ihn|nach|sie"
_INFORMAL: Final = (
    re.compile(f"{_PRONOUNS}|{_PLURAL}", re.IGNORECASE),
    re.compile(rf"(?<!\bich )\b(?:{_IMPERATIVES})\b", re.IGNORECASE),
    re.compile(rf"(?<!\b[Ii]ch )\b(?:{'|'.join(_ALSO_NOUNS)})\b"),
    re.compile(
        rf"(?:^|[.!?:;] )(?:{'|'.join(one.capitalize() for one in _ALSO_NOUNS)}) (?:{_GOES_ON})\b",
        re.MULTILINE,
    ),
)


def says_du(text: str) -> bool:
    """Whether a German text speaks to somebody with "du", or to several with "ihr"."""
    return any(pattern.search(text) for pattern in _INFORMAL)


def texts() -> list[str]:
    """Return every German text that people may read, in the order of the files, each once."""
    found = [*_of_pages(), *(text for path in files() for text in _of_file(path))]
    return list(dict.fromkeys(filter(None, found)))


def files() -> list[Path]:
    """Return the files with German texts that gettext does not know: of mails, reports and consents."""
    every = (path for part in ("compliance", "core") for path in (ROOT / part).rglob("*.toml"))
    return sorted(path for path in every if path.name not in TO_STRANGERS and any(_of_file(path)))


def read(path: Path = FORMAL) -> Catalog:
    """Return a catalogue of this folder."""
    with path.open("rb") as file:
        return read_po(file, locale="de")


def _of_pages() -> Iterator[str]:
    for message in read(FOLDER / "messages.po"):
        if message.id:
            yield from (message.string,) if isinstance(message.string, str) else message.string or ()


def _of_file(path: Path) -> Iterator[str]:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    is_german = path.name == "de.toml" or path.name.endswith(".de.toml")
    yield from _strings(content if is_german else content.get("de", {}))


def _strings(words: Any) -> Iterator[str]:
    if isinstance(words, str):
        yield words
    elif isinstance(words, dict | list):
        for one in words.values() if isinstance(words, dict) else words:
            yield from _strings(one)


def updated(before: Catalog) -> Catalog:
    """Return the catalogue as the German texts want it now, with what is written already."""
    after = Catalog(
        locale="de",
        project="Headshots",
        version="1",
        last_translator="Headshots",
        language_team="German",
        header_comment=_HEADER,
        creation_date=_MADE,
        revision_date=_MADE,
        fuzzy=False,
    )
    after.msgid_bugs_address = ""  # which Babel would take for one that was left out
    for text in texts():
        written = before.get(text)
        if written is not None or says_du(text):
            after.add(text, str(written.string) if written is not None else "")
    return after


def compiled(catalog: Catalog) -> bytes:
    """Return a catalogue as programs read it."""
    content = io.BytesIO()
    write_mo(content, catalog)
    return content.getvalue()


def main() -> None:
    """Bring the list up to date, compile it, and say on stderr what is not written yet."""
    after = updated(read() if FORMAL.exists() else Catalog(locale="de"))
    content = io.BytesIO()
    write_po(content, after, width=0, no_location=True, sort_output=False)
    FORMAL.write_bytes(content.getvalue())
    FORMAL.with_suffix(".mo").write_bytes(compiled(after))
    for message in after:
        if message.id and not message.string:
            click.echo(f'not written with "Sie" yet: {message.id!r}', err=True)


if __name__ == "__main__":
    main()
