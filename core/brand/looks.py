"""The company's look: pictures that HR gives for a style, the model that learns from them, and their end.

A look belongs to the versions of a style that refer to it. Its pictures never change: other ones make a
look of their own, for a new version where a shoot uses this one. So what a shoot uses stays as it is, until
the look is removed; then it is gone everywhere.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from PIL import Image
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit, progress
from core.brand import pictures, styles
from core.clock import now
from core.db import organization_of
from core.errors import AppError, Conflict, InvalidInput, NotFound
from core.ids import new_id
from core.models import Adapter, AdapterKind, Kind, Look, Style
from core.portraits import adapters
from core.queue import JobName, enqueue
from core.vault import vault
from core.words import N_

LEAST: Final = 5  # fewer teach the people on them instead of the light that they share
MOST: Final = 40  # at 650 steps each is then seen sixteen times; more would be seen too seldom to count
SMALLEST_SIDE: Final = 512  # px; less than this teaches the base to be unsharp
LARGEST_SIDE: Final = 1600  # px; a training picture has at most 1,120
_one_at_a_time = threading.Lock()  # 40 megapixels take half a gigabyte while they are decoded


_LONGEST: Final = 3.0  # times as long as wide: kept at `LARGEST_SIDE`, the short side has `SMALLEST_SIDE`


class NewerVersion(Conflict):
    """A look is for a style's newest version: an earlier one is on no page and in no further shoot."""

    code = "newer_version"


class RightsUnconfirmed(InvalidInput):
    """Nobody said that the company may use the pictures."""

    code = "rights_unconfirmed"


class Standing(StrEnum):
    """How far a look is."""

    LEARNING = "learning"
    LEARNED = "learned"
    FAILED = "failed"


@dataclass(frozen=True)
class Refused:
    """A file that was left out, by its place in the upload, and why."""

    number: int
    error: AppError


class PicturesUnusable(InvalidInput):
    """Too few or too many pictures came; nothing was kept. `refused` are the files that could not be used."""

    code = "look_pictures_unusable"

    def __init__(self, message: str, refused: tuple[Refused, ...] = (), **details: str | int) -> None:
        super().__init__(message, **details)
        self.refused = refused


@dataclass(frozen=True)
class Readable:
    """What of an upload can be used, as JPEGs, and what cannot."""

    usable: tuple[bytes, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True)
class Given:
    """What became of an upload."""

    style: Style  # a new version where a shoot uses the one that it was for
    look: Look
    refused: tuple[Refused, ...]


@dataclass(frozen=True)
class Work:
    """What the worker that learns a look needs; keys are ids."""

    pictures: list[tuple[str, bytes]]
    seed: int
    checkpoint: bytes | None


def read(files: Sequence[bytes], *, rights: bool) -> Readable:
    """Decode an upload, one picture at a time; takes seconds, so it is done before any transaction.

    Args:
        files: `LEAST` to `MOST` pictures, as they were uploaded.
        rights: whether the company may use them and everyone on them agreed.

    Raises:
        RightsUnconfirmed: `rights` was not given; no file was read.
        PicturesUnusable: too many, or too few that can be used.
    """
    if not rights:
        raise RightsUnconfirmed(
            N_("Please confirm that you may use these pictures. Without that none is kept."), field="rights"
        )
    if len(files) > MOST:
        raise PicturesUnusable(
            N_("These are %(count)s pictures. Please choose the best %(most)s."),
            count=len(files),
            most=MOST,
            field="pictures",
        )
    usable: list[bytes] = []
    refused: list[Refused] = []
    seen: list[Image.Image] = []
    for number, content in enumerate(files, 1):
        try:
            jpeg = _jpeg(content)
            seen.append(_new_sketch(jpeg, seen))
            usable.append(jpeg)
        except pictures.PictureUnusable as error:
            refused.append(Refused(number, error))
    if len(usable) < LEAST:
        raise PicturesUnusable(
            N_("A look needs at least %(least)s pictures, and %(usable)s can be used. Nothing was kept."),
            tuple(refused),
            least=LEAST,
            usable=len(usable),
            field="pictures",
        )
    return Readable(tuple(usable), tuple(refused))


def give(session: Session, style: Style, readable: Readable, *, actor: audit.Actor) -> Given:
    """Keep pictures as the look of a style and let it be learned.

    Args:
        session: bound to the organization.
        style: its newest version; where a shoot uses it, a further one gets the look.
        readable: what `read` found, which demands that the rights were confirmed.
        actor: who confirmed them.

    Raises:
        NewerVersion: the style has a later version, were it made a moment ago.
    """
    # A shoot may begin to use it at this moment, and whoever pressed twice comes a second time. Rows that
    # refer to a style lock its key, which this lock leaves free: what workers keep does not wait.
    session.refresh(style, with_for_update={"key_share": True})
    if not styles.is_newest(session, style):
        raise NewerVersion(
            N_("This style has a newer version. Open that one and give it your pictures; nothing was kept.")
        )
    if style.locked_at is not None:
        style = styles.save(session, style.parsed, style=style, actor=actor)
    before, style.look_id = style.look_id, None
    session.flush()
    if before is not None:
        _end_unused(session, before)
    kept = [
        vault().put(session, jpeg, kind=Kind.STYLE_PICTURE, media_type="image/jpeg", member_id=None)
        for jpeg in readable.usable
    ]
    look = Look(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        pictures=[str(one.id) for one in kept],
    )
    session.add(look)
    session.flush()
    style.look_id = look.id
    session.flush()
    audit.record(
        session,
        audit.Tag.STYLE_RIGHTS_CONFIRMED,
        actor=actor,
        style=str(style.id),
        look=str(look.id),
        pictures=len(kept),
    )
    _owe(session, look)
    return Given(style, look, readable.refused)


def of(session: Session, style: Style) -> Look | None:
    """Return a style's look; `None` where it has none or it was removed."""
    look = session.get(Look, style.look_id) if style.look_id is not None else None
    return look if look is not None and look.ended_at is None else None


def standing(look: Look) -> Standing:
    """Return how far a look is."""
    if look.adapter_id is not None:
        return Standing.LEARNED
    return Standing.FAILED if look.failure_code is not None else Standing.LEARNING


def picture(session: Session, style: Style, artifact_id: UUID) -> bytes:
    """Return one of the JPEGs that a style's look was learned from.

    Raises:
        NotFound: the style's look has no such picture.
    """
    look = of(session, style)
    if look is None or str(artifact_id) not in look.pictures:
        raise NotFound("This picture does not exist.")
    return vault().get(session, artifact_id)


def begin(session: Session, look_id: UUID) -> Work | None:
    """Return what there is to learn; `None` for a look that was removed, or is learned."""
    look = session.get_one(Look, look_id)
    if look.ended_at is not None or look.adapter_id is not None:
        return None
    return Work(
        pictures=[(key, vault().get(session, UUID(key))) for key in look.pictures],
        seed=int.from_bytes(look.id.bytes[12:]),
        checkpoint=vault().get(session, look.checkpoint_id) if look.checkpoint_id is not None else None,
    )


def has_ended(session: Session, look_id: UUID) -> bool:
    """Whether a look was removed, were it a moment ago."""
    return session.scalars(select(Look.ended_at).where(Look.id == look_id)).one() is not None


def keep_checkpoint(session: Session, look_id: UUID, content: bytes) -> None:
    """Seal where learning stands, in place of where it stood before; nothing of a look that was removed."""
    look = _locked(session, look_id)
    if look.ended_at is None:
        _drop_checkpoint(session, look)
        look.checkpoint_id = _sealed(session, Kind.CHECKPOINT, content)
        session.flush()


def store(
    session: Session,
    look_id: UUID,
    content: bytes,
    *,
    base: str,
    revision: str,
    rank: int,
    steps: int,
    seed: int,
    seconds: float,
    watt_hours: float | None,
) -> None:
    """Seal what was learned; nothing of a look that was removed meanwhile.

    Args:
        session: bound to the organization.
        look_id: what it learned.
        content: the weights, safetensors.
        base: name of the base it was trained on.
        revision: of the base; another one must refuse it.
        rank: of the low-rank matrices.
        steps: that it took.
        seed: with which it was trained.
        seconds: that training took.
        watt_hours: that training took, where they could be measured.
    """
    look = _locked(session, look_id)
    if look.ended_at is not None:
        return
    _drop_checkpoint(session, look)
    _drop_adapter(session, look)
    adapter = Adapter(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        kind=AdapterKind.STYLE,
        # The version that the pictures were given for; later ones share it through their look.
        style_id=session.scalar(select(Style.id).where(Style.look_id == look.id).order_by(Style.id).limit(1)),
        artifact_id=_sealed(session, Kind.ADAPTER, content),
        base=base,
        revision=revision,
        rank=rank,
        steps=steps,
        seed=seed,
        photos=look.pictures,
        curve=[],
        seconds=seconds,
        watt_hours=watt_hours,
    )
    session.add(adapter)
    session.flush()
    look.adapter_id, look.failure_code = adapter.id, None
    session.flush()
    audit.record(
        session,
        audit.Tag.STYLE_TRAINED,
        actor=audit.SYSTEM,
        style=str(adapter.style_id),
        look=str(look.id),
        adapter=str(adapter.id),
        base=base,
        steps=steps,
        pictures=len(look.pictures),
    )


def learned(session: Session, style: Style) -> tuple[Adapter, bytes] | None:
    """Return what knows a style's look, with its weights; `None` where nothing does (yet)."""
    look = of(session, style)
    if look is None or look.adapter_id is None:
        return None
    adapter = session.get_one(Adapter, look.adapter_id)
    return adapter, vault().get(session, adapter.artifact_id)


def learn_again(session: Session, style: Style, adapter_id: UUID) -> None:
    """End an adapter for a base that nobody runs any more, and learn the look anew; a second call does nothing."""
    look = _locked(session, style.look_id) if style.look_id is not None else None
    if look is not None and look.adapter_id == adapter_id:
        _drop_adapter(session, look)
        _owe(session, look)


def try_again(session: Session, style: Style) -> None:
    """Learn a look that could not be learned once more; does nothing for any other."""
    look = _locked(session, style.look_id) if style.look_id is not None else None
    if look is not None and look.ended_at is None and standing(look) is Standing.FAILED:
        look.failure_code = None
        _owe(session, look)


def fail(session: Session, look_id: UUID, code: str) -> None:
    """Note that a look could not be learned; nobody waits for it, so nothing else is lost."""
    look = _locked(session, look_id)
    if look.ended_at is None and look.adapter_id is None:
        _drop_checkpoint(session, look)
        look.failure_code = code[:64]
        session.flush()


def remove(session: Session, style: Style, *, actor: audit.Actor) -> None:
    """Destroy a style's look, its pictures and whatever learned from them, for every version that has it.

    A shoot that uses it goes on without. Does nothing for a style without a look.
    """
    look = of(session, style)
    if look is None:
        return
    # First the styles, then the look: `give` locks in this order too.
    session.execute(
        select(Style.id).where(Style.look_id == look.id).order_by(Style.id).with_for_update(key_share=True)
    )
    if _locked(session, look.id).ended_at is not None:
        return
    session.execute(update(Style).where(Style.look_id == look.id).values(look_id=None))
    objects = _end(session, look)
    audit.record(
        session,
        audit.Tag.STYLE_LOOK_REMOVED,
        actor=actor,
        style=str(style.id),
        look=str(look.id),
        objects=objects,
    )


def _jpeg(content: bytes) -> bytes:
    with _one_at_a_time:
        jpeg = pictures.jpeg(content, LARGEST_SIDE)
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        short, long = sorted(picture.size)
    if long > _LONGEST * short:
        raise pictures.PictureUnusable(
            N_("This picture is more than three times as long as wide. Please cut it to the portrait.")
        )
    if short < SMALLEST_SIDE:
        raise pictures.PictureUnusable(
            N_("This picture is less than %(least)s pixels wide or high."), least=SMALLEST_SIDE
        )
    return jpeg


def _new_sketch(jpeg: bytes, seen: Sequence[Image.Image]) -> Image.Image:
    """Return a picture's sketch, if there is something to learn from it that `seen` does not show already."""
    drawn = pictures.sketch(jpeg)
    if pictures.is_flat(drawn):
        raise pictures.PictureUnusable(N_("There is nothing to see in this picture."))
    if any(pictures.is_same(drawn, one) for one in seen):
        raise pictures.PictureUnusable(N_("This is the same picture as one before it."))
    return drawn


def _owe(session: Session, look: Look) -> None:
    progress.report(look.id, "queued_gpu", 0.0)
    enqueue(session, JobName.TRAIN_STYLE, look.id)


def _locked(session: Session, look_id: UUID) -> Look:
    session.flush()  # or what the caller has changed would be read over
    return session.get_one(Look, look_id, with_for_update=True, populate_existing=True)


def _sealed(session: Session, kind: Kind, content: bytes) -> UUID:
    return vault().put(session, content, kind=kind, media_type=adapters.MEDIA_TYPE, member_id=None).id


def _drop_checkpoint(session: Session, look: Look) -> int:
    over, look.checkpoint_id = look.checkpoint_id, None
    session.flush()
    vault().delete(session, [over] if over is not None else [])
    return int(over is not None)


def _drop_adapter(session: Session, look: Look) -> int:
    over, look.adapter_id = look.adapter_id, None
    session.flush()
    if over is None:
        return 0
    vault().delete(session, [session.get_one(Adapter, over).artifact_id])
    return 1


def _end_unused(session: Session, look_id: UUID) -> None:
    if session.scalar(select(Style.id).where(Style.look_id == look_id).limit(1)) is None:
        _end(session, _locked(session, look_id))


def _end(session: Session, look: Look) -> int:
    """Destroy everything of a look; return how many objects that were."""
    objects = _drop_checkpoint(session, look) + _drop_adapter(session, look) + len(look.pictures)
    vault().delete(session, [UUID(one) for one in look.pictures])
    look.pictures, look.ended_at = [], now()
    session.flush()
    return objects
