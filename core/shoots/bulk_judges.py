"""To whom something is done among many, and to whom not: asked the same way before and during."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from core.models import MailState, Member, Role, State
from core.shoots.bulk import Kind, Outcome
from core.shoots.reminders import REMINDABLE

# Nothing is agreed to yet, so that one's place in a shoot can be in another; unless a shoot was closed on them, and opened again.
MOVABLE: Final = (State.INVITED, State.OPENED, State.EXPIRED)


@dataclass(frozen=True)
class Candidate:
    """One person, and what decides whether something is done to them.

    Attributes:
        headshots: What `core.portraits.restyling` says of theirs, where it is about that.
    """

    member_id: UUID
    role: str
    disabled_at: datetime | None
    restricted_at: datetime | None
    erased_at: datetime | None
    participation_id: UUID | None
    state: State | None
    reminders_ended_at: datetime | None
    mail_state: str | None
    shoot_id: UUID | None
    is_closed: bool
    is_withdrawn: bool
    is_recent: bool
    is_in_target: bool
    has_begun: bool
    headshots: Outcome = Outcome.NO_HEADSHOT


def judge(kind: Kind, one: Candidate) -> Outcome:
    """Return whether something is done to a person, or why not."""
    if one.erased_at is not None:
        return Outcome.GONE
    return _JUDGES[kind](one)


def judge_erasure(member: Member) -> Outcome:
    """Return whether a person is erased among many, or why not: who works in these pages is erased one by one."""
    if member.erased_at is not None:
        return Outcome.GONE
    return _erasable(member)


def _erasable(one: Candidate | Member) -> Outcome:
    return Outcome.DONE if one.role == Role.EMPLOYEE else Outcome.STAFF


def _reachable(one: Candidate) -> Outcome | None:
    if one.disabled_at is not None:
        return Outcome.ACCESS_OFF
    return Outcome.RESTRICTED if one.restricted_at is not None else None


def _invitable(one: Candidate) -> Outcome:
    return _reachable(one) or (Outcome.ALREADY_THERE if one.is_in_target else Outcome.DONE)


def _invited(one: Candidate) -> Outcome | None:
    """Return why nothing can be done about a person's place in a shoot."""
    if one.state is None:
        return Outcome.NOT_INVITED
    if one.is_closed:
        return Outcome.SHOOT_CLOSED
    if one.state is State.DECLINED:
        return Outcome.DECLINED
    if one.state not in REMINDABLE:
        return Outcome.FINISHED
    return Outcome.WITHDRAWN if one.is_withdrawn else None


def _remindable(one: Candidate) -> Outcome:
    if (no := _reachable(one) or _invited(one)) is not None:
        return no
    if one.reminders_ended_at is not None:
        return Outcome.NO_REMINDERS
    if one.mail_state == MailState.BOUNCED:  # as with everybody of a shoot: only by name
        return Outcome.BOUNCED
    return Outcome.RECENT if one.is_recent else Outcome.DONE


def _withdrawable(one: Candidate) -> Outcome:
    return _invited(one) or Outcome.DONE


def _movable(one: Candidate) -> Outcome:
    if (no := _reachable(one) or _invited(one)) is not None:
        return no
    if one.is_in_target:
        return Outcome.ALREADY_THERE
    return Outcome.DONE if one.state in MOVABLE and not one.has_begun else Outcome.BEGUN


def _restylable(one: Candidate) -> Outcome:
    if (no := _reachable(one)) is not None:
        return no
    if one.state is None:
        return Outcome.NOT_INVITED
    if one.is_closed:
        return Outcome.SHOOT_CLOSED
    return Outcome.DECLINED if one.state is State.DECLINED else one.headshots


_JUDGES: Final[Mapping[Kind, Callable[[Candidate], Outcome]]] = {
    Kind.INVITE: _invitable,
    Kind.REMIND: _remindable,
    Kind.WITHDRAW: _withdrawable,
    Kind.MOVE: _movable,
    Kind.RESTYLE: _restylable,
    Kind.ERASE: _erasable,
}
