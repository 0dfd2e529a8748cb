"""The question on a phone: all of it is seen at once."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import forget_process_state
from phones import HEIGHT, WIDTH, accept
from playwright.sync_api import BrowserContext

from core import formal
from core.db import transaction
from core.models import Organization, Shoot

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("stack")]


@pytest.mark.parametrize(
    ("regime", "language"),
    [("gdpr", "en"), ("gdpr", "de"), ("gdpr", "de-x-sie"), ("ccpa", "en"), ("texas", "en")],
)
@pytest.mark.parametrize("engine", ["studio", "wardrobe", "diffusion"])
def test_the_whole_question_is_on_one_screen(
    ada: Any,
    shoot: Shoot,
    phone: BrowserContext,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    regime: str,
    language: str,
) -> None:
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", "klein")
    forget_process_state()
    with transaction(ada.org_id) as session:
        session.get_one(Shoot, shoot.id).engine = engine
        organization = session.get_one(Organization, ada.org_id)
        organization.regime, organization.formal_german = regime, language == formal.SIE
    page = accept(ada, phone)
    page.goto(f"/me/consent?lang={formal.written(language)}")
    assert page.locator("[type=checkbox]").count() == {"studio": 2, "wardrobe": 3, "diffusion": 4}[engine]
    for part in ("#question", "#rather-not"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= HEIGHT, f"{part} ends at {box['y'] + box['height']:.0f}"
    # What it asks about is read on the next screen, all of it at once, and nothing has to be unfolded for that.
    promises = page.locator("#promises li")
    assert promises.count() == 5
    assert all(one.is_visible() for one in promises.all())
    whole = page.locator("#promises").bounding_box()
    assert whole is not None
    assert whole["height"] <= HEIGHT
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    for target in page.locator("#question button, #rather-not button, .choice").all():
        size = target.bounding_box()
        assert size is not None
        assert size["height"] >= 44
