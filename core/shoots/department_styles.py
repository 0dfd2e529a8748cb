"""Styles of departments: in one shoot, people of a department can have another style than the rest.

Whose department changes meanwhile gets the style of the new one with whatever is made next; headshots keep the style
that they were made in.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.brand import styles
from core.errors import InvalidInput
from core.models import Headshot, Member, Participation, Shoot, Style
from core.people import filters
from core.shoots import shoots
from core.style.outputs import Output
from core.words import N_

MOST: Final = 40  # departments with a style of their own; beyond it each would look different


class NoSuchDepartment(InvalidInput):
    """Nobody of the company is in such a department."""

    code = "no_such_department"


class TooManyStyles(InvalidInput):
    """As many departments as can have a style of their own."""

    code = "too_many_department_styles"


def chosen(session: Session, shoot: Shoot) -> list[tuple[str, Style]]:
    """Return the departments that have a style of their own in a shoot, by name."""
    named = sorted(shoot.department_styles.items(), key=lambda one: one[0].casefold())
    return [(department, styles.get(session, UUID(style_id))) for department, style_id in named]


def style_of(session: Session, shoot: Shoot, member: Member) -> Style:
    """Return the style in which a person's headshots are made now."""
    wanted = _key(member.department or "")
    found = [one for name, one in shoot.department_styles.items() if wanted and _key(name) == wanted]
    return session.get_one(Style, UUID(found[0]) if found else shoot.style_id)


def style_for(session: Session, participation: Participation) -> Style:
    """Do as `style_of` for a person's place in a shoot."""
    shoot = session.get_one(Shoot, participation.shoot_id)
    return style_of(session, shoot, session.get_one(Member, participation.member_id))


def choose(
    session: Session, shoot: Shoot, department: str, style: Style | None, *, actor: audit.Actor
) -> bool:
    """Give a department a style of its own, or with `None` the shoot's again; return whether that changes anything.

    Raises:
        NoSuchDepartment: nobody is in it, and it had no style.
        TooManyStyles: so many departments have one already.
        ShootClosed: nothing more is made in this shoot.
    """
    shoots.open_or_refuse(shoot)
    kept = {name: one for name, one in shoot.department_styles.items() if _key(name) != _key(department)}
    had = len(kept) < len(shoot.department_styles)
    if style is None or style.id == shoot.style_id:
        wanted = kept
    else:
        known = {_key(name) for _key_of, name in filters.departments(session)}
        if not had and _key(department) not in known:
            raise NoSuchDepartment(
                N_("Nobody of your company is in this department. Nothing was changed."), field="department"
            )
        if len(kept) >= MOST:
            raise TooManyStyles(
                N_("%(most)s departments have a style of their own, which is as many as can have one."),
                field="department",
                most=MOST,
            )
        styles.lock(session, style)
        wanted = {**kept, department: str(style.id)}
    if wanted == shoot.department_styles:
        return False
    shoot.department_styles = wanted
    session.flush()
    audit.record(
        session,
        audit.Tag.SHOOT_CHANGED,
        actor=actor,
        shoot=str(shoot.id),
        changed="department_style",
        style=str(style.id if style else shoot.style_id),
    )
    return True


def outputs(session: Session, shoot: Shoot) -> tuple[Output, ...]:
    """Return the files that a shoot's headshots can be delivered as, by name once: whichever styles they were made in."""
    used = (
        select(Headshot.style_id)
        .join(Participation, Participation.chosen_headshot_id == Headshot.id)
        .where(Participation.shoot_id == shoot.id)
    )
    ids = [shoot.style_id, *map(UUID, shoot.department_styles.values()), *session.scalars(used.distinct())]
    found: dict[str, Output] = {}
    for style_id in dict.fromkeys(ids):
        for output in styles.delivered(session, style_id).outputs:
            found.setdefault(output.name, output)
    return tuple(found.values())


def _key(department: str) -> str:
    return " ".join(department.split()).casefold()
