"""What several reports say alike."""

from __future__ import annotations

from compliance import backups
from compliance.reports.company.company import Company
from compliance.reports.document import Fact, Section, table
from core.models import EngineName, Shoot
from core.portraits.engines import possible
from core.shoots.promises import MOST_DAYS, Kept


def parties(company: Company, law: str) -> Section:
    """Name who is responsible and who works for them."""
    stated, config = company.stated, company.config
    return Section(
        "parties",
        company.say("parties.heading"),
        law,
        facts=(
            _controller(company),
            company.said("parties.address", stated.postal_address),
            company.said("parties.contact", stated.contact_email),
            company.said("parties.dpo", stated.dpo),
            company.said("parties.joint", stated.joint),
            company.said("parties.representative", stated.representative),
            company.said("parties.authority", stated.authority),
            company.set_by("parties.processor", config.operator_name, "HEADSHOTS_OPERATOR_NAME"),
            company.set_by(
                "parties.processor_address", config.operator_address, "HEADSHOTS_OPERATOR_ADDRESS"
            ),
            company.set_by("parties.processor_contact", config.operator_email, "HEADSHOTS_OPERATOR_EMAIL"),
        ),
    )


def _controller(company: Company) -> Fact:
    source = "company" if company.stated.legal_name else "known_as"
    return Fact(company.say("parties.controller"), company.name, company.source(source))


def purposes(company: Company, law: str) -> Section:
    """List what can be done on this installation, on which basis; of what needs no consent the company states it."""
    say = company.say
    stated = {"organise": company.stated.basis_organise, "evidence": company.stated.basis_evidence}
    rows = [
        (
            say.label("purpose", one.value),
            say(f"purposes.does.{one.value}"),
            say(f"purposes.basis.{one.value}"),
        )
        for one in possible()
    ]
    rows += [
        (say(f"purposes.{name}"), say(f"purposes.does.{name}"), company.cell(basis))
        for name, basis in stated.items()
    ]
    return Section(
        "purposes",
        say("purposes.heading"),
        law,
        text=(say("purposes.text", regime=say.label("regime", company.row.regime)),),
        tables=table(say.table("purposes.columns"), rows),
    )


def categories(company: Company, law: str) -> Section:
    """List whose data is held and of which kinds, straight from the map."""
    say = company.say
    rows = [
        (say.label("category", category.value), say(f"categories.of.{category.value}"), ", ".join(columns))
        for category, columns in company.columns()
    ]
    return Section(
        "categories",
        say("categories.heading"),
        law,
        text=(say("categories.people"), say("categories.text")),
        tables=table(say.table("categories.columns"), rows),
    )


def recipients(company: Company, law: str) -> Section:
    """Name who gets something, as it is configured."""
    say = company.say
    return Section(
        "recipients",
        say("to.heading"),
        law,
        text=(say("to.text"),),
        tables=table(say.table("to.columns"), list(company.processors())),
        items=tuple(say.table("to.items")),
    )


def involved(company: Company) -> Section:
    """Name who gets something, for everybody: without which setting says so."""
    say = company.say
    rows = [(name, service, gets) for name, service, gets, _ in company.processors() if name]
    return Section(
        "recipients",
        say("to.heading"),
        text=(say("to.text"),),
        tables=table(say.table("to.columns")[:3], rows),
    )


def subprocessors(company: Company, law: str) -> Section:
    """List whom the company has in its register, and who is configured without being in it."""
    say, listed = company.say, company.stated.subprocessors
    known = {one.name.casefold() for one in listed}
    missing = [name for name, *_ in company.processors() if name and name.casefold() not in known]
    rows = [
        (
            one.name,
            one.service or say("none"),
            one.country or say("none"),
            one.safeguard or say("none"),
            say.day_of(one.added),
            say.day_of(one.notified),
            one.objections or say("none"),
        )
        for one in listed
    ]
    return Section(
        "changes",
        say("subprocessors.heading"),
        law,
        facts=(
            company.said("subprocessors.notice", notice(company)),
            company.said("subprocessors.objection", company.stated.objection),
            *(() if listed else (company.said("subprocessors.register", ""),)),
        ),
        tables=table(say.table("subprocessors.columns"), rows),
        items=tuple(say("subprocessors.unlisted", name=name) for name in missing),
    )


def notice(company: Company) -> str:
    """Return for how many days before a change it is announced; nothing where nobody has stated it."""
    days = company.stated.notice_days
    return "" if days is None else company.say("limits.days", days=company.say.number(days))


def transfers(company: Company, law: str) -> Section:
    """Say where files lie, and what goes to other countries with which safeguard."""
    say, stated = company.say, company.stated
    region = say.said(company.config.storage_region)
    rows = [
        (one.recipient, one.country or say("none"), company.cell(one.safeguard)) for one in stated.transfers
    ]
    return Section(
        "transfers",
        say("transfers.heading"),
        law,
        facts=(
            company.set_by("transfers.region", region, "HEADSHOTS_STORAGE_REGION"),
            company.said("transfers.agreed", stated.regions),
            company.said("transfers.countries", third_countries(company)),
        ),
        tables=table(say.table("transfers.columns"), rows),
    )


def third_countries(company: Company) -> str:
    """Return which countries data goes to; nothing where nobody has stated it."""
    if company.stated.no_transfers:
        return company.say("transfers.no")
    return "; ".join(
        f"{one.recipient} ({one.country})" if one.country else one.recipient
        for one in company.stated.transfers
    )


def limits(company: Company, law: str) -> Section:
    """State the schedule: days, what they count from, and the most that the program allows."""
    say = company.say
    rows = [
        (
            say(f"limits.what.{kept.value}"),
            say("limits.days", days=say.number(company.days[kept])),
            say(f"limits.from.{kept.value}"),
            say("limits.days", days=say.number(MOST_DAYS[kept])),
        )
        for kept in Kept
    ]
    config = company.config
    return Section(
        "limits",
        say("limits.heading"),
        law,
        text=(say("limits.text", version=company.row.schedule_version),),
        tables=table(say.table("limits.columns"), rows),
        items=tuple(
            one.format(hours=backups.dead_within_hours(), backups=config.backup_days)
            for one in say.table("limits.items")
        ),
    )


def measures(company: Company, law: str) -> Section:
    """List technical measures; organisational ones are the parties' to state."""
    say, config = company.say, company.config
    values = {
        "hours": config.epoch_hours,
        "dead": backups.dead_within_hours(),
        "idle": config.session_idle_minutes,
        "session": config.session_hours,
        "backups": config.backup_days,
        "escrow": say.yes(config.escrow_path is not None),
        "witnesses": say.yes(config.witnesses_path is not None),
        "clock": say.yes(bool(config.timestamp_url)),
    }
    rows = [(what, how.format(**values), source) for what, how, source in say.table("measures.rows")]
    return Section(
        "measures",
        say("measures.heading"),
        law,
        tables=table(say.table("measures.columns"), rows),
        facts=(company.said("measures.organisational", company.stated.measures),),
    )


def decided(company: Company) -> tuple[Fact, ...]:
    """Return what an assessment needs of the company: advice, views, decision, and when it is looked at again."""
    stated, say = company.stated, company.say
    review = "" if stated.impact_review is None else say.day_of(stated.impact_review)
    return (
        company.said("decided.advice", stated.impact_advice),
        company.said("decided.people", stated.impact_people),
        company.said("decided.authority", stated.impact_authority),
        company.said("decided.decision", stated.impact_decision),
        company.said("decided.review", review),
    )


def engines(company: Company) -> list[str]:
    """Return which ways of making pictures the company's shoots have ever used."""
    used = set(company.session.query(Shoot.engine).distinct())
    return [one.value for one in EngineName if (one.value,) in {tuple(row) for row in used}]
