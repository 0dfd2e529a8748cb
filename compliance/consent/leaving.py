"""Leaving: declining one shoot, or taking the first consent back, which ends every part that rests on it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance import consent
from compliance.consent import receipts
from compliance.consent.texts import Notice
from core import audit, locks
from core.clock import now
from core.consent import Purpose
from core.grounds import Ground, because
from core.models import Act, Alternative, Consent, Kind, Member, Participation, Shoot, State
from core.portraits import adapters, avatars, headshots, photos
from core.shoots import participations
from core.vault import vault

# Nothing was sent here yet, or nothing is left: such a part stays as it is when another one ends.
_UNTOUCHED = frozenset({State.INVITED, State.OPENED, State.EXPIRED, State.ERASED})
# These rest on no consent of `Purpose`: the person gave them instead of a headshot, or asked for them.
_KEPT = frozenset({Kind.OWN_PICTURE, Kind.EXPORT})


@dataclass(frozen=True)
class Ending:
    """What ends with the first consent.

    Attributes:
        files: how many of each kind of artifact.
        shoots: names of those that the person takes part in, newest first.
        approved: whether the company has an approved headshot in one of them.
    """

    files: dict[str, int]
    shoots: list[str]
    approved: bool


def decline(
    session: Session,
    participation: Participation,
    alternative: Alternative,
    *,
    actor: audit.Actor,
    shown: Notice | None = None,
) -> None:
    """End a person's part in one shoot: its photos and headshots are deleted; declining again is fine.

    The consents are taken back too, unless another shoot of the person rests on them. A person has a receipt of it.

    Args:
        session: bound to the organization.
        participation: the part.
        alternative: what stands in for a headshot.
        actor: who says so; the platform does where a restored backup is put right.
        shown: what was open on the page, if it was the question.
    """
    locks.person(session, participation.member_id)
    others = [
        row for row in _resting_on_consent(session, participation.member_id) if row is not participation
    ]
    if any(row.state != State.DECLINED for row in others):
        taken = list[UUID]()
        _end(session, [participation], alternative, actor=actor)
    else:
        taken = _withdraw_all(session, participation, alternative, actor=actor)
    _receipt(session, participation, Act.DECLINED, taken, actor=actor, shown=shown)


def withdraw_all(
    session: Session,
    participation: Participation,
    alternative: Alternative | None = None,
    *,
    actor: audit.Actor,
) -> None:
    """Take every consent of a person back, and end what rests on them, in every shoot; twice is fine.

    Args:
        session: bound to the organization.
        participation: one part of the person's; it ends even where nothing was agreed to yet.
        alternative: what stands in from now on; `None` for what does already, or the initials.
        actor: who says so; the platform does where a restored backup is put right.
    """
    taken = _withdraw_all(session, participation, alternative, actor=actor)
    if taken:
        _receipt(session, participation, Act.TAKEN_BACK, taken, actor=actor)


def take_back(session: Session, member: Member, purposes: Collection[Purpose], *, actor: audit.Actor) -> None:
    """Take single consents of a person back, with a receipt; what was not agreed to stays as it is."""
    taken = [one for purpose in purposes for one in consent.withdraw(session, member, purpose, actor=actor)]
    if taken:
        receipts.issue(session, member, Act.TAKEN_BACK, actor=actor, consents=taken)


def _withdraw_all(
    session: Session, participation: Participation, alternative: Alternative | None, *, actor: audit.Actor
) -> list[UUID]:
    locks.person(session, participation.member_id)
    member = session.get_one(Member, participation.member_id)
    taken = [one for purpose in Purpose for one in consent.withdraw(session, member, purpose, actor=actor)]
    ending = [row for row in _resting_on_consent(session, member.id) if row is not participation]
    _end(session, [participation, *ending], alternative, actor=actor)
    return taken


def _receipt(
    session: Session,
    participation: Participation,
    act: Act,
    taken: Sequence[UUID],
    *,
    actor: audit.Actor,
    shown: Notice | None = None,
) -> None:
    if actor.member_id is None:
        return  # nobody decided anything now: what a backup had brought back is ended again
    receipts.issue(
        session,
        session.get_one(Member, participation.member_id),
        act,
        actor=actor,
        consents=taken,
        notice=shown,
        participation_id=participation.id,
        alternative=Alternative(participation.alternative) if participation.alternative else None,
    )


def held(session: Session, member_id: UUID) -> dict[str, int]:
    """Return for each kind how many artifacts are held that rest on a consent of the person's."""
    inventory = vault().inventory(session, member_id)
    return {kind: count for kind, (count, _) in inventory.items() if kind not in _KEPT}


def ending(session: Session, member_id: UUID) -> Ending:
    """Return what `withdraw_all` would destroy now."""
    rows = [row for row in _resting_on_consent(session, member_id) if row.state != State.DECLINED]
    shoots = session.scalars(
        select(Shoot).where(Shoot.id.in_([row.shoot_id for row in rows])).order_by(Shoot.id.desc())
    ).all()
    return Ending(
        files=held(session, member_id),
        shoots=[shoot.name for shoot in shoots],
        approved=any(row.chosen_headshot_id is not None for row in rows),
    )


def rests_on(session: Session, participation_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return for each part the newest consent to photos that was given in it.

    It is asked for in every shoot, and anew of whoever comes back, so it tells one stay in a shoot from the next.
    """
    given = select(Consent.participation_id, Consent.id).where(
        Consent.participation_id.in_(participation_ids), Consent.purpose == Purpose.PHOTO, Consent.granted
    )
    return {row.participation_id: row.id for row in session.execute(given.order_by(Consent.id))}


def _resting_on_consent(session: Session, member_id: UUID) -> Sequence[Participation]:
    """Return the person's parts in which something was agreed to or declined, of every shoot."""
    return session.scalars(
        select(Participation).where(
            Participation.member_id == member_id, Participation.state.not_in(_UNTOUCHED)
        )
    ).all()


def _end(
    session: Session, rows: Sequence[Participation], alternative: Alternative | None, *, actor: audit.Actor
) -> None:
    with because(session, Ground.WITHDRAWAL):
        photos.remove_all(session, rows, actor=actor)
        headshots.delete_all(session, rows)
        adapters.end_of(session, rows)
    given = rests_on(session, [row.id for row in rows])
    vault().keys.removals.note_after_commit(session, rows[0].member_id, list(given.values()), now())
    for row in rows:
        standing_in = alternative or Alternative(row.alternative or Alternative.INITIALS)
        participations.decline(session, row, standing_in, actor=actor)
    avatars.remove_unused_picture(session, session.get_one(Member, rows[0].member_id))
