"""HR chooses days within what is allowed, beside what is held now; a bad number changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from lxml import html
from sqlalchemy import select

from core import audit
from core.db import transaction
from core.models import AuditEvent, Role
from core.people import organizations
from core.shoots import promises
from core.shoots.promises import Kept

DAYS = {"selfies": "14", "models": "14", "headshots": "60", "decliners": "30", "leavers": "90"}


def schedule(org: UUID) -> dict[Kept, int]:
    with transaction(org) as session:
        return promises.schedule(organizations.current(session))


def test_days_are_chosen_beside_what_is_held(org: UUID, signed_in: Callable[[Role], Any]) -> None:
    hr = signed_in(Role.HR_ADMIN)
    page = html.fromstring(hr.get("/admin/retention").text)
    assert {one.get("name"): one.get("value") for one in page.xpath("//input[@type='number']")} == {
        "selfies": "30",
        "models": "30",  # as selfies: what counts
        "headshots": "30",
        "decliners": "30",
        "leavers": "90",
    }
    assert len(page.xpath("//*[contains(text(), '0 held')]")) == len(Kept)
    assert hr.post("/admin/retention", DAYS).status_code == 200
    assert schedule(org) == {Kept(kept): int(days) for kept, days in DAYS.items()}
    with transaction(org) as session:
        told = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.RETENTION_CHANGED)).all()
    assert {event.facts["kept"] for event in told} == {"selfies", "models", "headshots"}
    assert {event.facts["version"] for event in told} == {2}, "one change, one version"


@pytest.mark.parametrize("bad", ["", "0", "-3", "2.5", "366", "1e2", "9" * 50, "١٢"])
def test_a_bad_number_changes_nothing_and_what_was_typed_stays(
    org: UUID, signed_in: Callable[[Role], Any], bad: str
) -> None:
    hr = signed_in(Role.HR_ADMIN)
    answer = hr.post("/admin/retention", {**DAYS, "leavers": bad}, json=False)
    assert answer.status_code == 422
    tree = html.fromstring(answer.text)
    assert "People who have left, with name and pictures: " in tree.xpath("string(//*[@role='alert'])")
    assert "Nothing was changed" in answer.text
    assert tree.xpath("//input[@aria-invalid]/@name") == ["leavers"]
    assert html.fromstring(answer.text).xpath("string(//input[@name='headshots']/@value)") == "60"
    assert schedule(org)[Kept.SELFIES] == 30


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR, Role.EMPLOYEE])
def test_nobody_else_chooses(org: UUID, signed_in: Callable[[Role], Any], role: Role) -> None:
    del org
    assert signed_in(role).get("/admin/retention").status_code in (302, 303, 403)
