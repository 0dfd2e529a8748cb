"""Keeping nothing longer than promised: selfies and working data end on schedule, strays are removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, func, literal, or_, select
from sqlalchemy.orm import Session

from compliance import recall
from core import audit, locks, uploads
from core.brand import styles
from core.clock import now
from core.db import Lookup, transaction
from core.grounds import Ground, because
from core.models import Adapter, Arrival, Artifact, Participation, Photo, Shoot, State, Upload
from core.models.artifact import PASSING
from core.people import organizations
from core.portraits import adapters, arrivals, photos
from core.shoots import commits, participations, promises
from core.vault import vault

BATCH = 500
# Selfies of someone who never finished are kept no longer than those of someone who did.
UNFINISHED = (State.CONSENTED, State.UPLOADING, State.SUBMITTED, State.RENDERING, State.READY, State.FAILED)
UPLOAD_DAYS = 1  # a picture that is being checked, and what its page says of it afterwards
PASSING_HOURS = 1
ARRIVAL_DAYS = 1  # a photo of which the rest never came
UNSAVED_BACKDROP_DAYS = 1  # a style whose form was refused, and that nobody came back to


@dataclass(frozen=True)
class Swept:
    """What one transaction ended."""

    people: int  # whose working data was deleted
    more: bool  # whether there may be more of it


def sweep(session: Session) -> Swept:
    """End what is over in the session's organization, as much as one transaction should.

    Selfies, previews and trained models go as many days after approval as was promised, or after the shoot's deadline when nothing
    was approved, and at once after a decline. Links of a passed deadline expire. The finished headshot
    stays until its person or the company erases it.
    """
    with because(session, Ground.RETENTION):
        return _sweep(session)


def _sweep(session: Session) -> Swept:
    moment = now()
    organization = organizations.current(session)
    limit = literal(moment) - func.make_interval(0, 0, 0, promises.kept_days(organization))
    over = (
        select(Participation.id)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(
            or_(
                Participation.state.in_((State.DECLINED, State.EXPIRED)),
                Participation.state.in_(participations.SETTLED) & (Participation.approved_at < limit),
                Participation.state.in_(UNFINISHED) & (Shoot.deadline < limit),
            )
        )
    )
    # Who approved one and tries other photos keeps these, and not those that the approved one came from.
    earlier = select(Participation.id).where(
        Participation.approved_at < limit, Photo.created_at < Participation.approved_at
    )
    kept = (
        select(Photo)
        .where(
            or_(
                Photo.participation_id.in_(over),
                Photo.participation_id.in_(earlier.correlate(Photo)),
            ),
            Photo.removed_at.is_(None),
        )
        .order_by(Photo.member_id)
        .limit(BATCH)
    )
    trained = _trained(over)
    late = _late(moment)
    unfinished_before = moment - timedelta(days=ARRIVAL_DAYS)
    begun = select(Arrival.member_id).where(Arrival.created_at < unfinished_before).limit(BATCH)
    sent = select(Upload).where(Upload.created_at < moment - timedelta(days=UPLOAD_DAYS)).limit(BATCH)
    # Everybody at once and before anything of theirs, as `core.locks` has it.
    locked = locks.owners(
        session,
        kept.with_only_columns(Photo.member_id),
        trained.with_only_columns(Participation.member_id),
        late.with_only_columns(Participation.member_id),
        begun,
        sent.with_only_columns(Upload.member_id),
    )
    expired = session.scalars(late.where(Participation.member_id.in_(locked))).all()
    participations.move_all(session, expired, State.EXPIRED, actor=audit.SYSTEM)
    ended = session.scalars(kept.where(Photo.member_id.in_(locked))).all()
    photos.end(session, ended)
    photos.record_removed(session, ended, actor=audit.SYSTEM, reason="retention")
    people = {photo.member_id for photo in ended}
    over_trained = session.scalars(trained.where(Participation.member_id.in_(locked))).all()
    adapters.end_of(session, over_trained)
    people |= {row.member_id for row in over_trained}
    arrivals.forget_old(session, unfinished_before, locked)
    sent_before = session.scalars(sent.where(Upload.member_id.in_(locked))).all()
    uploads.forget(session, sent_before)
    stale = session.scalars(
        select(Artifact.id)
        .where(
            Artifact.kind.in_(PASSING),
            Artifact.delete_requested_at.is_(None),
            Artifact.created_at < moment - timedelta(hours=PASSING_HOURS),
            Artifact.id.not_in(commits.needed(moment)),
        )
        .limit(BATCH)
    ).all()
    vault().delete(session, stale)
    recalled = recall.end_overdue(session)
    styles.forget_unused_pictures(session, moment - timedelta(days=UNSAVED_BACKDROP_DAYS))
    more = max(map(len, (ended, over_trained, expired, sent_before, stale))) == BATCH
    return Swept(len(people), more or recalled == recall.AT_ONCE)


def _trained(over: Select[UUID]) -> Select[Participation]:
    """Ask for whom something was trained, or left half trained, among these participations."""
    trained = (
        select(Adapter.participation_id)
        .join(Artifact, Artifact.id == Adapter.artifact_id)
        .where(Artifact.delete_requested_at.is_(None))
    )
    return (
        select(Participation)
        .where(
            Participation.id.in_(over),
            or_(Participation.checkpoint_id.is_not(None), Participation.id.in_(trained)),
        )
        .limit(BATCH)
    )


def _late(moment: datetime) -> Select[Participation]:
    """Ask who has not answered before the deadline."""
    return (
        select(Participation)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(Participation.state.in_((State.INVITED, State.OPENED)), Shoot.deadline < moment)
        .limit(BATCH)
    )


def sweep_all() -> int:
    """Sweep until nothing is due; return how many people's working data was deleted.

    A company with much to end does not keep the others waiting: each has its turn, in a transaction of its own.
    """
    total = 0
    waiting = Lookup.organizations()
    while waiting:
        again = []
        for org_id in waiting:
            with transaction(org_id) as session:
                swept = sweep(session)
            total += swept.people
            if swept.more:
                again.append(org_id)
        waiting = again
    return total
