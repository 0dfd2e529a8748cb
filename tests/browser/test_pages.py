"""Every page: fits each screen, is readable in light and dark, works from the keyboard and without scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from browser.looks import examine, tab_to
from browser.visitors import (
    RENDER_MS,
    Employee,
    File,
    HrAdmin,
    Visitors,
    good_photos,
    logo,
    photo_of_two_people,
    photo_without_a_face,
    turn_epoch,
    until,
)
from playwright.sync_api import Page, Route, expect
from sqlalchemy import Connection, create_engine, text

from deploy.local.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("stack")]

DOMAIN = "pages.example"
NAMES = ("ida", "kim", "lou", "max", "ned", "ola", "pia")
WALKED = "Portraits for the pages"
HARSH_ACCENT = "#f2a900"  # reads on white no better than 2 : 1, so every page must make something of it

HR_PAGES = (
    "first sign-in, which company",
    "company sign-in",
    "identity provider",
    "dashboard",
    "brand",
    "retention",
    "styles",
    "brand studio",
    "saved style",
    "new shoot",
    "empty shoot",
    "import",
    "import that misses a file",
    "list that can be read in two ways",
    "list of unknown columns",
    "dry run",
    "import result",
    "shoot with people",
    "pictures of a shoot",
    "one picture",
    "no review",
    "review",
    "review, nothing waits",
    "delivery",
    "shoot with an image model",
    "people",
    "people, keeping a view",
    "people, a kept view",
    "nobody found",
    "person",
    "photos for somebody",
    "requests, none yet",
    "new request",
    "a request",
    "requests",
    "where requests are answered",
    "evidence",
    "controls",
    "breaches",
    "new breach",
    "mails",
    "words of a mail",
    "what the company states",
    "shoot, edited",
    "one more person",
    "open link, none yet",
    "open link, free mail",
    "open link",
    "shoot with an open link",
    "list of everybody",
    "erasing many",
    "signed out",
)
EMPLOYEE_PAGES = (
    "mailbox",
    "start",
    "invitation",
    "joining by an open link",
    "joining with another domain",
    "joined by an open link",
    "open link is over",
    "consent",
    "no photos yet",
    "photos with verdicts",
    "which one is you",
    "which one is you, answered",
    "is this you",
    "studio at work",
    "image model at work",
    "own photo instead of the image model",
    "choose a headshot",
    "headshot beside its photo",
    "saying what is wrong",
    "approved headshot",
    "other photos, with a way back",
    "privacy",
    "taking the first consent back",
    "asking for a link to one's data",
    "link to one's data is under way",
    "asking about one's data",
    "code for a request",
    "erased, pending",
    "erased, complete",
    "declined",
    "declined with a picture",
    "studio failed",
    "expired link",
    "renewed link",
    "withdrawn or erased link",
    "shoot has ended",
    "not signed in",
    "no such page",
    "trust",
    "check a certificate",
    "genuine certificate",
    "changed certificate",
)


@dataclass
class Album:
    """What was wrong with each page, once somebody has looked."""

    wrong: dict[str, list[str]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def look(self, name: str, page: Page) -> None:
        self.wrong[name] = examine(page)


@pytest.fixture(scope="module")
def shoot(visitors: Visitors) -> tuple[HrAdmin, str]:
    """HR with a shoot that has every employee of this file in it."""
    hr = HrAdmin(visitors)
    hr.sign_in()
    hr.save_accent(HARSH_ACCENT)
    hr.save_style("Style of the pages")
    address = hr.create_shoot(WALKED)
    hr.check_list(address, [f"{name}@{DOMAIN},{name.capitalize()},Example,P{name},Pages" for name in NAMES])
    hr.invite_everyone()
    return hr, address


@pytest.fixture(scope="module")
def album(visitors: Visitors, shoot: tuple[HrAdmin, str]) -> Album:
    """Every page looked at on the way of HR and of employees."""
    hr, address = shoot
    found = Album()
    certificate = walk_of_an_employee(visitors, found, lambda: walk_of_pictures(hr.page, found, address))
    walk_of_others(visitors, found)
    walk_of_hr(visitors, hr, found, address)
    walk_in_public(visitors, found, certificate)
    walk_after_the_end(visitors, found, hr, address)
    found.complaints = visitors.complaints
    return found


@pytest.mark.parametrize("name", HR_PAGES + EMPLOYEE_PAGES)
def test_page_fits_every_screen_and_has_no_serious_barrier(album: Album, name: str) -> None:
    assert album.wrong[name] == []


def test_no_page_makes_the_browser_complain(album: Album) -> None:
    assert album.complaints == []


# --- The walks ----------------------------------------------------------------------------------------------


def walk_of_an_employee(visitors: Visitors, album: Album, once_approved: Callable[[], None]) -> bytes:
    ida = Employee(visitors, f"ida@{DOMAIN}")
    page = ida.page
    page.goto("/")
    album.look("start", page)
    page.goto(ida.find_link())
    album.look("invitation", page)
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/me/consent")
    page.get_by_text("Why, who and how long").first.click()
    album.look("consent", page)
    ida.agree()
    album.look("no photos yet", page)
    ida.choose(good_photos()[0], photo_without_a_face())
    ida.sees_verdicts(good=1, bad=1)
    album.look("photos with verdicts", page)
    told = {"label": "Cutting you out, hair by hair"}
    with standing_still(page, told):
        ida.submit()
        expect(page.locator("#bar")).to_have_attribute("value", "40")
        album.look("studio at work", page)
        told.update(label="The image model learns what you look like", left="about 3 minutes left")
        expect(page.locator("#left")).to_have_text("about 3 minutes left")  # the stream is opened again
        album.look("image model at work", page)
    page.goto("/me/progress")
    page.wait_for_url("**/me/result", timeout=RENDER_MS)
    album.look("choose a headshot", page)
    page.get_by_role("link", name="Look closely and compare").first.click()
    expect(page.get_by_role("heading", level=1, name="Headshot 1")).to_be_visible()
    page.get_by_text("The figures").click()
    page.get_by_role("slider").press("ArrowRight")
    page.get_by_role("button", name="Magnify").click()
    album.look("headshot beside its photo", page)
    page.locator("summary", has_text="not good").click()
    album.look("saying what is wrong", page)
    page.get_by_label("Expression").check()
    page.get_by_role("button", name="Say so and try again").click()
    page.wait_for_url("**/me/photos")
    expect(page.get_by_text("Add other photos, and the studio tries again")).to_be_visible()
    page.get_by_role("button", name="Back to my headshots").click()
    page.wait_for_url("**/me/result")
    expect(page.get_by_text("You said it is not good: Expression.")).to_be_visible()
    with company_database(visitors.stack) as connection:
        connection.execute(
            text(
                "UPDATE participations SET fallback_code = 'too_few_passed', gpu_seconds = 95, gpu_watt_hours = 14"
                " WHERE member_id = (SELECT id FROM directory WHERE email = :email)"
            ),
            {"email": ida.email},
        )
    page.reload()
    expect(page.locator("#fallback")).to_be_visible()
    album.look("own photo instead of the image model", page)
    page.get_by_role("button", name="Choose number 1").click()
    expect(page.get_by_role("heading", level=2, name="Download")).to_be_visible()
    album.look("approved headshot", page)
    page.get_by_role("button", name="Try other photos").click()
    page.wait_for_url("**/me/photos")
    album.look("other photos, with a way back", page)
    page.get_by_role("button", name="Keep my approved headshot").click()
    page.wait_for_url("**/me/result")
    once_approved()
    page.goto("/me/privacy")
    album.look("privacy", page)
    page.get_by_role("link", name=re.compile("^Take back: ")).click()
    album.look("taking the first consent back", page)
    page.get_by_role("link", name="Keep everything as it is").click()
    page.goto(f"/trust/{visitors.stack.org_slug}/data")
    album.look("asking for a link to one's data", page)
    page.get_by_label("Mail address").fill("somebody@elsewhere.example")
    page.get_by_role("button", name="Mail me the link").click()
    page.wait_for_url("**/data/sent")
    album.look("link to one's data is under way", page)
    page.goto(f"/privacy/{visitors.stack.org_slug}")
    album.look("asking about one's data", page)
    page.get_by_label("What do you ask for?").select_option(label="See my data")
    page.get_by_label("Mail address of the person").fill("somebody@elsewhere.example")
    page.get_by_role("button", name="Mail me a code").click()
    page.wait_for_url("**/code/**")
    album.look("code for a request", page)
    page.goto("/me/privacy")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Erase everything").click()
    expect(page.locator(".pill", has_text="PENDING")).to_be_visible()
    page.get_by_role("button", name="Copy the address").click()
    expect(page.locator("#copied")).to_have_text(re.compile("Copied|marked"))
    album.look("erased, pending", page)
    certificate = page.request.get(f"{page.url}/certificate.pdf").body()
    receipt = page.url
    turn_epoch(visitors.stack)
    until(lambda: page.request.get(f"{receipt}.json").json()["status"] == "COMPLETE", "certificate", 120)
    page.reload()
    expect(page.locator(".pill", has_text="COMPLETE")).to_be_visible()
    album.look("erased, complete", page)
    refused(visitors, page, 410, ida.link)
    album.look("withdrawn or erased link", page)
    refused(visitors, page, 401, "/me/")
    album.look("not signed in", page)
    return certificate


@contextmanager
def standing_still(page: Page, told: dict[str, str]) -> Iterator[None]:
    """Answer for whoever makes the headshots, so that the page stays long enough to be looked at."""

    def answer(route: Route) -> None:
        status = {"state": "rendering", "percent": 40, **told}
        route.fulfill(content_type="text/event-stream", body=f"data: {json.dumps(status)}\n\n")

    page.route("**/me/progress/events", answer)
    yield
    page.unroute("**/me/progress/events")


def walk_of_others(visitors: Visitors, album: Album) -> None:
    kim = Employee(visitors, f"kim@{DOMAIN}")
    kim.accept()
    kim.page.get_by_role("button", name=re.compile("initials", re.IGNORECASE)).click()
    kim.page.wait_for_url("**/me/declined")
    album.look("declined", kim.page)
    kim.page.get_by_label("Picture (JPEG").set_input_files(logo().payload)
    kim.page.get_by_role("button", name="Use this picture").click()
    expect(kim.page.get_by_role("button", name="Use my initials instead")).to_be_visible()
    album.look("declined with a picture", kim.page)

    lou = Employee(visitors, f"lou@{DOMAIN}")
    lou.accept()
    lou.agree()
    with company_database(visitors.stack) as connection:
        connection.execute(
            text(
                "UPDATE participations SET state = 'failed', failure_code = 'no_usable_photo' WHERE member_id ="
                " (SELECT id FROM directory WHERE email = :email)"
            ),
            {"email": lou.email},
        )
    lou.page.goto("/me/")
    expect(lou.page.get_by_role("button", name="Use other photos")).to_be_visible()
    album.look("studio failed", lou.page)

    pia = Employee(visitors, f"pia@{DOMAIN}")
    pia.accept()
    pia.agree()
    pia.choose(good_photos()[0], photo_of_two_people())
    expect(pia.page.locator(".photo.asks .face")).to_have_count(2)
    expect(pia.page.locator(".photo.accepted .rank")).to_have_text("Best")
    expect(pia.page.get_by_text("One photo still asks which person is you")).to_be_visible()
    album.look("which one is you", pia.page)
    answer_by_keyboard(pia.page)
    album.look("which one is you, answered", pia.page)
    with company_database(visitors.stack) as connection:  # as the comparison does with a stranger's photo
        connection.execute(
            text(
                # what stands there counts before what is sealed; the photo with two people came last
                """UPDATE photos SET verdict = '{"accepted": true, "score": 0.5, "measures": {}, "issues":"""
                """ [{"code": "may_be_someone_else", "severity": "warn", "advice": ""}]}'"""
                " WHERE id = (SELECT id FROM photos WHERE member_id ="
                " (SELECT id FROM directory WHERE email = :email) ORDER BY id DESC LIMIT 1)"
            ),
            {"email": pia.email},
        )
    pia.page.reload()
    expect(pia.page.locator(".photo.unsure")).to_have_count(1)
    expect(pia.page.get_by_text("One photo still asks whether it shows you")).to_be_visible()
    album.look("is this you", pia.page)
    say_yes_by_keyboard(pia.page)

    max_ = Employee(visitors, f"max@{DOMAIN}")
    link = max_.find_link()
    with company_database(visitors.stack) as connection:
        connection.execute(
            text(
                "UPDATE invites SET expires_at = now() - interval '1 minute' WHERE member_id ="
                " (SELECT id FROM directory WHERE email = :email)"
            ),
            {"email": max_.email},
        )
    refused(visitors, max_.page, 410, link)
    album.look("expired link", max_.page)
    max_.page.get_by_role("button", name="Send me a new link").click()
    max_.page.wait_for_url("**/renewed")
    album.look("renewed link", max_.page)


def answer_by_keyboard(page: Page) -> None:
    """Choose the person on the left; nothing of the page is loaded anew for that."""
    page.evaluate("window.stayed = true")
    left = page.get_by_role("button", name="Person 1, on the left: This is me").first
    for box in page.locator(".face").all():
        size = box.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 44
    assert "party.jpg" in page.locator(".photo.asks").inner_text()
    tab_to(page, left)
    page.keyboard.press("Enter")
    expect(page.locator(".photo.asks")).to_have_count(0)
    expect(page.locator(".photo.checking")).to_have_count(0)
    expect(page.get_by_text("still asks which person")).to_have_count(0)
    again = page.get_by_text("Not you? Choose again")
    again.click()
    expect(page.locator(".face")).to_have_count(2)
    assert page.evaluate("window.stayed")


def say_yes_by_keyboard(page: Page) -> None:
    """Say that a doubted photo is one's own, without the page being loaded anew."""
    page.evaluate("window.stayed = true")
    # Two uploads run at once, so either may have become the first.
    asking = page.get_by_role("group", name=re.compile(r"^Photo [12]: Is this you\?$"))
    tab_to(page, asking.get_by_role("button").first)
    page.keyboard.press("Enter")
    expect(page.locator(".photo.unsure")).to_have_count(0)
    expect(page.locator(".photo.accepted")).to_have_count(2)
    expect(page.get_by_text("still asks whether")).to_have_count(0)
    assert page.evaluate("window.stayed")


@contextmanager
def company_database(stack: Stack) -> Iterator[Connection]:
    """The database as the product's own role sees it for the company."""
    engine = create_engine(stack.environment["HEADSHOTS_DATABASE_URL"])
    with engine.begin() as connection:
        org_id: UUID = connection.execute(
            text("SELECT find_organization(:slug)"), {"slug": stack.org_slug}
        ).scalar_one()
        connection.execute(text("SELECT set_config('app.org_id', :id, true)"), {"id": str(org_id)})
        yield connection
    engine.dispose()


def refused(visitors: Visitors, page: Page, status: int, address: str) -> None:
    visitors.expect_refusal(status, address.removeprefix(visitors.stack.base_url))
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == status


def walk_of_pictures(page: Page, album: Album, shoot: str) -> None:
    page.goto(f"{shoot}/pictures")
    expect(page.get_by_role("link", name="Ida Example")).to_be_visible()
    album.look("pictures of a shoot", page)
    page.get_by_role("link", name="Ida Example").click()
    expect(page.get_by_role("heading", level=1, name="Ida Example")).to_be_visible()
    page.get_by_text("All figures").click()
    album.look("one picture", page)
    page.goto(f"{shoot}/review")
    album.look("no review", page)
    page.get_by_role("button", name="Review before delivery").click()
    queue = page.locator("#queue > li")
    expect(queue).to_have_count(1)
    album.look("review", page)
    queue.focus()
    page.keyboard.press("r")
    expect(page.get_by_label("A rest of the old background can be seen")).to_be_focused()
    page.keyboard.press("Escape")
    expect(queue).to_be_focused()
    page.keyboard.press("a")
    expect(page.get_by_role("heading", level=2, name="Nothing waits")).to_be_visible()
    album.look("review, nothing waits", page)
    page.locator("summary", has_text="End the review").click()
    page.get_by_role(
        "button", name="End the review now"
    ).click()  # or each shoot after this one would begin with a review
    expect(page.get_by_role("button", name="Review before delivery")).to_be_visible()
    page.goto(f"{shoot}/deliver")
    album.look("delivery", page)


def walk_of_hr(visitors: Visitors, hr: HrAdmin, album: Album, shoot: str) -> None:
    page = hr.page
    visitors.expect_refusal(422, "/import")

    def at(name: str, address: str, ready: Callable[[], None] = lambda: None) -> None:
        page.goto(address)
        ready()
        album.look(name, page)

    def has_preview() -> None:
        expect(page.locator("#preview")).to_have_attribute("src", re.compile("^blob:"))

    at("dashboard", "/admin/")
    at("brand", "/admin/brand")
    at("retention", "/admin/retention")
    at("new photos by itself", "/admin/renewal")
    at("mails", "/admin/mails")
    at("words of a mail", "/admin/mails/invite/en")
    at("what the company states", "/admin/settings/privacy")
    at("styles", "/admin/styles")
    at("brand studio", "/admin/styles/new", has_preview)
    page.goto("/admin/styles")
    page.locator(".tile h2 a").first.click()
    has_preview()
    album.look("saved style", page)
    at("new shoot", "/admin/shoots/new")
    empty = hr.create_shoot("A shoot without people")
    album.look("empty shoot", page)
    at("import", f"{empty}/import")
    page.get_by_role("button", name="Check the list").click()
    expect(page.get_by_role("alert")).to_be_visible()
    album.look("import that misses a file", page)
    upload_list(page, "email,first name,last name\nan@acme.example,Anna,Ağaoğlu\n".encode("cp1254"))
    expect(page.get_by_role("heading", level=2, name="Which names are right?")).to_be_visible()
    album.look("list that can be read in two ways", page)
    page.get_by_role("radio", name="Ağaoğlu").first.check()
    page.get_by_role("button", name="These names are right").click()
    expect(page.get_by_role("cell", name="Ağaoğlu").first).to_be_visible()
    page.goto(f"{empty}/import")
    upload_list(page, b"Kontakt,Wer,Ort\nan@acme.example,Anna Maier,Ulm\n")
    expect(page.get_by_role("heading", level=2, name="Which column is which?")).to_be_visible()
    album.look("list of unknown columns", page)
    page.get_by_role("button", name="Read the columns so").click()
    expect(page.locator("tr.ignored td").first).to_have_text("Ort")
    hr.check_list(empty, [f"new@{DOMAIN},New,Example,P7,Pages", "not-an-address,Ann,Example,P8,Pages"])
    album.look("dry run", page)
    hr.invite_everyone()
    expect(page.get_by_role("heading", level=1, name="Done")).to_be_visible()
    album.look("import result", page)
    at("shoot with people", shoot)
    with company_database(visitors.stack) as connection:
        connection.execute(
            text("UPDATE shoots SET engine = 'diffusion' WHERE id = :id"), {"id": shoot.rsplit("/", 1)[1]}
        )
    at("shoot with an image model", shoot)
    expect(page.locator("#cost")).to_have_text(re.compile(r"\d+ (person|people), 1\.6 GPU-minutes, 14 Wh"))
    expect(page.locator("#failures")).to_contain_text("did not look enough like the person")
    expect(page.locator(".people")).not_to_contain_text("image model")
    at("shoot, edited", f"{shoot}/edit")
    at("one more person", "/admin/people/new")
    walk_of_an_open_link(visitors, album, page, empty)
    at("list of everybody", "/admin/people/sync")
    at("erasing many", "/admin/people/erase")
    at("people", "/admin/people")
    page.locator("summary", has_text="Filter").click()
    page.get_by_label("Department").select_option(label="Pages")
    page.get_by_role("button", name="Search").click()
    page.get_by_text("Keep as a view").click()
    album.look("people, keeping a view", page)
    page.get_by_label("What to call it").fill("Everybody of the pages")
    page.get_by_role("button", name="Keep").click()
    expect(page.locator(".views [aria-current]")).to_have_text("Everybody of the pages")
    album.look("people, a kept view", page)
    page.get_by_role("button", name="Remove this view").click()
    expect(page.get_by_text("The view is removed.")).to_be_visible()
    page.get_by_label("Name, address or employee ID").fill("nobody at all")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Nobody matches.")).to_be_visible()
    album.look("nobody found", page)
    page.get_by_label("Name, address or employee ID").fill("kim ex")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Kim Example").click()
    page.go_back()
    expect(page.get_by_label("Name, address or employee ID")).to_have_value("kim ex")
    page.get_by_role("link", name="Kim Example").click()
    expect(page.get_by_role("heading", level=1, name="Kim Example")).to_be_visible()
    album.look("person", page)
    page.get_by_role("link", name="Photos for this shoot").first.click()
    expect(page.get_by_role("heading", level=1, name=re.compile("^Photos for "))).to_be_visible()
    album.look("photos for somebody", page)
    at("reports", "/admin/reports")
    at("requests, none yet", "/admin/requests?right=opt_out")
    at("new request", "/admin/requests/new")
    page.get_by_label("Mail address of the person").fill("grace@home.example")
    page.get_by_label("What is asked for").select_option(label="Erase their data")
    page.get_by_role("button", name="Open the request").click()
    expect(page.get_by_role("heading", level=1, name="Erase their data")).to_be_visible()
    for step in ("Confirm that it came", "Note it", "Begin with the answer"):
        page.get_by_label("a document that was looked at").check() if step == "Note it" else None
        page.get_by_role("button", name=step).first.click()
    page.locator("summary", has_text="Refuse").click()
    album.look("a request", page)
    at("requests", "/admin/requests")
    at("where requests are answered", "/admin/requests/place")
    at("evidence", "/admin/audit")
    at("controls", "/admin/controls")
    at("breaches", "/admin/breaches")
    at("new breach", "/admin/breaches/new")


def walk_of_an_open_link(visitors: Visitors, album: Album, page: Page, shoot: str) -> None:
    """HR makes one, somebody joins by it with a phone and goes the usual way, HR withdraws it."""
    visitors.expect_refusal(422, "/open-link")
    page.goto(shoot)
    page.get_by_role("link", name="Open link").click()
    album.look("open link, none yet", page)
    page.get_by_label("Domains of mail addresses").fill(f"{DOMAIN}, gmail.com")
    page.get_by_label("Most people who may join").fill("5")
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_role("alert")).to_contain_text("Anybody can have an address at gmail.com")
    album.look("open link, free mail", page)
    page.get_by_label("Domains of mail addresses").fill(DOMAIN)
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_role("heading", level=2, name="The link of this shoot")).to_be_visible()
    expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()
    album.look("open link", page)
    page.get_by_role("button", name="Copy the address").click()
    expect(page.locator("#copied")).to_have_text(re.compile("Copied|marked"))
    link = page.get_by_label("Address of the link").input_value()

    quin = Employee(visitors, f"quin@{DOMAIN}")
    visitors.expect_refusal(422, "/j/")
    quin.page.goto(link)
    album.look("joining by an open link", quin.page)
    quin.page.get_by_label("First name").fill("Quin")
    quin.page.get_by_label("Last name").fill("Example")
    quin.page.get_by_label("Mail address at your company").fill("quin@elsewhere.example")
    tab_to(quin.page, quin.page.get_by_role("button", name="Mail me my link"))
    quin.page.keyboard.press("Enter")
    expect(quin.page.get_by_role("alert")).to_contain_text(f"It ends with @{DOMAIN}.")
    album.look("joining with another domain", quin.page)
    quin.page.get_by_label("Mail address at your company").fill(quin.email)
    quin.page.get_by_role("button", name="Mail me my link").click()
    quin.page.wait_for_url("**/sent")
    album.look("joined by an open link", quin.page)
    quin.accept()
    page.goto(shoot)
    expect(page.locator("#open-link")).to_contain_text("1 of 5 have joined")
    expect(page.get_by_role("link", name="Quin Example")).to_be_visible()
    album.look("shoot with an open link", page)
    page.goto(f"{shoot}/open-link")
    page.locator("summary", has_text="Withdraw the link").click()
    page.get_by_role("button", name="Withdraw it now").click()
    expect(page.get_by_role("status").first).to_contain_text("leads nowhere any more")
    refused(visitors, quin.page, 410, link)
    album.look("open link is over", quin.page)


def upload_list(page: Page, content: bytes) -> None:
    page.get_by_label("CSV file").set_input_files(File("people.csv", "text/csv", content).payload)
    page.get_by_role("button", name="Check the list").click()


def walk_in_public(visitors: Visitors, album: Album, certificate: bytes) -> None:
    page = visitors.page()
    slug = visitors.stack.org_slug
    page.goto(visitors.stack.mailbox_url)
    album.look("mailbox", page)
    page.goto(f"/trust/{slug}")
    album.look("trust", page)
    page.goto(f"/trust/{slug}/biometric-policy")
    album.look("biometric policy", page)
    page.goto("/verify")
    album.look("check a certificate", page)
    changed = certificate[:-200] + b"\0" + certificate[-199:]
    visitors.expect_refusal(422, "/verify")
    for name, content, said in (("genuine", certificate, "✓ Genuine"), ("changed", changed, "✗ Do not rely")):
        page.get_by_label("File (PDF").set_input_files(
            {"name": "certificate.pdf", "mimeType": "application/pdf", "buffer": content}
        )
        page.get_by_role("button", name="Check it").click()
        expect(page.get_by_text(said)).to_be_visible()
        album.look(f"{name} certificate", page)
    refused(visitors, page, 404, "/no/such/page")
    album.look("no such page", page)
    refused(visitors, page, 401, "/admin/shoots/new")
    album.look("first sign-in, which company", page)
    page.get_by_label("Your company's short name").fill(slug)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**company=*")
    album.look("company sign-in", page)
    page.get_by_role("link", name="Sign in with your company account").click()
    expect(page.get_by_role("radio").first).to_be_checked()
    album.look("identity provider", page)


def walk_after_the_end(visitors: Visitors, album: Album, hr: HrAdmin, shoot: str) -> None:
    ned = Employee(visitors, f"ned@{DOMAIN}")
    ned.accept()
    page = hr.page
    page.goto(shoot)
    page.locator("summary", has_text="Close the shoot").click()
    page.get_by_role("button", name="Close it now").click()
    expect(page.get_by_role("status").filter(has_text="The shoot is closed.")).to_be_visible()
    refused(visitors, ned.page, 410, "/me/ended")
    album.look("shoot has ended", ned.page)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/admin/sign-in")
    album.look("signed out", page)


# --- Without a mouse, without scripts -----------------------------------------------------------------------


@pytest.fixture
def invited(visitors: Visitors) -> Callable[[str], str]:
    """Import one more person; return their address."""
    hr = HrAdmin(visitors)
    hr.sign_in()

    def invite(name: str) -> str:
        if not hr.page.request.get("/admin/styles").text().count("Plain style"):
            hr.save_style("Plain style")
        address = hr.create_shoot(f"Shoot of {name}")
        email = f"{name}@{DOMAIN}"
        hr.check_list(address, [f"{email},{name.capitalize()},Example,Q{name},Pages"])
        hr.invite_everyone()
        return email

    return invite


def test_employee_needs_no_mouse(visitors: Visitors, invited: Callable[[str], str]) -> None:
    rae = Employee(visitors, invited("rae"))
    page = rae.page

    def press(key: str, wanted: str) -> None:
        tab_to(page, page.locator(wanted))
        page.keyboard.press(key)

    page.goto(rae.find_link())
    press("Enter", "main button")
    page.wait_for_url("**/me/consent")
    press("Space", "[name=photo]")
    press("Space", "[name=likeness]")
    press("Enter", "form:has([name=photo]) button")
    page.wait_for_url("**/me/photos")
    with page.expect_file_chooser() as opened:
        press("Enter", "#picker")
    opened.value.set_files([photo.payload for photo in (good_photos()[0], photo_without_a_face())])
    rae.sees_verdicts(good=1, bad=1)
    press("Enter", ".photo.rejected button")
    expect(page.locator(".photo")).to_have_count(1)
    press("Enter", "#send")
    page.wait_for_url("**/me/result", timeout=RENDER_MS)
    press("Enter", ".candidate button >> nth=0")
    expect(page.get_by_role("heading", level=2, name="Download")).to_be_visible()
    with page.expect_download() as download:
        press("Enter", ".downloads [download] >> nth=0")
    assert download.value.suggested_filename == "headshot-square.jpg"
    press("Enter", "nav a[href='/me/privacy']")
    page.wait_for_url("**/me/privacy")
    press("Space", "[name=confirm]")
    press("Enter", ".danger-zone button")
    expect(page.locator(".pill", has_text="PENDING")).to_be_visible()
    with page.expect_download() as download:
        press("Enter", "a[href$='certificate.pdf']")
    assert download.value.path().read_bytes().startswith(b"%PDF-")


def test_employee_decides_and_uploads_without_scripts(
    visitors: Visitors, invited: Callable[[str], str]
) -> None:
    tom = Employee(visitors, invited("tom"), java_script_enabled=False)
    page = tom.page
    tom.accept()
    page.get_by_role("button", name=re.compile("initials", re.IGNORECASE)).click()
    page.wait_for_url("**/me/declined")
    expect(page.get_by_role("img", name=re.compile("initials", re.IGNORECASE))).to_be_visible()
    page.get_by_role("button", name="I changed my mind").click()
    page.wait_for_url("**/me/consent")
    tom.agree()
    page.locator("#picker").set_input_files(good_photos()[0].payload)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator(".photo")).to_have_count(1)

    def verdict() -> bool:
        page.goto("/me/photos")
        return page.locator(".photo.accepted").is_visible()

    until(verdict, "verdict")
    tom.submit()
