"""The hourly look at what was removed lately: noted where the key store was away, and not what retention removed."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from conftest import add_participation
from sealing import put
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from compliance import removals
from compliance.consent import leaving
from core import audit
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import Alternative, Artifact, Kind, Member, Participation, Photo, State
from core.portraits import avatars, photos
from core.vault import vault
from core.vault.key_tables import RemovedThing
from core.vault.ledger import Removals


@pytest.fixture
def photo(org: UUID, member: Member) -> UUID:
    part = add_participation(org, member, State.UPLOADING)
    with transaction(org) as session:
        file = put(session, b"x", kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id)
        row = Photo(
            id=new_id(),
            org_id=org,
            participation_id=part.id,
            member_id=member.id,
            artifact_id=file.id,
            upload_key="one",
        )
        session.add(row)
    return row.id


def notes() -> int:
    with Session(vault().keys._engine) as session:
        return len(session.scalars(select(RemovedThing)).all())


def forget() -> None:
    """As if the key store had been away."""
    with Session(vault().keys._engine) as session, session.begin():
        session.execute(delete(RemovedThing))


def test_what_was_removed_while_the_key_store_was_away_is_noted_within_the_hour(
    org: UUID, member: Member, photo: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(org) as session:
        put(session, b"x", kind=Kind.OWN_PICTURE, media_type="image/jpeg", member_id=member.id)
    add_participation(org, member, State.READY)
    with monkeypatch.context() as patch:
        patch.setattr(Removals, "note", lambda *_: 1 / 0)
        with transaction(org) as session:
            photos.remove(session, session.get_one(Photo, photo), actor=audit.SYSTEM)
            avatars.remove_own_picture(session, session.get_one(Member, member.id))
            part = session.scalars(select(Participation).where(Participation.state == State.READY)).one()
            leaving.decline(session, part, Alternative.INITIALS, actor=audit.SYSTEM)
    assert notes() == 0
    assert removals.replay() == 0
    assert notes() == 3
    with transaction(org) as session:  # as a restore would have it
        session.execute(update(Photo).values(removed_at=None))
        session.execute(
            update(Artifact).where(Artifact.kind == Kind.OWN_PICTURE).values(delete_requested_at=None)
        )
        session.execute(update(Participation).values(state=State.UPLOADING))
    assert removals.brought_back(now() - timedelta(hours=1))
    assert removals.standing() == 3
    assert removals.replay() == 3
    assert removals.standing() == 0
    assert not removals.brought_back(now() - timedelta(hours=1))


def test_what_retention_removed_is_due_again_and_not_noted(org: UUID, photo: UUID) -> None:
    with transaction(org) as session:
        row = session.get_one(Photo, photo)
        photos.end(session, [row])
        photos.record_removed(session, [row], actor=audit.SYSTEM, reason="retention")
    removals.replay()
    assert notes() == 0


def test_a_removal_that_was_rolled_back_is_not_noted(org: UUID, photo: UUID) -> None:
    def remove_and_fail() -> None:
        with transaction(org) as session:
            photos.remove(session, session.get_one(Photo, photo), actor=audit.SYSTEM)
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        remove_and_fail()
    assert notes() == 0


def test_only_what_was_noted_since_counts_and_only_of_those_who_live(
    org: UUID, member: Member, photo: UUID
) -> None:
    with transaction(org) as session:
        photos.remove(session, session.get_one(Photo, photo), actor=audit.SYSTEM)
    with transaction(org) as session:
        session.execute(update(Photo).values(removed_at=None))
    assert removals.brought_back(now() - timedelta(minutes=5))
    assert not removals.brought_back(now() + timedelta(minutes=5))
    with transaction(org) as session:
        session.get_one(Member, member.id).erased_at = now()
    assert not removals.brought_back(now() - timedelta(minutes=5))
    assert removals.replay() == 0
