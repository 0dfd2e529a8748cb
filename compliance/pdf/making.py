"""PDF/A-3 from HTML, and PAdES signatures: the two halves of a document that proves itself."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any, NoReturn

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from PIL import ImageFile
from pyhanko.pdf_utils.extensions import DeveloperExtension
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.stamp import BaseStamp, BaseStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from compliance.pdf.authority import Authority
from compliance.signing import SigningKeys

SIGNATURE_FIELD = "Evidence"
RESERVED = (
    14_000  # hex digits of a signature with a timestamp; one of a public authority takes 8 to 11 thousand
)
PLACE = "signature"  # id of the element over which the signature's field lies, where a page has one
POINTS = 0.75  # of a CSS pixel
# PDF/A-3 is of ISO 32000-1 (ISO 19005-3, 6.1.2), and a reader takes a later version in the catalog for the file's.
VERSION = (1, 7)

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


@dataclass(frozen=True)
class Unsigned:
    """A document that waits for its signature.

    Attributes:
        pdf: the file.
        place: where its signature is to be seen: number of the page from 0, and left, bottom, right and top in points
            from the page's lower left; `None` where it is nowhere to be seen.
    """

    pdf: bytes
    place: tuple[int, tuple[int, int, int, int]] | None


def render(html: str, *, identifier: bytes, attachment: Attachment) -> Unsigned:
    """Return `html` as a tagged PDF/A-3a that carries `attachment`.

    Args:
        html: A whole page with its styles inside. It may name no other resource: no network, no file.
        identifier: The document's permanent id, any bytes.
        attachment: Listed as the data behind the page (`/AFRelationship /Data`).

    Raises:
        ResourceRefused: the page asked for an image, style or font outside itself.
    """
    # Here and below, where a page is made: a web process that shows reports would be 30 MB larger from its start.
    from weasyprint import urls

    try:
        return _write(html, identifier, attachment)
    except (
        urls.FatalURLFetchingError
    ) as error:  # a BaseException, so that WeasyPrint itself does not swallow it
        raise ResourceRefused(str(error)) from error


def _write(html: str, identifier: bytes, attachment: Attachment) -> Unsigned:
    import weasyprint

    source = weasyprint.Attachment(
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
        options = {"pdf_variant": "pdf/a-3a", "pdf_identifier": identifier, "attachments": [source]}
        document = weasyprint.HTML(string=html, url_fetcher=_refuse_resource).render(**options)
        pdf: bytes = document.write_pdf(finisher=_list_associated_files_once, **options)
    return Unsigned(pdf, _place(document.pages))


def _place(pages: Sequence[Any]) -> tuple[int, tuple[int, int, int, int]] | None:
    for number, page in enumerate(pages):
        if PLACE in page.anchors:
            left, top, right, bottom = page.anchors[PLACE]
            down, up = (round((page.height - edge) * POINTS) for edge in (bottom, top))
            return number, (round(left * POINTS), down, round(right * POINTS), up)
    return None


class _Writer(IncrementalPdfFileWriter):  # type: ignore[misc]
    """Leaves the file the version that it declares: pyHanko asks for PDF 2.0 and its extensions because of the curve."""

    def ensure_output_version(self, version: tuple[int, int]) -> None:
        super().ensure_output_version(min(version, VERSION))

    def _update_meta(self) -> None:
        """Leave the metadata of the page's maker: the file's own and the XMP packet then say the same."""

    def register_extension(self, ext: DeveloperExtension) -> None:
        if ext.base_version == f"/{VERSION[0]}.{VERSION[1]}":
            super().register_extension(ext)


class _Glass(BaseStampStyle):  # type: ignore[misc]
    """What the field shows: nothing, so that the page's own words are seen through it."""

    def create_stamp(self, writer: Any, box: Any, text_params: dict[str, Any]) -> BaseStamp:  # noqa: ARG002 - pyHanko's own
        return _Clear(writer, self, box)


class _Clear(BaseStamp):  # type: ignore[misc]
    def _render_inner_content(self) -> list[bytes]:
        return []


def sign(unsigned: Unsigned, keys: SigningKeys) -> bytes:
    """Return the PDF with a PAdES signature that allows no change after it (DocMDP level 1): B-T where `keys` name a clock, else B-B.

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
    page, box = unsigned.place or (0, None)
    field = fields.SigFieldSpec(SIGNATURE_FIELD, on_page=page, box=box)
    signing = signers.PdfSigner(
        metadata,
        signer=signer,
        timestamper=Authority(keys.timestamp_url) if keys.timestamp_url else None,
        stamp_style=_Glass(border_width=0),
        new_field_spec=field,
    )
    signed: BytesIO = signing.sign_pdf(
        _Writer(BytesIO(unsigned.pdf)), bytes_reserved=RESERVED if keys.timestamp_url else None
    )
    return signed.getvalue()


def _refuse_resource(url: str, *_: object, **__: object) -> NoReturn:
    from weasyprint.urls import FatalURLFetchingError

    raise FatalURLFetchingError(f"a page holds everything itself; refused to read {url[:80]}")


def _list_associated_files_once(_document: object, pdf: Any) -> None:
    """Drop WeasyPrint's second entry of each attachment from `/AF` (seen in WeasyPrint 70.0)."""
    pdf.catalog["AF"][:] = dict.fromkeys(pdf.catalog["AF"])
