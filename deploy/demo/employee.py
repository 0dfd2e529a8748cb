"""What an employee does: open the link, agree, upload, wait, choose, download, and erase everything."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.checks.advice import Issue
from core.checks.report import GateReport
from core.checks.verdict import Verdict
from core.consent import Purpose
from core.models import EngineName
from core.portraits.photos import MAX_PHOTOS
from deploy.demo.browser import Browser, DemoFailed
from deploy.demo.people import Person
from workers.folder.batch import PersonReport, PhotoReport, WithheldReport

POLL_SECONDS = 0.25
# Two slow cores check a photo in about a second and render a person in about ten.
VERDICT_PATIENCE_SECONDS = 300.0
RENDER_PATIENCE_SECONDS = 1200.0
ERASE_PATIENCE_SECONDS = 120.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """What came of one employee."""

    report: PersonReport
    gates: GateReport | None  # of the chosen headshot
    refused: int  # pictures of the image model that were thrown away unseen


@contextmanager
def patience(seconds: float, what: str) -> Iterator[Callable[..., None]]:
    """Yield a pause to call between two looks, with what was seen last where there is something to tell.

    Raises:
        DemoFailed: from the pause, once `seconds` are over.
    """
    deadline = time.monotonic() + seconds

    def pause(seen: str = "") -> None:
        if time.monotonic() > deadline:
            last = f" The last answer was {seen}." if seen else ""
            raise DemoFailed(f"{what} did not happen within {seconds:.0f} seconds.{last}")
        time.sleep(POLL_SECONDS)

    yield pause


class Employee:
    """Someone on a phone.

    Args:
        person: Who.
        browser: Theirs.
        say: Gets a line for each step.
    """

    def __init__(self, person: Person, browser: Browser, say: Say) -> None:
        self.person = person
        self._browser = browser
        self.say = say
        self._link = ""
        self._files: dict[str, str] = {}  # upload key → file name
        self._refused: dict[str, Verdict] = {}  # file name → why it never became a photo
        self._failure: tuple[str, ...] = ()
        self._chosen = ""
        self._fallback = ""
        self.submitted = False

    def accept(self, link: str) -> None:
        """Open the invitation twice, as link scanners do, and accept it."""
        self._link = link
        self._browser.get(link)
        self._browser.submit(self._browser.get(link).form("/accept"))

    def agree(self, *, model: bool) -> None:
        """Read what happens to the photos and agree to it all, where it is asked also to an image model."""
        page = self._browser.get("/me/consent")
        purposes = (Purpose.PHOTO, Purpose.LIKENESS, *((Purpose.ADAPTER,) if model else ()))
        self._browser.submit(page.form("/me/consent"), {purpose.value: "yes" for purpose in purposes})

    def decline(self) -> bytes:
        """Say no; return the initials avatar that stands in."""
        page = self._browser.submit(self._browser.get("/me/consent").form("/me/decline"))
        return self._browser.get(page.links("/me/avatar-1024")[0]).content

    def upload(self) -> None:
        """Upload every photo as the page's script does, the first one twice as after a lost connection.

        Raises:
            DemoFailed: the repeated upload made a second photo.
        """
        token = self._browser.get("/me/photos").form("/me/photos").token
        for number, (name, content) in enumerate(self.person.photos[:MAX_PHOTOS]):
            key = f"{number:04d}-{self.person.employee_id}"
            status, body = self._send(name, content, key, token)
            if status >= 400:
                self._refused[name] = _refusal(body["error"])
                continue
            self._files[key] = name
            if len(self._files) == 1:
                again, same = self._send(name, content, key, token)
                if (again, same["id"]) != (200, body["id"]):
                    raise DemoFailed("An upload that was sent twice became two photos.")
        left_out = len(self.person.photos) - MAX_PHOTOS
        if left_out > 0:
            self.say(f"{self.person.called} has {left_out} photos more than the {MAX_PHOTOS} that are used")

    def _send(self, name: str, content: bytes, key: str, token: str) -> tuple[int, Any]:
        return self._browser.fetch(
            "/me/photos",
            method="POST",
            token=token,
            data={"upload_key": key},
            files={"photo": (name, content)},
        )

    def submit(self) -> None:
        """Wait for the verdicts and send the good photos to the studio, if there is any."""
        with patience(VERDICT_PATIENCE_SECONDS, f"The check of {self.person.called}’s photos") as pause:
            while True:
                _, listing = self._browser.fetch("/me/photos.json")
                if not listing["checking"]:
                    break
                pause()
        good, all_of_them = listing["accepted"], len(self._files) + len(self._refused)
        self.say(f"{self.person.called} agrees and uploads: {good} of {all_of_them} photos can be used")
        if good:
            self._browser.submit(self._browser.get("/me/photos").form("/me/submit"))
            self.submitted = True

    def follow(self) -> bool:
        """Watch the studio's progress; return whether there is a headshot to choose."""
        with patience(RENDER_PATIENCE_SECONDS, f"{self.person.called}’s headshot") as pause:
            while True:
                heard = list(self._browser.events("/me/progress/events"))
                status = heard[-1] if heard else self._browser.fetch("/me/progress.json")[1]
                if "next" in status:
                    break
                pause()
        if status["state"] == "failed":
            self._failure = tuple(self._browser.get("/me/progress").texts("//main//ul/li[not(@class)]"))
        return bool(status["state"] == "ready")

    def choose(self, folder: Path) -> None:
        """Approve the first suggestion and download every size of it into `folder`."""
        form = self._browser.get("/me/result").form("/me/approve")
        self._chosen = dict(form.fields)["headshot_id"]
        settled = self._browser.submit(form)
        self._fallback = " ".join(settled.texts("//*[@id='fallback']"))
        folder.mkdir(parents=True, exist_ok=True)
        addresses = settled.links("/me/headshots/")
        for number, address in enumerate(addresses):
            name = "headshot.jpg" if number == 0 else address.rsplit("/", 1)[1]
            (folder / name).write_bytes(self._browser.get(address).content)

    def outcome(self) -> Outcome:
        """Return verdicts and gates as the product's own export of the person's data has them."""
        with zipfile.ZipFile(io.BytesIO(self._browser.get("/me/export.zip").content)) as archive:
            data = json.loads(archive.read("data.json"))
        _, listing = self._browser.fetch("/me/photos.json")
        file_of = {photo["id"]: self._files[photo["upload_key"]] for photo in listing["photos"]}
        verdicts = {file_of[photo["id"]]: photo["verdict"] for photo in data["photos"]}
        verdicts |= {name: verdict.model_dump() for name, verdict in self._refused.items()}
        chosen = next((one for one in data["headshots"] if one["id"] == self._chosen), None)
        gates = GateReport.model_validate(chosen["gates"]) if chosen else None
        return Outcome(
            PersonReport(
                person=self.person.key,
                source=file_of[chosen["made_from"]] if chosen else None,
                photos=tuple(
                    PhotoReport(file=name, **verdicts[name])
                    for name, _content in self.person.photos
                    if name in verdicts
                ),
                gates=gates.gates if gates else {},
                figures=gates.figures if gates else {},
                notes=gates.notes if gates else (),
                withheld={
                    file_of[one["made_from"]]: _why(one)
                    for one in data["headshots"]
                    if one["withheld"] is not None and one["engine"] == EngineName.STUDIO
                },
                seconds=round(sum(one["seconds"] for one in data["headshots"]), 2),
            ),
            gates,
            sum(
                one["withheld"] is not None and one["engine"] == EngineName.DIFFUSION
                for one in data["headshots"]
            ),
        )

    @property
    def fallback(self) -> str:
        """Why the headshot is not the image model's, in the page's words; empty where none was to make it."""
        return self._fallback

    @property
    def failure(self) -> tuple[str, ...]:
        """Why the studio could not make a headshot, in the page's words."""
        return self._failure

    def erase(self) -> str:
        """Press “erase everything”; return the address of the page that has the proof."""
        page = self._browser.submit(self._browser.get("/me/privacy").form("/me/erase"), {"confirm": "yes"})
        return page.path

    def certificate(self, receipt: str, status: str) -> bytes:
        """Wait until the certificate is `status`; return the PDF."""
        with patience(ERASE_PATIENCE_SECONDS, f"The certificate’s status {status}") as pause:
            while True:
                _, body = self._browser.fetch(f"{receipt}.json")
                if body["status"] == status:
                    return self._browser.get(body["certificate_url"]).content
                pause(body["status"])

    def published_keys(self, slug: str) -> Any:
        """Return the public keys that the company's evidence is checked with."""
        return json.loads(self._browser.get(f"/trust/{slug}/keys.json").content)

    def is_locked_out(self) -> bool:
        """Whether the invitation and the own pages are gone."""
        self._browser.get(self._link, expect=410)
        return self._browser.get("/me/", expect=401).status == 401


def _why(headshot: dict[str, Any]) -> WithheldReport:
    """Why a candidate was withheld, as `headshots render` says it."""
    gates = headshot["gates"]
    return WithheldReport.of(headshot["withheld"], GateReport.model_validate(gates) if gates else None)


def _refusal(error: dict[str, str]) -> Verdict:
    """What the upload itself refused, as the verdict that the photo check gives for the same reason."""
    if error["code"] not in set(Issue):
        raise DemoFailed(f"A photo was refused: {error['message']}")
    return Verdict.refused(Issue(error["code"]))
