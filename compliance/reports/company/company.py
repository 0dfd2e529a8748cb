"""The company whose report it is, and how each fact names where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

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
        say: the words.
        config: how the platform is set up.
        days: for how long it keeps what.
    """

    session: Session
    row: Organization
    say: Wording
    config: Settings
    days: dict[Kept, int]

    @classmethod
    def of(cls, session: Session, language: str) -> Company:
        """Return the session's company."""
        row = organizations.current(session)
        return cls(session, row, Wording(language, "company"), settings(), schedule(row))

    @property
    def name(self) -> str:
        """Its name in law, or the one that it is known by."""
        return self.row.legal_name or self.row.name

    def said(self, label: str, value: str, source: str) -> Fact:
        """Return a fact that somebody has configured, or that nobody has."""
        missing = "not_stated_operator" if source == "settings" else "not_stated"
        return Fact(self.say(label), self.say.stated(value, missing), self.source(source))

    def source(self, name: str) -> str:
        """Return where a fact comes from, in words."""
        return self.say(f"source.{name}", version=self.row.schedule_version)

    def processors(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield who else is involved, as configured: name, service, what they get, where that is set."""
        say, config = self.say, self.config
        yield config.operator_name, say("to.operator"), say("to.operator_gets"), "HEADSHOTS_OPERATOR_NAME"
        host = urlsplit(config.smtp_url.get_secret_value()).hostname or ""
        yield host, say("to.mail"), say("to.mail_gets"), "HEADSHOTS_SMTP_URL"
        place, region = urlsplit(config.storage_url), say.said(config.storage_region)
        disk = say("to.own_disk") if place.scheme == "file" else f"{place.scheme}://{place.netloc}"
        yield f"{disk} ({region})", say("to.storage"), say("to.storage_gets"), "HEADSHOTS_STORAGE_URL"
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
