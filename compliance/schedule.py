"""When what is kept of people ends: the questions that the sweep asks, and those that measure whether it kept its word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlalchemy.orm import Session

from core.clock import now
from core.models import (
    Adapter,
    Artifact,
    AuditEvent,
    Headshot,
    Kind,
    Member,
    Organization,
    Participation,
    Photo,
    Shoot,
    State,
)
from core.people import organizations
from core.shoots import participations
from core.shoots.promises import Kept, kept_days, schedule

# Selfies of someone who never finished are kept no longer than those of someone who did.
UNFINISHED: Final = (
    State.CONSENTED,
    State.UPLOADING,
    State.SUBMITTED,
    State.RENDERING,
    State.READY,
    State.FAILED,
)
# Of these nothing is wanted any more.
LEFT: Final = (State.DECLINED, State.EXPIRED)
UPLOAD_DAYS: Final = 1  # a picture that is being checked, and what its page says of it afterwards
# The sweep comes once an hour and may wait for another duty: what is over for longer was forgotten.
GRACE: Final = timedelta(hours=2)
SOON: Final = timedelta(days=7)


def _after(moment: Any, days: ColumnElement[int]) -> ColumnElement[datetime]:
    ends: ColumnElement[datetime] = moment + func.make_interval(0, 0, 0, days)
    return ends


# A shoot ends at its deadline, or when the company closes it before that. LEAST and GREATEST pass nulls over.
_SHOOT_ENDS: Final[ColumnElement[datetime]] = func.least(Shoot.deadline, Shoot.closed_at)


def selfies_end(organization: Organization, kept: Kept = Kept.SELFIES) -> ColumnElement[datetime | None]:
    """Return when the working data of a participation are over; of its `Shoot` as well."""
    days = kept_days(organization, kept)
    over = case(
        (Participation.state.in_(LEFT), Participation.changed_at),
        (Participation.state.in_(participations.SETTLED), _after(Participation.approved_at, days)),
        (Participation.state.in_(UNFINISHED), _after(Shoot.deadline, days)),
    )
    return func.least(over, Participation.destroy_by)


def photo_ends(organization: Organization) -> ColumnElement[datetime | None]:
    """Return when a photo is over: who approved one and tries others keeps these, not those that it came from."""
    earlier = case(
        (
            Photo.created_at < Participation.approved_at,
            _after(Participation.approved_at, kept_days(organization)),
        )
    )
    return func.least(selfies_end(organization), earlier)


def headshot_ends(organization: Organization) -> ColumnElement[datetime | None]:
    """Return when a headshot is over, chosen or not."""
    days = kept_days(organization, Kept.HEADSHOTS)
    return case(
        (Participation.state.in_(LEFT), Participation.changed_at),
        else_=_after(func.greatest(Participation.approved_at, _SHOOT_ENDS), days),
    )


def decliner_ends(organization: Organization) -> ColumnElement[datetime]:
    """Return when it is forgotten that somebody declined."""
    ended = func.greatest(_SHOOT_ENDS, Participation.changed_at)
    return _after(ended, kept_days(organization, Kept.DECLINERS))


def leaver_ends(organization: Organization) -> ColumnElement[datetime]:
    """Return when everything of a member is over who was locked out."""
    began = func.greatest(Member.disabled_at, literal(organization.schedule_since))
    return _after(began, kept_days(organization, Kept.LEAVERS))


def photos_held(*columns: Any) -> Select[Any]:
    """Ask for photos that are there."""
    return (
        select(*columns)
        .select_from(Photo)
        .join(Participation, Participation.id == Photo.participation_id)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(Photo.removed_at.is_(None))
    )


def models_held(*columns: Any) -> Select[Any]:
    """Ask for trained models of people that are there."""
    return (
        select(*columns)
        .select_from(Adapter)
        .join(Artifact, Artifact.id == Adapter.artifact_id)
        .join(Participation, Participation.id == Adapter.participation_id)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(Artifact.delete_requested_at.is_(None))
    )


def headshots_held(*columns: Any) -> Select[Any]:
    """Ask for headshots whose picture is there."""
    return (
        select(*columns)
        .select_from(Headshot)
        .join(Artifact, Artifact.id == Headshot.artifact_id)
        .join(Participation, Participation.id == Headshot.participation_id)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(Artifact.delete_requested_at.is_(None))
    )


def decliners_held(*columns: Any) -> Select[Any]:
    """Ask for participations that say that somebody declined."""
    return (
        select(*columns)
        .select_from(Participation)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(Participation.state == State.DECLINED)
    )


def leavers_held(*columns: Any) -> Select[Any]:
    """Ask for members who were locked out and not erased."""
    return select(*columns).where(Member.disabled_at.is_not(None), Member.erased_at.is_(None))


@dataclass(frozen=True)
class Measured:
    """What is held of one kind, as the database says now.

    Attributes:
        kept: of what; `None` for what passes through within a day or an hour, such as lists and uploads.
        days: how many are promised.
        held: how many there are.
        oldest: since when the oldest is there; `None` where there are none.
        due: how many end within `SOON`.
        overdue: how many should have ended more than `GRACE` ago, or have ended and still lie in the storage.
        fewer_than: where it is not said how many there are and since when, a number that they are below.
    """

    kept: Kept | None
    days: int
    held: int
    oldest: datetime | None
    due: int
    overdue: int
    fewer_than: int | None = None


_KINDS: Final[dict[Kept, tuple[Kind, ...]]] = {
    Kept.SELFIES: (Kind.PHOTO, Kind.PREVIEW, Kind.LIKENESS, Kind.PIECE),
    Kept.MODELS: (Kind.ADAPTER, Kind.CHECKPOINT),
    Kept.HEADSHOTS: (Kind.HEADSHOT,),
    Kept.DECLINERS: (Kind.OWN_PICTURE,),
}
_PASSING: Final = (Kind.ROSTER, Kind.SEARCH, Kind.UPLOAD, Kind.EXPORT)


@dataclass(frozen=True)
class Truth:
    """A company's schedule, and how it is kept.

    Attributes:
        version: of the schedule, from 1 on.
        at: when it was measured.
        lines: one for each of `Kept`, then what passes through.
        entries: how many the evidence log has, which names nobody and has no end.
        first_entry: when the oldest was written.
    """

    version: int
    at: datetime
    lines: Sequence[Measured]
    entries: int
    first_entry: datetime | None

    @property
    def kept_to(self) -> bool:
        """Whether nothing is there that should have ended."""
        return not any(line.overdue for line in self.lines)


def measure(session: Session) -> Truth:
    """Look what the session's organization holds, and what of it should be gone."""
    organization = organizations.current(session)
    moment = now()
    days = schedule(organization)
    held = {
        Kept.SELFIES: (photos_held, Photo.created_at, photo_ends(organization)),
        Kept.MODELS: (models_held, Adapter.created_at, selfies_end(organization, Kept.MODELS)),
        Kept.HEADSHOTS: (headshots_held, Headshot.created_at, headshot_ends(organization)),
        Kept.DECLINERS: (decliners_held, Participation.changed_at, decliner_ends(organization)),
        Kept.LEAVERS: (leavers_held, Member.disabled_at, leaver_ends(organization)),
    }
    lines = [
        _line(session, moment, kept, days[kept], question(*_figures(since, ends, moment)))
        for kept, (question, since, ends) in held.items()
    ]
    passing = select(
        *_figures(Artifact.created_at, Artifact.created_at + timedelta(days=UPLOAD_DAYS), moment)
    ).where(Artifact.kind.in_(_PASSING), Artifact.destroyed_at.is_(None))
    lines.append(_line(session, moment, None, UPLOAD_DAYS, passing))
    entries, first = session.execute(select(func.count(), func.min(AuditEvent.created_at))).one()
    return Truth(organization.schedule_version, moment, lines, entries, first)


def _figures(since: Any, ends: Any, moment: datetime) -> tuple[Any, ...]:
    return (
        func.count(),
        func.min(since),
        func.count().filter(ends < moment + SOON),
        func.count().filter(ends < moment - GRACE),
    )


def _line(
    session: Session, moment: datetime, kept: Kept | None, days: int, question: Select[Any]
) -> Measured:
    held, oldest, due, overdue = session.execute(question).one()
    ended = 0
    if kept in _KINDS:
        ended = session.scalars(
            select(func.count()).where(
                Artifact.kind.in_(_KINDS[kept]),
                Artifact.delete_requested_at < moment - GRACE,
                Artifact.destroyed_at.is_(None),
            )
        ).one()
    return Measured(kept, days, held + ended, oldest, due + ended, overdue + ended)
