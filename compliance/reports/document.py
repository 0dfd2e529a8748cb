"""A report as values: sections of sentences, facts and tables, in one language; a page and a JSON file are made of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from core.clock import rfc3339


@dataclass(frozen=True)
class Fact:
    """One thing that is said, and where it comes from, where that is not plain."""

    label: str
    value: str
    source: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under headings."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True)
class Section:
    """One topic.

    Attributes:
        id: Stable, for programs.
        heading: What it is about.
        law: Which provision asks for it; empty where none does.
        text: Paragraphs before everything else.
        facts: What is said, one by one.
        tables: What is listed.
        items: Sentences that belong together, one below the other.
    """

    id: str
    heading: str
    law: str = ""
    text: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    tables: tuple[Table, ...] = ()
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes:
        format: Which report, with the edition of its shape, such as `headshots.access-report/1`.
        number: Its permanent id.
        language: Of every word in it, as a tag: `de-x-sie` is German that says "Sie".
        at: When what it says was read.
        title: What it is.
        subtitle: Under which law, in words.
        company: Whose it is.
        sections: What it says.
    """

    format: str
    number: str
    language: str
    at: datetime
    title: str
    subtitle: str
    company: str
    sections: tuple[Section, ...]

    def plus(self, *further: Section) -> Document:
        """Return the report with further sections at its end."""
        return replace(self, sections=(*self.sections, *further))

    def content(self) -> bytes:
        """Return the report for programs: the same words, as JSON."""
        said = {**asdict(self), "at": rfc3339(self.at)}
        said["sections"] = [{name: value for name, value in one.items() if value} for one in said["sections"]]
        return json.dumps(said, indent=1, ensure_ascii=False).encode()

    def words(self) -> Iterator[str]:
        """Yield everything that is printed."""
        yield from (self.title, self.subtitle, self.company)
        for section in self.sections:
            yield from (section.heading, section.law, *section.text, *section.items)
            for fact in section.facts:
                yield from (fact.label, fact.value, fact.source)
            for table in section.tables:
                yield from (table.caption, *table.columns)
                for row in table.rows:
                    yield from row


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> tuple[Table, ...]:
    """Return a section's one table; none where there is nothing to list."""
    return (Table(tuple(columns), tuple(tuple(row) for row in rows), caption),) if rows else ()
