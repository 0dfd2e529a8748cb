"""A photo whose check was given up, tried again from the page; by itself, as every module with a browser is."""

from __future__ import annotations

from typing import Any

import pytest
from phones import choose, snapshot, to_photos
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import select

from core.clock import now
from core.db import transaction
from core.models import Outbox
from core.queue import JobName
from workers.process.runner import LAST_DEATH, perform

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("stack")]


def test_a_photo_is_checked_again_at_a_press_without_leaving_the_page(
    ada: Any, phone: BrowserContext
) -> None:
    page = to_photos(ada, phone)
    choose(page, snapshot(640, 800))
    item = page.locator(".photo[data-id]")
    expect(item).to_have_count(1, timeout=60_000)
    with transaction(ada.org_id) as session:
        row = session.scalars(
            select(Outbox).where(Outbox.job == JobName.INTAKE).order_by(Outbox.id.desc())
        ).first()
        assert row is not None
        row.deaths, row.started_at = LAST_DEATH - 1, now()
    perform(str(row.id))
    button = item.get_by_role("button", name="Check it again")
    button.click()
    expect(button).to_have_count(0)
    expect(item.get_by_text("Checking …")).to_be_visible()
    ada.judge(item.get_attribute("data-id"))
    expect(item.get_by_text("✓ Good")).to_be_visible()
