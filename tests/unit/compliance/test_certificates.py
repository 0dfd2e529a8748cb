"""Deletion certificates: true, readable in both languages, naming nobody, and a valid container."""

from __future__ import annotations

import io
import json
import string
import tomllib
from datetime import timedelta
from typing import Any

import pypdf
import pytest
import rfc8785
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import ValidationError

from compliance.certificate import page as certificate_page
from compliance.certificate.document import render_certificate
from compliance.certificate.facts import (
    Check,
    EpochTurn,
    Location,
    Method,
    OrganizationRef,
    RetainedBasis,
    RetainedWhat,
    Status,
    VerificationFailed,
)
from compliance.erasure import ErasureReason
from compliance.pdf import making
from compliance.signing import SigningKeys
from core.clock import now
from core.models.artifact import Kind

KEYS_ADDRESS = "https://photos.example.com/trust/acme/keys.json"


def text_of(content: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_failed_verification_is_never_signed(make_body: Any, seal: Any, signing_keys: SigningKeys) -> None:
    body = make_body()
    first = body.locations[0]
    broken = first.model_copy(update={"verification": first.verification.model_copy(update={"ok": False})})
    document = seal(body.model_copy(update={"locations": (broken, *body.locations[1:])}))
    with pytest.raises(VerificationFailed) as caught:
        render_certificate(document, signing_keys, keys_address=KEYS_ADDRESS)
    assert caught.value.details == {"locations": [first.locator]}


@pytest.mark.parametrize(
    ("status", "language", "expected"),
    [
        (
            Status.COMPLETE,
            "en",
            [
                "Certificate of deletion",
                "no backup copy of them can be opened either",
                "23 November 2026, 23:58 UTC",
            ],
        ),
        (
            Status.PENDING,
            "en",
            ["could still be opened until 24 November 2026, 05:58 UTC", "no Purge is claimed"],
        ),
        (Status.COMPLETE, "de", ["Löschzertifikat", "Niemand kann sie zurückholen", "23. November 2026"]),
        (Status.PENDING, "de", ["ließe sich noch bis zum 24. November 2026", "wird kein Purge behauptet"]),
        (Status.COMPLETE, "fr", ["Certificate of deletion"]),
    ],
)
def test_page_says_what_was_deleted_and_until_when_a_backup_can_be_opened(
    make_body: Any, seal: Any, signing_keys: SigningKeys, status: Status, language: str, expected: list[str]
) -> None:
    text = text_of(
        render_certificate(seal(make_body(status)), signing_keys, language, keys_address=KEYS_ADDRESS)
    )
    for words in expected:
        assert words in text
    assert "Müller & Söhne GmbH" in text
    assert signing_keys.document_root.fingerprint(SHA256()).hex() in text.replace(" ", "")


def test_purge_is_claimed_only_when_the_epoch_key_is_destroyed(
    make_body: Any, seal: Any, signing_keys: SigningKeys
) -> None:
    claim = "Purge – Cryptographic Erase"
    assert claim in text_of(
        render_certificate(seal(make_body(Status.COMPLETE)), signing_keys, keys_address=KEYS_ADDRESS)
    )
    assert claim not in text_of(
        render_certificate(seal(make_body(Status.PENDING)), signing_keys, keys_address=KEYS_ADDRESS)
    )


def test_backup_of_what_the_key_did_not_seal_is_dated_by_its_own_expiry(
    make_body: Any, seal: Any, signing_keys: SigningKeys
) -> None:
    text = text_of(
        render_certificate(seal(make_body(Status.COMPLETE)), signing_keys, keys_address=KEYS_ADDRESS)
    )
    assert "not sealed with that person’s key; backups of it expire by 23 December 2026" in text
    assert "23 Dec 2026, 09:58" in text  # its row in the table
    sealed_only = make_body(locations=make_body().locations[:3])
    assert "not sealed" not in text_of(
        render_certificate(seal(sealed_only), signing_keys, keys_address=KEYS_ADDRESS)
    )


def test_many_locations_and_a_new_kind_of_data_still_fit_two_pages(
    make_body: Any, seal: Any, signing_keys: SigningKeys
) -> None:
    body = make_body()
    many = tuple(
        body.locations[0].model_copy(update={"locator": f"objects/{number:08x}", "category": "voice_sample"})
        for number in range(300)
    )
    content = render_certificate(
        seal(body.model_copy(update={"locations": many})), signing_keys, keys_address=KEYS_ADDRESS
    )
    assert len(pypdf.PdfReader(io.BytesIO(content)).pages) == 2
    assert "voice sample" in text_of(content)
    assert "and 297 more" in text_of(content)


def test_company_name_cannot_inject_markup(make_body: Any, seal: Any, signing_keys: SigningKeys) -> None:
    name = "<img src='file:///etc/passwd'><b>Evil</b> {company}"
    body = make_body(organization=OrganizationRef(id=make_body().organization.id, name=name))
    assert name in text_of(render_certificate(seal(body), signing_keys, keys_address=KEYS_ADDRESS))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/x.png",
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
    ],
)
def test_page_that_asks_for_any_resource_is_not_made(url: str) -> None:
    attachment = making.Attachment("evidence.json", b"{}", "none", now())
    with pytest.raises(making.ResourceRefused, match="refused to read"):
        making.render(
            f"<html lang=en><title>t</title><img src='{url}'>", identifier=b"1", attachment=attachment
        )


def test_pdf_declares_archival_format_and_carries_canonical_evidence_once(
    make_body: Any, seal: Any, signing_keys: SigningKeys
) -> None:
    document = seal(make_body())
    reader = pypdf.PdfReader(
        io.BytesIO(render_certificate(document, signing_keys, keys_address=KEYS_ADDRESS))
    )
    catalog: Any = reader.trailer["/Root"]
    xmp = catalog["/Metadata"].get_data().decode()
    assert 'pdfaid:part="3"' in xmp
    assert 'pdfaid:conformance="A"' in xmp
    assert len(catalog["/AF"]) == 1
    assert catalog["/AF"][0].get_object()["/AFRelationship"] == "/Data"
    assert catalog["/OutputIntents"][0].get_object()["/S"] == "/GTS_PDFA1"
    assert catalog["/MarkInfo"]["/Marked"]
    assert catalog["/Lang"] == "en"
    assert dict(reader.attachments) == {"evidence.json": [document.canonical()]}
    assert rfc8785.dumps(json.loads(document.canonical())) == document.canonical()


@pytest.mark.parametrize(
    "changes",
    [
        {"epoch": EpochTurn(number=1, due_at=now())},
        {"locations": ()},
        {"subject": "jane.doe@example.com"},
        {"reason": "Jane Doe asked"},
        {"executed_at": now() - timedelta(days=4000)},
        {"issued_at": now() - timedelta(days=4000)},
    ],
)
def test_facts_that_contradict_each_other_or_could_name_someone_are_refused(
    make_body: Any, changes: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        make_body(**changes)


@pytest.mark.parametrize("locator", ["photos/Jane Doe.jpg", "jane@example.com", "", "../x", "a" * 121])
def test_locator_that_could_name_someone_is_refused(make_body: Any, locator: str) -> None:
    values = make_body().locations[0].model_dump()
    with pytest.raises(ValidationError):
        Location(**{**values, "locator": locator})


def leaves(table: dict[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= leaves(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = " ".join(value) if isinstance(value, list) else value
    return found


def test_every_language_has_every_text_with_the_same_placeholders() -> None:
    def fields(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    english = leaves(certificate_page.texts("en"))
    for language in certificate_page.LANGUAGES:
        table = leaves(
            tomllib.loads((certificate_page.TEMPLATES / f"certificate.{language}.toml").read_text())
        )
        assert table.keys() == english.keys()
        for key, value in table.items():
            assert fields(value) == fields(english[key]), key


def test_every_reason_and_every_personal_kind_has_its_words() -> None:
    words = certificate_page.texts("en")
    assert set(words["reason"]) == {one.value for one in ErasureReason}
    of_the_company = {Kind.LOGO, Kind.BACKDROP, Kind.STYLE_PICTURE, Kind.ROSTER, Kind.SEARCH}
    personal = {kind.value for kind in set(Kind) - of_the_company}
    assert set(words["category"]) == personal | {"key", "directory"}


def test_every_closed_set_has_its_words() -> None:
    words = certificate_page.texts("en")
    for table, values in (
        ("status", Status),
        ("statement", Status),
        ("method", Method),
        ("check", Check),
        ("retained_what", RetainedWhat),
        ("retained_basis", RetainedBasis),
    ):
        assert set(words[table]) == {one.value for one in values}


def test_letters_without_a_font_stand_as_numbers_and_never_as_boxes(
    make_body: Any, seal: Any, signing_keys: SigningKeys
) -> None:
    def page(name: str) -> str:
        body = make_body(organization=OrganizationRef(id=make_body().organization.id, name=name))
        return text_of(render_certificate(seal(body), signing_keys, keys_address=KEYS_ADDRESS))

    unusual = page("M\U0010ffffller GmbH")
    assert unusual.count("M[U+10FFFF]ller GmbH") == 2
    assert "no font for some letters of the company’s name" in unusual
    assert "no font" not in page("Müller GmbH")
