"""What every page must be: as wide as the screen, readable and operable for everyone (axe-core), in light and dark."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from playwright.sync_api import Locator, Page

WIDTHS = (320, 390, 1440)  # pixels: the narrowest phone that counts (WCAG 1.4.10), a usual one, a desk
NARROWEST, PHONE = WIDTHS[:2]
SCHEMES = ("light", "dark")
SEVERE = ("serious", "critical")
# In the dark a page has other colours and nothing else that is different.
COLOURS = "{ runOnly: ['color-contrast', 'link-in-text-block'] }"
MOST_STOPS = 80  # presses of Tab until something must have been reached

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")

# What is wider than the screen: by how many pixels, and which element is to blame.
TOO_WIDE = """() => {
    const over = document.scrollingElement.scrollWidth - innerWidth;
    if (over <= 0) return null;
    const guilty = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 0.5);
    return `${over} px too wide: ${guilty.slice(0, 3).map((one) => one.outerHTML.slice(0, 120)).join(" | ")}`;
}"""

# A table that a phone shows only in part: its rows should stand one below the other.
SIDEWAYS = """() => [...document.querySelectorAll(".table-scroll")]
    .filter((one) => getComputedStyle(one).overflowX !== "visible" && one.scrollWidth > one.clientWidth + 1)
    .map((one) => one.outerHTML.slice(0, 120))"""

# The element that has the keyboard, and whether a person can see that it has.
FOCUS = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const parts = [one, ...(one.labels ?? [])];
    const seen = parts.some((part) => {
        const style = getComputedStyle(part), box = part.getBoundingClientRect();
        const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
        return outlined && box.width > 8 && box.height > 8;
    });
    return { what: one.outerHTML.slice(0, 160), seen };
}"""


def examine(page: Page) -> list[str]:
    """Look at the page as it is at each width, in light and dark; return what is wrong."""
    before = page.viewport_size
    assert before is not None
    page.evaluate(AXE)
    wrong = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            at = f"{width} px, {scheme}"
            if too_wide := page.evaluate(TOO_WIDE):
                wrong.append(f"{at}: {too_wide}")
            if width <= PHONE:
                wrong += [f"{at}: scrolls sideways: {table}" for table in page.evaluate(SIDEWAYS)]
            if width != NARROWEST:  # laid out as on the usual phone: axe-core would find the same
                wrong += [
                    f"{at}: {violation}" for violation in axe(page, COLOURS if scheme == "dark" else "{}")
                ]
    page.set_viewport_size(before)
    page.emulate_media(color_scheme="light")
    return wrong


def axe(page: Page, rules: str = "{}") -> list[str]:
    """Return what axe-core holds against the page, by all its rules or by `rules` alone."""
    found: dict[str, Any] = page.evaluate(f"axe.run(document, {{ resultTypes: ['violations'], ...{rules} }})")
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}"
        for one in found["violations"]
        if one["impact"] in SEVERE
        for node in one["nodes"][:3]
    ]


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until `wanted` has the keyboard; on the way, each stop must be visible."""
    stops = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop is None:
            continue  # round again, past the browser's own buttons
        assert stop["seen"], f"nobody sees that this has the keyboard: {stop['what']}"
        if wanted.evaluate("one => one === document.activeElement"):
            return
        stops.append(stop["what"])
    raise AssertionError(f"Tab never reaches {wanted}; it stops at:\n" + "\n".join(stops))
