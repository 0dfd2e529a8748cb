"""Learning a look: what the worker gets, keeps half done, and brings back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.brand import looks
from core.clock import now
from core.db import organization_of
from core.ids import new_id
from core.models import Adapter, AdapterKind, Look, Style
from core.vault import Held, Sealed, vault


@dataclass(frozen=True)
class Work:
    """What the worker that learns a look needs; keys are ids."""

    pictures: list[tuple[str, Held]]
    seed: int
    checkpoint: Held | None


def begin(session: Session, look_id: UUID) -> Work | None:
    """Return what there is to learn; `None` for a look that was removed, or is learned."""
    look = session.get_one(Look, look_id)
    if look.ended_at is not None or look.adapter_id is not None:
        return None
    return Work(
        pictures=[(key, vault().find(session, UUID(key))) for key in look.pictures],
        seed=int.from_bytes(look.id.bytes[12:]),
        checkpoint=vault().find(session, look.checkpoint_id) if look.checkpoint_id is not None else None,
    )


def has_ended(session: Session, look_id: UUID) -> bool:
    """Whether a look was removed, were it a moment ago."""
    return session.scalars(select(Look.ended_at).where(Look.id == look_id)).one() is not None


def keep_checkpoint(session: Session, look_id: UUID, sealed: Sealed) -> None:
    """Keep where learning stands, in place of where it stood before; nothing of a look that was removed."""
    look = looks.locked(session, look_id)
    if look.ended_at is None:
        looks.drop_checkpoint(session, look)
        look.checkpoint_id = vault().keep(session, sealed).id
        session.flush()


def store(
    session: Session,
    look_id: UUID,
    sealed: Sealed,
    *,
    base: str,
    revision: str,
    rank: int,
    steps: int,
    seed: int,
    seconds: float,
    watt_hours: float | None,
) -> None:
    """Keep what was learned; nothing of a look that was removed meanwhile.

    Args:
        session: bound to the organization.
        look_id: what it learned.
        sealed: the weights, safetensors, as `core.portraits.adapters.seal` made them.
        base: name of the base it was trained on.
        revision: of the base; another one must refuse it.
        rank: of the low-rank matrices.
        steps: that it took.
        seed: with which it was trained.
        seconds: that training took.
        watt_hours: that training took, where they could be measured.
    """
    look = looks.locked(session, look_id)
    if look.ended_at is not None:
        return
    looks.drop_checkpoint(session, look)
    looks.drop_adapter(session, look)
    adapter = Adapter(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        kind=AdapterKind.STYLE,
        # The version that the pictures were given for; later ones share it through their look.
        style_id=session.scalar(select(Style.id).where(Style.look_id == look.id).order_by(Style.id).limit(1)),
        artifact_id=vault().keep(session, sealed).id,
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


def learned(session: Session, style: Style) -> tuple[Adapter, Held] | None:
    """Return what knows a style's look, and where its weights lie; `None` where nothing does (yet)."""
    look = looks.of(session, style)
    if look is None or look.adapter_id is None:
        return None
    adapter = session.get_one(Adapter, look.adapter_id)
    return adapter, vault().find(session, adapter.artifact_id)


def learn_again(session: Session, style: Style, adapter_id: UUID) -> None:
    """End an adapter for a base that nobody runs any more, and learn the look anew; a second call does nothing."""
    look = looks.locked(session, style.look_id) if style.look_id is not None else None
    if look is not None and look.adapter_id == adapter_id:
        looks.drop_adapter(session, look)
        looks.owe(session, look)


def fail(session: Session, look_id: UUID, code: str) -> None:
    """Note that a look could not be learned; nobody waits for it, so nothing else is lost."""
    look = looks.locked(session, look_id)
    if look.ended_at is None and look.adapter_id is None:
        looks.drop_checkpoint(session, look)
        look.failure_code = code[:64]
        session.flush()
