"""What nobody can see from here and somebody of the operator's attests by name: that no backup holds the epoch keys.

An attestation is of the place where they lie when it is given. It counts for a month, and for no other place.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit
from core.clock import now
from core.db import Lookup, engine, transaction
from core.errors import InvalidInput
from core.logs import logger
from core.models import Attestation, Installation
from core.settings import settings

COUNTS_FOR: Final = timedelta(days=31)
_CLOCKS_APART: Final = timedelta(minutes=5)  # hosts may be so far apart; what is of later yet is of no day
_LONGEST: Final = 200  # letters of a name or a role


@dataclass(frozen=True)
class Place:
    """Where the epoch keys lie, as the settings have it.

    Attributes:
        where: one line that is another for every other place.
        sentence: what is to be attested of it.
    """

    where: str
    sentence: str


@dataclass(frozen=True)
class Standing:
    """How the newest attestation stands.

    Attributes:
        newest: the newest that there is, of any place.
        same_place: whether the epoch keys lie where they lay then.
        overdue: what is wrong, for an operator; empty while it counts.
    """

    newest: Attestation | None
    same_place: bool
    overdue: str


def place(*, folder: bool = False) -> Place:
    """Return where this process's epoch keys lie and what is attested of that.

    Args:
        folder: where they lay before there was a key service.
    """
    config = settings()
    if config.kms_url and not folder:
        return Place(
            f"kms {config.kms_url}",
            f"The epoch keys are sealed by keys that AWS KMS made and keeps ({config.kms_url}); no key material of these was imported, nobody "
            "took back the deletion of one, nobody opened an epoch key there but this installation, and no backup, snapshot or other copy holds "
            f"the database table “directory”, which has names in plain text, of the installation at {config.base_url}.",
        )
    keyring = str(config.keyring_path.resolve())
    copies = "" if config.escrow_path is None else str(config.escrow_path.resolve())
    where = f"folder {keyring}" + (f", escrow {copies}" if copies else "")
    also = f", nor their sealed second copies in {copies}" if copies else ""
    return Place(
        where,
        f"No backup, snapshot or other copy holds the epoch keys in {keyring}{also}, nor the database table “directory”, "
        f"which has names in plain text, of the installation at {config.base_url}.",
    )


def attest(name: str, role: str) -> Attestation:
    """Note that somebody attests today what `place` says, also in every company's evidence log, there without their name.

    Raises:
        InvalidInput: that is no name, or no role; nothing was noted.
    """
    name, role = _one_line(name), _one_line(role)
    if not name:
        raise InvalidInput("Who attests has to be named. Nothing was noted.")
    ours = place()
    with Session(engine(), expire_on_commit=False) as session, session.begin():
        row = Attestation(name=name, role=role, place=ours.where, sentence=ours.sentence)
        session.add(row)
        session.flush()
    for org_id in Lookup.organizations():
        with transaction(org_id, nameless=True) as session:
            audit.record(
                session,
                audit.Tag.KEYRING_ATTESTED,
                actor=audit.SYSTEM,
                subject=None,
                sentence_sha256=digest(row),
            )
    logger().info("keyring_attested")
    return row


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    if len(line) > _LONGEST or not line.isprintable():
        raise InvalidInput(
            "A name or role is one line of at most %(most)s letters. Nothing was noted.", most=_LONGEST
        )
    return line


def digest(row: Attestation) -> str:
    """Return the SHA-256 of the sentence that was attested."""
    return sha256(row.sentence.encode()).hexdigest()


def given(most: int = 100) -> list[Attestation]:
    """Return the attestations that there are, newest first."""
    with Session(engine(), expire_on_commit=False) as session:
        return list(session.scalars(select(Attestation).order_by(Attestation.id.desc()).limit(most)))


def standing(of: Place | None = None) -> Standing:
    """Return how the newest attestation stands now; one that says it is of later than now counts for nothing.

    Args:
        of: an earlier place of keys, for which an attestation of that place is as good as it was; the present one if not given.
    """
    ours = of or place()
    there = select(Attestation).where(Attestation.created_at <= now() + _CLOCKS_APART)
    newest_first = there.order_by(Attestation.id.desc()).limit(1)
    with Session(engine(), expire_on_commit=False) as session:
        newest = (
            session.scalar(newest_first.where(Attestation.place == ours.where)) if of is not None else None
        )
        newest = newest or session.scalar(newest_first)
    if newest is None:
        return Standing(
            None, same_place=False, overdue="nobody has attested that no backup holds the epoch keys"
        )
    said = f"{newest.name} attested on {newest.created_at:%Y-%m-%d} that no backup holds the epoch keys"
    if newest.place != ours.where:
        return Standing(
            newest, same_place=False, overdue=f"{said}, but for another place than where they lie now"
        )
    if now() - newest.created_at > COUNTS_FOR:
        return Standing(newest, same_place=True, overdue=f"{said}, and nobody since")
    return Standing(newest, same_place=True, overdue="")


def reminder_due() -> str:
    """Return what the operator is to be reminded of now; empty, where nothing is or they were within the month.

    A new installation is left alone for as long as an attestation counts: its operator has other things to do first.
    """
    overdue = standing().overdue
    with Session(engine()) as session:
        row = session.scalars(select(Installation)).one()
    return overdue if now() - (row.attestation_asked_at or row.created_at) >= COUNTS_FOR else ""


def reminded() -> None:
    """Note that the operator was reminded."""
    with Session(engine()) as session, session.begin():
        session.execute(update(Installation).values(attestation_asked_at=now()))
