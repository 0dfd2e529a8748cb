"""One person by hand: added, invited and corrected, with sealed names, directory, links and log in step."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from conftest import add_member, add_participation, add_shoot
from sqlalchemy import func, select

from core import audit
from core.clock import now
from core.db import transaction
from core.models import AuditEvent, Invite, Member, Outbox, Participation, SignInMethod, State, WebSession
from core.people import access, sessions
from core.queue import JobName
from core.shoots import invites
from core.vault import names, vault

GRACE = {
    "first_name": "Grace",
    "last_name": "Hopper",
    "email": "grace@acme.example",
    "employee_id": "E7",
    "department": "Navy",
    "place": "US-IL",
    "language": "de",
}


def sealed_names(org: UUID, member: Member) -> names.Names:
    key = vault().keys.living([member.id])[member.id]
    assert member.sealed is not None
    return names.opened(org, member.id, member.sealed, key)


def test_somebody_added_by_the_form_is_kept_sealed_and_invited_to_the_chosen_shoot(
    org: UUID, browser: Any
) -> None:
    shoot_id = add_participation(org, add_member(org, "Ada")).shoot_id
    answer = browser.post("/admin/people/new", {**GRACE, "shoot": str(shoot_id)})
    assert answer.status_code == 200, answer.text
    with transaction(org) as session:
        grace = session.get_one(Member, UUID(answer.json["id"]))
        for name in ("first_name", "email", "employee_id", "department", "place"):
            assert getattr(grace, name) == sealed_names(org, grace)[name] == GRACE[name]
        part = session.scalars(select(Participation).where(Participation.member_id == grace.id)).one()
        invite = session.scalars(select(Invite).where(Invite.participation_id == part.id)).one()
        assert (part.shoot_id, part.state, grace.language) == (shoot_id, State.INVITED, "de")
        owed = session.scalars(select(Outbox.subject_id).where(Outbox.job == JobName.INVITE_MAIL)).all()
        assert invite.id in owed
    assert "Illinois" in browser.get(f"/admin/people/{grace.id}").text


def test_what_cannot_be_written_down_is_marked_beside_its_field_and_nobody_is_added(
    org: UUID, browser: Any
) -> None:
    add_member(org, "Ada", employee_id="E7")
    for wrong, field in (
        ({"email": "grace"}, "email"),
        ({"email": "ada@acme.example"}, "email"),
        ({"employee_id": "E7"}, "employee_id"),
        ({"first_name": "", "last_name": ""}, "first_name"),
        ({"first_name": "=cmd()"}, ""),
        ({"place": "XX"}, "place"),
    ):
        page = browser.post("/admin/people/new", {**GRACE, "employee_id": "", **wrong}, json=False)
        assert page.status_code in (409, 422), wrong
        assert 'role="alert"' in page.text
        assert (f'id="{field}" name="{field}"' in page.text) == bool(field)
        assert page.text.count('class="field bad"') == bool(field), wrong
    with transaction(org) as session:
        assert session.scalar(select(func.count()).select_from(Member)) == 2  # Ada and who is signed in


def test_a_correction_changes_directory_and_sealed_names_and_the_log_says_which(
    org: UUID, browser: Any
) -> None:
    ada = add_member(org, "Ada", department="Sales")
    answer = browser.post(f"/admin/people/{ada.id}/facts", {"department": "Research", "last_name": "King"})
    assert answer.json["changed"] == ["last_name", "department"]
    assert browser.post(f"/admin/people/{ada.id}/facts", {"department": "Research"}).json["changed"] == []
    with transaction(org) as session:
        row = session.get_one(Member, ada.id)
        assert (row.first_name, row.last_name, row.department) == ("Ada", "King", "Research")
        kept = sealed_names(org, row)
        assert (kept["first_name"], kept["last_name"], kept["department"]) == ("Ada", "King", "Research")
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.MEMBER_FACTS_CHANGED))
        assert event.facts == {"changed": "last_name,department", "by": "admin"}
        assert event.subject_id == ada.id
        assert b"King" not in event.leaf


def test_links_and_sessions_of_the_old_address_end_and_a_new_link_goes_to_the_new_one(
    org: UUID, browser: Any
) -> None:
    ada = add_member(org, "Ada")
    part = add_participation(org, ada, State.OPENED)
    done = add_participation(org, ada, State.DECLINED)
    with transaction(org) as session:
        old = [invites.create(session, one, actor=audit.SYSTEM).id for one in (part, done)]
        sessions.start(session, session.get_one(Member, ada.id), SignInMethod.INVITE, participation=part)
    answer = browser.post(f"/admin/people/{ada.id}/facts", {"email": "ada.king@acme.example"})
    assert (answer.json["changed"], answer.json["links"]) == (["email"], 1)
    with transaction(org) as session:
        assert all(session.get_one(Invite, one).revoked_at for one in old)
        (new,) = session.scalars(select(Invite).where(Invite.revoked_at.is_(None)))
        assert (new.participation_id, new.id in old) == (part.id, False)
        assert (
            session.scalars(select(WebSession.ended_at).where(WebSession.member_id == ada.id)).one() <= now()
        )


def test_an_address_of_somebody_else_is_refused_and_everything_stays(org: UUID, browser: Any) -> None:
    ada = add_member(org, "Ada")
    add_member(org, "Grace")
    page = browser.post(
        f"/admin/people/{ada.id}/facts", {"email": "GRACE@acme.example", "department": "Lost"}, json=False
    )
    assert page.status_code == 409
    assert "Somebody else of your company has this address" in page.text
    with transaction(org) as session:
        row = session.get_one(Member, ada.id)
        assert (row.email, row.department) == ("ada@acme.example", None)


def test_somebody_in_no_shoot_is_invited_from_their_page_once_and_nobody_without_access(
    org: UUID, browser: Any
) -> None:
    ada, shoot = add_member(org, "Ada"), add_shoot(org)
    page = f"/admin/people/{ada.id}"
    shown = browser.get(page).text
    assert f'action="{page}/invite"' in shown
    assert "Correct and send again" not in shown, "nothing was sent"
    with transaction(org) as session:
        access.disable(session, session.get_one(Member, ada.id), actor=audit.SYSTEM)
    assert browser.post(f"{page}/invite", {"to": str(shoot.id)}).json["error"]["code"] == "not_invitable"
    assert "/invite" not in browser.get(page).text
    with transaction(org) as session:
        access.enable(session, session.get_one(Member, ada.id), actor=audit.SYSTEM)
    assert browser.post(f"{page}/invite", {"to": str(shoot.id)}).status_code == 200
    assert browser.post(f"{page}/invite", {"to": str(shoot.id)}).status_code == 409
    with transaction(org) as session:
        part = session.scalars(select(Participation).where(Participation.member_id == ada.id)).one()
        assert session.scalars(select(Invite).where(Invite.participation_id == part.id)).one()
    shown = browser.get(page).text
    assert "/invite" not in shown
    assert "Correct and send again" in shown


def test_who_has_no_access_is_not_waited_for_and_offered_no_new_link(org: UUID, browser: Any) -> None:
    ada = add_member(org, "Ada")
    part = add_participation(org, ada, State.INVITED)
    page = f"/admin/shoots/{part.shoot_id}"
    assert f"/people/{part.id}/resend" in browser.get(page).text
    assert "A reminder helps." in browser.get(page).text
    with transaction(org) as session:
        access.disable(session, session.get_one(Member, ada.id), actor=audit.SYSTEM)
    shown = browser.get(page).text
    assert f"/people/{part.id}/resend" not in shown
    assert "A reminder helps." not in shown
    assert "Access is switched off" in shown
    counted = browser.get(f"{page}/counts.json").json
    assert (counted["total"], counted["can_finish"]) == (1, 0)
