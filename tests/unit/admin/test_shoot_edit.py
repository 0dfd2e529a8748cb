"""A shoot edited, opened again and copied."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from conftest import add_member, add_participation, add_shoot
from lxml import html
from sqlalchemy import select

from core import audit
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import AuditEvent, Invite, Member, Participation, Shoot, State, Style
from core.shoots import invites, reminding
from core.style.spec import StyleSpec
from workers.pipeline import assignment


def day(days: int) -> str:
    return (now() + timedelta(days=days)).date().isoformat()


def other_style(org: UUID) -> UUID:
    with transaction(org) as session:
        style = Style(
            id=new_id(), org_id=org, name="Other", spec=StyleSpec(name="Other").model_dump(mode="json")
        )
        session.add(style)
    return style.id


def test_name_style_deadline_and_file_names_change_together_or_not_at_all(org: UUID, browser: Any) -> None:
    part = add_participation(org, add_member(org), State.INVITED)
    address, style_id = f"/admin/shoots/{part.shoot_id}/edit", other_style(org)
    wanted = {
        "name": "Autumn",
        "style_id": str(style_id),
        "deadline": day(30),
        "file_name": "{last}_{first}.jpg",
    }
    refused = browser.post(address, {**wanted, "deadline": day(-3)}, json=False)
    assert refused.status_code == 422
    assert html.fromstring(refused.text).xpath("string(//input[@name='name']/@value)") == "Autumn"
    with transaction(org) as session:
        assert session.get_one(Shoot, part.shoot_id).name != "Autumn"
    answer = browser.post(address, wanted)
    assert answer.json["changed"] == ["name", "style", "file_name", "deadline"]
    assert browser.post(address, wanted).json["changed"] == []
    with transaction(org) as session:
        shoot = session.get_one(Shoot, part.shoot_id)
        assert (shoot.name, shoot.style_id, shoot.file_name) == ("Autumn", style_id, "{last}_{first}.jpg")
        assert shoot.deadline.date().isoformat() == day(30)
        assert session.get_one(Style, style_id).locked_at is not None
        assert assignment.style_of(session, part.id).name == "Other", "what is made next has the new style"
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.SHOOT_CHANGED))
        assert event.facts["changed"] == "name,style,file_name"


def test_a_shoot_opened_again_has_its_links_work_and_withdrawn_ones_stay_so(org: UUID, browser: Any) -> None:
    first, second = (add_participation(org, add_member(org, name)) for name in ("Ada", "Grace"))
    with transaction(org) as session:
        second = session.get_one(Participation, second.id)
        second.shoot_id = first.shoot_id
        session.flush()
        ids = [invites.create(session, one, actor=audit.SYSTEM).id for one in (first, second)]
        invites.revoke(session, second.id, actor=audit.SYSTEM)
    address = f"/admin/shoots/{first.shoot_id}"
    assert browser.post(f"{address}/reopen", {"deadline": day(9)}).status_code == 409
    browser.post(f"{address}/close")
    with transaction(org) as session:
        assert session.get_one(Invite, ids[0]).revoked_at is not None
    assert "Open the shoot again" in browser.get(f"{address}/edit").text
    assert browser.post(f"{address}/reopen", {"deadline": day(-1)}).status_code == 422
    answer = browser.post(f"{address}/reopen", {"deadline": day(9)})
    assert answer.json["links"] == 1
    with transaction(org) as session:
        shoot = session.get_one(Shoot, first.shoot_id)
        assert shoot.closed_at is None
        assert shoot.deadline.date().isoformat() == day(9)
        invite = invites.usable(session, ids[0])
        assert invite.expires_at == shoot.deadline
        assert session.get_one(Invite, ids[1]).revoked_at is not None
        assert invites.accept(session, invite).state == State.OPENED
        assert (
            reminding.remind_all(session, shoot, actor=audit.SYSTEM) == 0
        )  # both links are minutes old or withdrawn


def test_a_closed_shoot_takes_another_name_and_no_other_style(org: UUID, browser: Any) -> None:
    shoot = add_shoot(org)
    browser.post(f"/admin/shoots/{shoot.id}/close")
    style_id = other_style(org)
    address = f"/admin/shoots/{shoot.id}/edit"
    assert browser.post(address, {"name": "Done"}).json["changed"] == ["name"]
    assert browser.post(address, {"style_id": str(style_id)}).status_code == 409


def test_a_copy_begins_with_what_the_shoot_has_and_nobody_in_it(org: UUID, browser: Any) -> None:
    part = add_participation(org, add_member(org), State.INVITED)
    page = html.fromstring(browser.get(f"/admin/shoots/new?copy={part.shoot_id}").text)
    (form,) = [one for one in page.forms if "file_name" in one.fields]
    with transaction(org) as session:
        shoot = session.get_one(Shoot, part.shoot_id)
    assert form.fields["name"] == f"Copy of {shoot.name}"
    assert form.fields["style_id"] == str(shoot.style_id)
    answer = browser.post("/admin/shoots/new", {**dict(form.form_values()), "deadline": day(5)})
    assert answer.status_code == 200, answer.text
    with transaction(org) as session:
        copy = session.get_one(Shoot, UUID(answer.json["id"]))
        assert (copy.style_id, copy.engine, copy.file_name) == (shoot.style_id, shoot.engine, shoot.file_name)
        assert not session.scalars(select(Participation).where(Participation.shoot_id == copy.id)).all()


def keys(browser: Any, shoot_id: UUID) -> dict[str, str]:
    """Return what stands for each department that can be chosen."""
    tree = html.fromstring(browser.get(f"/admin/shoots/{shoot_id}/edit").text)
    return {
        one.text: one.get("value")
        for one in tree.xpath("//select[@id='department']/option")
        if one.get("value")
    }


def test_a_department_has_a_style_of_its_own_until_it_is_taken_away(org: UUID, browser: Any) -> None:
    part = add_participation(org, add_member(org, department="Sales"), State.INVITED)
    other = add_participation(org, add_member(org, "Grace", department="Research"), State.INVITED)
    with transaction(org) as session:
        session.get_one(Participation, other.id).shoot_id = part.shoot_id
    address, style_id = f"/admin/shoots/{part.shoot_id}/department-style", other_style(org)

    def made_in() -> tuple[bool, bool]:
        with transaction(org) as session:
            found = (assignment.style_row_of(session, one.id) for one in (part, other))
            first, second = (style.id == style_id for style in found)
            return first, second

    key = keys(browser, part.shoot_id)["Sales"]
    assert made_in() == (False, False)
    wanted = {"department": key, "style_id": str(style_id)}
    assert browser.post(address, wanted).json["changed"] is True
    assert browser.post(address, wanted).json["changed"] is False
    assert made_in() == (True, False)
    with transaction(org) as session:
        assert session.get_one(Style, style_id).locked_at is not None
        # Somebody who moves there has it from then on, however their list spells it.
        session.get_one(Member, other.member_id).department = " sales"
    assert made_in() == (True, True)
    with transaction(org) as session:
        assert "ales" not in str(session.get_one(Shoot, part.shoot_id).department_styles), "no name of one"
    page = html.fromstring(browser.get(f"/admin/shoots/{part.shoot_id}").text)
    assert "1 department has another" in page.text_content()
    with transaction(org) as session:
        for one in (part, other):
            session.get_one(Member, one.member_id).department = "Legal"
    edit = browser.get(f"/admin/shoots/{part.shoot_id}/edit").text
    assert "a department that nobody is in any more" in edit
    assert browser.post(address, {"department": key}).json["changed"] is True
    assert made_in() == (False, False)


def test_what_is_no_department_or_no_style_is_refused_and_changes_nothing(org: UUID, browser: Any) -> None:
    part = add_participation(org, add_member(org, department="Sales"), State.INVITED)
    address = f"/admin/shoots/{part.shoot_id}/department-style"
    key, style_id = keys(browser, part.shoot_id)["Sales"], other_style(org)
    for wanted, status in (
        ({"department": "Sales", "style_id": str(style_id)}, 422),  # a name, and not what stands for it
        ({"department": "", "style_id": str(style_id)}, 422),
        ({"department": key, "style_id": str(new_id())}, 404),
        ({"department": key, "style_id": "x"}, 422),
    ):
        assert browser.post(address, wanted).status_code == status
    browser.post(f"/admin/shoots/{part.shoot_id}/close")
    assert browser.post(address, {"department": key, "style_id": str(style_id)}).status_code == 409
    with transaction(org) as session:
        assert session.get_one(Shoot, part.shoot_id).department_styles == {}
