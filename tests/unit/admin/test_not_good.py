"""HR reads why people did not like headshots, never who, and nothing where somebody would stand out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from conftest import add_shoot
from seen import add_seen

from core.clock import now
from core.db import transaction
from core.models import Headshot


def test_hr_reads_how_many_gave_a_reason_only_where_nobody_stands_out(org: UUID, browser: Any) -> None:
    shoot = add_shoot(org)
    seen = [add_seen(org, shoot, f"Person{number}") for number in range(12)]

    def say(number: int, code: str) -> None:
        with transaction(org) as session:
            row = session.get_one(Headshot, seen[number].id)
            row.rejected_code, row.rejected_at = code, now() - timedelta(days=1)

    for number in range(4):
        say(number, "hair")
    assert 'id="not-good"' not in browser.get(f"/admin/shoots/{shoot.id}").text
    for number in range(4, 7):
        say(number, "hair")
    say(8, "skin")
    page = browser.get(f"/admin/shoots/{shoot.id}").text
    told = page.split('id="not-good"')[1].split("</div>")[0]
    assert "Hair or edges: at least 5 people" in told
    assert "Skin" not in told
    assert "Person" not in told
    answer = browser.get(f"/admin/shoots/{shoot.id}", headers={"Accept": "application/json"})
    assert answer.json["not_good_because_at_least"] == {"hair": 5}
