"""Headshots made again in the style of now, for everybody whom a filter finds."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation, add_shoot
from sealing import put
from sqlalchemy import func, select, update
from unit.admin.test_bulk_pages import JSON, do_it
from unit.admin.test_download import png

from core import audit
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import (
    Artifact,
    AuditEvent,
    BulkAction,
    Consent,
    Headshot,
    Kind,
    Member,
    Outbox,
    Participation,
    Photo,
    Shoot,
    State,
)
from core.people import access
from core.portraits import restyling
from core.queue import JobName
from core.shoots import bulk_steps, department_styles


@pytest.fixture
def styles(org: UUID) -> tuple[UUID, UUID]:
    """The style of before and that of now."""
    return add_shoot(org).style_id, add_shoot(org).style_id


@pytest.fixture
def shoot_id(org: UUID, styles: tuple[UUID, UUID]) -> UUID:
    """An open shoot that had another style before."""
    shoot = add_shoot(org)
    with transaction(org) as session:
        session.get_one(Shoot, shoot.id).style_id = styles[1]
    return shoot.id


def person(
    org: UUID,
    shoot_id: UUID,
    name: str,
    state: State,
    *made_in: UUID,
    chosen: int | None = None,
    accepted: bool = True,
    department: str = "",
) -> UUID:
    """Put somebody with a photo into the shoot, with one headshot a run, and return their participation's id."""
    member = add_member(
        org, name, email=f"{name.lower()}@acme.example", **({"department": department} if department else {})
    )
    part_id = add_participation(org, member, state).id
    with transaction(org) as session:
        part = session.get_one(Participation, part_id)
        part.shoot_id = shoot_id
        kept = put(session, png("red", 8), kind=Kind.PHOTO, media_type="image/png", member_id=member.id)
        photo = Photo(
            id=new_id(),
            org_id=org,
            participation_id=part_id,
            member_id=member.id,
            artifact_id=kept.id,
            upload_key="k",
            checked_at=now(),
        )
        photo.verdict = {"accepted": accepted, "issues": []}
        session.add(photo)
        session.flush()
        for run, style_id in enumerate(made_in, 1):
            held = put(
                session, png("red", 8), kind=Kind.HEADSHOT, media_type="image/png", member_id=member.id
            )
            headshot = Headshot(
                id=new_id(),
                org_id=org,
                participation_id=part_id,
                member_id=member.id,
                photo_id=photo.id,
                style_id=style_id,
                artifact_id=held.id,
                engine="studio",
                run=run,
                rank=0,
                seconds=1.0,
            )
            headshot.gates = {}
            session.add(headshot)
            if run - 1 == chosen:
                part.chosen_headshot_id, part.approved_at = headshot.id, now()
    return part_id


def states(org: UUID) -> dict[str, str]:
    with transaction(org) as session:
        rows = session.execute(
            select(Member.first_name, Participation.state).join(
                Participation, Participation.member_id == Member.id
            )
        )
        return {row[0]: row[1] for row in rows}


def test_whose_headshots_are_in_an_older_style_get_new_ones_and_the_others_say_why_not(
    org: UUID, shoot_id: UUID, styles: tuple[UUID, UUID], browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_steps, "AT_ONCE", 3)
    old, new = styles

    def add(name: str, state: State, *made_in: UUID, **more: Any) -> UUID:
        return person(org, shoot_id, name, state, *made_in, **more)

    approved = add("Approved", State.APPROVED, old, chosen=0)
    add("Delivered", State.DELIVERED, old, chosen=0)
    add("Ready", State.READY, old)
    add("Current", State.APPROVED, new, chosen=0)
    add("Waits", State.READY, old, new, chosen=0)
    add("Failed", State.FAILED, old, chosen=0)
    add("Tries", State.UPLOADING, old, chosen=0)
    add("Studio", State.SUBMITTED, old, chosen=0)
    add("First", State.SUBMITTED)
    add("Invited", State.INVITED)
    add("Declined", State.DECLINED, old)
    ended = add("Ended", State.APPROVED, old, chosen=0)
    bare = add("Bare", State.APPROVED, old, chosen=0)
    withdrew = add("Withdrew", State.APPROVED, old, chosen=0)
    off = add("Off", State.APPROVED, old, chosen=0)
    restricted = add("Restricted", State.APPROVED, old, chosen=0)
    add("Blurred", State.APPROVED, old, chosen=0, accepted=False)
    with transaction(org) as session:

        def whose(part_id: UUID) -> UUID:
            return session.get_one(Participation, part_id).member_id

        of_ended = select(Headshot.artifact_id).where(Headshot.participation_id == ended)
        session.execute(update(Artifact).where(Artifact.id.in_(of_ended)).values(delete_requested_at=now()))
        session.execute(update(Photo).where(Photo.participation_id == bare).values(removed_at=now()))
        session.execute(
            update(Consent).where(Consent.member_id == whose(withdrew)).values(withdrawn_at=now())
        )
        access.disable(session, session.get_one(Member, whose(off)), actor=audit.SYSTEM)
        session.get_one(Member, whose(restricted)).restricted_at = now()
        kept = session.get_one(Participation, approved).chosen_headshot_id
    seen, done = do_it(browser, org, f"kind=restyle&shoot={shoot_id}")
    expected = {
        "done": 4,
        "in_style": 1,
        "awaits_choice": 1,
        "under_way": 2,
        "no_headshot": 3,
        "no_photos": 3,
        "access_off": 1,
        "restricted": 1,
        "declined": 1,
    }
    assert done["counts"] == expected
    assert (seen["total"], seen["worked"]) == (17, 5), "what a photo's check found is read at its turn only"
    by_name = states(org)
    assert {name for name, state in by_name.items() if state == State.SUBMITTED} == {
        "Approved",
        "Delivered",
        "Ready",
        "Failed",
        "Studio",
        "First",
    }
    assert by_name["Blurred"] == State.APPROVED, "nobody is left without a way on"
    with transaction(org) as session:
        owed = session.scalar(select(func.count()).select_from(Outbox).where(Outbox.job == JobName.RENDER))
        assert owed == 4
        assert session.get_one(Participation, approved).chosen_headshot_id == kept, "the company keeps it"
        moved = session.scalars(
            select(AuditEvent).where(
                AuditEvent.tag == audit.Tag.PARTICIPATION_MOVED,
                AuditEvent.facts["after"].astext == "submitted",
            )
        ).all()
        assert len(moved) == 4
        assert all(one.actor_id is not None for one in moved), "the log names who had it done"
    with transaction(org) as session:
        action_id = session.scalars(select(BulkAction.id)).one()
    page = browser.get(f"/admin/people/bulk/{action_id}").text
    assert "No photo is left that can be used" in page
    assert "Others are on their way already" in page
    again, _ = do_it(browser, org, f"kind=restyle&shoot={shoot_id}")
    assert again["counts"]["under_way"] == 6, "nothing is made twice"


def test_a_closed_shoot_has_nothing_made_again(
    org: UUID, shoot_id: UUID, styles: tuple[UUID, UUID], browser: Any
) -> None:
    person(org, shoot_id, "Ada", State.APPROVED, styles[0], chosen=0)
    with transaction(org) as session:
        session.get_one(Shoot, shoot_id).closed_at = now()
    _, done = do_it(browser, org, f"kind=restyle&shoot={shoot_id}")
    assert done["counts"] == {"shoot_closed": 1}
    assert states(org) == {"Ada": State.APPROVED}


def test_the_style_of_a_department_is_the_one_that_counts_for_its_people(
    org: UUID, shoot_id: UUID, styles: tuple[UUID, UUID], browser: Any
) -> None:
    old, new = styles
    person(org, shoot_id, "Ada", State.APPROVED, new, chosen=0, department="Sales")
    person(org, shoot_id, "Bo", State.APPROVED, new, chosen=0, department="Research")
    with transaction(org) as session:
        shoot = session.get_one(Shoot, shoot_id)
        (sales,) = [key for key, name in department_styles.listed(session).items() if name == "Sales"]
        shoot.department_styles = {sales: str(old)}
    seen = browser.get(f"/admin/people/act?kind=restyle&shoot={shoot_id}", headers=JSON).json
    assert seen["counts"] == {"done": 1, "in_style": 1}
    with transaction(org) as session:
        assert restyling.older(session, session.get_one(Shoot, shoot_id)) == restyling.Older(1, 0)


def test_the_shoot_s_page_says_how_many_are_older_and_leads_to_who_they_are(
    org: UUID, shoot_id: UUID, styles: tuple[UUID, UUID], browser: Any
) -> None:
    old, new = styles
    person(org, shoot_id, "Current", State.APPROVED, new, chosen=0)
    address = f"/admin/shoots/{shoot_id}/edit"
    assert "Headshots in another style" not in browser.get(address).text
    person(org, shoot_id, "Waits", State.READY, old, new, chosen=0)
    page = browser.get(address).text
    assert "1 person has headshots in another style" in page
    assert "1 of them has new ones to choose already" in page
    assert "kind=restyle" not in page, "there is nothing to make"
    person(org, shoot_id, "Older", State.APPROVED, old, chosen=0)
    page = browser.get(address).text
    assert "2 people have headshots in another style" in page
    assert f"/admin/people/act?kind=restyle&amp;shoot={shoot_id}" in page
    preview = browser.get(f"/admin/people/act?kind=restyle&shoot={shoot_id}").text
    assert "Making headshots again in the present style" in preview
    assert "Has one in this style to choose" in preview
    assert "kind=restyle" in browser.get("/admin/people").text


def test_the_picture_s_page_says_that_new_ones_wait_only_where_the_company_asked_for_them(
    org: UUID, shoot_id: UUID, styles: tuple[UUID, UUID], browser: Any
) -> None:
    old, new = styles
    part_id = person(org, shoot_id, "Ada", State.APPROVED, old, chosen=0)
    said = "New headshots in the present style wait"
    _, done = do_it(browser, org, f"kind=restyle&shoot={shoot_id}")
    assert done["counts"] == {"done": 1}
    # Who tries other photos on their own is not spoken of.
    own = person(org, shoot_id, "Own", State.READY, old, new, chosen=0)
    assert said not in browser.get(f"/admin/shoots/{shoot_id}/pictures/{part_id}").text, "they are being made"
    with transaction(org) as session:
        first = session.scalars(select(Headshot).where(Headshot.participation_id == part_id)).one()
        held = put(
            session, png("blue", 8), kind=Kind.HEADSHOT, media_type="image/png", member_id=first.member_id
        )
        made = Headshot(
            id=new_id(),
            org_id=org,
            participation_id=part_id,
            member_id=first.member_id,
            photo_id=first.photo_id,
            style_id=new,
            artifact_id=held.id,
            engine="studio",
            run=2,
            rank=0,
            seconds=1.0,
        )
        made.gates = {}
        session.add(made)
        session.get_one(Participation, part_id).state = State.READY
    page = browser.get(f"/admin/shoots/{shoot_id}/pictures/{part_id}").text
    assert said in page
    assert str(made.id) not in page, "nothing of what is not approved is shown"
    assert said not in browser.get(f"/admin/shoots/{shoot_id}/pictures/{own}").text
