"""What people say is wrong with a headshot of them: it leads to another try, and is counted without names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core import audit, locks
from core.checks.shots import same_shot
from core.clock import now
from core.errors import Conflict
from core.models import EngineName, Headshot, Member, Participation, Photo
from core.portraits import headshots, photos
from core.portraits.verdicts import Standing, standing_of
from core.words import N_

# So many said the same, and as many who have seen headshots did not: nobody stands out among them, on either side.
# Numbers are rounded down to it, so that one more person is not seen to come.
FEWEST: Final = 5


class Reason(StrEnum):
    """What may be wrong; a closed list, so that nobody writes about themselves or others."""

    NOT_ME = "not_me"
    HAIR = "hair"
    SKIN = "skin"
    EXPRESSION = "expression"
    LIGHT = "light"
    CLOTHES = "clothes"
    OTHER = "other"


REASONS: Final[dict[Reason, str]] = {
    Reason.NOT_ME: N_("This is not my face"),
    Reason.HAIR: N_("Hair or edges"),
    Reason.SKIN: N_("Skin colour"),
    Reason.EXPRESSION: N_("Expression"),
    Reason.LIGHT: N_("Light"),
    Reason.CLOTHES: N_("Clothes"),
    Reason.OTHER: N_("Something else"),
}


class IsApproved(Conflict):
    """The person approved this headshot; they can only approve another."""

    code = "is_approved"


def reject(
    session: Session, participation: Participation, headshot: Headshot, reason: Reason, *, actor: audit.Actor
) -> None:
    """Keep what the person says is wrong with a headshot; a later reason replaces an earlier one.

    The log hears that they said something, not what.

    Args:
        session: bound to the organization.
        participation: the person's part in the shoot.
        headshot: one of theirs that they may see.
        reason: what is wrong with it.
        actor: who says so.

    Raises:
        IsApproved: it is the one that the company gets.
    """
    locks.person(session, participation.member_id)
    if participation.chosen_headshot_id == headshot.id:
        raise IsApproved("You approved this headshot. Approve another one first.")
    headshot.rejected_code, headshot.rejected_at = reason.value, now()
    session.flush()
    audit.record(
        session,
        audit.Tag.HEADSHOT_REJECTED,
        actor=actor,
        subject=session.get_one(Member, participation.member_id),
        headshot=str(headshot.id),
    )


def untried(session: Session, participation: Participation) -> list[Photo]:
    """Return accepted photos of which nothing was made yet, and that are not of the same shot as a rejected one."""
    made = _of_photos(session, participation)
    tried = {one.photo_id for one in made}
    found = photos.of_participation(session, participation.id)
    refused = {one.photo_id for one in made if _refused(one)}
    signs = [sign for photo in found if photo.id in refused and (sign := _sign(photo))]
    return [
        photo
        for photo in found
        if standing_of(photo) is Standing.ACCEPTED
        and photo.id not in tried
        and not any((sign := _sign(photo)) and same_shot(sign, other) for other in signs)
    ]


def passed_over(session: Session, participation: Participation) -> set[UUID]:
    """Return the photos of which the studio makes no headshot, because the person, or their company, did not like one.

    Where photos are left of which nothing was made, it is all others; else those of rejected headshots. Where that
    would leave none, and where nobody rejected anything, it is none: people may send the same photos once more.
    """
    made = _of_photos(session, participation)
    rejected = {one.photo_id for one in made if _refused(one)}
    if not rejected:
        return set()
    accepted = {
        photo.id
        for photo in photos.of_participation(session, participation.id)
        if standing_of(photo) is Standing.ACCEPTED
    }
    fresh = {photo.id for photo in untried(session, participation)}
    over = accepted - fresh if fresh else accepted & rejected
    return set() if over == accepted else over


def counted(session: Session, shoot_id: UUID) -> dict[Reason, int]:
    """Return how many people of a shoot gave a reason, at least, the most frequent first, without saying who.

    A reason is left out that fewer than `FEWEST` people gave, or all but fewer of those who have seen headshots; what
    was said today counts from tomorrow on, so that nobody who is seen to act is known by a number that changes.
    """
    today = datetime.combine(now().date(), time(), UTC)
    seen = session.scalar(_people(shoot_id)) or 0
    rows = session.execute(
        _people(shoot_id)
        .add_columns(Headshot.rejected_code)
        .where(Headshot.rejected_code.is_not(None), Headshot.rejected_at < today)
        .group_by(Headshot.rejected_code)
    )
    found = {Reason(code): number for number, code in rows}
    kept = {reason: number for reason, number in found.items() if FEWEST <= number <= seen - FEWEST}
    return {
        reason: number // FEWEST * FEWEST
        for reason, number in sorted(kept.items(), key=lambda pair: (-pair[1], pair[0]))
    }


def _people(shoot_id: UUID) -> Select[int]:
    """Count people of a shoot with headshots that they have seen."""
    return (
        select(func.count(Headshot.member_id.distinct()))
        .join(Participation, Participation.id == Headshot.participation_id)
        .where(Participation.shoot_id == shoot_id, Headshot.withheld_code.is_(None))
    )


def _of_photos(session: Session, participation: Participation) -> Sequence[Headshot]:
    """Return what was made of single photos; what a model paints is of all of them."""
    found = headshots.of_participation(session, participation.id)
    return [one for one in found if one.engine != EngineName.DIFFUSION]


def _refused(headshot: Headshot) -> bool:
    """Whether its person, or their company, wants another one."""
    return headshot.rejected_code is not None or headshot.returned_code is not None


def _sign(photo: Photo) -> str | None:
    sign: str | None = (photo.verdict or {}).get("phash")
    return sign
