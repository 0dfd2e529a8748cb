"""Filters of the list of people that a company keeps under names."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from conftest import add_member

from core.db import transaction
from core.people import views
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
