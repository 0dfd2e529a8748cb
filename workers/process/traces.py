"""The trace of one delivery of work: it goes on from whoever owed the work."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from core.db import Lookup, transaction
from core.models import Outbox
from core.observe import tracing


def traced(perform: Callable[[str, UUID | None], None]) -> Callable[..., None]:
    """Return `perform` with a span around it; asks the database nothing where tracing is off."""

    @wraps(perform)
    def performed(outbox_id: str, org_id: UUID | None = None) -> None:
        if not tracing.is_on():
            perform(outbox_id, org_id)
            return
        name, parent = _begun(UUID(outbox_id))
        with tracing.span(f"job {name}", parent=parent, **{"headshots.outbox": outbox_id}):
            perform(outbox_id, org_id)

    return performed


def _begun(outbox_id: UUID) -> tuple[str, str | None]:
    """Return the work's name and the trace it belongs to; a database that is away is the work's matter."""
    try:
        found = Lookup.outbox(outbox_id)
        if found is None:
            return "done before", None
        org_id, name = found
        with transaction(org_id) as session:
            return name, session.get_one(Outbox, outbox_id).traceparent
    except DBAPIError:
        return "unknown", None
