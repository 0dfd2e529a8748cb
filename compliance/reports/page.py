"""A report as a tagged PDF/A-3 that a screen reader reads in order, with its JSON attached."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.pdf.pages import environment
from compliance.reports.document import Document
from compliance.reports.wording import Wording
from core import fonts

if TYPE_CHECKING:
    from compliance.pdf.making import Unsigned

TEMPLATES = Path(__file__).parent / "templates"
JSON_NAME = "report.json"
# Widest cells before a table is set in smaller letters.
WIDE = 5


def unsigned(document: Document, attached: bytes | None = None, name: str = JSON_NAME) -> Unsigned:
    """Return the PDF of a report, to be signed.

    Args:
        document: what it says.
        attached: what lies in the file for programs, if not the report's own JSON.
        name: of that file.
    """
    # Only where a page is made: it brings a typesetter along.
    from compliance.pdf import making

    content = document.content() if attached is None else attached
    return making.render(
        html(document),
        identifier=sha256(f"{document.format} {document.number}".encode()).digest()[:16],
        attachment=making.Attachment(name, content, document.title, document.at),
    )


def pdf(document: Document) -> bytes:
    """Return the PDF of a report that is its person's alone, and carries no signature."""
    return unsigned(document).pdf


def html(document: Document) -> str:
    """Return the page, each letter that no font here has as its Unicode number."""
    words = Wording(document.language)
    missing = fonts.without_glyph("".join(sorted(set("".join(document.words())))))
    page = (
        environment(TEMPLATES)
        .get_template("report.html")
        .render(
            t=words,
            document=document,
            numbered=bool(missing),
            wide=WIDE,
            moment=words.moment,
        )
    )
    for letter in missing:
        page = re.sub(re.escape(letter), f"[U+{ord(letter):04X}]", page)
    return page
