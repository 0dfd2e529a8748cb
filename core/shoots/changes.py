"""A shoot changed after it began: its name, its style for whoever has no headshot yet, its files' names; and opened again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core import audit, locks
from core.brand import styles
from core.clock import rfc3339
from core.errors import Conflict
from core.models import Headshot, Invite, Participation, Shoot, Style
from core.portraits import file_names
from core.shoots import invites, shoots
from core.words import N_


class ShootOpen(Conflict):
    """The shoot has not been closed, so there is nothing to open again."""

    code = "shoot_open"


@dataclass(frozen=True)
class Reopened:
    """What opening a shoot again did: how many links work again, and how many of those end before its deadline."""

    links: int
    earlier: int


def rendered(session: Session, shoot_id: UUID) -> int:
    """Return how many people of a shoot have headshots, which keep the style that they were made in."""
    found = (
        select(func.count(func.distinct(Headshot.participation_id)))
        .join(Participation, Participation.id == Headshot.participation_id)
        .where(Participation.shoot_id == shoot_id)
    )
    return session.scalar(found) or 0


def change(
    session: Session, shoot: Shoot, *, name: str, style: Style, file_name: str, actor: audit.Actor
) -> list[str]:
    """Change what a shoot is called, how its files are named and the style of what is made from now on.

    Headshots that exist stay as they are. Style and names count until they are changed again; of a closed shoot, only
    the names can be changed.

    Returns:
        What changed: `name`, `style`, `file_name`.

    Raises:
        ShootUnusable: the name is empty or too long.
        FileNameUnusable: the template cannot name files.
        ShootClosed: another style, and nothing more is made in this shoot.
    """
    wanted = {"name": shoots.name_of(name), "style_id": style.id, "file_name": file_names.check(file_name)}
    changed = [one for one, value in wanted.items() if getattr(shoot, one) != value]
    if not changed:
        return []
    if "style_id" in changed:
        if shoot.closed_at is not None:
            raise shoots.ShootClosed(
                N_("This shoot is closed, so nothing more is made in another style. Open it again first."),
                field="style_id",
            )
        styles.lock(session, style)
    for one in changed:
        setattr(shoot, one, wanted[one])
    session.flush()
    said = [one.removesuffix("_id") for one in changed]
    audit.record(
        session,
        audit.Tag.SHOOT_CHANGED,
        actor=actor,
        shoot=str(shoot.id),
        changed=",".join(said),
        style=str(shoot.style_id),
    )
    return said


def reopen(session: Session, shoot: Shoot, deadline: date, *, actor: audit.Actor) -> Reopened:
    """Open a closed shoot again, until another day: the links that ended with it work again, withdrawn ones do not.

    Nobody is mailed. What was deleted since it was closed does not come back.

    Raises:
        ShootUnusable: the day has passed or is more than a year away.
        ShootOpen: it is not closed.
    """
    if shoot.closed_at is None:
        raise ShootOpen(N_("This shoot is open already."))
    end = shoots.end_of(deadline)
    # Everybody, as closing does: whoever begins something at this moment finds the shoot open, or is refused before.
    everybody = select(Participation.member_id).where(Participation.shoot_id == shoot.id)
    locks.owners(session, everybody)
    of_shoot = select(Participation.id).where(Participation.shoot_id == shoot.id)
    session.execute(
        update(Invite)
        .where(Invite.participation_id.in_(of_shoot), Invite.revoked_at == shoot.closed_at)
        .values(revoked_at=None)
        .execution_options(synchronize_session=False)
    )
    shoot.closed_at, shoot.deadline = None, end
    session.flush()
    with_it, before = invites.follow_deadline(session, shoot)
    audit.record(
        session, audit.Tag.SHOOT_REOPENED, actor=actor, shoot=str(shoot.id), deadline=rfc3339(end), links=with_it + before
    )  # fmt: skip
    return Reopened(with_it + before, before)
