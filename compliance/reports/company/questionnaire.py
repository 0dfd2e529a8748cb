"""What a buyer asks first, answered in order: retention, model deletion, reuse, third parties, breach, and what follows."""

from __future__ import annotations

from collections.abc import Iterator

from compliance import backups
from compliance.breaches import register
from compliance.reports.company import parts
from compliance.reports.company.company import Company
from compliance.reports.document import Section, table
from core.shoots.promises import Kept


def sections(company: Company) -> tuple[Section, ...]:
    """Return the answers as a report: each with where it comes from."""
    return (
        Section("about", company.say("about"), text=tuple(company.say.table("questionnaire.about"))),
        *answers(company),
    )


def answers(company: Company) -> Iterator[Section]:
    """Yield the answers by topic, each number from what is configured; where the answer is no, it says so."""
    say, values = company.say, _values(company)
    for name, heading, rows in say.table("questionnaire.sections"):
        filled = [[cell.format(**values) for cell in row] for row in rows]
        yield Section(name, heading, tables=table(say.table("questionnaire.columns"), filled))


def _values(company: Company) -> dict[str, object]:
    say, days, config, stated = company.say, company.days, company.config, company.stated
    return {
        **{kept.value: say.number(days[kept]) for kept in Kept},
        "hours": say.number(backups.dead_within_hours()),
        "backups": say.number(config.backup_days),
        "operator": config.operator_name,
        "region": say.said(config.storage_region),
        "trained": _trained(company),
        "third": "; ".join(f"{name}: {gets}" for name, _, gets, _ in company.processors() if name),
        "others": _others(company),
        "countries": company.cell(parts.third_countries(company)),
        "changes": _changes(company),
        "incident": company.cell(stated.incident_contact or stated.contact_email),
        "others_from": _from(company, bool(stated.subprocessors)),
        "countries_from": _from(company, bool(parts.third_countries(company))),
        "changes_from": _from(company, bool(parts.notice(company))),
        "incident_from": _from(company, bool(stated.incident_contact or stated.contact_email)),
        "breaches": _breaches(company),
        "register": company.source("register"),
        "certificates": say.stated(config.operator_certificates, "missing_operator_certificates"),
    }


def _from(company: Company, is_stated: bool) -> str:
    return company.source("company" if is_stated else "nobody")


def _trained(company: Company) -> str:
    base = company.config.diffusion_base
    return (
        company.say("questionnaire.trained", model=base) if base else company.say("questionnaire.untrained")
    )


def _others(company: Company) -> str:
    listed = company.stated.subprocessors
    if not listed:
        return company.say("missing")
    names = "; ".join(", ".join(filter(None, (one.name, one.service, one.country))) for one in listed)
    return company.say("questionnaire.listed", count=company.say.number(len(listed)), names=names)


def _changes(company: Company) -> str:
    days = parts.notice(company)
    if not days:
        return company.say("missing")
    objection = company.cell(company.stated.objection)
    return company.say("questionnaire.announced", days=days, objection=objection)


def _breaches(company: Company) -> str:
    say, count = company.say, register.told_people(company.session)
    open_one = register.undecided(company.session)
    told = (say("questionnaire.breaches", count=say.number(count)),) if count else ()
    looked_at = (say("questionnaire.undecided"),) if open_one else ()
    return " ".join((*told, *looked_at)) or say("questionnaire.no_breach")
