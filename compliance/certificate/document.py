"""The signed PDF of a deletion certificate. Apart from the facts, so that verifying loads no PDF maker."""

from __future__ import annotations

from compliance.certificate import page
from compliance.certificate.evidence import Body, Certificate
from compliance.certificate.parts import EVIDENCE_NAME, VerificationFailed
from compliance.pdf import making
from compliance.signing import SigningKeys


def demand_verified(body: Body) -> None:
    """Refuse to certify what was not verified everywhere.

    Raises:
        VerificationFailed: a line did not pass.
    """
    if failed := body.failed:
        raise VerificationFailed(
            "The erasure could not be verified everywhere, so no certificate was signed. "
            "Run the erasure again, or look at the locations named.",
            locations=failed,
        )


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
        VerificationFailed: a line did not pass. Nothing was rendered or signed.
    """
    body = document.certificate
    demand_verified(body)
    unsigned = making.render(
        page.render(document, keys, language, keys_address=keys_address),
        identifier=body.certificate_id.bytes,
        attachment=making.Attachment(
            EVIDENCE_NAME, document.canonical(), "Machine-readable evidence (RFC 8785 JSON)", body.issued_at
        ),
    )
    return making.sign(unsigned, keys)
