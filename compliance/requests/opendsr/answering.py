"""What is said of a request to the program that asked it, and telling it of its own accord when that changes."""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from compliance import erasure
from compliance.requests.opendsr import exchange
from compliance.requests.opendsr.exchange import Known
from compliance.requests.opendsr.signing import Signer
from core import outside
from core.clock import rfc3339
from core.errors import AppError
from core.models import Stage

_OK: Final = range(200, 300)


class NotTold(AppError):
    """A program did not take what was told to it."""

    code = "opendsr_not_told"
    status = 502


def state(known: Known, domain: str) -> dict[str, Any]:
    """Return how far a request is.

    The extension says what the specification has no word for: whether it was met in part or refused, and the proof
    of an erasure. What was asked for goes to the person alone, so there is no `results_url`.
    """
    row = known.row
    decided = row.decision if row.decided_at is not None else None
    more = {
        "decision": decided,
        "decided_at": rfc3339(row.decided_at) if row.decided_at else None,
        "refused_because": row.basis if decided in (Stage.DENIED, Stage.PARTLY) else None,
        "deletion_receipt": erasure.receipt_of(row.erasure_id) if row.erasure_id is not None else None,
    }
    return {
        "api_version": exchange.VERSION,
        "controller_id": known.link.domain,
        "subject_request_id": str(known.link.subject_request_id),
        "request_status": known.status,
        "expected_completion_time": rfc3339(row.due_at),
        "extensions": {domain: {name: value for name, value in more.items() if value is not None}},
    }


def callbacks(session: Session, request_id: UUID, domain: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Return a request's status and what each address is told of it; nothing where that was told, or nobody asks."""
    known = exchange.of_request(session, request_id)
    if known is None or known.link.told == known.status:
        return "", []
    said = state(known, domain)
    return known.status, [
        (url, json.dumps({**said, "status_callback_url": url}).encode()) for url in known.link.callbacks
    ]


def tell(url: str, content: bytes, signer: Signer) -> None:
    """Tell one address.

    Raises:
        NotTold: it could not be reached, or did not take it.
    """
    try:
        status = outside.post(url, content, signer.headers(content))
    except outside.NotReached:
        raise NotTold("The address of a status callback could not be reached.") from None
    if status not in _OK:
        raise NotTold("The address of a status callback did not take it.")


def told(session: Session, request_id: UUID, status: str) -> None:
    """Note that every address was told."""
    known = exchange.of_request(session, request_id)
    if known is not None:
        known.link.told = status
        session.flush()
