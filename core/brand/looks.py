"""The company's look: pictures that HR gives for a style, the model that learns from them, and their end.

A look belongs to the versions of a style that refer to it. Its pictures never change: other ones make a
look of their own, for a new version where a shoot uses this one. So what a shoot uses stays as it is, until
the look is removed; then it is gone everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit, progress
from core.brand import look_pictures, styles
from core.clock import now
from core.db import organization_of
from core.errors import Conflict, NotFound
from core.ids import new_id
from core.models import Adapter, Kind, Look, Style
from core.queue import JobName, enqueue
from core.vault import Held, Sealed, vault
from core.words import N_


class NewerVersion(Conflict):
    """A look is for a style's newest version: an earlier one is on no page and in no further shoot."""

    code = "newer_version"


class Standing(StrEnum):
    """How far a look is."""

    LEARNING = "learning"
    LEARNED = "learned"
    FAILED = "failed"


@dataclass(frozen=True)
class Given:
    """What became of an upload."""

    style: Style  # a new version where a shoot uses the one that it was for
    look: Look
    refused: tuple[look_pictures.Refused, ...]


def seal(org_id: UUID, readable: look_pictures.Readable) -> list[Sealed]:
    """Seal the usable pictures, before the transaction that gives them to a style."""
    return [
        vault().seal(org_id, jpeg, kind=Kind.STYLE_PICTURE, media_type="image/jpeg", member_id=None)
        for jpeg in readable.usable
    ]


def give(
    session: Session,
    style: Style,
    readable: look_pictures.Readable,
    sealed: Sequence[Sealed],
    *,
    actor: audit.Actor,
) -> Given:
    """Keep pictures as the look of a style and let it be learned.

    Args:
        session: bound to the organization.
        style: its newest version; where a shoot uses it, a further one gets the look.
        readable: what `core.brand.look_reading.read` found; the rights to them were confirmed.
        sealed: what `seal` made of them.
        actor: who confirmed them.

    Raises:
        NewerVersion: the style has a later version, were it made a moment ago.
    """
    # A shoot may begin to use it at this moment, and whoever pressed twice comes a second time. Rows that
    # refer to a style lock its key, which this lock leaves free: what workers keep does not wait.
    session.refresh(style, with_for_update={"key_share": True})
    demand_newest(session, style)
    if style.locked_at is not None:
        style = styles.save(session, style.parsed, style=style, actor=actor)
    before, style.look_id = style.look_id, None
    session.flush()
    if before is not None:
        _end_unused(session, before)
    kept = [vault().keep(session, one) for one in sealed]
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
    owe(session, look)
    return Given(style, look, readable.refused)


def demand_newest(session: Session, style: Style) -> None:
    """Refuse pictures for a version that is no style's newest.

    Raises:
        NewerVersion: the style has a later version.
    """
    if not styles.is_newest(session, style):
        raise NewerVersion(
            N_("This style has a newer version. Open that one and give it your pictures; nothing was kept.")
        )


def of(session: Session, style: Style) -> Look | None:
    """Return a style's look; `None` where it has none or it was removed."""
    look = session.get(Look, style.look_id) if style.look_id is not None else None
    return look if look is not None and look.ended_at is None else None


def standing(look: Look) -> Standing:
    """Return how far a look is."""
    if look.adapter_id is not None:
        return Standing.LEARNED
    return Standing.FAILED if look.failure_code is not None else Standing.LEARNING


def picture(session: Session, style: Style, artifact_id: UUID) -> Held:
    """Return where one of the JPEGs lies that a style's look was learned from.

    Raises:
        NotFound: the style's look has no such picture.
    """
    look = of(session, style)
    if look is None or str(artifact_id) not in look.pictures:
        raise NotFound("This picture does not exist.")
    return vault().find(session, artifact_id)


def try_again(session: Session, style: Style) -> None:
    """Learn a look that could not be learned once more; does nothing for any other."""
    look = locked(session, style.look_id) if style.look_id is not None else None
    if look is not None and look.ended_at is None and standing(look) is Standing.FAILED:
        look.failure_code = None
        owe(session, look)


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
    if locked(session, look.id).ended_at is not None:
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


def owe(session: Session, look: Look) -> None:
    """Let a look be learned."""
    progress.report(look.id, "queued_gpu", 0.0)
    enqueue(session, JobName.TRAIN_STYLE, look.id)


def locked(session: Session, look_id: UUID) -> Look:
    """Return a look, locked until the transaction ends."""
    session.flush()  # or what the caller has changed would be read over
    return session.get_one(Look, look_id, with_for_update={"key_share": True}, populate_existing=True)


def drop_checkpoint(session: Session, look: Look) -> int:
    """Destroy where learning stood; return how many objects that were."""
    over, look.checkpoint_id = look.checkpoint_id, None
    session.flush()
    vault().delete(session, [over] if over is not None else [])
    return int(over is not None)


def drop_adapter(session: Session, look: Look) -> int:
    """Destroy what was learned; return how many objects that were."""
    over, look.adapter_id = look.adapter_id, None
    session.flush()
    if over is None:
        return 0
    vault().delete(session, [session.get_one(Adapter, over).artifact_id])
    return 1


def _end_unused(session: Session, look_id: UUID) -> None:
    if session.scalar(select(Style.id).where(Style.look_id == look_id).limit(1)) is None:
        _end(session, locked(session, look_id))


def _end(session: Session, look: Look) -> int:
    """Destroy everything of a look; return how many objects that were."""
    objects = drop_checkpoint(session, look) + drop_adapter(session, look) + len(look.pictures)
    vault().delete(session, [UUID(one) for one in look.pictures])
    look.pictures, look.ended_at = [], now()
    session.flush()
    return objects
