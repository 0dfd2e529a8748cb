"""What a person reads on a page, and whether it is English."""

from __future__ import annotations

import re

from lxml import html

# Words that no German sentence has, and hardly any English one lacks.
ENGLISH = re.compile(
    r"\b(the|your|you|this|that|with|from|and|of|are|has|have|not|is|please|to)\b", re.IGNORECASE
)
SPOKEN = ("alt", "aria-label", "title", "placeholder")
UNREAD = "self::script or self::style or self::code or self::pre or self::textarea or @lang='en'"


def read(page: str) -> list[str]:
    """Return the page's texts, with those that only screen readers say or that a script shows later."""
    tree = html.document_fromstring(page)
    texts = tree.xpath(f"//text()[not(ancestor::*[{UNREAD}])]")
    for element in tree.iter():
        texts += [element.get(name) for name in SPOKEN if element.get(name)]
        texts += [
            value for name, value in element.attrib.items() if name.startswith("data-") and " " in value
        ]
    return [" ".join(text.split()) for text in texts if text.strip()]


def english_in(page: str, *names: str) -> list[str]:
    """Return the texts that are English; `names` are of people, shoots and places, in whatever language."""
    said = []
    for text in read(page):
        for name in names:
            text = text.replace(name, "")
        if ENGLISH.search(text):
            said.append(text)
    return said
