"""Sending photos to the studio, and opening them again after a result or a failure."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core import audit, locks, owed
from core.errors import Conflict
from core.models import Participation, State
from core.portraits import engines, headshots, photos, rejections, verdicts
from core.portraits.verdicts import Standing
from core.queue import JobName
from core.shoots import participations


class NoGoodPhoto(Conflict):
    """Nothing was accepted yet, so there is nothing to work with."""

    code = "no_good_photo"


class StillChecking(Conflict):
    """The check of the only candidates has not finished."""

    code = "still_checking"


class StillAsks(Conflict):
    """The person has not said of the only candidates which face is theirs, or that it is theirs."""

    code = "still_asks"


class NothingMade(Conflict):
    """No headshot was made that the person could see."""

    code = "nothing_made"


def submit(session: Session, participation: Participation, *, actor: audit.Actor) -> None:
    """Send the accepted photos and owe the job that makes headshots of them; submitting twice is fine.

    Raises:
        NoGoodPhoto: none was accepted.
        StillChecking: checks are running, which may yet doubt one that was accepted.
        StillAsks: none was accepted yet, but the person can say of one which face is theirs, or that it is.
        ShootEnded: the company has ended the shoot.
        Conflict: the state does not allow it.
    """
    locks.person(session, participation.member_id)
    if participation.state in (State.SUBMITTED, State.RENDERING):
        return
    photos.demand_open(session, participation)
    standings = {verdicts.standing_of(photo) for photo in photos.of_participation(session, participation.id)}
    if Standing.CHECKING in standings:
        raise StillChecking("Your photos are still being checked. Please wait a moment and send them again.")
    if Standing.ACCEPTED not in standings:
        if Standing.ASKS in standings:
            raise StillAsks("Say first which person is you, on the photo that shows several people.")
        if Standing.UNSURE in standings:
            raise StillAsks("Say first whether the photo that asks shows you.")
        raise NoGoodPhoto(
            "No photo can be used yet. Add one that shows your face from the front, in good light."
        )
    participations.move(session, participation, State.SUBMITTED, actor=actor)
    engines.send(session, participation)
    owed.warn(session, JobName.RENDER, participation.id)


def again(session: Session, participation: Participation, *, actor: audit.Actor) -> None:
    """Have headshots made of the same photos after a failure; anywhere else this does nothing.

    Raises:
        ShootEnded: the company has ended the shoot.
        NoGoodPhoto: none of them can be used any more.
    """
    locks.person(session, participation.member_id)
    if participation.state == State.FAILED:
        reopen(session, participation, actor=actor)
        submit(session, participation, actor=actor)


def has_another(session: Session, participation: Participation) -> bool:
    """Whether there are photos that were not tried yet, and all are checked.

    A model learns from all photos at once, so none of them is another try.
    """
    found = photos.of_participation(session, participation.id)
    return (
        engines.is_of_photos(session, participation)
        and bool(rejections.untried(session, participation))
        and all(verdicts.standing_of(photo) is not Standing.CHECKING for photo in found)
    )


def another(session: Session, participation: Participation, *, actor: audit.Actor) -> bool:
    """Have headshots made of photos that were not tried yet; where there are none, let the person add some.

    Returns:
        Whether headshots are being made.

    Raises:
        ShootEnded: the company has ended the shoot.
        Conflict: the state does not allow it.
    """
    locks.person(session, participation.member_id)
    left = has_another(session, participation)
    reopen(session, participation, actor=actor)
    if not left:
        return False
    submit(session, participation, actor=actor)
    return True


def open_again(session: Session, participation: Participation) -> None:
    """Let someone wait for headshots again whose making failed, before the work is taken up.

    Raises:
        Conflict: they do not stand where that failed.
        ShootEnded: the company has ended the shoot.
    """
    locks.person(session, participation.member_id)
    if participation.state != State.FAILED:
        raise Conflict("This person has gone on meanwhile, so nothing is made again.")
    participations.move(session, participation, State.SUBMITTED, actor=audit.SYSTEM)


def reopen(session: Session, participation: Participation, *, actor: audit.Actor) -> None:
    """Let the person add other photos after a result or a failure; reopening twice is fine.

    A headshot that they approved stays the one that the company gets, until they approve another.

    Raises:
        ShootEnded: the company has ended the shoot.
        Conflict: the state does not allow it.
    """
    locks.person(session, participation.member_id)
    headshots.forget_asked(session, participation)
    participations.move(session, participation, State.UPLOADING, actor=actor)


def step_back(session: Session, participation: Participation, *, actor: audit.Actor) -> None:
    """Leave other photos alone: back to the approved headshot, or to those that can be chosen from.

    Where there is nothing to leave, nothing is done. A headshot that is being made meanwhile is dropped.

    Raises:
        NothingMade: there is no headshot to go back to.
    """
    locks.person(session, participation.member_id)
    headshots.forget_asked(session, participation)
    if participation.state in participations.SETTLED:
        return
    if participation.chosen_headshot_id is not None:
        participations.move(session, participation, State.APPROVED, actor=actor)
    elif participation.state == State.READY:
        return
    elif participation.state in (State.UPLOADING, State.FAILED) and headshots.any_of(session, participation):
        participations.move(session, participation, State.READY, actor=actor)
    else:
        raise NothingMade("There is no headshot of you yet to go back to.")
