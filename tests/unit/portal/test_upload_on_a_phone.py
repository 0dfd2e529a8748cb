"""Photos on their way from a phone: what is seen of them, how large they are, what a poor connection does to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from phones import HEIGHT, Line, choose, display_p3, grainy, snapshot, to_photos
from PIL import Image
from playwright.sync_api import BrowserContext, Dialog, Page, expect
from sealing import got
from sqlalchemy import select

from core.db import transaction
from core.image.kinds import DamagedPhoto
from core.image.reading import read
from core.models import Artifact, Photo, Shoot, State
from deploy.bench.made import adobe_exif, delta_e

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("stack")]

SLOW = 500_000  # bytes a second
LARGE = grainy(1200, 1500)


def percents(page: Page) -> list[int]:
    """Every percentage that a photo's pill has shown so far."""
    return [int(found[1]) for one in page.evaluate("window.shown") if (found := re.search(r"(\d+)%", one))]


def watch_pills(page: Page) -> None:
    page.evaluate(
        """() => {
            window.shown = [];
            new MutationObserver(() => window.shown.push(document.querySelector(".photo .pill")?.textContent ?? ""))
                .observe(document.querySelector("#photos"), { childList: true, subtree: true, characterData: true });
        }"""
    )


def ids(person: Any) -> list[str]:
    with transaction(person.org_id) as session:
        return [
            str(one)
            for one in session.scalars(select(Photo.id).where(Photo.removed_at.is_(None)).order_by(Photo.id))
        ]


def kept(person: Any) -> bytes:
    """What the server got."""
    with transaction(person.org_id) as session:
        artifact = session.scalars(select(Artifact.id).where(Artifact.kind == "photo")).one()
        return got(session, artifact)


def all_sent(page: Page, number: int = 1) -> None:
    expect(page.locator(".photo[data-id]")).to_have_count(number, timeout=60_000)


def test_what_was_chosen_is_seen_and_told_in_per_cent(ada: Any, phone: BrowserContext, line: Line) -> None:
    page = to_photos(ada, phone)
    watch_pills(page)
    line.speed = SLOW
    choose(page, LARGE, grainy(900, 1200))
    for photo in page.locator(".photo").all():
        box = photo.bounding_box()
        assert box is not None
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= HEIGHT
    expect(page.locator(".photo-name").first).to_have_text("Photo 1 · IMG_1.jpg")
    expect(page.locator("#send-form")).to_be_hidden()
    all_sent(page, 2)
    told = percents(page)
    assert told[0] == 0
    assert told == sorted(told)
    assert len(set(told)) >= 4, told


def test_send_is_there_once_something_can_be_sent_and_waits_for_the_last_check(
    ada: Any, phone: BrowserContext
) -> None:
    page = to_photos(ada, phone)
    choose(page, snapshot(640, 800), snapshot(800, 640))
    all_sent(page, 2)
    send = page.get_by_role("button", name="Send to the studio")
    expect(send).to_be_hidden()
    first, second = ids(ada)
    ada.judge(first)
    send.click()
    expect(page.get_by_text("Sent by itself after the last check")).to_be_visible()
    page.get_by_role("button", name="Not yet").click()
    expect(send).to_be_focused()
    send.click()
    assert ada.state() is State.UPLOADING
    ada.judge(second, accepted=False, issues=({"code": "no_face", "severity": "block"},))
    page.wait_for_url("**/me/progress*")
    assert ada.state() is State.SUBMITTED


def test_what_asks_a_question_is_not_sent_past_it(ada: Any, phone: BrowserContext) -> None:
    page = to_photos(ada, phone)
    choose(page, snapshot(640, 800), snapshot(800, 640))
    all_sent(page, 2)
    first, second = ids(ada)
    ada.judge(first)
    send = page.get_by_role("button", name="Send to the studio")
    send.click()
    ada.judge_group(second)
    expect(page.get_by_text("still asks which person is you")).to_be_visible()
    expect(send).to_be_visible()
    assert ada.state() is State.UPLOADING


def test_leaving_in_mid_upload_asks_and_not_before_or_after(
    ada: Any, phone: BrowserContext, line: Line
) -> None:
    page = to_photos(ada, phone)
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss() if len(asked) == 1 else dialog.accept()

    page.on("dialog", answer)
    page.reload()
    assert asked == []
    line.speed = SLOW
    choose(page, LARGE)
    page.evaluate("setTimeout(() => location.reload())")
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"]
    all_sent(page)
    page.reload()
    assert asked == ["beforeunload"]
    expect(page.locator(".photo-name")).to_have_text("Photo 1 · IMG_1.jpg")


PIECE = 262_144  # bytes, as `transfer.js` has it


def stop_in_the_middle(page: Page, line: Line) -> None:
    """Choose a photo, and lose the connection when half of it has arrived."""
    line.speed = SLOW
    choose(page, LARGE)
    pill = page.locator(".photo").last.locator(".pill")
    expect(pill).to_have_text(re.compile(r" [4-9]\d%"), timeout=20_000)
    line.cut()
    expect(pill).to_have_text("Waiting for the connection …")
    line.speed = 100_000_000


def test_an_upload_goes_on_where_it_stopped(ada: Any, phone: BrowserContext, line: Line) -> None:
    page = to_photos(ada, phone)
    stop_in_the_middle(page, line)
    before = line.sent
    line.mend()
    all_sent(page)
    assert line.sent - before < 0.6 * len(LARGE) + PIECE
    assert len(ids(ada)) == 1
    assert kept(ada) == LARGE


def test_an_upload_goes_on_after_a_reload_when_the_photo_is_chosen_again(
    ada: Any, phone: BrowserContext, line: Line
) -> None:
    page = to_photos(ada, phone)
    stop_in_the_middle(page, line)
    page.close()
    line.mend()
    page = phone.new_page()
    page.goto("/me/photos")
    note = page.get_by_text("One photo has not fully arrived.")
    expect(note).to_be_visible()
    before = line.sent
    choose(page, LARGE)
    all_sent(page)
    assert line.sent - before < 0.6 * len(LARGE) + PIECE
    expect(note).to_be_hidden()
    assert kept(ada) == LARGE


def test_a_photo_removed_in_mid_upload_is_not_kept(ada: Any, phone: BrowserContext, line: Line) -> None:
    page = to_photos(ada, phone)
    stop_in_the_middle(page, line)
    page.get_by_role("button", name="Remove photo 1").click()
    expect(page.locator(".photo")).to_have_count(0)
    with page.expect_response("**/me/photos/pieces/remove*"):
        line.mend()
    assert ids(ada) == []
    with transaction(ada.org_id) as session:
        held = select(Artifact).where(Artifact.kind == "piece", Artifact.delete_requested_at.is_(None))
        assert session.scalars(held).all() == []


def order(page: Page) -> list[str | None]:
    """The photos as they are numbered, by what they are to the server."""
    return [one.get_attribute("data-key") for one in page.locator(".photo[data-id]").all()]


def test_photos_keep_their_numbers_over_a_reload_whichever_arrives_first(
    ada: Any, phone: BrowserContext, line: Line
) -> None:
    page = to_photos(ada, phone)
    line.speed = 1_500_000
    choose(page, grainy(1500, 1500), snapshot(320, 400), b"no photo", snapshot(400, 320), snapshot(500, 400))
    all_sent(page, 4)
    expect(page.locator(".photo.rejected")).to_have_count(1)
    seen = page.locator(".photo-name").all_text_contents()
    assert seen == [
        "Photo 1 · IMG_1.jpg",
        "Photo 2 · IMG_2.jpg",
        "– · IMG_3.jpg",
        "Photo 3 · IMG_4.jpg",
        "Photo 4 · IMG_5.jpg",
    ]
    before = order(page)
    page.reload()
    all_sent(page, 4)
    assert order(page) == before
    assert page.locator(".photo-name").all_text_contents() == [name for name in seen if name[0] != "–"]


def test_one_that_goes_on_after_a_reload_has_its_number_at_once(
    ada: Any, phone: BrowserContext, line: Line
) -> None:
    page = to_photos(ada, phone)
    stop_in_the_middle(page, line)
    page.close()
    line.mend()
    page = phone.new_page()
    page.goto("/me/photos")
    choose(page, snapshot(320, 400))
    all_sent(page)
    choose(page, LARGE)
    all_sent(page, 2)
    expect(page.locator(".photo-name").first).to_have_text("Photo 1 · IMG_1.jpg")
    expect(page.locator(".photo").first.locator("img")).to_have_js_property("naturalHeight", 1500)
    before = order(page)
    page.reload()
    all_sent(page, 2)
    assert order(page) == before


def names_in(person: Any) -> list[str]:
    """The upload keys of the photos that are in the person's shoot."""
    with transaction(person.org_id) as session:
        here = select(Photo.upload_key).where(Photo.participation_id == person.participation_id)
        return list(session.scalars(here.where(Photo.removed_at.is_(None))))


def test_two_tabs_send_each_to_its_own_shoot(
    ada: Any, autumn: Any, phone: BrowserContext, line: Line
) -> None:
    spring_tab, autumn_tab = to_photos(ada, phone), to_photos(autumn, phone)
    choose(autumn_tab, snapshot(640, 800))
    all_sent(autumn_tab)
    assert (len(names_in(ada)), len(names_in(autumn))) == (0, 1)
    choose(spring_tab, snapshot(640, 800), snapshot(800, 640))
    all_sent(spring_tab, 2)
    assert (len(names_in(ada)), len(names_in(autumn))) == (2, 1)
    assert not set(names_in(ada)) & set(names_in(autumn))
    stop_in_the_middle(autumn_tab, line)
    address = autumn_tab.url
    autumn_tab.close()
    line.mend()
    spring_tab.reload()
    expect(spring_tab.locator("#unfinished")).to_be_hidden()
    autumn_tab = phone.new_page()
    autumn_tab.goto(address)
    expect(autumn_tab.locator("#unfinished")).to_be_visible()
    before = line.sent
    choose(autumn_tab, LARGE)
    all_sent(autumn_tab, 2)
    assert line.sent - before < 0.6 * len(LARGE) + PIECE
    for remaining in (1, 0):
        autumn_tab.get_by_role("button", name=f"Remove photo {remaining + 1}").click()
        expect(autumn_tab.locator(".photo")).to_have_count(remaining)
    assert (len(names_in(ada)), len(names_in(autumn))) == (2, 0)


def test_the_same_photo_twice_is_one_and_a_removed_one_can_come_back(ada: Any, phone: BrowserContext) -> None:
    page = to_photos(ada, phone)
    photo = snapshot(640, 800)
    choose(page, photo)
    all_sent(page)
    choose(page, photo)
    expect(page.locator(".photo.rejected .verdict")).to_contain_text(
        "You have chosen this photo already: it is photo 1."
    )
    page.get_by_role("button", name="Remove IMG_1.jpg").click()
    page.get_by_role("button", name="Remove photo 1").click()
    expect(page.locator(".photo")).to_have_count(0)
    choose(page, photo)
    all_sent(page)
    assert len(ids(ada)) == 1


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, (4096, 3072)),
        ({"restart_marker_blocks": 50, "icc_profile": display_p3()}, (4096, 3072)),
        ({"exif": Image.Exif()}, (3072, 4096)),
    ],
    ids=["sRGB", "Display P3", "on its side"],
)
def test_a_large_photo_is_sent_in_the_size_that_is_used(
    ada: Any, phone: BrowserContext, options: dict[str, Any], size: tuple[int, int]
) -> None:
    if "exif" in options:
        options["exif"][0x0112] = 6  # a quarter turn clockwise
        options["exif"][0x010F] = "Camera of Ada"
    whole = snapshot(6000, 4500, quality=97, **options)
    page = to_photos(ada, phone)
    choose(page, whole)
    all_sent(page)
    sent = kept(ada)
    assert len(sent) < len(whole)
    assert b"Camera of Ada" not in sent
    arrived, meant = Image.fromarray(read(sent)), Image.fromarray(read(whole))
    assert arrived.size == size
    assert delta_e(_small(arrived), _small(meant)) < 0.5


def _small(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.resize((256, 256), Image.Resampling.LANCZOS))


def _torn(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + np.random.default_rng(1).bytes(4096) + content[middle + 4096 :]


def _without(content: bytes, size: int) -> bytes:
    middle = len(content) // 2
    return content[:middle] + content[middle + size :]


@pytest.mark.parametrize("restarts", [pytest.param(0, marks=pytest.mark.slow), 40])
@pytest.mark.parametrize(
    "change",
    [
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[: len(whole) // 2] + bytes(len(whole) // 2) + b"\xff\xd9",
        _torn,
        lambda whole: _without(whole, 1),
        lambda whole: _without(whole, 4096),
    ],
    ids=["cut off", "zeros", "garbage", "a byte less", "a piece less"],
)
def test_a_damaged_photo_is_judged_as_it_is(
    ada: Any, phone: BrowserContext, change: Callable[[bytes], bytes], restarts: int
) -> None:
    damaged = change(snapshot(4800, 3200, restart_marker_blocks=restarts))
    with pytest.raises(DamagedPhoto):
        read(damaged)
    page = to_photos(ada, phone)
    choose(page, damaged)
    all_sent(page)
    assert kept(ada) == damaged


@pytest.mark.parametrize(
    "content",
    [
        snapshot(4800, 3200, exif=adobe_exif()),
        snapshot(4096, 3072),
        snapshot(4800, 3200, progressive=True),
    ],
    ids=["Adobe RGB by EXIF alone", "not too large", "no camera's"],
)
def test_what_a_browser_would_show_wrongly_or_needs_not_shrink_is_left_alone(
    ada: Any, phone: BrowserContext, content: bytes
) -> None:
    page = to_photos(ada, phone)
    choose(page, content)
    all_sent(page)
    assert kept(ada) == content


def test_a_phone_that_was_put_away_goes_on_to_the_results(
    ada: Any, phone: BrowserContext, shoot: Shoot
) -> None:
    page = to_photos(ada, phone)
    choose(page, snapshot(640, 800))
    all_sent(page)
    ada.judge(ids(ada)[0])
    # The stream is lost without an error, as behind a lock screen.
    page.route("**/me/progress/events", lambda _route: None)
    page.get_by_role("button", name="Send to the studio").click()
    page.wait_for_url("**/me/progress*")
    ada.render(shoot)
    ada.set_state(State.READY)
    page.wait_for_timeout(500)
    assert "/me/progress" in page.url
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_url("**/me/result*")
