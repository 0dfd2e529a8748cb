"""Signatures of OpenDSR: over the SHA-256 of the very bytes, ours and those of the programs that ask."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from core.clock import now
from core.errors import ConfigurationError, InvalidInput
from core.settings import settings
from core.words import N_

PROCESSOR: Final = "X-OpenDSR-Processor-Domain"
CONTROLLER: Final = "X-OpenDSR-Controller-Domain"
SIGNATURE: Final = "X-OpenDSR-Signature"
LEAST_RSA_BITS: Final = 2048
LEAST_EC_BITS: Final = 256
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Signer:
    """Our key, and the certificates that vouch for it."""

    domain: str
    key: Key
    chain: bytes

    def headers(self, content: bytes) -> dict[str, str]:
        """Return the headers that go with an answer or a callback."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            signature = self.key.sign(content, padding.PKCS1v15(), SHA256())
        else:
            signature = self.key.sign(content, ec.ECDSA(SHA256()))
        return {PROCESSOR: self.domain, SIGNATURE: base64.b64encode(signature).decode()}


def signer() -> Signer | None:
    """Return what our answers are signed with; nothing where the operator has set none, and the interface is off.

    Raises:
        ConfigurationError: the file cannot be used.
    """
    path = settings().opendsr_path
    if path is None:
        return None
    try:
        changed = path.stat().st_mtime_ns  # a new certificate counts without a restart
    except OSError as error:
        raise ConfigurationError(f"HEADSHOTS_OPENDSR_PATH: {path} cannot be read.") from error
    return _load(path, changed, urlsplit(settings().base_url).hostname or "")


@lru_cache(maxsize=1)
def _load(path: Path, changed: int, domain: str) -> Signer:  # noqa: ARG001 - what the cache is kept by
    try:
        content = path.read_bytes()
        key = load_pem_private_key(content, None)
        chain = x509.load_pem_x509_certificates(content)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"HEADSHOTS_OPENDSR_PATH: {path} is no PEM file of a key and its certificates."
        ) from error
    if not isinstance(key, Key) or chain[0].public_key() != key.public_key():
        raise ConfigurationError(
            f"HEADSHOTS_OPENDSR_PATH: the first certificate in {path} is not that of its key."
        )
    if not _names(chain[0], domain):
        raise ConfigurationError(f"HEADSHOTS_OPENDSR_PATH: the certificate in {path} does not name {domain}.")
    return Signer(domain, key, b"".join(one.public_bytes(Encoding.PEM) for one in chain))


def certificate_of(domain: str, pem: str) -> x509.Certificate:
    """Read the certificate of a program that may ask.

    Raises:
        InvalidInput: it cannot be read, is not this domain's, is over, vouches for itself, or its key is too weak.
    """
    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        key, named = found.public_key(), _names(found, domain)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise InvalidInput(N_("This is no certificate in PEM. Nothing was saved.")) from error
    strong = (isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= LEAST_EC_BITS) or (
        isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_RSA_BITS
    )
    if not strong:
        raise InvalidInput(
            N_("The key of this certificate is too weak: RSA of 2048 bits or more, or EC of 256.")
        )
    if found.issuer == found.subject:
        raise InvalidInput(
            N_("This certificate vouches for itself. OpenDSR asks for one of a certificate authority.")
        )
    if not named:
        raise InvalidInput(N_("This certificate is not for that domain. Nothing was saved."))
    if not found.not_valid_before_utc <= now() <= found.not_valid_after_utc:
        raise InvalidInput(N_("This certificate is not valid today. Nothing was saved."))
    return found


def is_signed(content: bytes, signature: str, pem: str) -> bool:
    """Whether a program has signed these bytes with the key of its certificate, which is still valid."""
    certificate = x509.load_pem_x509_certificate(pem.encode())
    if not certificate.not_valid_before_utc <= now() <= certificate.not_valid_after_utc:
        return False
    key = certificate.public_key()
    try:
        given = base64.b64decode(signature, validate=True)
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(given, content, padding.PKCS1v15(), SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(given, content, ec.ECDSA(SHA256()))
        else:
            return False
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _names(certificate: x509.Certificate, domain: str) -> bool:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return False
    names = [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]
    return domain in names or f"*.{domain.partition('.')[2]}" in names
