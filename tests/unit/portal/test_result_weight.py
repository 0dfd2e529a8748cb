"""What a page of results costs on a phone's connection."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from browser.visitors import until
from phones import HEIGHT, WIDTH, Line
from PIL import Image
from playwright.sync_api import Browser
from portraits import photo_path
from sealing import put
from sqlalchemy import select

from core.db import transaction
from core.models import Kind, Photo, Shoot, State

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("stack")]

MOST_BYTES = 250_000
WEIGHTS = """[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .map((one) => [one.name, one.encodedBodySize])"""
FACES = ("barack/portrait.jpg", "joe/portrait.jpg", "eileen/portrait.png", "barack/blue-room.jpg")


@pytest.mark.parametrize(
    ("screen", "fineness"), [((WIDTH, HEIGHT), 3.0), ((1440, 900), 1.0)], ids=["phone", "laptop"]
)
def test_results_weigh_little_and_nothing_moves_while_they_load(
    waiting: Any, shoot: Shoot, chromium: Browser, line: Line, screen: tuple[int, int], fineness: float
) -> None:
    for rank, name in enumerate(FACES):
        face = Image.open(photo_path(name)).convert("RGB")
        side = min(face.size)
        square = face.crop((0, 0, side, side)).resize((1024, 1024), Image.Resampling.LANCZOS)
        waiting.render(shoot, rank=rank, pixels=np.asarray(square))
    with transaction(waiting.org_id) as session:
        photo = session.scalars(select(Photo)).one()
        whole = photo_path("barack/podium.jpg").read_bytes()
        photo.artifact_id = put(
            session, whole, kind=Kind.PHOTO, media_type="image/jpeg", member_id=photo.member_id
        ).id
    waiting.set_state(State.READY)
    context = chromium.new_context(
        viewport={"width": screen[0], "height": screen[1]},
        device_scale_factor=fineness,
        base_url=line.address,
    )
    page = context.new_page()
    page.goto(waiting.link())
    page.get_by_role("button").first.click()
    page.wait_for_url("**/me/result*")
    page.add_init_script(
        """new PerformanceObserver((list) => {
            window.moved = (window.moved ?? 0) + list.getEntries().reduce((sum, one) => sum + one.value, 0);
        }).observe({ type: "layout-shift", buffered: true })"""
    )
    page.goto("/me/result", wait_until="networkidle")
    for picture in page.locator(".compare img").all():
        picture.scroll_into_view_if_needed()
    until(
        lambda: page.evaluate(
            "[...document.querySelectorAll('.compare img')].every((one) => one.complete && one.naturalWidth > 0)"
        ),
        "every picture",
    )
    assert page.locator(".compare img").count() == 8
    weights = dict(page.evaluate(WEIGHTS))
    pictures = {url: size for url, size in weights.items() if "/headshots/" in url}
    assert len(pictures) == 8
    assert not any("/preview" in url for url in weights), "nobody opened the list of what came of each photo"
    assert sum(weights.values()) <= MOST_BYTES, weights
    assert page.evaluate("window.moved ?? 0") < 0.01
    context.close()
