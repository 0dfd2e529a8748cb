"""What California's law has an employee told: categories by the statute's letters, sources, purposes, disclosures.

Numbers taken of a face are described and never handed over (11 CCR §7024(d)).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from compliance.reports.access import ends, history, measured, parties
from compliance.reports.access.subject import Subject
from compliance.reports.document import Document, Fact, Section, table
from compliance.reports.wording import Wording
from core.clock import now
from core.ids import new_id
from core.models import Kind, Member
from core.people import organizations
from core.regimes import Regime
from core.shoots.promises import Kept, schedule
from core.vault import vault

FORMAT = "headshots.know-report/1"
# Categories of Cal. Civ. Code §1798.140(v)(1) that something here falls into; the others are collected of nobody.
COLLECTED: Final = ("A", "B", "E", "F", "H", "I", "K", "L")
NOT_COLLECTED: Final = ("C", "D", "G", "J")
# What each category's end counts from.
_KEPT: Final[dict[str, tuple[Kept, ...]]] = {
    "A": (Kept.LEAVERS,),
    "B": (Kept.LEAVERS,),
    "E": (Kept.SELFIES, Kept.MODELS),
    "F": (Kept.LEAVERS,),
    "H": (Kept.SELFIES, Kept.HEADSHOTS),
    "I": (Kept.LEAVERS,),
    "K": (Kept.SELFIES, Kept.HEADSHOTS),
    "L": (Kept.SELFIES, Kept.MODELS),
}
BIOMETRIC: Final = (Kind.LIKENESS, Kind.ADAPTER, Kind.CHECKPOINT)


def report(session: Session, member: Member, *, language: str, names: dict[UUID, str]) -> Document:
    """Return what is known of `member`, as `access.making.report` does, in California's terms."""
    say = Wording(language, "access", "laws", "know")
    company = organizations.current(session)
    of = Subject(session, member, company, say, names, Regime.CCPA, biometrics=False)
    return Document(
        FORMAT,
        str(new_id()),
        say.spoken,
        now(),
        say("know.title"),
        say("know.subtitle", name=member.full_name or member.email or ""),
        company.legal_name or company.name,
        (
            Section("about", say("know.about"), of.law("about"), text=tuple(say.table("know.about_text"))),
            parties.responsible(of),
            _categories(of),
            _disclosures(of),
            parties.recipients(of),
            ends.retention(of),
            parties.sources(of),
            _biometrics(of),
            history.person(of),
            history.shoots(of),
            history.consents(of),
            measured.photos(of),
            measured.headshots(of),
            history.requests(of),
            history.events(of),
            history.sessions(of),
            Section(
                "rights", say("know.rights"), of.law("rights"), items=tuple(say.table("know.rights_items"))
            ),
        ),
    )


def _categories(of: Subject) -> Section:
    say = of.say
    days = schedule(of.organization)
    rows = [
        (
            f"({letter}) {say(f'know.category.{letter}')}",
            say(f"know.held.{letter}"),
            say(f"know.source.{letter}"),
            say(f"know.purpose.{letter}"),
            "\n".join(say(f"ends.{kept.value}", days=days[kept]) for kept in _KEPT[letter]),
        )
        for letter in COLLECTED
    ]
    none = ", ".join(f"({letter}) {say(f'know.category.{letter}')}" for letter in NOT_COLLECTED)
    return Section(
        "categories",
        say("know.categories"),
        of.law("categories"),
        text=(say("know.categories_text"),),
        tables=table(say.table("know.category_columns"), rows),
        items=(say("know.not_collected", letters=none),),
    )


def _disclosures(of: Subject) -> Section:
    say = of.say
    rows = [
        (f"({letter}) {say(f'know.category.{letter}')}", say(f"know.to.{letter}"), say("know.for_business"))
        for letter in COLLECTED
    ]
    return Section(
        "disclosures",
        say("know.disclosures"),
        of.law("disclosures"),
        text=(say("know.not_sold"),),
        tables=table(say.table("know.disclosure_columns"), rows),
    )


def _biometrics(of: Subject) -> Section:
    return Section(
        "biometrics",
        of.say("know.biometrics"),
        of.law("biometrics"),
        text=(of.say("know.biometrics_text"),),
        facts=tuple(_described(of)),
    )


def _described(of: Subject) -> Iterator[Fact]:
    inventory = vault().inventory(of.session, of.member.id)
    for kind in BIOMETRIC:
        count, _ = inventory.get(kind, (0, 0))
        yield Fact(of.say.label("kind", kind.value), of.say("know.files", count=of.say.number(count)))
