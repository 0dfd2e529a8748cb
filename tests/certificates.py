"""Certificates for signing pictures, as an authority would give them to an operator."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from compliance.origin import signer as signers
from core.clock import now


def name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Northwind Labs"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def issued(
    key: object,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    issuer: str = "Issuing CA",
    common: str = "Pictures",
    days: int = 300,
    purpose: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
    authority: bool = False,
) -> x509.Certificate:
    start = now() - timedelta(days=30)
    usage = dict.fromkeys(
        (
            "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign",
            "encipher_only", "decipher_only",
        ),
        False,
    )  # fmt: skip
    return (
        x509.CertificateBuilder()
        .subject_name(name(common))
        .issuer_name(name(issuer))
        .public_key(key.public_key())  # type: ignore[attr-defined]
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, **usage), critical=True
        )
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
        .sign(issuer_key, SHA256())
    )


def bundle(
    tmp_path: Path,
    key: object = None,
    password: str | None = "secret",
    *,
    alone: bool = False,
    issuer_key: ec.EllipticCurvePrivateKey | None = None,
    **wanted: object,
) -> Path:
    issuer_key = issuer_key or ec.generate_private_key(ec.SECP256R1())
    issuer = str(wanted.get("issuer", "Issuing CA"))
    vouching = [issued(issuer_key, issuer_key, issuer=issuer, common=issuer, authority=True)]
    key = key or ec.generate_private_key(ec.SECP256R1())
    file = tmp_path / "operator.p12"
    file.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"pictures",
            key,  # type: ignore[arg-type]
            issued(key, issuer_key, **wanted),  # type: ignore[arg-type]
            vouching if alone is False else None,
            BestAvailableEncryption(password.encode()) if password else NoEncryption(),
        )
    )
    return file


def bundle_pair(tmp_path: Path) -> tuple[signers.Signer, signers.Signer]:
    """Two signers to whom one authority gave certificates under the same name."""
    issuer_key = ec.generate_private_key(ec.SECP256R1())
    return tuple(  # type: ignore[return-value]
        signers.from_pkcs12(bundle(tmp_path, issuer_key=issuer_key), "secret") for _ in range(2)
    )
