"""The brand studio in a real browser: what was typed stays, and what is wrong is marked."""

from __future__ import annotations

import re

import pytest
from browser.looks import examine
from browser.visitors import HrAdmin, Visitors
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("stack")


def test_the_studio_keeps_a_typed_name_and_marks_what_is_wrong(visitors: Visitors) -> None:
    hr = HrAdmin(visitors)
    hr.sign_in()
    page = hr.page
    page.goto("/admin/styles/new")
    preview = page.locator("#preview")
    expect(preview).to_have_attribute("src", re.compile("^blob:"))
    name = page.get_by_label("Name of the style")

    page.locator("#presets a", has_text="Outdoors").click()
    expect(name).to_have_value("Outdoors")  # nothing was typed, so the preset's own name comes along
    name.fill("Northwind portraits")
    page.locator("#presets a", has_text="Charcoal").click()
    expect(page.locator("#presets a[aria-current]")).to_have_text("Charcoal low-key")
    expect(name).to_have_value("Northwind portraits")
    page.locator("#presets a", has_text="Warm office").click()
    expect(page.locator("#presets a[aria-current]")).to_have_text("Warm office")
    expect(name).to_have_value("Northwind portraits")

    page.get_by_label("Put the company's logo on every file").check()
    visitors.expect_refusal(422, "/preview.jpg")
    page.locator("#logo_width").fill("0.3")
    expect(page.locator("#use_logo-error")).to_contain_text("would lie over the head")
    expect(page.locator("#use_logo")).to_have_attribute("aria-invalid", "true")
    page.locator("#logo_width").fill("0.12")
    expect(page.locator("#use_logo-error")).to_be_empty()
    expect(page.locator("#preview-status")).to_contain_text("A sample portrait")


def test_after_a_failed_save_the_preview_stays_and_the_summary_leads_to_the_field(visitors: Visitors) -> None:
    hr = HrAdmin(visitors)
    hr.sign_in()
    page = hr.page
    page.goto("/admin/styles/new?preset=charcoal")
    page.get_by_label("Name of the style").fill("Northwind portraits")
    page.get_by_label("Sizes of your own").fill("tiny 5x5")
    visitors.expect_refusal(422, "/preview.jpg")
    visitors.expect_refusal(422, "/admin/styles/new")
    page.get_by_role("button", name="Save the style").locator("visible=true").click()
    summary = page.locator("#summary")
    expect(summary).to_be_focused()
    expect(page.locator("#preview")).to_have_attribute("src", re.compile("^blob:"))
    expect(page.locator("#presets a[aria-current]")).to_have_text("Charcoal low-key")
    expect(summary.get_by_role("link")).to_have_count(1)
    assert examine(page) == []
    summary.get_by_role("link", name="Sizes of your own").press("Enter")
    expect(page.get_by_label("Sizes of your own")).to_be_focused()
    page.get_by_label("Sizes of your own").fill("")
    page.locator("#warmth").fill("0.1")
    expect(summary).to_have_count(0)


def test_the_button_that_saves_is_in_sight_on_a_laptop(visitors: Visitors) -> None:
    hr = HrAdmin(visitors)
    hr.sign_in()
    page = hr.page
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto("/admin/styles/new")
    expect(page.locator("#preview")).to_have_attribute("src", re.compile("^blob:"))
    save = page.get_by_role("button", name="Save the style").locator("visible=true").bounding_box()
    assert save is not None
    assert save["y"] + save["height"] <= 900
