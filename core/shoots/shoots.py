"""Shoots: created, listed with their people, closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, any_, literal, select, update
from sqlalchemy.orm import Session

from core import audit, locks
from core.brand import styles
from core.clock import end_of_day, now, rfc3339
from core.db import organization_of
from core.errors import Conflict, InvalidInput, NotFound
from core.ids import new_id
from core.models import EngineName, Invite, MailState, Member, Participation, Shoot, State, Style
from core.people import finding
from core.portraits import engines, file_names, headshots, submission
from core.shoots import invites, participations

LONGEST_NAME = 120  # as wide as the column
LONGEST_DEADLINE = timedelta(days=366)
PAGE = 50
# Where closing ends the way: nobody's finished or waiting picture is touched.
UNFINISHED = (State.INVITED, State.OPENED, State.CONSENTED, State.UPLOADING)
BATCH = 1000


class ShootUnusable(InvalidInput):
    """A field of the shoot cannot be used."""

    code = "shoot_unusable"


class ShootClosed(Conflict):
    """The shoot has ended; nobody can be invited to it any more."""

    code = "shoot_closed"


@dataclass(frozen=True)
class Person:
    """One row of a shoot's list."""

    participation: Participation
    member: Member
    link_ends_at: (
        datetime | None
    )  # of the newest whose mail has left; of one that waits where there is no other
    link_waits: bool | None  # whether the mail with the newest link has not left yet


@dataclass(frozen=True)
class Page:
    """A page of people; `after` leads to the next one, `None` on the last."""

    people: list[Person]
    after: UUID | None


def create(
    session: Session,
    *,
    name: str,
    style: Style,
    deadline: date,
    file_name: str,
    engine: str = EngineName.STUDIO,
    actor: audit.Actor,
) -> Shoot:
    """Create a shoot that ends with `deadline`; its style is immutable from now on.

    Raises:
        ShootUnusable: the name is empty, the deadline has passed or is more than a year away, or there is no
            such engine here.
        FileNameUnusable: the template cannot name files.
    """
    name, end = name_of(name), end_of(deadline)
    if engine not in set(EngineName):
        raise ShootUnusable("Please choose who makes the portraits.", field="engine")
    off = engines.off(EngineName(engine))
    if off is engines.Fallback.CLOTHES_OFF:
        raise ShootUnusable(
            "The image model here does not paint clothes, so they stay as they are on the photos. "
            "Whoever runs this platform can add one that paints them.",
            field="engine",
        )
    if off is not None:
        raise ShootUnusable(
            "There is no image model here, so the studio has to make the portraits. "
            "Whoever runs this platform can set one up.",
            field="engine",
        )
    template = file_names.check(file_name)
    styles.lock(session, style)
    shoot = Shoot(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        name=name,
        style_id=style.id,
        deadline=end,
        engine=engine,
        file_name=template,
    )
    session.add(shoot)
    session.flush()
    audit.record(
        session,
        audit.Tag.SHOOT_CREATED,
        actor=actor,
        shoot=str(shoot.id),
        style=str(style.id),
        engine=shoot.engine,
    )
    return shoot


def name_of(text: str) -> str:
    """Return a shoot's name as it is kept.

    Raises:
        ShootUnusable: it is empty or too long.
    """
    name = " ".join(text.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise ShootUnusable("Please give the shoot a name, at most 120 characters.", field="name")
    return name


def end_of(deadline: date) -> datetime:
    """Return when a shoot with this last day ends.

    Raises:
        ShootUnusable: the day has passed or is more than a year away.
    """
    end = end_of_day(deadline)
    if not now() < end <= now() + LONGEST_DEADLINE:
        raise ShootUnusable("The deadline must be today or later, within one year.", field="deadline")
    return end


def move_deadline(session: Session, shoot: Shoot, deadline: date, *, actor: audit.Actor) -> tuple[int, int]:
    """End a shoot with another day, earlier or later; its links follow, also those that had ended with it.

    Returns:
        How many links now end with the deadline, and how many before, see `invites.follow_deadline`.

    Raises:
        ShootUnusable: the day has passed or is more than a year away.
        ShootClosed: the shoot has ended for good.
    """
    open_or_refuse(shoot)
    end = end_of(deadline)
    # Everybody, so that whoever gets a link at this moment gets it by the new deadline, or has it moved.
    locks.owners(session, select(Participation.member_id).where(Participation.shoot_id == shoot.id))
    shoot.deadline = end
    session.flush()
    found = invites.follow_deadline(session, shoot)
    audit.record(
        session, audit.Tag.SHOOT_DEADLINE_MOVED, actor=actor, shoot=str(shoot.id), deadline=rfc3339(end)
    )
    return found


def get(session: Session, shoot_id: UUID, *, lock: bool = False) -> Shoot:
    """Return a shoot.

    Raises:
        NotFound: there is none of this id in the session's organization.
    """
    # As it is once it is locked, also where the session knew it before.
    shoot = session.get(
        Shoot, shoot_id, with_for_update={"key_share": True} if lock else None, populate_existing=lock
    )
    if shoot is None:
        raise NotFound("This shoot does not exist.")
    return shoot


def open_or_refuse(shoot: Shoot) -> None:
    """Do nothing for an open shoot.

    Raises:
        ShootClosed: it has ended.
    """
    if shoot.closed_at is not None:
        raise ShootClosed("This shoot is closed, so nobody can be invited to it. Open it again first.")


def listed(session: Session) -> list[tuple[Shoot, Style]]:
    """Return every shoot with its style: open ones first, newest first."""
    rows = session.execute(
        select(Shoot, Style)
        .join(Style, Style.id == Shoot.style_id)
        .order_by(Shoot.closed_at.is_not(None), Shoot.id.desc())
    )
    return [(shoot, style) for shoot, style in rows]


def people(
    session: Session,
    shoot_id: UUID,
    *,
    state: State | None = None,
    mail: MailState | None = None,
    words: str = "",
    after_member: UUID | None = None,
    most: int = PAGE,
) -> Page:
    """Return a page of a shoot's people in the order of their names."""
    links = select(Invite).where(Invite.participation_id == Participation.id, Invite.revoked_at.is_(None))
    ends = (
        links.with_only_columns(Invite.expires_at)
        .order_by(Invite.sent_at.is_(None), Invite.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    waits = (
        links.with_only_columns(Invite.sent_at.is_(None))
        .order_by(Invite.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(Participation, Member, ends, waits)
        .join(Member, Member.id == Participation.member_id)
        .where(Participation.shoot_id == shoot_id)
        .order_by(*finding.ORDER)
        .limit(most + 1)
    )
    if state is not None:
        query = query.where(participations.seen_by_company == state)
    if mail is not None:
        query = query.where(Participation.mail_state == mail)
    if words.strip():
        query = query.where(finding.matches(words))
    if after_member is not None:
        query = query.where(finding.after(session, after_member))
    rows = [Person(*row) for row in session.execute(query)]
    more = len(rows) > most
    return Page(rows[:most], rows[most - 1].member.id if more else None)


def _locked(session: Session, wanted: Select[Participation]) -> Sequence[Participation]:
    """Return whom a question finds, after locking everyone whom it finds; who moved on meanwhile is left out."""
    found = locks.owners(session, wanted.with_only_columns(Participation.member_id))
    return session.scalars(wanted.where(Participation.member_id == any_(literal(found, ARRAY(Uuid))))).all()


def close(session: Session, shoot: Shoot, *, actor: audit.Actor) -> int:
    """Close a shoot: links end, and whoever has not handed in photos is done; return how many that are.

    Pictures that are being made or wait for approval stay, and can still be approved and downloaded: who was
    trying other photos is led back to them.
    Closing twice does nothing.
    """
    if shoot.closed_at is not None:
        return 0
    shoot.closed_at = now()
    # Everybody, so that whoever begins something at this moment either is found below or is refused.
    everybody = _locked(session, select(Participation).where(Participation.shoot_id == shoot.id))
    found = [row for row in everybody if row.state in UNFINISHED]
    shown = headshots.shown(session, shoot.id)
    rows = [row for row in found if row.id not in shown]
    for row in found:
        if row.id in shown:  # trying other photos, with a headshot to go back to
            submission.step_back(session, row, actor=actor)
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        participations.move_all(session, batch, State.EXPIRED, actor=actor)
        session.execute(
            update(Invite)
            .where(Invite.participation_id.in_([row.id for row in batch]), Invite.revoked_at.is_(None))
            .values(revoked_at=shoot.closed_at)
        )
    audit.record(session, audit.Tag.SHOOT_CLOSED, actor=actor, shoot=str(shoot.id), unfinished=len(rows))
    session.flush()
    return len(rows)
