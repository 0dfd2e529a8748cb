"""Deletion certificates: true, readable in both languages, naming nobody, and a valid container."""

from __future__ import annotations

import io
import json
import re
import string
import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pypdf
import pytest
import rfc8785
from conftest import add_member
from cryptography.hazmat.primitives.hashes import SHA256
from erasing import erase
from pydantic import ValidationError
from sqlalchemy import select
from work import do_all_work

from compliance import erasure
from compliance.certificate import lines
from compliance.certificate import page as certificate_page
from compliance.certificate.document import render_certificate
from compliance.certificate.facts import (
    Assumption,
    Attestation,
    Basis,
    Check,
    Controller,
    Keeper,
    Keyring,
    Line,
    Method,
    PartStatus,
    Recall,
    Standing,
    Where,
)
from compliance.certificate.kept import (
    ERASURE_LEDGER,
    KEPT_CERTIFICATES,
    RECALLED_FILES,
    REMOVAL_LEDGER,
    WITHDRAWAL_LEDGER,
)
from compliance.certificate.parts import EpochTurn, Status, VerificationFailed
from compliance.erasure import ErasureReason
from compliance.pdf import making
from compliance.signing import SigningKeys
from core import models, personal
from core.clock import now
from core.db import transaction
from core.models import Base
from core.models.artifact import Kind
from core.regimes import Regime

KEYS_ADDRESS = "https://photos.example.com/trust/acme/keys.json"


def text_of(content: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_failed_verification_is_never_signed(make_body: Any, seal: Any, signing_keys: SigningKeys) -> None:
    body = make_body()
    first = body.locations[0]
    for wrong in (
        {"left": 1},
        {"read": 5},
        {"read": 0},
    ):  # something is there, one was not looked at, none was
        broken = first.model_copy(update={"verification": first.verification.model_copy(update=wrong)})
        document = seal(body.model_copy(update={"locations": (broken, *body.locations[1:])}))
        with pytest.raises(VerificationFailed) as caught:
            render_certificate(document, signing_keys, keys_address=KEYS_ADDRESS)
        assert caught.value.details == {"locations": ["objects/photo"]}


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


@pytest.mark.parametrize(
    ("language", "nobody", "here", "elsewhere"),
    [
        (
            "en",
            "Nobody at the operator has attested this",
            "Attested by Ngô Thị Ada (Head of IT) on 3 November 2026, 09:00 UTC, 20 days before this certificate.",
            "but for another place of the epoch keys",
        ),
        (
            "de",
            "Niemand beim Betreiber hat das namentlich bestätigt",
            "Bestätigt von Ngô Thị Ada (Head of IT) am 3. November 2026, 09:00 UTC, 20",
            "jedoch für einen anderen Ort der Epochenschlüssel",
        ),
    ],
)
def test_page_says_who_attested_that_no_backup_holds_the_keys(
    make_body: Any,
    seal: Any,
    signing_keys: SigningKeys,
    language: str,
    nobody: str,
    here: str,
    elsewhere: str,
) -> None:
    def page(keyring: Keyring | None) -> str:
        document = seal(make_body(keyring=keyring))
        return text_of(render_certificate(document, signing_keys, language, keys_address=KEYS_ADDRESS))

    by = Attestation(
        by="Ngô Thị Ada",
        role="Head of IT",
        at=datetime(2026, 11, 3, 9, tzinfo=UTC),
        sentence_sha256="0" * 64,
        same_place=True,
    )
    assert nobody in page(Keyring(kept=Keeper.FOLDER))
    attested = page(Keyring(kept=Keeper.FOLDER, attested=by))
    assert here in attested
    assert nobody not in attested
    assert elsewhere not in attested
    moved = page(Keyring(kept=Keeper.FOLDER, attested=by.model_copy(update={"same_place": False})))
    assert elsewhere in moved
    with pytest.raises(ValidationError, match="attested before the certificate"):
        make_body(
            keyring=Keyring(
                kept=Keeper.FOLDER,
                attested=by.model_copy(update={"at": datetime(2027, 1, 1, tzinfo=UTC)}),
            )
        )


@pytest.mark.parametrize(
    ("status", "held_until", "language", "expected"),
    [
        (Status.PENDING, None, "en", "keeps it for some days and could give it back"),
        (
            Status.PENDING,
            1,
            "en",
            "keeps the old key until 1 December 2026, 00:00 UTC and could give it back",
        ),
        (Status.COMPLETE, 1, "en", "it was asked and said that the key is gone"),
        (Status.PENDING, 1, "de", "1. Dezember 2026, 00:00 UTC und könnte ihn bis dahin zurückgeben"),
    ],
)
def test_page_says_what_it_means_that_a_key_service_keeps_an_old_key(
    make_body: Any,
    seal: Any,
    signing_keys: SigningKeys,
    status: Status,
    held_until: int | None,
    language: str,
    expected: str,
) -> None:
    until = datetime(2026, 12, held_until, tzinfo=UTC) if held_until else None
    document = seal(make_body(status, keyring=Keyring(kept=Keeper.AWS_KMS, held_until=until)))
    text = text_of(render_certificate(document, signing_keys, language, keys_address=KEYS_ADDRESS))
    assert expected in text
    folder = seal(make_body(status, keyring=Keyring(kept=Keeper.FOLDER)))
    assert "AWS" not in text_of(render_certificate(folder, signing_keys, language, keys_address=KEYS_ADDRESS))


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
    assert "Directory pending" in text
    assert "Pictures complete" in text
    assert "could still be read until 23 December 2026, 09:58 UTC" in text
    assert text.count("23 Dec 2026, 09:58") == 2  # its rows in the table


def test_many_places_and_a_new_kind_of_data_still_fit_three_pages(
    make_body: Any, seal: Any, signing_keys: SigningKeys
) -> None:
    body = make_body()
    first = body.locations[0]
    many = first.model_copy(
        update={
            "category": "voice_sample",
            "count": 300,
            "places": tuple(f"objects/{number:08x}" for number in range(300)),
            "verification": first.verification.model_copy(update={"read": 300}),
        }
    )
    content = render_certificate(
        seal(body.model_copy(update={"locations": (many, *body.locations[1:])})),
        signing_keys,
        keys_address=KEYS_ADDRESS,
    )
    assert len(pypdf.PdfReader(io.BytesIO(content)).pages) == 3
    assert "voice sample" in text_of(content)
    assert "and 297 more" in text_of(content)
    assert "300 of 300 files asked for again: none found" in text_of(content)


def test_company_name_cannot_inject_markup(make_body: Any, seal: Any, signing_keys: SigningKeys) -> None:
    name = "<img src='file:///etc/passwd'><b>Evil</b> {company}"
    body = make_body(organization=Controller(id=make_body().organization.id, name=name))
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


@pytest.mark.parametrize("place", ["photos/Jane Doe.jpg", "jane@example.com", "", "../x", "a" * 121])
def test_place_that_could_name_someone_is_refused(make_body: Any, place: str) -> None:
    values = make_body().locations[0].model_dump()
    with pytest.raises(ValidationError):
        Line(**{**values, "places": (place,)})


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


def test_every_reason_kind_and_table_has_its_words_under_every_law() -> None:
    words = certificate_page.texts("en")
    of_the_company = {Kind.LOGO, Kind.BACKDROP, Kind.STYLE_PICTURE, Kind.ROSTER, Kind.SEARCH}
    kinds = {kind.value for kind in set(Kind) - of_the_company}
    tables = {table.name for table, _ in personal.about_people(Base.metadata)}
    said = {table.name for table in lines.tables()}
    assert set(words["category"]) == kinds | said | {lines.OWNER_KEY, lines.FILE_KEYS, lines.LETTER_KEY}
    ledgers = {ERASURE_LEDGER, WITHDRAWAL_LEDGER, REMOVAL_LEDGER, KEPT_CERTIFICATES, RECALLED_FILES}
    others = {"audit_events", "certificates", "outbox", "recalls", "farewells"}
    assert set(words["retained_what"]) == tables | others | ledgers
    for regime in Regime:
        assert set(words["reason"][regime.value]) == {one.value for one in ErasureReason}
        assert set(words["retained_basis"][regime.value]) == {one.value for one in Basis}


def test_every_closed_set_has_its_words() -> None:
    words = certificate_page.texts("en")
    for table, values in (
        ("status", Status),
        ("statement", PartStatus),
        ("directory", PartStatus),
        ("method", Method),
        ("check", Check),
        ("retained_where", Where),
    ):
        assert set(words[table]) == {one.value for one in values}, table
    assert {one.value for one in Assumption} <= set(words["assumptions"])


@pytest.mark.parametrize("language", certificate_page.LANGUAGES)
@pytest.mark.parametrize(
    ("regime", "reason", "expected", "never"),
    [
        (Regime.GDPR, "self_service", ["17", "Art. 5"], ["California", "ILCS", "CCR"]),
        (Regime.CCPA, "self_service", ["1798.105", "11 CCR § 7101"], ["GDPR", "DSGVO", "ILCS"]),
        (Regime.CCPA, "employer_request", ["1798.100(a)(3)"], ["GDPR", "DSGVO", "ILCS"]),
        (Regime.BIPA, "self_service", ["740 ILCS 14/15(a)"], ["GDPR", "DSGVO", "California"]),
        (Regime.GDPR, "employer_request", ["17"], ["The person asked", "Die Person hat es verlangt"]),
    ],
)
def test_a_case_is_told_its_own_law_and_who_asked(
    make_body: Any,
    seal: Any,
    signing_keys: SigningKeys,
    language: str,
    regime: Regime,
    reason: str,
    expected: list[str],
    never: list[str],
) -> None:
    document = seal(make_body(regime=regime, reason=reason))
    text = text_of(render_certificate(document, signing_keys, language, keys_address=KEYS_ADDRESS))
    assert [one for one in expected if one not in text] == []
    assert [one for one in never if one in text] == []


def test_whoever_is_not_named_is_said_to_be_missing_and_not_invented(
    make_body: Any, seal: Any, signing_keys: SigningKeys
) -> None:
    def page(**changes: Any) -> str:
        content = render_certificate(seal(make_body(**changes)), signing_keys, keys_address=KEYS_ADDRESS)
        return text_of(content)

    whole = page()
    for words in ("Müller & Söhne GmbH", "Hauptstraße 1, 10115 Berlin", "Headshots GmbH", "Am Kanal 3"):
        assert words in whole
    assert "not given" not in whole
    body = make_body()
    bare = page(
        organization=Controller(id=body.organization.id, name="Acme"),
        operator=body.operator.model_copy(update={"address": None}),
    )
    assert "legal name: not given" in bare
    assert bare.count("address: not given") == 2


def test_somebody_of_whom_no_picture_was_held_reads_so(
    make_body: Any, seal: Any, signing_keys: SigningKeys
) -> None:
    body = make_body()
    without = body.model_copy(
        update={
            "pictures": Standing(status=PartStatus.NONE_HELD, count=0),
            "locations": body.locations[3:],
            "recipients": (),
            "recall": None,
        }
    )
    text = text_of(render_certificate(seal(without), signing_keys, keys_address=KEYS_ADDRESS))
    assert "No picture of this person was held here at any time" in text
    assert "Pictures none held" in text
    assert "Personal photos" not in text
    assert "photos taken back" not in text
    assert "The company had downloaded no picture of the person." in text
    assert "Keys unreadable in backups since" in text


def test_copies_and_what_the_company_said_of_them_are_printed(
    make_body: Any, seal: Any, signing_keys: SigningKeys
) -> None:
    body = make_body()
    text = text_of(render_certificate(seal(body), signing_keys, keys_address=KEYS_ADDRESS))
    assert "had downloaded pictures of the person: 20 November 2026." in text
    assert "asked to delete its copies (1 file)" in text
    assert isinstance(body.recall, Recall)
    confirmed = make_body(recall=body.recall.model_copy(update={"confirmed_at": body.issued_at}))
    text = text_of(render_certificate(seal(confirmed), signing_keys, keys_address=KEYS_ADDRESS))
    assert "23 November 2026, 23:59 UTC it confirmed that they are deleted" in text
    with pytest.raises(ValidationError):
        make_body(recall=None)


def test_letters_without_a_font_stand_as_numbers_and_never_as_boxes(
    make_body: Any, seal: Any, signing_keys: SigningKeys
) -> None:
    def page(name: str) -> str:
        body = make_body(organization=Controller(id=make_body().organization.id, name=name))
        return text_of(render_certificate(seal(body), signing_keys, keys_address=KEYS_ADDRESS))

    unusual = page("M\U0010ffffller GmbH")
    assert unusual.count("M[U+10FFFF]ller GmbH") == 3
    assert "no font for some letters of a name" in unusual
    assert "no font" not in page("Müller GmbH")


def test_names_of_an_installation_that_began_with_them_sealed_end_with_the_epoch(org: UUID) -> None:
    erase(org, add_member(org).id)
    erasure.turn_epoch()
    do_all_work()
    with transaction(org) as session:
        pending, complete = (
            text_of(session.scalars(select(models.Certificate.pdf).filter_by(status=status)).one())
            for status in ("PENDING", "COMPLETE")
        )
    assert "Directory pending" in pending
    assert "Directory complete" in complete
    assert "neither name, address nor what was measured on a face can be read in any backup" in complete
    for words in (pending, complete):
        assert "names, addresses and what was measured on a face lie there sealed only" in words


def test_a_long_name_without_a_gap_stays_on_the_page(
    make_body: Any, seal: Any, signing_keys: SigningKeys
) -> None:
    name = "L" * 200
    body = make_body()
    body = body.model_copy(update={"organization": body.organization.model_copy(update={"legal_name": name})})
    content = render_certificate(seal(body), signing_keys, keys_address=KEYS_ADDRESS)
    words = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    assert "L" in words
    longest = max(map(len, re.findall("L+", words)))
    assert longest < 100, "a page's width holds fewer"
