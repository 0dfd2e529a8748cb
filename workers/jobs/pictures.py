"""`pictures`: judge what somebody sent for a brand, or in place of a headshot, and keep it encoded anew."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID

from PIL import Image
from sqlalchemy.orm import Session

from core import audit, progress, uploads
from core.brand import brands, look_reading, looks, pictures, styles
from core.brand.look_pictures import PicturesUnusable, Readable
from core.errors import AppError
from core.models import Alternative, Member, Participation, State, Upload, Use
from core.portraits import avatars
from core.settings import settings
from core.shoots import participations
from core.uploads import Refusal
from core.vault import Sealed, vault
from workers.process.runner import JobRun
from workers.vision.decode import decode

OWN_PICTURE_SIDE: Final = 2048  # px; more than any directory shows
OWN_PICTURE_QUALITY: Final = 92


def run(job: JobRun) -> None:
    """Decode, one picture at a time, and put the result in its place, or say why nothing came of it.

    An upload that has ended meanwhile, or was judged by an earlier delivery, is let be.
    """
    with job.step() as session:
        found = session.get(Upload, job.subject_id)
        originals = [UUID(one) for one in found.originals] if found is not None else []
        use = Use(found.use) if found is not None else None
        member_id = found.member_id if found is not None else None
    made: Any = None
    refused: AppError | None = None
    if use is not None and originals:
        make, _put = _USES[use]
        try:
            made = make(_each(job, originals), _Owner(job.org_id, member_id))
        except AppError as error:
            if error.status >= 500 or error.status == 410:  # not about the picture: the runner knows
                raise
            refused = error
    with job.finish() as session:
        upload = uploads.open_again(session, job.subject_id)
        if upload is None:
            return
        if refused is not None:
            uploads.refuse(session, upload, refused, _left_out(refused))
            return
        _make, put = _USES[Use(upload.use)]
        put(session, upload, made)


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Say that it was not the picture's fault."""
    upload = uploads.open_again(session, subject_id)
    if upload is not None:
        uploads.refuse(session, upload, uploads.CheckFailed(code))


def _each(job: JobRun, originals: list[UUID]) -> Iterator[bytes]:
    for number, artifact_id in enumerate(originals):
        progress.report(job.subject_id, uploads.STEP, number / len(originals))
        with job.step() as session:
            held = vault().find(session, artifact_id)
        yield vault().open(held)


def _left_out(error: AppError) -> list[Refusal]:
    return (
        [Refusal.of(one.error, one.number) for one in error.refused]
        if isinstance(error, PicturesUnusable)
        else []
    )


class _Owner(NamedTuple):
    """Whose the pictures are that are sealed."""

    org_id: UUID
    member_id: UUID | None


def _own_picture(files: Iterator[bytes], owner: _Owner) -> Sealed:
    limits = settings()
    decoded = decode(
        next(files),
        max_bytes=limits.upload_max_bytes,
        max_pixels=limits.upload_max_pixels,
        working_side=OWN_PICTURE_SIDE,
    )
    target = io.BytesIO()
    Image.fromarray(decoded.pixels).save(target, "JPEG", quality=OWN_PICTURE_QUALITY, optimize=True)
    return avatars.seal_own_picture(owner.org_id, owner.member_id, target.getvalue())


def _put_own_picture(session: Session, upload: Upload, sealed: Sealed) -> None:
    participation = session.get_one(Participation, upload.subject_id)
    if participation.state != State.DECLINED:  # the person decided otherwise meanwhile
        uploads.forget(session, [upload])
        return
    kept = avatars.keep_own_picture(session, session.get_one(Member, upload.member_id), sealed)
    participations.stand_in(session, participation, Alternative.OWN_PICTURE)
    uploads.keep(session, upload, kept.id)


def _logo(files: Iterator[bytes], owner: _Owner) -> Sealed:
    return brands.seal_logo(owner.org_id, pictures.logo_png(next(files)))


def _put_logo(session: Session, upload: Upload, sealed: Sealed) -> None:
    uploads.keep(session, upload, brands.replace_logo(session, sealed, actor=_sender(session, upload)))


def _backdrop(files: Iterator[bytes], owner: _Owner) -> Sealed:
    return styles.seal_picture(owner.org_id, pictures.jpeg(next(files)))


def _put_backdrop(session: Session, upload: Upload, sealed: Sealed) -> None:
    uploads.keep(session, upload, vault().keep(session, sealed).id)


def _look(files: Iterator[bytes], owner: _Owner) -> tuple[Readable, list[Sealed]]:
    readable = look_reading.read(files)
    return readable, looks.seal(owner.org_id, readable)


def _put_look(session: Session, upload: Upload, made: tuple[Readable, list[Sealed]]) -> None:
    assert upload.subject_id is not None
    readable, sealed = made
    try:
        style = styles.get(session, upload.subject_id)
        given = looks.give(session, style, readable, sealed, actor=_sender(session, upload))
    except AppError as error:  # the style was deleted, or has a newer version
        uploads.refuse(session, upload, error)
        return
    left_out = [Refusal.of(one.error, one.number) for one in readable.refused]
    uploads.keep(session, upload, given.style.id, left_out)


def _sender(session: Session, upload: Upload) -> audit.Actor:
    return audit.actor_for(session.get_one(Member, upload.member_id))


# For each use: what is made of the files and sealed, outside of any transaction, and where it is put.
_USES: Final[
    dict[Use, tuple[Callable[[Iterator[bytes], _Owner], Any], Callable[[Session, Upload, Any], None]]]
] = {
    Use.OWN_PICTURE: (_own_picture, _put_own_picture),
    Use.LOGO: (_logo, _put_logo),
    Use.BACKDROP: (_backdrop, _put_backdrop),
    Use.LOOK: (_look, _put_look),
}
