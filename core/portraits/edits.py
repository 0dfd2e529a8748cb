"""Small edits of a headshot that a style allows: asked for by its person, made by the studio as any other picture."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, locks
from core.errors import Conflict
from core.ids import new_id
from core.models import EngineName, Headshot, Participation, Photo, Style
from core.portraits import engines, submission, verdicts
from core.portraits.headshots import ASKED
from core.portraits.verdicts import Standing
from core.style.variants import EDIT_ASIDE, EDIT_SIZE, EDIT_STOPS, Variant, is_house_look

_LAST: Final = 1000  # rank, behind whatever its run made


class NoEdit(Conflict):
    """The style allows no edits, the photo is gone, or this headshot is an edit or a variant already."""

    code = "no_edit"


def allowed(session: Session, headshot: Headshot) -> bool:
    """Whether an edit of this headshot can be asked for."""
    style = session.get_one(Style, headshot.style_id).parsed
    photo = session.get(Photo, headshot.photo_id)
    participation = session.get_one(Participation, headshot.participation_id)
    return (
        style.variants.edits
        and not engines.is_modelled(session, participation)  # a model would paint another picture
        and headshot.engine == EngineName.STUDIO
        and is_house_look(headshot.gates.get("notes", ()))
        and photo is not None
        and photo.removed_at is None
        and verdicts.standing_of(photo) is Standing.ACCEPTED
    )


def ask(
    session: Session,
    participation: Participation,
    headshot: Headshot,
    *,
    closer: int,
    lighter: int,
    right: int = 0,
    actor: audit.Actor,
) -> None:
    """Have a headshot made once more, a little different.

    Args:
        session: bound to the organization.
        participation: the person's part in the shoot.
        headshot: one of theirs that they may see.
        closer: 1 for closer, -1 for wider, 0 for as it is.
        lighter: 1 for lighter, -1 for darker, 0 for as it is.
        right: 1 for further right in the picture, -1 for further left, 0 for as it is.
        actor: who asks.

    Raises:
        NoEdit: see there; or nothing was asked for.
        ShootEnded: the company has ended the shoot.
        Conflict: the state does not allow it.
    """
    locks.person(session, participation.member_id)
    if not (closer or lighter or right) or not allowed(session, headshot):
        raise NoEdit("This headshot cannot be changed like that. Choose another one, or try other photos.")
    submission.reopen(session, participation, actor=actor)
    session.add(
        Headshot(
            id=new_id(),
            org_id=headshot.org_id,
            participation_id=participation.id,
            member_id=headshot.member_id,
            photo_id=headshot.photo_id,
            style_id=headshot.style_id,
            engine=headshot.engine,
            run=headshot.run,
            rank=_LAST,
            gates={
                "edit": {
                    "closer": closer * EDIT_SIZE,
                    "lighter": lighter * EDIT_STOPS,
                    "aside": right * EDIT_ASIDE,
                }
            },
            withheld_code=ASKED,
            seconds=0.0,
        )
    )
    session.flush()
    submission.submit(session, participation, actor=actor)


def asked(session: Session, participation_id: UUID) -> Headshot | None:
    """Return the row that stands for the edit that a person waits for; `None` where they wait for none."""
    return session.scalars(
        select(Headshot)
        .where(Headshot.participation_id == participation_id, Headshot.withheld_code == ASKED)
        .order_by(Headshot.id.desc())
        .limit(1)
    ).first()


def variant_of(row: Headshot) -> Variant:
    """Return what was asked for."""
    wanted: dict[str, Any] = row.gates.get("edit", {})
    return Variant(
        closer=wanted.get("closer", 0.0),
        lighter=wanted.get("lighter", 0.0),
        aside=wanted.get("aside", 0.0),
    )
