"""Destroying the key and the objects, and looking whether both are gone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance import farewells
from compliance.certificate.parts import Tool, VerificationFailed
from compliance.erasure import rows
from core import audit
from core.clock import now
from core.models import Artifact, Erasure, Member, Participation
from core.queue import JobName, enqueue, redis_client
from core.vault import Marked, vault
from core.version import VERSION

TOOL = Tool(name="headshots", version=VERSION)


def held(session: Session, erasure: Erasure) -> tuple[UUID, list[Marked]]:
    """Return whose erasure it is, and every object that there ever was of them; none once it is done.

    With them come the company's lists that ended with it, which may name them.
    """
    if erasure.objects_destroyed_at is not None:
        return erasure.member_id, []
    rows = session.execute(
        select(Artifact.id, Artifact.object_name).where(Artifact.member_id == erasure.member_id)
    )
    return erasure.member_id, [*(Marked(*row) for row in rows), *vault().passing(session)]


def remove(member_id: UUID, marked: Sequence[Marked]) -> set[UUID]:
    """Destroy a person's key, then their objects; return whose are gone by looking again. Safe to run twice."""
    vault().keys.forget(
        [one.artifact_id for one in marked]
    )  # before the person's, whose epoch the certificate names
    vault().keys.destroy(member_id)
    return vault().remove(marked)


def execute(session: Session, erasure: Erasure, gone: Collection[UUID]) -> None:
    """Check that the key is destroyed, every object gone and nothing left in rows.

    Safe to run twice. Runs in the `erase` job's one transaction, after `remove`. While a mail is still to tell the
    person, nothing is checked yet: the mail's end owes the job once more, and where it went is destroyed by then.

    Args:
        session: bound to the organization.
        erasure: what is executed.
        gone: artifacts whose objects `remove` did not find any more.

    Raises:
        VerificationFailed: something could still be read; nothing is certified, the job tries again.
    """
    farewell = farewells.of(session, erasure.id)
    if farewell is not None and farewell.ended_at is None:
        return
    keys = vault().keys
    destruction = keys.destroy(erasure.member_id)
    keys.erasures.name({erasure.member_id: erasure.id})
    artifacts = session.scalars(
        select(Artifact).where(Artifact.member_id == erasure.member_id).order_by(Artifact.id)
    ).all()
    rows.overwrite_again(session, erasure)
    left = [str(one.id) for one in artifacts if one.id not in gone] + rows.left(session, erasure.member_id)
    if left or keys.exists(erasure.member_id):
        raise VerificationFailed("Something could still be read after deletion.", locations=left)
    vault().note_destroyed(session, gone)
    watched = session.scalars(select(Participation.id).where(Participation.member_id == erasure.member_id))
    for participation_id in watched:
        redis_client().delete(f"progress:{participation_id}")
    moment = now()
    # The letter's key may have outlived the person's by a turn, and it opened an address.
    erasure.epoch = destruction.epoch if farewell is None else keys.forget([farewell.id])
    erasure.key_destroyed_at = destruction.at
    erasure.objects_destroyed_at = moment
    member = session.get_one(Member, erasure.member_id)
    audit.record(
        session,
        audit.Tag.ERASURE_EXECUTED,
        actor=audit.SYSTEM,
        subject=member,
        erasure=str(erasure.id),
        objects=len(artifacts),
        epoch=erasure.epoch,
    )
    enqueue(session, JobName.CERTIFY, erasure.id)
