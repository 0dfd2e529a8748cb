"""Keeping nothing longer than promised: what is over ends on schedule, strays are removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from compliance import erasure, recall, schedule
from core import audit, locks, turns, uploads
from core.brand import styles
from core.clock import now
from core.db import Lookup, transaction
from core.grounds import Ground, because
from core.models import (
    Adapter,
    Arrival,
    Artifact,
    Headshot,
    Member,
    Organization,
    Participation,
    Photo,
    Shoot,
    State,
    Upload,
)
from core.models.artifact import PASSING
from core.people import organizations
from core.portraits import adapters, arrivals, avatars, headshots, photos
from core.shoots import commits, participations, syncs
from core.shoots.promises import Kept
from core.vault import vault

BATCH = 500
PASSING_HOURS = 1
ARRIVAL_DAYS = 1  # a photo of which the rest never came
UNSAVED_BACKDROP_DAYS = 1  # a style whose form was refused, and that nobody came back to


@dataclass(frozen=True)
class Swept:
    """What one transaction ended."""

    people: int  # of whom something was deleted
    more: bool  # whether there may be more of it


def sweep(session: Session) -> Swept:
    """End what is over in the session's organization, as much as one transaction should.

    When things are over says `compliance.schedule`. Links of a passed deadline expire.
    """
    with because(session, Ground.RETENTION):
        return _sweep(session)


def _sweep(session: Session) -> Swept:
    moment = now()
    organization = organizations.current(session)
    kept = (
        schedule.photos_held(Photo)
        .where(schedule.photo_ends(organization) <= moment)
        .order_by(Photo.member_id)
        .limit(BATCH)
    )
    shots = (
        schedule.headshots_held(Headshot)
        .where(schedule.headshot_ends(organization) <= moment)
        .order_by(Headshot.member_id)
        .limit(BATCH)
    )
    declined = (
        schedule.decliners_held(Participation)
        .where(schedule.decliner_ends(organization) <= moment)
        .order_by(Participation.member_id)
        .limit(BATCH)
    )
    trained = _trained(organization, moment)
    late = _late(moment)
    unfinished_before = moment - timedelta(days=ARRIVAL_DAYS)
    begun = select(Arrival.member_id).where(Arrival.created_at < unfinished_before).limit(BATCH)
    sent = (
        select(Upload).where(Upload.created_at < moment - timedelta(days=schedule.UPLOAD_DAYS)).limit(BATCH)
    )
    # Everybody at once and before anything of theirs, as `core.locks` has it.
    locked = locks.owners(
        session,
        kept.with_only_columns(Photo.member_id),
        shots.with_only_columns(Headshot.member_id),
        declined.with_only_columns(Participation.member_id),
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
    over_trained = session.scalars(trained.where(Participation.member_id.in_(locked))).all()
    adapters.end_of(session, over_trained)
    over_shots = session.scalars(shots.where(Headshot.member_id.in_(locked))).all()
    headshots.end(session, over_shots, actor=audit.SYSTEM, reason="retention")
    forgotten = session.scalars(declined.where(Participation.member_id.in_(locked))).all()
    participations.forget_declined(session, forgotten, actor=audit.SYSTEM)
    avatars.remove_unused(session, [row.member_id for row in forgotten])
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
            Artifact.id.not_in(syncs.needed(moment)),
        )
        .limit(BATCH)
    ).all()
    vault().delete(session, stale)
    recalled = recall.end_overdue(session)
    styles.forget_unused_pictures(session, moment - timedelta(days=UNSAVED_BACKDROP_DAYS))
    swept = (ended, over_trained, over_shots, forgotten)
    people = {row.member_id for rows in swept for row in rows}
    more = max(map(len, (*swept, expired, sent_before, stale))) == BATCH
    return Swept(len(people), more or recalled == recall.AT_ONCE)


def _trained(organization: Organization, moment: datetime) -> Select[Participation]:
    """Ask for whom something was trained, or left half trained, and is over."""
    trained = (
        select(Adapter.participation_id)
        .join(Artifact, Artifact.id == Adapter.artifact_id)
        .where(Artifact.delete_requested_at.is_(None))
    )
    return (
        select(Participation)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(
            schedule.selfies_end(organization, Kept.MODELS) <= moment,
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


def erase_leavers(org_id: UUID) -> int:
    """Erase, with a certificate each, who has been locked out for as long as the company keeps such people; return how many."""
    with transaction(org_id) as session:
        over = schedule.leaver_ends(organizations.current(session)) <= now()
        due = session.scalars(schedule.leavers_held(Member.id).where(over).order_by(Member.id)).all()
    erased = 0
    for member_id in due:
        with transaction(org_id) as session:
            locks.whole_person(session, member_id)
            # Looked at again: somebody may have let them in again in between.
            member = session.scalar(schedule.leavers_held(Member).where(over, Member.id == member_id))
            if member is None or erasure.is_held(session, member_id):
                continue
            erasure.request(
                session,
                member,
                reason=erasure.ErasureReason.LEFT_COMPANY,
                actor=audit.SYSTEM,
                language=member.language,
            )
            erased += 1
    return erased


def sweep_all() -> int:
    """Sweep until nothing is due; return of how many people something was deleted.

    A company with much to end, or in which something fails, does not keep the others waiting: each has its turn, in a
    transaction of its own.

    Raises:
        Exception: the last that one of them failed with; the next hour tries again.
    """
    people = 0
    again: list[UUID] = []

    def once(org_id: UUID) -> None:
        nonlocal people
        with transaction(org_id) as session:
            swept = sweep(session)
        people += swept.people
        if swept.more:
            again.append(org_id)

    def leavers(org_id: UUID) -> None:
        nonlocal people
        people += erase_leavers(org_id)

    failures: list[Exception] = []
    waiting = Lookup.organizations()
    while waiting:
        again.clear()
        failures += turns.each(waiting, once)
        waiting = list(again)
    failures += turns.each(Lookup.organizations(), leavers)
    if failures:
        raise failures[-1]
    return people
