"""The risk assessment that California asks for where sensitive personal information is handled: a draft for counsel."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, or_, select

from compliance.reports.company import parts
from compliance.reports.company.company import Company
from compliance.reports.document import Fact, Section, table
from core.models import Member
from core.regimes import Regime
from core.shoots.promises import Kept

CALIFORNIA: Final = "US-CA"
# Steps in which it is told of how many it is: a report is another version only where it says something else.
STEPS: Final = (10, 100, 1000, 10_000)


def sections(company: Company) -> tuple[Section, ...]:
    """Return the draft: what is done and why it is assessed, from the live configuration; judging is the company's."""
    say, days = company.say, {kept.value: company.say.number(company.days[kept]) for kept in Kept}
    return (
        Section("about", say("about"), text=tuple(say.table("risk.about"))),
        parts.parties(company, ""),
        Section(
            "why",
            say("risk.why"),
            facts=(
                Fact(say("risk.sensitive"), say("risk.sensitive_value"), company.source("program")),
                Fact(say("risk.people"), _people(company), company.source("counted")),
                Fact(say("risk.used"), _used(company), company.source("shoots")),
                Fact(say("risk.decisions"), say("risk.decisions_value"), company.source("program")),
                Fact(say("risk.sold"), say("no"), company.source("program")),
            ),
        ),
        Section(
            "categories",
            say("risk.categories"),
            "Civ. Code §1798.140(v)(1)",
            text=(say("risk.categories_text"),),
            tables=table(
                say.table("risk.category_columns"),
                [[cell.format(**days) for cell in row] for row in say.table("risk.category_rows")],
            ),
        ),
        parts.recipients(company, "Civ. Code §1798.110(a)(4)"),
        Section("benefits", say("risk.benefits"), items=tuple(say.table("risk.benefit_items"))),
        Section("need", say("dpia.need"), items=tuple(say.table("dpia.need_items"))),
        Section(
            "risks",
            say("dpia.risks"),
            text=(say("dpia.risks_text"),),
            tables=table(say.table("dpia.risk_columns"), say.table("dpia.risk_rows")),
        ),
        parts.measures(company, ""),
        parts.limits(company, "Civ. Code §1798.100(a)(3)"),
        Section("open", say("dpia.open"), facts=parts.decided(company)),
        Section(
            "duties",
            say("risk.duties"),
            text=(say("risk.duties_text"),),
            tables=table(say.table("risk.duty_columns"), say.table("risk.duty_rows")),
        ),
    )


def _used(company: Company) -> str:
    say = company.say
    return ", ".join(say.label("engine", one) for one in parts.engines(company)) or say("ai_act.none_used")


def _people(company: Company) -> str:
    """Return of about how many people this is: those who work in California, or nobody knows where and its law is the usual one."""
    where = Member.place == CALIFORNIA
    if company.row.regime == Regime.CCPA:
        where = or_(where, Member.place.is_(None), Member.place == "US")
    question = select(func.count()).select_from(Member).where(Member.erased_at.is_(None), where)
    count = company.session.scalars(question).one()
    below = next((step for step in STEPS if count < step), None)
    say = company.say
    if below is None:
        return say("risk.at_least", number=say.number(STEPS[-1]))
    return say("risk.fewer_than", number=say.number(below)) if count else say("risk.nobody")
