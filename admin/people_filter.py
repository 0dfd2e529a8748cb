"""Whom the list of people shows, as an address says it: states, ids and keys, and no word about anybody."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from admin import search
from admin.search import Search
from admin.words import MAIL_STATES, STATES
from core.errors import InvalidInput
from core.models import MailState, State, Style
from core.people import filters
from core.people.filters import Access, Filter
from core.shoots import shoots

LONGEST = 64  # letters of a value: an id has 36, a department's key 18
IDS = ("shoot", "style")
TICKS = ("overdue", "unreached")
NAMES = ("state", "shoot", "department", "style", "access", "overdue", "unreached", "mail")


@dataclass(frozen=True)
class Asked:
    """What this address asks for.

    Attributes:
        said: The part of it that says so, without the page.
        search: The words, which are kept apart.
    """

    said: dict[str, str]
    search: Search

    @property
    def query(self) -> str:
        """The end of an address that asks for the same."""
        search_id = {"search": str(self.search.id)} if self.search.id else {}
        return urlencode(self.said | search_id)

    @property
    def is_narrow(self) -> bool:
        """Whether it asks for anything."""
        return bool(self.said or self.search.id)


def asked() -> Asked:
    """Return what this request asks for; asks the storage for searched words, so no transaction is open."""
    return Asked(said(), search.asked())


def said() -> dict[str, str]:
    """Return what a form or an address says, but for the words; each in one spelling, since it may be kept."""
    given = {name: value for name in NAMES if (value := request.values.get(name, ""))}
    return {name: _spelled(name, value[:LONGEST]) for name, value in given.items()}


def _spelled(name: str, value: str) -> str:
    if name in TICKS:
        return "1"
    if name in IDS:
        with suppress(ValueError):  # said by `filter_of`
            return str(UUID(value))
    return value


def choices(session: Session) -> dict[str, Any]:
    """Return what the form offers."""
    listed = shoots.listed(session)
    return {
        "departments": filters.departments(session),
        "state_choices": [(one.value, word.label) for one, word in STATES.items() if one is not State.ERASED],
        "mail_choices": [(one.value, word.label) for one, word in MAIL_STATES.items()],
        "shoot_choices": [(shoot.id, shoot.name) for shoot, _style in listed],
        "style_choices": list({style.id: _called(style) for _shoot, style in listed}.items()),
    }


def _called(style: Style) -> str:
    return f"{style.name} ({_('version %(number)s', number=style.version)})"


def filter_of(session: Session, one: Asked) -> Filter:
    """Return the filter that an address asks for.

    Raises:
        InvalidInput: there is no such state, shoot, style or department.
    """
    named = one.said.get("department", "")
    departments = dict(filters.departments(session)) if named else {}
    if named and named not in departments:
        raise InvalidInput(_("Nobody is in this department any more. Please choose another one."))
    try:
        return Filter(
            words=one.search.words,
            department=departments[named] if named else None,
            state=State(one.said["state"]) if "state" in one.said else None,
            shoot_id=UUID(one.said["shoot"]) if "shoot" in one.said else None,
            style_id=UUID(one.said["style"]) if "style" in one.said else None,
            access=Access(one.said["access"]) if "access" in one.said else None,
            is_overdue="overdue" in one.said,
            is_unreached="unreached" in one.said,
            mail=MailState(one.said["mail"]) if "mail" in one.said else None,
        )
    except ValueError as error:
        raise InvalidInput(_("This address is not complete. Please go back and try again.")) from error
