"""Whoever holds the published keys finds out where a picture comes from, or what keeps it from being believed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from certificates import bundle_pair
from PIL import Image

from compliance.origin.credentials import sign
from compliance.origin.iptc import Caption
from compliance.origin.making import Making
from compliance.origin.reading import fields, media_type_of
from compliance.origin.signer import Signer, make
from compliance.signing import PublishedKeys, PublishedSigner
from compliance.verify import Kind, Verification, verify_file
from core.style.outputs import OutputFormat
from core.style.spec import StyleSpec
from workers.studio.encode import encode

STUDIO = Making.of_headshot("studio", StyleSpec())


def keys(*signers: Signer) -> dict[str, Any]:
    published = PublishedKeys(
        format="headshots.keys/1", logs=(), documents=(), pictures=tuple(map(PublishedSigner.of, signers))
    )
    return published.model_dump(mode="json")


def plain(kind: OutputFormat, source_type: str = STUDIO.source_type) -> bytes:
    pixels = np.full((96, 96, 3), (90, 140, 160), np.uint8)
    return encode(
        pixels, kind, source_type, caption=Caption("Portrait of Ada", "Northwind", "Northwind Labs")
    )


def last(result: Verification) -> tuple[str, bool, str]:
    return result.checks[-1].name, result.ok, result.checks[-1].detail


@pytest.mark.parametrize("kind", OutputFormat)
def test_a_delivered_picture_is_recognised_in_every_format(kind: OutputFormat, signer: Signer) -> None:
    content = sign(plain(kind), kind.media_type, STUDIO, signer)
    assert media_type_of(content) == kind.media_type
    found = verify_file(content, keys(signer))
    assert (found.kind, found.ok, found.status) == (Kind.PICTURE, True, "algorithmicallyEnhanced")
    said = {one.name: one.detail for one in found.checks}
    assert "The background was replaced" in said["how it was made"]
    assert said["IPTC fields"] == (
        "digital source type algorithmicallyEnhanced, creator Northwind, credit Northwind Labs"
    )
    assert "untrusted" in said["signer of pictures"], "a local certificate is called what it is"


@pytest.mark.parametrize("engine", ["diffusion", "wardrobe"])
def test_what_a_model_painted_is_said(engine: str, signer: Signer) -> None:
    making = Making.of_headshot(engine, StyleSpec())
    content = sign(plain(OutputFormat.JPEG, making.source_type), "image/jpeg", making, signer)
    found = verify_file(content, keys(signer))
    assert found.ok
    assert found.status is not None
    assert "rainedAlgorithmicMedia" in found.status
    assert any("image model" in one.detail for one in found.checks)


def test_a_picture_without_credentials_is_a_finding(signer: Signer) -> None:
    assert last(verify_file(plain(OutputFormat.PNG), keys(signer)))[:2] == ("content credentials", False)


def test_a_picture_that_was_saved_again_has_lost_them(signer: Signer) -> None:
    content = sign(plain(OutputFormat.JPEG), "image/jpeg", STUDIO, signer)
    again = io.BytesIO()
    Image.open(io.BytesIO(content)).save(again, "JPEG", quality=95)
    assert last(verify_file(again.getvalue(), keys(signer)))[0] == "content credentials"


def test_a_changed_pixel_is_told_in_words(signer: Signer) -> None:
    content = bytearray(sign(plain(OutputFormat.JPEG), "image/jpeg", STUDIO, signer))
    content[-40] ^= 1
    name, ok, detail = last(verify_file(bytes(content), keys(signer)))
    assert (name, ok) == ("picture unchanged", False)
    assert "another one than was signed" in detail


def test_somebody_elses_signature_is_never_taken_for_ours(signer: Signer, tmp_path: Path) -> None:
    stranger = make(tmp_path)
    content = sign(plain(OutputFormat.JPEG), "image/jpeg", STUDIO, stranger)
    for known in ((signer,), ()):
        name, ok, detail = last(verify_file(content, keys(*known)))
        assert (name, ok) == ("signer of pictures", False)
        assert "do not name" in detail
    assert verify_file(content, keys(signer, stranger)).ok


def test_another_signer_of_the_same_issuer_is_not_the_published_one(signer: Signer, tmp_path: Path) -> None:
    ours, theirs = bundle_pair(tmp_path)
    content = sign(plain(OutputFormat.JPEG), "image/jpeg", STUDIO, theirs)
    assert last(verify_file(content, keys(ours)))[:2] == ("signer of pictures", False)
    content = sign(plain(OutputFormat.JPEG), "image/jpeg", STUDIO, ours)
    assert verify_file(content, keys(ours)).ok


def test_iptc_that_contradicts_the_credentials_is_a_finding(signer: Signer) -> None:
    model = Making.of_headshot("diffusion", StyleSpec())
    content = sign(plain(OutputFormat.JPEG), "image/jpeg", model, signer)
    assert last(verify_file(content, keys(signer)))[:2] == ("IPTC fields", False)


def test_published_keys_that_name_another_issuer_are_refused(signer: Signer, tmp_path: Path) -> None:
    forged = keys(signer)
    forged["pictures"][0]["anchor"] = keys(make(tmp_path))["pictures"][0]["anchor"]
    content = sign(plain(OutputFormat.JPEG), "image/jpeg", STUDIO, signer)
    name, ok, detail = last(verify_file(content, forged))
    assert (name, ok) == ("public keys", False)
    assert "contradicts itself" in detail


@pytest.mark.parametrize(
    "packet",
    [
        b"<x:xmpmeta xmlns:x='a'><broken</x:xmpmeta>",
        b"<x:xmpmeta>&file;</x:xmpmeta>",
        b"<x:xmpmeta" + b" " * 200_000,
    ],
)
def test_hostile_xmp_says_nothing(packet: bytes) -> None:
    assert fields(b"\xff\xd8\xff" + packet).source_type == ""


@pytest.mark.parametrize("start", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBP", b"0000ftypavif"])
def test_rubbish_that_begins_like_a_picture_is_a_finding_and_no_fault(start: bytes, signer: Signer) -> None:
    for rest in (b"", bytes(500), np.random.default_rng(1).bytes(5000)):
        assert last(verify_file(start + rest, keys(signer)))[:2] == ("content credentials", False)
