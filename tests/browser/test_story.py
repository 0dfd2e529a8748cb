"""The main job, start to finish, as HR and employees live it in Chromium."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from browser.visitors import (
    PHOTOS,
    RENDER_MS,
    Employee,
    HrAdmin,
    Visitors,
    good_photos,
    link_in,
    logo,
    photo_without_a_face,
    turn_epoch,
    until,
    with_gps,
)
from PIL import Image
from playwright.sync_api import Page, expect

from compliance.verify import verify_file
from deploy.local.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("stack")]

COMPANY = "Northwind Optics"
ACCENT = "#0b6e4f"
SHOOT = "Team photos 2026"
MARTA, DANA = "marta.diaz@northwind.example", "dana.roe@northwind.example"
ROWS = (
    f"{MARTA},Marta,Díaz,E1001,Sales",
    f"{DANA},Dana,Roe,E1002,Sales",
    "not-an-address,Nadia,Incomplete,E2001,Sales",
    "formula@northwind.example,=HYPERLINK(1),Formula,E2002,Sales",
    f"{DANA},Dana,Again,E2003,Sales",
)
# Pixels, of 1,024 that the style asks for: as large as the photo stays sharp.
CARRIED = (752, 752) if PHOTOS.exists() else (295, 295)
# The mean of a picture's pixels once it is there, as an expression for the browser.
BRIGHTNESS = """image => {
    if (!image.complete || image.naturalWidth !== 512) return 0;
    const canvas = new OffscreenCanvas(16, 16).getContext("2d");
    canvas.drawImage(image, 0, 0, 16, 16);
    return canvas.getImageData(0, 0, 16, 16).data.reduce((sum, one) => sum + one) / 1024;
}"""
BAD_EMAILS = {"not-an-address", "formula@northwind.example", DANA}


def test_company_gets_matching_headshots_and_one_person_disappears_with_a_proof(
    stack: Stack, visitors: Visitors
) -> None:
    hr = HrAdmin(visitors)
    hr.sign_in()
    set_brand(hr.page)
    set_style(hr.page)
    shoot = create_shoot(hr.page)
    import_people(hr, shoot)
    live = Live(hr.page, shoot)
    live.shows(invited=2, opened=0)

    marta = Employee(visitors, MARTA)
    read_invitation(marta, visitors)
    live.shows(invited=2, opened=0)
    marta.page.get_by_role("button", name="Start").click()
    live.shows(invited=1, opened=1)
    consent(marta)
    add_photos(marta)
    follow_studio(marta)
    live.shows(ready=1)
    headshot = choose_and_download(marta)
    live.shows(delivered=1)

    dana = Employee(visitors, DANA)
    decline(dana)
    live.shows(declined=1, delivered=1, invited=0)
    live.was_never_reloaded()
    download_zip(hr.page, shoot)

    erase(marta)
    certificate(marta, stack, "PENDING")
    is_gone(marta, visitors, headshot)
    turn_epoch(stack)
    certificate(marta, stack, "COMPLETE")
    hr.page.goto(shoot)
    expect(hr.page.get_by_role("cell", name="Erased person")).to_be_visible()
    expect(hr.page.get_by_text(MARTA)).to_have_count(0)
    assert visitors.complaints == []


# --- HR -----------------------------------------------------------------------------------------------------


def set_brand(page: Page) -> None:
    page.get_by_role("link", name="Company", exact=True).click()
    page.get_by_label("Company name").fill(COMPANY)
    page.get_by_label("Accent colour").fill(ACCENT)
    page.get_by_label("Logo").set_input_files(logo().payload)
    page.get_by_role("button", name="Save the brand").click()
    expect(page.locator(".bar-brand")).to_have_text(COMPANY)
    expect(page.locator(".bar-brand img")).to_be_visible()  # as soon as a worker has judged it, by itself
    assert page.locator(".bar-brand img").evaluate("image => image.complete && image.naturalWidth > 0")
    assert accent_of(page) == ACCENT


def accent_of(page: Page) -> str:
    found = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--accent')")
    return str(found).strip()


def set_style(page: Page) -> None:
    page.get_by_role("link", name="Styles", exact=True).click()
    page.locator(".presets a").first.click()
    shown = page.locator("#preview")
    expect(shown).to_have_attribute("src", re.compile("^blob:"))
    before = until(lambda: shown.evaluate(BRIGHTNESS), "preview")
    address = str(shown.get_attribute("src"))
    page.get_by_label("Brightness", exact=True).fill("0.5")
    expect(shown).not_to_have_attribute("src", address)
    assert until(lambda: shown.evaluate(BRIGHTNESS), "preview") > before
    page.get_by_label("Name of the style").fill("Northwind studio")
    page.get_by_role("button", name="Save the style").locator("visible=true").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()


def create_shoot(page: Page) -> str:
    page.get_by_role("link", name="Create a shoot with it").click()
    page.get_by_label("Name", exact=True).fill(SHOOT)
    page.get_by_role("button", name="Create the shoot").click()
    expect(page.get_by_role("heading", level=1, name=SHOOT)).to_be_visible()
    return page.url


def import_people(hr: HrAdmin, shoot: str) -> None:
    page = hr.page
    hr.check_list(shoot, ROWS)
    expect(page.get_by_text("2 people would be invited.")).to_be_visible()
    expect(page.locator("tr.v-rejected")).to_have_count(len(BAD_EMAILS))
    hr.invite_everyone()
    expect(page.get_by_text("2 people are being invited.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the rows").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["email"] for row in rows} == BAD_EMAILS
    assert all(row["reason"] for row in rows)


class Live:
    """The shoot's page in HR's browser, left open."""

    def __init__(self, page: Page, shoot: str) -> None:
        self._page = page
        page.goto(shoot)
        page.evaluate("window.sameVisit = true")

    def shows(self, **counts: int) -> None:
        for state, number in counts.items():
            expect(self._page.locator(f".count [data-state={state}]")).to_have_text(str(number))

    def was_never_reloaded(self) -> None:
        assert self._page.evaluate("window.sameVisit")


def download_zip(page: Page, shoot: str) -> None:
    page.goto(shoot)
    page.get_by_role("link", name="Deliver").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download ZIP").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        assert names == {"E1001_Díaz_Marta.jpg", "alternatives/E1002_Roe_Dana.png", "manifest.csv"}
        with Image.open(io.BytesIO(archive.read("E1001_Díaz_Marta.jpg"))) as image:
            assert image.size == CARRIED


# --- Employees ----------------------------------------------------------------------------------------------


def read_invitation(employee: Employee, visitors: Visitors) -> None:
    mail = visitors.invitation(employee.email)
    assert COMPANY in mail["subject"] + mail["text"]
    assert ACCENT in mail["html"]
    assert COMPANY in mail["sender"]
    employee.link = link_in(mail)
    page = employee.page
    page.goto(f"{visitors.stack.mailbox_url}/messages/{mail['id']}")
    expect(page.frame_locator("iframe").get_by_role("link").first).to_be_visible()
    for _ in range(2):  # mail scanners open links too
        page.goto(employee.link)
        expect(page.get_by_role("heading", level=1)).to_contain_text("Marta")
    expect(page.locator(".bar-brand")).to_have_text(COMPANY)
    assert accent_of(page) == ACCENT


def consent(employee: Employee) -> None:
    page = employee.page
    page.wait_for_url("**/me/consent")
    page.get_by_text("What happens to my photos").click()
    expect(page.locator(".promises li")).to_have_count(5)
    expect(page.locator(".promises")).to_contain_text(re.compile(r"\d+ days"))
    photo, likeness = page.locator("[name=photo]"), page.locator("[name=likeness]")
    expect(photo).not_to_be_checked()
    expect(likeness).not_to_be_checked()
    expect(page.locator("[name=adapter]")).to_have_count(0)
    page.get_by_text("Why, who and how long").first.click()
    expect(page.get_by_text("If you say no").first).to_be_visible()
    photo.check()
    likeness.check()
    page.get_by_role("button", name="I agree to what I ticked").click()
    page.wait_for_url("**/me/photos")


def add_photos(employee: Employee) -> None:
    page = employee.page
    portrait, second = good_photos()
    expect(page.get_by_text("None yet.")).to_be_visible()
    employee.choose(with_gps(portrait))
    employee.drop(second, photo_without_a_face())
    employee.sees_verdicts(good=2, bad=1)
    refused = page.locator(".photo.rejected")
    expect(refused).to_contain_text("Cannot be used")
    expect(refused.locator("p").first).to_contain_text("face")
    page.reload()
    employee.sees_verdicts(good=2, bad=1)
    expect(page.locator("#count")).to_have_text("3 of 20 · 2 usable")
    thumb = page.locator(".photo.accepted img").first
    thumb.scroll_into_view_if_needed()
    until(lambda: thumb.evaluate("image => image.naturalWidth > 0"), "preview of a photo")


def follow_studio(employee: Employee) -> None:
    page = employee.page
    with page.expect_response("**/me/progress/events") as stream:
        employee.submit()
    assert stream.value.ok
    assert stream.value.headers["content-type"].startswith("text/event-stream")
    page.reload()  # in the middle: the work goes on, and so does the page
    page.wait_for_url("**/me/result", timeout=RENDER_MS)


def choose_and_download(employee: Employee) -> str:
    page = employee.page
    candidate = page.locator(".candidate").first
    for name in ("before", "after"):
        image = candidate.locator(f"img.{name}")
        until(lambda image=image: image.evaluate("image => image.naturalWidth > 0"), name)
    expect(candidate.locator(".findings .good").first).to_be_visible()
    candidate.get_by_role("button", name="Choose number 1").click()
    expect(page.get_by_role("heading", level=1, name="Your headshot is ready to use")).to_be_visible()
    square = page.get_by_role("link", name="Square")
    with page.expect_download() as download:
        square.click()
    with Image.open(download.value.path()) as image:
        assert (image.format, image.size) == ("JPEG", CARRIED)
        assert dict(image.getexif()) == {}
        assert "xmp" not in image.info or "GPS" not in str(image.info["xmp"])
    return str(square.get_attribute("href"))


def decline(employee: Employee) -> None:
    page = employee.page
    employee.accept()
    page.get_by_role("button", name=re.compile("initials", re.IGNORECASE)).click()
    page.wait_for_url("**/me/declined")
    avatar = page.get_by_role("img", name=re.compile("initials", re.IGNORECASE))
    until(lambda: avatar.evaluate("image => image.naturalWidth === 512"), "avatar")
    with page.expect_download() as download:
        page.get_by_role("link", name="1024").click()
    with Image.open(download.value.path()) as image:
        ground = image.convert("RGB").getpixel((5, image.height // 2))
    assert "#{:02x}{:02x}{:02x}".format(*ground) == ACCENT


def erase(employee: Employee) -> None:
    page = employee.page
    page.get_by_role("link", name="Your data", exact=True).click()
    expect(page.locator(".ledger")).to_contain_text("Headshots made of you")
    page.get_by_role("button", name="Erase everything").click()
    assert page.url.endswith("/me/privacy"), "nothing happens before the box is ticked"
    page.get_by_role("checkbox", name="Yes, erase everything about me").check()
    page.get_by_role("button", name="Erase everything").click()
    page.wait_for_url("**/erased/**")


def certificate(employee: Employee, stack: Stack, status: str) -> None:
    page = employee.page
    if status == "COMPLETE":
        until(lambda: page.request.get(f"{page.url}.json").json()["status"] == status, status, 120)
        page.reload()
    expect(page.locator(".pill", has_text=status)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the certificate").click()
    content = download.value.path().read_bytes()
    published = httpx.get(f"{stack.base_url}/trust/{stack.org_slug}/keys.json").json()
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 1
    # In a thread of its own: Playwright's event loop holds this one, and checking signatures runs another.
    with ThreadPoolExecutor(1) as thread:
        verified = thread.submit(verify_file, content, published).result()
        tampered = thread.submit(verify_file, bytes(changed), published).result()
    assert verified.ok, verified.checks
    assert verified.status == status
    assert not tampered.ok


def is_gone(employee: Employee, visitors: Visitors, headshot: str) -> None:
    for status, address in ((410, employee.link), (401, "/me/"), (401, "/me/result"), (401, headshot)):
        path = address.removeprefix(visitors.stack.base_url)
        visitors.expect_refusal(status, path)
        found = employee.page.request.get(path)
        assert found.status == status, path
    page = visitors.page()
    answer = page.goto(employee.link)
    assert answer is not None
    assert answer.status == 410
    expect(page.get_by_role("heading", level=1, name="This has ended")).to_be_visible()
