"""`intake`: check an uploaded photo and replace it by a copy without metadata; again once its person is known."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from PIL import Image
from sqlalchemy.orm import Session

from compliance import consent
from core import locks
from core.checks.advice import Issue
from core.checks.verdict import Finding, Verdict
from core.consent import ConsentRequired, Purpose, ValidConsent
from core.errors import AppError
from core.logs import logger
from core.models import Kind, Member, Photo
from core.observe import metrics
from core.portraits import photos, verdicts
from core.settings import settings
from core.style.spec import StyleSpec
from core.vault import ArtifactGone, Held, Sealed, vault
from workers.pipeline.assignment import crop_of
from workers.pipeline.judgement import judge
from workers.process.runner import JobRun, Permanent
from workers.vision.check import examine
from workers.vision.full_resolution import kept
from workers.vision.geometry import Pixels
from workers.vision.likeness import Embedding, embed, strangers

PREVIEW_SIDE = 480  # pixels: sharp in a list of thumbnails on a phone with three pixels a point
SCENE_SIDE = 1280  # pixels: where people look for themselves among others
# Nearly lossless, so that the copy that headshots are made from is as good as the original.
KEPT_QUALITY = 96
PREVIEW_QUALITY = 82
_LOOKS = 2  # what fails twice on one photo lies in the photo


class _Seen(NamedTuple):
    verdict: Verdict
    stripped: bytes | None  # JPEG
    preview: bytes | None  # JPEG
    likeness: Embedding | None


def run(job: JobRun) -> None:
    """Judge the photo, keep it stripped of every metadata field (GPS above all), delete the original.

    When the person has said which of several faces is theirs, the kept copy is judged again for that face.
    """
    with job.step() as session:
        photo = session.get_one(Photo, job.subject_id)
        pending = photo.checked_at is None and photo.removed_at is None
        if pending:
            member_id = photo.member_id
            agreed = consent.require(session, member_id)
            held = vault().find(session, photo.artifact_id)
            subject, first = photo.subject, photo.verdict is None
            style = crop_of(session, photo.participation_id)
    if not pending:
        with job.finish():
            return
    content = vault().open(held)
    try:
        seen = _look(content, agreed, style, subject, first=first)
    except AppError:
        raise
    except Exception as error:
        if job.attempt < _LOOKS:
            raise
        logger().error("photo_check_failed", photo=str(job.subject_id), exc_info=error)
        raise Permanent(Issue.CHECK_FAILED) from error
    made = _seal(job, member_id, seen)
    compared = _Compared(job.org_id, member_id)
    if made.likeness is not None and seen.likeness is not None:
        compared.known[made.likeness.id] = seen.likeness
    while True:
        try:
            with job.finish() as session:
                agreed = _record(session, job, seen, made, compared, subject)
        except _Unread as unread:
            compared.read(unread.kept, unread.agreed)
        else:
            break
    if made.likeness is not None and not agreed.covers(Purpose.LIKENESS):
        vault().discard(made.likeness)  # taken back meanwhile
    compared.tidy()
    _count(seen.verdict)


def _record(
    session: Session,
    job: JobRun,
    seen: _Seen,
    made: _Made,
    compared: _Compared,
    subject: tuple[float, float] | None,
) -> ValidConsent:
    photo = session.get_one(Photo, job.subject_id)
    locks.person(session, photo.member_id)
    # Asked again under the lock: who takes the consent back meanwhile leaves no embedding behind.
    agreed = consent.require(session, photo.member_id)
    compare = agreed.covers(Purpose.LIKENESS)
    verdicts.record_verdict(
        session,
        photo,
        seen.verdict.model_dump(mode="json"),
        stripped=made.stripped,
        preview=made.preview,
        subject=subject,
        likeness=made.likeness if compare else None,
        check_failed=any(one.code is Issue.CHECK_FAILED for one in seen.verdict.issues),
    )
    if compare:
        compared.mark(session, photo.participation_id, agreed)
    return agreed


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Say on the photo that it could not be checked, so that nobody waits and the others can be sent.

    It is kept for another check, unless its person has taken back what permits that, or nothing of it is left.
    """
    photo = session.get(Photo, subject_id)
    if photo is None or session.get_one(Member, photo.member_id).erased_at is not None:
        return
    verdict = Verdict.refused(Issue.CHECK_FAILED).model_dump(mode="json")
    lost = code in (ConsentRequired.code, ArtifactGone.code)
    verdicts.record_verdict(
        session, photo, verdict, stripped=None, subject=photo.subject, check_failed=not lost
    )
    metrics.PHOTO_CHECKS.labels("failed").inc()


def _count(verdict: Verdict) -> None:
    """Tell how checks end, over all people together."""
    outcome = "asks" if verdict.asks else "accepted" if verdict.accepted else "rejected"
    metrics.PHOTO_CHECKS.labels(outcome).inc()
    for finding in verdict.issues:
        metrics.PHOTO_ISSUES.labels(finding.code).inc()


def _look(
    content: bytes,
    agreed: ValidConsent,
    style: StyleSpec | None,
    subject: tuple[float, float] | None,
    *,
    first: bool,
) -> _Seen:
    limits = settings()
    found = judge(
        content,
        agreed,
        style=style,
        subject=subject,
        max_bytes=limits.upload_max_bytes,
        max_pixels=limits.upload_max_pixels,
    )
    stripped = small = likeness = None
    if found.place is not None:
        picture = kept(content, found)
        if first:
            stripped = _jpeg(picture, KEPT_QUALITY)
        several = found.verdict.asks is not None or subject is not None
        small = _jpeg(picture, PREVIEW_QUALITY, SCENE_SIDE if several else PREVIEW_SIDE)
    if (
        found.verdict.accepted
        and found.pixels is not None
        and found.face is not None
        and agreed.covers(Purpose.LIKENESS)
    ):
        likeness = embed(found.pixels, found.face, agreed, by_all=True)
    return _Seen(found.verdict, stripped, small, likeness)


class _Made(NamedTuple):
    """What lies in the storage, and has no row until the verdict is recorded."""

    stripped: Sealed | None
    preview: Sealed | None
    likeness: Sealed | None


def _seal(job: JobRun, member_id: UUID, seen: _Seen) -> _Made:
    def put(content: bytes | None, kind: Kind) -> Sealed | None:
        if content is None:
            return None
        return vault().seal(job.org_id, content, kind=kind, media_type="image/jpeg", member_id=member_id)

    return _Made(
        put(seen.stripped, Kind.PHOTO),
        put(seen.preview, Kind.PREVIEW),
        None if seen.likeness is None else _sealed(job.org_id, member_id, seen.likeness),
    )


class _Kept(NamedTuple):
    """A photo of the person whose embedding is kept."""

    likeness: Held
    photo: Held
    subject: tuple[float, float] | None


class _Unread(Exception):
    """Embeddings that have to be read from the storage before the transaction is done again."""

    def __init__(self, kept: Sequence[_Kept], agreed: ValidConsent) -> None:
        super().__init__()
        self.kept = kept
        self.agreed = agreed


class _Compared:
    """Looks whether one photo of a person shows somebody else; a new photo can change what is said of others.

    All embeddings of the person have to be there under their lock, and another worker may have kept one since. One of
    another encoder than the one in use is never compared: it is made anew from its photo.
    """

    def __init__(self, org_id: UUID, member_id: UUID) -> None:
        self._org_id, self._member_id = org_id, member_id
        # By their artifacts; `None` where no face is found any more.
        self.known: dict[UUID, Embedding | None] = {}
        self._anew: dict[UUID, Sealed] = {}
        self._used: set[UUID] = set()

    def read(self, wanted: Sequence[_Kept], agreed: ValidConsent) -> None:
        """Read embeddings, and make those anew that cannot be compared."""
        for one in wanted:
            embedding: Embedding | None = Embedding.from_bytes(vault().open(one.likeness))
            if embedding is not None and not embedding.is_current:
                seen = examine(vault().open(one.photo), agreed, subject=one.subject)
                embedding = None
                if seen.pixels is not None and seen.face is not None:
                    embedding = embed(seen.pixels, seen.face, agreed, by_all=True)
                    self._anew[one.likeness.id] = _sealed(self._org_id, self._member_id, embedding)
            self.known[one.likeness.id] = embedding

    def mark(self, session: Session, participation_id: UUID, agreed: ValidConsent) -> None:
        """Say on photos what comparing found.

        Raises:
            _Unread: an embedding is missing.
        """
        compared: dict[str, Embedding] = {}
        unread: list[_Kept] = []
        self._used.clear()
        for photo in photos.of_participation(session, participation_id):
            if photo.likeness_id is None:
                continue
            if photo.likeness_id not in self.known:
                likeness = vault().find(session, photo.likeness_id)
                unread.append(_Kept(likeness, vault().find(session, photo.artifact_id), photo.subject))
                continue
            known = self.known[photo.likeness_id]
            if known is not None:
                compared[str(photo.id)] = known
            if photo.likeness_id in self._anew:
                self._used.add(photo.likeness_id)
                verdicts.replace_likeness(session, photo, self._anew[photo.likeness_id])
        if unread:
            raise _Unread(unread, agreed)
        finding = Finding.of(Issue.MAY_BE_SOMEONE_ELSE).model_dump(mode="json")
        verdicts.mark_strangers(session, participation_id, strangers(compared), finding)

    def tidy(self) -> None:
        """Let go of what was made anew and is not kept, because photo or consent went meanwhile."""
        for replaced, sealed in self._anew.items():
            if replaced not in self._used:
                vault().discard(sealed)


def _sealed(org_id: UUID, member_id: UUID, embedding: Embedding) -> Sealed:
    return vault().seal(
        org_id, embedding.to_bytes(), kind=Kind.LIKENESS, media_type="application/json", member_id=member_id
    )


def _jpeg(pixels: Pixels, quality: int, side: int | None = None) -> bytes:
    """Encode sRGB pixels afresh; a picture made from pixels has no metadata to carry over."""
    picture = Image.fromarray(pixels)
    if side is not None:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=quality, subsampling=0 if side is None else 2)
    return target.getvalue()
