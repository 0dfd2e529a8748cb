"""A signer's key and certificate of our own making, from a root whose private key is dropped right after.

Nobody, not even we, can ever make a second signer that the root vouches for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from core.clock import now

CLOCK_SKEW: Final = timedelta(hours=1)  # a verifier's clock may be behind ours


class Usage(StrEnum):
    """What a certificate's key is for."""

    ROOT = "root"
    DOCUMENTS = "documents"  # what a person or a company stands by: non-repudiation too
    CLAIMS = "claims"


def new(
    root_name: x509.Name,
    signer_name: x509.Name,
    *,
    lasts: timedelta,
    usage: Usage,
    purposes: Sequence[x509.ObjectIdentifier] = (),
) -> bytes:
    """Return the PEM of a new signer: private key, its certificate, the root's certificate.

    Args:
        root_name: Subject of the root.
        signer_name: Subject of the signer.
        lasts: How long both are valid.
        usage: What the signer signs.
        purposes: Extended key usages of the signer.
    """
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer_id = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    root = (
        _certificate(root_name, root_name, root_key.public_key(), lasts)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(Usage.ROOT), critical=True)
        .add_extension(issuer_id, critical=False)
        .sign(root_key, SHA256())
    )
    signer = (
        _certificate(signer_name, root_name, key.public_key(), lasts)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id), critical=False
        )
    )
    if purposes:
        signer = signer.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    signed = signer.sign(root_key, SHA256())
    return pem + signed.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, lasts: timedelta
) -> x509.CertificateBuilder:
    start = now() - CLOCK_SKEW
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + lasts)
    )


def _key_usage(usage: Usage) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=usage is not Usage.ROOT,
        content_commitment=usage is Usage.DOCUMENTS,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=usage is Usage.ROOT,
        crl_sign=usage is Usage.ROOT,
        encipher_only=False,
        decipher_only=False,
    )
