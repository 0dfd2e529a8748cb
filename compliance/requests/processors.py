"""Processors who were told of a request, and when they answered (Art. 19 GDPR; 11 CCR § 7022).

Their names are typed by hand and may be somebody's, so they lie with the request's sealed words; the row has the times.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from compliance.requests import moves, words
from core import audit
from core.clock import now, rfc3339
from core.errors import InvalidInput
from core.models import SubjectRequest
from core.words import N_


def tell(session: Session, row: SubjectRequest, name: str, *, actor: audit.Actor) -> None:
    """Note that a processor was told; telling the same one again changes nothing.

    Raises:
        InvalidInput: no name was given.
        NotAllowed: the request was answered already.
    """
    if not name:
        raise InvalidInput(N_("Name the processor first. Nothing was changed."))
    if row.state in moves.OVER:
        raise moves.NotAllowed(moves.ELSEWHERE)
    said = words.read(row)
    if name in said.told:
        return
    # Those from before names were sealed have none.
    unnamed = [""] * (len(row.processors) - len(said.told))
    words.put(row, replace(said, told=[*said.told, *unnamed, name]))
    row.processors = [*row.processors, {"notified_at": rfc3339(now()), "answered_at": None}]
    moves.note(session, row, "processor_told", actor=actor, number=len(row.processors))


def answer(session: Session, row: SubjectRequest, number: int, *, actor: audit.Actor) -> None:
    """Note that a processor has answered; once is enough.

    Args:
        session: bound to the organization.
        row: the request.
        number: which of those who were told, from 1.
        actor: who notes it.

    Raises:
        InvalidInput: none of this number was told, or it has answered.
    """
    if not 1 <= number <= len(row.processors) or row.processors[number - 1]["answered_at"] is not None:
        raise InvalidInput(N_("No such processor waits for an answer. Nothing was changed."))
    row.processors = [
        {**one, "answered_at": rfc3339(now())} if place == number else one
        for place, one in enumerate(row.processors, 1)
    ]
    moves.note(session, row, "processor_answered", actor=actor, number=number)
