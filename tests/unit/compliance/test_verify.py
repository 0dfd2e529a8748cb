"""Evidence checked offline: what we sign is accepted, and nothing else ever is."""

from __future__ import annotations

import io
import json
import random
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms, core
from hypothesis import given
from hypothesis import strategies as st
from pyhanko.pdf_utils.generic import TextStringObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from compliance.certificate.document import render_certificate
from compliance.certificate.evidence import Certificate
from compliance.certificate.facts import Controller
from compliance.certificate.parts import Status
from compliance.pdf import making, signed
from compliance.signing import SigningKeys, log_origin
from compliance.verify import Kind, verify_file
from core.clock import now
from core.ids import new_id

KEYS_ADDRESS = "https://photos.example.com/trust/acme/keys.json"


@pytest.fixture(scope="module")
def certificate(make_body: Any, seal: Any, signing_keys: SigningKeys) -> bytes:
    return render_certificate(seal(make_body()), signing_keys, keys_address=KEYS_ADDRESS)


def signature_object(content: bytes) -> tuple[int, int]:
    """Where the hex digits of the CMS object start and end."""
    start = content.rindex(b"/Contents <") + len(b"/Contents <")
    return start, content.index(b">", start)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("status", [Status.PENDING, Status.COMPLETE])
def test_certificate_is_accepted_with_the_published_keys(
    make_body: Any,
    seal: Any,
    signing_keys: SigningKeys,
    published: dict[str, Any],
    status: Status,
    language: str,
) -> None:
    content = render_certificate(seal(make_body(status)), signing_keys, language, keys_address=KEYS_ADDRESS)
    result = verify_file(content, json.loads(json.dumps(published)))
    assert result.ok, result.checks
    assert (result.kind, result.status) == (Kind.CERTIFICATE, status.value)
    assert len(result.checks) >= 12


FIRST = Path(__file__).parent / "first"


@pytest.mark.parametrize("status", [Status.PENDING, Status.COMPLETE])
def test_a_certificate_of_the_first_edition_is_verified_as_it_was(status: Status) -> None:
    content = (FIRST / f"{status.value.lower()}.pdf").read_bytes()
    keys = json.loads((FIRST / "keys.json").read_text())
    result = verify_file(content, keys)
    assert result.ok, result.checks
    assert (result.kind, result.status) == (Kind.CERTIFICATE, status.value)
    for place in range(100, len(content), 4001):
        changed = bytearray(content)
        changed[place] ^= 1
        assert not verify_file(bytes(changed), keys).ok, place


def test_a_certificate_from_before_attestations_is_verified_as_it_was() -> None:
    second = Path(__file__).parent / "second"
    content = (second / "before_attestations.pdf").read_bytes()
    result = verify_file(content, json.loads((second / "keys.json").read_text()))
    assert result.ok, result.checks
    assert result.status == "COMPLETE"


def test_certificate_is_read_from_a_path(
    tmp_path: Path, certificate: bytes, published: dict[str, Any]
) -> None:
    file = tmp_path / "certificate.pdf"
    file.write_bytes(certificate)
    assert verify_file(file, published).ok
    assert not verify_file(tmp_path / "missing.pdf", published).ok


def test_one_changed_byte_anywhere_is_refused(certificate: bytes, published: dict[str, Any]) -> None:
    chance = random.Random(20261123)
    start, end = signature_object(certificate)
    der = len(cms.ContentInfo.load(bytes.fromhex(certificate[start:end].decode())).dump())
    places = [
        0,
        7,
        len(certificate) - 1,
        len(certificate) - 3,
        certificate.rindex(b"startxref") + 11,
        certificate.rindex(b"/ByteRange") + 12,
        certificate.rindex(b"/Metadata") + 3,
        certificate.index(b"/Info"),
        start - 1,
        end,
        end - 1,
        start + der * 2,
        *chance.sample(range(start, start + der * 2), 40),
        *chance.sample(range(len(certificate)), 60),
    ]
    for place in places:
        changed = bytearray(certificate)
        changed[place] ^= 1 << chance.randrange(8)
        assert not verify_file(bytes(changed), published).ok, place


def test_other_spelling_of_the_same_signature_is_refused(
    certificate: bytes, published: dict[str, Any]
) -> None:
    start, end = signature_object(certificate)
    lower = certificate[:start] + certificate[start:end].lower() + certificate[end:]
    assert len(lower) == len(certificate)
    result = verify_file(lower, published)
    assert [one.name for one in result.checks if not one.ok] == ["no spare bytes"]


def test_unsigned_attribute_in_the_signature_is_refused(
    certificate: bytes, published: dict[str, Any]
) -> None:
    start, end = signature_object(certificate)
    info = cms.ContentInfo.load(bytes.fromhex(certificate[start:end].decode()))
    info["content"]["signer_infos"][0]["unsigned_attrs"] = [
        cms.CMSAttribute({"type": "1.2.3.4", "values": [core.OctetString(b"x")]})
    ]
    stuffed = info.dump(force=True).hex().upper().encode().ljust(end - start, b"0")
    assert len(stuffed) == end - start
    result = verify_file(certificate[:start] + stuffed + certificate[end:], published)
    assert [one.name for one in result.checks if not one.ok] == ["no spare bytes"]


def test_signature_of_other_words_is_refused_as_such(certificate: bytes, published: dict[str, Any]) -> None:
    start, end = signature_object(certificate)
    info = cms.ContentInfo.load(bytes.fromhex(certificate[start:end].decode()))
    signer = info["content"]["signer_infos"][0]
    genuine = signer["signature"].native
    signer["signature"] = genuine[:-1] + bytes([genuine[-1] ^ 1])  # still a well-formed pair of numbers
    forged = info.dump(force=True).hex().upper().encode().ljust(end - start, b"0")
    assert len(forged) == end - start
    result = verify_file(certificate[:start] + forged + certificate[end:], published)
    assert [one.name for one in result.checks if not one.ok] == ["signature valid"]


@pytest.mark.parametrize("tail", [b"\n", b" ", b"\x00", b"%%EOF\n", b"%PDF-1.7\n" + b"x" * 5000])
def test_bytes_after_the_end_are_refused(certificate: bytes, published: dict[str, Any], tail: bytes) -> None:
    assert not verify_file(certificate + tail, published).ok


@pytest.mark.parametrize("cut", [1, 2, 10, 1000, 30_000])
def test_shortened_file_is_refused(certificate: bytes, published: dict[str, Any], cut: int) -> None:
    assert not verify_file(certificate[:-cut], published).ok


def test_well_formed_later_revision_is_refused(certificate: bytes, published: dict[str, Any]) -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(certificate))
    writer.root[pdf_name("/Note")] = TextStringObject("harmless")
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    result = verify_file(out.getvalue(), published)
    assert [one.name for one in result.checks if not one.ok] == ["whole file signed"]


def test_of_an_unsigned_pdf_nothing_is_said_either_way(published: dict[str, Any]) -> None:
    plain = making.render(
        "<html lang=en><title>t</title><p>hello",
        identifier=b"1",
        attachment=making.Attachment("evidence.json", b"{}", "none", now()),
    )
    result = verify_file(plain.pdf, published)
    assert [one.name for one in result.checks] == ["signature present"]
    assert not result.ok
    assert result.kind is Kind.UNSIGNED
    assert "either way" in result.checks[0].detail
    assert verify_file(plain.pdf[:-200], published).kind is Kind.CERTIFICATE, "a part of one is no whole one"


def test_what_is_left_of_a_signature_is_no_unsigned_pdf(
    certificate: bytes, published: dict[str, Any]
) -> None:
    half = certificate[: len(certificate) // 2]
    for changed in (certificate.replace(b"/ByteRange", b"/ByteRungs"), half, certificate[:-30]):
        result = verify_file(changed, published)
        assert (result.ok, result.kind) == (False, Kind.CERTIFICATE)


def test_certificate_of_another_signer_is_refused(
    tmp_path: Path, make_body: Any, seal: Any, published: dict[str, Any]
) -> None:
    stranger = SigningKeys.make(tmp_path / "other")
    result = verify_file(
        render_certificate(seal(make_body()), stranger, keys_address=KEYS_ADDRESS), published
    )
    assert [one.name for one in result.checks if not one.ok] == ["signer trusted"]


def sign_page(
    document: Certificate,
    keys: SigningKeys,
    page: str,
    evidence: bytes | None = None,
    identifier: bytes = b"1",
) -> bytes:
    """What a careless or dishonest platform could sign with the real key."""
    attachment = making.Attachment("evidence.json", evidence or document.canonical(), "evidence", now())
    return making.sign(making.render(page, identifier=identifier, attachment=attachment), keys)


def failing(content: bytes, keys: dict[str, Any]) -> str:
    result = verify_file(content, keys)
    assert not result.ok
    assert result.status is None
    return result.checks[-1].name


def test_page_of_another_certificate_around_these_facts_is_refused(
    make_body: Any, seal: Any, signing_keys: SigningKeys, published: dict[str, Any]
) -> None:
    pending = seal(make_body(Status.PENDING))
    page = f"<html lang=en><title>t</title><p>{pending.certificate.certificate_id} · PENDING"
    other = sign_page(pending, signing_keys, page, identifier=new_id().bytes)
    assert failing(other, published) == "page of these facts"


def test_nothing_is_proven_by_letters_so_no_font_can_spoil_it(
    make_body: Any, seal: Any, signing_keys: SigningKeys, published: dict[str, Any]
) -> None:
    document = seal(make_body())
    drawn = "<html lang=en><title>t</title><svg width=9 height=9><rect width=9 height=9 /></svg>"
    content = sign_page(document, signing_keys, drawn, identifier=document.certificate.certificate_id.bytes)
    assert verify_file(content, published).ok


@pytest.mark.parametrize("name", ["삼성전자 주식회사", "🎉 Müller 🦄", "شركة الأفق", "\U00013000\U00012000"])
def test_a_company_may_be_called_anything(
    make_body: Any, seal: Any, signing_keys: SigningKeys, published: dict[str, Any], name: str
) -> None:
    body = make_body(organization=Controller(id=make_body().organization.id, name=name))
    content = render_certificate(seal(body), signing_keys, keys_address=KEYS_ADDRESS)
    assert verify_file(content, published).ok


def test_facts_that_the_log_does_not_hold_are_refused(
    make_body: Any, seal: Any, signing_keys: SigningKeys, published: dict[str, Any]
) -> None:
    pending = make_body(Status.PENDING)
    claimed = Certificate(certificate=make_body(), log=seal(pending).log)
    assert (
        failing(render_certificate(claimed, signing_keys, keys_address=KEYS_ADDRESS), published)
        == "facts in log"
    )


def test_log_of_another_company_is_refused(make_body: Any, seal: Any, signing_keys: SigningKeys) -> None:
    origin = log_origin("photos.example.com", new_id())
    content = render_certificate(seal(make_body(), origin=origin), signing_keys, keys_address=KEYS_ADDRESS)
    assert failing(content, signing_keys.published_keys([origin])) == "log of this company"


def test_log_without_a_published_key_is_refused(certificate: bytes, signing_keys: SigningKeys) -> None:
    assert failing(certificate, signing_keys.published_keys([])) == "log signature and proof"


def test_leaf_that_is_not_the_proven_one_is_refused(
    make_body: Any, seal: Any, signing_keys: SigningKeys, published: dict[str, Any]
) -> None:
    document = seal(make_body())
    wrong = document.model_copy(update={"log": document.log.model_copy(update={"leaf_hash": "0" * 64})})
    assert (
        failing(render_certificate(wrong, signing_keys, keys_address=KEYS_ADDRESS), published) == "leaf hash"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b'"COMPLETE"', b'"PENDING"'),
        lambda text: text.replace(b"headshots.deletion-certificate/2", b"headshots.deletion-certificate/9"),
        lambda text: text.replace(b'"epoch"', b'"extra":1,"epoch"', 1),
        lambda text: text + b" ",
        lambda _: b"not json",
        lambda _: b"[]",
    ],
)
def test_evidence_outside_the_schema_is_refused(
    make_body: Any, seal: Any, signing_keys: SigningKeys, published: dict[str, Any], change: Any
) -> None:
    document = seal(make_body())
    content = sign_page(
        document, signing_keys, "<html lang=en><title>t</title><p>x", change(document.canonical())
    )
    assert failing(content, published) == "evidence schema"


def test_checkpoint_and_proof_files_are_accepted_and_refused_when_changed(
    make_body: Any, seal: Any, published: dict[str, Any]
) -> None:
    proof = seal(make_body()).log.proof
    signed = proof.partition("\n\n")[2]
    assert verify_file(proof.encode(), published).kind is Kind.PROOF
    assert verify_file(signed.encode(), published).kind is Kind.CHECKPOINT
    for text in (proof, signed):
        assert verify_file(text.encode(), published).ok
        for place in range(0, len(text.encode()), 3):
            changed = bytearray(text.encode())
            changed[place] ^= 1
            assert not verify_file(bytes(changed), published).ok


@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"%PDF-1.7\n", b"c2sp.org/tlog-proof@v1\n", "\n\n— ".encode()]),
)
def test_garbage_is_a_finding_and_never_an_exception(tail: bytes, head: bytes) -> None:
    for keys in ({}, {"format": "headshots.keys/1", "logs": [], "documents": []}):
        result = verify_file(head + tail, keys)
        assert not result.ok
        assert result.checks


def rows(widths: bytes, packed: bytes, count: int) -> bytes:
    """A cross-reference stream that names `count` objects in a few bytes."""
    stream = zlib.compress(packed, 9)
    return (
        b"1 0 obj\n<< /Type /XRef /Size %d /W [%s] /Index [0 %d] /Root 2 0 R /Filter /FlateDecode /Length %d >>\n"
        b"stream\n%s\nendstream\nendobj\n" % (count, widths, count, len(stream), stream)
    )


BOMBS = {
    "objects out of nothing": rows(b"0 0 0", b"", 20_000),
    "deflated rows": rows(b"1 2 1", b"\x01\0\0\0" * 20_000, 20_000),
    "keys in a trailer": b"xref\n0 1\n0000000000 65535 f \ntrailer\n<< /Size 2 %s >>\n"
    % b"".join(b"/K%d 1 " % number for number in range(20_000)),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_no_parser_of_pdf_sees_what_none_of_our_keys_signed(
    monkeypatch: pytest.MonkeyPatch, certificate: bytes, published: dict[str, Any], bomb: bytes
) -> None:
    read: list[int] = []

    class Reader(PdfFileReader):  # type: ignore[misc]
        def __init__(self, stream: io.BytesIO) -> None:
            read.append(len(stream.getvalue()))
            super().__init__(stream)

    monkeypatch.setattr(signed, "PdfFileReader", Reader)
    assert verify_file(certificate, published).ok
    assert read == [len(certificate)]
    read.clear()

    alone = b"%PDF-1.7\n" + bomb + b"startxref\n9\n%%EOF\n"
    assert failing(alone, published) == "signature present"
    tail = bomb + b"startxref\n%d\n%%%%EOF\n" % len(certificate)
    assert failing(certificate + tail, published) == "whole file signed"
    spread = re.search(rb"/ByteRange \[0 (\d+) (\d+) (\d+)\] *", certificate)
    assert spread
    before, after, rest = (int(number) for number in spread.groups())
    claimed = b"/ByteRange [0 %d %d %d]" % (before, after, rest + len(tail))
    claimed = claimed.ljust(spread.end() - spread.start())
    covered = certificate[: spread.start()] + claimed + certificate[spread.end() :] + tail
    assert failing(covered, published) == "content unchanged"
    assert read == []


def test_huge_file_is_refused_unread(published: dict[str, Any]) -> None:
    assert verify_file(b"%PDF-" + bytes(20_000_001), published).checks[0].name == "size"


def test_damaged_keys_are_named_as_the_problem(certificate: bytes, published: dict[str, Any]) -> None:
    for keys in ({}, {**published, "logs": [{**published["logs"][0], "vkey": "x"}]}):
        assert failing(certificate, keys) == "public keys"


@pytest.mark.parametrize("part", ["logs", "documents"])
def test_forged_keys_that_print_the_genuine_fingerprints_are_refused(
    tmp_path: Path, make_body: Any, seal: Any, published: dict[str, Any], part: str
) -> None:
    stranger = SigningKeys.make(tmp_path / "stranger")
    content = render_certificate(seal(make_body()), stranger, keys_address=KEYS_ADDRESS)
    forged = stranger.published_keys([published["logs"][0]["origin"]])
    forged[part][0]["sha256"] = published[part][0]["sha256"]
    result = verify_file(content, forged)
    assert [one.name for one in result.checks] == ["public keys"]
    assert "contradicts itself" in result.checks[0].detail
    assert published[part][0]["sha256"] in result.checks[0].detail


def test_a_key_listed_for_another_log_is_refused(certificate: bytes, published: dict[str, Any]) -> None:
    renamed = {**published["logs"][0], "origin": "photos.example.com/log/other"}
    result = verify_file(certificate, {**published, "logs": [renamed]})
    assert "contradicts itself" in result.checks[0].detail


def test_the_root_that_was_trusted_is_named_by_its_own_fingerprint(
    certificate: bytes, published: dict[str, Any]
) -> None:
    found = {one.name: one.detail for one in verify_file(certificate, published).checks}
    assert published["documents"][0]["sha256"] in found["signer trusted"]
