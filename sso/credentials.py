"""Signing keys for SAML messages: a file pair that is made once and that every process reads."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from core import belonging, clock
from core.errors import ConfigurationError

SP = "saml-sp"
KEY_BITS = 3072  # NIST SP 800-57 part 1: 128-bit strength, good beyond 2030
VALID_FOR = timedelta(days=3650)  # identity providers pin the certificate; renewal needs an admin there


@dataclass(frozen=True)
class Credentials:
    """A private key and its self-signed certificate, both PEM text."""

    key_pem: str = field(repr=False)
    certificate_pem: str


def sp_credentials(folder: Path) -> Credentials:
    """Return the service provider's signing key and certificate: `saml-sp.key` and `saml-sp.crt` in `folder`.

    Raises:
        ConfigurationError: they are not there, or cannot be read.
    """
    try:
        return _read(folder / f"{SP}.key", folder / f"{SP}.crt")
    except OSError as error:
        raise belonging.unreadable(error) or ConfigurationError(
            f"The key of our side of SAML cannot be read in {folder}: {error.strerror}. Check HEADSHOTS_SIGNING_PATH: every "
            "host needs the folder that `headshots migrate` made once for this installation, or a copy of it."
        ) from error


def make_sp_credentials(folder: Path) -> Credentials:
    """Return the service provider's pair; make it where there is none. The key's file has mode 0600.

    Safe when several processes do so at once: one creates, the others wait and read the same pair.

    Raises:
        OSError: the folder cannot be written or the files cannot be read.
    """
    return load_or_create(folder, SP, "headshots SAML service provider")


def load_or_create(folder: Path, stem: str, common_name: str) -> Credentials:
    """Return the pair `folder/stem.key` and `folder/stem.crt`; make it where there is none.

    Raises:
        OSError: the folder cannot be written or the files cannot be read.
    """
    key_path, certificate_path = folder / f"{stem}.key", folder / f"{stem}.crt"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(folder / f"{stem}.lock"):
        # The certificate is written last, so where it stands the key stands too.
        if not certificate_path.exists():
            made = _make(common_name)
            _write_private(key_path, made.key_pem)
            _write_private(certificate_path, made.certificate_pem)
        return _read(key_path, certificate_path)


def _read(key_path: Path, certificate_path: Path) -> Credentials:
    return Credentials(key_path.read_text("ascii"), certificate_path.read_text("ascii"))


@lru_cache(maxsize=4)
def signing_key(key_pem: str) -> rsa.RSAPrivateKey:
    """Return the key of a PEM text, read and validated once a process.

    OpenSSL proves both primes of an RSA key whenever it reads one: 100 ms for each sign-in. The text itself
    is what is remembered, so another file is another key at once.
    """
    key = serialization.load_pem_private_key(key_pem.encode("ascii"), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)  # `_make` makes no others
    return key


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        belonging.give(descriptor, path.parent)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # closing gives the lock back


def _write_private(path: Path, text: str) -> None:
    """Write all of `text` or nothing, readable by this user only from its first byte."""
    unfinished = path.with_suffix(path.suffix + ".new")
    unfinished.unlink(missing_ok=True)  # left by a process that died here; the lock is ours
    descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        belonging.give(descriptor, path.parent)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _make(common_name: str) -> Credentials:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    start = clock.now() - timedelta(minutes=5)  # a peer's clock may be a little behind
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + VALID_FOR)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Credentials(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode("ascii"),
        certificate.public_bytes(serialization.Encoding.PEM).decode("ascii"),
    )
