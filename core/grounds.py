"""Why stored files end: said once, by the verb that decides it, and noted with each file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_KEY: Final = "headshots.ended_because"


class Ground(StrEnum):
    """Why a file ended."""

    RETENTION = "retention"  # its time was over, as the company promised
    WITHDRAWAL = "withdrawal"  # a consent that it rests on was taken back, or the person declined
    PERSON = "person"  # its person removed it
    RESTORED = "restored"  # a restored backup had brought it back
    ERASURE = "erasure"  # everything about its person ended; a certificate says so
    WORK = "work"  # another took its place, or it was of no use any more


@contextmanager
def because(session: Session, ground: Ground) -> Iterator[None]:
    """Have everything that ends in the block end for this reason; the outermost counts.

    Removing a photo in the sweep is retention, and ending what was trained on it too: who called first knows why.
    """
    first = _KEY not in session.info
    session.info.setdefault(_KEY, ground)
    try:
        yield
    finally:
        if first:
            del session.info[_KEY]


def ground_of(session: Session) -> Ground:
    """Return why what ends now ends."""
    found: Ground = session.info.get(_KEY, Ground.WORK)
    return found
