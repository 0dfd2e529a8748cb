"""Headshots made again in the style of now, because their company changed it; which one is used, each person says.

It is another try with the photos that are there: an approved headshot stays the company's until its person approves
another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.orm import Session

from core import audit, locks
from core.consent import Purpose
from core.models import (
    Artifact,
    BulkAction,
    BulkItem,
    Consent,
    Headshot,
    Member,
    Participation,
    Photo,
    Shoot,
    State,
)
from core.portraits import headshots, photos, submission, verdicts
from core.portraits.verdicts import Standing
from core.shoots import department_styles, participations
from core.shoots.bulk import Kind, Outcome

# Where nothing more comes by itself; and where the next result is on its way, whoever began it.
_AT_REST: Final = (State.READY, State.FAILED, *participations.SETTLED)
_UNDER_WAY: Final = (State.UPLOADING, State.SUBMITTED, State.RENDERING)


@dataclass(frozen=True)
class Older:
    """How many people of a shoot have their headshots in another style than that of now.

    Attributes:
        people: All of them.
        waiting: Of those, how many have one in the style of now to choose, and have not done so.
    """

    people: int
    waiting: int


def judged(session: Session, parts: ColumnElement[bool]) -> dict[UUID, Outcome]:
    """Return whether headshots can be made again, or why not, for each participation that the condition is true of.

    Whether the shoot is open and the person can be reached is asked elsewhere; each photo is looked at only when it is
    their turn, see `make_again`.
    """
    visible = (
        Headshot.participation_id == Participation.id,
        Headshot.withheld_code.is_(None),
        Artifact.delete_requested_at.is_(None),
    )
    of_headshots = (
        select(Headshot.style_id).join(Artifact, Artifact.id == Headshot.artifact_id).where(*visible)
    )
    newest = of_headshots.order_by(Headshot.run.desc(), Headshot.rank).limit(1)
    chosen = of_headshots.where(Headshot.id == Participation.chosen_headshot_id)
    agreed = (
        select(Consent.granted & Consent.withdrawn_at.is_(None))
        .where(Consent.member_id == Participation.member_id, Consent.purpose == Purpose.PHOTO)
        .order_by(Consent.id.desc())
        .limit(1)
    )
    checked = select(true()).where(
        Photo.participation_id == Participation.id, Photo.removed_at.is_(None), Photo.checked_at.is_not(None)
    )
    rows = session.execute(
        select(
            Participation.id,
            Participation.state,
            Member.department,
            Shoot,
            newest.scalar_subquery(),
            chosen.scalar_subquery(),
            func.coalesce(agreed.scalar_subquery(), False),
            checked.exists(),
        )
        .select_from(Participation)
        .join(Member, Member.id == Participation.member_id)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(parts)
    )
    now_of: dict[tuple[UUID, str | None], UUID] = {}
    found: dict[UUID, Outcome] = {}
    for part_id, state, department, shoot, made_in, approved_in, is_agreed, has_photo in rows:
        if (shoot.id, department) not in now_of:
            now_of[shoot.id, department] = department_styles.id_of(session, shoot, department)
        wanted = now_of[shoot.id, department]
        found[part_id] = _outcome(state, wanted, made_in, approved_in, usable=is_agreed and has_photo)
    return found


def _outcome(
    state: str, wanted: UUID, made_in: UUID | None, approved_in: UUID | None, *, usable: bool
) -> Outcome:
    if made_in is None or state not in (*_AT_REST, *_UNDER_WAY):
        return Outcome.NO_HEADSHOT
    if approved_in == wanted or (approved_in is None and made_in == wanted):
        return Outcome.IN_STYLE
    if state in _UNDER_WAY:
        return Outcome.UNDER_WAY
    if made_in == wanted:
        return Outcome.AWAITS_CHOICE
    # One word for both: what somebody answered is told to nobody else.
    return Outcome.DONE if usable else Outcome.NO_PHOTOS


def older(session: Session, shoot: Shoot) -> Older:
    """Return how many people of a shoot have headshots in another style than that of now."""
    made = select(Headshot.participation_id).join(
        Participation, Participation.id == Headshot.participation_id
    )
    of_others = made.where(
        Participation.shoot_id == shoot.id,
        or_(
            Headshot.style_id != shoot.style_id, true() if shoot.department_styles else Headshot.id.is_(None)
        ),
    )
    outcomes = list(judged(session, Participation.id.in_(of_others)).values())
    waiting = outcomes.count(Outcome.AWAITS_CHOICE)
    again = sum(outcomes.count(one) for one in (Outcome.DONE, Outcome.NO_PHOTOS, Outcome.UNDER_WAY))
    return Older(again + waiting, waiting)


def make_again(session: Session, participation: Participation, *, actor: audit.Actor) -> Outcome:
    """Send the photos of somebody whom `judged` lets through to the studio once more, and return what came of it.

    Raises:
        ShootEnded: the company has ended the shoot.
        Conflict: the state does not allow it.
    """
    locks.person(session, participation.member_id)
    standings = {verdicts.standing_of(one) for one in photos.of_participation(session, participation.id)}
    if Standing.CHECKING in standings:
        return Outcome.UNDER_WAY
    if Standing.ACCEPTED not in standings:
        return Outcome.NO_PHOTOS
    submission.reopen(session, participation, actor=actor)
    submission.submit(session, participation, actor=actor)
    return Outcome.DONE


def asked_since(session: Session, participation: Participation, made: Sequence[Headshot]) -> bool:
    """Whether the company had headshots made again after these were made; never where there are none."""
    if not made:
        return False
    asked = (
        select(BulkItem.id)
        .join(BulkAction, BulkAction.id == BulkItem.action_id)
        .where(
            BulkItem.member_id == participation.member_id,
            BulkItem.participation_id == participation.id,
            BulkItem.outcome == Outcome.DONE,
            BulkItem.created_at > max(one.created_at for one in made),
            BulkAction.kind == Kind.RESTYLE,
        )
    )
    return session.scalar(select(asked.exists())) or False


def awaits_choice(session: Session, participation: Participation) -> bool:
    """Whether somebody has new headshots to choose from, for which the company asked, and has not chosen yet."""
    if participation.state != State.READY:
        return False
    visible = [
        one for one in headshots.of_participation(session, participation.id) if headshots.is_visible(one)
    ]
    newest = headshots.of_last_run(visible)
    return asked_since(session, participation, visible[: len(visible) - len(newest)])


def step_back(session: Session, participation: Participation) -> bool:
    """Lead somebody back to what they had, of whom nothing that the company asked for passed the checks.

    Call it once the withheld results are kept. Who asked for other headshots themselves is not led back: they read why.

    Returns:
        Whether they were led back.
    """
    found = headshots.of_participation(session, participation.id)
    before = found[: len(found) - len(headshots.of_last_run(found))]
    if not any(map(headshots.is_visible, before)) or not asked_since(session, participation, before):
        return False
    to = State.READY if participation.chosen_headshot_id is None else State.APPROVED
    participations.move(session, participation, to, actor=audit.SYSTEM)
    return True
