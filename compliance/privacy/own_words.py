"""What a company states of itself, on the page that asks its people: who is responsible, whom to ask, and its own words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy.orm import Session

from compliance.consent.texts import Notice
from compliance.privacy import versions
from compliance.privacy.facts import PrivacyFacts
from compliance.reports.wording import Wording


def added(session: Session, notice: Notice) -> Notice:
    """Return a notice of the session's company with what it states, under the rights: kept with each answer as the rest.

    The version of the text stays: nobody is asked again because an address changed.
    """
    lines = tuple(_lines(versions.live(session).facts, notice.language))
    return replace(notice, rights=(*notice.rights, *lines))


def _lines(stated: PrivacyFacts, language: str) -> Iterator[str]:
    say = Wording(language, "company")
    entity = ", ".join(filter(None, (stated.legal_name, *stated.postal_address.splitlines())))
    for label, value in (
        ("parties.controller", entity),
        ("parties.dpo", stated.dpo),
        ("parties.authority", stated.authority),
    ):
        if value:
            yield f"{say(label)}: {say.stated(value)}"
    yield from stated.sentence(say.language).splitlines()
