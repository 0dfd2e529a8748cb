"""Erasing a person: from the press of the button to the proof.

`request` makes everything unreadable in one transaction. The `erase` job destroys the key and the
objects and checks both. The `certify` job signs what was found. `turn_epoch` kills every older copy of
the key store, and with it what backups hold; `settle` then completes the certificates.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from compliance import consent
from compliance.certificate.facts import Check, Location, Method, Tool, Verification, VerificationFailed
from core import audit
from core.clock import now
from core.consent import Purpose
from core.db import Lookup, organization_of, transaction
from core.ids import new_id
from core.logs import logger
from core.models import Artifact, Erasure, Headshot, Invite, Member, Participation, Photo, State
from core.people import sessions
from core.queue import JobName, enqueue, redis_client
from core.settings import settings
from core.shoots import participations
from core.vault import derive, vault
from core.version import VERSION

TOOL = Tool(name="headshots", version=VERSION)
# Ledger hashes are compared in batches, so that a replay of 100,000 members stays small in memory.
REPLAY_BATCH = 1000


class ErasureReason(StrEnum):
    """Why; GDPR Article 17(1) letters in the certificate's texts."""

    SELF_SERVICE = "self_service"
    EMPLOYER_REQUEST = "employer_request"
    RETENTION = "retention"
    RESTORED_BACKUP = "restored_backup"


@dataclass(frozen=True)
class Requested:
    """An erasure under way.

    Attributes:
        erasure_id: opaque.
        receipt: secret part of the link under which the person follows it and gets the certificate.
    """

    erasure_id: UUID
    receipt: str


def _receipt(erasure_id: UUID) -> str:
    digest = hmac.new(derive("erasure receipts"), erasure_id.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def request(
    session: Session, member: Member, *, reason: ErasureReason, actor: audit.Actor, language: str
) -> Requested:
    """Erase everything held about `member`: unreadable when the caller's transaction commits.

    Names and addresses leave the rows, sessions and links end, artifacts can no longer be read. The key
    is destroyed right after the commit, and again by the `erase` job should the process die between.
    Idempotent: a second call returns the first erasure.
    """
    session.refresh(member, with_for_update=True)
    existing = session.scalar(select(Erasure).where(Erasure.member_id == member.id))
    if existing is not None:
        return Requested(existing.id, _receipt(existing.id))
    erasure = Erasure(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        member_id=member.id,
        subject=member.pseudonym,
        reason=reason,
        language=language,
    )
    erasure.receipt_sha256 = hashlib.sha256(_receipt(erasure.id).encode()).digest()
    session.add(erasure)
    audit.record(
        session,
        audit.Tag.ERASURE_REQUESTED,
        actor=actor,
        subject=member,
        erasure=str(erasure.id),
        reason=reason.value,
    )
    _end_everything(session, member, actor)
    enqueue(session, JobName.ERASE, erasure.id)

    @event.listens_for(session, "after_commit", once=True)
    def destroy_key(_: Session) -> None:
        try:
            vault().keys.destroy(member.id)
        except Exception as error:  # noqa: BLE001 - the erase job does it again; the request has succeeded
            logger().error("key_destruction_left_to_the_job", erasure=str(erasure.id), exc_info=error)

    return Requested(erasure.id, _receipt(erasure.id))


def _end_everything(session: Session, member: Member, actor: audit.Actor) -> None:
    moment = now()
    for purpose in Purpose:
        consent.withdraw(session, member, purpose)
    rows = session.scalars(select(Participation).where(Participation.member_id == member.id)).all()
    for row in rows:
        participations.move(session, row, State.ERASED, actor=actor)
        row.failure_code = None
    sessions.end_all(session, member.id)
    session.execute(
        update(Invite)
        .where(Invite.member_id == member.id, Invite.revoked_at.is_(None))
        .values(revoked_at=moment)
    )
    # Measures of a face are personal data too.
    session.execute(
        update(Photo)
        .where(Photo.member_id == member.id)
        .values(
            verdict=None,
            subject_x=None,
            subject_y=None,
            confirmed_at=None,
            removed_at=moment,
            upload_key=Photo.id,
        )
    )
    session.execute(update(Headshot).where(Headshot.member_id == member.id).values(gates={}))
    session.execute(
        update(Artifact)
        .where(Artifact.member_id == member.id, Artifact.delete_requested_at.is_(None))
        .values(delete_requested_at=moment)
    )
    for field in (
        "email",
        "first_name",
        "last_name",
        "employee_id",
        "department",
        "idp_entity_id",
        "name_id",
    ):
        setattr(member, field, None)
    member.erased_at = moment
    session.flush()


def execute(session: Session, erasure: Erasure) -> None:
    """Destroy the key and every object, check each by looking again, and note what was found.

    Safe to run twice. Runs in the `erase` job's one transaction.

    Raises:
        VerificationFailed: something could still be read; nothing is certified, the job tries again.
    """
    keys = vault().keys
    destruction = keys.destroy(erasure.member_id)
    artifacts = session.scalars(
        select(Artifact).where(Artifact.member_id == erasure.member_id).order_by(Artifact.id)
    ).all()
    left = [str(one.id) for one in artifacts if not vault().purge(session, one)]
    if left or keys.exists(erasure.member_id):
        raise VerificationFailed("Something could still be read after deletion.", locations=left)
    watched = session.scalars(select(Participation.id).where(Participation.member_id == erasure.member_id))
    for participation_id in watched:
        redis_client().delete(f"progress:{participation_id}")
    moment = now()
    erasure.epoch = destruction.epoch
    erasure.key_destroyed_at = destruction.at
    erasure.objects_destroyed_at = moment
    erasure.locations = [
        location.model_dump(mode="json") for location in _locations(erasure, artifacts, destruction.epoch)
    ]
    member = session.get_one(Member, erasure.member_id)
    audit.record(
        session,
        audit.Tag.ERASURE_EXECUTED,
        actor=audit.SYSTEM,
        subject=member,
        erasure=str(erasure.id),
        objects=len(artifacts),
        epoch=destruction.epoch,
    )
    enqueue(session, JobName.CERTIFY, erasure.id)


def _locations(erasure: Erasure, artifacts: Sequence[Artifact], epoch: int) -> list[Location]:
    """List every place: each object, the key that sealed them, and the directory entry."""
    moment = now()
    key_id = str(erasure.member_id)
    places = [
        Location(
            locator=artifact.object_name,
            category=artifact.kind,
            count=1,
            bytes=artifact.size,
            method=Method.DELETE,
            key_id=key_id,
            epoch=epoch,
            tool=TOOL,
            verification=Verification(
                method=Check.NOT_FOUND, at=moment, ok=artifact.destroyed_at is not None
            ),
        )
        for artifact in artifacts
    ]
    places.append(
        Location(
            locator="key-store",
            category="key",
            count=1,
            bytes=0,
            method=Method.CRYPTO_ERASE,
            key_id=key_id,
            epoch=epoch,
            tool=TOOL,
            verification=Verification(
                method=Check.KEY_ABSENT, at=moment, ok=not vault().keys.exists(erasure.member_id)
            ),
        )
    )
    places.append(
        Location(
            locator="database/members",
            category="directory",
            count=1,
            bytes=0,
            method=Method.DELETE,
            tool=TOOL,
            verification=Verification(method=Check.ROW_ABSENT, at=moment, ok=True),
            # Names and addresses stand in the main database's backups until those expire.
            backup_readable_until=moment + timedelta(days=settings().backup_days),
        )
    )
    return places


def turn_epoch() -> int:
    """Turn the epoch now and complete what waited for it; return the number of the new epoch."""
    _destroy_pending_keys()
    turn = vault().keys.turn_epoch()
    logger().info("epoch_turned", epoch=turn.opened, count=turn.rewrapped)
    settle_all()
    return turn.opened


def _destroy_pending_keys() -> None:
    """Destroy once more the key of each erasure that waits for the epoch.

    A key store restored within the epoch has them back, and turning would renew them.
    """
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            for member_id in session.scalars(
                select(Erasure.member_id).where(Erasure.epoch_destroyed_at.is_(None))
            ):
                vault().keys.destroy(member_id)


def settle_all() -> None:
    """In every organization, complete erasures whose epoch key has been destroyed."""
    vault().keys.finish_turns()
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            settle(session)


def settle(session: Session) -> None:
    """Note for each erasure whose epoch key is gone that no copy can be opened, and owe its certificate."""
    waiting = session.scalars(
        select(Erasure)
        .where(Erasure.epoch.is_not(None), Erasure.epoch_destroyed_at.is_(None))
        .with_for_update()
    )
    for erasure in waiting:
        assert erasure.epoch is not None
        destroyed_at = vault().keys.epoch_destroyed_at(erasure.epoch)
        if destroyed_at is None or vault().keys.exists(erasure.member_id):
            continue
        erasure.epoch_destroyed_at = destroyed_at
        audit.record(
            session,
            audit.Tag.ERASURE_COMPLETED,
            actor=audit.SYSTEM,
            subject=session.get_one(Member, erasure.member_id),
            erasure=str(erasure.id),
            epoch=erasure.epoch,
        )
        enqueue(session, JobName.CERTIFY, erasure.id)


def replay_ledger() -> int:
    """Erase again whom a restored backup brought back; return how many that were.

    The ledger of keyed hashes lies with the keys, so it does not go back in time with the main database.
    """
    again = 0
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            living = list(session.scalars(select(Member.id).where(Member.erased_at.is_(None))))
            for start in range(0, len(living), REPLAY_BATCH):
                for member_id in vault().keys.erased_among(living[start : start + REPLAY_BATCH]):
                    member = session.get_one(Member, member_id)
                    request(
                        session,
                        member,
                        reason=ErasureReason.RESTORED_BACKUP,
                        actor=audit.SYSTEM,
                        language=member.language,
                    )
                    again += 1
    return again
