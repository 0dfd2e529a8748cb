"""A worker that is told to stop: what it has at hand is nobody's death, even where the worker is killed before it is done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from core.db import transaction
from core.logs import logger
from core.models import Outbox

_at_hand: dict[UUID, UUID] = {}  # outbox id → organization
_told = threading.Event()


@contextmanager
def at_hand(outbox_id: UUID, org_id: UUID) -> Iterator[None]:
    """Know that the block does this work."""
    _at_hand[outbox_id] = org_id
    try:
        yield
    finally:
        del _at_hand[outbox_id]


def is_told() -> bool:
    """Whether this worker was told to stop, so that it begins nothing more."""
    return _told.is_set()


def told() -> None:
    """Note, from a signal's handler, that this worker was told to stop; the work goes on meanwhile."""
    _told.set()
    for outbox_id, org_id in list(_at_hand.items()):
        # In a thread of its own: the handler may stand in the middle of the work's own transaction.
        threading.Thread(target=_excuse, args=(outbox_id, org_id), name="leaving", daemon=True).start()


def _excuse(outbox_id: UUID, org_id: UUID) -> None:
    try:
        with transaction(org_id) as session:
            row = session.get_one(Outbox, outbox_id, with_for_update={"key_share": True})
            if row.done_at is None and row.failed_at is None:
                row.started_at = None
    except SQLAlchemyError as error:
        logger().warning("leaving_not_noted", outbox=str(outbox_id), exc_info=error)
