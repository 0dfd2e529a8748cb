"""Pictures that somebody sends, from the sealed original to what a worker makes of it.

No web process decodes them: a small file can take gigabytes. It looks at their size and their first bytes,
seals them and owes the job `pictures`; until that has kept or refused them, whatever they are to replace stays.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from core import locks, progress
from core.clock import now
from core.db import organization_of, transaction
from core.errors import AppError, NotFound, Unavailable
from core.ids import new_id
from core.models import Kind, Member, Upload, Use
from core.people import organizations
from core.queue import JobName, enqueue
from core.vault import Sealed, vault
from core.words import N_

WAIT_SECONDS: Final = 15.0  # how long a page stays silent: a worker that is free has judged a picture in one
_ASK_EVERY_SECONDS: Final = 0.1
STEP: Final = "pictures"  # of `core.progress`


class Standing(StrEnum):
    """How far an upload is."""

    CHECKING = "checking"
    KEPT = "kept"
    REFUSED = "refused"


class Refusal(BaseModel):
    """Why pictures, or one of them, were not kept: an error's code, and its text for whoever shows it."""

    model_config = ConfigDict(frozen=True)

    code: str
    text: str  # English, the key of its translation
    values: dict[str, Any] = {}  # for its blanks
    number: int | None = None  # of the picture, in the order of the upload

    @classmethod
    def of(cls, error: AppError, number: int | None = None) -> Refusal:
        """Return it from the error that a worker ran into."""
        return cls(code=error.code, text=error.template, values=error.details, number=number)


class CheckFailed(AppError):
    """The check itself did not work; it says nothing about the picture."""

    code = "check_failed"
    status = 500

    def __init__(self, reason: str) -> None:
        super().__init__(
            N_("This picture could not be checked; that was not its fault. Please send it again."),
            reason=reason,
        )


class StillChecking(Unavailable):
    """No worker has come to it yet."""

    code = "still_checking"


def seal(org_id: UUID, use: Use, files: Sequence[tuple[bytes, str]], *, sender_id: UUID) -> list[Sealed]:
    """Seal pictures as they came, before the transaction that receives them.

    Args:
        org_id: the organization.
        use: what they are for.
        files: content and media type of each, which the caller has glanced at.
        sender_id: who sends them; a picture of one's own is sealed with one's own key.
    """
    owner_id = sender_id if use is Use.OWN_PICTURE else None
    return [
        vault().seal(org_id, content, kind=Kind.UPLOAD, media_type=media_type, member_id=owner_id)
        for content, media_type in files
    ]


def receive(
    session: Session,
    use: Use,
    sealed: Sequence[Sealed],
    *,
    sender: Member,
    subject_id: UUID | None = None,
) -> Upload:
    """Keep sealed pictures and owe their check; an earlier upload that they replace ends unseen.

    Args:
        session: bound to the organization.
        use: what they are for.
        sealed: what `seal` made of them.
        sender: who sends them.
        subject_id: of a picture of one's own the participation, of a look the style's version.
    """
    _lock(session, use, sender.id)
    if use is not Use.BACKDROP:  # of those, each is in a form of its own
        end(session, use, sender_id=sender.id, subject_id=subject_id)
    originals = [vault().keep(session, one) for one in sealed]
    upload = Upload(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        use=use,
        member_id=sender.id,
        subject_id=subject_id,
        originals=[str(one.id) for one in originals],
        left_out=[],
    )
    session.add(upload)
    session.flush()
    progress.report(upload.id, STEP, 0.0)
    enqueue(session, JobName.PICTURES, upload.id)
    return upload


def get(session: Session, upload_id: UUID) -> Upload:
    """Return an upload.

    Raises:
        NotFound: there is none of this id, or a day has passed.
    """
    upload = session.get(Upload, upload_id)
    if upload is None:
        raise NotFound("This picture does not exist any more. Please choose it again.")
    return upload


def newest(
    session: Session, use: Use, *, sender_id: UUID | None = None, subject_id: UUID | None = None
) -> Upload | None:
    """Return the last upload for a use: of one person's own picture, of one style's look, or of the company."""
    return session.scalar(_sent(use, sender_id, subject_id).limit(1))


def standing(upload: Upload) -> Standing:
    """Return how far an upload is."""
    if upload.checked_at is None:
        return Standing.CHECKING
    return Standing.KEPT if upload.result_id is not None else Standing.REFUSED


def open_again(session: Session, upload_id: UUID) -> Upload | None:
    """Return an upload to be judged, locked before what it changes; `None` where it was judged or has ended."""
    found = session.get(Upload, upload_id)
    if found is None:
        return None
    _lock(session, Use(found.use), found.member_id)
    found = session.get(Upload, upload_id, populate_existing=True)
    return found if found is not None and found.checked_at is None else None


def keep(session: Session, upload: Upload, result_id: UUID, left_out: Sequence[Refusal] = ()) -> None:
    """Note what came of an upload, and destroy the originals."""
    upload.result_id = result_id
    upload.left_out = [one.model_dump(mode="json") for one in left_out]
    _settle(session, upload)


def refuse(session: Session, upload: Upload, error: AppError, left_out: Sequence[Refusal] = ()) -> None:
    """Note why nothing came of an upload, and destroy the originals; what they were to replace stays."""
    upload.refusal = Refusal.of(error).model_dump(mode="json")
    upload.left_out = [one.model_dump(mode="json") for one in left_out]
    _settle(session, upload)


def end(session: Session, use: Use, *, sender_id: UUID | None = None, subject_id: UUID | None = None) -> None:
    """Forget the uploads for a use, judged or not: something else was chosen meanwhile; none is fine."""
    forget(session, session.scalars(_sent(use, sender_id, subject_id)).all())


def wait(org_id: UUID, use: Use, upload_id: UUID, seconds: float = WAIT_SECONDS) -> UUID:
    """Return what came of an upload, as soon as it was judged; for a page that cannot go on without.

    Args:
        org_id: whose it is; no transaction is open meanwhile.
        use: what it is for.
        upload_id: the upload.
        seconds: how long to wait for it.

    Raises:
        AppError: why it was refused.
        StillChecking: the time is over; the upload stays as it is.
        NotFound: there is none of this id for this use, or a day has passed.
    """
    until = time.monotonic() + seconds
    while True:
        with transaction(org_id) as session:
            upload = get(session, upload_id)
            if upload.use != use:
                raise NotFound(N_("This picture does not exist any more. Please choose it again."))
            if upload.result_id is not None:
                return upload.result_id
            if upload.refusal is not None:
                raise refused(upload)
        if time.monotonic() >= until:
            raise StillChecking(
                N_("Your picture is still being checked. It is safe: try again in a moment."),
                upload=str(upload_id),
            )
        time.sleep(_ASK_EVERY_SECONDS)


class PictureRefused(AppError):
    """A worker could not use the picture; text and code are those of what it ran into."""

    code = "picture_refused"
    status = 422


def refused(upload: Upload) -> PictureRefused:
    """Return why an upload was refused, to be raised or shown."""
    refusal = Refusal.model_validate(upload.refusal)
    return PictureRefused(refusal.text, **{"reason": refusal.code, **refusal.values})


def forget(session: Session, over: Sequence[Upload]) -> None:
    """Delete uploads, judged or not: what came of them lies elsewhere."""
    vault().delete(session, [UUID(one) for upload in over for one in upload.originals])
    for upload in over:
        session.delete(upload)
    session.flush()


def _sent(use: Use, sender_id: UUID | None, subject_id: UUID | None) -> Select[Upload]:
    """Select uploads, the last one first; of one's own pictures those of one shoot, or all."""
    found = select(Upload).where(Upload.use == use).order_by(Upload.id.desc())
    if use is Use.OWN_PICTURE:
        found = found.where(Upload.member_id == sender_id)
        if subject_id is not None:
            found = found.where(Upload.subject_id == subject_id)
    if use is Use.LOOK:
        # Where a shoot uses the version that they were given for, a further one has them.
        found = found.where(or_(Upload.subject_id == subject_id, Upload.result_id == subject_id))
    return found


def _settle(session: Session, upload: Upload) -> None:
    vault().delete(session, [UUID(one) for one in upload.originals])
    upload.originals = []
    upload.checked_at = now()
    session.flush()


def _lock(session: Session, use: Use, sender_id: UUID) -> None:
    """Lock whom or what the upload will change, in the order of `core.locks`."""
    if use is Use.OWN_PICTURE:
        locks.person(session, sender_id)
    else:
        session.refresh(organizations.current(session), with_for_update={"key_share": True})
