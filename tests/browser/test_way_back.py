"""The way back in a browser: from what a list led to, to the list as it was searched and filtered."""

from __future__ import annotations

import re

import pytest
from browser.visitors import HrAdmin, Visitors
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("stack")]

DOMAIN = "back.example"
ROWS = [f"{name}@{DOMAIN},{name.capitalize()},Wayback,B{name},Pages" for name in ("kit", "lia", "moe")]


@pytest.fixture(scope="module")
def hr(visitors: Visitors) -> tuple[HrAdmin, str]:
    """HR with a shoot, on the dry run of its first list."""
    hr = HrAdmin(visitors)
    hr.sign_in()
    hr.save_style("Style of the way back")
    return hr, hr.create_shoot("Portraits for the way back")


def names(page: Page) -> list[str]:
    """Return the first names of our people that a list shows."""
    text = page.locator("main table").inner_text() if page.locator("main table").count() else ""
    return [name for name in ("Kit", "Lia", "Moe") if f"{name} Wayback" in text]


def back(page: Page) -> None:
    """Go back as its button does: what a form led to would be an error here."""
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_way_back_leads_to_every_list_as_it_was(visitors: Visitors, hr: tuple[HrAdmin, str]) -> None:
    admin, shoot = hr
    page = admin.page
    admin.check_list(shoot, [*ROWS, "nobody@,No,Body,B9,Pages"])
    dry_run = page.url
    page.get_by_role("navigation", name="Show rows").get_by_role(
        "link", name=re.compile("Not imported")
    ).click()
    rows = page.get_by_role(
        "region", name="Check every row"
    )  # beside them are examples of what each column holds
    expect(rows.get_by_role("cell", name="nobody@")).to_be_visible()
    expect(rows.get_by_role("cell", name=f"kit@{DOMAIN}")).to_have_count(0)
    page.get_by_role("link", name="Choose another list").click()
    back(page)
    expect(rows.get_by_role("cell", name=f"kit@{DOMAIN}")).to_have_count(0)
    back(page)
    expect(rows.get_by_role("cell", name=f"kit@{DOMAIN}")).to_be_visible()

    admin.invite_everyone()
    back(page)
    expect(page).to_have_url(f"{dry_run}/result")  # a list that was confirmed shows what came of it
    expect(page.get_by_role("heading", level=1, name="Done")).to_be_visible()

    for address, states in (("/admin/people", False), (shoot, True)):
        page.goto(address)
        assert names(page) == ["Kit", "Lia", "Moe"]
        page.get_by_label("Name, address or employee ID").fill("lia way")
        if states:
            page.get_by_label("State", exact=True).select_option("invited")
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_label("Name, address or employee ID")).to_have_value("lia way")
        assert names(page) == ["Lia"]
        assert not re.search("lia|way", page.url.partition("?")[2])
        page.get_by_role("link", name="Lia Wayback").click()
        expect(page.get_by_role("heading", level=1, name="Lia Wayback")).to_be_visible()
        back(page)
        expect(page.get_by_label("Name, address or employee ID")).to_have_value("lia way")
        assert names(page) == ["Lia"]
        page.reload()
        assert names(page) == ["Lia"]
        back(page)
        assert names(page) == ["Kit", "Lia", "Moe"]
        expect(page.get_by_label("Name, address or employee ID")).to_have_value("")
        if states:
            expect(page.get_by_label("State", exact=True)).to_have_value("")

    page.goto("/admin/audit")
    events = page.locator("table.events tbody tr")
    everything = events.count()
    page.get_by_label("Kind of event").select_option("roster.imported")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**tag=roster.imported*")
    filtered = events.count()
    assert 0 < filtered < everything
    page.goto(shoot)
    back(page)
    assert events.count() == filtered
    back(page)
    assert events.count() == everything
    expect(page.get_by_label("Kind of event")).to_have_value("")


def test_the_way_back_to_an_answered_form_leads_to_the_form(
    visitors: Visitors, hr: tuple[HrAdmin, str]
) -> None:
    admin, shoot = hr
    page = visitors.page()
    visitors.expect_refusal(422, "/verify")
    page.goto("/verify")
    page.get_by_label("File").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"my notes"}
    )
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_text("Do not rely on this file.")).to_be_visible()
    page.get_by_role("link", name="Deutsch").click()
    expect(page.get_by_role("heading", level=1, name=re.compile("echt"))).to_be_visible()
    back(page)
    expect(page.get_by_label(re.compile("Datei|File"))).to_be_visible()

    page = admin.page
    visitors.expect_refusal(422, shoot.partition("/admin")[1] + shoot.partition("/admin")[2] + "/import")
    page.goto(f"{shoot}/import")
    page.get_by_role("button", name="Check the list").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("link", name="People", exact=True).click()
    back(page)
    expect(page.get_by_label("CSV file")).to_be_visible()
    page.reload()
    expect(page.get_by_label("CSV file")).to_be_visible()
