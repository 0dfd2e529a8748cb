"""The register of breaches as a report (Art. 33(5) GDPR): each with its clock, what was decided, and its entries in the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select

from compliance.breaches import drafts, register
from compliance.reports.company.company import Company
from compliance.reports.document import Fact, Section
from compliance.reports.wording import Wording
from core.models import Breach, LogLeaf, Told


def sections(company: Company) -> Iterator[Section]:
    """Yield a section for each breach, the newest first; one sentence where there is none."""
    say = Wording(company.say.spoken, "company", "breach")
    rows = register.listed(company.session)
    if not rows:
        yield Section("none", say("register.heading"), "Art. 33(5)", text=(say("register.none"),))
    for row in rows:
        yield _one(company, say, row)


def _one(company: Company, say: Wording, row: Breach) -> Section:
    facts = register.facts_of(row)

    def decision(value: str | None) -> str:
        return say("undecided") if value is None else say.yes(value == Told.YES)

    def at(moment: datetime | None) -> str:
        return drafts.moment(company, moment)

    told = (
        ("aware", at(row.aware_at)),
        ("due", at(register.due_at(row))),
        ("nature", facts.nature),
        ("of_whom", drafts.known(say, facts.of_whom)),
        ("people_count", drafts.counted(say, facts.people)),
        ("of_what", drafts.known(say, facts.of_what)),
        ("record_count", drafts.counted(say, facts.records)),
        ("consequences", drafts.known(say, facts.consequences)),
        ("measures_taken", drafts.known(say, facts.measures)),
        ("register.authority", decision(row.authority)),
        ("register.authority_reason", drafts.known(say, facts.authority_reason)),
        ("register.authority_at", at(row.authority_told_at)),
        ("delay", facts.delay_reason or say("none")),
        ("register.people", decision(row.people)),
        ("register.people_reason", drafts.known(say, facts.people_reason)),
        ("register.people_at", at(row.people_told_at)),
        ("register.closed", at(row.closed_at)),
        ("register.log", _places(company, say, row)),
    )
    return Section(
        f"breach_{row.number}",
        say("register.one", number=row.number),
        "Art. 33(5)",
        facts=tuple(Fact(say(label), value) for label, value in told),
    )


def _places(company: Company, say: Wording, row: Breach) -> str:
    found = company.session.scalars(
        select(LogLeaf.position).where(LogLeaf.event_id.in_(row.events)).order_by(LogLeaf.position)
    )
    return ", ".join(str(position) for position in found) or say("register.waits")
