"""The portal in Chromium on a phone, without workers: what is seen, what is sent, what a bad connection does."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from browser.conftest import FLAGS
from conftest import forget_process_state
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

from core.db import transaction
from core.models import Organization, Shoot

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("stack")]

WIDTH, HEIGHT = 390, 844  # CSS pixels of the most common phones


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, or Playwright's own where the system has none."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def site(portal: Flask) -> Iterator[str]:
    """The portal on a port of its own."""
    server = make_server("127.0.0.1", 0, portal, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def phone(chromium: Browser, site: str) -> Iterator[BrowserContext]:
    """A phone that has opened nothing yet."""
    context = chromium.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, base_url=site, locale="en-GB", reduced_motion="reduce"
    )
    yield context
    context.close()


def accept(person: Any, phone: BrowserContext) -> Page:
    """Open the link and start."""
    page = phone.new_page()
    page.goto(person.link())
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/me/consent")
    return page


@pytest.mark.parametrize(
    ("regime", "language"), [("gdpr", "en"), ("gdpr", "de"), ("ccpa", "en"), ("bipa", "en")]
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
        session.get_one(Organization, ada.org_id).regime = regime
    page = accept(ada, phone)
    page.goto(f"/me/consent?lang={language}")
    assert page.locator("[type=checkbox]").count() == {"studio": 2, "wardrobe": 3, "diffusion": 4}[engine]
    for part in ("#question", "#rather-not"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= HEIGHT, f"{part} ends at {box['y'] + box['height']:.0f}"
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    for target in page.locator("#question button, #rather-not button, .choice").all():
        size = target.bounding_box()
        assert size is not None
        assert size["height"] >= 44
