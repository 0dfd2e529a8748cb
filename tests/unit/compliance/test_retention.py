"""Nothing is kept longer than promised, and nothing that is promised goes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import sealing
from conftest import add_member, add_participation, forget_process_state
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session
from work import do_all_work

from compliance import retention, schedule, strays
from core import audit
from core.brand import styles
from core.clock import now
from core.db import engine, organization_of, transaction
from core.errors import InvalidInput
from core.ids import new_id
from core.models import (
    Adapter,
    Artifact,
    AuditEvent,
    Headshot,
    Kind,
    Member,
    Participation,
    Photo,
    Shoot,
    State,
)
from core.people import organizations
from core.shoots import promises
from core.style.spec import ImageBackdrop, StyleSpec
from core.vault import ArtifactGone, vault

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

DAY = timedelta(days=1)


@contextmanager
def statements() -> Iterator[list[str]]:
    """What this process asks the main database."""
    told: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        told.append(statement)

    event.listen(engine(), "before_cursor_execute", note)
    yield told
    event.remove(engine(), "before_cursor_execute", note)


def put(org: UUID, member: Member | None, kind: Kind) -> UUID:
    with transaction(org) as session:
        owner = member.id if member else None
        return sealing.put(session, kind.encode(), kind=kind, media_type="image/jpeg", member_id=owner).id


@dataclass
class Held:
    """What is held about one person: the ids of the artifacts."""

    participation: Participation
    selfie: UUID
    preview: UUID
    likeness: UUID
    headshot: UUID
    adapter: UUID
    checkpoint: UUID

    def readable(self) -> set[str]:
        """Which of them can be read."""
        found = set()
        for name in EVERYTHING:
            with transaction(self.participation.org_id) as session:
                try:
                    sealing.got(session, getattr(self, name))
                except ArtifactGone:
                    continue
                found.add(name)
        return found


def hold(org: UUID, member: Member, state: State) -> Held:
    participation = add_participation(org, member, state)
    held = Held(
        participation,
        selfie=put(org, member, Kind.PHOTO),
        preview=put(org, member, Kind.PREVIEW),
        likeness=put(org, member, Kind.LIKENESS),
        headshot=put(org, member, Kind.HEADSHOT),
        adapter=put(org, member, Kind.ADAPTER),
        checkpoint=put(org, member, Kind.CHECKPOINT),
    )
    owned = {"org_id": org, "participation_id": participation.id, "member_id": member.id}
    with transaction(org) as session:
        photo = Photo(
            id=new_id(),
            artifact_id=held.selfie,
            preview_id=held.preview,
            upload_key="one",
            verdict={"accepted": True, "measures": {"eyes": 61.0}},
            subject_x=0.4,
            subject_y=0.3,
            likeness_id=held.likeness,
            **owned,
        )
        session.add(photo)
        session.flush()
        session.add(
            Headshot(
                id=new_id(),
                photo_id=photo.id,
                style_id=session.get_one(Shoot, participation.shoot_id).style_id,
                artifact_id=held.headshot,
                engine="studio",
                rank=0,
                gates={},
                seconds=1.0,
                **owned,
            )
        )
        session.add(
            Adapter(
                id=new_id(),
                kind="person",
                artifact_id=held.adapter,
                base="klein",
                revision="1",
                rank=4,
                steps=8,
                seed=1,
                photos=[str(photo.id)],
                curve=[{"step": 8, "distance": 0.3}],
                seconds=1.0,
                **owned,
            )
        )
        session.get_one(Participation, participation.id).checkpoint_id = held.checkpoint
    return held


def approve(held: Held, *, days_ago: float) -> None:
    with transaction(held.participation.org_id) as session:
        row = session.get_one(Participation, held.participation.id)
        row.approved_at = now() - timedelta(days=days_ago)


def end_shoot(held: Held, *, days_ago: float) -> None:
    with transaction(held.participation.org_id) as session:
        shoot = session.get_one(Shoot, held.participation.shoot_id)
        shoot.deadline = now() - timedelta(days=days_ago)


def retention_days(org: UUID) -> int:
    with transaction(org) as session:
        return organizations.current(session).retention_days


EVERYTHING = {"selfie", "preview", "likeness", "headshot", "adapter", "checkpoint"}


def test_selfies_go_on_schedule_and_the_headshot_stays(org: UUID, member: Member) -> None:
    held = hold(org, member, State.APPROVED)
    days = retention_days(org)
    approve(held, days_ago=days - 0.1)
    assert retention.sweep_all() == 0
    assert held.readable() == EVERYTHING

    approve(held, days_ago=days + 0.1)
    assert retention.sweep_all() == 1
    assert held.readable() == {"headshot"}
    do_all_work()
    with transaction(org) as session:
        ended = [
            session.get_one(Artifact, one)
            for one in (held.selfie, held.preview, held.adapter, held.checkpoint)
        ]
    assert all(one.destroyed_at is not None for one in ended)
    assert not any(vault().store.exists(one.object_name) for one in ended)
    with transaction(org) as session:
        photo = session.scalars(select(Photo)).one()
        assert photo.verdict is None  # measures of a face go with it
        assert photo.subject is None
        assert session.scalars(select(Adapter)).one().curve == []
        told = select(func.count()).where(AuditEvent.tag == audit.Tag.PHOTO_REMOVED)
        assert session.scalar(told) == 1
    assert retention.sweep_all() == 0


def test_everything_due_ends_in_one_sweep_and_each_company_has_its_turn(
    org: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    other = organizations.create("globex", "Globex")
    helds = [hold(org, add_member(org, f"P{n}"), State.APPROVED) for n in range(5)]
    helds.append(hold(other, add_member(other, "Q"), State.APPROVED))
    for held in helds:
        approve(held, days_ago=100)
    turns: list[UUID] = []
    sweep = retention.sweep

    def noted(session: Session) -> retention.Swept:
        turns.append(organization_of(session))
        return sweep(session)

    monkeypatch.setattr(retention, "sweep", noted)
    assert retention.sweep_all() == 6
    for held in helds:
        assert held.readable() == {"headshot"}
    assert turns.index(other) < len(turns) - 1, "the small one does not wait for the end of the large one"
    assert retention.sweep_all() == 0


def test_a_sweep_asks_as_much_for_many_as_for_few(org: UUID) -> None:
    """Photos whose time is over, and people who have not answered before the deadline."""

    def asked(people: int) -> int:
        for n in range(people):
            approve(hold(org, add_member(org, f"P{new_id().hex[-8:]}{n}"), State.APPROVED), days_ago=100)
            late = add_participation(org, add_member(org, f"L{new_id().hex[-8:]}{n}"), State.INVITED)
            with transaction(org) as session:
                session.get_one(Shoot, late.shoot_id).deadline = now() - DAY
        with statements() as told:
            assert retention.sweep_all() == people
        return len(told)

    assert asked(2) == asked(12)


def test_a_new_company_keeps_selfies_as_long_as_the_setting_says(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSHOTS_RETENTION_DAYS", "7")
    forget_process_state()
    assert retention_days(organizations.create("globex", "Globex")) == 7


def edit_days(org: UUID, days: int) -> None:
    with transaction(org) as session:
        promises.change(session, {promises.Kept.SELFIES: days}, actor=audit.SYSTEM)


def test_nobody_is_kept_longer_than_was_promised_when_they_agreed(org: UUID, member: Member) -> None:
    promised = hold(org, member, State.APPROVED)  # under thirty days, as the company has them from the start
    edit_days(org, 60)
    later = hold(org, add_member(org, "Bob"), State.APPROVED)
    with transaction(org) as session:
        promises.promise(session, session.get_one(Participation, later.participation.id))
    for held in (promised, later):
        approve(held, days_ago=31)
    assert retention.sweep_all() == 1
    assert promised.readable() == {"headshot"}
    assert later.readable() == EVERYTHING
    edit_days(org, 10)
    assert retention.sweep_all() == 1, "fewer days hold for everybody at once"
    with transaction(org) as session:
        told = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.RETENTION_CHANGED)).all()
    assert [event.facts for event in told] == [
        {"kept": "selfies", "before": 30, "after": 60, "version": 2},
        {"kept": "selfies", "before": 60, "after": 10, "version": 3},
    ]


@pytest.mark.parametrize("days", [0, -1, 366])
def test_days_that_no_consent_page_can_promise_are_refused(org: UUID, days: int) -> None:
    with pytest.raises(InvalidInput):
        edit_days(org, days)
    assert retention_days(org) == 30


def test_company_can_choose_less_time(org: UUID, member: Member) -> None:
    held = hold(org, member, State.DELIVERED)
    approve(held, days_ago=3)
    assert retention.sweep_all() == 0
    with transaction(org) as session:
        organizations.current(session).retention_days = 2
    assert retention.sweep_all() == 1
    assert held.readable() == {"headshot"}


@pytest.mark.parametrize("state", [State.DECLINED, State.EXPIRED])
def test_pictures_of_someone_who_left_go_at_once(org: UUID, member: Member, state: State) -> None:
    held = hold(org, member, state)
    assert retention.sweep_all() == 1
    assert held.readable() == set()


@pytest.mark.parametrize("state", schedule.UNFINISHED)
def test_pictures_of_someone_who_never_finished_go_after_the_deadline(
    org: UUID, member: Member, state: State
) -> None:
    held = hold(org, member, state)
    days = retention_days(org)
    end_shoot(held, days_ago=days - 0.1)
    assert retention.sweep_all() == 0
    end_shoot(held, days_ago=days + 0.1)
    assert retention.sweep_all() == 1
    assert held.readable() == set()


def test_one_persons_schedule_leaves_others_alone(org: UUID, member: Member) -> None:
    over, running = hold(org, member, State.APPROVED), hold(org, add_member(org, "Grace"), State.APPROVED)
    approve(over, days_ago=retention_days(org) + 1)
    approve(running, days_ago=1)
    assert retention.sweep_all() == 1
    do_all_work()
    assert running.readable() == EVERYTHING


def test_link_expires_with_the_deadline(org: UUID, member: Member) -> None:
    participation = add_participation(org, member, State.INVITED)
    with transaction(org) as session:
        session.get_one(Shoot, participation.shoot_id).deadline = now() - DAY
    retention.sweep_all()
    with transaction(org) as session:
        assert session.get_one(Participation, participation.id).state == State.EXPIRED


@pytest.mark.parametrize("kind", [Kind.ROSTER, Kind.SEARCH])
def test_what_names_people_in_passing_is_gone_after_an_hour(org: UUID, kind: Kind) -> None:
    fresh, old = put(org, None, kind), put(org, None, kind)
    logo = put(org, None, Kind.LOGO)
    with transaction(org) as session:
        for artifact_id in (old, logo):
            session.get_one(Artifact, artifact_id).created_at = now() - timedelta(hours=1.1)
    retention.sweep_all()
    do_all_work()
    with transaction(org) as session:
        names = {one.id: one.object_name for one in session.scalars(select(Artifact))}
    assert not vault().store.exists(names[old])
    assert vault().store.exists(names[fresh])
    assert vault().store.exists(names[logo])


def test_a_backdrop_that_was_never_saved_with_a_style_is_gone_after_a_day(org: UUID) -> None:
    fresh, old, shown = (put(org, None, Kind.BACKDROP) for _ in range(3))
    with transaction(org) as session:
        spec = StyleSpec(name="Wall", backdrop=ImageBackdrop(image=str(shown)))
        styles.save(session, spec, actor=audit.SYSTEM)
        for artifact_id in (old, shown):
            session.get_one(Artifact, artifact_id).created_at = now() - timedelta(days=1.1)
    retention.sweep_all()
    do_all_work()
    with transaction(org) as session:
        names = {one.id: one.object_name for one in session.scalars(select(Artifact))}
    assert [vault().store.exists(names[one]) for one in (fresh, old, shown)] == [True, False, True]


def test_only_old_objects_without_a_row_are_orphans(
    environment: dict[str, str], org: UUID, member: Member
) -> None:
    elsewhere = organizations.create("globex", "Globex")
    kept = [put(org, member, Kind.PHOTO), put(elsewhere, add_member(elsewhere, "Gil"), Kind.HEADSHOT)]
    storage = Path(urlsplit(environment["HEADSHOTS_STORAGE_URL"]).path)
    stray, young = (vault().store.new_name() for _ in range(2))
    for name in (stray, young):
        vault().store.put(name, b"left by a crash before the commit")
    before = (now() - strays.AGE - timedelta(minutes=1)).timestamp()
    for name, _ in list(vault().store.names()):
        if name != young:
            os.utime(storage / name, (before, before))

    assert strays.sweep().strays == [stray]
    assert not vault().store.exists(stray)
    assert vault().store.exists(young)
    for owner, artifact_id in zip((org, elsewhere), kept, strict=True):
        with transaction(owner) as session:
            assert sealing.got(session, artifact_id)
    assert strays.look().good
