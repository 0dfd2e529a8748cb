"""HR sets the rule for new photos, and sees how many people it would invite before it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_shoot
from lxml import html

from core.db import transaction
from core.models import Role
from core.people import organizations
from core.shoots import renewal


def given(org: UUID, **values: str) -> dict[str, str]:
    """A form with joiners ticked."""
    like = str(add_shoot(org).id)
    return {"name": "Team", "like": like, "joiners": "1", "wait": "0", "months": "24", "days": "21"} | values


def rule(org: UUID) -> renewal.Rule | None:
    with transaction(org) as session:
        return renewal.rule_of(session)


def test_it_says_how_many_people_before_it_is_saved(org: UUID, signed_in: Callable[[Role], Any]) -> None:
    hr = signed_in(Role.HR_ADMIN)
    add_member(org, "Joiner")
    form = given(org)
    asked = html.fromstring(hr.post("/admin/renewal", form, json=False).text)
    assert "1 person is due now" in asked.xpath("string(//*[@id='due'])")
    assert rule(org) is None, "nothing is changed before the number was confirmed"
    assert asked.xpath("string(//input[@name='name']/@value)") == "Team", "what was typed stays"
    wrong = hr.post("/admin/renewal", {**form, "confirmed": "7"})
    assert (wrong.status_code, rule(org)) == (409, None)
    (number,) = asked.xpath("//input[@name='confirmed']/@value")
    assert hr.post("/admin/renewal", {**form, "confirmed": number}).json["due"] == 1
    kept = rule(org)
    assert kept is not None
    assert (kept.joiners, kept.months) == (True, renewal.NEVER)
    page = html.fromstring(hr.get("/admin/renewal").text)
    assert "1 person is due by the rule" in page.xpath("string(//*[@id='now'])")


def test_both_unticked_asks_nobody_any_more(org: UUID, signed_in: Callable[[Role], Any]) -> None:
    hr = signed_in(Role.HR_ADMIN)
    form = given(org, wait="30")  # so that the one who is signed in, and nobody else, is due
    assert hr.post("/admin/renewal", form).status_code == 200
    assert rule(org) is not None
    del form["joiners"]
    assert "Nobody is asked" in hr.post("/admin/renewal", form).json["message"]
    assert rule(org) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [("wait", "-1"), ("wait", "١"), ("days", "9" * 40), ("days", "1"), ("like", "x"), ("name", "")],
)
def test_a_bad_field_is_named_and_nothing_is_changed(
    org: UUID, signed_in: Callable[[Role], Any], field: str, value: str
) -> None:
    answer = signed_in(Role.HR_ADMIN).post("/admin/renewal", given(org, **{field: value}), json=False)
    assert answer.status_code == 422
    assert html.fromstring(answer.text).xpath("//*[@aria-invalid]/@name") == [field]
    assert rule(org) is None


def test_another_company_s_shoot_is_none(org: UUID, signed_in: Callable[[Role], Any]) -> None:
    other = organizations.create("other", "Other")
    form = given(org, like=str(add_shoot(other).id))
    assert signed_in(Role.HR_ADMIN).post("/admin/renewal", form).status_code == 404


def test_without_a_shoot_it_says_what_to_do_first(org: UUID, signed_in: Callable[[Role], Any]) -> None:
    assert "First create a shoot" in signed_in(Role.HR_ADMIN).get("/admin/renewal").text


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR, Role.EMPLOYEE])
def test_others_may_not(org: UUID, signed_in: Callable[[Role], Any], role: Role) -> None:
    assert signed_in(role).get("/admin/renewal").status_code == 403
