"""The keys that make evidence checkable: one signs log checkpoints, one signs certificate documents.

They live in one folder (`HEADSHOTS_SIGNING_PATH`) as two files, made once for an installation. The document
signer's certificate comes from a root whose private key is dropped right after: nobody, not even we,
can ever make a second signer that the published root vouches for.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, ConfigDict, Field, model_validator

from compliance.log.note import VerifierKey
from core import belonging
from core.clock import now
from core.errors import ConfigurationError

LOG_FILE = "log.pem"
DOCUMENT_FILE = "document.pem"
ROOT_NAME = "Headshots evidence root"
SIGNER_NAME = "Headshots evidence signer"
VALIDITY = timedelta(days=30 * 365)  # an auditor may ask for a certificate long after the contract has ended
CLOCK_SKEW = timedelta(hours=1)  # a verifier's clock may be behind ours


def log_origin(host: str, org_id: UUID) -> str:
    """Return the name of an organization's log, and of the key that signs it: `<host>/log/<org-uuid>`."""
    return f"{host}/log/{org_id}"


@dataclass(frozen=True)
class SigningKeys:
    """Private keys and certificates of evidence; use `load`."""

    log_key: ed25519.Ed25519PrivateKey
    document_key: ec.EllipticCurvePrivateKey
    document_certificate: x509.Certificate
    document_root: x509.Certificate

    @classmethod
    def load(cls, path: Path) -> SigningKeys:
        """Read the keys in folder `path`.

        Raises:
            ConfigurationError: one is missing or cannot be read, or a file is not what we wrote.
        """
        try:
            log = (path / LOG_FILE).read_bytes()
            document = (path / DOCUMENT_FILE).read_bytes()
        except FileNotFoundError as error:
            raise ConfigurationError(
                f"There are no evidence signing keys in {path}. Check HEADSHOTS_SIGNING_PATH: every host needs the folder "
                "that `headshots migrate` made once for this installation, or a copy of it."
            ) from error
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            log_key = load_pem_private_key(log, None)
            document_key = load_pem_private_key(document, None)
            certificate, root = x509.load_pem_x509_certificates(document)
        except (ValueError, TypeError) as error:
            raise ConfigurationError(
                f"The evidence signing keys in {path} are damaged. Restore {LOG_FILE} and {DOCUMENT_FILE} from "
                "their backup: new keys would not fit the evidence already handed out."
            ) from error
        if (
            not isinstance(log_key, ed25519.Ed25519PrivateKey)
            or not isinstance(document_key, ec.EllipticCurvePrivateKey)
            or certificate.public_key() != document_key.public_key()
        ):
            raise ConfigurationError(f"The evidence signing keys in {path} do not belong together.")
        return cls(log_key, document_key, certificate, root)

    @classmethod
    def make(cls, path: Path) -> SigningKeys:
        """Make what is missing in folder `path`, and read it.

        Any number of processes may do so at once: all get the same keys. Files are readable by their
        owner only (mode 0600).

        Raises:
            ConfigurationError: the folder cannot be written, or a file in it is not what we wrote.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _create(path / LOG_FILE, _new_log_key)
            _create(path / DOCUMENT_FILE, _new_document_key)
        except OSError as error:
            raise _unusable(path, error) from error
        return cls.load(path)

    def verifier(self, origin: str) -> VerifierKey:
        """Return the public key of the log named `origin`; one private key signs for every log."""
        return VerifierKey.of(origin, self.log_key)

    def published_keys(self, origins: Iterable[str]) -> dict[str, Any]:
        """Return what an auditor needs to check evidence offline, JSON-shaped (see `PublishedKeys`)."""
        keys = [self.verifier(origin) for origin in origins]
        return PublishedKeys(
            format="headshots.keys/1",
            logs=tuple(
                PublishedLog(origin=key.name, vkey=str(key), sha256=sha256(key.public).hexdigest())
                for key in keys
            ),
            documents=(
                PublishedRoot(
                    subject=ROOT_NAME,
                    certificate=self.document_root.public_bytes(Encoding.PEM).decode("ascii"),
                    sha256=self.document_root.fingerprint(SHA256()).hex(),
                ),
            ),
        ).model_dump(mode="json")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PublishedLog(_Part):
    """The public key of one organization's log."""

    origin: str
    vkey: str
    sha256: Fingerprint  # of the 32 raw public bytes; for comparing over the phone

    @model_validator(mode="after")
    def _is_true_to_its_key(self) -> PublishedLog:
        key = VerifierKey.parse(self.vkey)
        if key.name != self.origin:
            raise ValueError(
                f"the file contradicts itself. The key listed for log {self.origin!r} is that of {key.name!r}"
            )
        _check_fingerprint(f"the key of log {self.origin!r}", self.sha256, sha256(key.public).hexdigest())
        return self


class PublishedRoot(_Part):
    """The root certificate that vouches for signed documents."""

    subject: str
    certificate: str  # PEM
    sha256: Fingerprint  # of the certificate's DER

    @model_validator(mode="after")
    def _is_true_to_its_certificate(self) -> PublishedRoot:
        certificate = x509.load_pem_x509_certificate(self.certificate.encode())
        _check_fingerprint(
            f"the certificate {self.subject!r}", self.sha256, certificate.fingerprint(SHA256()).hex()
        )
        return self


def _check_fingerprint(what: str, written: str, computed: str) -> None:
    """Hold a printed fingerprint against the key: people compare what is printed, so it may not lie."""
    if written != computed:
        raise ValueError(
            f"the file contradicts itself. It gives {what} the fingerprint {written}, but that key has "
            f"{computed}. Somebody changed the file: trust nothing in it, and download it again"
        )


class PublishedKeys(_Part):
    """The file that an auditor downloads from `/trust/<org>`, once, and keeps.

    Printed fingerprints are computed again from the keys: a file whose own differ is refused.
    """

    format: Literal["headshots.keys/1"]
    logs: tuple[PublishedLog, ...]
    documents: tuple[PublishedRoot, ...]


def _unusable(path: Path, error: OSError) -> ConfigurationError:
    return belonging.unreadable(error) or ConfigurationError(
        f"The evidence signing keys in {path} cannot be read or created: {error.strerror}. "
        "Check HEADSHOTS_SIGNING_PATH and its permissions."
    )


def _create(file: Path, make: Callable[[], bytes]) -> None:
    """Write `file` whole where there is none.

    A hard link either appears complete or fails because another process was first; then theirs counts.
    """
    if not file.exists():
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as stream:
                belonging.give(handle, file.parent)
                stream.write(make())
                stream.flush()
                os.fsync(stream.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(name, file)
            _sync_folder(file.parent)
        finally:
            Path(name).unlink()


def _sync_folder(folder: Path) -> None:
    """Make a new name in `folder` survive a power cut before anything is signed with the key behind it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _pem(key: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _new_log_key() -> bytes:
    return _pem(ed25519.Ed25519PrivateKey.generate())


def _new_document_key() -> bytes:
    """Return the PEM of a new signer: private key, its certificate, the root's certificate."""
    root_key = ec.generate_private_key(ec.SECP256R1())
    signer_key = ec.generate_private_key(ec.SECP256R1())
    root_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ROOT_NAME)])
    signer_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SIGNER_NAME)])
    issuer_id = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    root = (
        _certificate(root_name, root_name, root_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(certificates=True), critical=True)
        .add_extension(issuer_id, critical=False)
        .sign(root_key, SHA256())
    )
    signer = (
        _certificate(signer_name, root_name, signer_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(certificates=False), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(signer_key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id), critical=False
        )
        .sign(root_key, SHA256())
    )
    return _pem(signer_key) + signer.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    start = now() - CLOCK_SKEW
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + VALIDITY)
    )


def _key_usage(*, certificates: bool) -> x509.KeyUsage:
    """Return the usage of a root (signs certificates) or of a document signer (non-repudiation)."""
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=not certificates,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )
