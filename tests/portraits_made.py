"""A headshot with the photo that it was made from, as rows and sealed objects; no engine runs."""

from __future__ import annotations

from uuid import UUID

import sealing
from conftest import add_participation

from core.db import transaction
from core.ids import new_id
from core.models import Headshot, Kind, Member, Participation, Photo, Shoot, State
from core.shoots.participations import SETTLED


def add_headshot(org: UUID, member: Member, state: State, png: bytes = b"png") -> tuple[UUID, UUID]:
    """Add a participation in `state` with one headshot, approved where the state says so; return the ids of both."""
    part = add_participation(org, member, state)
    owned = {"org_id": org, "participation_id": part.id, "member_id": member.id}
    with transaction(org) as session:
        selfie = sealing.put(session, b"jpeg", kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id)
        shot = sealing.put(session, png, kind=Kind.HEADSHOT, media_type="image/png", member_id=member.id)
        photo = Photo(id=new_id(), artifact_id=selfie.id, upload_key="one", **owned)
        session.add(photo)
        session.flush()
        made = Headshot(
            id=new_id(),
            photo_id=photo.id,
            style_id=session.get_one(Shoot, part.shoot_id).style_id,
            artifact_id=shot.id,
            engine="studio",
            rank=0,
            gates={"figures": {"head": 0.5}},
            seconds=1.0,
            **owned,
        )
        session.add(made)
        if state in SETTLED:
            session.get_one(Participation, part.id).chosen_headshot_id = made.id
        return part.id, made.id
