"""The seal of a signed PDF, judged before any PDF parser sees the file.

A PDF of a few hundred bytes can make its parser take gigabytes: it names millions of objects, nests or repeats
them. So the parser reads only what one of our keys signed. Here the place of the signature is found by one
word, what it covers is hashed, and the CMS object in the gap, of at most `MAX_GAP` characters, is verified:
work that grows with the size of the file alone.

A signature alone leaves room for other bytes: the unsigned parts of the CMS object, the padding after it, the
case of its hex digits. The gap must be the one string that `compliance.pdf.making.sign` would have written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256

from asn1crypto import cms
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from compliance.pdf import timestamp
from compliance.signing import PublishedAuthority, PublishedRoot

Check = Callable[[str, bool, str], None]

MAX_GAP = 16_384  # characters between what is signed; ours has 2,582 (measured), with a timestamp 14,002
STAMP = "signature_time_stamp_token"
_WORD = b"/ByteRange"
_TRACES = re.compile(_WORD + rb"|/Sig(?:Flags|Field)?\b|/DocMDP|/adbe\.|/ETSI\.")
_END = b"%%EOF"
_RANGE = re.compile(_WORD + rb" \[(\d{1,9}) (\d{1,9}) (\d{1,9}) (\d{1,9})\]")


def has_none(content: bytes) -> bool:
    """Whether a PDF is whole and nobody has signed it, nor anything is left of a signature.

    It is judged before any parser as well: what a damaged signature leaves behind is a trace all the same.
    """
    return _TRACES.search(content) is None and content.rstrip().endswith(_END)


def check_seal(
    content: bytes, roots: Sequence[PublishedRoot], authorities: Sequence[PublishedAuthority], check: Check
) -> datetime | None:
    """Check that the PDF `content` is, byte for byte, one that a signer of `roots` signed.

    Args:
        content: The whole file.
        roots: Trusted for signatures.
        authorities: Trusted for the times in them.
        check: Told the name, outcome and detail of each step; it must raise where the outcome is False.

    Returns:
        When an authority saw the signature; `None` where none was asked.

    Raises:
        Exception: whatever the CMS and certificate parsers raise on bytes that are no signature.
    """
    place = _RANGE.match(content, max(content.rfind(_WORD), 0))
    check("signature present", place is not None, f"{int(place is not None)} signature(s) in the document")
    assert place
    start, before, after, rest = (int(number) for number in place.groups())
    check(
        "whole file signed",
        start == 0 and 2 <= after - before <= MAX_GAP and after + rest == len(content),
        "the signature covers the file from its first to its last byte",
    )
    gap = content[before:after]
    signed = cms.ContentInfo.load(bytes.fromhex(gap[1:-1].decode()))["content"]
    signer = signed["signer_infos"][0]
    certificate = x509.load_der_x509_certificate(signed["certificates"][0].chosen.dump())
    attributes = signer["signed_attrs"]
    digests = [one["values"].native for one in attributes if one["type"].native == "message_digest"]
    digest = sha256(content[:before])
    digest.update(content[after:])
    check("content unchanged", digests == [[digest.digest()]], "the file's SHA-256 is the signed one")
    check(
        "signature valid",
        _signed_by(certificate, signer["signature"].native, attributes.untag().dump()),
        "ECDSA P-256 with SHA-256, PAdES",
    )
    check(
        "no spare bytes",
        gap == _gap(signed, len(gap)),
        "the signature object holds nothing beside what was verified",
    )
    fingerprints = " or ".join(root.sha256 for root in roots)
    check(
        "signer trusted",
        any(_issued_by(certificate, root) for root in roots),
        f"the signer's certificate comes from the published root, SHA-256 {fingerprints}",
    )
    token = _token(signer)
    if token is None:
        return None
    vouching = [one.certificate for one in authorities]
    return timestamp.check_token(token, signer["signature"].native, vouching, check)


def _token(signer: cms.SignerInfo) -> cms.ContentInfo | None:
    """Return the timestamp in a signature: one, or none."""
    for one in signer["unsigned_attrs"]:
        if one["type"].native == STAMP:
            return one["values"][0]
    return None


def _signed_by(certificate: x509.Certificate, signature: bytes, data: bytes) -> bool:
    key = certificate.public_key()
    if not isinstance(key, EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, data, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _issued_by(certificate: x509.Certificate, root: PublishedRoot) -> bool:
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(root.certificate.encode()))
    except (ValueError, TypeError, InvalidSignature):  # another issuer, another kind of key, a forged one
        return False
    return True


def _gap(signed: cms.SignedData, length: int) -> bytes:
    """Return the hex string of `length` characters that holds the CMS object, padded as we pad it."""
    der = _rebuild(signed)
    return b"<" + der.hex().upper().encode() + b"0" * (length - 2 - len(der) * 2) + b">"


def _rebuild(signed: cms.SignedData) -> bytes:
    """Return the DER that a SHA-256 ECDSA signature by one certificate has, with nothing optional in it but a timestamp."""
    signer = signed["signer_infos"][0]
    certificate: asn1_x509.Certificate = signed["certificates"][0].chosen
    token = _token(signer)
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
            **({"unsigned_attrs": [stamp(token)]} if token is not None else {}),
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


def stamp(token: cms.ContentInfo) -> cms.CMSAttribute:
    """Return the attribute with a timestamp, in the form of `compliance.pdf.timestamp.canonical`."""
    return cms.CMSAttribute({"type": STAMP, "values": [timestamp.canonical(token)]})
