"""Uploaded photos: kept once, judged, replaced by their stripped copy, asked about, removed, submitted."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit
from core.clock import now
from core.consent import Purpose, ValidConsent
from core.db import organization_of
from core.errors import Conflict, Gone, InvalidInput, NotFound
from core.ids import new_id
from core.models import Kind, Member, Participation, Photo, Shoot, State
from core.portraits import adapters, engines
from core.queue import JobName, enqueue
from core.shoots import participations
from core.vault import vault

MAX_PHOTOS = 20

# Where adding or removing a photo makes sense; a result that does not please leads back to UPLOADING.
OPEN = frozenset({State.CONSENTED, State.UPLOADING})


# What the check found by comparing the photos of one person with each other; goes with the consent to it.
SOMEBODY_ELSE = "may_be_someone_else"


class Standing(StrEnum):
    """What a person is told about their photo."""

    CHECKING = "checking"
    ASKS = "asks"  # several people are on it, and the person has not said which one they are
    UNSURE = "unsure"  # it may show somebody else, and the person has not said that it is them
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class TooManyPhotos(Conflict):
    """The person already has as many photos as are used."""

    code = "too_many_photos"


class NoGoodPhoto(Conflict):
    """Nothing was accepted yet, so there is nothing to work with."""

    code = "no_good_photo"


class StillChecking(Conflict):
    """The check of the only candidates has not finished."""

    code = "still_checking"


class StillAsks(Conflict):
    """The person has not said of the only candidates which face is theirs, or that it is theirs."""

    code = "still_asks"


class NoSuchFace(InvalidInput):
    """The check found no face of this number on the photo."""

    code = "no_such_face"


class NothingToChoose(Conflict):
    """The check never asked which face is the person's, or whether it is."""

    code = "nothing_to_choose"


class ShootClosed(Gone):
    """The company has ended this shoot."""

    code = "shoot_closed"


@dataclass(frozen=True)
class Stored:
    """The photo, and whether this call brought it or an earlier one did."""

    photo: Photo
    created: bool


def store(
    session: Session,
    participation: Participation,
    content: bytes,
    *,
    media_type: str,
    upload_key: str,
    consent: ValidConsent,
) -> Stored:
    """Seal an uploaded photo and owe its check; the same `upload_key` again returns the first one.

    The original stays sealed until the check has replaced it by a copy without metadata
    (`record_verdict`). Uploads of one person follow each other: the participation's row is locked, so
    neither a retry in a race nor a burst of files can break the limit.

    Args:
        session: bound to the organization.
        participation: whose photo it is.
        content: the file as it came.
        media_type: told from the content by the caller.
        upload_key: chosen by the browser for this one file.
        consent: proof that the person agreed to `photo`.

    Raises:
        ConsentRequired: `photo` was not agreed to.
        Conflict: the photos are with the studio already.
        ShootClosed: the company has ended the shoot.
        TooManyPhotos: `MAX_PHOTOS` are here.
    """
    consent.demand(Purpose.PHOTO)
    session.refresh(participation, with_for_update=True)
    earlier = session.scalar(
        select(Photo).where(Photo.participation_id == participation.id, Photo.upload_key == upload_key)
    )
    if earlier is not None:
        return Stored(earlier, created=False)
    _demand_open(session, participation)
    if count(session, participation.id) >= MAX_PHOTOS:
        raise TooManyPhotos(
            "You already have %(most)s photos, which is the most we use. Remove one to add another.",
            most=MAX_PHOTOS,
        )
    member = session.get_one(Member, participation.member_id)
    artifact = vault().put(session, content, kind=Kind.PHOTO, media_type=media_type, member_id=member.id)
    photo = Photo(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        participation_id=participation.id,
        member_id=member.id,
        artifact_id=artifact.id,
        upload_key=upload_key,
    )
    session.add(photo)
    session.flush()
    actor = audit.actor_for(member)
    audit.record(session, audit.Tag.PHOTO_UPLOADED, actor=actor, subject=member, photo=str(photo.id))
    participations.move(session, participation, State.UPLOADING, actor=actor)
    enqueue(session, JobName.INTAKE, photo.id)
    return Stored(photo, created=True)


def _locked(session: Session, photo: Photo) -> Participation:
    """Lock a photo after its participation, which is returned.

    Raises:
        NotFound: the photo was removed.
    """
    participation = participations.get(session, photo.participation_id, lock=True)
    session.refresh(photo, with_for_update=True)
    if photo.removed_at is not None:
        raise NotFound("This photo does not exist any more.")
    return participation


def _demand_open(session: Session, participation: Participation) -> None:
    if session.get_one(Shoot, participation.shoot_id).closed_at is not None:
        raise ShootClosed("Your company has ended this shoot, so no photos are needed any more.")
    state = State(participation.state)
    if state not in OPEN:
        message = participations.MESSAGES.get(
            state, "Photos can be changed only before they are sent to the studio. Please reload the page."
        )
        raise Conflict(message, state=state.value)


def standing_of(photo: Photo) -> Standing:
    """Return where a photo stands; only accepted ones are sent to the studio."""
    if photo.checked_at is None:
        return Standing.CHECKING
    verdict = photo.verdict or {}
    if verdict.get("asks"):
        return Standing.ASKS
    if not verdict.get("accepted"):
        return Standing.REJECTED
    return Standing.UNSURE if _is_doubted(verdict) else Standing.ACCEPTED


def _is_doubted(verdict: dict[str, Any]) -> bool:
    return any(issue["code"] == SOMEBODY_ELSE for issue in verdict.get("issues", ()))


def _without_doubt(verdict: dict[str, Any]) -> dict[str, Any]:
    issues = [issue for issue in verdict.get("issues", ()) if issue["code"] != SOMEBODY_ELSE]
    return {**verdict, "issues": issues}


def record_verdict(
    session: Session,
    photo: Photo,
    verdict: dict[str, Any],
    *,
    stripped: bytes | None,
    media_type: str = "image/jpeg",
    preview: bytes | None = None,
    subject: tuple[float, float] | None = None,
    likeness: bytes | None = None,
) -> None:
    """Keep the check's verdict and replace the original by its copy without metadata.

    The original object is deleted whatever the verdict: no GPS position stays. Without `stripped` the
    file could not be decoded at all, and nothing of it is kept. When the person has said which face is
    theirs, the check runs again on that copy: then it stays, and preview and embedding are replaced.
    Recording twice, after the person removed the photo, or about a face that they have not chosen (any
    more), does nothing.

    Args:
        session: bound to the organization.
        photo: what was checked.
        verdict: `workers.vision.check.Verdict` as JSON: accepted, issues, measures, score, asks, faces.
        stripped: the photo encoded again without metadata; not looked at in a second check.
        media_type: of `stripped` and `preview`.
        preview: a small copy for lists, larger where the person has to find themselves on it.
        subject: the middle of the face that was checked, as `Photo.subject` said then.
        likeness: the face's embedding; only with that consent.
    """
    session.refresh(photo, with_for_update=True)
    if photo.checked_at is not None or photo.removed_at is not None or photo.subject != subject:
        return
    replaced = [one for one in (photo.preview_id, photo.likeness_id) if one is not None]
    first = photo.verdict is None
    if first:
        replaced.append(photo.artifact_id)
    if first and stripped is not None:
        kept = vault().put(
            session, stripped, kind=Kind.PHOTO, media_type=media_type, member_id=photo.member_id
        )
        photo.artifact_id = kept.id
    if preview is not None:
        small = vault().put(
            session, preview, kind=Kind.PREVIEW, media_type=media_type, member_id=photo.member_id
        )
        photo.preview_id = small.id
    photo.likeness_id = None
    if likeness is not None:
        numbers = vault().put(
            session, likeness, kind=Kind.LIKENESS, media_type="application/json", member_id=photo.member_id
        )
        photo.likeness_id = numbers.id
    photo.verdict = verdict
    photo.checked_at = now()
    session.flush()
    vault().delete(session, replaced)
    audit.record(
        session,
        audit.Tag.PHOTO_CHECKED,
        actor=audit.SYSTEM,
        subject=session.get_one(Member, photo.member_id),
        photo=str(photo.id),
        accepted=bool(verdict.get("accepted")),
    )


def choose_face(session: Session, photo: Photo, face_index: int, *, actor: audit.Actor) -> None:
    """Keep which face on a photo is the person's, and owe the check that was waiting for it.

    Choosing the same face again does nothing; another one replaces the first answer, and whatever was
    said of that face.

    Args:
        session: bound to the organization.
        photo: one of the person's own.
        face_index: of the verdict's faces, from 0, the largest first.
        actor: who says so.

    Raises:
        NothingToChoose: the check did not ask.
        NoSuchFace: the verdict has no such face.
        NotFound: the photo was removed.
        ShootClosed: the company has ended the shoot.
        Conflict: the photos are with the studio already.
    """
    participation = _locked(session, photo)
    _demand_open(session, participation)
    verdict = photo.verdict or {}
    if not verdict.get("asks") and photo.subject is None:
        raise NothingToChoose("Nothing has to be chosen on this photo. Please reload the page.")
    faces = verdict.get("faces", ())
    if not 0 <= face_index < len(faces):
        raise NoSuchFace("There is no such person on this photo. Please choose one of those that are marked.")
    face = faces[face_index]
    middle = (face["left"] + face["width"] / 2, face["top"] + face["height"] / 2)
    if photo.subject == middle:
        return
    photo.subject_x, photo.subject_y = middle
    photo.checked_at = photo.confirmed_at = None
    session.flush()
    audit.record(
        session,
        audit.Tag.PHOTO_SUBJECT_CHOSEN,
        actor=actor,
        subject=session.get_one(Member, photo.member_id),
        photo=str(photo.id),
    )
    enqueue(session, JobName.INTAKE, photo.id)


def is_me(session: Session, photo: Photo, *, actor: audit.Actor) -> None:
    """Keep that a photo shows its person although the comparison doubts it; no later one asks again.

    Saying it twice is fine.

    Args:
        session: bound to the organization.
        photo: one of the person's own.
        actor: who says so.

    Raises:
        NothingToChoose: nothing doubts it.
        NotFound: the photo was removed.
        ShootClosed: the company has ended the shoot.
        Conflict: the photos are with the studio already.
    """
    participation = _locked(session, photo)
    if photo.confirmed_at is not None:
        return
    _demand_open(session, participation)
    if photo.verdict is None or standing_of(photo) is not Standing.UNSURE:
        raise NothingToChoose("Nothing has to be chosen on this photo. Please reload the page.")
    photo.confirmed_at = now()
    photo.verdict = _without_doubt(photo.verdict)
    session.flush()
    audit.record(
        session,
        audit.Tag.PHOTO_CONFIRMED,
        actor=actor,
        subject=session.get_one(Member, photo.member_id),
        photo=str(photo.id),
    )


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
    participation = participations.get(session, photo.participation_id, lock=True)
    session.refresh(photo, with_for_update=True)
    if photo.removed_at is not None:
        return
    _demand_open(session, participation)
    _delete(session, [photo], actor=actor)


def remove_all(session: Session, member: Member, *, actor: audit.Actor) -> int:
    """Delete every photo of a member, whatever the state; return how many that were."""
    photos = session.scalars(
        select(Photo).where(Photo.member_id == member.id, Photo.removed_at.is_(None)).with_for_update()
    ).all()
    _delete(session, photos, actor=actor)
    return len(photos)


def _delete(session: Session, photos: Sequence[Photo], *, actor: audit.Actor) -> None:
    end(session, photos)
    for photo in photos:
        audit.record(
            session,
            audit.Tag.PHOTO_REMOVED,
            actor=actor,
            subject=session.get_one(Member, photo.member_id),
            photo=str(photo.id),
        )


def end(session: Session, photos: Sequence[Photo]) -> None:
    """Take all that photos hold and whatever has learned from them; the caller says why."""
    for photo in photos:
        photo.removed_at = now()
        photo.verdict = None  # measures of a face are personal data too
        photo.subject_x = photo.subject_y = photo.confirmed_at = None
    vault().delete(session, [artifact_id for photo in photos for artifact_id in photo.held])
    for photo in photos:
        adapters.end_trained_on(session, photo)


def mark_strangers(
    session: Session, participation_id: UUID, strangers: Set[str], finding: dict[str, Any]
) -> None:
    """Say on some photos of a person, and on no others, that they may show somebody else.

    Of a photo that the person has confirmed (`is_me`) it is never said again.

    Args:
        session: bound to the organization; it holds the participation's lock.
        participation_id: whose photos were compared.
        strangers: ids of the photos that differ from the rest.
        finding: what the verdict then says, as JSON; its code is `SOMEBODY_ELSE`.
    """
    for photo in of_participation(session, participation_id):
        if photo.verdict is None:
            continue
        doubted = str(photo.id) in strangers and photo.confirmed_at is None
        if doubted == _is_doubted(photo.verdict):
            continue
        verdict = _without_doubt(photo.verdict)
        photo.verdict = {**verdict, "issues": [*verdict["issues"], finding]} if doubted else verdict
    session.flush()


def forget_likeness(session: Session, member_id: UUID) -> None:
    """Delete the embeddings of a member's faces and what comparing them found: the consent was taken back.

    A photo that waited for its person to say that it is them goes as a whole: nothing would keep somebody
    else's face from their headshot any more.
    """
    photos = session.scalars(select(Photo).where(Photo.member_id == member_id).with_for_update()).all()
    vault().delete(session, [photo.likeness_id for photo in photos if photo.likeness_id is not None])
    doubted = [photo for photo in photos if photo.verdict is not None and _is_doubted(photo.verdict)]
    for photo in photos:
        photo.likeness_id = None
    end(session, doubted)
    for photo in doubted:
        audit.record(
            session,
            audit.Tag.PHOTO_REMOVED,
            actor=audit.SYSTEM,
            subject=session.get_one(Member, member_id),
            photo=str(photo.id),
            reason="unconfirmed",
        )
    session.flush()


def submit(session: Session, participation: Participation, *, actor: audit.Actor) -> None:
    """Send the accepted photos and owe the job that makes headshots of them; submitting twice is fine.

    Raises:
        NoGoodPhoto: none was accepted.
        StillChecking: checks are running, which may yet doubt one that was accepted.
        StillAsks: none was accepted yet, but the person can say of one which face is theirs, or that it is.
        ShootClosed: the company has ended the shoot.
        Conflict: the state does not allow it.
    """
    session.refresh(participation, with_for_update=True)
    if participation.state in (State.SUBMITTED, State.RENDERING):
        return
    _demand_open(session, participation)
    standings = {standing_of(photo) for photo in of_participation(session, participation.id)}
    if Standing.CHECKING in standings:
        raise StillChecking("Your photos are still being checked. Please wait a moment and send them again.")
    if Standing.ACCEPTED not in standings:
        if Standing.ASKS in standings:
            raise StillAsks("Say first which person is you, on the photo that shows several people.")
        if Standing.UNSURE in standings:
            raise StillAsks("Say first whether the photo that asks shows you.")
        raise NoGoodPhoto(
            "No photo can be used yet. Add one that shows your face from the front, in good light."
        )
    participations.move(session, participation, State.SUBMITTED, actor=actor)
    engines.send(session, participation)


def reopen(session: Session, participation: Participation, *, actor: audit.Actor) -> None:
    """Let the person add other photos after a result or a failure; reopening twice is fine.

    Raises:
        ShootClosed: the company has ended the shoot.
        Conflict: the state does not allow it.
    """
    session.refresh(participation, with_for_update=True)
    if session.get_one(Shoot, participation.shoot_id).closed_at is not None:
        raise ShootClosed("Your company has ended this shoot. What you have stays yours to download.")
    if participation.state in (State.APPROVED, State.DELIVERED):
        participations.move(session, participation, State.READY, actor=actor)
        participation.chosen_headshot_id = None
        participation.approved_at = None
    participations.move(session, participation, State.UPLOADING, actor=actor)
    participation.failure_code = None
