"""Signed documents as files: archival as they declare, their signature to be seen, and nothing to be changed unseen."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pypdf
import pytest
from asn1crypto import pem
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from compliance.certificate.document import render_certificate
from compliance.certificate.parts import Status
from compliance.pdf import making
from compliance.signing import SigningKeys
from compliance.verify import verify_file

KEYS_ADDRESS = "https://photos.example.com/trust/acme/keys.json"
PRINT = 4  # flag of an annotation, ISO 32000-1, table 165


@pytest.fixture(scope="module")
def certificate(make_body: Any, seal: Any, signing_keys: SigningKeys) -> bytes:
    return render_certificate(seal(make_body()), signing_keys, keys_address=KEYS_ADDRESS)


def test_the_file_is_the_pdf_a_3_that_it_declares(certificate: bytes) -> None:
    """What ISO 19005-3 asks for and WeasyPrint or pyHanko would get wrong, part by part."""
    reader = pypdf.PdfReader(io.BytesIO(certificate))
    catalog: Any = reader.trailer["/Root"]
    assert reader.pdf_header == "%PDF-1.7"
    assert certificate[9:10] == b"%"
    assert all(byte > 127 for byte in certificate[10:14])
    assert catalog.get("/Version", "/1.7") == "/1.7"
    for extension in catalog.get("/Extensions", {}).values():
        assert extension["/BaseVersion"] == "/1.7"
    (intent,) = [one.get_object() for one in catalog["/OutputIntents"]]
    assert intent["/S"] == "/GTS_PDFA1"
    assert intent["/DestOutputProfile"].get_object()["/N"] == 3
    xmp = catalog["/Metadata"].get_object().get_data().decode()
    assert re.search(r'pdfaid:part="3"', xmp)
    assert re.search(r'pdfaid:conformance="A"', xmp)
    info: Any = reader.metadata
    assert f'pdf:Producer="{info["/Producer"]}"' in xmp
    for name in ("/Title", "/Author", "/Subject"):
        assert info[name].replace("&", "&amp;") in xmp
    assert reader.trailer["/ID"]
    for forbidden in ("/OpenAction", "/AA", "/NeedsRendering"):
        assert forbidden not in catalog
    assert "/NeedAppearances" not in catalog["/AcroForm"]


def test_the_attached_file_is_related_to_the_document_once(certificate: bytes) -> None:
    catalog: Any = pypdf.PdfReader(io.BytesIO(certificate)).trailer["/Root"]
    names = catalog["/Names"]["/EmbeddedFiles"].get_object()["/Names"]
    assert len(names) == 2
    (related,) = catalog["/AF"]
    assert related.idnum == names[1].idnum
    file = related.get_object()
    assert (file["/F"], file["/UF"], file["/AFRelationship"]) == ("evidence.json", "evidence.json", "/Data")
    assert file["/Desc"]
    stream = file["/EF"]["/F"].get_object()
    assert stream["/Subtype"] == "/application/json"
    assert stream["/Params"]["/ModDate"].startswith("D:2026")


def test_every_font_is_inside_and_every_annotation_prints(certificate: bytes) -> None:
    reader = pypdf.PdfReader(io.BytesIO(certificate))
    fonts = 0
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():  # type: ignore[union-attr]
            for descendant in font.get_object()["/DescendantFonts"]:
                descriptor = descendant.get_object()["/FontDescriptor"].get_object()
                assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor)
                fonts += 1
        for one in page.get("/Annots", []):
            annotation = one.get_object()
            assert annotation["/F"] & PRINT
            if annotation["/Subtype"] == "/Widget":
                left, bottom, right, top = annotation["/Rect"]
                assert left == right or bottom == top or "/N" in annotation["/AP"]
    assert fonts


def test_the_signature_lies_over_its_block_on_the_last_page(certificate: bytes) -> None:
    reader = pypdf.PdfReader(io.BytesIO(certificate))
    widgets = [
        (number, one.get_object())
        for number, page in enumerate(reader.pages)
        for one in page.get("/Annots", [])
        if one.get_object()["/Subtype"] == "/Widget"
    ]
    ((number, widget),) = widgets
    assert number == len(reader.pages) - 1
    left, bottom, right, top = map(float, widget["/Rect"])
    assert right - left > 400
    assert 60 < top - bottom < 250
    assert "Signed electronically for Headshots GmbH" in reader.pages[number].extract_text()


def test_pyhanko_accepts_it_with_the_root_alone(certificate: bytes, signing_keys: SigningKeys) -> None:
    root = signing_keys.document_root.public_bytes(Encoding.PEM)
    trusted = asn1_x509.Certificate.load(pem.unarmor(root)[2])
    (signature,) = PdfFileReader(io.BytesIO(certificate)).embedded_signatures
    status = validate_pdf_signature(
        signature, signer_validation_context=ValidationContext(trust_roots=[trusted], allow_fetching=False)
    )
    assert status.bottom_line, status.pretty_print_details()


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler-utils is not installed")
def test_pdfsig_accepts_it(certificate: bytes, tmp_path: Path) -> None:
    file = tmp_path / "certificate.pdf"
    file.write_bytes(certificate)
    said = subprocess.run(["pdfsig", str(file)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said
    assert "Total document signed" in said
    assert "ETSI.CAdES.detached" in said


def test_every_two_hundredth_byte_flipped_is_refused(certificate: bytes, published: dict[str, Any]) -> None:
    assert verify_file(certificate, published).ok
    for start in (0, 137):
        for place in range(start, len(certificate), 200):
            changed = bytearray(certificate)
            changed[place] ^= 0x20
            assert not verify_file(bytes(changed), published).ok, place


def parts(pdf: bytes) -> list[tuple[int, int]]:
    """Where each object of the file lies."""
    found = [(one.start(), one.end()) for one in re.finditer(rb"\d+ \d+ obj.*?endobj", pdf, re.DOTALL)]
    assert len(found) > 15
    return found


def test_every_part_removed_doubled_swapped_or_of_another_certificate_is_refused(
    certificate: bytes, make_body: Any, seal: Any, signing_keys: SigningKeys, published: dict[str, Any]
) -> None:
    other = render_certificate(seal(make_body(Status.PENDING)), signing_keys, keys_address=KEYS_ADDRESS)
    assert verify_file(other, published).ok
    places, theirs = parts(certificate), parts(other)
    step = max(1, len(places) // 60)
    for number in range(0, len(places) - 1, step):
        start, end = places[number]
        following, until = places[number + 1]
        part = certificate[start:end]
        changes = {
            "removed": certificate[:start] + certificate[end:],
            "doubled": certificate[:end] + b"\n" + part + certificate[end:],
            "appended": certificate + b"\n" + part,
            "swapped": certificate[:start]
            + certificate[following:until]
            + certificate[end:following]
            + part
            + certificate[until:],
            "of another": certificate[:start]
            + other[slice(*theirs[number % len(theirs)])]
            + certificate[end:],
        }
        for what, changed in changes.items():
            if changed != certificate:
                assert not verify_file(changed, published).ok, (what, number)


def test_signed_again_by_whoever_has_the_file_is_refused(
    certificate: bytes, tmp_path: Path, published: dict[str, Any]
) -> None:
    stranger = SigningKeys.make(tmp_path / "other")
    unsigned = certificate[: certificate.index(b"%%EOF") + 6]
    again = making.sign(making.Unsigned(unsigned, None), stranger)
    assert not verify_file(again, published).ok
