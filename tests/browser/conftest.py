"""Chromium, and the whole product running beside it: databases, web, workers, scheduler, mailbox."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.visitors import Visitors
from playwright.sync_api import Browser, expect, sync_playwright

from deploy.local.stack import Stack, running

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 60_000


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Everything that `headshots up` runs, from an empty home."""
    with (
        tempfile.TemporaryDirectory(prefix="headshots-browser-") as home,
        running(Path(home), durable=False, test=True) as started,
    ):
        yield started


# For one module at a time: while Playwright runs, its event loop holds this thread, and tests elsewhere have their own.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, or Playwright's own where the system has none."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def visitors(stack: Stack, chromium: Browser) -> Iterator[Visitors]:
    """People at browsers of their own; whatever a browser complains about is remembered."""
    visiting = Visitors(stack, chromium, PATIENCE_MS)
    yield visiting
    visiting.leave()
