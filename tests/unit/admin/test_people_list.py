"""The list of people: filtered by address, counted, in the order of names in every script."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation
from lxml import html

from compliance import erasure
from compliance.erasure import ErasureReason
from core import audit
from core.clock import now
from core.db import transaction
from core.models import Member, Participation, Shoot, State
from core.people import access, facts, finding, listing
from core.people.facts import Fact
from core.people.filters import Filter


def listed(browser: Any, query: str = "") -> list[str]:
    answer = browser.get(f"/admin/people{query}", headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    return answer.json["people"]


def test_filters_find_by_one_and_the_same_shoot_and_stand_in_the_address(org: UUID, browser: Any) -> None:
    ada, grace, mary, rosa = (add_member(org, name, department=of) for name, of in
                              (("Ada", "Sales"), ("Grace", "Sales"), ("Mary", "R & D"), ("Rosa", "R & D")))  # fmt: skip
    first = add_participation(org, ada, State.INVITED)
    second = add_participation(org, grace, State.DECLINED)
    add_participation(org, ada, State.DECLINED)
    with transaction(org) as session:
        session.get_one(Participation, second.id).shoot_id = first.shoot_id
        shoot = session.get_one(Shoot, first.shoot_id)
        shoot.deadline = now() - timedelta(hours=1)
        access.disable(session, session.get_one(Member, rosa.id), actor=audit.SYSTEM)
    of = {name: str(one.id) for name, one in (("ada", ada), ("grace", grace), ("mary", mary), ("rosa", rosa))}
    assert listed(browser, "?state=declined") == [of["ada"], of["grace"]]
    assert listed(browser, f"?state=declined&shoot={first.shoot_id}") == [of["grace"]]
    assert listed(browser, f"?style={shoot.style_id}") == [of["ada"], of["grace"]]
    assert listed(browser, "?overdue=1") == [of["ada"]], "Grace has answered"
    assert listed(browser, "?access=off") == [of["rosa"]]
    assert listed(browser, "?unreached=1") == []
    answer = browser.post(
        "/admin/people", {"q": "exam", "state": "declined", "shoot": str(first.shoot_id)}, json=False
    )
    assert "state=declined" in answer.location
    assert "exam" not in answer.location
    page = browser.get(answer.location).text
    assert "1 person of 5" in page
    found = html.fromstring(browser.get("/admin/people").text)
    (key,) = found.xpath("//select[@name='department']/option[.='R & D']/@value")
    assert "R" not in key
    assert listed(browser, f"?department={key}") == [of["mary"], of["rosa"]]


def test_who_was_erased_is_counted_nowhere(org: UUID, browser: Any) -> None:
    gone, stays = (add_member(org, name, department="Sales") for name in ("Qxgone", "Qxstays"))
    row = add_participation(org, gone, State.OPENED)
    other = add_participation(org, stays, State.OPENED)
    with transaction(org) as session:
        session.get_one(Participation, other.id).shoot_id = row.shoot_id
        style = session.get_one(Shoot, row.shoot_id).style_id
        asked = [
            Filter(department="Sales"),
            Filter(words="qx"),
            Filter(state=State.OPENED),
            Filter(shoot_id=row.shoot_id),
            Filter(style_id=style),
            Filter(words="qx", shoot_id=row.shoot_id),
        ]
        assert [listing.count(session, one) for one in asked] == [2] * len(asked)
    with transaction(org) as session:
        erasure.request(
            session,
            session.get_one(Member, gone.id),
            reason=ErasureReason.SELF_SERVICE,
            actor=audit.SYSTEM,
            language="en",
        )
    with transaction(org) as session:
        assert [listing.count(session, one) for one in asked] == [1] * len(asked)
        assert [len(listing.page(session, one).people) for one in asked] == [1] * len(asked)


@pytest.mark.parametrize(
    "wrong",
    ["state=x", "access=x", "department=00", "shoot=x", "style=x", "state=declined&shoot=" + "0" * 32],
)
def test_an_address_that_asks_for_nothing_there_is_answers_without_breaking(
    org: UUID, browser: Any, wrong: str
) -> None:
    assert browser.get(f"/admin/people?{wrong}").status_code in (200, 422)


def test_names_stand_in_the_order_of_their_letters_and_are_found_without_accents(org: UUID) -> None:
    wanted = [
        "Ahrens",
        "Ångström",
        "Özdemir",
        "Pérez",
        "Straße",
        "Stratmann",
        "łukasz",
        "Zoë",
        "Ґалаґан",
        "Иванов",
    ]
    order = [
        "Ahrens",
        "Ångström",
        "łukasz",
        "Özdemir",
        "Pérez",
        "Straße",
        "Stratmann",
        "Zoë",
        "Иванов",
        "Ґалаґан",
    ]
    for number, name in enumerate(wanted):
        member = add_member(org, "Kim", email=f"kim{number}@acme.example")
        with transaction(org) as session:
            facts.change(
                session,
                session.get_one(Member, member.id),
                {Fact.LAST_NAME: name},
                by="admin",
                actor=audit.SYSTEM,
            )
    with transaction(org) as session:
        names = [one.last_name for one in session.query(Member).order_by(*finding.ORDER)]
        assert names == order
        for words, found in (
            ("angstrom", "Ångström"),
            ("Aangstroem", "Ångström"),
            ("Oezdemir", "Özdemir"),
            ("STRASSE", "Straße"),
            ("иванов", "Иванов"),
            ("LUKASZ", "łukasz"),
        ):
            assert [one.last_name for one in session.query(Member).filter(finding.matches(words))] == [found]


def test_a_name_is_found_however_a_keyboard_writes_its_letters(org: UUID) -> None:
    names = ("Grünauer", "Müller-Bauer", "Bauernschläger", "Ærø", "Oezdemir", "Jolanda Größe")
    for number, name in enumerate(names):
        member = add_member(org, "Kim", email=f"kim{number}@acme.example")
        with transaction(org) as session:
            facts.change(
                session,
                session.get_one(Member, member.id),
                {Fact.LAST_NAME: name},
                by="admin",
                actor=audit.SYSTEM,
            )
    with transaction(org) as session:
        for words, found in (
            ("Gruenauer", ["Grünauer"]),
            ("Mueller-Bauer", ["Müller-Bauer"]),
            ("Bauernschlaeger", ["Bauernschläger"]),
            ("Aeroe", ["Ærø"]),
            ("Özdemir", ["Oezdemir"]),
            ("joel", []),
        ):
            assert [one.last_name for one in session.query(Member).filter(finding.matches(words))] == found
