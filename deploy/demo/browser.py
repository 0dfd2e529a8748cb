"""A browser without a screen: cookies, redirects, forms with their hidden fields, scripts' requests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from lxml import html

from core.errors import AppError, NotFound

TIMEOUT_SECONDS = 60.0
# Many made-up people share this one machine's address, so the product may well ask us to slow down.
MOST_PATIENCE_SECONDS = 90.0

Files = Mapping[str, tuple[str, bytes]]  # field → file name and content


class DemoFailed(AppError):
    """A step of the story did not end as it must."""

    code = "demo_failed"
    status = 500


@dataclass(frozen=True)
class Form:
    """A form as the page brought it, ready to be filled in."""

    action: str
    fields: tuple[tuple[str, str], ...]

    @property
    def token(self) -> str:
        """The CSRF token, which scripts send as a header."""
        return dict(self.fields)["csrf_token"]


class Page:
    """What came back."""

    def __init__(self, response: httpx.Response) -> None:
        self.url = str(response.url)
        self.path = response.url.path
        self.status = response.status_code
        self.content = response.content

    @property
    def document(self) -> html.HtmlElement:
        """The page as a tree."""
        return html.document_fromstring(self.content.decode("utf-8"))

    @property
    def title(self) -> str:
        """The page's heading."""
        return " ".join(self.document.xpath("string((//h1)[1])").split())

    def texts(self, path: str) -> list[str]:
        """Return the texts of all elements at an XPath, blanks tidied."""
        return [" ".join(found.text_content().split()) for found in self.document.xpath(path)]

    def links(self, part: str) -> list[str]:
        """Return the addresses of all links that contain `part`."""
        return [link for link in self.document.xpath("//a/@href") if part in link]

    def form(self, action: str = "", *, field: str = "") -> Form:
        """Return the first form that posts to a path ending with `action` and has `field`.

        Raises:
            NotFound: the page has no such form.
        """
        for form in self.document.forms:
            target = urljoin(self.url, form.get("action") or self.url)
            ends = urlsplit(target).path.endswith(action)
            if form.method == "POST" and ends and (not field or field in form.fields):
                return Form(target, tuple((name, str(value)) for name, value in form.form_values()))
        raise NotFound(f"The page “{self.title}” has no form for {action or field}.")


class Browser:
    """One person's browser.

    Args:
        base_url: Where the product is.
        watch: Called with each request and each line of a stream.
    """

    def __init__(self, base_url: str, watch: Callable[[], None] = lambda: None) -> None:
        self._watch = watch
        self._http = httpx.Client(
            base_url=base_url,
            follow_redirects=True,
            trust_env=False,  # a proxy in the environment is for others
            timeout=TIMEOUT_SECONDS,
            headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "en"},
        )

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, address: str, *, expect: int = 200) -> Page:
        """Open an address.

        Raises:
            DemoFailed: the answer is not `expect`; says what the page said.
        """
        return self._page(self._http.build_request("GET", address), expect)

    def open(self, address: str) -> Page:
        """Open an address, whatever it answers."""
        return Page(self._send(self._http.build_request("GET", address)))

    def submit(self, form: Form, fields: Mapping[str, str] | None = None, files: Files | None = None) -> Page:
        """Send a form with its own fields, `fields` filled in, and go where it leads.

        Raises:
            DemoFailed: it led to a refusal; says what the page said.
        """
        values: dict[str, list[str]] = {}
        for name, value in form.fields:
            values.setdefault(name, []).append(value)
        values |= {name: [value] for name, value in (fields or {}).items()}
        return self._page(self._http.build_request("POST", form.action, data=values, files=files), 200)

    def fetch(
        self,
        address: str,
        *,
        method: str = "GET",
        token: str = "",
        data: Mapping[str, str] | None = None,
        files: Files | None = None,
    ) -> tuple[int, Any]:
        """Ask as the pages' scripts do; return the status and the JSON."""
        headers = {"X-Requested-With": "fetch", "Accept": "application/json"}
        if token:
            headers["X-CSRFToken"] = token
        request = self._http.build_request(method, address, data=data, files=files, headers=headers)
        response = self._send(request)
        return response.status_code, response.json()

    def events(self, address: str) -> Iterator[dict[str, Any]]:
        """Yield server-sent events until the stream ends; one that is refused yields nothing."""
        with self._http.stream("GET", address, headers={"Accept": "text/event-stream"}) as response:
            if response.status_code != 200:
                return
            for line in response.iter_lines():
                self._watch()
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    def _page(self, request: httpx.Request, expect: int) -> Page:
        page = Page(self._send(request))
        if page.status != expect:
            said = " ".join(page.texts("//main//p")[:1]) if page.content else ""
            raise DemoFailed(
                f"{request.method} {request.url.path} answered {page.status} instead of {expect}. {said}".strip()
            )
        return page

    def _send(self, request: httpx.Request) -> httpx.Response:
        patience = time.monotonic() + MOST_PATIENCE_SECONDS
        while True:
            self._watch()
            try:
                response = self._http.send(request)
            except httpx.TransportError as error:
                raise DemoFailed(
                    f"The product does not answer ({type(error).__name__}). Its logs are in the demo's home folder."
                ) from error
            wait = float(response.headers.get("Retry-After", "2"))
            if response.status_code != 429 or time.monotonic() + wait > patience:
                return response
            time.sleep(wait)
