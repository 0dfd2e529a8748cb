"""Taking up what a program asks, saying how far it is, and taking it back: on the same desk as every other request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance.requests import desk, moves
from compliance.requests.desk import Proof
from compliance.requests.opendsr import signing
from compliance.requests.opendsr.reading import Asked, Identity, Malformed
from compliance.requests.words import Words
from core import audit
from core.clock import now
from core.db import organization_of
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.ids import new_id
from core.models import (
    Channel,
    Member,
    OpendsrController,
    OpendsrRequest,
    Stage,
    SubjectRequest,
)
from core.models.member import DIRECTORY
from core.people import members, organizations
from core.regimes import Regime
from core.words import N_

VERSION: Final = "2.0"
LONGEST_AGO: Final = timedelta(days=732)
_DOMAIN: Final = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_STATUS: Final = {
    Stage.RECEIVED: "pending",
    Stage.ACKNOWLEDGED: "pending",
    Stage.VERIFYING: "in_progress",
    Stage.IN_PROGRESS: "in_progress",
    Stage.HELD: "in_progress",
    Stage.FULFILLED: "completed",
    Stage.PARTLY: "completed",
    Stage.DENIED: "completed",
    Stage.CANCELLED: "cancelled",
}


class NotSigned(Forbidden):
    """Whoever asks is not known to the company, or has not signed what was sent."""

    code = "opendsr_not_signed"

    def __init__(self) -> None:
        super().__init__("The signature is not that of a controller of this company. Nothing was read.")


class NotPending(Conflict):
    """It is being answered, or was."""

    code = "opendsr_not_pending"
    status = 400


class AskedOtherwise(Conflict):
    """The same number stood for something else."""

    code = "opendsr_number_taken"
    status = 400


@dataclass(frozen=True)
class Known:
    """A request of a program, and the desk's record of it."""

    link: OpendsrRequest
    row: SubjectRequest

    @property
    def status(self) -> str:
        """How far it is, in the words of the specification."""
        stage = Stage(self.row.decision if self.row.state == Stage.CLOSED else self.row.state)  # type: ignore[arg-type]
        return _STATUS[stage]


def controllers(session: Session) -> Sequence[OpendsrController]:
    """Return whose programs may ask for the session's company."""
    return session.scalars(select(OpendsrController).order_by(OpendsrController.domain)).all()


def allow(session: Session, domain: str, pem: str, *, actor: audit.Actor) -> None:
    """Let a program ask that signs with the key of this certificate; a new certificate takes the old one's place.

    Raises:
        InvalidInput: that is no domain, or its certificate cannot be used.
    """
    domain = domain.strip().lower()
    if not _DOMAIN.fullmatch(domain):
        raise InvalidInput(N_("This is no domain, such as privacy.example.com. Nothing was saved."))
    signing.certificate_of(domain, pem)
    row = session.scalar(select(OpendsrController).where(OpendsrController.domain == domain))
    if row is None:
        row = OpendsrController(
            id=new_id(), org_id=organization_of(session), created_at=now(), domain=domain, certificate=pem
        )
        session.add(row)
    row.certificate = pem
    _note(session, domain, pem, actor, change="allowed")


def forbid(session: Session, controller_id: UUID, *, actor: audit.Actor) -> None:
    """Let a program ask nothing any more; what it asked goes on.

    Raises:
        NotFound: there is none of this id.
    """
    row = session.get(OpendsrController, controller_id)
    if row is None:
        raise NotFound(N_("This program is not on the list any more."))
    session.delete(row)
    _note(session, row.domain, row.certificate, actor, change="removed")


def _note(session: Session, domain: str, pem: str, actor: audit.Actor, *, change: str) -> None:
    audit.record(
        session,
        audit.Tag.CONTROLLER_CHANGED,
        actor=actor,
        change=change,
        domain=domain,
        certificate_sha256=sha256(pem.encode()).hexdigest(),
    )
    session.flush()


def demand_signed(session: Session, domain: str, content: bytes, signature: str) -> None:
    """Believe nothing before it is known who signed it.

    Raises:
        NotSigned: the domain is not on the company's list, or the signature is not its key's.
    """
    known = session.scalar(select(OpendsrController).where(OpendsrController.domain == domain))
    if known is None or not signing.is_signed(content, signature, known.certificate):
        raise NotSigned


def take_up(session: Session, domain: str, asked: Asked, content: bytes) -> Known:
    """Open what a program asks; asking the same again under the same number changes nothing.

    Raises:
        AskedOtherwise: the number stood for something else.
        Malformed: it was asked in the future, or too long ago.
    """
    digest = sha256(content).hexdigest()
    before = _link(session, domain, asked.subject_request_id)
    if before is not None:
        if before.body_sha256 != digest:
            raise AskedOtherwise("subject_request_id was used for another request. Nothing was changed.")
        return Known(before, moves.get(session, before.request_id))
    if not now() - LONGEST_AGO <= asked.received <= now():
        raise Malformed("submitted_time lies in the future, or more than two years ago.")
    member = _person(session, asked.subject_identities)
    row = desk.open_for(
        session,
        asked.right,
        Channel.OPENDSR,
        member=member,
        asked=Words(address=_address(asked.subject_identities), name=_name(asked.subject_identities)),
        language=member.language if member is not None else organizations.current(session).language,
        actor=audit.SYSTEM,
        received_at=asked.received,
        proof=Proof.CONTROLLER,
        # Where it is not known where somebody works, the program's word counts.
        regime=None if member is not None and member.place else Regime(asked.regulation),
    )
    link = OpendsrRequest(
        id=new_id(),
        org_id=row.org_id,
        created_at=now(),
        domain=domain,
        subject_request_id=asked.subject_request_id,
        request_id=row.id,
        body_sha256=digest,
        callbacks=list(asked.status_callback_urls),
        told="pending",
    )
    session.add(link)
    session.flush()
    return Known(link, row)


def find(session: Session, domain: str, number: UUID, *, lock: bool = False) -> Known:
    """Return a request by the number of the program that asked it.

    Raises:
        NotFound: it asked nothing under this number.
    """
    link = _link(session, domain, number)
    if link is None:
        raise NotFound("There is no request of yours with this number.")
    return Known(link, moves.get(session, link.request_id, lock=lock))


def take_back(session: Session, domain: str, number: UUID) -> Known:
    """End a request that is still pending.

    Raises:
        NotFound: there is none of this number.
        NotPending: it is being answered, or was.
    """
    known = find(session, domain, number, lock=True)
    if known.status == "cancelled":
        return known
    if known.status != "pending":
        raise NotPending("Only a pending request can be cancelled. Nothing was changed.")
    desk.cancel(session, known.row, actor=audit.SYSTEM)
    return known


def of_request(session: Session, request_id: UUID) -> Known | None:
    """Return what a program knows a request of the desk as; `None` where no program asked."""
    link = session.scalar(select(OpendsrRequest).where(OpendsrRequest.request_id == request_id))
    return None if link is None else Known(link, moves.get(session, request_id))


def _link(session: Session, domain: str, number: UUID) -> OpendsrRequest | None:
    return session.scalar(
        select(OpendsrRequest).where(
            OpendsrRequest.domain == domain, OpendsrRequest.subject_request_id == number
        )
    )


def _person(session: Session, identities: Sequence[Identity]) -> Member | None:
    """Return whom all identities name; nobody where they name several, or one of them nobody."""
    found = {_by(session, one) for one in identities}
    member_id = found.pop() if len(found) == 1 else None
    member = session.get(Member, member_id) if member_id is not None else None
    return None if member is None or member.erased_at is not None else member


def _by(session: Session, identity: Identity) -> UUID | None:
    value = identity.identity_value.strip()
    if identity.identity_type == "controller_customer_id":
        return session.scalar(select(Member.id).where(Member.employee_id == value).limit(1))
    if identity.identity_format == "sha256":
        plain = func.convert_to(func.lower(DIRECTORY.c.email), "UTF8")
        hashed = func.encode(func.sha256(plain), "hex")
        return session.scalar(select(DIRECTORY.c.id).where(hashed == value.lower()).limit(1))
    member = members.by_email(session, value)
    return member.id if member is not None else None


def _address(identities: Sequence[Identity]) -> str:
    plain = [
        one.identity_value
        for one in identities
        if (one.identity_type, one.identity_format) == ("email", "raw") and "@" in one.identity_value
    ]
    return plain[0] if plain else ""


def _name(identities: Sequence[Identity]) -> str:
    numbers = [one.identity_value for one in identities if one.identity_type == "controller_customer_id"]
    return numbers[0] if numbers else ""
