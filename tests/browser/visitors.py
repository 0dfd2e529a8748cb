"""People at browsers: HR at a desk, employees with a phone, and what their browsers complain about."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from PIL import ExifTags, Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from deploy.local.processes import child_environment, python_module
from deploy.local.stack import Stack
from workers.folder.sample import sample_people

PHOTOS = Path(__file__).parents[3] / "shared" / "photos"
PHONE = 390  # pixels wide
DESK = 1440
RENDER_MS = 300_000  # a busy machine with two cores; about ten seconds on a quiet one
COLUMNS = "email,first name,last name,employee id,department"
FAILED_LOAD = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")

Found = TypeVar("Found")


def until(look: Callable[[], Found | None], what: str, seconds: float = 60.0) -> Found:
    """Return what `look` finds as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: nothing within {seconds:.0f} s"
        time.sleep(0.2)
    return found


@dataclass(frozen=True)
class File:
    """A file that someone chooses or drops."""

    name: str
    media_type: str
    content: bytes

    @property
    def payload(self) -> dict[str, Any]:
        """As Playwright takes it."""
        return {"name": self.name, "mimeType": self.media_type, "buffer": self.content}


def good_photos() -> list[File]:
    """Two photos of one person that a headshot can be made of."""
    if PHOTOS.exists():
        names = ("portrait.jpg", "blue-room.jpg")
        return [File(name, "image/jpeg", (PHOTOS / "barack" / name).read_bytes()) for name in names]
    files = dict(sample_people()["eileen"])
    # The other two end too close to the head for the company's crop.
    return [File(name, "image/jpeg", files[name]) for name in ("portrait.jpg", "dark.jpg")]


def photo_without_a_face() -> File:
    """A photo of something else."""
    if PHOTOS.exists():
        return File("no-face.jpg", "image/jpeg", (PHOTOS / "negatives" / "no-face.jpg").read_bytes())
    output = io.BytesIO()
    Image.linear_gradient("L").resize((900, 900)).convert("RGB").save(output, "JPEG")
    return File("no-face.jpg", "image/jpeg", output.getvalue())


def photo_of_two_people() -> File:
    """A photo that shows its owner beside somebody else."""
    if PHOTOS.exists():
        return File("party.jpg", "image/jpeg", (PHOTOS / "negatives" / "two-people.jpg").read_bytes())
    with Image.open(io.BytesIO(good_photos()[0].content)) as image:
        pair = Image.new("RGB", (2 * image.width, image.height))
        pair.paste(image, (0, 0))
        pair.paste(image, (image.width, 0))
    output = io.BytesIO()
    pair.save(output, "JPEG", quality=95)
    return File("party.jpg", "image/jpeg", output.getvalue())


def with_gps(photo: File) -> File:
    """The photo as a phone saves it: with the place where it was taken."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Phone"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.0)
    output = io.BytesIO()
    with Image.open(io.BytesIO(photo.content)) as image:
        image.convert("RGB").save(output, "JPEG", quality=95, exif=exif)
    return File(photo.name, photo.media_type, output.getvalue())


def logo() -> File:
    """A company's logo with a transparent ground."""
    image = Image.new("RGBA", (256, 128))
    ImageDraw.Draw(image).ellipse((64, 0, 192, 128), fill="#c2571a")
    output = io.BytesIO()
    image.save(output, "PNG")
    return File("logo.png", "image/png", output.getvalue())


def turn_epoch(stack: Stack) -> None:
    """Do what the scheduler does once a day, as an operator does it by hand."""
    command = python_module("deploy.cli", "keys", "rotate", "--json")
    done = subprocess.run(
        command, env=child_environment(stack.environment), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["epoch"] > 1


class Visitors:
    """Opens browsers that share nothing, and remembers what they complain about."""

    def __init__(self, stack: Stack, chromium: Browser, patience_ms: float) -> None:
        self.stack = stack
        self._chromium = chromium
        self._patience_ms = patience_ms
        self._contexts: list[BrowserContext] = []
        self._heard: list[tuple[str, str]] = []
        self._expected: list[tuple[int, str]] = []

    def page(self, width: int = DESK, height: int = 900, **options: Any) -> Page:
        """Open a browser of its own with one page."""
        context = self._chromium.new_context(
            viewport={"width": width, "height": height},
            base_url=self.stack.base_url,
            locale="en-GB",
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(self._patience_ms)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self._heard.append((str(error.error), "")))
        self._contexts.append(context)
        return context.new_page()

    def _hear(self, message: ConsoleMessage) -> None:
        # Violations of the content policy are console errors too.
        if message.type in ("error", "warning"):
            self._heard.append((message.text, message.location.get("url", "")))

    def expect_refusal(self, status: int, path: str) -> None:
        """A test will ask for `path` although it knows that the answer is `status`."""
        self._expected.append((status, path))

    @property
    def complaints(self) -> list[str]:
        """What browsers said about our pages, apart from refusals that a test asked for."""
        return [f"{text} ({address})" for text, address in self._heard if not self._forgiven(text, address)]

    def _forgiven(self, text: str, address: str) -> bool:
        failed = FAILED_LOAD.match(text)
        return failed is not None and any(
            int(failed[1]) == status and path in address for status, path in self._expected
        )

    def leave(self) -> None:
        """Close every browser."""
        for context in self._contexts:
            context.close()

    def mails(self, to: str) -> list[dict[str, Any]]:
        """Return the mails that someone got, newest first."""
        found = httpx.get(f"{self.stack.mailbox_url}/messages.json", params={"to": to}).json()
        assert isinstance(found, list)
        return found

    def invitation(self, to: str) -> dict[str, Any]:
        """Wait for someone's mail with a link, and return it."""
        return until(lambda: next((mail for mail in self.mails(to) if link_in(mail)), None), f"mail to {to}")


def link_in(mail: dict[str, Any]) -> str:
    """Return the invitation's address in a mail; empty if there is none."""
    return next((link for link in mail["links"] if "/i/" in link), "")


class HrAdmin:
    """Someone from HR."""

    def __init__(self, visitors: Visitors) -> None:
        self.page = visitors.page()
        self._slug = visitors.stack.org_slug
        visitors.expect_refusal(401, "/admin/")

    def sign_in(self) -> None:
        """Go the whole SAML way at the development identity provider."""
        page = self.page
        page.goto("/admin/")
        page.get_by_label("Your company's short name").fill(self._slug)
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("link", name="Sign in with your company account").click()
        expect(page.get_by_role("radio", name="Hannah Rivera")).to_be_checked()
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()

    def save_accent(self, color: str) -> None:
        """Give the company a colour."""
        self.page.goto("/admin/brand")
        self.page.get_by_label("Accent colour").fill(color)
        self.page.get_by_role("button", name="Save the brand").click()
        expect(self.page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()

    def save_style(self, name: str) -> None:
        """Make a style from the first preset and save it."""
        page = self.page
        page.goto("/admin/styles/new")
        page.get_by_label("Name of the style").fill(name)
        page.get_by_role("button", name="Save the style").locator("visible=true").click()
        expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()

    def create_shoot(self, name: str) -> str:
        """Create a shoot with the newest style; return its address."""
        page = self.page
        page.goto("/admin/shoots/new")
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_role("button", name="Create the shoot").click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        return page.url

    def check_list(self, shoot: str, rows: Sequence[str]) -> None:
        """Upload a roster and stop at the dry run."""
        page = self.page
        page.goto(f"{shoot}/import")
        content = "\r\n".join((COLUMNS, *rows)).encode()
        page.get_by_label("CSV file").set_input_files(File("people.csv", "text/csv", content).payload)
        page.get_by_role("button", name="Check the list").click()
        expect(page.get_by_role("heading", level=1, name="Check every row")).to_be_visible()

    def invite_everyone(self) -> None:
        """Confirm the dry run, and stay until everybody is invited."""
        self.page.get_by_role("button", name=re.compile(r"Invite \d+ p")).click()
        self.page.wait_for_url(re.compile(r"/result$"))
        expect(self.page.get_by_role("heading", level=1, name="Done")).to_be_visible()


class Employee:
    """Someone with a phone."""

    def __init__(self, visitors: Visitors, email: str, *, width: int = PHONE, **options: Any) -> None:
        self.page = visitors.page(width, 844, **options)
        self.email = email
        self._visitors = visitors
        self.link = ""

    def find_link(self) -> str:
        """Look into the mailbox for the newest invitation."""
        self.link = link_in(self._visitors.invitation(self.email))
        return self.link

    def accept(self) -> None:
        """Open the link and start."""
        self.page.goto(self.find_link())
        self.page.get_by_role("button", name="Start").click()
        self.page.wait_for_url("**/me/consent")

    def agree(self) -> None:
        """Agree to both purposes."""
        for box in self.page.get_by_role("checkbox").all():
            box.check()
        self.page.get_by_role("button", name="I agree to what I ticked").click()
        self.page.wait_for_url("**/me/photos")

    def choose(self, *files: File) -> None:
        """Take photos from the file chooser."""
        with self.page.expect_file_chooser() as opened:
            self.page.get_by_text("Choose photos").click()
        opened.value.set_files([file.payload for file in files])

    def drop(self, *files: File) -> None:
        """Drag photos onto the page."""
        dropped = self.page.evaluate_handle(
            """files => {
                const transfer = new DataTransfer();
                for (const [name, type, content] of files) {
                    const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
                    transfer.items.add(new File([bytes], name, { type }));
                }
                return transfer;
            }""",
            [[file.name, file.media_type, base64.b64encode(file.content).decode()] for file in files],
        )
        self.page.dispatch_event("#upload", "dragenter", {"dataTransfer": dropped})
        self.page.dispatch_event("#upload", "drop", {"dataTransfer": dropped})

    def sees_verdicts(self, *, good: int, bad: int) -> None:
        """Wait until every photo has its verdict."""
        expect(self.page.locator(".photo.accepted")).to_have_count(good)
        expect(self.page.locator(".photo.rejected")).to_have_count(bad)

    def submit(self) -> None:
        """Send the photos to the studio."""
        self.page.get_by_role("button", name="Send to the studio").click()
        self.page.wait_for_url(re.compile(r"/me/(progress|result)$"))
