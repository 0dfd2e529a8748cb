"""Processors who were told of a request, and when they answered (Art. 19 GDPR; 11 CCR § 7022)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from compliance.requests import moves
from core import audit
from core.clock import now, rfc3339
from core.errors import InvalidInput
from core.models import SubjectRequest
from core.words import N_


def tell(session: Session, row: SubjectRequest, name: str, *, actor: audit.Actor) -> None:
    """Note that a processor was told; telling the same one again changes nothing.

    Raises:
        InvalidInput: no name was given.
    """
    if not name:
        raise InvalidInput(N_("Name the processor first. Nothing was changed."))
    if any(one["name"] == name for one in row.processors):
        return
    row.processors = [*row.processors, {"name": name, "notified_at": rfc3339(now()), "answered_at": None}]
    moves.note(session, row, "processor_told", actor=actor, number=len(row.processors))


def answer(session: Session, row: SubjectRequest, name: str, *, actor: audit.Actor) -> None:
    """Note that a processor has answered; once is enough.

    Raises:
        InvalidInput: nobody of this name was told.
    """
    waiting = [one for one in row.processors if one["name"] == name and one["answered_at"] is None]
    if not waiting:
        raise InvalidInput(N_("No processor of this name waits for an answer. Nothing was changed."))
    number = row.processors.index(waiting[0])
    row.processors = [
        {**one, "answered_at": rfc3339(now())} if place == number else one
        for place, one in enumerate(row.processors)
    ]
    moves.note(session, row, "processor_answered", actor=actor, number=number + 1)
