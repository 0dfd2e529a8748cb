"""What mails to people say: our words, and a company's own for the parts that may be its own.

What is promised about data, what somebody's rights are and how long a link works is ours in every mail: a company that
could say otherwise would promise what the program does not keep.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import audit, formal
from core.clock import now
from core.db import organization_of
from core.errors import InvalidInput, NotFound
from core.ids import new_id
from core.logs import logger
from core.models import MailText
from core.people import organizations
from core.words import N_

TEMPLATES: Final = Path(__file__).parent / "templates"
LANGUAGES: Final = ("en", "de")
# The mails, in the order in which people get them.
KINDS: Final = (
    "invite",
    "remind",
    "ready",
    "remind_ready",
    "again",
    "device",
    "disowned",
    "data",
    "farewell",
)
# The parts that may be a company's own, in the order in which they are read, with the most signs of each.
PARTS: Final = {
    "subject": 150,
    "preview": 200,
    "title": 120,
    "lead": 1500,
    "takes_label": 60,
    "takes": 300,
    "deadline_label": 60,
    "next_label": 60,
    "next": 500,
    "button": 40,
    "unhappy_label": 60,
    "unhappy": 500,
}
_OF_A_SHOOT: Final = ("company", "shoot", "deadline", "left", "retention")
_VARIABLES: Final = {
    "invite": (*_OF_A_SHOOT, "expires"),
    "remind": (*_OF_A_SHOOT, "expires"),
    "remind_ready": (*_OF_A_SHOOT, "expires"),
    "ready": _OF_A_SHOOT,
    "again": (*_OF_A_SHOOT, "flaw"),
    "device": ("company", "shoot"),
    "disowned": ("company", "shoot"),
    "data": ("company",),
    "farewell": ("company",),
}
# A reminder says how long there is, whoever words it.
_NEEDED: Final = {"remind": "left", "remind_ready": "left"}


class TextUnusable(InvalidInput):
    """A part of a mail cannot be used; nothing was changed."""

    code: ClassVar[str] = "mail_text_unusable"


@dataclass(frozen=True)
class Part:
    """A part of a mail that may be a company's own.

    Attributes:
        name: as in the files of our words.
        ours: what we say.
        own: what the company says; empty where that is what we say.
        most: signs at most.
    """

    name: str
    ours: str
    own: str
    most: int


def words(language: str) -> dict[str, Any]:
    """Return our words for a tag such as `de` or `core.formal.SIE`; English ones where we have none."""
    return formal.worded(language, _load(_language(language)))


def _language(tag: str) -> str:
    """Return which of our languages a tag is in; English where it is in none."""
    written = formal.written(tag)
    return written if written in LANGUAGES else LANGUAGES[0]


def variables(kind: str) -> tuple[str, ...]:
    """Return what may stand in braces in a mail, such as `{company}`.

    Raises:
        NotFound: there is no such mail.
    """
    if kind not in _VARIABLES:
        raise NotFound(N_("There is no such mail."))
    return _VARIABLES[kind]


def said(session: Session, kind: str, language: str) -> dict[str, str]:
    """Return what a mail of the session's company says in a language: its own words where it has some."""
    spoken = organizations.spoken(session, language)
    own = _own(session, kind, language)
    try:
        return merged(kind, spoken, own)
    except TextUnusable:  # written under another release, which knew other variables
        logger().error("mail_text_unusable", code=kind)
        return dict(words(spoken)[kind])


def parts(session: Session, kind: str, language: str) -> list[Part]:
    """Return the parts of a mail that may be a company's own."""
    variables(kind)
    own, ours = _own(session, kind, language), words(organizations.spoken(session, language))[kind]
    return [Part(name, ours[name], own.get(name, ""), most) for name, most in PARTS.items() if name in ours]


def changed(session: Session) -> set[tuple[str, str]]:
    """Return which mails a company words itself, with the language."""
    rows = session.execute(select(MailText.kind, MailText.language)).all()
    return {(row[0], row[1]) for row in rows}


def merged(kind: str, language: str, own: Mapping[str, str]) -> dict[str, str]:
    """Return what a mail says with a company's own words.

    Args:
        kind: one of `KINDS`.
        language: as `words` takes it.
        own: the company's words, by the names of the parts.

    Raises:
        TextUnusable: a part is too long, has a variable that this mail does not know or a brace alone, or leaves out
            what has to be said.
    """
    ours = words(language)[kind]
    found = {**ours, **{name: text for name, text in own.items() if name in PARTS and name in ours and text}}
    for name in own:
        if name in found and name in PARTS:
            _check(kind, name, found[name])
    needed = _NEEDED.get(kind)
    if needed and not any(f"{{{needed}}}" in found[name] for name in ("subject", "title", "lead")):
        raise TextUnusable(
            N_("Subject, heading or text of a reminder must say how many days are left: %(variable)s."),
            field="lead",
            variable=f"{{{needed}}}",
        )
    return found


def save(session: Session, kind: str, language: str, own: Mapping[str, str], *, actor: audit.Actor) -> None:
    """Have a mail say a company's own words; parts that say what we do, or nothing, stay ours.

    Raises:
        TextUnusable: see `merged`; nothing was changed.
        NotFound: there is no such mail.
    """
    variables(kind)
    if language not in LANGUAGES:
        raise NotFound(N_("There is no such mail."))
    tidy = {name: _tidy(name, text) for name, text in own.items() if name in PARTS}
    spoken = organizations.spoken(session, language)
    merged(kind, spoken, tidy)
    ours = words(spoken)[kind]
    content = {name: text for name, text in tidy.items() if text and name in ours and text != ours[name]}
    if content == _own(session, kind, language):
        return
    if content:
        row = {"id": new_id(), "org_id": organization_of(session), "created_at": now()}
        made = insert(MailText).values(**row, kind=kind, language=language, content=content)
        session.execute(
            made.on_conflict_do_update(constraint="uq_mail_texts_kind", set_={"content": content})
        )
    else:
        session.execute(delete(MailText).where(MailText.kind == kind, MailText.language == language))
    audit.record(
        session, audit.Tag.MAIL_TEXT_CHANGED, actor=actor, kind=kind, language=language, parts=len(content)
    )


def _own(session: Session, kind: str, language: str) -> dict[str, str]:
    written = _language(language)
    row = session.scalar(select(MailText).where(MailText.kind == kind, MailText.language == written))
    return dict(row.content) if row is not None else {}


def _tidy(name: str, text: str) -> str:
    """Return a text without what no mail shows; only the lead has paragraphs."""
    paragraphs = [" ".join(one.split()) for one in text.replace("\r\n", "\n").split("\n\n")]
    tidy = ("\n\n" if name == "lead" else " ").join(one for one in paragraphs if one)
    return "".join(sign for sign in tidy if sign.isprintable() or sign == "\n")


def _check(kind: str, name: str, text: str) -> None:
    if len(text) > PARTS[name]:
        raise TextUnusable(N_("This text has at most %(most)s letters."), field=name, most=PARTS[name])
    known = variables(kind)
    try:
        found = list(string.Formatter().parse(text))
    except ValueError as error:
        raise TextUnusable(
            N_("A brace stands alone. Variables look like %(variable)s."), field=name, variable="{company}"
        ) from error
    for _, variable, form, conversion in found:
        if variable is not None and (variable not in known or form or conversion):
            raise TextUnusable(
                N_("This mail does not know %(variable)s. It knows %(known)s."),
                field=name,
                variable=f"{{{variable}}}",
                known=", ".join(f"{{{one}}}" for one in known),
            )


@cache
def _load(language: str) -> dict[str, Any]:
    return tomllib.loads((TEMPLATES / f"mail.{language}.toml").read_text(encoding="utf-8"))
