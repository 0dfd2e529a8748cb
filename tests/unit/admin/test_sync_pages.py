"""A list of everybody, followed: joiners, movers and leavers, looked at and applied by tick."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation, add_shoot
from lxml import html
from sqlalchemy import select
from work import do_jobs

from compliance import erasure
from core import audit
from core.clock import now
from core.db import transaction
from core.models import Artifact, AuditEvent, BulkAction, Invite, Member, Participation, Role, State
from core.people import access, sync
from core.people.facts import Fact
from core.people.sync import Entry
from core.queue import JobName
from core.shoots import invites, syncs

LIST = """email,first name,last name,employee id,department
ada@acme.example,Ada,King,E1,Research
grace.hopper@acme.example,Grace,Example,E2,
emmy@acme.example,Emmy,Noether,E9,Research
not an address,Lise,Example,E4,
"""


@pytest.fixture
def company(org: UUID) -> dict[str, UUID]:
    """Ada, Grace, Mary, Lise and Rosa, who work here."""
    people = {
        name: add_member(org, name, employee_id=number, department=department)
        for name, number, department in (
            ("Ada", "E1", "Sales"),
            ("Grace", "E2", "Navy"),
            ("Mary", "E3", "Sales"),
            ("Lise", "E4", "Physics"),
            ("Rosa", "E5", "Sales"),
        )
    }
    with transaction(org) as session:
        access.disable(session, session.get_one(Member, people["Rosa"].id), actor=audit.SYSTEM)
    return {name: one.id for name, one in people.items()}


def sent(browser: Any, text: str = LIST) -> dict[str, Any]:
    answer = browser.post("/admin/people/sync", {"roster": (io.BytesIO(text.encode()), "everybody.csv")})
    assert answer.status_code == 200, answer.text
    return answer.json


def facts_of(org: UUID, member_id: UUID) -> tuple[Any, ...]:
    with transaction(org) as session:
        row = session.get_one(Member, member_id)
        return (row.email, row.last_name, row.department, row.disabled_at is not None)


def test_the_dry_run_tells_joiners_movers_and_leavers_and_changes_nothing(
    org: UUID, company: dict[str, UUID], browser: Any
) -> None:
    found = sent(browser)
    # Lise's row cannot be read, and is no reason to take her for somebody who left; nor is Rosa, who is out already.
    assert found["counts"] == {
        "join": 1, "move": 2, "leave": 1, "unchanged": 0, "off": 0, "unclear": 0, "unusable": 1
    }  # fmt: skip
    shown = html.fromstring(browser.get(f"{found['next']}?show=move").text)
    rows = [
        " ".join(" ".join(row.itertext()).split())
        for row in shown.xpath("//table[contains(@class, 'rows')]/tbody/tr")
    ]
    assert rows == [
        "2 Ada Example Last name: Example → King Department: Sales → Research",
        "3 Grace Example Email: grace@acme.example → grace.hopper@acme.example",
    ]
    assert "mary@acme.example" in browser.get(f"{found['next']}?show=leave").text
    assert facts_of(org, company["Ada"]) == ("ada@acme.example", "Example", "Sales", False)


def test_ticked_groups_are_applied_by_a_job_with_a_result_for_each_and_the_rest_stays(
    org: UUID, company: dict[str, UUID], browser: Any
) -> None:
    shoot = add_shoot(org)
    grace = add_participation(org, _member(org, company["Grace"]), State.INVITED)
    with transaction(org) as session:
        old = invites.create(session, grace, actor=audit.SYSTEM).id
    found = sent(browser)
    counted = {f"count-{name}": str(found["counts"][name]) for name in ("join", "move", "leave")}
    said = {**counted, "tick": ["join", "move"], "shoot": str(shoot.id)}
    answer = browser.post(found["next"], said)
    assert answer.status_code == 200, answer.text
    assert browser.post(found["next"], said).json["action"] == answer.json["action"], "a second click"
    assert browser.get(answer.json["next"], headers={"Accept": "application/json"}).json["percent"] == 0
    do_jobs(org, JobName.BULK)
    done = browser.get(answer.json["next"], headers={"Accept": "application/json"}).json
    assert (done["counts"], done["percent"]) == ({"joined": 1, "changed": 2}, 100)
    assert "Emmy Noether" in browser.get(answer.json["next"]).text
    assert facts_of(org, company["Ada"]) == ("ada@acme.example", "King", "Research", False)
    # The list says no department of Grace: what is missing changes nothing.
    assert facts_of(org, company["Grace"]) == ("grace.hopper@acme.example", "Example", "Navy", False)
    assert not facts_of(org, company["Mary"])[3], "leavers were not ticked"
    with transaction(org) as session:
        emmy = session.scalars(select(Member).where(Member.email == "emmy@acme.example")).one()
        assert (
            session.scalars(select(Participation.shoot_id).where(Participation.member_id == emmy.id)).one()
            == shoot.id
        )
        links = session.scalars(select(Invite).where(Invite.participation_id == grace.id)).all()
        assert [(one.id == old, one.revoked_at is None) for one in links] == [(True, False), (False, True)]
        assert session.get_one(Artifact, UUID(found["import"])).delete_requested_at is not None
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.ROSTER_FOLLOWED))
        assert event.facts == {"joined": 1, "changed": 2, "left": 0}


def test_leavers_lose_access_only_when_their_number_was_typed_and_is_still_right(
    org: UUID, company: dict[str, UUID], browser: Any
) -> None:
    found = sent(browser)
    said = {"tick": "leave", "count-leave": "1", "leavers": found["leavers"]}
    for typed in ({}, {"confirmation": "2"}):
        page = browser.post(found["next"], {**said, **typed}, json=False)
        assert page.status_code == 422
        assert "type how many they are" in page.text
    joan = add_member(org, "Joan", employee_id="E7").id
    assert browser.post(found["next"], {**said, "confirmation": "1"}).status_code == 409, "Joan is one more"
    with transaction(org) as session:
        access.disable(session, session.get_one(Member, joan), actor=audit.SYSTEM)
        session.get_one(Member, company["Rosa"]).disabled_at = None
        session.get_one(Member, company["Mary"]).disabled_at = now()
    assert browser.post(found["next"], {**said, "confirmation": "1"}).status_code == 409, (
        "as many, and another"
    )
    with transaction(org) as session:
        session.get_one(Member, company["Mary"]).disabled_at = None
    seen = browser.get(found["next"], headers={"Accept": "application/json"}).json["leavers"]
    said = {"tick": "leave", "count-leave": "2", "confirmation": "2", "leavers": seen}
    answer = browser.post(found["next"], said)
    do_jobs(org, JobName.BULK)
    assert facts_of(org, company["Mary"])[3]
    assert not facts_of(org, company["Lise"])[3]
    with transaction(org) as session:
        assert session.get_one(BulkAction, UUID(answer.json["action"])).finished_at is not None
        staff = session.scalars(select(Member).where(Member.role == Role.HR_ADMIN)).one()
        assert staff.disabled_at is None, "who works in these pages is never a leaver of a list"


def test_a_leaver_who_was_unticked_stays_and_the_number_to_type_follows(
    org: UUID, company: dict[str, UUID], browser: Any
) -> None:
    joan = add_member(org, "Joan")
    found = sent(browser)
    page = html.fromstring(browser.get(f"{found['next']}?show=leave").text)
    ticked = page.xpath("//input[@form='apply'][@name='leaver'][@checked]/@value")
    assert sorted(ticked) == sorted([str(joan.id), str(company["Mary"])])
    (shown,) = page.xpath("//input[@form='apply'][@name='shown']/@value")
    said = {
        "tick": "leave",
        "count-leave": "2",
        "leavers": found["leavers"],
        "shown": shown,
        "leaver": str(company["Mary"]),
    }
    again = browser.post(f"{found['next']}?show=leave", {**said, "confirmation": "2"}, json=False)
    assert again.status_code == 422
    page = html.fromstring(again.text)
    assert page.xpath("//input[@name='leaver'][@checked]/@value") == [str(company["Mary"])]
    assert page.xpath("string(//output)") == "1"
    answer = browser.post(found["next"], {**said, "confirmation": "1"})
    assert answer.status_code == 200, answer.text
    do_jobs(org, JobName.BULK)
    assert facts_of(org, company["Mary"])[3]
    assert not facts_of(org, joan.id)[3]
    done = browser.get(answer.json["next"], headers={"Accept": "application/json"}).json
    assert (done["counts"], done["total"]) == ({"left": 1}, 1)


def test_whom_address_and_number_say_to_be_two_people_is_unclear_and_neither_is_a_leaver(
    org: UUID, company: dict[str, UUID]
) -> None:
    rows = [
        Entry(1, {Fact.EMAIL: "ada@acme.example", Fact.EMPLOYEE_ID: "E3"}),
        Entry(2, {Fact.EMAIL: "GRACE@acme.example", Fact.FIRST_NAME: "Grace"}),
        Entry(3, {Fact.EMAIL: "other@acme.example", Fact.EMPLOYEE_ID: "E2"}),
    ]
    with transaction(org) as session:
        plan = sync.plan(session, rows)
    assert [one.line for one in plan.unclear] == [1, 3]
    assert (plan.unchanged, plan.joiners, plan.movers) == (1, [], [])
    assert [one.id for one in plan.leavers] == [company["Lise"]]
    assert syncs.counts(plan)[syncs.Group.LEAVE] == 1


def _member(org: UUID, member_id: UUID) -> Member:
    with transaction(org) as session:
        return session.get_one(Member, member_id)


def test_a_reading_of_a_header_is_remembered_for_the_company_once_it_was_confirmed(
    org: UUID, company: dict[str, UUID], browser: Any
) -> None:
    text = "Kontakt,Wer,Wo\nada@acme.example,Ada Example,Research\n"
    first = sent(browser, text)
    assert first["asks"] == "columns"
    reading = "header=yes&email=0&full_name=1&department=2"
    looked = browser.get(f"{first['next']}?{reading}", headers={"Accept": "application/json"}).json
    assert looked["counts"]["move"] == 1
    said = dict(one.split("=") for one in reading.split("&")) | {"tick": "move", "count-move": "1"}
    assert browser.post(first["next"], said).status_code == 200
    do_jobs(org, JobName.BULK)
    assert facts_of(org, company["Ada"])[2] == "Research"
    again = sent(browser, text)
    assert (again["asks"], again["counts"]["unchanged"]) == (None, 1)
    assert "as you read such a list before" in browser.get(again["next"]).text


def test_nobody_is_taken_for_a_leaver_who_was_added_since_it_was_confirmed(
    org: UUID, company: dict[str, UUID], browser: Any
) -> None:
    june = add_member(org, "June").id
    found = sent(browser)
    answer = browser.post(
        found["next"], {"tick": "leave", "count-leave": "2", "confirmation": "2", "leavers": found["leavers"]}
    )
    joan = add_member(org, "Joan").id
    with transaction(org) as session:
        session.get_one(Member, june).role = Role.HR_ADMIN
    do_jobs(org, JobName.BULK)
    assert [facts_of(org, one)[3] for one in (company["Mary"], june, joan)] == [True, False, False]
    done = browser.get(answer.json["next"], headers={"Accept": "application/json"}).json
    assert (done["counts"], done["percent"]) == ({"left": 1, "staff": 1}, 100)


def test_who_is_erased_while_a_list_is_followed_is_not_added_anew_from_it(
    org: UUID, company: dict[str, UUID], browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sent(browser)
    answer = browser.post(found["next"], {"tick": ["join", "move"], "count-join": "1", "count-move": "2"})
    go_on = syncs.go_on

    def meanwhile(session: Any, action_id: UUID, rows: Any) -> bool:
        monkeypatch.setattr(syncs, "go_on", go_on)
        with transaction(org) as other:
            ada = other.get_one(Member, company["Ada"])
            erasure.request(
                other, ada, reason=erasure.ErasureReason.SELF_SERVICE, actor=audit.SYSTEM, language="en"
            )
        return go_on(session, action_id, rows)

    monkeypatch.setattr(syncs, "go_on", meanwhile)
    do_jobs(org, JobName.BULK)
    with transaction(org) as session:
        assert session.scalars(select(Member).where(Member.email == "ada@acme.example")).all() == []
    assert "every list that may name them" in browser.get(answer.json["next"]).text
