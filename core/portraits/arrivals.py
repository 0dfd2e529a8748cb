"""Photos on their way: pieces are sealed as they come, so that a lost connection costs one of them and not all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import locks
from core.clock import now
from core.consent import Purpose, ValidConsent
from core.db import organization_of
from core.errors import InvalidInput, TooManyRequests
from core.ids import new_id
from core.models import Arrival, Artifact, Kind, Participation
from core.vault import Held, Sealed, vault

MOST: Final = 20  # unfinished at once, as many as there may be photos (`core.portraits.photos`)
LEAST_BYTES: Final = 65_536  # of a piece that is not the last: each is an object of its own
# Of one person, pieces and photos that are deleted but still stored: a purge takes seconds, and six of the largest
# photos may come in that time.
MOST_UNPURGED: Final = 250_000_000  # bytes


class StillPurging(TooManyRequests):
    """What was removed is still being deleted; what comes after has to wait for that."""

    code = "still_purging"


@dataclass(frozen=True)
class Piece:
    """What a piece is to the file that it belongs to.

    Attributes:
        received: how many bytes are here from the beginning on, without it.
        follows: whether it goes on where they end; another one changes nothing.
        is_last: whether the file is whole with it.
        before: where the pieces before the last one lie.
        photo_id: the photo's to be: photos are numbered in the order in which they began to arrive, not in that in
            which they were complete.
    """

    received: int
    follows: bool
    is_last: bool = False
    before: tuple[Held, ...] = ()
    photo_id: UUID | None = None


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
        StillPurging: too much of what the person removed is still stored.
    """
    consent.demand(Purpose.PHOTO)
    known = _known(session, participation, upload_key)
    received = known.received if known is not None else 0
    if at != received:
        return Piece(received, follows=False)
    last = at + length == size
    if at + length > size or (length < LEAST_BYTES and not last):
        raise InvalidInput("This piece of a photo does not fit. Please choose the photo again.")
    if last:
        before = [vault().find(session, UUID(one)) for one in known.pieces] if known is not None else []
        return Piece(received, True, True, tuple(before), known.id if known is not None else new_id())
    if _unpurged(session, participation.member_id) > MOST_UNPURGED:
        raise StillPurging(
            "What you removed is still being deleted. Your photo goes on by itself in a moment."
        )
    return Piece(received, follows=True)


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


def _unpurged(session: Session, member_id: UUID) -> int:
    """Return the bytes of pieces and photos of a person that nobody can read any more, but that are still stored."""
    waiting = select(func.coalesce(func.sum(Artifact.size), 0)).where(
        Artifact.member_id == member_id,
        Artifact.kind.in_((Kind.PIECE, Kind.PHOTO)),
        Artifact.delete_requested_at.is_not(None),
        Artifact.destroyed_at.is_(None),
    )
    return int(session.scalar(waiting) or 0)


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
