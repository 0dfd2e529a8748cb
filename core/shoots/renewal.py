"""New headshots without anybody's asking: joiners, and whoever was photographed long ago, by the company's own rule.

Each month that somebody is due has one shoot, made like a shoot that the company has. Who was ever in a shoot is due
again so many months after they were last asked or finished; who declined, or wanted no more reminders and let the time run
out, is asked by a person or not at all.
"""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_skeleton
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ARRAY, ColumnElement, Select, Uuid, any_, func, literal, select
from sqlalchemy.orm import Session

from core import audit, locks
from core.brand import styles
from core.clock import now
from core.db import Lookup, organization_of, transaction
from core.errors import InvalidInput
from core.logs import logger
from core.models import EngineName, Member, Organization, Participation, Person, Role, Shoot, State
from core.people import organizations
from core.portraits import engines
from core.shoots import department_styles, invites, participations, shoots
from core.shoots.shoots import ShootUnusable
from core.words import N_

NEVER: Final = 0
LEAST_MONTHS: Final = 6  # a face looks the same for so long, and each time somebody has to answer
MOST_MONTHS: Final = 60
LEAST_DAYS: Final = 7  # that somebody has at least, from the last day of the month
MOST_DAYS: Final = 90
MOST_WAIT: Final = 90  # days after somebody joined
LONGEST_NAME: Final = 80  # letters, beside which a month has room
AT_ONCE: Final = 200  # people of a transaction: about a second's work


class RuleUnusable(InvalidInput):
    """A field of the rule cannot be used."""

    code = "renewal_unusable"


class Rule(BaseModel):
    """Who is asked for new photos by itself.

    Attributes:
        name: of the shoots that it begins, beside their month.
        like: the shoot whose style, engine, file names, reminders and review they have.
        months: after which whoever was in a shoot is asked again; `NEVER` for not at all.
        joiners: whether employees who were never in one are asked.
        wait: days after they joined before they are.
        days: that everybody has at least.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    like: UUID
    months: int
    joiners: bool
    wait: int
    days: int

    @property
    def asks_anybody(self) -> bool:
        """Whether it asks for anything."""
        return self.joiners or self.months != NEVER


@dataclass(frozen=True)
class Due:
    """How many people would be invited now."""

    joiners: int
    again: int

    @property
    def people(self) -> int:
        """Both."""
        return self.joiners + self.again


def rule_of(session: Session) -> Rule | None:
    """Return the company's rule; `None` where there is none."""
    kept = organizations.current(session).renewal
    return None if kept is None else Rule.model_validate(kept)


def check(rule: Rule) -> Rule:
    """Return a rule as it is kept.

    Raises:
        RuleUnusable: a number is out of its range, or the name is empty or too long.
    """
    name = " ".join("".join(sign if sign.isprintable() else " " for sign in rule.name).split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise RuleUnusable(
            N_("Please give these shoots a name, at most %(most)s letters."), field="name", most=LONGEST_NAME
        )
    ranges = (
        ("months", rule.months, LEAST_MONTHS if rule.months != NEVER else NEVER, MOST_MONTHS),
        ("wait", rule.wait, 0, MOST_WAIT),
        ("days", rule.days, LEAST_DAYS, MOST_DAYS),
    )
    for field, value, least, most in ranges:
        if not least <= value <= most:
            raise RuleUnusable(
                N_("Please give a whole number from %(least)s to %(most)s."),
                field=field,
                least=least,
                most=most,
            )
    return rule.model_copy(update={"name": name})


def set_rule(session: Session, rule: Rule | None, *, actor: audit.Actor) -> bool:
    """Ask people by this rule from now on, or by none; return whether that is another one.

    Raises:
        RuleUnusable: see `check`.
        NotFound: there is no such shoot.
    """
    if rule is not None and not rule.asks_anybody:
        rule = None
    if rule is not None:
        rule = check(rule)
        shoots.get(session, rule.like)
    organization = _locked(session)
    wanted: dict[str, Any] | None = None if rule is None else rule.model_dump(mode="json")
    if organization.renewal == wanted:
        return False
    organization.renewal = wanted
    session.flush()
    audit.record(
        session,
        audit.Tag.RENEWAL_CHANGED,
        actor=actor,
        months=rule.months if rule else NEVER,
        joiners=rule.joiners if rule else False,
        shoot=str(rule.like) if rule else None,
    )
    return True


def due(session: Session, rule: Rule) -> Due:
    """Return how many people a rule would invite now."""
    counted = [
        session.scalar(query.with_only_columns(func.count(), maintain_column_froms=True)) or 0
        for query in (_joiners(rule), _again(rule))
    ]
    return Due(*counted)


def begin_due_all() -> None:
    """Invite whoever is due by the rules of all companies."""
    for org_id in Lookup.organizations():
        begin_due(org_id)


def begin_due(org_id: UUID) -> int:
    """Invite whoever is due by a company's rule, some at a time; return how many. Their mails leave by day."""
    invited = 0
    while True:
        try:
            with transaction(org_id) as session:
                some = _begin_some(session)
        except ShootUnusable as error:
            # As when an image model that the shoot was made with is gone: `problem` says so on the page.
            logger().warning("renewal_cannot_begin", code=error.code)
            return invited
        if not some:
            return invited
        invited += some


def problem(session: Session, rule: Rule) -> str | None:
    """Return why nobody is invited although the rule asks for it."""
    month = _of_month(session, _month(session))
    if month is not None and (month.closed_at is not None or month.deadline <= now()):
        return N_("This month’s shoot has ended, so the next people are invited next month.")
    if month is None and engines.off(EngineName(shoots.get(session, rule.like).engine)):
        return N_(
            "What made the portraits of the shoot that new ones are like is not set up here any more. "
            "Nobody is invited until you choose another shoot."
        )
    return None


def _begin_some(session: Session) -> int:
    rule = rule_of(session)
    if rule is None or not _due_ids(session, rule):
        return 0
    _locked(session)
    rule = rule_of(session)  # as it is now that nobody changes it
    if rule is None:
        return 0
    begun = _of_month(session, _month(session)) or _begun(session, rule)
    # Or whoever closes it meanwhile would not see these people.
    shoot = shoots.get(session, begun.id, lock=True)
    if shoot.closed_at is not None or shoot.deadline <= now():
        return 0
    found = _due_ids(session, rule)
    locks.people(session, found)
    # Whoever was invited, locked out or erased meanwhile is left out.
    still = _due_ids(session, rule, among=found)
    people = session.scalars(select(Member).where(Member.id == any_(literal(still, ARRAY(Uuid))))).all()
    invites.join(session, shoot, people, actor=audit.SYSTEM, by_day=True)
    return len(people)


def _due_ids(session: Session, rule: Rule, among: Sequence[UUID] | None = None) -> list[UUID]:
    found: list[UUID] = []
    for query in (_joiners(rule), _again(rule)):
        if among is not None:
            query = query.where(Person.id == any_(literal(list(among), ARRAY(Uuid))))
        found += session.scalars(query.order_by(Person.id).limit(AT_ONCE - len(found))).all()
    return found


def _joiners(rule: Rule) -> Select[UUID]:
    """Ask for employees who were never in a shoot."""
    theirs = select(Participation.id).where(Participation.member_id == Person.id)
    return select(Person.id).where(
        literal(rule.joiners),
        *_reachable(),
        Person.role == Role.EMPLOYEE,
        Person.created_at <= now() - timedelta(days=rule.wait),
        ~theirs.exists(),
    )


def _again(rule: Rule) -> Select[UUID]:
    """Ask for whoever was last asked, and finished last, before the rule's months, and never declined."""
    before = months_before(now(), rule.months)
    asked = (
        select(Participation.member_id)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .group_by(Participation.member_id)
        .having(
            func.max(Participation.created_at) < before,
            func.max(func.coalesce(Participation.approved_at, Participation.created_at)) < before,
            ~func.bool_or(Participation.state == State.DECLINED),
            # So does `participations.forget_declined` leave whoever declined long ago, and those who want no reminders.
            ~func.bool_or(
                (Participation.state == State.EXPIRED) & Participation.reminders_ended_at.is_not(None)
            ),
            # Whoever is still on their way in a shoot has a link to it.
            ~func.bool_or(
                Shoot.closed_at.is_(None)
                & (Shoot.deadline > now())
                & participations.seen_by_company.not_in((State.APPROVED, State.DELIVERED))
            ),
        )
    )
    return select(Person.id).where(literal(rule.months != NEVER), *_reachable(), Person.id.in_(asked))


def _reachable() -> tuple[ColumnElement[bool], ...]:
    return (Person.erased_at.is_(None), ~participations.shut_out)


def months_before(moment: datetime, months: int) -> datetime:
    """Return the same day so many months earlier, or the last of that month where it has fewer days."""
    index = moment.year * 12 + moment.month - 1 - months
    year, month = divmod(index, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _month(session: Session) -> date:
    """Return the first day of this month where the company is."""
    return now().astimezone(ZoneInfo(organizations.current(session).time_zone)).date().replace(day=1)


def _of_month(session: Session, month: date) -> Shoot | None:
    return session.scalars(select(Shoot).where(Shoot.renews == month)).one_or_none()


def _begun(session: Session, rule: Rule) -> Shoot:
    """Begin this month's shoot."""
    like, month = shoots.get(session, rule.like), _month(session)
    last = month.replace(day=calendar.monthrange(month.year, month.month)[1])
    said = format_skeleton("yMMMM", month, locale=organizations.current(session).language)
    shoot = shoots.create(
        session,
        name=f"{rule.name}, {said}",
        style=styles.newest_of(session, styles.get(session, like.style_id)),
        deadline=last + timedelta(days=rule.days),
        file_name=like.file_name,
        engine=like.engine,
        actor=audit.SYSTEM,
    )
    shoot.reminder_days, shoot.reviewed, shoot.renews = like.reminder_days, like.reviewed, month
    shoot.department_styles = {
        one.key: str(styles.newest_of(session, one.style).id)
        for one in department_styles.chosen(session, like)
    }
    session.flush()
    return shoot


def _locked(session: Session) -> Organization:
    session.flush()
    return session.get_one(
        Organization, organization_of(session), with_for_update={"key_share": True}, populate_existing=True
    )
