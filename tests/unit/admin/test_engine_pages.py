"""Choosing who makes the portraits, and what an admin is told about an image model's work."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation, forget_process_state
from lxml import html
from sqlalchemy import select

from core import gpu
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.models import EngineName, Participation, Shoot, State, Style
from core.portraits import adapters
from core.portraits.engines import Fallback


@pytest.fixture
def switched_on(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that has an image model."""
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", "klein")
    forget_process_state()


@pytest.fixture
def trained(org: UUID, switched_on: None) -> Participation:
    """Somebody in a shoot with an image model."""
    return add_participation(
        org, add_member(org), State.RENDERING, engine=EngineName.DIFFUSION, purposes=tuple(Purpose)
    )


def style_of(org: UUID) -> str:
    add_participation(org, add_member(org))  # brings a style
    with transaction(org) as session:
        return str(session.scalars(select(Style.id)).first())


def create(browser: Any, style_id: str, *, json: bool = True, **values: str) -> Any:
    deadline = (now() + timedelta(days=9)).date().isoformat()
    form = {"name": "Team", "style_id": style_id, "deadline": deadline, **values}
    return browser.post("/admin/shoots/new", form, json=json)


def radios(page: str) -> dict[str, Any]:
    return {one.get("value"): one for one in html.fromstring(page).xpath("//input[@name='engine']")}


def words_of(page: str, element_id: str) -> str:
    (element,) = html.fromstring(page).xpath(f"//*[@id='{element_id}']") or [None]
    return "" if element is None else " ".join(element.text_content().split())


def change(participation: Participation, **values: object) -> None:
    with transaction(participation.org_id) as session:
        row = session.get_one(Participation, participation.id)
        for name, value in values.items():
            setattr(row, name, value)


def test_without_an_image_model_only_the_studio_can_be_chosen(org: UUID, browser: Any) -> None:
    style_id = style_of(org)
    page = browser.get("/admin/shoots/new").text
    found = radios(page)
    assert found["studio"].get("checked") is not None
    assert found["diffusion"].get("disabled") is not None
    assert "Whoever runs this platform can add one" in words_of(page, "engine-diffusion")
    assert "HEADSHOTS_" not in page, "settings are nothing to who organises a shoot"
    refused = create(browser, style_id, engine="diffusion")
    assert refused.status_code == 422
    assert "no image model here" in refused.json["error"]["message"]
    assert create(browser, style_id, engine="magic").status_code == 422


def test_with_an_image_model_the_admin_chooses_and_the_studio_is_the_default(
    org: UUID, switched_on: None, browser: Any
) -> None:
    style_id = style_of(org)
    page = browser.get("/admin/shoots/new").text
    assert radios(page)["diffusion"].get("disabled") is None
    assert "one more consent" in words_of(page, "engine-diffusion")
    made = [create(browser, style_id).json["id"], create(browser, style_id, engine="diffusion").json["id"]]
    with transaction(org) as session:
        engines = [session.get_one(Shoot, UUID(one)).engine for one in made]
    assert engines == [EngineName.STUDIO, EngineName.DIFFUSION]
    assert "made by Image model" in browser.get(f"/admin/shoots/{made[1]}").text
    again = create(browser, style_id, json=False, name="", engine="diffusion")
    assert radios(again.text)["diffusion"].get("checked") is not None, "what was chosen is kept"


def test_shoot_says_whether_a_gpu_worker_runs(trained: Participation, browser: Any) -> None:
    address = f"/admin/shoots/{trained.shoot_id}"
    assert "No GPU worker is running" in words_of(browser.get(address).text, "gpu")
    gpu.report("one", 1, 8)
    gpu.report("two", 1, 8)
    assert words_of(browser.get(address).text, "gpu") == "2 GPU workers are running."


def test_shoot_of_a_model_that_was_switched_off_says_so(
    trained: Participation, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEADSHOTS_DIFFUSION_BASE")
    forget_process_state()
    page = browser.get(f"/admin/shoots/{trained.shoot_id}").text
    assert words_of(page, "gpu") == (
        "No image model is set up here. The studio makes everybody’s headshot from their own photo."
    )


def test_clothes_are_offered_only_where_the_model_paints_them(
    org: UUID, switched_on: None, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    style_id = style_of(org)
    assert radios(browser.get("/admin/shoots/new").text)["wardrobe"].get("disabled") is None
    shoot_id = create(browser, style_id, engine="wardrobe").json["id"]
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", "sdxl")
    forget_process_state()
    page = browser.get("/admin/shoots/new").text
    assert radios(page)["wardrobe"].get("disabled") is not None
    assert radios(page)["diffusion"].get("disabled") is None
    assert "does not paint clothes" in words_of(page, "engine-wardrobe")
    assert "does not paint clothes" in words_of(browser.get(f"/admin/shoots/{shoot_id}").text, "gpu")
    refused = create(browser, style_id, engine="wardrobe")
    assert refused.status_code == 422
    assert "does not paint clothes" in refused.json["error"]["message"]
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_INPAINT_MODEL", "/models/inpaint")
    forget_process_state()
    assert radios(browser.get("/admin/shoots/new").text)["wardrobe"].get("disabled") is None


def test_studio_shoot_says_nothing_of_gpus(org: UUID, browser: Any) -> None:
    row = add_participation(org, add_member(org))
    page = browser.get(f"/admin/shoots/{row.shoot_id}").text
    assert words_of(page, "gpu") == ""
    assert words_of(page, "cost") == ""


@pytest.mark.parametrize(
    ("seconds", "watt_hours", "expected"),
    [
        (90.0, None, "1 person, 1.5 GPU-minutes"),
        (90.0, 12.25, "1 person, 1.5 GPU-minutes, 12.2 Wh"),
        (21_960.0, 2_410.0, "1 person, 6.1 GPU-hours, 2.4 kWh"),
    ],
)
def test_cost_is_shown_in_fitting_units_and_energy_only_where_measured(
    trained: Participation, browser: Any, seconds: float, watt_hours: float | None, expected: str
) -> None:
    with transaction(trained.org_id) as session:
        adapters.spend(session, session.get_one(Participation, trained.id), seconds, watt_hours)
    address = f"/admin/shoots/{trained.shoot_id}"
    assert words_of(browser.get(address).text, "cost") == expected
    told = browser.get(address, headers={"Accept": "application/json"}).json
    assert told["engine"] == "diffusion"
    assert told["cost"] == {"people": 1, "gpu_seconds": seconds, "watt_hours": watt_hours}


def test_cost_counts_the_shoots_people_whoever_the_gpu_worked_for(
    org: UUID, trained: Participation, browser: Any
) -> None:
    refused = add_participation(org, add_member(org, "Grace"), State.READY, purposes=(Purpose.PHOTO,))
    change(refused, shoot_id=trained.shoot_id)
    with transaction(org) as session:
        adapters.spend(session, session.get_one(Participation, trained.id), 21_960.0, 40.0)
    page = browser.get(f"/admin/shoots/{trained.shoot_id}").text
    assert words_of(page, "cost") == "2 people, 6.1 GPU-hours, 40 Wh"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (Fallback.ENGINE_OFF, "No image model is set up here."),
        (Fallback.NO_GPU_WORKER, "No GPU worker ran for a day."),
        (Fallback.TOO_FEW_PASSED, "did not look enough like the person"),
        (Fallback.CLOTHES_OFF, "does not paint clothes"),
        (Fallback.CLOTHES, "painted clothes did not turn out well enough"),
        ("OutOfMemoryError", "did not work (OutOfMemoryError)"),
    ],
)
def test_admin_reads_what_went_wrong_in_a_shoot_and_not_for_whom(
    org: UUID, trained: Participation, browser: Any, code: str, reason: str
) -> None:
    other = add_participation(org, add_member(org, "Grace"), State.READY)
    change(other, shoot_id=trained.shoot_id)
    change(trained, state=State.READY, fallback_code=code)
    address = f"/admin/shoots/{trained.shoot_id}"
    page = browser.get(address).text
    assert reason in words_of(page, "failures")
    (people,) = html.fromstring(page).xpath("//table[contains(@class, 'people')]")
    assert reason not in people.text_content()
    told = browser.get(address, headers={"Accept": "application/json"}).json
    assert told["made_by_the_studio_because"] == [code]
    for row in (trained, other):
        assert "own photo" not in browser.get(f"/admin/people/{row.member_id}").text


@pytest.mark.parametrize("code", [Fallback.CONSENT, Fallback.NOT_COMPARED, Fallback.NOT_TRAINED])
def test_what_somebody_agreed_to_shows_nowhere_on_hrs_pages(
    trained: Participation, browser: Any, code: Fallback
) -> None:
    addresses = (f"/admin/shoots/{trained.shoot_id}", f"/admin/people/{trained.member_id}")

    def seen() -> list[str]:
        pages = [browser.get(one).text for one in addresses]
        pages.append(browser.get(addresses[0], headers={"Accept": "application/json"}).text)
        return [re.sub(r'(nonce|csrf_token" value|csrf)="[^"]*"', "", page) for page in pages]

    change(trained, state=State.READY)
    plain = seen()
    change(trained, fallback_code=code)
    assert seen() == plain
