"""Turning the epoch, which kills every older copy of the keys; completing what waited for it; replaying the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.erasure.begin import ErasureReason, request
from core import audit
from core.db import Lookup, transaction
from core.logs import logger
from core.models import Artifact, Erasure, Farewell, Member, Person
from core.queue import JobName, enqueue
from core.vault import vault

# Ledger hashes are compared in batches, so that a replay of 100,000 members stays small in memory.
REPLAY_BATCH = 1000
KEYS_AT_ONCE = 10_000
SETTLED_AT_ONCE = 500  # erasures whose rows one transaction holds
_FIRST: Final = UUID(int=0)


def turn_epoch() -> int:
    """Turn the epoch now and complete what waited for it; return the number of the new epoch."""
    _destroy_pending_keys()
    turn = vault().keys.turn_epoch()
    logger().info("epoch_turned", epoch=turn.opened, count=turn.rewrapped)
    settle_all()
    return turn.opened


def _destroy_pending_keys() -> None:
    """Destroy once more the keys of each erasure that waits for the epoch: the person's, files' and the letter's.

    A key store restored within the epoch has them back, and turning would renew them.
    """
    for org_id in sorted({org_id for org_id, _ in Lookup.unsettled()}):
        with transaction(org_id) as session:
            waiting = select(Erasure.member_id).where(Erasure.epoch_destroyed_at.is_(None))
            for member_id in session.scalars(waiting):
                vault().keys.destroy(member_id)
            told = (
                select(Farewell.id)
                .join(Erasure)
                .where(Erasure.epoch_destroyed_at.is_(None), Farewell.ended_at.is_not(None))
            )
            vault().keys.forget(session.scalars(told).all())
            own = select(Artifact.id).where(Artifact.member_id.in_(waiting), Artifact.own_key)
            for some in session.scalars(own).partitions(KEYS_AT_ONCE):
                vault().keys.forget(some)


def settle_all() -> None:
    """Complete erasures whose epoch key has been destroyed; a company without one costs nothing."""
    vault().keys.finish_turns()
    waiting = Lookup.unsettled()
    over = vault().keys.destroyed_epochs({epoch for _, epoch in waiting})
    for org_id in sorted({org_id for org_id, epoch in waiting if epoch in over}):
        last: UUID | None = _FIRST
        while last is not None:
            with transaction(org_id) as session:
                last = settle(session, last)


def settle(session: Session, after: UUID = _FIRST) -> UUID | None:
    """Note of erasures whose epoch key is gone that no copy can be opened, and owe their certificates.

    Args:
        session: bound to the organization.
        after: an erasure; those that follow it are looked at, as many as one transaction should.

    Returns:
        The last one, where there may be more.
    """
    waiting = session.scalars(
        select(Erasure)
        .where(Erasure.epoch.is_not(None), Erasure.epoch_destroyed_at.is_(None), Erasure.id > after)
        .order_by(Erasure.id)
        .limit(SETTLED_AT_ONCE)
        .with_for_update(key_share=True)
    ).all()
    there = vault().keys.among([one.member_id for one in waiting])
    ended = {
        one: vault().keys.epoch_destroyed_at(one) for one in {row.epoch for row in waiting} if one is not None
    }
    for erasure in waiting:
        assert erasure.epoch is not None
        destroyed_at = ended[erasure.epoch]
        if destroyed_at is None or erasure.member_id in there:
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
    return waiting[-1].id if len(waiting) == SETTLED_AT_ONCE else None


def brought_back(since: datetime) -> bool:
    """Whether anybody lives whom the ledger says was erased at `since` or later.

    Nobody is asked for while nobody was; else it takes a keyed hash for each living member, 0.3 s for 100,000.
    """
    erased = vault().keys.erasures.since(since)
    if not erased:
        return False
    for org_id in Lookup.organizations():
        with transaction(org_id, nameless=True) as session:
            living = session.scalars(select(Person.id).where(Person.erased_at.is_(None))).all()
        if any(vault().keys.erasures.hash(member_id) in erased for member_id in living):
            return True
    return False


def name_all() -> None:
    """Note with the keys which erasure each person's is, also of those from before it was noted."""
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            named = session.execute(select(Erasure.member_id, Erasure.id)).all()
        vault().keys.erasures.name(dict(named))


def replay_ledger() -> int:
    """Erase again whom a restored backup brought back; return how many that were.

    The ledger of keyed hashes lies with the keys, so it does not go back in time with the main database.
    """
    again = 0
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            living = list(
                session.scalars(select(Person.id).where(Person.erased_at.is_(None)).order_by(Person.id))
            )
            for start in range(0, len(living), REPLAY_BATCH):
                for member_id in sorted(vault().keys.erasures.among(living[start : start + REPLAY_BATCH])):
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
