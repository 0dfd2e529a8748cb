"""The whole access report of one person."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from compliance.privacy import versions
from compliance.reports.access import ends, history, measured, parties
from compliance.reports.access.subject import Subject
from compliance.reports.document import Document, Section, table
from compliance.reports.wording import Wording
from compliance.requests.regimes import regime_of
from core.clock import now
from core.consent import EXPLICIT, Purpose
from core.ids import new_id
from core.models import Consent, Kind, Member
from core.models.artifact import CATEGORIES
from core.people import consents as answers
from core.people import organizations
from core.vault import vault

FORMAT = "headshots.access-report/1"


def report(session: Session, member: Member, *, language: str, names: dict[UUID, str]) -> Document:
    """Return everything that is known of `member`, in words, and nothing of anybody else's.

    Args:
        session: bound to their organization.
        member: whose data it is.
        language: of the words, as `Wording` takes it; English where there is no translation.
        names: what files are called in the archive that goes with it.
    """
    say = Wording(language, "access", "laws")
    company = organizations.current(session)
    of = Subject(session, member, company, say, names, regime_of(session, member))
    return Document(
        FORMAT,
        str(new_id()),
        say.spoken,
        now(),
        say("title"),
        of.by_law("subtitle").format(name=member.full_name or member.email or ""),
        company.legal_name or company.name,
        (
            Section(
                "about",
                say("about.heading"),
                of.law("about"),
                text=(of.by_law("about"), *say.table("about.text")),
            ),
            parties.responsible(of),
            history.person(of),
            _purposes(of),
            _categories(of),
            parties.recipients(of),
            parties.transfers(of),
            ends.retention(of),
            parties.sources(of),
            Section(
                "automated",
                say("automated.heading"),
                of.law("automated"),
                text=(of.by_law("no_decision"), *say.table("automated.text")),
            ),
            history.consents(of),
            history.shoots(of),
            measured.photos(of),
            measured.headshots(of),
            measured.models(of),
            history.requests(of),
            history.events(of),
            history.sessions(of),
            Section(
                "rights",
                say("rights.heading"),
                of.law("rights"),
                items=tuple(of.by_law("rights")),
            ),
            Section(
                "glossary",
                say("glossary.heading"),
                tables=table(say.table("glossary.columns"), say.table("glossary.rows")),
            ),
        ),
    )


def _purposes(of: Subject) -> Section:
    say, standing = of.say, answers.standing(of.session, of.member.id)
    rows = [
        (say.label("purpose", purpose.value), of.by_law(_basis(purpose)), _standing(of, row))
        for purpose, row in standing.items()
    ]
    stated = versions.live(of.session).facts
    for name, basis in (("organise", stated.basis_organise), ("evidence", stated.basis_evidence)):
        rows.append((say(f"purposes.{name}"), say.stated(basis), "–"))
    return Section(
        "purposes",
        say("purposes.heading"),
        of.law("purposes"),
        text=(say("purposes.text"),),
        tables=table(say.table("purposes.columns"), rows),
    )


def _basis(purpose: Purpose) -> str:
    return "explicit" if purpose in EXPLICIT else "consent"


def _standing(of: Subject, row: Consent) -> str:
    if row.withdrawn_at:
        return of.say("purposes.withdrawn", day=of.say.day(row.withdrawn_at))
    return of.say("purposes.agreed" if row.granted else "purposes.refused", day=of.say.day(row.created_at))


def _categories(of: Subject) -> Section:
    say = of.say
    rows = [
        (
            say.label("kind", kind),
            say.label("category", category.value if (category := CATEGORIES[Kind(kind)]) else None),
            say.number(count),
            say("categories.size", size=say.number(round(size / 1e6, 2))),
        )
        for kind, (count, size) in vault().inventory(of.session, of.member.id).items()
    ]
    return Section(
        "categories",
        say("categories.heading"),
        of.law("categories"),
        text=(say("categories.text"),),
        tables=table(say.table("categories.columns"), rows),
        items=tuple(say.table("categories.items")),
    )
