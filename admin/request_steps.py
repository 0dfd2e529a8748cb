"""The steps that can be taken with a request, as its page's forms say them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from compliance.requests import answers, clocks, desk, letters, moves, processors
from compliance.requests.desk import Extension, Proof
from compliance.requests.refusals import Basis
from core.audit import Actor
from core.errors import InvalidInput
from core.models import Member, Right, Stage, SubjectRequest

CORRECTED = {"first_name": 80, "last_name": 80, "employee_id": 64, "department": 120}
# What HR can have checked itself; that somebody signed in or had a code is noted where it happens.
BY_HR = (Proof.KNOWN, Proof.DOCUMENT, Proof.MANDATE)
E = TypeVar("E", bound=StrEnum)


def possible(session: Session, row: SubjectRequest) -> dict[str, tuple[str, str] | None]:
    """Return the steps that can be taken now, each with subject and text of the mail that it owes."""
    restricted = row.type == Right.RESTRICTION and row.member_id is not None
    if (
        row.decision == Stage.FULFILLED
        and restricted
        and session.get_one(Member, row.member_id).restricted_at
    ):
        return {"unrestrict": letters.preview(session, row, letters.UNRESTRICTED)}
    if row.state in moves.OVER:
        return {"lift": letters.preview(session, row, "lifted")} if moves.is_held(row) else {}
    found: dict[str, tuple[str, str] | None] = {}
    for step, to in (
        ("acknowledge", Stage.ACKNOWLEDGED),
        ("prove", Stage.VERIFYING),
        ("start", Stage.IN_PROGRESS),
        ("cancel", Stage.CANCELLED),
    ):
        if moves.why_not(row, to) is None and not (step == "start" and row.state == Stage.HELD):
            found[step] = letters.preview(session, row, to)
    if not row.verified and row.state != Stage.RECEIVED and row.type not in clocks.STOPS:
        found["verify"] = None
    if row.state == Stage.IN_PROGRESS:
        if row.type == Right.RECTIFICATION and row.member_id is not None:
            found["correct"] = None
        found["fulfil"] = letters.preview(session, row, Stage.FULFILLED)
        if row.type == Right.ERASURE and row.member_id is not None and not moves.is_held(row):
            found["hold"] = letters.preview(session, row, Stage.HELD)
    if moves.is_held(row):
        found["lift"] = letters.preview(session, row, "lifted")
    if row.proposed is not None:
        found["confirm"] = letters.preview(session, row, row.proposed)
        found["drop"] = None
    elif Stage.DENIED in moves.MOVES[Stage(row.state)]:
        found["refuse"] = None
    if desk.may_extend(session, row):
        found["extend"] = letters.preview(session, row, "extended")
    found["tell"] = None
    return found


def _refuse(session: Session, row: SubjectRequest, actor: Actor) -> None:
    decision, basis = one_of(Stage, "decision", form=True), one_of(Basis, "basis", form=True)
    if decision is None or basis is None:
        raise InvalidInput(_("Choose the reason first. Nothing was changed."))
    desk.propose_refusal(session, row, decision, basis, actor=actor)


def _correct(session: Session, row: SubjectRequest, actor: Actor) -> None:
    names = {name: text(name, most) for name, most in CORRECTED.items()}
    answers.correct(session, row, names, actor=actor)


def _verify(session: Session, row: SubjectRequest, actor: Actor) -> None:
    proof = one_of(Proof, "proof", form=True)
    if proof is None or proof not in BY_HR:
        raise InvalidInput(_("Say how it was checked who asks. Nothing was changed."))
    desk.note_proof(session, row, proof, actor=actor)


def _extend(session: Session, row: SubjectRequest, actor: Actor) -> None:
    reason = one_of(Extension, "reason", form=True)
    if reason is None:
        raise InvalidInput(_("Choose the reason first. Nothing was changed."))
    desk.extend(session, row, reason, actor=actor)


def _hold(session: Session, row: SubjectRequest, actor: Actor) -> None:
    basis = one_of(Basis, "basis", form=True)
    if basis is None:
        raise InvalidInput(_("Choose the reason first. Nothing was changed."))
    desk.hold(session, row, basis, actor=actor)


STEPS: dict[str, Callable[[Session, SubjectRequest, Actor], None]] = {
    "acknowledge": lambda session, row, actor: desk.acknowledge(session, row, actor=actor),
    "prove": lambda session, row, actor: desk.ask_for_proof(session, row, actor=actor, said=_said()),
    "verify": _verify,
    "start": lambda session, row, actor: desk.start(session, row, actor=actor),
    "extend": _extend,
    "hold": _hold,
    "lift": lambda session, row, actor: desk.lift(session, row, actor=actor),
    "fulfil": lambda session, row, actor: answers.fulfil(session, row, actor=actor, said=_said()),
    "refuse": _refuse,
    "drop": lambda session, row, actor: desk.withdraw_proposal(session, row, actor=actor),
    "confirm": lambda session, row, actor: desk.confirm_refusal(
        session, row, _proposal(), actor=actor, said=_said()
    ),
    "correct": _correct,
    "unrestrict": lambda session, row, actor: answers.unrestrict(session, row, actor=actor),
    "cancel": lambda session, row, actor: desk.cancel(session, row, actor=actor),
    "tell": lambda session, row, actor: processors.tell(session, row, text("processor", 80), actor=actor),
    "told": lambda session, row, actor: processors.answer(session, row, _number(), actor=actor),
}


def _proposal() -> UUID | None:
    given = request.form.get("proposal", "")
    try:
        return UUID(given)
    except ValueError:
        return None  # which is none that waits


def _number() -> int:
    given = request.form.get("processor", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 6 else 0


def _said() -> str:
    return text("said", letters.MOST_LETTERS)


def text(name: str, most: int) -> str:
    """Return a text of the form.

    Raises:
        InvalidInput: it is longer than `most` letters.
    """
    given = request.form.get(name, "").strip()
    if len(given) > most:
        raise InvalidInput(
            _("This text is too long: at most %(most)s letters. Nothing was changed.", most=most)
        )
    return given


def one_of(kind: type[E], name: str, *, form: bool = False) -> E | None:
    """Return a choice of the form, or of the address; `None` where none was made.

    Raises:
        InvalidInput: there is no such choice.
    """
    given = (request.form if form else request.args).get(name, "")
    try:
        return kind(given) if given else None
    except ValueError as error:
        raise InvalidInput(_("This choice does not exist. Please go back and try again.")) from error
