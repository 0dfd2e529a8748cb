"""People who use the product while it falls apart, as people do: what fails is tried again, for a bounded time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import httpx

from core.errors import AppError
from deploy.demo.browser import Browser, Page

PAUSE_SECONDS = 1.0  # between two tries of a step, as somebody would reload a page
PATIENCE_SECONDS = 900.0  # for one step: longer than any outage of the plan
DONE_STATES = frozenset({"ready", "failed"})


class Wish(StrEnum):
    """What somebody wants in the end."""

    HEADSHOT = "headshot"
    ERASURE = "erasure"  # first a headshot, then gone
    DECLINE = "decline"
    WITHDRAW = "withdraw"  # agrees, uploads, and takes the consent back while it is at work


@dataclass
class Story:
    """What one person lived through; read by the judge."""

    name: str
    email: str
    wish: Wish
    steps: list[str] = field(default_factory=list)
    receipt: str = ""
    state: str = ""
    trouble: str = ""
    ended: bool = False


class NotYet(Exception):
    """The product has not come to it; nothing is wrong."""


class Person:
    """Somebody on a phone.

    Args:
        story: Told as it goes.
        link: Their invitation.
        photos: Name and content of each.
        base_url: Address of the product.
        dice: Their own, so that a seed fixes what they do.
        over: Set when nobody waits any longer.
    """

    def __init__(
        self,
        story: Story,
        link: str,
        photos: list[tuple[str, bytes]],
        base_url: str,
        dice: random.Random,
        over: threading.Event,
    ) -> None:
        self.story = story
        self._link = link
        self._photos = photos
        self._browser = Browser(base_url)
        self._dice = dice
        self._over = over

    def live(self) -> None:
        """Do everything up to what they want; never raises, the story says what went wrong."""
        try:
            with self._browser:
                for name, step in self._plan():
                    self._until_done(name, step)
            self.story.ended = True
        except Exception as error:  # noqa: BLE001 - told to the judge
            self.story.trouble = f"{type(error).__name__}: {error}"

    def _plan(self) -> list[tuple[str, Callable[[], None]]]:
        plan: list[tuple[str, Callable[[], None]]] = [("accept", self._accept)]
        if self.story.wish is Wish.DECLINE:
            return [*plan, ("decline", self._decline)]
        plan.append(("agree", self._agree))
        for number in range(len(self._photos)):
            plan.append((f"upload {number}", lambda number=number: self._upload(number)))  # type: ignore[misc]
        plan += [("verdicts", self._verdicts), ("submit", self._submit)]
        if self.story.wish is Wish.WITHDRAW:
            return [*plan, ("withdraw", self._withdraw)]
        plan += [("headshot", self._headshot), ("approve", self._approve)]
        if self.story.wish is Wish.ERASURE:
            plan.append(("erase", self._erase))
        return plan

    def _until_done(self, name: str, step: Callable[[], None]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        last = ""
        while time.monotonic() < deadline and not self._over.is_set():
            try:
                step()
            except NotYet as wait:
                last = str(wait) or "not yet"
            except (AppError, httpx.HTTPError, ValueError) as error:
                last = f"{type(error).__name__}: {error}"
            else:
                self.story.steps.append(name)
                return
            time.sleep(PAUSE_SECONDS * self._dice.uniform(0.5, 1.5))
        raise TimeoutError(f"{name}: {last}")

    def _accept(self) -> None:
        self._browser.submit(self._browser.get(self._link).form("/accept"))

    def _agree(self) -> None:
        page = self._browser.get("/me/consent")
        self._browser.submit(page.form("/me/consent"), {"photo": "yes", "likeness": "yes"})

    def _decline(self) -> None:
        self._browser.submit(self._browser.get("/me/consent").form("/me/decline"))

    def _upload(self, number: int) -> None:
        name, content = self._photos[number]
        token = self._browser.get("/me/photos").form("/me/photos").token
        status, body = self._browser.fetch(
            "/me/photos",
            method="POST",
            token=token,
            data={"upload_key": f"{number:04d}-{self.story.name}"},
            files={"photo": (name, content)},
        )
        if status >= 400:
            raise NotYet(str(body)[:200])

    def _verdicts(self) -> None:
        _, listing = self._browser.fetch("/me/photos.json")
        if "checking" not in listing or listing["checking"]:
            raise NotYet(f"checking {listing.get('checking')}")
        if not listing["accepted"]:
            raise NotYet(f"none accepted: {listing}"[:300])

    def _submit(self) -> None:
        if self._status().get("state") in {"submitted", "rendering", *DONE_STATES}:
            return  # the answer to an earlier try was lost
        self._browser.submit(self._browser.get("/me/photos").form("/me/submit"))

    def _headshot(self) -> None:
        status = self._status()
        if status.get("state") not in DONE_STATES:
            raise NotYet(f"state {status.get('state')}")
        self.story.state = status["state"]
        if status["state"] == "failed":
            raise RuntimeError("the product gave the render up")

    def _approve(self) -> None:
        page: Page = self._browser.get("/me/result")
        if page.links("/me/headshots/"):
            return
        self._browser.submit(page.form("/me/approve"))
        raise NotYet("look whether it is approved")

    def _withdraw(self) -> None:
        if self._status().get("state") == "declined":
            return  # the answer to an earlier try was lost
        self._browser.submit(self._browser.get("/me/consent/withdraw").form("/me/consent/withdraw"))

    def _erase(self) -> None:
        page = self._browser.open("/me/privacy")
        if page.status == 401:
            return  # erased; the answer that had the receipt was lost
        if page.status != 200:
            raise NotYet(f"status {page.status}")
        self.story.receipt = self._browser.submit(page.form("/me/erase"), {"confirm": "yes"}).path

    def _status(self) -> dict[str, str]:
        status, body = self._browser.fetch("/me/progress.json")
        if status != 200:
            raise NotYet(f"status {status}")
        found: dict[str, str] = body
        return found
