"""Uploaded photos: kept once, listed, removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit, locks
from core.checks.advice import ADVICE, Issue
from core.clock import now
from core.consent import Purpose, ValidConsent
from core.db import organization_of
from core.errors import Conflict, NotFound
from core.grounds import Ground, because
from core.ids import new_id
from core.image.kinds import MEDIA_TYPES, EmptyPhoto, NotAPhoto, TooManyBytes, sniff
from core.models import Kind, Member, Participation, Photo, State
from core.portraits import adapters, arrivals
from core.queue import JobName, enqueue
from core.settings import settings
from core.shoots import participations
from core.vault import Sealed, vault

MAX_PHOTOS = 20

# Where adding or removing a photo makes sense; a result that does not please leads back to UPLOADING.
OPEN = frozenset({State.CONSENTED, State.UPLOADING})


class TooManyPhotos(Conflict):
    """The person already has as many photos as are used."""

    code = "too_many_photos"


@dataclass(frozen=True)
class Stored:
    """The photo, and whether this call brought it or an earlier one did."""

    photo: Photo
    created: bool


def glance(content: bytes) -> str:
    """Return the media type of what may be a photo; what needs decoding is judged by the intake job.

    Raises:
        UnreadablePhoto: too large, empty, or another type of file.
    """
    if len(content) > settings().upload_max_bytes:
        raise TooManyBytes(ADVICE[Issue.FILE_TOO_LARGE].text)
    if not content:
        raise EmptyPhoto(ADVICE[Issue.EMPTY_FILE].text)
    kind = sniff(content)
    if kind is None:
        raise NotAPhoto(ADVICE[Issue.NOT_A_PHOTO].text)
    return MEDIA_TYPES[kind]


def seal(org_id: UUID, member_id: UUID, content: bytes, media_type: str) -> Sealed:
    """Seal a photo as it came, before the transaction that stores it.

    Args:
        org_id: the organization.
        member_id: whose photo it is.
        content: the file as it came.
        media_type: told from the content by the caller.
    """
    return vault().seal(org_id, content, kind=Kind.PHOTO, media_type=media_type, member_id=member_id)


def store(
    session: Session,
    participation: Participation,
    sealed: Sealed,
    *,
    upload_key: str,
    consent: ValidConsent,
    photo_id: UUID | None = None,
    put_in_by: audit.Actor | None = None,
) -> Stored:
    """Keep an uploaded photo and owe its check; the same `upload_key` again returns the first one.

    The original stays sealed until the check has replaced it by a copy without metadata
    (`record_verdict`). Uploads of one person follow each other: the person is locked, so
    neither a retry in a race nor a burst of files can break the limit.

    Args:
        session: bound to the organization.
        participation: whose photo it is.
        sealed: what `seal` made of the file.
        upload_key: chosen by the browser for this one file.
        consent: proof that the person agreed to `photo`.
        photo_id: its place among the person's photos, where it began to arrive earlier.
        put_in_by: who of the company puts it in for the person, who has allowed that; they themselves if not given.

    Raises:
        ConsentRequired: `photo` was not agreed to.
        Conflict: the photos are with the studio already.
        ShootEnded: the company has ended the shoot.
        TooManyPhotos: `MAX_PHOTOS` are here.
    """
    consent.demand(Purpose.PHOTO)
    locks.person(session, participation.member_id)
    earlier = of_key(session, participation, upload_key)
    if earlier is not None:
        return Stored(earlier, created=False)
    demand_room(session, participation)
    member = session.get_one(Member, participation.member_id)
    artifact = vault().keep(session, sealed)
    photo = Photo(
        id=photo_id or new_id(),
        org_id=organization_of(session),
        created_at=now(),
        participation_id=participation.id,
        member_id=member.id,
        artifact_id=artifact.id,
        upload_key=upload_key,
        put_in_by=put_in_by.member_id if put_in_by is not None else None,
    )
    session.add(photo)
    session.flush()
    actor = put_in_by or audit.actor_for(member)
    audit.record(session, audit.Tag.PHOTO_UPLOADED, actor=actor, subject=member, photo=str(photo.id))
    participations.move(session, participation, State.UPLOADING, actor=actor)
    enqueue(session, JobName.INTAKE, photo.id)
    return Stored(photo, created=True)


def of_key(session: Session, participation: Participation, upload_key: str) -> Photo | None:
    """Return the photo that an earlier try of the same upload brought."""
    return session.scalar(
        select(Photo).where(Photo.participation_id == participation.id, Photo.upload_key == upload_key)
    )


def demand_room(session: Session, participation: Participation) -> None:
    """Refuse a photo more than is used, or at the wrong time.

    Raises:
        ShootEnded: the company has ended the shoot.
        Conflict: the photos are with the studio already.
        TooManyPhotos: `MAX_PHOTOS` are here.
    """
    demand_open(session, participation)
    if count(session, participation.id) >= MAX_PHOTOS:
        raise TooManyPhotos(
            "You already have %(most)s photos, which is the most we use. Remove one to add another.",
            most=MAX_PHOTOS,
        )


def locked(session: Session, photo: Photo) -> Participation:
    """Lock a photo's person; return its participation.

    Raises:
        NotFound: the photo was removed.
    """
    locks.person(session, photo.member_id)
    participation = participations.get(session, photo.participation_id)
    if photo.removed_at is not None:
        raise NotFound("This photo does not exist any more.")
    return participation


def demand_open(session: Session, participation: Participation) -> None:
    """Refuse a change of photos in a shoot that has ended, or once they are with the studio.

    Raises:
        ShootEnded: the company has ended the shoot.
        Conflict: the state does not allow it.
    """
    participations.demand_running(session, participation)
    state = State(participation.state)
    if state not in OPEN:
        message = participations.MESSAGES.get(
            state, "Photos can be changed only before they are sent to the studio. Please reload the page."
        )
        raise Conflict(message, state=state.value)


def of_participation(session: Session, participation_id: UUID) -> Sequence[Photo]:
    """Return the photos that were not removed, oldest first."""
    return session.scalars(
        select(Photo)
        .where(Photo.participation_id == participation_id, Photo.removed_at.is_(None))
        .order_by(Photo.id)
    ).all()


def count(session: Session, participation_id: UUID) -> int:
    """Return how many photos were not removed."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Photo)
            .where(Photo.participation_id == participation_id, Photo.removed_at.is_(None))
        )
        or 0
    )


def get(session: Session, member_id: UUID, photo_id: UUID) -> Photo:
    """Return a member's own photo.

    Raises:
        NotFound: there is none of this id, it is another person's, or it was removed.
    """
    photo = session.get(Photo, photo_id)
    if photo is None or photo.member_id != member_id or photo.removed_at is not None:
        raise NotFound("This photo does not exist any more.")
    return photo


def remove(session: Session, photo: Photo, *, actor: audit.Actor) -> None:
    """Delete one photo for good; removing it twice is fine.

    Raises:
        Conflict: the photos are with the studio already.
    """
    locks.person(session, photo.member_id)
    participation = participations.get(session, photo.participation_id)
    if photo.removed_at is not None:
        return
    demand_open(session, participation)
    with because(session, Ground.PERSON):
        delete(session, [photo], actor=actor)


def remove_all(session: Session, participations_of: Sequence[Participation], *, actor: audit.Actor) -> None:
    """Delete every photo of one person's parts in shoots, whatever the state."""
    held = [photo for row in participations_of for photo in of_participation(session, row.id)]
    for row in participations_of:
        arrivals.end(session, arrivals.of_participation(session, row.id))
    delete(session, held, actor=actor)


def delete(session: Session, photos: Sequence[Photo], *, actor: audit.Actor, **facts: audit.Fact) -> None:
    """Delete photos of one person for good: no restore of the database brings them back."""
    end(session, photos)
    record_removed(session, photos, actor=actor, **facts)
    if photos:
        ids = [photo.id for photo in photos]
        vault().keys.removals.note_after_commit(session, photos[0].member_id, ids, now())


def record_removed(
    session: Session, photos: Sequence[Photo], *, actor: audit.Actor, **facts: audit.Fact
) -> None:
    """Tell the log that photos were removed; their people are asked for at once."""
    people = select(Member).where(Member.id.in_({photo.member_id for photo in photos}))
    whose = {member.id: member for member in session.scalars(people)}
    for photo in photos:
        audit.record(
            session,
            audit.Tag.PHOTO_REMOVED,
            actor=actor,
            subject=whose[photo.member_id],
            photo=str(photo.id),
            **facts,
        )


def end(session: Session, photos: Sequence[Photo]) -> None:
    """Take all that photos hold and whatever has learned from them; the caller says why."""
    for photo in photos:
        photo.removed_at = now()
        photo.verdict = None  # measures of a face are personal data too
        photo.subject_x = photo.subject_y = photo.confirmed_at = None
        photo.upload_key = str(
            photo.id
        )  # whoever chooses the file again gets a photo, not the one that is gone
    vault().delete(session, [artifact_id for photo in photos for artifact_id in photo.held])
    adapters.end_trained_on(session, photos)
