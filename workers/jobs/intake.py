"""`intake`: check an uploaded photo and replace it by a copy without metadata."""

from __future__ import annotations

import io

from PIL import Image

from compliance import consent
from core.models import Photo
from core.services import photos
from core.settings import settings
from core.vault import vault
from workers.runner import JobRun
from workers.vision.check import examine
from workers.vision.geometry import Pixels

PREVIEW_SIDE = 480  # pixels: sharp in a list of thumbnails on a phone with three pixels a point
# Nearly lossless, so that the copy that headshots are made from is as good as the original.
KEPT_QUALITY = 96
PREVIEW_QUALITY = 82


def run(job: JobRun) -> None:
    """Judge the photo, keep it stripped of every metadata field (GPS above all), delete the original."""
    with job.read() as session:
        photo = session.get_one(Photo, job.subject_id)
        pending = photo.checked_at is None and photo.removed_at is None
        if pending:
            agreed = consent.require(session, photo.member_id)
            content = vault().get(session, photo.artifact_id)
    if not pending:
        with job.finish():
            return
    limits = settings()
    found = examine(content, agreed, max_bytes=limits.upload_max_bytes, max_pixels=limits.upload_max_pixels)
    kept = small = None
    if found.pixels is not None:
        kept = _jpeg(found.pixels, KEPT_QUALITY)
        small = _jpeg(found.pixels, PREVIEW_QUALITY, PREVIEW_SIDE)
    with job.finish() as session:
        photo = session.get_one(Photo, job.subject_id)
        consent.require(session, photo.member_id)
        photos.record_verdict(
            session, photo, found.verdict.model_dump(mode="json"), stripped=kept, preview=small
        )


def _jpeg(pixels: Pixels, quality: int, side: int | None = None) -> bytes:
    """Encode sRGB pixels afresh; a picture made from pixels has no metadata to carry over."""
    picture = Image.fromarray(pixels)
    if side is not None:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=quality, subsampling=0 if side is None else 2)
    return target.getvalue()
