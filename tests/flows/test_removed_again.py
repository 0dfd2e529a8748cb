"""What people removed singly, and a backup from before still holds: it is gone again before anything is served."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from conftest import add_participation
from PIL import Image
from restores import back_up, demand_nothing_starts, good, main_of, move_to, run
from sealing import got, put
from sqlalchemy import select
from work import do_all_work

from compliance import removals
from compliance.consent import leaving
from compliance.log import sequencer
from core import audit, uploads
from core.consent import Purpose
from core.db import transaction
from core.errors import ConfigurationError
from core.ids import new_id
from core.models import (
    Adapter,
    AdapterKind,
    Alternative,
    App,
    Arrival,
    Artifact,
    AuditEvent,
    Consent,
    Kind,
    Member,
    Participation,
    Photo,
    SignInMethod,
    State,
    Use,
)
from core.people import sessions
from core.portraits import avatars, photos, verdicts
from core.shoots import participations
from core.vault import ArtifactGone, vault
from deploy import installation
from deploy.backup import postgres, restoring
from deploy.local.services import Databases, LocalServices

# pyHanko's dependencies use what cryptography deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
DOUBT = {"code": verdicts.SOMEBODY_ELSE}


@dataclass
class Ada:
    """Ada, who removes things, in two shoots: three photos in the one, one in the other; and a picture of her own."""

    org: UUID
    member: Member
    first: UUID
    second: UUID
    held: list[UUID]  # artifacts of her photos: three of the first shoot, then one of the second
    adapter: UUID
    picture: UUID

    def photo(self, number: int, *, doubted: bool = False) -> Photo:
        """Return one that is checked, and doubted or not."""
        return Photo(
            id=new_id(),
            org_id=self.org,
            participation_id=self.first if number < 3 else self.second,
            member_id=self.member.id,
            artifact_id=self.held[number],
            upload_key=f"photo-{number}",
            verdict={"accepted": True, "issues": [DOUBT] if doubted else []},
        )

    def remove_one(self) -> None:
        """Remove the first photo, which the model has learned from."""
        with transaction(self.org) as session:
            photo = session.scalars(select(Photo).where(Photo.artifact_id == self.held[0])).one()
            photos.remove(session, photo, actor=audit.actor_for(session.get_one(Member, self.member.id)))

    def alive(self) -> set[UUID]:
        """Return which artifacts of hers can be read."""
        with transaction(self.org) as session:
            whose = select(Artifact.id).where(Artifact.member_id == self.member.id)
            return set(session.scalars(whose.where(Artifact.delete_requested_at.is_(None))))

    def of(self, *kinds: Kind) -> set[UUID]:
        """Return which artifacts of such a kind there ever were of hers."""
        with transaction(self.org) as session:
            whose = select(Artifact.id).where(Artifact.member_id == self.member.id)
            return set(session.scalars(whose.where(Artifact.kind.in_(kinds))))

    def states(self) -> dict[UUID, str]:
        """Return where she stands in each shoot."""
        with transaction(self.org) as session:
            return dict(session.execute(select(Participation.id, Participation.state)).all())

    def removed(self) -> list[object]:
        """Return the reason of each removal that the log tells of."""
        with transaction(self.org) as session:
            told = select(AuditEvent).where(AuditEvent.tag == audit.Tag.PHOTO_REMOVED)
            return [row.facts.get("reason") for row in session.scalars(told.order_by(AuditEvent.id))]


@pytest.fixture
def ada(org: UUID, member: Member) -> Ada:
    first = add_participation(org, member, State.UPLOADING)
    second = add_participation(org, member, State.UPLOADING)
    with transaction(org) as session:

        def keep(kind: Kind) -> UUID:
            return put(session, kind.encode(), kind=kind, media_type="image/jpeg", member_id=member.id).id

        made = Ada(
            org,
            member,
            first.id,
            second.id,
            [keep(Kind.PHOTO) for _ in range(4)],
            keep(Kind.ADAPTER),
            keep(Kind.OWN_PICTURE),
        )
        taken = [made.photo(number, doubted=number == 1) for number in range(4)]
        session.add_all(taken)
        session.add(
            Adapter(
                id=new_id(),
                org_id=org,
                kind=AdapterKind.PERSON,
                member_id=member.id,
                participation_id=first.id,
                artifact_id=made.adapter,
                base="tiny",
                revision="1",
                rank=4,
                steps=10,
                seed=1,
                photos=[str(taken[0].id)],
                curve=[],
                seconds=1.0,
            )
        )
    sequencer.sequence_all()
    return made


def test_a_photo_a_picture_and_a_part_that_were_removed_singly_are_removed_again(
    ada: Ada, services: LocalServices, empty: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(ada.org) as session:
        session.get_one(Participation, ada.first).alternative = Alternative.OWN_PICTURE
    folder = back_up(tmp_path, "--objects")
    ada.remove_one()
    with transaction(ada.org) as session:
        member = session.get_one(Member, ada.member.id)
        avatars.remove_own_picture(session, member)
        verdicts.forget_likeness(session, member.id)
        second = session.get_one(Participation, ada.second)
        leaving.decline(session, second, Alternative.INITIALS, actor=audit.actor_for(member))
    do_all_work()
    left = {ada.held[2]}
    assert ada.alive() == left

    move_to(main_of(services, empty), monkeypatch)
    done = good("restore", str(folder))
    assert (done["erased_again"], done["withdrawn_again"]) == (0, 0)
    assert done["removed_again"] == 5  # three photos, the picture, the part
    do_all_work()
    assert ada.alive() == left
    assert ada.states() == {ada.first: State.UPLOADING, ada.second: State.DECLINED}
    assert ada.removed() == ["restored", "restored", "restored"]
    with transaction(ada.org) as session:
        assert got(session, ada.held[2]) == Kind.PHOTO.encode()
        with pytest.raises(ArtifactGone):
            got(session, ada.held[0])
        assert session.get_one(Participation, ada.first).alternative == Alternative.INITIALS
        gone = session.scalars(select(Artifact).where(Artifact.id.not_in(left))).all()
        assert {row.id for row in gone} >= {*ada.held[:2], ada.held[3], ada.adapter, ada.picture}
        names = [row.object_name for row in gone]
    assert not any(vault().store.exists(name) for name in names)
    assert removals.replay() == 0
    assert run("drill", "check").exit_code == 0
    installation.demand()


def test_what_was_on_its_way_ends_with_every_session(
    ada: Ada, services: LocalServices, empty: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture that waits to be checked would be kept once more, under an id that nobody has removed."""
    content = io.BytesIO()
    Image.new("RGB", (640, 640), "teal").save(content, "JPEG")
    given = [(content.getvalue(), "image/jpeg")]
    sealed = uploads.seal(ada.org, Use.OWN_PICTURE, given, sender_id=ada.member.id)
    with transaction(ada.org) as session:
        member = session.get_one(Member, ada.member.id)
        second = session.get_one(Participation, ada.second)
        second.state, second.alternative = State.DECLINED, Alternative.INITIALS
        uploads.receive(session, Use.OWN_PICTURE, sealed, sender=member, subject_id=ada.second)
        piece = put(session, b"x", kind=Kind.PIECE, media_type="image/jpeg", member_id=member.id)
        session.add(
            Arrival(
                id=new_id(),
                org_id=ada.org,
                participation_id=ada.first,
                member_id=member.id,
                upload_key="on its way",
                pieces=[str(piece.id)],
                received=1,
            )
        )
        token = sessions.start(session, member, SignInMethod.INVITE)
    assert sessions.find(token, App.PORTAL)
    before = ada.alive()
    folder = back_up(tmp_path, "--objects")
    move_to(main_of(services, empty), monkeypatch)
    assert good("restore", str(folder))["removed_again"] == 0
    do_all_work()
    assert sessions.find(token, App.PORTAL) is None
    assert ada.alive() == {*ada.held, ada.adapter, ada.picture} == before - ada.of(Kind.PIECE, Kind.UPLOAD)
    assert ada.states()[ada.second] == State.DECLINED


def test_who_comes_back_to_a_declined_shoot_stays_in_it(ada: Ada) -> None:
    with transaction(ada.org) as session:
        second = session.get_one(Participation, ada.second)
        leaving.decline(session, second, Alternative.INITIALS, actor=audit.SYSTEM)
    assert removals.replay() == 0
    with transaction(ada.org) as session:  # asked again, as the page does it
        second = session.get_one(Participation, ada.second)
        participations.move(session, second, State.OPENED, actor=audit.SYSTEM)
        earlier = select(Consent).where(
            Consent.participation_id == second.id, Consent.purpose == Purpose.PHOTO
        )
        before = session.scalars(earlier).one()
        given = {one.key: getattr(before, one.key) for one in Consent.__table__.columns}
        session.add(Consent(**given | {"id": new_id()}))
        participations.move(session, second, State.CONSENTED, actor=audit.SYSTEM)
    assert removals.replay() == 0
    assert ada.states()[ada.second] == State.CONSENTED


def test_a_copy_as_young_as_the_mark_is_not_served_with_a_photo_that_was_removed(
    ada: Ada,
    services: LocalServices,
    empty: Databases,
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vault().ties.turn()
    dump = tmp_path / "snapshot.dump"
    postgres.dump(environment["HEADSHOTS_DATABASE_BACKUP_URL"], dump)
    ada.remove_one()
    installation.demand()
    move_to(main_of(services, empty), monkeypatch)
    restoring._restore_main(services.environment(empty)["HEADSHOTS_DATABASE_OWNER_URL"], dump)
    with pytest.raises(ConfigurationError, match="headshots replay"):
        installation.demand()
    demand_nothing_starts("headshots replay")
    checked = run("drill", "check")
    assert checked.exit_code == 1
    assert "1 photos, own pictures or parts in shoots are back" in checked.stdout
    assert good("replay") == {"erased_again": 0, "withdrawn_again": 0, "removed_again": 1, "ended_again": 0}
    installation.demand()
