"""Somebody in the middle of a shoot, with everything that there is of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sealing
from conftest import add_member
from sqlalchemy.orm import Session

from compliance.consent import leaving
from core import audit
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.ids import new_id
from core.models import (
    Alternative,
    Consent,
    EngineName,
    Headshot,
    Kind,
    Member,
    Participation,
    Photo,
    Shoot,
    SignInMethod,
    State,
)
from core.people import sessions
from core.shoots import devices, invites


@dataclass(frozen=True)
class Stage:
    """One person in the middle of a shoot, and what there is of them."""

    org: UUID
    member_id: UUID
    participation_id: UUID
    photo_ids: list[UUID]
    headshot_id: UUID
    invite_id: UUID
    session_id: UUID

    def member(self, session: Session) -> Member:
        return session.get_one(Member, self.member_id)

    def participation(self, session: Session) -> Participation:
        return session.get_one(Participation, self.participation_id)

    def photo(self, session: Session) -> Photo:
        return session.get_one(Photo, self.photo_ids[0])

    def actor(self, session: Session) -> audit.Actor:
        return audit.actor_for(self.member(session))


def build(org: UUID, shoot: Shoot, state: State) -> Stage:
    """Put a person with two photos, a headshot, embeddings and a link into a shoot, or let them decline it then."""
    if state is not State.DECLINED:
        return _build(org, shoot, state)
    at = _build(org, shoot, State.READY)
    with transaction(org) as session:
        leaving.decline(session, at.participation(session), Alternative.INITIALS, actor=at.actor(session))
    return at


def _build(org: UUID, shoot: Shoot, state: State) -> Stage:
    member = add_member(org, email=f"{new_id().hex}@acme.example", employee_id=new_id().hex)
    with transaction(org) as session:

        def put(kind: Kind) -> UUID:
            return sealing.put(session, b"x", kind=kind, media_type="image/png", member_id=member.id).id

        row = Participation(
            id=new_id(), org_id=org, shoot_id=shoot.id, member_id=member.id, state=state, changed_at=now()
        )
        session.add(row)
        session.flush()
        for purpose in Purpose:
            session.add(
                Consent(
                    id=new_id(),
                    org_id=org,
                    member_id=member.id,
                    participation_id=row.id,
                    purpose=purpose,
                    granted=True,
                    regime="gdpr",
                    language="en",
                    text_version="2026-11.6",
                    text_sha256="0" * 64,
                )
            )
        taken = [
            Photo(
                id=new_id(),
                org_id=org,
                participation_id=row.id,
                member_id=member.id,
                artifact_id=put(Kind.PHOTO),
                preview_id=put(Kind.PREVIEW),
                likeness_id=put(Kind.LIKENESS),
                upload_key=f"photo-{number}",
                verdict={"accepted": True, "issues": []} if number else None,
                checked_at=now() if number else None,
            )
            for number in range(2)
        ]
        session.add_all(taken)
        session.flush()
        shot = Headshot(
            id=new_id(),
            org_id=org,
            participation_id=row.id,
            member_id=member.id,
            photo_id=taken[1].id,
            style_id=shoot.style_id,
            artifact_id=put(Kind.HEADSHOT),
            engine=EngineName.STUDIO,
            rank=0,
            gates={"gates": {"likeness": {"passed": True}}},
            seconds=1.0,
        )
        session.add(shot)
        if state in (State.RENDERING, State.APPROVED, State.DELIVERED):
            row.chosen_headshot_id, row.approved_at = shot.id, now() - timedelta(days=365)
        session.flush()
        (invite,) = invites.create_all(session, shoot, [row], actor=audit.SYSTEM)
        token = sessions.start(
            session, session.get_one(Member, member.id), SignInMethod.INVITE, participation=row
        )
        opened = sessions.row_of(session, token)
        devices.arrive(session, opened, secret=new_id().hex, agent="Windows")
        return Stage(org, member.id, row.id, [one.id for one in taken], shot.id, invite.id, opened.id)
