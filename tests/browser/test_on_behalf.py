"""Photos that HR puts in, in two browsers: allowed on a phone, put in and sent at a desk, chosen on the phone."""

from __future__ import annotations

import re

import pytest
from browser.looks import examine
from browser.visitors import RENDER_MS, Employee, HrAdmin, Visitors, good_photos, photo_without_a_face
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("stack")]

DOMAIN = "behalf.example"


@pytest.fixture(scope="module")
def hr(visitors: Visitors) -> HrAdmin:
    """HR with a shoot that has two people in it."""
    hr = HrAdmin(visitors)
    hr.sign_in()
    hr.save_style("Style of what is put in")
    shoot = hr.create_shoot("Portraits by a photographer")
    hr.check_list(
        shoot, [f"{name}@{DOMAIN},{name.capitalize()},Behalf,F{name},Field" for name in ("uma", "vic")]
    )
    hr.invite_everyone()
    return hr


def open_photos_of(hr: HrAdmin, name: str) -> None:
    page = hr.page
    page.goto("/admin/people")
    page.get_by_role("link", name=f"{name} Behalf").first.click()
    page.get_by_role("link", name="Photos for this shoot").click()
    expect(page.get_by_role("heading", level=1, name=f"Photos for {name} Behalf")).to_be_visible()


def test_allowed_on_a_phone_put_in_at_a_desk_and_chosen_on_the_phone(visitors: Visitors, hr: HrAdmin) -> None:
    uma, desk = Employee(visitors, f"uma@{DOMAIN}"), hr.page
    open_photos_of(hr, "Uma")
    expect(desk.get_by_text("They have not allowed it yet.")).to_be_visible()
    expect(desk.locator("input[type=file]")).to_have_count(0)
    assert examine(desk) == []

    uma.accept()
    uma.agree()
    phone = uma.page
    phone.get_by_text(re.compile("^Let .* upload photos for me")).click()
    assert examine(phone) == []
    phone.get_by_label(re.compile("may also send my photos to the studio")).check()
    phone.get_by_role("button", name="Allow it").click()
    expect(phone.get_by_text(re.compile("^✓ allowed on"))).to_be_visible()

    desk.reload()
    first, second = good_photos()
    visitors.expect_refusal(422, "/photos/")
    files = [
        first.payload,
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no photo"},
        photo_without_a_face().payload,
        second.payload,
    ]
    desk.get_by_label("Photos of Uma Behalf").set_input_files(files)
    desk.evaluate("window.stayed = true")
    desk.get_by_role("button", name="Put them in").click()
    expect(desk.get_by_role("alert")).to_contain_text("notes.txt")
    put_in = desk.locator("#put-in li")
    expect(put_in).to_have_count(3)
    expect(put_in.locator(".pill.good")).to_have_count(2)
    expect(put_in.locator(".pill.bad")).to_have_count(1)
    assert desk.evaluate("window.stayed"), "nothing was loaded anew"
    assert desk.locator("main img").count() == 0
    assert examine(desk) == []

    phone.reload()
    expect(phone.get_by_text("Put in by your company", exact=True)).to_have_count(3)
    expect(phone.locator(".photo.accepted")).to_have_count(2)
    assert examine(phone) == []
    phone.get_by_role("button", name="Remove photo 2").click()
    expect(phone.locator(".photo")).to_have_count(2)

    desk.reload()
    expect(put_in).to_have_count(2)
    desk.get_by_role("button", name="Send to the studio").click()
    expect(desk.get_by_text("Sent: headshots are being made.")).to_be_visible()
    assert examine(desk) == []
    phone.goto("/me/")
    phone.wait_for_url("**/me/result", timeout=RENDER_MS)
    expect(phone.get_by_text("2 of your photos were put in by your company")).to_be_visible()
    assert examine(phone) == []
    phone.get_by_role("button", name="Choose number 1").click()
    expect(phone.get_by_role("heading", level=2, name="Download")).to_be_visible()


def test_taken_back_on_the_phone_the_desk_is_refused_and_all_is_removed(
    visitors: Visitors, hr: HrAdmin
) -> None:
    vic, desk = Employee(visitors, f"vic@{DOMAIN}"), hr.page
    vic.accept()
    vic.agree()
    phone = vic.page
    phone.get_by_text(re.compile("^Let .* upload photos for me")).click()
    phone.get_by_role("button", name="Allow it").click()
    open_photos_of(hr, "Vic")
    desk.get_by_label("Photos of Vic Behalf").set_input_files(good_photos()[0].payload)
    desk.get_by_role("button", name="Put them in").click()
    expect(desk.locator("#put-in .pill.good")).to_have_count(1)
    expect(desk.get_by_text("They send the photos to the studio themselves")).to_be_visible()

    phone.reload()
    phone.get_by_role("button", name="Take it back").click()
    expect(phone.get_by_text("The photo that it put in is still here")).to_be_visible()
    assert examine(phone) == []
    visitors.expect_refusal(409, "/photos/")
    desk.get_by_label("Photos of Vic Behalf").set_input_files(good_photos()[1].payload)
    desk.get_by_role("button", name="Put them in").click()
    expect(desk.get_by_role("alert")).to_contain_text("has not allowed that photos are put in")
    phone.get_by_role("button", name=re.compile("^Remove all that")).click()
    expect(phone.get_by_text("1 photo was removed.")).to_be_visible()
    expect(phone.locator(".photo")).to_have_count(0)
    desk.reload()
    expect(desk.get_by_text("None yet.")).to_be_visible()
    expect(desk.locator("input[type=file]")).to_have_count(0)
    assert visitors.complaints == []
