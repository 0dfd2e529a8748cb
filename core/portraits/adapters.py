"""Trained models of people: kept sealed, found again, ended; and what training and sampling took.

Nothing here hands weights to a page: they are read by the GPU worker alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Select, Text, func, literal, select, update
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.consent import ConsentRequired, Purpose
from core.db import organization_of
from core.ids import new_id
from core.models import (
    Adapter,
    AdapterKind,
    Artifact,
    Consent,
    Kind,
    Member,
    Participation,
    Photo,
    Shoot,
    State,
)
from core.vault import Held, Sealed, vault

MEDIA_TYPE = "application/octet-stream"
USUAL_OF = 50  # the newest people: enough for a steady median, few enough to follow a new machine


@dataclass(frozen=True)
class Cost:
    """What the GPU did for a shoot.

    Attributes:
        people: Everyone in the shoot. For how many of them it worked is nobody's business: next to the number
            of headshots it would say how many refused the comparison of faces, and in a small team who.
        gpu_seconds: Training and sampling together.
        watt_hours: `None` unless the energy of all of it was measured.
    """

    people: int
    gpu_seconds: float
    watt_hours: float | None


def store(
    session: Session,
    participation: Participation,
    sealed: Sealed,
    *,
    base: str,
    revision: str,
    rank: int,
    steps: int,
    seed: int,
    photos: Sequence[str],
    curve: Sequence[dict[str, Any]],
    seconds: float,
    watt_hours: float | None,
) -> Adapter:
    """Keep a person's trained adapter in place of an earlier one of this shoot.

    Args:
        session: bound to the organization.
        participation: whose it is.
        sealed: the weights, safetensors, as `seal` made them.
        base: name of the base it was trained on.
        revision: of the base; another one must refuse it.
        rank: of the low-rank matrices.
        steps: at which it was taken; the best is often not the last.
        seed: with which it was trained.
        photos: ids of the photos that it learned from.
        curve: how close its pictures came to photos that it never saw, step by step.
        seconds: that training took.
        watt_hours: that training took, where they could be measured.

    Raises:
        ConsentRequired: the person took `adapter` back, were it a moment ago: nothing is kept.
    """
    _demand(session, participation)
    _end(session, select(Adapter).where(Adapter.participation_id == participation.id))
    artifact = vault().keep(session, sealed)
    adapter = Adapter(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        kind=AdapterKind.PERSON,
        member_id=participation.member_id,
        participation_id=participation.id,
        artifact_id=artifact.id,
        base=base,
        revision=revision,
        rank=rank,
        steps=steps,
        seed=seed,
        photos=list(photos),
        curve=list(curve),
        seconds=seconds,
        watt_hours=watt_hours,
    )
    session.add(adapter)
    session.flush()
    audit.record(
        session,
        audit.Tag.ADAPTER_TRAINED,
        actor=audit.SYSTEM,
        subject=session.get_one(Member, participation.member_id),
        adapter=str(adapter.id),
        base=base,
        steps=steps,
        photos=len(photos),
    )
    return adapter


def live(session: Session, participation_id: UUID) -> Adapter | None:
    """Return the person's adapter for this shoot, if it was trained and has not ended."""
    return session.scalar(
        select(Adapter)
        .join(Artifact, Artifact.id == Adapter.artifact_id)
        .where(
            Adapter.participation_id == participation_id,
            Adapter.kind == AdapterKind.PERSON,
            Artifact.delete_requested_at.is_(None),
        )
        .order_by(Adapter.id.desc())
        .limit(1)
    )


def trained(session: Session, shoot_id: UUID) -> set[UUID]:
    """Return the participations of a shoot whose adapter was trained and has not ended."""
    return set(
        session.scalars(
            select(Participation.id)
            .join(Adapter, Adapter.participation_id == Participation.id)
            .join(Artifact, Artifact.id == Adapter.artifact_id)
            .where(Participation.shoot_id == shoot_id, Artifact.delete_requested_at.is_(None))
        )
    )


def seal(org_id: UUID, member_id: UUID | None, content: bytes, kind: Kind) -> Sealed:
    """Seal weights, or where training stands, before the transaction that keeps them."""
    return vault().seal(org_id, content, kind=kind, media_type=MEDIA_TYPE, member_id=member_id)


def keep_checkpoint(session: Session, participation: Participation, sealed: Sealed) -> None:
    """Keep where training stands, in place of where it stood before.

    Raises:
        ConsentRequired: the person took `adapter` back, were it a moment ago: nothing is kept.
    """
    _demand(session, participation)
    earlier = participation.checkpoint_id
    kept = vault().keep(session, sealed)
    participation.checkpoint_id = kept.id
    session.flush()
    if earlier is not None:
        vault().delete(session, [earlier])


def checkpoint(session: Session, participation: Participation) -> Held | None:
    """Return where it lies how far training was when it was last kept."""
    if participation.checkpoint_id is None:
        return None
    return vault().find(session, participation.checkpoint_id)


def drop_checkpoint(session: Session, participation: Participation) -> None:
    """Delete the checkpoint: training is over, or will not go on; none is fine."""
    locks.person(session, participation.member_id)
    _drop_checkpoints(session, [participation])


def _drop_checkpoints(session: Session, participations_of: Sequence[Participation]) -> None:
    over = [row.checkpoint_id for row in participations_of if row.checkpoint_id is not None]
    if not over:
        return
    for row in participations_of:
        row.checkpoint_id = None
    session.flush()
    vault().delete(session, over)


def forget(session: Session, member_id: UUID) -> None:
    """Destroy all adapters and checkpoints of a member, of every shoot; none is fine."""
    locks.person(session, member_id)
    held = session.scalars(
        select(Artifact.id).where(
            Artifact.member_id == member_id,
            Artifact.kind.in_((Kind.ADAPTER, Kind.CHECKPOINT)),
            Artifact.delete_requested_at.is_(None),
        )
    ).all()
    session.execute(update(Adapter).where(Adapter.member_id == member_id).values(sealed=None, plain_curve=[]))
    session.execute(
        update(Participation).where(Participation.member_id == member_id).values(checkpoint_id=None)
    )
    vault().delete(session, held)
    if held:
        _tell(session, session.get_one(Member, member_id), len(held))


def forget_likeness(session: Session, member_id: UUID) -> None:
    """Drop the figures that came from comparing faces while training: that consent was taken back."""
    session.execute(update(Adapter).where(Adapter.member_id == member_id).values(sealed=None, plain_curve=[]))


def end_of(session: Session, participations_of: Sequence[Participation]) -> None:
    """Destroy adapters and checkpoints of people in a shoot; none is fine."""
    locks.people(session, [row.member_id for row in participations_of])
    _end(session, select(Adapter).where(Adapter.participation_id.in_([row.id for row in participations_of])))
    _drop_checkpoints(session, participations_of)


def end_trained_on(session: Session, photos: Sequence[Photo]) -> None:
    """Destroy the adapters that learned from photos which are being deleted."""
    theirs = Adapter.participation_id.in_({photo.participation_id for photo in photos})
    learned = Adapter.photos.has_any(literal([str(photo.id) for photo in photos], ARRAY(Text)))
    _end(session, select(Adapter).where(theirs, learned))


def spend(session: Session, participation: Participation, seconds: float, watt_hours: float | None) -> None:
    """Note what the GPU just did for a person; energy counts only while all of it is measured."""
    locks.person(session, participation.member_id)
    known = participation.gpu_watt_hours if participation.gpu_seconds else 0.0
    participation.gpu_seconds += seconds
    participation.gpu_watt_hours = None if known is None or watt_hours is None else known + watt_hours
    session.flush()


def cost(session: Session, shoot_id: UUID) -> Cost:
    """Return what the GPU did for a shoot so far."""
    worked = Participation.gpu_seconds > 0
    people, served, seconds, measured, watt_hours = session.execute(
        select(
            func.count(),
            func.count().filter(worked),
            func.coalesce(func.sum(Participation.gpu_seconds), 0.0),
            func.count(Participation.gpu_watt_hours).filter(worked),
            func.sum(Participation.gpu_watt_hours).filter(worked),
        ).where(Participation.shoot_id == shoot_id)
    ).one()
    return Cost(people, seconds, watt_hours if served and measured == served else None)


def usual_seconds(session: Session, engine: str) -> float | None:
    """Return how long the GPU worked for one person at the median of the newest; `None` before the first."""
    newest = (
        select(Participation.gpu_seconds)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(
            Shoot.engine == engine,
            Participation.gpu_seconds > 0,
            Participation.fallback_code.is_(None),
            Participation.state.in_((State.READY, State.APPROVED, State.DELIVERED)),
        )
        .order_by(Participation.changed_at.desc())
        .limit(USUAL_OF)
        .subquery()
    )
    return session.scalar(select(func.percentile_cont(0.5).within_group(newest.c.gpu_seconds)))


def _demand(session: Session, participation: Participation) -> None:
    """Hold the person's consent until the caller's transaction ends, so that it cannot be withdrawn meanwhile.

    Whoever withdraws it locks the person too.
    """
    locks.person(session, participation.member_id)
    newest = session.scalar(
        select(Consent)
        .where(Consent.member_id == participation.member_id, Consent.purpose == Purpose.ADAPTER)
        .order_by(Consent.id.desc())
        .limit(1)
    )
    if newest is None or not newest.granted or newest.withdrawn_at is not None:
        raise ConsentRequired(
            "There is no consent for this, so nothing was kept.", purpose=Purpose.ADAPTER.value
        )


def _end(session: Session, wanted: Select[Adapter]) -> None:
    session.flush()
    live = wanted.join(Artifact, Artifact.id == Adapter.artifact_id).where(
        Artifact.delete_requested_at.is_(None)
    )
    ending = session.scalars(live).all()
    for adapter in ending:
        adapter.curve = []  # measures of a face are personal data too
    vault().delete(session, [adapter.artifact_id for adapter in ending])
    whose = {adapter.member_id for adapter in ending if adapter.member_id is not None}
    people = {one.id: one for one in session.scalars(select(Member).where(Member.id.in_(whose)))}
    for adapter in ending:
        if adapter.member_id is not None:
            _tell(session, people[adapter.member_id], 1)


def _tell(session: Session, member: Member, objects: int) -> None:
    audit.record(session, audit.Tag.ADAPTER_ERASED, actor=audit.SYSTEM, subject=member, objects=objects)
