"""Drafts of the notices of a breach, from what is written down: to be checked, completed and sent by the company."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from sqlalchemy.orm import Session

from compliance.breaches import register
from compliance.breaches.facts import BreachFacts
from compliance.reports.company import parts
from compliance.reports.company.company import Company
from compliance.reports.document import Document, Fact, Section
from compliance.reports.wording import Wording
from core.clock import now
from core.models import Breach, Told
from core.settings import settings


class Draft(StrEnum):
    """To whom."""

    AUTHORITY = "authority"  # Art. 33 GDPR
    PEOPLE = "people"  # Art. 34 GDPR
    STATES = "states"  # people in the United States, by the law of their state


def document(session: Session, row: Breach, draft: Draft, language: str) -> Document:
    """Return a draft; what is not known yet says so, so that nobody takes it for complete."""
    company = Company.of(session, language)
    say = Wording(company.say.spoken, "company", "breach")
    made = {Draft.AUTHORITY: _authority, Draft.PEOPLE: _people, Draft.STATES: _states}[draft]
    return Document(
        "headshots.breach-draft/1",
        f"{row.id} {draft.value} {row.revision}",
        say.spoken,
        now(),
        say(f"draft.{draft.value}.title"),
        say("draft.subtitle", number=row.number),
        company.name,
        (
            Section("draft", say("draft.about"), text=tuple(say.table(f"draft.{draft.value}.about"))),
            *made(company, say, row, register.facts_of(row)),
        ),
    )


def as_text(drafted: Document) -> str:
    """Return a draft as plain text, to be pasted into an authority's form or a mail."""
    lines = [drafted.title, ""]
    for section in drafted.sections:
        lines += [section.heading + (f" ({section.law})" if section.law else ""), *section.text]
        lines += [f"{fact.label}: {fact.value}" for fact in section.facts]
        lines += [f"- {item}" for item in section.items]
        lines.append("")
    return "\n".join(lines)


def counted(say: Wording, number: int | None) -> str:
    """Return about how many, in words."""
    return say("unknown") if number is None else say("about_many", number=say.number(number))


def known(say: Wording, text: str) -> str:
    """Return what is written down, or that it is not known yet."""
    return text or say("unknown")


def moment(company: Company, at: datetime | None) -> str:
    """Return a time as the company's clocks show it."""
    if at is None:
        return company.say("none")
    zone = ZoneInfo(company.row.time_zone)
    pattern = company.say("moment").replace("'UTC'", "").strip()
    shown = format_datetime(at, pattern, tzinfo=zone, locale=company.say.language)
    return f"{shown} ({company.row.time_zone})"


def _authority(company: Company, say: Wording, row: Breach, facts: BreachFacts) -> Iterator[Section]:
    late = row.authority_told_at is not None and row.authority_told_at > register.due_at(row)
    yield parts.parties(company, "Art. 33(3)(b)")
    yield Section(
        "time",
        say("draft.time"),
        "Art. 33(1)",
        facts=(
            Fact(say("aware"), moment(company, row.aware_at)),
            Fact(say("due"), moment(company, register.due_at(row))),
            *((Fact(say("delay"), known(say, facts.delay_reason)),) if late or facts.delay_reason else ()),
            Fact(say("contact"), _contact(company, say, facts)),
        ),
    )
    yield _nature(say, facts, "Art. 33(3)(a)")
    yield Section("consequences", say("consequences"), "Art. 33(3)(c)", text=_lines(say, facts.consequences))
    yield Section("measures", say("measures_taken"), "Art. 33(3)(d)", text=_lines(say, facts.measures))
    yield Section(
        "design", say("draft.design"), "Art. 34(3)(a)", items=tuple(say.table("draft.design_items"))
    )
    told = say.yes(row.people == Told.YES) if row.people else say("undecided")
    yield Section(
        "people",
        say("draft.people_told"),
        "Art. 34",
        facts=(
            Fact(say("decision"), told),
            Fact(say("reason"), known(say, facts.people_reason)),
            Fact(say("told_at"), moment(company, row.people_told_at)),
        ),
    )


def _people(company: Company, say: Wording, row: Breach, facts: BreachFacts) -> Iterator[Section]:
    yield Section("what", say("draft.happened"), "Art. 34(2)", text=_lines(say, facts.nature))
    yield Section("data", say("draft.data"), text=_lines(say, facts.of_what))
    yield Section("means", say("draft.means"), "Art. 33(3)(c)", text=_lines(say, facts.consequences))
    yield Section("done", say("draft.done"), "Art. 33(3)(d)", text=_lines(say, facts.measures))
    yield _can_do(company, say)
    yield _ask(company, say, facts)
    del row


def _states(company: Company, say: Wording, row: Breach, facts: BreachFacts) -> Iterator[Section]:
    yield Section(
        "what",
        say("draft.happened"),
        text=_lines(say, facts.nature),
        facts=(Fact(say("aware"), moment(company, row.aware_at)),),
    )
    yield Section("data", say("draft.data"), text=_lines(say, facts.of_what))
    yield Section("done", say("draft.done"), text=_lines(say, facts.measures))
    yield _can_do(company, say)
    yield _ask(company, say, facts)
    yield Section("counsel", say("draft.counsel"), items=tuple(say.table("draft.counsel_items")))


def _nature(say: Wording, facts: BreachFacts, law: str) -> Section:
    return Section(
        "nature",
        say("nature"),
        law,
        text=_lines(say, facts.nature),
        facts=(
            Fact(say("of_whom"), known(say, facts.of_whom)),
            Fact(say("people_count"), counted(say, facts.people)),
            Fact(say("of_what"), known(say, facts.of_what)),
            Fact(say("record_count"), counted(say, facts.records)),
        ),
    )


def _can_do(company: Company, say: Wording) -> Section:
    address = f"{settings().base_url.rstrip('/')}/trust/{company.row.slug}"
    return Section(
        "you",
        say("draft.you"),
        items=tuple(one.format(address=address) for one in say.table("draft.you_items")),
    )


def _ask(company: Company, say: Wording, facts: BreachFacts) -> Section:
    stated = company.stated
    return Section(
        "ask",
        say("draft.ask"),
        "Art. 33(3)(b)",
        facts=(
            Fact(say("contact"), _contact(company, say, facts)),
            Fact(say("parties.dpo"), company.cell(stated.dpo)),
            Fact(say("parties.authority"), company.cell(stated.authority)),
        ),
    )


def _contact(company: Company, say: Wording, facts: BreachFacts) -> str:
    return known(say, facts.contact or company.stated.incident_contact or company.stated.contact_email)


def _lines(say: Wording, text: str) -> tuple[str, ...]:
    return tuple(line for line in known(say, text).splitlines() if line)
