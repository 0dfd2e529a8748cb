"""The company's look in a real browser, learned by a real worker with a small random model."""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from browser.conftest import PATIENCE_MS
from browser.looks import examine
from browser.visitors import File, HrAdmin, Visitors
from PIL import Image
from playwright.sync_api import Browser, expect

from deploy.local.stack import Diffusion, running

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("look")]

LEARNED_MS = 180_000  # the worker loads torch first


@pytest.fixture
def visitors(chromium: Browser) -> Iterator[Visitors]:
    """People at a product that has an image model."""
    with (
        tempfile.TemporaryDirectory(prefix="headshots-browser-") as home,
        running(
            Path(home), durable=False, test=True, diffusion=Diffusion("klein", "tiny", "tiny")
        ) as started,
    ):
        visiting = Visitors(started, chromium, PATIENCE_MS)
        yield visiting
        visiting.leave()


def noisy(width: int, height: int, name: str) -> File:
    """A picture that does not compress: forty of them at full size would be too much for one upload."""
    target = io.BytesIO()
    fine = Image.frombytes("RGB", (width, height), os.urandom(3 * width * height))
    coarse = Image.frombytes("RGB", (8, 8), os.urandom(3 * 8 * 8)).resize(fine.size)
    Image.blend(fine, coarse, 0.5).save(target, "JPEG", quality=95)
    return File(name, "image/jpeg", target.getvalue())


@pytest.mark.slow
def test_a_look_is_given_learned_and_removed(visitors: Visitors) -> None:
    hr = HrAdmin(visitors)
    hr.sign_in()
    hr.save_style("Warm")
    page = hr.page
    page.get_by_role("link", name="Your pictures").click()
    expect(page.get_by_role("heading", level=1, name="Company look")).to_be_visible()
    wrong = examine(page)

    large = noisy(2600, 2000, "large.jpg")
    assert len(large.content) > 4e6
    page.get_by_label("Pictures", exact=True).set_input_files(
        [large.payload, *(noisy(640, 520, f"{number}.jpg").payload for number in range(2))]
    )
    expect(page.locator("#preparing")).to_have_text("Your pictures are ready to be sent.")
    sent = page.evaluate("[...document.getElementById('pictures').files].map((one) => [one.name, one.size])")
    assert [name for name, _ in sent] == ["large.jpg", "0.jpg", "1.jpg"]
    assert sent[0][1] < len(large.content) / 2, "made smaller before it is sent"

    page.get_by_role("button", name="Learn this look").click()
    assert page.evaluate("document.activeElement.id") == "rights", "the browser itself asks for the box"
    visitors.expect_refusal(422, "/look")
    page.get_by_label("We have the rights").check()
    page.get_by_role("button", name="Learn this look").click()
    expect(page.get_by_role("alert")).to_contain_text("at least 5 pictures, and 3 can be used")
    page.get_by_role("alert").get_by_role("link").click()
    assert page.evaluate("document.activeElement.id") == "pictures"
    wrong += examine(page)

    page.get_by_label("Pictures", exact=True).set_input_files(
        [noisy(640, 520, f"{number}.jpg").payload for number in range(5)]
    )
    expect(page.locator("#preparing")).to_have_text("Your pictures are ready to be sent.")
    page.get_by_label("We have the rights").check()
    page.get_by_role("button", name="Learn this look").click()
    expect(page.get_by_text("5 pictures, given on")).to_be_visible()
    wrong += examine(page)
    # The page itself asks until it is over.
    expect(page.locator(".pill", has_text=re.compile("^Learned$"))).to_be_visible(timeout=LEARNED_MS)
    expect(page.locator(".examples img")).to_have_count(5)
    wrong += examine(page)

    page.locator("summary", has_text="Remove the look").click()
    page.get_by_role("button", name="Remove it now").click()
    expect(page.get_by_role("status").filter(has_text="are removed")).to_be_visible()
    expect(page.locator("fieldset", has_text="Company look").locator(".pill")).to_have_text("None yet")
    assert wrong == []
    assert visitors.complaints == []
