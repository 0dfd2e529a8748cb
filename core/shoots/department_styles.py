"""Styles of departments: in one shoot, people of a department can have another style than the rest.

Whose department changes meanwhile gets the style of the new one with whatever is made next; headshots keep the style
that they were made in. A shoot keeps what stands for a department and not its name, which says where somebody works and lies
in the directory alone.
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Chosen:
    """A department with a style of its own.

    Attributes:
        key: What stands for it; its name lies in the directory alone.
        name: As the company writes it; `None` where nobody is in it any more.
        style: Its own.
    """

    key: str
    name: str | None
    style: Style


def listed(session: Session) -> dict[str, str]:
    """Return the company's departments, in order: what stands for each, and its name; two spellings of one are one."""
    found: dict[str, str] = {}
    for _address, name in filters.departments(session):
        found.setdefault(_key(session, name), name)
    return found


def chosen(session: Session, shoot: Shoot) -> list[Chosen]:
    """Return the departments that have a style of their own in a shoot, by name."""
    names = listed(session)
    found = [
        Chosen(key, names.get(key), styles.get(session, UUID(style_id)))
        for key, style_id in shoot.department_styles.items()
    ]
    return sorted(found, key=lambda one: (one.name is None, (one.name or "").casefold(), one.key))


def id_of(session: Session, shoot: Shoot, department: str | None) -> UUID:
    """Return the id of the style in which the people of a department are made now."""
    theirs = (
        shoot.department_styles.get(_key(session, department))
        if shoot.department_styles and department
        else None
    )
    return UUID(theirs) if theirs else shoot.style_id


def style_of(session: Session, shoot: Shoot, member: Member) -> Style:
    """Return the style in which a person's headshots are made now."""
    return session.get_one(Style, id_of(session, shoot, member.department))


def style_for(session: Session, participation: Participation) -> Style:
    """Do as `style_of` for a person's place in a shoot."""
    shoot = session.get_one(Shoot, participation.shoot_id)
    return style_of(session, shoot, session.get_one(Member, participation.member_id))


def choose(session: Session, shoot: Shoot, key: str, style: Style | None, *, actor: audit.Actor) -> bool:
    """Give a department a style of its own, or with `None` the shoot's again; return whether that changes anything.

    Args:
        session: bound to the organization.
        shoot: which.
        key: what stands for the department, see `listed`.
        style: its own from now on.
        actor: who chooses.

    Raises:
        NoSuchDepartment: nobody is in it, and it had no style.
        TooManyStyles: so many departments have one already.
        ShootClosed: nothing more is made in this shoot.
    """
    shoots.open_or_refuse(shoot)
    kept = {one: style_id for one, style_id in shoot.department_styles.items() if one != key}
    if key not in shoot.department_styles and key not in listed(session):
        raise NoSuchDepartment(
            N_("Nobody of your company is in this department. Nothing was changed."), field="department"
        )
    if style is None or style.id == shoot.style_id:
        wanted = kept
    else:
        if len(kept) >= MOST:
            raise TooManyStyles(
                N_("%(most)s departments have a style of their own, which is as many as can have one."),
                field="department",
                most=MOST,
            )
        styles.lock(session, style)
        wanted = {**kept, key: str(style.id)}
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


def _key(session: Session, department: str) -> str:
    return filters.department_key(session, " ".join(department.split()).casefold())
