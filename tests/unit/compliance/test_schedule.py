"""Headshots, who declined and who left have an end too, and what is held is measured against what was promised."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

import pytest
import sealing
from conftest import add_member, add_participation
from portraits_made import add_headshot
from sqlalchemy import select
from sqlalchemy.orm import Session
from work import do_all_work

from compliance import retention, schedule
from core import audit
from core.clock import now
from core.db import Lookup, organization_of, transaction
from core.errors import InvalidInput, NotFound
from core.ids import new_id
from core.models import (
    Alternative,
    Artifact,
    AuditEvent,
    Erasure,
    Headshot,
    Kind,
    Member,
    Participation,
    Shoot,
    State,
)
from core.people import access, organizations
from core.portraits import avatars, headshots
from core.shoots import promises, reminders
from core.shoots.promises import Kept
from core.vault import vault


def days(org: UUID, wanted: Mapping[Kept, int]) -> None:
    with transaction(org) as session:
        promises.change(session, wanted, actor=audit.SYSTEM)


def stand(
    org: UUID, part: UUID, *, approved: float | None = None, deadline: float, closed: float | None = None
) -> None:
    """Set how many days ago things happened; below 0, in how many they will."""

    def ago(number: float | None) -> object:
        return None if number is None else now() - timedelta(days=number)

    with transaction(org) as session:
        row = session.get_one(Participation, part)
        row.approved_at = ago(approved)
        shoot = session.get_one(Shoot, row.shoot_id)
        shoot.deadline, shoot.closed_at = ago(deadline), ago(closed)


def there(org: UUID, headshot_id: UUID) -> bool:
    with transaction(org) as session:
        artifact = session.get_one(Artifact, session.get_one(Headshot, headshot_id).artifact_id)
    return artifact.delete_requested_at is None and vault().store.exists(artifact.object_name)


@pytest.mark.parametrize(
    ("approved", "deadline", "closed", "kept"),
    [
        (50.0, 29.9, None, True),  # approved early, and the company still collects what came last
        (50.0, 30.1, None, False),
        (50.0, -10.0, 30.1, False),  # closed before its deadline
        (29.9, 50.0, None, True),  # approved after the deadline
        (30.1, 50.0, None, False),
    ],
)
def test_headshots_end_days_after_the_shoot(
    org: UUID, member: Member, approved: float, deadline: float, closed: float | None, kept: bool
) -> None:
    part, made = add_headshot(org, member, State.DELIVERED)
    stand(org, part, approved=approved, deadline=deadline, closed=closed)
    retention.sweep_all()
    do_all_work()
    assert there(org, made) is kept
    with transaction(org) as session:
        row = session.get_one(Headshot, made)
        assert session.get_one(Participation, part).state == State.DELIVERED, (
            "it was delivered, that stays so"
        )
        assert (row.gates == {}) is not kept
        told = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.HEADSHOT_REMOVED)).all()
    facts = [] if kept else [{"headshot": str(made), "reason": "retention"}]
    assert [event.facts for event in told] == facts


def test_nobodys_headshot_is_kept_longer_than_they_were_promised(org: UUID, member: Member) -> None:
    part, made = add_headshot(org, member, State.APPROVED)
    with transaction(org) as session:
        promises.promise(session, session.get_one(Participation, part))
    days(org, {Kept.HEADSHOTS: 300})
    stand(org, part, approved=31, deadline=31)
    retention.sweep_all()
    assert not there(org, made)


def test_whoever_never_chose_has_nothing_to_choose_from_in_the_end(org: UUID, member: Member) -> None:
    part, made = add_headshot(org, member, State.READY)
    stand(org, part, deadline=31)
    retention.sweep_all()
    assert not there(org, made)
    with transaction(org) as session:
        assert session.get_one(Participation, part).state == State.EXPIRED


def test_it_is_forgotten_who_declined_and_nobody_reminds_them(org: UUID, member: Member) -> None:
    part = add_participation(org, member, State.DECLINED)
    sealed = avatars.seal_own_picture(org, member.id, b"jpeg")
    with transaction(org) as session:
        row = session.get_one(Participation, part.id)
        row.alternative = Alternative.OWN_PICTURE
        avatars.keep_own_picture(session, session.get_one(Member, member.id), sealed)
        row.changed_at = now() - timedelta(days=40)
    stand(org, part.id, deadline=29.9)
    retention.sweep_all()
    with transaction(org) as session:
        assert session.get_one(Participation, part.id).state == State.DECLINED
    stand(org, part.id, deadline=30.1)
    retention.sweep_all()
    with transaction(org) as session:
        row = session.get_one(Participation, part.id)
        assert (row.state, row.alternative) == (State.EXPIRED, None)
        row.state = State.INVITED  # HR asks everybody again who did not answer
        assert not reminders.wanted(row)
        assert avatars.own_picture(session, member.id) is None


def test_who_left_is_erased_with_a_certificate(org: UUID, member: Member) -> None:
    back = add_member(org, "Bea")
    with transaction(org) as session:
        organizations.current(session).schedule_since = now() - timedelta(days=200)
        for one in (member, back):
            session.get_one(Member, one.id).disabled_at = now() - timedelta(days=89.9)
    retention.sweep_all()
    with transaction(org) as session:
        assert session.scalars(select(Erasure)).all() == []
        session.get_one(Member, member.id).disabled_at = now() - timedelta(days=90.1)
        access.enable(session, session.get_one(Member, back.id), actor=audit.SYSTEM)
    assert retention.sweep_all() == 1
    assert retention.sweep_all() == 0
    with transaction(org) as session:
        erasure = session.scalars(select(Erasure)).one()
        assert (erasure.member_id, erasure.reason) == (member.id, "left_company")
        assert session.get_one(Member, back.id).first_name == "Bea"


def test_who_left_long_before_the_company_could_choose_is_not_erased_at_once(
    org: UUID, member: Member
) -> None:
    with transaction(org) as session:
        session.get_one(Member, member.id).disabled_at = now() - timedelta(days=2000)
        organizations.current(session).schedule_since = now() - timedelta(days=89.9)
    assert retention.sweep_all() == 0
    with transaction(org) as session:
        organizations.current(session).schedule_since = now() - timedelta(days=90.1)
    assert retention.sweep_all() == 1


def line(org: UUID, kept: Kept | None) -> schedule.Measured:
    with transaction(org) as session:
        return next(one for one in schedule.measure(session).lines if one.kept is kept)


def test_what_should_be_gone_is_counted_until_it_is(org: UUID, member: Member) -> None:
    part, _made = add_headshot(org, member, State.DELIVERED)
    stand(org, part, approved=26, deadline=26)
    shots, selfies = line(org, Kept.HEADSHOTS), line(org, Kept.SELFIES)
    assert [(one.held, one.due, one.overdue) for one in (shots, selfies)] == [(1, 1, 0), (1, 1, 0)]
    assert shots.oldest is not None
    stand(org, part, approved=31, deadline=31)
    assert line(org, Kept.HEADSHOTS).overdue == 1
    with transaction(org) as session:
        assert not schedule.measure(session).kept_to
    retention.sweep_all()
    do_all_work()
    with transaction(org) as session:
        truth = schedule.measure(session)
    assert truth.kept_to
    assert [one.held for one in truth.lines if one.kept in (Kept.HEADSHOTS, Kept.SELFIES)] == [0, 0]
    assert (truth.version, truth.entries > 0) == (1, True)


def test_an_object_that_storage_did_not_give_up_is_held_and_overdue(org: UUID, member: Member) -> None:
    """Its row says that it should go, and nobody has seen it gone."""
    part, made = add_headshot(org, member, State.DELIVERED)
    stand(org, part, approved=31, deadline=31)
    retention.sweep_all()
    with transaction(org) as session:
        artifact = session.get_one(Artifact, session.get_one(Headshot, made).artifact_id)
        artifact.delete_requested_at = now() - timedelta(hours=3)
    found = line(org, Kept.HEADSHOTS)
    assert (found.held, found.overdue) == (1, 1)


def test_a_model_is_never_kept_longer_than_what_it_learned_from(org: UUID) -> None:
    with transaction(org) as session:
        organization = organizations.current(session)
        assert promises.schedule(organization)[Kept.MODELS] == 30
        promises.change(session, {Kept.MODELS: 5}, actor=audit.SYSTEM)
        assert promises.schedule(organization)[Kept.MODELS] == 5


@pytest.mark.parametrize("kept", Kept)
def test_more_days_than_the_law_or_the_purpose_allow_are_refused_and_change_nothing(
    org: UUID, kept: Kept
) -> None:
    with pytest.raises(InvalidInput):
        days(org, {Kept.SELFIES: 7, kept: promises.MOST_DAYS[kept] + 1})
    with transaction(org) as session:
        organization = organizations.current(session)
        assert promises.schedule(organization)[Kept.SELFIES] == 30
        assert organization.schedule_version == 1


def test_trouble_in_one_company_keeps_nothing_of_another_for_longer(
    org: UUID, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, _made = add_headshot(org, member, State.DELIVERED)
    stand(org, part, approved=31, deadline=31)
    broken = organizations.create("globex", "Globex")
    real = retention.sweep

    def sweep(session: Session) -> retention.Swept:
        if organization_of(session) == broken:
            raise RuntimeError("a row that nobody thought of")
        return real(session)

    monkeypatch.setattr(Lookup, "organizations", staticmethod(lambda: [broken, org]))
    monkeypatch.setattr(retention, "sweep", sweep)
    with pytest.raises(RuntimeError):
        retention.sweep_all()
    assert line(org, Kept.HEADSHOTS).overdue == 0


def test_a_headshot_that_has_ended_cannot_be_approved_from_a_page_that_was_open(
    org: UUID, member: Member
) -> None:
    """It would count as approved, with new days from now on, and the company would get nothing."""
    part, chosen = add_headshot(org, member, State.DELIVERED)
    with transaction(org) as session:
        shot = sealing.put(session, b"png", kind=Kind.HEADSHOT, media_type="image/png", member_id=member.id)
        known = session.get_one(Headshot, chosen)
        other = Headshot(
            id=new_id(),
            org_id=org,
            participation_id=part,
            member_id=member.id,
            photo_id=known.photo_id,
            style_id=known.style_id,
            artifact_id=shot.id,
            engine="studio",
            rank=1,
            gates={},
            seconds=1.0,
        )
        session.add(other)
        other_id = other.id
    stand(org, part, approved=31, deadline=31)
    retention.sweep_all()
    with transaction(org) as session:
        row = session.get_one(Participation, part)
        found = headshots.get(session, member.id, other_id)
        with pytest.raises(NotFound):
            headshots.approve(session, row, found, actor=audit.SYSTEM)
    with transaction(org) as session:
        row = session.get_one(Participation, part)
        assert (row.state, row.chosen_headshot_id) == (State.DELIVERED, chosen)
