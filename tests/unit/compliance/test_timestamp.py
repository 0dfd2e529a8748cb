"""The time of a signature, from an RFC 3161 authority: in the signature, of this signature, and by nobody else."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pypdf
import pytest
from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from servers.timestamps import TimeAuthority, served

from compliance.certificate.document import render_certificate
from compliance.certificate.parts import Clock
from compliance.pdf import seal as sealing
from compliance.signing import SigningKeys
from compliance.verify import verify_file
from core.clock import now
from core.errors import Unavailable

KEYS_ADDRESS = "https://photos.example.com/trust/acme/keys.json"
ISSUED = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)  # as the facts of these tests have it


@pytest.fixture(scope="module")
def authority() -> Iterator[TimeAuthority]:
    with served() as one:
        one.at = ISSUED
        yield one


@pytest.fixture(scope="module")
def keys(signing_keys: SigningKeys, authority: TimeAuthority) -> SigningKeys:
    return replace(signing_keys, timestamp_url=authority.url)


@pytest.fixture(scope="module")
def known(signing_keys: SigningKeys, published: dict[str, Any], authority: TimeAuthority) -> dict[str, Any]:
    assert authority.certificate is not None
    origins = [one["origin"] for one in published["logs"]]
    return signing_keys.published_keys(origins, authorities=[authority.certificate])


@pytest.fixture(scope="module")
def stamped(make_body: Any, seal: Any, keys: SigningKeys) -> bytes:
    return render_certificate(seal(make_body(clock=Clock.AUTHORITY)), keys, keys_address=KEYS_ADDRESS)


def cms_of(pdf: bytes) -> tuple[int, int, cms.ContentInfo]:
    start = pdf.rindex(b"/Contents <") + len(b"/Contents <")
    end = pdf.index(b">", start)
    return start, end, cms.ContentInfo.load(bytes.fromhex(pdf[start:end].decode()))


def with_cms(pdf: bytes, changed: cms.ContentInfo) -> bytes:
    start, end, _ = cms_of(pdf)
    return pdf[:start] + changed.dump(force=True).hex().upper().encode().ljust(end - start, b"0") + pdf[end:]


def failing(pdf: bytes, keys: dict[str, Any]) -> str:
    result = verify_file(pdf, keys)
    assert not result.ok
    return result.checks[-1].name


def test_the_time_is_in_the_signature_on_the_page_and_checked(
    stamped: bytes, known: dict[str, Any], authority: TimeAuthority
) -> None:
    result = verify_file(stamped, json.loads(json.dumps(known)))
    assert result.ok, result.checks
    said = {one.name: one.detail for one in result.checks}
    assert "2026-11-23 23:59:00" in said["time of this signature"]
    assert "CN=Time" in said["time trusted"]
    text = " ".join(pypdf.PdfReader(io.BytesIO(stamped)).pages[-1].extract_text().split())
    assert f"RFC 3161 authority ({authority.url.split('/')[2]})" in text
    _, _, info = cms_of(stamped)
    token = info["content"]["signer_infos"][0]["unsigned_attrs"][0]["values"][0]
    assert len(token["content"]["certificates"]) == 1


def test_others_read_the_time_as_well(
    stamped: bytes, signing_keys: SigningKeys, authority: TimeAuthority, tmp_path: Path
) -> None:
    assert authority.certificate is not None
    roots = [
        asn1_x509.Certificate.load(one.public_bytes(Encoding.DER))
        for one in (signing_keys.document_root, authority.certificate)
    ]
    (signature,) = PdfFileReader(io.BytesIO(stamped)).embedded_signatures
    context = ValidationContext(trust_roots=roots, allow_fetching=False)
    status = validate_pdf_signature(signature, signer_validation_context=context)
    assert status.timestamp_validity is not None
    assert (status.timestamp_validity.intact, status.timestamp_validity.valid) == (True, True)
    assert status.timestamp_validity.timestamp == ISSUED
    if shutil.which("pdfsig"):
        file = tmp_path / "stamped.pdf"
        file.write_bytes(stamped)
        said = subprocess.run(["pdfsig", str(file)], capture_output=True, text=True, check=False).stdout
        assert "Signature is Valid" in said


def test_a_byte_of_the_signature_flipped_is_refused(stamped: bytes, known: dict[str, Any]) -> None:
    start, end, info = cms_of(stamped)
    length = len(info.dump()) * 2
    assert length < end - start
    # Every 50th of several thousand, another set each day: each takes a hundredth of a second.
    for place in (*range(start + now().day, start + length, 50), *range(start + length, end, 997)):
        changed = bytearray(stamped)
        changed[place] = ord("0") if changed[place] != ord("0") else ord("1")
        assert not verify_file(bytes(changed), known).ok, place


def test_a_stamp_that_was_taken_away_is_missed(stamped: bytes, known: dict[str, Any]) -> None:
    _, _, info = cms_of(stamped)
    del info["content"]["signer_infos"][0]["unsigned_attrs"]
    assert failing(with_cms(stamped, info), known) == "time as stated"


def test_a_stamp_on_a_document_that_says_it_has_none_is_refused(
    make_body: Any, seal: Any, keys: SigningKeys, known: dict[str, Any]
) -> None:
    content = render_certificate(seal(make_body()), keys, keys_address=KEYS_ADDRESS)
    assert failing(content, known) == "time as stated"


def test_the_stamp_of_another_signature_is_refused(
    stamped: bytes, make_body: Any, seal: Any, keys: SigningKeys, known: dict[str, Any]
) -> None:
    other = render_certificate(seal(make_body(clock=Clock.AUTHORITY)), keys, keys_address=KEYS_ADDRESS)
    _, _, theirs = cms_of(other)
    _, _, mine = cms_of(stamped)
    mine["content"]["signer_infos"][0]["unsigned_attrs"] = theirs["content"]["signer_infos"][0][
        "unsigned_attrs"
    ]
    assert failing(with_cms(stamped, mine), known) == "time of this signature"


def test_a_stamp_by_whoever_likes_is_refused(
    make_body: Any, seal: Any, signing_keys: SigningKeys, known: dict[str, Any], published: dict[str, Any]
) -> None:
    with served() as stranger:
        stranger.at = ISSUED
        keys = replace(signing_keys, timestamp_url=stranger.url)
        document = seal(make_body(clock=Clock.AUTHORITY))
        content = render_certificate(document, keys, keys_address=KEYS_ADDRESS)
    assert failing(content, known) == "time trusted"
    assert failing(content, published) == "time trusted"


@pytest.mark.parametrize("off", [timedelta(days=2), timedelta(days=-2)])
def test_a_stamp_of_another_day_is_refused(
    make_body: Any,
    seal: Any,
    keys: SigningKeys,
    known: dict[str, Any],
    authority: TimeAuthority,
    off: timedelta,
) -> None:
    authority.at = ISSUED + off
    try:
        document = seal(make_body(clock=Clock.AUTHORITY))
        content = render_certificate(document, keys, keys_address=KEYS_ADDRESS)
    finally:
        authority.at = ISSUED
    assert failing(content, known) == "time as stated"


def test_further_bytes_beside_the_stamp_are_refused(stamped: bytes, known: dict[str, Any]) -> None:
    _, _, info = cms_of(stamped)
    attributes = info["content"]["signer_infos"][0]["unsigned_attrs"]
    attributes.append(cms.CMSAttribute({"type": "1.2.3.4", "values": [cms.OctetString(b"x")]}))
    assert failing(with_cms(stamped, info), known) == "no spare bytes"
    _, _, info = cms_of(stamped)
    token = info["content"]["signer_infos"][0]["unsigned_attrs"][0]["values"][0]
    token["content"]["certificates"].append(info["content"]["certificates"][0])
    assert failing(with_cms(stamped, info), known) == "no spare bytes"


def test_while_the_authority_is_away_nothing_is_signed(
    make_body: Any, seal: Any, keys: SigningKeys, authority: TimeAuthority
) -> None:
    authority.broken = True
    try:
        with pytest.raises(Unavailable):
            render_certificate(seal(make_body(clock=Clock.AUTHORITY)), keys, keys_address=KEYS_ADDRESS)
    finally:
        authority.broken = False


def test_keys_without_an_authority_are_read_by_earlier_releases(published: dict[str, Any]) -> None:
    assert "authorities" not in published


def test_a_signature_with_a_stamp_fits(stamped: bytes) -> None:
    start, end, _ = cms_of(stamped)
    assert end - start <= sealing.MAX_GAP
