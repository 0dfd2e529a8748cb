"""Filters of the list of people that a company keeps under names."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_shoot

from core import audit
from core.db import transaction
from core.models import Member
from core.people import facts, views
from core.people.facts import Fact
from core.people.views import LONGEST, MOST, View, ViewUnusable


def kept(org: UUID) -> tuple[View, ...]:
    with transaction(org) as session:
        return views.listed(session)


def test_a_filter_is_kept_found_again_and_removed(org: UUID, browser: Any) -> None:
    for name, department in (("Ada", "Sales"), ("Bea", "Law")):
        add_member(org, name, department=department)
    listed = browser.get("/admin/people").text
    assert "Keep as a view" not in listed, "everybody needs no view"
    key = listed.split(">Sales</option>")[0].rsplit('value="', 1)[1].rstrip('"')
    answer = browser.post("/admin/people/views", {"department": key, "view": "  Sales   team "}, json=False)
    assert answer.headers["Location"] == f"/admin/people?department={key}"
    assert [one.name for one in kept(org)] == ["Sales team"]
    shown = browser.get(answer.headers["Location"]).text
    assert ('aria-current="page">Sales team<' in shown, "Ada" in shown, "Bea" in shown) == (True, True, False)
    browser.post("/admin/people/views/remove", {"view": "Sales team"}, json=False)
    assert kept(org) == ()


def test_a_name_kept_again_replaces_what_it_meant(org: UUID, browser: Any) -> None:
    for said in ({"overdue": "1"}, {"access": "off"}):
        browser.post("/admin/people/views", {**said, "view": "Mine"}, json=False)
        browser.post("/admin/people/views", {**said, "view": "Other"}, json=False)
    assert kept(org) == (
        View(name="Mine", said={"access": "off"}),
        View(name="Other", said={"access": "off"}),
    )


@pytest.mark.parametrize(
    ("name", "said"), [("", {"access": "off"}), ("x" * (LONGEST + 1), {"access": "off"}), ("Mine", {})]
)
def test_what_cannot_be_kept_is_said(org: UUID, name: str, said: dict[str, str]) -> None:
    with pytest.raises(ViewUnusable), transaction(org) as session:
        views.keep(session, name, said)
    assert kept(org) == ()


def test_there_is_room_for_so_many(org: UUID) -> None:
    with transaction(org) as session:
        for number in range(MOST):
            views.keep(session, str(number), {"access": "off"})
        views.keep(session, "7", {"overdue": "1"})
        with pytest.raises(ViewUnusable, match="remove one"):
            views.keep(session, "one more", {"access": "off"})


@pytest.mark.parametrize("wrong", [{"state": "x"}, {"shoot": "no id"}, {"department": "00"}, {}])
def test_a_filter_that_finds_nothing_there_is_is_not_kept(
    org: UUID, browser: Any, wrong: dict[str, str]
) -> None:
    answer = browser.post("/admin/people/views", {**wrong, "view": "Mine"}, json=False)
    assert answer.status_code == 303
    assert kept(org) == ()


def test_a_view_names_nobody_who_was_searched_for(org: UUID, browser: Any) -> None:
    add_member(org, "Ada")
    found = browser.post("/admin/people", {"q": "Ada", "access": "uninvited"}, json=False).headers["Location"]
    page = browser.get(found).text
    assert 'name="search"' not in page.split("/admin/people/views")[1].split("</form>")[0]


def test_a_view_of_a_department_that_is_empty_now_says_so_and_can_be_removed(org: UUID, browser: Any) -> None:
    member = add_member(org, "Ada", department="Sales")
    key = browser.get("/admin/people").text.split(">Sales</option>")[0].rsplit('value="', 1)[1].rstrip('"')
    browser.post("/admin/people/views", {"department": key, "view": "Sales team"}, json=False)
    with transaction(org) as session:
        facts.change(
            session,
            session.get_one(Member, member.id),
            {Fact.DEPARTMENT: "Law"},
            by="admin",
            actor=audit.SYSTEM,
        )
    answer = browser.get(f"/admin/people?department={key}")
    assert answer.status_code == 422
    assert "Nobody is in this department any more." in answer.text
    assert "Remove this view" in answer.text
    assert "For all" not in answer.text, "nothing is done to anybody by it"


def test_a_tick_is_kept_as_a_tick_whatever_a_program_sends(org: UUID, browser: Any) -> None:
    browser.post("/admin/people/views", {"overdue": "x" * 100_000, "view": "Late"}, json=False)
    assert kept(org) == (View(name="Late", said={"overdue": "1"}),)


def test_an_id_is_kept_in_one_spelling_and_nothing_long_at_all(org: UUID, browser: Any) -> None:
    shoot = str(add_shoot(org).id)
    for number, said in enumerate(
        (f"urn:uuid:{shoot}", f"{{{shoot}}}", "-" * 100_000 + shoot, "x" * 100_000)
    ):
        answer = browser.post("/admin/people/views", {"shoot": said, "view": str(number)}, json=False)
        assert len(answer.headers["Location"]) < 200
    assert [one.said for one in kept(org)] == [{"shoot": shoot}] * 2
