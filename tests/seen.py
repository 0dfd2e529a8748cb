"""People who have seen headshots of themselves, straight from rows."""

from __future__ import annotations

from uuid import UUID

from conftest import add_member
from sealing import put

from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import Headshot, Kind, Participation, Photo, Shoot, State


def add_seen(org_id: UUID, shoot: Shoot, first: str) -> Headshot:
    """Add somebody to a shoot who sees one headshot, made of one photo."""
    member = add_member(org_id, first)
    with transaction(org_id) as session:
        participation = Participation(
            id=new_id(),
            org_id=org_id,
            shoot_id=shoot.id,
            member_id=member.id,
            state=State.READY,
            changed_at=now(),
        )
        session.add(participation)
    return add_headshot(org_id, participation, shoot.style_id)


def add_photo(org_id: UUID, participation: Participation, key: str = "one", **verdict: object) -> Photo:
    """Add a photo that the check has accepted."""
    member_id = participation.member_id
    with transaction(org_id) as session:
        kept = put(session, b"photo", kind=Kind.PHOTO, media_type="image/jpeg", member_id=member_id)
        photo = Photo(
            id=new_id(),
            org_id=org_id,
            participation_id=participation.id,
            member_id=member_id,
            artifact_id=kept.id,
            upload_key=key,
            verdict={"accepted": True, "issues": [], **verdict},
            checked_at=now(),
        )
        session.add(photo)
        return photo


def add_headshot(
    org_id: UUID, participation: Participation, style_id: UUID, photo: Photo | None = None, run: int = 1
) -> Headshot:
    """Add a headshot that its person may see."""
    photo = photo or add_photo(org_id, participation)
    member_id = participation.member_id
    with transaction(org_id) as session:
        kept = put(session, b"headshot", kind=Kind.HEADSHOT, media_type="image/png", member_id=member_id)
        headshot = Headshot(
            id=new_id(),
            org_id=org_id,
            participation_id=participation.id,
            member_id=member_id,
            photo_id=photo.id,
            style_id=style_id,
            artifact_id=kept.id,
            engine="studio",
            run=run,
            rank=0,
            gates={},
            seconds=1.0,
        )
        session.add(headshot)
        return headshot
