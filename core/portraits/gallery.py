"""The pictures of a shoot that its company may see: those that their people approved, and no others.

The consent pages say so: the company gets the headshot that a person approves, and until then nobody else sees any.
What comparing faces found is for the program alone, so nothing of that is here but how sure the check of a made face
is: that it cannot tell somebody apart from another one, and not from whom.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from core import audit
from core.checks.report import COMPARED, GateName
from core.checks.sureness import Sureness, sureness
from core.errors import NotFound
from core.models import Artifact, AuditEvent, EngineName, Headshot, Member, Participation, Shoot
from core.people import finding
from core.settings import vision_settings

PAGE: Final = 48  # rows of two, three, four or six are full

# What is left to say about a picture that everybody of a company may know.
SHOWN: Final = tuple(name for name in GateName if name not in COMPARED | {GateName.ONE_FACE})


@dataclass(frozen=True)
class Picture:
    """One person's approved headshot."""

    participation: Participation
    headshot: Headshot
    member: Member

    @property
    def measured(self) -> Mapping[str, Mapping[str, Any]]:
        """What the gates measured, by name, without what comparing faces found."""
        gates: Mapping[str, Mapping[str, Any]] = self.headshot.gates.get("gates", {})
        return {name: gates[name] for name in SHOWN if name in gates}

    @property
    def sureness(self) -> Sureness | None:
        """What has to be said to the company of the check of a made face; `None` for any other.

        Where nothing of the comparison is kept any more, because its consent was taken back, it is what is said of any
        picture made now: a sentence that is missing must not tell who did so.
        """
        if self.headshot.engine != EngineName.DIFFUSION:
            return None
        if GateName.HELD_OUT not in self.headshot.gates.get("gates", {}):
            return Sureness.TOLD_BY_ONE if vision_settings().likeness_model is None else None
        return sureness(self.headshot.gates, to_person=False)


@dataclass(frozen=True)
class Page:
    """A page of pictures; `after` leads to the next one, `None` on the last."""

    pictures: list[Picture]
    after: UUID | None


def waits_for_review() -> ColumnElement[bool]:
    """Return the condition that nobody of the company has looked at the picture yet, where that is asked for."""
    return Shoot.reviewed & Headshot.reviewed_at.is_(None)


def of_shoot(shoot_id: UUID, *columns: Any) -> Select[Any]:
    """Ask for the pictures of a shoot that its company may see."""
    return _seen(*columns).where(Participation.shoot_id == shoot_id)


def _seen(*columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(Participation)
        .join(Headshot, Headshot.id == Participation.chosen_headshot_id)
        .join(Artifact, Artifact.id == Headshot.artifact_id)
        .join(Member, Member.id == Participation.member_id)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(
            Artifact.delete_requested_at.is_(None),
            Member.restricted_at.is_(None),
            Member.erased_at.is_(None),
        )
    )


def page(session: Session, shoot_id: UUID, *, after_member: UUID | None = None, most: int = PAGE) -> Page:
    """Return a page of a shoot's pictures in the order of their people's names."""
    query = of_shoot(shoot_id, Participation, Headshot, Member).order_by(*finding.ORDER).limit(most + 1)
    if after_member is not None:
        query = query.where(finding.after(session, after_member))
    found = [Picture(*row) for row in session.execute(query)]
    return Page(found[:most], found[most - 1].member.id if len(found) > most else None)


def one(session: Session, shoot_id: UUID, participation_id: UUID) -> Picture:
    """Return one person's picture.

    Raises:
        NotFound: they are in another shoot, approved none, or it has ended.
    """
    query = of_shoot(shoot_id, Participation, Headshot, Member).where(Participation.id == participation_id)
    row = session.execute(query).first()
    if row is None:
        raise NotFound(
            "There is no picture here: nobody sees one before its person approves it, or after it has ended."
        )
    return Picture(*row)


def with_picture(session: Session, participation_ids: Collection[UUID]) -> set[UUID]:
    """Return of which of these participations there is a picture to see."""
    return set(session.scalars(_seen(Participation.id).where(Participation.id.in_(participation_ids))))


def count(session: Session, shoot_id: UUID) -> int:
    """Return how many pictures there are to see."""
    return session.scalar(of_shoot(shoot_id, func.count())) or 0


def waiting(session: Session, shoot: Shoot) -> int:
    """Return how many pictures wait for a review."""
    if not shoot.reviewed:
        return 0
    return session.scalar(of_shoot(shoot.id, func.count()).where(Headshot.reviewed_at.is_(None))) or 0


def neighbours(session: Session, shoot_id: UUID, member_id: UUID) -> tuple[UUID | None, UUID | None]:
    """Return the participations before and after a person's, in the order of names."""
    ahead = finding.after(session, member_id)
    later = of_shoot(shoot_id, Participation.id).where(ahead).order_by(*finding.ORDER).limit(1)
    back = [one.desc() for one in finding.ORDER]
    earlier = (
        of_shoot(shoot_id, Participation.id).where(~ahead, Member.id != member_id).order_by(*back).limit(1)
    )
    return session.scalar(earlier), session.scalar(later)


def looked_at(session: Session, picture: Picture, *, actor: audit.Actor) -> None:
    """Note that somebody of the company looked at a picture closely; again only when another one has been there since.

    A page of small ones is not noted: they show what the company was given.
    """
    of_them = (
        select(AuditEvent.facts["headshot"].astext, AuditEvent.actor_id)
        .where(AuditEvent.subject_id == picture.member.id, AuditEvent.tag == audit.Tag.HEADSHOT_SEEN)
        .order_by(AuditEvent.id.desc())
        .limit(1)
    )
    last = session.execute(of_them).first()
    if last is not None and tuple(last) == (str(picture.headshot.id), actor.member_id):
        return
    audit.record(
        session,
        audit.Tag.HEADSHOT_SEEN,
        actor=actor,
        subject=picture.member,
        participation=str(picture.participation.id),
        headshot=str(picture.headshot.id),
    )
