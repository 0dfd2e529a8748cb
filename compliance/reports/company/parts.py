"""What several reports say alike."""

from __future__ import annotations

from compliance.reports.company.company import Company
from compliance.reports.document import Section, table
from core.consent import Purpose
from core.models import EngineName, Shoot
from core.shoots.promises import MOST_DAYS, Kept


def parties(company: Company, law: str) -> Section:
    """Name who is responsible and who works for them."""
    row, config = company.row, company.config
    return Section(
        "parties",
        company.say("parties.heading"),
        law,
        facts=(
            company.said("parties.controller", company.name, "company"),
            company.said("parties.address", row.postal_address, "company"),
            company.said("parties.contact", row.contact_email, "company"),
            company.said("parties.dpo", "", "nobody"),
            company.said("parties.joint", "", "nobody"),
            company.said("parties.representative", "", "nobody"),
            company.said("parties.processor", config.operator_name, "settings"),
            company.said("parties.processor_address", config.operator_address, "settings"),
            company.said("parties.processor_contact", config.operator_email, "settings"),
        ),
    )


def purposes(company: Company, law: str) -> Section:
    """List what is done, on which basis; nothing but consent is stated to the program."""
    say = company.say
    rows = [
        (
            say.label("purpose", one.value),
            say(f"purposes.does.{one.value}"),
            say(f"purposes.basis.{one.value}"),
        )
        for one in Purpose
    ]
    rows += [
        (say(f"purposes.{name}"), say(f"purposes.does.{name}"), say("not_stated"))
        for name in ("organise", "evidence")
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


def transfers(company: Company, law: str) -> Section:
    """Say where files lie; safeguards nobody has stated."""
    say, region = company.say, company.say.said(company.config.storage_region)
    return Section(
        "transfers",
        say("transfers.heading"),
        law,
        facts=(
            company.said("transfers.region", region, "settings"),
            company.said("transfers.countries", "", "nobody"),
            company.said("transfers.safeguards", "", "nobody"),
        ),
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
            one.format(hours=config.epoch_hours, backups=config.backup_days)
            for one in say.table("limits.items")
        ),
    )


def measures(company: Company, law: str) -> Section:
    """List technical measures; organisational ones are the parties' to state."""
    say, config = company.say, company.config
    values = {
        "hours": config.epoch_hours,
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
        facts=(company.said("measures.organisational", "", "nobody"),),
    )


def engines(company: Company) -> list[str]:
    """Return which ways of making pictures the company's shoots have ever used."""
    used = set(company.session.query(Shoot.engine).distinct())
    return [one.value for one in EngineName if (one.value,) in {tuple(row) for row in used}]
