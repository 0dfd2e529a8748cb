"""The signed PDF of a deletion certificate. Apart from the facts, so that verifying loads no PDF maker."""

from __future__ import annotations

from compliance.certificate import page as certificate_page
from compliance.certificate.facts import EVIDENCE_NAME, Certificate, VerificationFailed
from compliance.pdf import making
from compliance.signing import SigningKeys


def render_certificate(
    document: Certificate, keys: SigningKeys, language: str = "en", *, keys_address: str
) -> bytes:
    """Return the signed PDF/A-3 of `document`, with `evidence.json` attached.

    Args:
        document: The facts and their place in the log.
        keys: The evidence keys; the signature is PAdES with no change allowed after it.
        keys_address: Where anybody downloads their public half; printed.
        language: Of the page; falls back to English. The attached JSON is the same in every language.

    Raises:
        VerificationFailed: a location's verification failed. Nothing was rendered or signed.
    """
    failed = [one.locator for one in document.certificate.locations if not one.verification.ok]
    if failed:
        raise VerificationFailed(
            "The erasure could not be verified everywhere, so no certificate was signed. "
            "Run the erasure again, or look at the locations named.",
            locations=failed,
        )
    page = certificate_page.render(document, keys.document_root, language, keys_address=keys_address)
    body = document.certificate
    unsigned = making.render(
        page,
        identifier=body.certificate_id.bytes,
        attachment=making.Attachment(
            EVIDENCE_NAME, document.canonical(), "Machine-readable evidence (RFC 8785 JSON)", body.issued_at
        ),
    )
    return making.sign(unsigned, keys)
