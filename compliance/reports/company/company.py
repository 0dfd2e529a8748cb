"""The company whose report it is, and how each fact names where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from compliance.privacy import versions
from compliance.privacy.facts import PrivacyFacts
from compliance.reports.document import Fact
from compliance.reports.wording import Wording
from core import personal
from core.models import Organization
from core.models.base import Base
from core.people import organizations
from core.personal import Category, Personal
from core.settings import Settings, settings
from core.shoots.promises import Kept, schedule


@dataclass(frozen=True)
class Company:
    """A company, read by a session of its own.

    Attributes:
        session: bound to it.
        row: what it has said of itself.
        stated: what it has stated on its page Privacy.
        say: the words.
        config: how the platform is set up.
        days: for how long it keeps what.
    """

    session: Session
    row: Organization
    stated: PrivacyFacts
    say: Wording
    config: Settings
    days: dict[Kept, int]

    @classmethod
    def of(cls, session: Session, language: str, stated: PrivacyFacts | None = None) -> Company:
        """Return the session's company.

        Args:
            session: bound to it.
            language: of the words, such as `de`; how they speak to somebody is the company's to say.
            stated: what it would state, to see that before it counts; what counts now if not given.
        """
        row = organizations.current(session)
        stated = versions.live(session).facts if stated is None else stated
        say = Wording(organizations.spoken(session, language), "company")
        return cls(session, row, stated, say, settings(), schedule(row))

    @property
    def name(self) -> str:
        """Its name in law, or the one that it is known by."""
        return self.stated.legal_name or self.row.name

    def said(self, label: str, value: str) -> Fact:
        """Return a fact that the company states, or who can state it and where."""
        source = "company" if value.strip() else "company_missing"
        return Fact(self.say(label), self.say.stated(value), self.source(source))

    def cell(self, value: str) -> str:
        """Return the same for a table or a sentence, which has no room for a source."""
        return self.say.stated(value) if value.strip() else self.say("missing")

    def set_by(self, label: str, value: str, setting: str) -> Fact:
        """Return a fact that the operator sets, or with which setting it is set."""
        source = "settings" if value.strip() else "settings_missing"
        stated = self.say.stated(value, "not_stated_operator")
        return Fact(self.say(label), stated, self.say(f"source.{source}", setting=setting))

    def source(self, name: str) -> str:
        """Return where a fact comes from, in words."""
        return self.say(f"source.{name}")

    def processors(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield who else is involved, as configured: name, service, what they get, where that is set."""
        say, config = self.say, self.config
        yield config.operator_name, say("to.operator"), say("to.operator_gets"), "HEADSHOTS_OPERATOR_NAME"
        host = urlsplit(config.smtp_url.get_secret_value()).hostname or ""
        yield host, say("to.mail"), say("to.mail_gets"), "HEADSHOTS_SMTP_URL"
        place, region = urlsplit(config.storage_url), say.said(config.storage_region)
        # Which kind of storage, and not its address: anybody may read this.
        yield (
            f"{say.label('to.kind', place.scheme)} ({region})",
            say("to.storage"),
            say("to.storage_gets"),
            "HEADSHOTS_STORAGE_URL",
        )
        for address, variable in (
            (config.timestamp_url, "HEADSHOTS_TIMESTAMP_URL"),
            (config.origin_timestamp_url, "HEADSHOTS_ORIGIN_TIMESTAMP_URL"),
        ):
            if address:
                yield urlsplit(address).hostname or address, say("to.clock"), say("to.clock_gets"), variable

    def columns(self) -> Iterator[tuple[Category, list[str]]]:
        """Yield each category of the map with the columns that hold it."""
        for category in Category:
            yield (
                category,
                sorted(
                    f"{table.name}.{column.name}"
                    for table, _ in personal.about_people(Base.metadata)
                    for column in table.columns
                    if isinstance(said := personal.declared(column), Personal) and said.category is category
                ),
            )
