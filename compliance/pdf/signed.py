"""Reading a signed PDF whose every byte is accounted for.

The seal comes first (`compliance.pdf.seal`): whatever pyHanko parses here was signed by one of our keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from asn1crypto import pem
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import read_certification_data
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from compliance.pdf.seal import Check, check_seal
from compliance.signing import PublishedAuthority, PublishedRoot
from core.clock import now


@dataclass(frozen=True)
class SignedPdf:
    """What a fully verified PDF carries."""

    identifier: bytes  # the document's permanent one, given when its page was made
    attachments: dict[str, bytes]  # by file name
    stamped_at: datetime | None  # when an RFC 3161 authority saw its signature


def open_signed(
    content: bytes, roots: Sequence[PublishedRoot], authorities: Sequence[PublishedAuthority], check: Check
) -> SignedPdf:
    """Verify the signature of the PDF `content` and return what it carries.

    Args:
        content: The whole file.
        roots: Trusted for signatures.
        authorities: Trusted for the times in them.
        check: Told the name, outcome and detail of each step; it must raise where the outcome is False.

    Raises:
        Exception: whatever the PDF and CMS parsers raise on bytes that are no signed PDF.
    """
    stamped_at = check_seal(content, roots, authorities, check)
    reader = PdfFileReader(BytesIO(content))
    (signature,) = reader.embedded_signatures
    trust = [asn1_x509.Certificate.load(pem.unarmor(root.certificate.encode())[2]) for root in roots]
    context = ValidationContext(trust_roots=trust, allow_fetching=False, moment=now())
    status = validate_pdf_signature(signature, signer_validation_context=context)
    check(
        "PAdES signature",
        status.coverage is SignatureCoverageLevel.ENTIRE_FILE
        and bool(status.intact and status.valid and status.trusted),
        "as PAdES asks for it, by a certificate that is valid today",
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
    return SignedPdf(reader.document_id[0], _attachments(reader), stamped_at)


def _attachments(reader: PdfFileReader) -> dict[str, bytes]:
    """Return the embedded files by name."""
    names = reader.root["/Names"]["/EmbeddedFiles"]["/Names"]
    files = [names[place].get_object() for place in range(1, len(names), 2)]
    return {str(file["/UF"]): bytes(file["/EF"]["/F"].data) for file in files}
