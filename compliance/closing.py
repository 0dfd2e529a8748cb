"""A company that leaves: everybody erased with a certificate, its own key and pictures destroyed, and that certified.

Each step may be run again and goes on where it was left. What is said of the end is read back at that moment.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from compliance import erasure, recall
from compliance.certificate.parts import Status
from compliance.evidence import origin_of, signing_keys
from compliance.log import note
from compliance.requests import keeping as requests
from compliance.signed_facts import CLOSING
from core import audit, locks
from core.brand import looks
from core.clock import now, rfc3339
from core.db import transaction
from core.models import (
    Artifact,
    AuditEvent,
    Certificate,
    Erasure,
    Farewell,
    Member,
    OpendsrController,
    Recall,
    SamlConnectionRow,
    Shoot,
    Stage,
    Style,
    SubjectRequest,
)
from core.people import organizations
from core.shoots import shoots
from core.vault import vault

# Roles after which somebody is needed; the rest goes first, so that an end half way leaves whoever can look.
_LAST: Final = ("owner", "hr_admin", "auditor")


@dataclass(frozen=True)
class Standing:
    """How far a company's end is, as read back now.

    Attributes:
        people: how many there ever were.
        living: how many of them are not erased.
        certified: how many have a certificate that says COMPLETE.
        objects: how many stored objects were not seen gone, the company's own among them.
        key: whether the company's own key is there.
        open: how much goes on: connections to identity providers, shoots, recalls, which hold names of files, and requests.
        epoch: in which it was destroyed; `None` while it is there.
        turned_at: when the key of that epoch was destroyed, with which every older copy died; `None` before.
    """

    people: int
    living: int
    certified: int
    objects: int
    key: bool
    open: int
    epoch: int | None
    turned_at: datetime | None

    @property
    def over(self) -> bool:
        """Whether nothing of the company can be opened any more, anywhere, and each person's erasure is certified."""
        done = self.certified == self.people and not (self.living or self.objects or self.key or self.open)
        return done and self.turned_at is not None


def end(org_id: UUID) -> None:
    """End everything: shoots, sign-in, the company's key and pictures, and everybody's data."""
    with transaction(org_id) as session:
        organization = organizations.current(session)
        first = session.scalar(select(AuditEvent.id).where(AuditEvent.tag == audit.Tag.ORGANIZATION_CLOSED))
        if first is None:
            audit.record(session, audit.Tag.ORGANIZATION_CLOSED, actor=audit.SYSTEM)
        session.execute(delete(SamlConnectionRow))
        session.execute(delete(OpendsrController))  # whose programs could go on to ask
        organization.logo_id = None
        organization.checkpoint_emails = ""  # addresses of people, some of whom are erased now
        open_shoots = session.scalars(
            select(Shoot.id).where(Shoot.closed_at.is_(None)).order_by(Shoot.id)
        ).all()
    for shoot_id in open_shoots:
        with transaction(org_id) as session:
            shoots.close(session, shoots.get(session, shoot_id, lock=True), actor=audit.SYSTEM)
    _end_brand(org_id)
    # Before anybody's, so that its epoch is over when theirs are.
    vault().keys.destroy(org_id)
    with transaction(org_id) as session:
        rest = Member.role.in_(_LAST)
        living = session.scalars(
            select(Member.id).where(Member.erased_at.is_(None)).order_by(rest, Member.id)
        ).all()
    for member_id in living:
        with transaction(org_id) as session:
            locks.whole_person(session, member_id)
            member = session.get_one(Member, member_id)
            erasure.request(
                session,
                member,
                reason=erasure.ErasureReason.COMPANY_CLOSED,
                actor=audit.SYSTEM,
                language=member.language,
            )
    ended = requests.AT_ONCE
    while ended == requests.AT_ONCE:
        with transaction(org_id) as session:
            ended = requests.end_all(session)
    ended = recall.AT_ONCE
    while ended == recall.AT_ONCE:
        with transaction(org_id) as session:
            ended = recall.end_all(session)


def _end_brand(org_id: UUID) -> None:
    """Destroy what is the company's own: logos, backdrops, example pictures and what learned from them, lists."""
    with transaction(org_id) as session:
        for style in session.scalars(
            select(Style).where(Style.look_id.is_not(None)).order_by(Style.id)
        ).all():
            looks.remove(session, style, actor=audit.SYSTEM)
        own = select(Artifact.id).where(Artifact.member_id.is_(None), Artifact.delete_requested_at.is_(None))
        vault().delete(session, session.scalars(own).all())


def standing(session: Session) -> Standing:
    """Look how far the end of the session's organization is."""
    org_id = organizations.current(session).id
    there = vault().keys.exists(org_id)
    epoch = None if there else vault().keys.destroy(org_id).epoch  # which finds it destroyed, and says when
    complete = select(func.count()).where(
        Certificate.status == Status.COMPLETE.value, Certificate.erasure_id == Erasure.id
    )
    return Standing(
        people=session.scalars(select(func.count()).select_from(Member)).one(),
        living=session.scalars(select(func.count()).where(Member.erased_at.is_(None))).one(),
        certified=session.scalars(complete).one(),
        objects=session.scalars(select(func.count()).where(Artifact.destroyed_at.is_(None))).one(),
        key=there,
        open=sum(
            session.scalars(select(func.count()).select_from(one)).one()
            for one in (
                SamlConnectionRow,
                OpendsrController,
                select(Shoot.id).where(Shoot.closed_at.is_(None)).subquery(),
                select(Recall.id).where(Recall.ended_at.is_(None)).subquery(),
                select(SubjectRequest.id).where(SubjectRequest.state != Stage.CLOSED).subquery(),
                select(Farewell.id).where(Farewell.ended_at.is_(None)).subquery(),
            )
        ),
        epoch=epoch,
        turned_at=None if epoch is None else vault().keys.epoch_destroyed_at(epoch),
    )


def still_stored(org_id: UUID) -> int:
    """Return how many of the company's objects the storage lists now; every object of the installation is looked at."""
    with transaction(org_id) as session:
        known = set(session.scalars(select(Artifact.object_name)))
    return sum(name in known for name, _ in vault().store.names())


def certify(org_id: UUID) -> str | None:
    """Return the signed statement that the company is gone; `None` while that is not so.

    It names each person's certificate by number and hash, and what stays. A C2SP signed note by the key of the
    company's log, whose last entries are its own.
    """
    stored = still_stored(org_id)
    with transaction(org_id) as session:
        found = standing(session)
        if stored or not found.over:
            return None
        return _signed(session, found, stored)


def _signed(session: Session, found: Standing, stored: int) -> str:
    assert found.turned_at is not None
    organization = organizations.current(session)
    certificates = session.execute(
        select(Certificate.id, Certificate.sha256)
        .where(Certificate.status == Status.COMPLETE.value)
        .order_by(Certificate.id)
    ).all()
    kinds = session.execute(
        select(Artifact.kind, func.count()).group_by(Artifact.kind).order_by(Artifact.kind)
    )
    body = {
        "format": CLOSING,
        "organization": {"id": str(organization.id), "name": organization.name},
        "checked_at": rfc3339(now()),
        "people": found.people,
        "certificates": [{"id": str(one), "sha256": sha256} for one, sha256 in certificates],
        "objects_destroyed": dict(kinds.all()),
        "objects_left": found.objects + stored,
        "company_key": {
            "there": found.key,
            "epoch": found.epoch,
            "epoch_destroyed_at": rfc3339(found.turned_at),
        },
        "kept": [
            "the evidence log and its checkpoints, which name nobody",
            "the certificates of deletion, which name nobody",
            "keyed hashes of who was erased, whose keys are destroyed",
            "the company's name and settings, and names of its shoots and styles",
            "the register of breaches and signed reports, which name nobody who took part",
        ],
    }
    text = json.dumps(body, indent=1, ensure_ascii=True) + "\n"
    return note.sign(text, origin_of(organization.id), signing_keys().log_key)
