"""The signed PDF of a monthly statement, and its page."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from pathlib import Path

from babel.dates import format_date, format_datetime

from compliance.certificate import page
from compliance.certificate.evidence import Certificate
from compliance.certificate.parts import EVIDENCE_NAME, VerificationFailed
from compliance.pdf import making
from compliance.pdf.pages import environment
from compliance.signing import SigningKeys
from compliance.statement.counting import bounds
from compliance.statement.facts import StatementBody

TEMPLATES = Path(__file__).parent / "templates"


def render_statement(
    document: Certificate, keys: SigningKeys, language: str = "en", *, keys_address: str
) -> bytes:
    """Return the signed PDF/A-3 of a statement, with `evidence.json` attached.

    Args:
        document: The facts and their place in the log.
        keys: The evidence keys.
        language: Of the page; falls back to English.
        keys_address: Where anybody downloads their public half; printed.

    Raises:
        VerificationFailed: a line did not pass. Nothing was rendered or signed.
    """
    body = document.certificate
    assert isinstance(body, StatementBody)
    if failed := body.failed:
        raise VerificationFailed("Something that ended is still there.", locations=failed)
    unsigned = making.render(
        _page(document, body, keys, language, keys_address),
        identifier=body.certificate_id.bytes,
        attachment=making.Attachment(
            EVIDENCE_NAME, document.canonical(), "Machine-readable evidence (RFC 8785 JSON)", body.issued_at
        ),
    )
    return making.sign(unsigned, keys)


def _page(
    document: Certificate, body: StatementBody, keys: SigningKeys, language: str, keys_address: str
) -> str:
    shared = page.texts(language)
    words = {**shared, **page.load(TEMPLATES / "statement", language)}
    names = page.Names()
    begins: datetime = bounds(body.month)[0]
    found = environment(TEMPLATES, page.TEMPLATES)
    return found.get_template("statement.html").render(
        t=words,
        body=body,
        month=format_date(begins, "LLLL y", locale=words["language"]),
        company=names.drawable(body.organization.legal_name or body.organization.name),
        brand=names.drawable(body.organization.name),
        address=page.lines_of(body.organization.address, names),
        operator=names.drawable(body.operator.name),
        operator_address=page.lines_of(body.operator.address, names),
        letters_note=shared["letters_note"] if names.numbered else "",
        moment=partial(format_datetime, format=words["moment"], locale=words["language"]),
        number=partial(page.number, words=words),
        size=partial(page.size, language=words["language"]),
        label=page.label,
        **page.record(document, keys, words, keys_address),
    )
