"""PDF/A-3 from HTML, and PAdES signatures: the two halves of a document that proves itself."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, NoReturn

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import ImageFile
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore
from weasyprint import HTML
from weasyprint import Attachment as PdfAttachment
from weasyprint.urls import FatalURLFetchingError

from compliance.signing import SigningKeys

SIGNATURE_FIELD = "Evidence"

# WeasyPrint makes Pillow take truncated pictures, for the whole process; a half uploaded photo must be refused.
ImageFile.LOAD_TRUNCATED_IMAGES = False

# What pyHanko finds becomes our own errors and checks; its warnings would print whole tracebacks.
logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)


class ResourceRefused(RuntimeError):
    """A page asked for a resource outside itself; a mistake in a template."""


@dataclass(frozen=True)
class Attachment:
    """A file carried inside the PDF."""

    name: str
    content: bytes
    description: str
    at: datetime


def render(html: str, *, identifier: bytes, attachment: Attachment) -> bytes:
    """Return `html` as a tagged PDF/A-3a that carries `attachment`.

    Args:
        html: A whole page with its styles inside. It may name no other resource: no network, no file.
        identifier: The document's permanent id, any bytes.
        attachment: Listed as the data behind the page (`/AFRelationship /Data`).

    Raises:
        ResourceRefused: the page asked for an image, style or font outside itself.
    """
    try:
        return _write(html, identifier, attachment)
    except FatalURLFetchingError as error:  # a BaseException, so that WeasyPrint itself does not swallow it
        raise ResourceRefused(str(error)) from error


def _write(html: str, identifier: bytes, attachment: Attachment) -> bytes:
    source = PdfAttachment(
        string=attachment.content,
        name=attachment.name,
        description=attachment.description,
        created=attachment.at,
        modified=attachment.at,
        relationship="Data",
        url_fetcher=_refuse_resource,
    )
    with warnings.catch_warnings():
        # WeasyPrint 70.0 leaves the file of its own colour profile to the garbage collector.
        warnings.filterwarnings("ignore", "unclosed file.*sRGB2014", ResourceWarning)
        pdf: bytes = HTML(string=html, url_fetcher=_refuse_resource).write_pdf(
            pdf_variant="pdf/a-3a",
            pdf_identifier=identifier,
            attachments=[source],
            finisher=_list_associated_files_once,
        )
    return pdf


def sign(pdf: bytes, keys: SigningKeys) -> bytes:
    """Return `pdf` with a PAdES B-B signature that allows no change after it (DocMDP level 1).

    Only the signer's certificate is embedded: the root must come from where the verifier trusts it.
    """
    signer = signers.SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(keys.document_certificate.public_bytes(Encoding.DER)),
        signing_key=asn1_keys.PrivateKeyInfo.load(
            keys.document_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        ),
        cert_registry=SimpleCertificateStore(),
    )
    metadata = signers.PdfSignatureMetadata(
        field_name=SIGNATURE_FIELD,
        subfilter=fields.SigSeedSubFilter.PADES,
        md_algorithm="sha256",
        certify=True,
        docmdp_permissions=fields.MDPPerm.NO_CHANGES,
    )
    signed: BytesIO = signers.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), metadata, signer=signer)
    return signed.getvalue()


def _refuse_resource(url: str, *_: object, **__: object) -> NoReturn:
    raise FatalURLFetchingError(f"a page holds everything itself; refused to read {url[:80]}")


def _list_associated_files_once(_document: object, pdf: Any) -> None:
    """Drop WeasyPrint's second entry of each attachment from `/AF` (seen in WeasyPrint 70.0)."""
    pdf.catalog["AF"][:] = dict.fromkeys(pdf.catalog["AF"])
