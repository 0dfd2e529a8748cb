"""What the admin sees first: how far each shoot is, and what needs a person's attention."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from core.clock import now
from core.models import Invite, MailState, Participation, Person, Shoot, State, Style
from core.shoots import invites, undelivered
from core.shoots.participations import seen_by_company, shut_out

SOON = timedelta(days=3)
WAITS_LONG = timedelta(days=3)
WEEK = timedelta(days=7)
FEWEST = 5  # people who finished in that time: what fewer do says nothing of the others
FARTHEST = timedelta(days=365)
DONE = (State.APPROVED, State.DELIVERED)
UNDER_WAY = (State.OPENED, State.CONSENTED, State.UPLOADING, State.SUBMITTED, State.RENDERING)
# These have given their answer: nobody needs to wait for them.
ANSWERED = (*DONE, State.DECLINED, State.ERASED)


class Stage(StrEnum):
    """Where people of a shoot wait, and for whom."""

    INVITED = "invited"
    BEGUN = "begun"
    STUDIO = "studio"
    CHOOSING = "choosing"
    REVIEW = "review"


_STAGES: dict[Stage, tuple[State, ...]] = {
    Stage.INVITED: (State.INVITED, State.EXPIRED),
    Stage.BEGUN: (State.OPENED, State.CONSENTED, State.UPLOADING, State.FAILED),
    Stage.STUDIO: (State.SUBMITTED, State.RENDERING),
    Stage.CHOOSING: (State.READY,),
}


class Attention(StrEnum):
    """Something that goes better when a person looks at it."""

    NOBODY_INVITED = "nobody_invited"
    FAILED = "failed"
    DEADLINE_SOON = "deadline_soon"
    DEADLINE_PASSED = "deadline_passed"
    LINKS_EXPIRED = "links_expired"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    UNDELIVERED = "undelivered"
    BOUNCED = "bounced"


@dataclass(frozen=True)
class Counts:
    """How many people of a shoot are in each state; every state is there, with 0 if nobody is.

    Attributes:
        by_state: how far they are.
        mails: how it stands with the newest mail to each who got one.
        shut: how many of each state can do nothing now, as their access is off or their data restricted.
        lately: how many of those who are done approved in the last seven days.
    """

    by_state: dict[State, int]
    mails: dict[MailState, int]
    shut: dict[State, int]
    lately: int = 0

    @property
    def total(self) -> int:
        """Everyone who was ever invited."""
        return sum(self.by_state.values())

    @property
    def done(self) -> int:
        """Approved or delivered."""
        return sum(self.by_state[state] for state in DONE)

    @property
    def under_way(self) -> int:
        """Opened the link, and not yet looking at results."""
        return sum(self.by_state[state] for state in UNDER_WAY)

    @property
    def can_finish(self) -> int:
        """Everyone who has a headshot or may still have one: who declined or has no access is not waited for."""
        return self.done + self.unanswered

    def stuck(self, waits_for_review: int = 0) -> tuple[Stage, int] | None:
        """Return where most people wait, and how many; `None` where nobody does."""
        waiting = {stage: sum(map(self._able, states)) for stage, states in _STAGES.items()}
        waiting[Stage.REVIEW] = waits_for_review
        stage = max(waiting, key=lambda one: waiting[one])
        return (stage, waiting[stage]) if waiting[stage] else None

    @property
    def unanswered(self) -> int:
        """How many something is still expected of."""
        return sum(self._able(state) for state in State if state not in ANSWERED)

    @property
    def percent(self) -> int:
        """Share of those who can finish that has, 0 to 100."""
        return round(100 * self.done / self.can_finish) if self.can_finish else 0

    def _able(self, state: State) -> int:
        return self.by_state[state] - self.shut[state]


@dataclass(frozen=True)
class Pace:
    """How fast people of a shoot finish, by what they did in the last seven days.

    Attributes:
        lately: how many finished.
        ends_at: when everybody who can has finished, if it goes on like that; `None` where too few say so, or where
            nobody is left.
        in_time: whether that is before the deadline.
    """

    lately: int
    ends_at: datetime | None
    in_time: bool = True


@dataclass(frozen=True)
class Overview:
    """A shoot on the dashboard.

    Attributes:
        shoot: itself.
        style: its style.
        counts: how many people are how far.
        attention: pairs what needs a look with how many people it is about.
        pace: how fast it goes; `None` of a shoot that is closed or in which nobody finished lately.
    """

    shoot: Shoot
    style: Style
    counts: Counts
    attention: list[tuple[Attention, int]]
    pace: Pace | None


def counts(session: Session, shoot_id: UUID) -> Counts:
    """Return how many people of a shoot are in each state."""
    return _counts(session, [shoot_id])[shoot_id]


def _counts(session: Session, shoot_ids: list[UUID]) -> dict[UUID, Counts]:
    found = {
        shoot_id: Counts(dict.fromkeys(State, 0), dict.fromkeys(MailState, 0), dict.fromkeys(State, 0))
        for shoot_id in shoot_ids
    }
    recent = Counter[UUID]()
    lately = (Participation.approved_at >= now() - WEEK).label("lately")
    told_apart = (Participation.shoot_id, seen_by_company, Participation.mail_state, lately)
    rows = session.execute(
        select(*told_apart, func.count()).where(Participation.shoot_id.in_(shoot_ids)).group_by(*told_apart)
    )
    for shoot_id, state, mail, is_recent, number in rows:
        found[shoot_id].by_state[State(state)] += number
        recent[shoot_id] += number if is_recent and State(state) in DONE else 0
        if mail is not None:
            found[shoot_id].mails[MailState(mail)] += number
    # Apart, since they are few: nobody else's person is looked at.
    shut = session.execute(
        select(Participation.shoot_id, seen_by_company, func.count())
        .join(Person, Person.id == Participation.member_id)
        .where(Participation.shoot_id.in_(shoot_ids), shut_out)
        .group_by(Participation.shoot_id, seen_by_company)
    )
    for shoot_id, state, number in shut:
        found[shoot_id].shut[State(state)] += number
    return {shoot_id: replace(one, lately=recent[shoot_id]) for shoot_id, one in found.items()}


def overviews(session: Session, shoots: list[tuple[Shoot, Style]]) -> list[Overview]:
    """Return each shoot with its counts and what needs attention, in the given order."""
    ids = [shoot.id for shoot, _ in shoots]
    counted = _counts(session, ids)
    waiting = _waiting_long(session, ids)
    expired = _expired_links(session, ids)
    unreached = undelivered.counts(session, ids)
    return [
        Overview(
            shoot,
            style,
            counted[shoot.id],
            _attention(
                shoot,
                counted[shoot.id],
                {
                    Attention.BOUNCED: counted[shoot.id].mails[MailState.BOUNCED],
                    Attention.UNDELIVERED: unreached.get(shoot.id, 0),
                    Attention.LINKS_EXPIRED: expired.get(shoot.id, 0),
                    Attention.WAITING_FOR_APPROVAL: waiting.get(shoot.id, 0),
                },
                now(),
            ),
            pace_of(shoot, counted[shoot.id], now()),
        )
        for shoot, style in shoots
    ]


def pace_of(shoot: Shoot, found: Counts, moment: datetime) -> Pace | None:
    """Return how fast people of a shoot finish; `None` of a closed one and where nobody did lately.

    A shoot that is younger than a week is judged by its own days, at least one.
    """
    if shoot.closed_at is not None or not found.lately:
        return None
    if found.lately < FEWEST or not found.unanswered:
        return Pace(found.lately, None)
    watched = min(WEEK, max(timedelta(days=1), moment - shoot.created_at))
    left = watched * (found.unanswered / found.lately)
    if left > FARTHEST:
        return Pace(found.lately, None)
    return Pace(found.lately, moment + left, moment + left <= shoot.deadline)


def _waiting_long(session: Session, shoot_ids: list[UUID]) -> dict[UUID, int]:
    rows = session.execute(
        select(Participation.shoot_id, func.count())
        .where(
            Participation.shoot_id.in_(shoot_ids),
            seen_by_company == State.READY,
            _may_act(),
            Participation.changed_at < now() - WAITS_LONG,
        )
        .group_by(Participation.shoot_id)
    )
    return {row[0]: row[1] for row in rows}


def _expired_links(session: Session, shoot_ids: list[UUID]) -> dict[UUID, int]:
    """Count people who have not opened their link and have none that works, withdrawn ones apart."""
    live = select(Invite.id).where(
        Invite.participation_id == Participation.id, Invite.revoked_at.is_(None), Invite.expires_at > now()
    )
    rows = session.execute(
        select(Participation.shoot_id, func.count())
        .where(
            Participation.shoot_id.in_(shoot_ids),
            Participation.state.in_((State.INVITED, State.EXPIRED)),
            _may_act(),
            ~live.exists(),
            ~invites.withdrawn(),
        )
        .group_by(Participation.shoot_id)
    )
    return {row[0]: row[1] for row in rows}


def _may_act() -> ColumnElement[bool]:
    shut = select(Person.id).where(shut_out)
    return Participation.member_id.not_in(shut.correlate(None))


def _attention(
    shoot: Shoot, found: Counts, others: dict[Attention, int], moment: datetime
) -> list[tuple[Attention, int]]:
    if shoot.closed_at is not None:
        return []
    unanswered = found.unanswered
    noted: list[tuple[Attention, int]] = []
    if found.total == 0:
        noted.append((Attention.NOBODY_INVITED, 0))
    if found.by_state[State.FAILED]:
        noted.append((Attention.FAILED, found.by_state[State.FAILED]))
    if unanswered and shoot.deadline <= moment:
        noted.append((Attention.DEADLINE_PASSED, unanswered))
    elif unanswered and shoot.deadline - moment < SOON:
        noted.append((Attention.DEADLINE_SOON, unanswered))
    return noted + [(kind, number) for kind, number in others.items() if number]
