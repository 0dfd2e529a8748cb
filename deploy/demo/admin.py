"""What HR does: sign in, set the brand and the style, invite, watch, download."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin

from lxml import html
from PIL import Image, ImageDraw, ImageFont

from core.models import EngineName
from deploy.demo.browser import Browser, DemoFailed, Page
from deploy.demo.people import DOMAIN, Person

ACCENT = "#0b6e4f"
STYLE = {
    "name": "Northwind studio",
    "backdrop_kind": "gradient",
    "inner": "#e9eeea",
    "outer": "#a9b9b0",
    "falloff": "1.1",
}
SHOOT = "Team portraits"
COLUMNS = ("email", "first name", "last name", "employee id", "department")
BAD_ROWS = (
    ("not-an-address", "Nadia", "Incomplete", "E2001", "Sales"),
    (f"formula@{DOMAIN}", "=HYPERLINK(1)", "Formula", "E2002", "Sales"),
    ("", "Pat", "Nomail", "E2003", "Sales"),
)

IMPORT_SECONDS = 120.0  # a worker takes a second for the people of a demo, once it is there

Say = Callable[[str], None]


class HrAdmin:
    """Someone from HR at a browser.

    Args:
        browser: Theirs.
        slug: The company's short name.
        say: Gets a line for each step.
    """

    def __init__(self, browser: Browser, slug: str, say: Say) -> None:
        self._browser = browser
        self._slug = slug
        self._say = say
        self._shoot = ""

    def sign_in(self) -> None:
        """Go the whole SAML way: our signed request, the identity provider's form, its signed answer."""
        self._browser.get("/admin/", expect=401)
        choose = self._browser.get(f"/sso/{self._slug}/login?next=/admin/")
        name = choose.document.xpath("string(//label[input[@checked]]//*[@class='name']/text())").strip()
        answer = self._browser.submit(choose.form(field="person"))
        landed = self._browser.submit(answer.form("/acs"))
        if landed.path != "/admin/":
            raise DemoFailed(f"Signing in led to {landed.path} instead of the dashboard.")
        self._say(f"{name} from HR signs in through SAML")

    def set_brand(self, company: str) -> None:
        """Give the company its colour and a logo."""
        page = self._browser.get("/admin/brand")
        self._browser.submit(
            page.form("/admin/brand"),
            {"name": company, "accent": ACCENT},
            files={"logo": ("logo.png", draw_logo(company))},
        )
        self._say(f"sets name, logo and colour of {company}")

    def set_style(self) -> None:
        """Make the company's style in the brand studio and look at the preview."""
        form = self._browser.get("/admin/styles/new").form("/admin/styles/new")
        began = time.monotonic()
        shown = replace(form, action=urljoin(form.action, "/admin/styles/preview.jpg"))
        preview = self._browser.submit(shown, STYLE)
        seconds = time.monotonic() - began
        with Image.open(io.BytesIO(preview.content)) as picture:
            width, height = picture.size
        self._browser.submit(form, STYLE)
        self._say(
            f"sets the style “{STYLE['name']}”; the live preview, {width} × {height}, took {seconds:.1f} s"
        )

    def create_shoot(self, engine: EngineName) -> None:
        """Create the shoot with the style."""
        form = self._browser.get("/admin/shoots/new").form("/admin/shoots/new")
        self._shoot = self._browser.submit(form, {"name": SHOOT, "engine": engine.value}).path
        made = "by an image model of each person" if engine is EngineName.DIFFUSION else "in the studio"
        self._say(f"creates the shoot “{SHOOT}”, its portraits made {made}")

    def invite(self, people: Sequence[Person], out: Path) -> None:
        """Import everyone from a CSV with a few bad rows, and keep those with their reasons.

        Raises:
            DemoFailed: other rows than the bad ones were rejected.
        """
        page = self._browser.get(f"{self._shoot}/import")
        checked = self._browser.submit(page.form("/import"), files={"roster": ("people.csv", roster(people))})
        # Names of folders may look as if they had been saved twice; HR wrote the list and knows how.
        checked = self._browser.get(f"{checked.path}?encoding=utf-8")
        done = self._imported(self._browser.submit(checked.form("/import/commit")))
        (address,) = done.links("/rejected.csv")[:1] or [""]
        rejected = self._browser.get(address).content if address else b""
        reasons = list(csv.DictReader(io.StringIO(rejected.decode("utf-8-sig"))))
        if len(reasons) != len(BAD_ROWS) + 1:
            raise DemoFailed(f"The import rejected {len(reasons)} rows instead of {len(BAD_ROWS) + 1}.")
        (out / "rejected.csv").write_bytes(rejected)
        self._say(
            f"imports a CSV: {len(people)} people invited, {len(reasons)} bad rows come back with their reasons"
        )

    def _imported(self, page: Page) -> Page:
        """Wait on the page of an import until it is done.

        Raises:
            DemoFailed: it stopped, or takes longer than a demo may.
        """
        until = time.monotonic() + IMPORT_SECONDS
        while True:
            _, found = self._browser.fetch(page.path)
            if found["finished_at"]:
                return self._browser.get(page.path)
            if found["failure"] or time.monotonic() > until:
                raise DemoFailed(f"The list is not imported: {found['said']}")
            time.sleep(0.5)

    def counts(self) -> str:
        """Return how many people are in each state, in words."""
        _, body = self._browser.fetch(f"{self._shoot}/counts.json")
        return ", ".join(f"{number} {state}" for state, number in body["counts"].items() if number)

    def download(self, out: Path) -> list[str]:
        """Download everybody's headshot as one ZIP; return the names in it."""
        content = self._browser.get(f"{self._shoot}/download.zip").content
        (out / "headshots.zip").write_bytes(content)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if archive.testzip() is not None:
                raise DemoFailed("The downloaded ZIP is damaged.")
            return archive.namelist()

    def page_of(self, person: Person) -> str:
        """Find someone as HR does, by a search; return the address of their page.

        Raises:
            DemoFailed: the search finds somebody else or nobody.
        """
        rows = self._found("/admin/people", person)
        addresses = {
            str(link) for row in rows for link in row.xpath(".//a/@href") if "/admin/people/" in link
        }
        if len(addresses) != 1:
            raise DemoFailed(f"A search for {person.email} finds {len(addresses)} people instead of one.")
        return addresses.pop()

    def knows(self, person: Person, address: str) -> bool:
        """Whether their page at `address` or any list still has the person."""
        shown = self._browser.open(address).status != 404
        return shown or any(self._found(pages, person) for pages in ("/admin/people", self._shoot))

    def _found(self, address: str, person: Person) -> list[html.HtmlElement]:
        """Return the rows of a searched list that show the person's own address or full name."""
        form = self._browser.get(address).form(field="q")
        rows: list[html.HtmlElement] = []
        for words in (person.email, person.full_name):
            # A cell as a whole, for a short name stands in longer ones.
            own = {words.casefold()}
            for row in self._browser.submit(form, {"q": words}).document.xpath("//tbody/tr"):
                cells = {" ".join(cell.text_content().split()).casefold() for cell in row.xpath("./td")}
                rows += [row] if cells & own else []
        return rows


def roster(people: Sequence[Person]) -> bytes:
    """Return the company's list as a CSV: everyone, three rows that cannot be imported, and one twice."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for person in people:
        writer.writerow((person.email, person.first, person.last, person.employee_id, "Engineering"))
    writer.writerows(BAD_ROWS)
    first = people[0]
    writer.writerow((first.email.upper(), first.first, first.last, "E2004", "Engineering"))
    return text.getvalue().encode()


def draw_logo(company: str) -> bytes:
    """Draw a mark and the company's first word as a PNG with a transparent ground."""
    word = company.split()[0]
    font = ImageFont.load_default(150)
    width = 300 + round(font.getlength(word))
    image = Image.new("RGBA", (width, 240), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((10, 20, 210, 220), fill=ACCENT)
    draw.polygon([(110, 52), (152, 176), (110, 150), (68, 176)], fill="#ffffff")
    draw.text((250, 120), word, font=font, fill="#12231c", anchor="lm")
    small = image.resize((width // 2, 120), Image.Resampling.LANCZOS)
    png = io.BytesIO()
    small.save(png, "PNG", optimize=True)
    return png.getvalue()
