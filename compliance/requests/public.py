"""Requests of people without an account: a code shows whose address it is, and what they know who they are.

Nobody learns here whether somebody is known. How sure it has to be depends on what is asked for (11 CCR §§ 7060–7062):
two right details where a mistake harms little, three and a declaration where pictures and records are handed over.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from compliance.log.alarm import plain
from compliance.requests import desk, letters, moves, words
from compliance.requests.clocks import STOPS
from compliance.requests.desk import Proof
from compliance.requests.words import Words
from core import audit
from core.clock import now
from core.errors import Gone, InvalidInput
from core.mail.message import Mail
from core.models import Channel, Member, Right, Stage, SubjectRequest
from core.people import members, organizations
from core.queue import JobName, enqueue
from core.vault import derive
from core.words import N_

VALID: Final = timedelta(hours=1)
MOST_TRIES: Final = 5
DIGITS: Final = 8


class Tier(StrEnum):
    """How sure it has to be who asks."""

    NONE = "none"
    REASONABLE = "reasonable"
    HIGH = "reasonably_high"


POINTS: Final = {Tier.NONE: 0, Tier.REASONABLE: 2, Tier.HIGH: 3}


class CodeOver(Gone):
    """The code is too old, was used, or was guessed at too often."""

    code = "request_code_over"

    def __init__(self) -> None:
        super().__init__(N_("This code does not work any more. Nothing was sent: please begin again."))


class WrongCode(InvalidInput):
    """It is another code."""

    code = "request_code_wrong"

    def __init__(self) -> None:
        super().__init__(N_("That is not the code of the newest mail. Please look again."))


def tier_of(right: Right) -> Tier:
    """Return how sure it has to be for what is asked."""
    if right in STOPS:
        return Tier.NONE
    return Tier.HIGH if right in (Right.ACCESS, Right.PORTABILITY) else Tier.REASONABLE


def ask(session: Session, right: Right, asked: Words, *, agent: bool, language: str) -> UUID:
    """Owe a code to the address of whoever asks; the same is done for every address.

    The time for an answer counts from here.
    """
    channel = Channel.AGENT if agent else Channel.PUBLIC_FORM
    row = desk.unconfirmed(session, right, channel, language=language)
    words.put(row, asked)
    row.tier = tier_of(right)
    session.add(row)
    session.flush()
    enqueue(session, JobName.REQUEST_CODE, row.id)
    return row.id


def mail(session: Session, request_id: UUID) -> Mail | None:
    """Return the mail with the code; `None` where nobody waits for it any more."""
    row = session.get(SubjectRequest, request_id)
    if row is None or row.state != Stage.UNCONFIRMED:
        return None
    asked, said = words.read(row), letters.words_of(session, row)
    values = {
        "company": organizations.current(session).name,
        "right": said["rights"][row.type],
        "code": code_of(row.id),
    }
    subject, text = (said["code"][part].format(**values) for part in ("subject", "text"))
    return plain(asked.code_to or asked.address, subject, text)


def code_of(request_id: UUID) -> str:
    """Return the code of a request, in digits."""
    digest = hmac.new(derive("codes of requests"), request_id.bytes, hashlib.sha256).digest()
    return f"{int.from_bytes(digest[:8]) % 10**DIGITS:0{DIGITS}d}"


def waiting(session: Session, request_id: UUID, *, lock: bool = False) -> SubjectRequest:
    """Return a request that waits for its code.

    Raises:
        CodeOver: it does not, or not any more.
    """
    row = session.get(
        SubjectRequest,
        request_id,
        with_for_update={"key_share": True} if lock else None,
        populate_existing=lock,
    )
    if row is None or row.state != Stage.UNCONFIRMED or row.tries >= MOST_TRIES:
        raise CodeOver
    if now() - row.created_at > VALID:
        raise CodeOver
    return row


def is_right(row: SubjectRequest, code: str) -> bool:
    """Whether a code is the request's; each that is not counts, so the caller commits either way."""
    right = hmac.compare_digest("".join(code.split()).encode(), code_of(row.id).encode())
    row.tries += not right
    return right


def confirm(session: Session, row: SubjectRequest, said: Mapping[str, str], *, declared: bool) -> None:
    """Take a request up whose address was shown to be theirs.

    Args:
        session: bound to the organization.
        row: waits for its code, which was right.
        said: what the person knows of themselves: `name`, `employee_id`, `department`. It is compared and not kept.
        declared: that they are who they say, in their own name.
    """
    asked = words.read(row)
    member = members.by_email(session, asked.address)
    if member is not None and member.erased_at is None:
        words.adopt(session, row, member.id)
        desk.count_for(session, row, member)
    row.state = Stage.RECEIVED
    if row.channel == Channel.PUBLIC_FORM:
        # The address that the code went to is the first.
        row.points = 1 + (_right_details(member, said) if member is not None else 0)
        tier = Tier(row.tier or Tier.NONE)
        enough = member is None or row.points >= POINTS[tier]
        if enough and (member is None or tier is not Tier.HIGH or declared):
            row.verification, row.verified, row.verified_at = Proof.MAIL_CODE, True, now()
    actor = audit.actor_for(member) if member is not None else audit.SYSTEM
    moves.begin(session, row, actor=actor)


def _right_details(member: Member, said: Mapping[str, str]) -> int:
    held = {"name": member.full_name, "employee_id": member.employee_id, "department": member.department}
    return sum(bool(held[name]) and _plain(said.get(name, "")) == _plain(held[name] or "") for name in held)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
