"""RFC 3161 tokens in signatures: read, and written in the one form in which every byte is accounted for.

A token has bytes that its authority did not sign: further certificates, lists of revoked ones, the spelling of
algorithms. So what an authority sends is written anew with nothing optional in it (`canonical`), and a reader takes
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha1, sha256
from typing import Any

from asn1crypto import cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID

Check = Callable[[str, bool, str], None]

DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def canonical(token: cms.ContentInfo) -> cms.ContentInfo:
    """Return a token written anew: one signer, that one's certificate alone, nothing that its authority did not sign.

    Raises:
        ValueError: it has no certificate of its signer, or is signed in another way than RSA or ECDSA with SHA-2.
    """
    signed = token["content"]
    signer = signed["signer_infos"][0]
    certificate = _certificate(signed, signer["sid"])
    digest = signer["digest_algorithm"]["algorithm"].native
    kind = "rsassa_pkcs1v15" if certificate.public_key.algorithm == "rsa" else f"{digest}_ecdsa"
    if digest not in DIGESTS or certificate.public_key.algorithm not in {"rsa", "ec"}:
        raise ValueError(f"a timestamp signed with {certificate.public_key.algorithm} and {digest}")
    algorithm: dict[str, Any] = {"algorithm": digest}
    info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                name="issuer_and_serial_number",
                value=cms.IssuerAndSerialNumber(
                    {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
                ),
            ),
            "digest_algorithm": algorithm,
            "signed_attrs": signer["signed_attrs"],
            "signature_algorithm": {"algorithm": kind},
            "signature": signer["signature"].native,
        }
    )
    data = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [algorithm],
            "encap_content_info": {
                "content_type": "tst_info",
                "content": cms.ParsableOctetString(_content(signed)),
            },
            "certificates": [certificate],
            "signer_infos": [info],
        }
    )
    return cms.ContentInfo({"content_type": "signed_data", "content": data})


def check_token(token: cms.ContentInfo, stamped: bytes, authorities: Sequence[str], check: Check) -> datetime:
    """Check that an authority that is trusted saw `stamped`, and return when.

    Args:
        token: In the form of `canonical`.
        stamped: What its time is of: the value of a signature.
        authorities: Certificates, PEM, of which one issued the signer's.
        check: Told the name, outcome and detail of each step; it must raise where the outcome is False.
    """
    signed = token["content"]
    signer = signed["signer_infos"][0]
    content = _content(signed)
    info = tsp.TSTInfo.load(content)
    imprint = info["message_imprint"]
    moment: datetime = info["gen_time"].native
    certificate = x509.load_der_x509_certificate(signed["certificates"][0].chosen.dump())
    digest = DIGESTS[signer["digest_algorithm"]["algorithm"].native]
    attributes = {one["type"].native: one["values"] for one in signer["signed_attrs"]}
    hashed = hashes.Hash(digest)
    hashed.update(content)
    check(
        "time of this signature",
        imprint["hash_algorithm"]["algorithm"].native == "sha256"
        and imprint["hashed_message"].native == sha256(stamped).digest()
        and attributes["message_digest"].native == [hashed.finalize()]
        and attributes["content_type"].native == ["tst_info"]
        and _names(attributes, signed["certificates"][0].chosen)
        and _signed_by(
            certificate, signer["signature"].native, signer["signed_attrs"].untag().dump(), digest
        ),
        f"an RFC 3161 timestamp of {moment:%Y-%m-%d %H:%M:%S} UTC",
    )
    check(
        "time trusted",
        any(_issued_by(certificate, one, moment) for one in authorities),
        f"by {certificate.subject.rfc4514_string()}, issued by a published authority",
    )
    return moment


def _content(signed: cms.SignedData) -> bytes:
    return bytes(signed["encap_content_info"]["content"])


def _certificate(signed: cms.SignedData, sid: cms.SignerIdentifier) -> asn1_x509.Certificate:
    for one in signed["certificates"]:
        certificate: asn1_x509.Certificate = one.chosen
        if sid.name == "issuer_and_serial_number":
            mine = (
                sid.chosen["issuer"] == certificate.issuer
                and sid.chosen["serial_number"].native == certificate.serial_number
            )
        else:
            mine = sid.chosen.native == certificate.key_identifier
        if mine:
            return certificate
    raise ValueError("a timestamp without its signer's certificate")


def _names(attributes: dict[str, Any], certificate: asn1_x509.Certificate) -> bool:
    """Whether the signed attributes name this certificate (RFC 2634, RFC 5816), as RFC 3161 asks for."""
    der = certificate.dump()
    if "signing_certificate_v2" in attributes:
        named = attributes["signing_certificate_v2"][0]["certs"][0]
        algorithm = named["hash_algorithm"]["algorithm"].native
        hashed = hashes.Hash(DIGESTS[algorithm])
        hashed.update(der)
        return bool(named["cert_hash"].native == hashed.finalize())
    named = attributes["signing_certificate"][0]["certs"][0]
    return bool(named["cert_hash"].native == sha1(der).digest())  # noqa: S324 - RFC 2634 knows no other; the signature is over SHA-2


def _signed_by(
    certificate: x509.Certificate, signature: bytes, content: bytes, digest: hashes.HashAlgorithm
) -> bool:
    key = certificate.public_key()
    try:
        if isinstance(key, RSAPublicKey):
            key.verify(signature, content, PKCS1v15(), digest)
        elif isinstance(key, EllipticCurvePublicKey):
            key.verify(signature, content, ECDSA(digest))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _issued_by(certificate: x509.Certificate, authority: str, moment: datetime) -> bool:
    """Whether `authority` vouched for the certificate, for timestamps alone, at that moment."""
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.encode()))
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    valid = certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc
    return valid and list(usage) == [ExtendedKeyUsageOID.TIME_STAMPING]
