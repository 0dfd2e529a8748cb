"""A short mail to a company of what waits for it: its contact, or else its owners."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from compliance.log import alarm
from core import formal
from core.mail.message import Mail
from core.people import organizations
from core.settings import settings


def written(session: Session, words: Path, address: str, number: int) -> list[Mail]:
    """Return a mail for each who is told, in their language; none to the operator, who can do nothing of what it asks.

    Args:
        session: bound to the organization.
        words: file with `subject` and `text` by language, with {company}, {number} and {link} in them.
        address: of the page that it leads to, within the site.
        number: of what waits; without any there is no mail.
    """
    if not number:
        return []
    organization, operator = organizations.current(session), settings().operator_email
    known = _load(words)
    values = {
        "company": organization.name,
        "number": number,
        "link": f"{settings().base_url.rstrip('/')}{address}",
    }
    made = []
    for to, language in alarm.addressees(session, organization):
        if to == operator and to != organization.contact_email:
            continue
        said = formal.chosen(known, language)
        made.append(alarm.plain(to, said["subject"].format(**values), said["text"].format(**values)))
    return made


@cache
def _load(words: Path) -> dict[str, Any]:
    return tomllib.loads(words.read_text(encoding="utf-8"))
