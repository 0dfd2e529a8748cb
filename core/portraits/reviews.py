"""What a company says to a picture that its person approved: hand it over, or make another, and why."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit, locks
from core.checks.report import GateName
from core.clock import now
from core.errors import Conflict
from core.models import Headshot, Member, Participation, Shoot, State
from core.portraits import gallery, submission
from core.portraits.gallery import Picture
from core.queue import JobName, enqueue
from core.shoots import participations
from core.words import N_

MOST: Final = 500  # of a queue, the longest waiting first: sorting opens what was measured on each
AT_ONCE: Final = 24  # on a page


class Flaw(StrEnum):
    """What may be wrong with a picture; a closed list, so that nobody writes about how a colleague looks."""

    EDGE = "edge"
    OUTLINE = "outline"
    LIGHT = "light"
    BLUR = "blur"
    FRAME = "frame"
    GAZE = "gaze"
    CLOTHES = "clothes"
    OTHER_PERSON = "other_person"


FLAWS: Final[dict[Flaw, str]] = {
    Flaw.EDGE: N_("A rest of the old background can be seen"),
    Flaw.OUTLINE: N_("Hair or outline are not cut out cleanly"),
    Flaw.LIGHT: N_("Light or colours do not match the team’s"),
    Flaw.BLUR: N_("It is not sharp enough"),
    Flaw.FRAME: N_("The head is not placed as on the team’s pictures"),
    Flaw.GAZE: N_("The look goes past the camera"),
    Flaw.CLOTHES: N_("The clothes do not suit work"),
    Flaw.OTHER_PERSON: N_("It seems to show somebody else"),
}


class Sort(StrEnum):
    """What a queue begins with."""

    WORST = "worst"  # nearest to any limit
    EDGE = "edge"
    STYLE = "style"
    SHARPNESS = "sharpness"
    WAITING = "waiting"


_GATES: Final[dict[Sort, frozenset[GateName]]] = {
    Sort.WORST: frozenset(gallery.SHOWN),
    Sort.EDGE: frozenset({GateName.EDGE, GateName.CUT}),
    Sort.STYLE: frozenset(
        {GateName.EYE_LINE, GateName.HEAD_HEIGHT, GateName.ROLL, GateName.BACKDROP, GateName.LIGHT}
    ),
    Sort.SHARPNESS: frozenset({GateName.SHARPNESS, GateName.RESOLUTION}),
}


class OtherPicture(Conflict):
    """The person has chosen another picture since the page was opened, or has none any more."""

    code = "other_picture"


class OwnPicture(Conflict):
    """Nobody says of their own picture that it may be handed over, or must not."""

    code = "own_picture"


def approve(session: Session, participation: Participation, headshot_id: UUID, *, actor: audit.Actor) -> None:
    """Let a picture be handed over; who looked at it is noted. Approving again changes nothing.

    Raises:
        OtherPicture: it is not the one that its person approved.
        OwnPicture: it shows who looks at it.
    """
    picture = _locked(session, participation, headshot_id, actor)
    if picture.headshot.reviewed_at is not None:
        return
    picture.headshot.reviewed_by, picture.headshot.reviewed_at = actor.member_id, now()
    _record(session, audit.Tag.HEADSHOT_REVIEWED, picture, actor)


def ask_again(
    session: Session, participation: Participation, headshot_id: UUID, flaw: Flaw, *, actor: audit.Actor
) -> None:
    """Ask a person for another picture: they read why by mail and on their page, and go back to their photos.

    The company does not get this one any more, unless they choose it once more. What was promised at their approval
    stays: the photos from before end as many days after it.

    Raises:
        OtherPicture: it is not the one that its person approved.
        OwnPicture: it shows who asks.
        ShootEnded: the company has ended the shoot, so nothing begins in it any more.
    """
    picture = _locked(session, participation, headshot_id, actor)
    participations.demand_running(session, participation)
    participations.give_back(session, participation)
    if participation.state in (*participations.SETTLED, State.FAILED):
        submission.reopen(session, participation, actor=actor)
    headshot = picture.headshot
    headshot.returned_code, headshot.returned_at = flaw.value, now()
    headshot.reviewed_by = headshot.reviewed_at = None
    _record(session, audit.Tag.HEADSHOT_RETURNED, picture, actor)
    enqueue(session, JobName.AGAIN_MAIL, participation.id)


def asked_for(session: Session, participation: Participation) -> Flaw | None:
    """Return what a company said of the last picture that it gave back, while its person has not chosen another."""
    if participation.chosen_headshot_id is not None or participation.state in (State.DECLINED, State.ERASED):
        return None
    code = session.scalar(
        select(Headshot.returned_code)
        .where(Headshot.participation_id == participation.id, Headshot.returned_code.is_not(None))
        .order_by(Headshot.returned_at.desc())
        .limit(1)
    )
    return Flaw(code) if code is not None else None


def require(session: Session, shoot: Shoot, reviewed: bool, *, actor: audit.Actor) -> None:
    """Say whether somebody of the company looks at each picture of a shoot before it is handed over."""
    if shoot.reviewed == reviewed:
        return
    shoot.reviewed = reviewed
    session.flush()
    audit.record(session, audit.Tag.SHOOT_REVIEW_CHANGED, actor=actor, shoot=str(shoot.id), reviewed=reviewed)


def usual(session: Session) -> bool:
    """Return whether the company's newest shoot is reviewed, which the next one begins with."""
    return bool(session.scalar(select(Shoot.reviewed).order_by(Shoot.id.desc()).limit(1)))


def queue(session: Session, shoot: Shoot, sort: Sort) -> tuple[list[Picture], int]:
    """Return what waits for a review as a page shows it, the most doubtful first, and how much waits in all."""
    rows = (
        gallery.of_shoot(shoot.id, *_COLUMNS)
        .where(gallery.waits_for_review())
        .order_by(func.coalesce(*_SINCE), Participation.id)
        .limit(AT_ONCE if sort is Sort.WAITING else MOST)
    )
    found = [Picture(*row) for row in session.execute(rows)]
    if sort is not Sort.WAITING:
        found.sort(key=nearness(_GATES[sort]), reverse=True)
    return found[:AT_ONCE], gallery.waiting(session, shoot)


_COLUMNS: Final = (Participation, Headshot, Member)
_SINCE: Final = (Participation.approved_at, Participation.changed_at)


def nearness(gates: frozenset[GateName]) -> Callable[[Picture], float]:
    """Return how near a picture is to the limit of any of these gates: 1 at the limit, 0 where nothing was measured."""

    def near(picture: Picture) -> float:
        shares = [0.0]
        for name, gate in picture.measured.items():
            value, limit = gate.get("value"), gate.get("limit")
            if name in gates and value is not None and limit:
                shares.append(limit / max(value, 1e-9) if gate.get("at_least") else abs(value) / limit)
        return max(shares)

    return near


def _locked(session: Session, participation: Participation, headshot_id: UUID, actor: audit.Actor) -> Picture:
    locks.person(session, participation.member_id)
    if participation.member_id == actor.member_id:
        raise OwnPicture("This picture shows you, so somebody else of your company has to look at it.")
    if participation.chosen_headshot_id != headshot_id:
        raise OtherPicture(
            "This person has chosen another picture meanwhile, or has none any more. Nothing was changed."
        )
    return gallery.one(session, participation.shoot_id, participation.id)


def _record(session: Session, tag: audit.Tag, picture: Picture, actor: audit.Actor) -> None:
    session.flush()
    audit.record(
        session,
        tag,
        actor=actor,
        subject=picture.member,
        participation=str(picture.participation.id),
        headshot=str(picture.headshot.id),
    )
