"""A headshot and its photo upon each other in a real browser: by keyboard, by finger, from right to left, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browser.looks import AXE, axe
from phones import HEIGHT, Line
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import update

from core.db import transaction
from core.models import EngineName, Headshot, Shoot, State

Opened = Callable[[BrowserContext], Page]

FACE = {"left": 0.3, "top": 0.2, "width": 0.4, "height": 0.4}


@pytest.fixture
def opened(ada: Any, shoot: Shoot, line: Line) -> Opened:
    """Ada's headshot looked at closely, in a browser of her own."""
    ada.accept().consent()
    ada.judge(ada.upload().json["id"], faces=[FACE])
    ada.fetch("/me/submit")
    headshot = ada.render(shoot)
    ada.set_state(State.READY)

    def open_(context: BrowserContext) -> Page:
        cookies = [
            {"name": one.decoded_key, "value": one.decoded_value, "url": line.address}
            for one in ada.browser._cookies.values()
        ]
        context.add_cookies(cookies)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"/me/result/{headshot}")
        return page

    return open_


def _shown_from(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.querySelector('#compare figure')).clipPath"))


def _scale(page: Page) -> float:
    return float(
        page.evaluate("new DOMMatrix(getComputedStyle(document.querySelector('#compare img')).transform).a")
    )


def _at(page: Page, axis: str) -> float:
    said = page.evaluate(f"document.querySelector('#compare').style.getPropertyValue('--{axis}')")
    return float(said.removesuffix("%"))


def test_a_labelled_slider_moves_between_photo_and_headshot(opened: Opened, phone: BrowserContext) -> None:
    page = opened(phone)
    slider = page.get_by_role("slider", name="Slide between your photo and the headshot")
    expect(slider).to_have_attribute("aria-valuetext", "50 per cent of the headshot")
    both = page.locator("#compare img")
    boxes = [both.nth(number).bounding_box() for number in range(2)]
    assert boxes[0] == boxes[1], "they lie upon each other"
    assert _shown_from(page) == "inset(0px 0px 0px 50%)"
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert _shown_from(page) == "inset(0px 0px 0px 51%)"
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "0 per cent of the headshot")
    page.evaluate(AXE)
    assert axe(page) == []


def test_a_finger_drags_the_line_from_right_to_left_too(opened: Opened, phone: BrowserContext) -> None:
    page = opened(phone)
    box = page.locator("#compare").bounding_box()
    assert box

    def drag(share: float) -> None:
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] / 2, y)
        page.mouse.down()
        page.mouse.move(box["x"] + share * box["width"], y, steps=3)
        page.mouse.up()

    drag(0.25)
    expect(page.locator("#slide")).to_have_value("25")
    assert _scale(page) == 1.0, "dragging is no tap"
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert _shown_from(page) == "inset(0px 25% 0px 0px)"
    drag(0.25)
    expect(page.locator("#slide")).to_have_value("75")


def test_one_tap_magnifies_what_is_tapped_and_another_shows_all(
    opened: Opened, phone: BrowserContext
) -> None:
    page = opened(phone)
    place = page.locator("#compare")
    place.click(position={"x": 90, "y": 120})
    assert _scale(page) == 2.5
    box = place.bounding_box()
    assert box
    assert _at(page, "x") == pytest.approx(100 * 90 / box["width"], abs=0.5)
    expect(page.get_by_role("status").filter(has_text="arrow keys")).to_be_visible()
    page.get_by_role("button", name="Show all of it").focus()
    before = _at(page, "y")
    page.keyboard.press("ArrowDown")
    assert _at(page, "y") > before
    page.keyboard.press("Escape")
    assert _scale(page) == 1.0
    page.get_by_role("button", name="Magnify").click()
    assert _scale(page) == 2.5
    place.click()
    assert _scale(page) == 1.0


def test_what_a_model_painted_stands_beside_a_photo_without_a_slider(
    opened: Opened, phone: BrowserContext, ada: Any
) -> None:
    with transaction(ada.org_id) as session:
        session.execute(update(Headshot).values(engine=EngineName.DIFFUSION))
    page = opened(phone)
    expect(page.get_by_role("slider")).to_have_count(0)
    page.locator("#compare img").first.click()
    assert _scale(page) == 2.5


def test_without_scripts_both_pictures_stand_side_by_side(
    opened: Opened, chromium: Browser, line: Line
) -> None:
    context = chromium.new_context(
        viewport={"width": 1440, "height": HEIGHT}, base_url=line.address, java_script_enabled=False
    )
    try:
        page = opened(context)
        expect(page.get_by_role("slider")).to_have_count(0)
        expect(page.get_by_role("button", name="Magnify")).to_have_count(0)
        first, second = (page.locator("#compare img").nth(number).bounding_box() for number in range(2))
        assert first
        assert second
        assert first["y"] == second["y"]
        assert second["x"] >= first["x"] + first["width"]
        page.get_by_role("link", name="Headshot 1").click()
        assert page.url.endswith("/view?close=1"), "each leads to the picture alone"
    finally:
        context.close()
