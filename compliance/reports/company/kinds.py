"""Which reports there are, and what each says."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from compliance import backups
from compliance.reports.company import breaches, metrics, parts, questionnaire, risk
from compliance.reports.company.company import Company
from compliance.reports.document import Fact, Section, table
from core.shoots.promises import Kept


class Report(StrEnum):
    """What can be asked for; stable, they stand in addresses."""

    RECORDS = "records"  # of processing, GDPR Art. 30
    ANNEXES = "annexes"  # to the contract of processing, Art. 28
    DPIA = "dpia"  # a draft of the impact assessment, Art. 35
    RISK = "risk"  # assessment that California asks for
    RETENTION = "retention"
    AI_ACT = "ai_act"
    BIOMETRIC_POLICY = "biometric_policy"  # 740 ILCS 14/15(a), to be public
    METRICS = "metrics"  # of requests, 11 CCR §7102
    BREACHES = "breaches"  # the register of Art. 33(5)
    QUESTIONNAIRE = "questionnaire"  # what a buyer's counsel asks


def sections(session: Session, report: Report, language: str) -> tuple[Section, ...]:
    """Return what a report of the session's company says now, every fact from what is configured."""
    return _MAKERS[report](Company.of(session, language))


def _about(company: Company, name: str) -> Section:
    return Section("about", company.say("about"), text=tuple(company.say.table(f"{name}.about")))


def _records(company: Company) -> tuple[Section, ...]:
    say = company.say
    return (
        _about(company, "records"),
        parts.parties(company, "Art. 30(1)(a)"),
        parts.purposes(company, "Art. 30(1)(b)"),
        parts.categories(company, "Art. 30(1)(c)"),
        parts.recipients(company, "Art. 30(1)(d)"),
        parts.transfers(company, "Art. 30(1)(e)"),
        parts.limits(company, "Art. 30(1)(f)"),
        parts.measures(company, "Art. 30(1)(g), 32"),
        Section(
            "processor",
            say("records.processor"),
            "Art. 30(2)",
            facts=(
                company.set_by("parties.processor", company.config.operator_name, "HEADSHOTS_OPERATOR_NAME"),
                company.set_by(
                    "parties.processor_address", company.config.operator_address, "HEADSHOTS_OPERATOR_ADDRESS"
                ),
                company.set_by(
                    "parties.processor_contact", company.config.operator_email, "HEADSHOTS_OPERATOR_EMAIL"
                ),
                company.said("records.behalf", company.name),
                Fact(say("records.categories"), say("records.categories_value"), company.source("program")),
                company.said("transfers.countries", parts.third_countries(company)),
            ),
            text=(say("records.processor_text"),),
        ),
    )


def _annexes(company: Company) -> tuple[Section, ...]:
    say = company.say
    return (
        _about(company, "annexes"),
        parts.parties(company, "Art. 28(3)"),
        Section(
            "subject",
            say("annexes.subject"),
            "Art. 28(3)",
            facts=tuple(
                Fact(label, value, company.source("program"))
                for label, value in say.table("annexes.subject_rows")
            ),
        ),
        parts.categories(company, "Art. 28(3)"),
        parts.measures(company, "Art. 28(3)(c), 32"),
        parts.recipients(company, "Art. 28(2), (4)"),
        parts.subprocessors(company, "Art. 28(2)"),
        Section(
            "help", say("annexes.help"), "Art. 28(3)(e) to (h)", items=tuple(say.table("annexes.help_items"))
        ),
        parts.limits(company, "Art. 28(3)(g)"),
    )


def _dpia(company: Company) -> tuple[Section, ...]:
    say = company.say
    return (
        _about(company, "dpia"),
        parts.parties(company, "Art. 35"),
        parts.purposes(company, "Art. 35(7)(a)"),
        parts.categories(company, "Art. 35(7)(a)"),
        parts.recipients(company, "Art. 35(7)(a)"),
        Section("need", say("dpia.need"), "Art. 35(7)(b)", items=tuple(say.table("dpia.need_items"))),
        Section(
            "risks",
            say("dpia.risks"),
            "Art. 35(7)(c), (d)",
            text=(say("dpia.risks_text"),),
            tables=table(say.table("dpia.risk_columns"), say.table("dpia.risk_rows")),
        ),
        parts.measures(company, "Art. 35(7)(d)"),
        parts.limits(company, "Art. 35(7)(b)"),
        Section(
            "open",
            say("dpia.open"),
            "Art. 35(2), (9), 36",
            facts=parts.decided(company),
        ),
    )


def _retention(company: Company) -> tuple[Section, ...]:
    return (
        _about(company, "retention"),
        parts.parties(company, ""),
        parts.limits(company, "Art. 5(1)(e), 17"),
        Section(
            "proof",
            company.say("retention.proof"),
            items=tuple(company.say.table("retention.proof_items")),
        ),
    )


def _ai_act(company: Company) -> tuple[Section, ...]:
    say, base = company.say, company.config.diffusion_base
    used = ", ".join(say.label("engine", one) for one in parts.engines(company)) or say("ai_act.none_used")
    return (
        _about(company, "ai_act"),
        Section(
            "systems",
            say("ai_act.systems"),
            "Art. 3",
            facts=(
                Fact(say("ai_act.used"), used, company.source("shoots")),
                company.set_by("ai_act.model", base or say("ai_act.no_model"), "HEADSHOTS_DIFFUSION_BASE"),
                company.set_by("ai_act.provider", company.config.operator_name, "HEADSHOTS_OPERATOR_NAME"),
                company.said("ai_act.deployer", company.name),
                *(Fact(label, value, company.source("program")) for label, value in say.table("ai_act.rows")),
            ),
        ),
        Section(
            "marking",
            say("ai_act.marking"),
            "Art. 50(2), (4)",
            items=tuple(say.table("ai_act.marking_items")),
        ),
        Section(
            "oversight",
            say("ai_act.oversight"),
            "Art. 4, 26",
            facts=(company.said("ai_act.training", company.stated.training),),
            items=tuple(say.table("ai_act.oversight_items")),
        ),
    )


def _biometric_policy(company: Company) -> tuple[Section, ...]:
    say, days = company.say, company.days
    values = {
        "company": company.name,
        "operator": company.config.operator_name,
        "selfies": days[Kept.SELFIES],
        "models": days[Kept.MODELS],
        "hours": backups.dead_within_hours(),
        "contact": company.cell(company.stated.contact_email),
    }
    return tuple(
        Section(name, heading, law, text=tuple(line.format(**values) for line in lines))
        for name, heading, law, lines in say.table("biometric_policy.sections")
    )


def _metrics(company: Company) -> tuple[Section, ...]:
    return (_about(company, "metrics"), *metrics.sections(company))


def _breaches(company: Company) -> tuple[Section, ...]:
    return (_about(company, "breaches"), *breaches.sections(company))


_MAKERS: Final[dict[Report, Callable[[Company], tuple[Section, ...]]]] = {
    Report.RECORDS: _records,
    Report.ANNEXES: _annexes,
    Report.DPIA: _dpia,
    Report.RISK: risk.sections,
    Report.RETENTION: _retention,
    Report.AI_ACT: _ai_act,
    Report.BIOMETRIC_POLICY: _biometric_policy,
    Report.METRICS: _metrics,
    Report.BREACHES: _breaches,
    Report.QUESTIONNAIRE: questionnaire.sections,
}
