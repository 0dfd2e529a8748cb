"""Photos on their way: pieces are sealed as they come, so that a lost connection costs one of them and not all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import locks
from core.clock import now
from core.consent import Purpose, ValidConsent
from core.db import organization_of
from core.errors import InvalidInput
from core.ids import new_id
from core.models import Arrival, Kind, Participation
from core.vault import Held, Sealed, vault

MOST: Final = 20  # unfinished at once, as many as there may be photos (`core.portraits.photos`)
LEAST_BYTES: Final = 65_536  # of a piece that is not the last: each is an object of its own


@dataclass(frozen=True)
class Piece:
    """What a piece is to the file that it belongs to.

    Attributes:
        received: how many bytes are here from the beginning on, without it.
        follows: whether it goes on where they end; another one changes nothing.
        is_last: whether the file is whole with it.
        before: where the pieces before the last one lie.
    """

    received: int
    follows: bool
    is_last: bool = False
    before: tuple[Held, ...] = ()


def look(
    session: Session,
    participation: Participation,
    length: int,
    *,
    upload_key: str,
    at: int,
    size: int,
    consent: ValidConsent,
) -> Piece:
    """Return what a piece of a photo is, before it is sealed.

    Args:
        session: bound to the organization.
        participation: whose photo it is.
        length: of the piece, bytes.
        upload_key: chosen by the browser for this one file.
        at: where in the file it begins, bytes.
        size: of the file, bytes.
        consent: proof that the person agreed to `photo`.

    Raises:
        ConsentRequired: `photo` was not agreed to.
        InvalidInput: it is too small, or reaches beyond the end.
    """
    consent.demand(Purpose.PHOTO)
    known = _known(session, participation, upload_key)
    received = known.received if known is not None else 0
    if at != received:
        return Piece(received, follows=False)
    last = at + length == size
    if at + length > size or (length < LEAST_BYTES and not last):
        raise InvalidInput("This piece of a photo does not fit. Please choose the photo again.")
    before = known.pieces if last and known is not None else []
    return Piece(received, True, last, tuple(vault().find(session, UUID(one)) for one in before))


def seal(org_id: UUID, member_id: UUID, content: bytes) -> Sealed:
    """Seal a piece, before the transaction that adds it."""
    return vault().seal(
        org_id, content, kind=Kind.PIECE, media_type="application/octet-stream", member_id=member_id
    )


def add(
    session: Session,
    participation: Participation,
    sealed: Sealed,
    *,
    upload_key: str,
    at: int,
    consent: ValidConsent,
) -> int:
    """Keep a sealed piece; return how many bytes are here now. One that does not follow on them changes nothing."""
    consent.demand(Purpose.PHOTO)
    locks.person(session, participation.member_id)
    known = _known(session, participation, upload_key)
    received = known.received if known is not None else 0
    if at != received:
        return received
    piece = vault().keep(session, sealed)
    if known is None:
        end(session, of_participation(session, participation.id)[MOST - 1 :])
        known = Arrival(
            id=new_id(),
            org_id=organization_of(session),
            created_at=now(),
            participation_id=participation.id,
            member_id=participation.member_id,
            upload_key=upload_key,
            pieces=[],
            received=0,
        )
        session.add(known)
    known.pieces = [*known.pieces, str(piece.id)]
    known.received = at + sealed.size
    session.flush()
    return known.received


def _known(session: Session, participation: Participation, upload_key: str) -> Arrival | None:
    return session.scalar(
        select(Arrival).where(Arrival.participation_id == participation.id, Arrival.upload_key == upload_key)
    )


def of_participation(session: Session, participation_id: UUID) -> Sequence[Arrival]:
    """Return what has arrived in part, newest first."""
    return session.scalars(
        select(Arrival).where(Arrival.participation_id == participation_id).order_by(Arrival.id.desc())
    ).all()


def forget(session: Session, participation: Participation, upload_key: str) -> None:
    """Delete what has arrived of one file; nothing is fine."""
    locks.person(session, participation.member_id)
    found = of_participation(session, participation.id)
    end(session, [one for one in found if one.upload_key == upload_key])


def forget_all(session: Session, member_id: UUID) -> None:
    """Delete what has arrived in part from a member; the caller has locked them."""
    end(session, session.scalars(select(Arrival).where(Arrival.member_id == member_id)).all())


def forget_old(session: Session, limit: datetime, members: Sequence[UUID]) -> None:
    """Delete what began to arrive before `limit` from members whom the caller has locked."""
    old = select(Arrival).where(Arrival.created_at < limit, Arrival.member_id.in_(members))
    end(session, session.scalars(old).all())


def end(session: Session, arrivals: Sequence[Arrival]) -> None:
    """Delete rows and pieces."""
    vault().delete(session, [UUID(piece) for one in arrivals for piece in one.pieces])
    for one in arrivals:
        session.delete(one)
    session.flush()
