"""Reading a signed PDF whose every byte is accounted for.

A PAdES signature alone leaves gaps: bytes appended later, the unsigned parts of the CMS object, the
padding after it, the case of its hex digits. `open_signed` closes them all: it rebuilds the one byte string
that `compliance.pdf.sign` would have written from the parts that were verified, and compares.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO

from asn1crypto import cms, pem
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature, read_certification_data
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from compliance.signing import PublishedRoot
from core.clock import now

Check = Callable[[str, bool, str], None]


@dataclass(frozen=True)
class SignedPdf:
    """What a fully verified PDF carries."""

    identifier: bytes  # the document's permanent one, given when its page was made
    attachments: dict[str, bytes]  # by file name


def open_signed(content: bytes, roots: Sequence[PublishedRoot], check: Check) -> SignedPdf:
    """Verify the signature of the PDF `content` and return what it carries.

    Args:
        content: The whole file.
        roots: Trusted.
        check: Told the name, outcome and detail of each step; it must raise where the outcome is False.

    Raises:
        Exception: whatever the PDF and CMS parsers raise on bytes that are no signed PDF.
    """
    reader = PdfFileReader(BytesIO(content))
    signatures = list(reader.embedded_signatures)
    check("signature present", len(signatures) == 1, f"{len(signatures)} signature(s) in the document")
    signature = signatures[0]
    trust = [asn1_x509.Certificate.load(pem.unarmor(root.certificate.encode())[2]) for root in roots]
    context = ValidationContext(trust_roots=trust, allow_fetching=False, moment=now())
    status = validate_pdf_signature(signature, signer_validation_context=context)

    check(
        "whole file signed",
        status.coverage is SignatureCoverageLevel.ENTIRE_FILE,
        "the signature covers the file from its first to its last byte",
    )
    check("content unchanged", bool(status.intact), "the file's SHA-256 is the signed one")
    check("signature valid", bool(status.valid), "ECDSA P-256 with SHA-256, PAdES B-B")
    check(
        "no spare bytes",
        _is_our_encoding(content, signature),
        "the signature object holds nothing beside what was verified",
    )
    fingerprints = " or ".join(root.sha256 for root in roots)
    check(
        "signer trusted",
        bool(status.trusted),
        f"the signer's certificate comes from the published root, SHA-256 {fingerprints}",
    )
    certified = read_certification_data(reader)
    check(
        "changes forbidden",
        certified is not None
        and certified.permission is MDPPerm.NO_CHANGES
        and certified.author_sig.container_ref == signature.sig_object.container_ref
        and bool(status.docmdp_ok),
        "certified with DocMDP level 1",
    )
    return SignedPdf(reader.document_id[0], _attachments(reader))


def _is_our_encoding(content: bytes, signature: EmbeddedPdfSignature) -> bool:
    """Return whether the bytes outside the signed range are exactly the verified CMS object, padded."""
    start, before, after, rest = (int(number) for number in signature.byte_range)
    gap = content[before:after]
    der = _rebuild(signature.signed_data)
    padded = b"<" + der.hex().upper().encode() + b"0" * (len(gap) - 2 - len(der) * 2) + b">"
    return start == 0 and after + rest == len(content) and gap == padded


def _rebuild(signed: cms.SignedData) -> bytes:
    """Return the DER that a SHA-256 ECDSA signature by one certificate has, with nothing optional in it."""
    signer = signed["signer_infos"][0]
    certificate: asn1_x509.Certificate = signed["certificates"][0].chosen
    info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                name="issuer_and_serial_number",
                value=cms.IssuerAndSerialNumber(
                    {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
                ),
            ),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": signer["signed_attrs"],
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": signer["signature"].native,
        }
    )
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "data"},
            "certificates": [certificate],
            "signer_infos": [info],
        }
    )
    rebuilt: bytes = cms.ContentInfo({"content_type": "signed_data", "content": data}).dump(force=True)
    return rebuilt


def _attachments(reader: PdfFileReader) -> dict[str, bytes]:
    """Return the embedded files by name."""
    names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    files = [names[place].get_object() for place in range(1, len(names), 2)]
    return {str(file["/UF"]): bytes(file["/EF"]["/F"].data) for file in files}
