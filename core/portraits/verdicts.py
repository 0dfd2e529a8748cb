"""What the check found on a photo, where that leaves it, and what its person says to it."""

from __future__ import annotations

from collections.abc import Set
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, locks, owed
from core.clock import now
from core.errors import Conflict, InvalidInput
from core.models import Member, Photo
from core.portraits import photos
from core.queue import JobName, enqueue
from core.vault import Sealed, vault

# What the check found by comparing the photos of one person with each other; goes with the consent to it.
SOMEBODY_ELSE = "may_be_someone_else"


class Standing(StrEnum):
    """What a person is told about their photo."""

    CHECKING = "checking"
    ASKS = "asks"  # several people are on it, and the person has not said which one they are
    UNSURE = "unsure"  # it may show somebody else, and the person has not said that it is them
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class NoSuchFace(InvalidInput):
    """The check found no face of this number on the photo."""

    code = "no_such_face"


class NothingToCheck(Conflict):
    """The check of this photo did not fail, or it runs again already."""

    code = "nothing_to_check"


class NothingToChoose(Conflict):
    """The check never asked which face is the person's, or whether it is."""

    code = "nothing_to_choose"


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


def is_doubted(photo: Photo) -> bool:
    """Whether the comparison doubts that the photo shows the person whose it is."""
    return photo.verdict is not None and _is_doubted(photo.verdict)


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
    stripped: Sealed | None,
    preview: Sealed | None = None,
    subject: tuple[float, float] | None = None,
    likeness: Sealed | None = None,
    check_failed: bool = False,
) -> None:
    """Keep the check's verdict and replace the original by its copy without metadata.

    The original object is deleted whatever the verdict: no GPS position stays. Without `stripped` the
    file could not be decoded at all, and nothing of it is kept. When the person has said which face is
    theirs, the check runs again on that copy: then it stays, and preview and embedding are replaced.
    A check that failed for a reason of ours has not looked at the photo: it stays as it came, for another one.
    Recording twice, after the person removed the photo, or about a face that they have not chosen (any
    more), does nothing.

    Args:
        session: bound to the organization.
        photo: what was checked.
        verdict: `workers.vision.check.Verdict` as JSON: accepted, issues, measures, score, asks, faces.
        stripped: the photo encoded again without metadata; not looked at in a second check.
        preview: a small copy for lists, larger where the person has to find themselves on it.
        subject: the middle of the face that was checked, as `Photo.subject` said then.
        likeness: the face's embedding; only with that consent.
        check_failed: whether the check failed for a reason of ours.
    """
    locks.person(session, photo.member_id)
    if photo.checked_at is not None or photo.removed_at is not None or photo.subject != subject:
        return
    replaced = [one for one in (photo.preview_id, photo.likeness_id) if one is not None]
    first = photo.verdict is None
    if first and not check_failed:
        replaced.append(photo.artifact_id)
    if first and stripped is not None:
        photo.artifact_id = vault().keep(session, stripped).id
    if preview is not None:
        photo.preview_id = vault().keep(session, preview).id
    photo.likeness_id = None
    if likeness is not None:
        photo.likeness_id = vault().keep(session, likeness).id
    photo.verdict = verdict
    photo.checked_at = now()
    photo.check_failed_at = photo.checked_at if check_failed else None
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


def check_again(session: Session, photo: Photo) -> None:
    """Have a photo checked once more whose check failed for a reason of ours.

    Args:
        session: bound to the organization.
        photo: one of the person's own.

    Raises:
        NothingToCheck: its check did not fail.
        NotFound: the photo was removed.
        ShootEnded: the company has ended the shoot.
        Conflict: the photos are with the studio already.
    """
    photos.demand_open(session, photos.locked(session, photo))
    open_again(session, photo)
    row = owed.newest(session, JobName.INTAKE, photo.id)
    if row is not None and row.done_at is None:
        owed.take_up(session, row)
    else:
        enqueue(session, JobName.INTAKE, photo.id)


def open_again(session: Session, photo: Photo) -> None:
    """Let a photo wait for a check again, after one that failed for a reason of ours.

    Raises:
        NothingToCheck: its check did not fail, or it waits already.
    """
    locks.person(session, photo.member_id)
    if photo.check_failed_at is None or photo.removed_at is not None:
        raise NothingToCheck("The check of this photo did not fail. Please reload the page.")
    photo.checked_at = photo.check_failed_at = None
    if photo.subject is None:  # otherwise a first check has gone well, and its copy is what is kept
        photo.verdict = None
    session.flush()


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
        ShootEnded: the company has ended the shoot.
        Conflict: the photos are with the studio already.
    """
    participation = photos.locked(session, photo)
    photos.demand_open(session, participation)
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
        ShootEnded: the company has ended the shoot.
        Conflict: the photos are with the studio already.
    """
    participation = photos.locked(session, photo)
    if photo.confirmed_at is not None:
        return
    photos.demand_open(session, participation)
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


def mark_strangers(
    session: Session, participation_id: UUID, strangers: Set[str], finding: dict[str, Any]
) -> None:
    """Say on some photos of a person, and on no others, that they may show somebody else.

    Of a photo that the person has confirmed (`is_me`) it is never said again.

    Args:
        session: bound to the organization; it holds the person's lock.
        participation_id: whose photos were compared.
        strangers: ids of the photos that differ from the rest.
        finding: what the verdict then says, as JSON; its code is `SOMEBODY_ELSE`.
    """
    for photo in photos.of_participation(session, participation_id):
        if photo.verdict is None:
            continue
        doubted = str(photo.id) in strangers and photo.confirmed_at is None
        if doubted == _is_doubted(photo.verdict):
            continue
        verdict = _without_doubt(photo.verdict)
        photo.verdict = {**verdict, "issues": [*verdict["issues"], finding]} if doubted else verdict
    session.flush()


def doubted(session: Session, member_id: UUID) -> list[Photo]:
    """Return the photos that wait for their person to say that it is them."""
    held = session.scalars(select(Photo).where(Photo.member_id == member_id, Photo.removed_at.is_(None)))
    return [photo for photo in held if is_doubted(photo)]


def replace_likeness(session: Session, photo: Photo, likeness: Sealed) -> None:
    """Keep another embedding of the same face: another encoder is in use, whose numbers the old ones are not like.

    Args:
        session: bound to the organization, with the person locked.
        photo: whose; its consent to `likeness` stands.
        likeness: what the encoder in use made of it.
    """
    replaced = photo.likeness_id
    photo.likeness_id = vault().keep(session, likeness).id
    session.flush()
    if replaced is not None:
        vault().delete(session, [replaced])


def forget_likeness(session: Session, member_id: UUID) -> None:
    """Delete the embeddings of a member's faces and what comparing them found: the consent was taken back.

    A photo that waited for its person to say that it is them goes as a whole: nothing would keep somebody
    else's face from their headshot any more.
    """
    locks.person(session, member_id)
    held = session.scalars(select(Photo).where(Photo.member_id == member_id)).all()
    vault().delete(session, [photo.likeness_id for photo in held if photo.likeness_id is not None])
    ending = doubted(session, member_id)
    for photo in held:
        photo.likeness_id = None
    photos.delete(session, ending, actor=audit.SYSTEM, reason="unconfirmed")
    session.flush()
