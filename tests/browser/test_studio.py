"""The brand studio in a real browser: what was typed stays, and what is wrong is marked."""

from __future__ import annotations

import re

import pytest
from browser.visitors import HrAdmin, Visitors
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("browser")


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
