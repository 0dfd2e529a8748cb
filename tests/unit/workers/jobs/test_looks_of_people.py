"""Whose look a worker loads beside a person: that of the style in which their headshots are made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation, add_shoot

from core import audit
from core.consent import Purpose
from core.db import transaction
from core.models import EngineName, Participation, Shoot, State, Style
from core.shoots import department_styles
from workers.jobs import generate


def test_the_look_is_that_of_the_department_s_style_and_read_once_for_all(
    org: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        add_participation(
            org,
            add_member(org, name, department=department),
            State.SUBMITTED,
            engine=EngineName.WARDROBE,
            purposes=(Purpose.PHOTO, Purpose.CLOTHES),
        )
        for name, department in (("Ada", "Sales"), ("Bo", "Sales"), ("Cy", "Research"))
    ]
    other = add_shoot(org).style_id
    with transaction(org) as session:
        shoot = session.get_one(Shoot, rows[0].shoot_id)
        for row in rows:
            session.get_one(Participation, row.id).shoot_id = shoot.id
        (sales,) = [key for key, name in department_styles.listed(session).items() if name == "Sales"]
        department_styles.choose(session, shoot, sales, session.get_one(Style, other), actor=audit.SYSTEM)
        usual = shoot.style_id
    opened: list[UUID] = []

    def look_of(_job: Any, _engine: Any, style_id: UUID) -> Any:
        opened.append(style_id)
        return style_id

    monkeypatch.setattr(generate, "_look_of", look_of)
    job: Any = SimpleNamespace(step=lambda: transaction(org))
    read: dict[UUID, Any] = {}
    with transaction(org) as session:
        of = {turn.participation_id: turn for turn in generate._turns(session, rows[0].shoot_id)}
    turns = [of[row.id] for row in rows]
    found = [generate._look(job, SimpleNamespace(), turn, read) for turn in turns]  # type: ignore[arg-type]
    assert found == [other, other, usual]
    assert opened == [other, usual]
