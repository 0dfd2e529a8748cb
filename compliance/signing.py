"""The keys that make evidence checkable: two sign log checkpoints, one signs certificate documents.

They live in one folder (`HEADSHOTS_SIGNING_PATH`) as three files, made once for an installation. The document
signer's certificate comes from a root whose private key is dropped right after: nobody, not even we,
can ever make a second signer that the published root vouches for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from pydantic import BaseModel, ConfigDict, Field, model_validator

from compliance import local_signer
from compliance.key_files import create, unusable
from compliance.log import checkpoint
from compliance.log.checkpoint import LogKey
from compliance.log.cosignature import CosignerKey
from compliance.log.note import VerifierKey
from compliance.log.tree_head import CheckpointBody
from compliance.origin.signer import Signer
from core.errors import ConfigurationError

LOG_FILE = "log.pem"
SECOND_FILE = "log-ml-dsa-44.pem"
DOCUMENT_FILE = "document.pem"
ROOT_NAME = "Headshots evidence root"
SIGNER_NAME = "Headshots evidence signer"
VALIDITY = timedelta(days=30 * 365)  # an auditor may ask for a certificate long after the contract has ended


def log_origin(host: str, org_id: UUID) -> str:
    """Return the name of an organization's log, and of the key that signs it: `<host>/log/<org-uuid>`."""
    return f"{host}/log/{org_id}"


@dataclass(frozen=True)
class SigningKeys:
    """Private keys and certificates of evidence; use `load`."""

    log_key: ed25519.Ed25519PrivateKey
    second_key: MLDSA44PrivateKey  # of the log, should Ed25519 fall to a quantum computer
    document_key: ec.EllipticCurvePrivateKey
    document_certificate: x509.Certificate
    document_root: x509.Certificate
    timestamp_url: str = (
        ""  # of the RFC 3161 authority that is asked for the time of each document's signature
    )

    @classmethod
    def load(cls, path: Path) -> SigningKeys:
        """Read the keys in folder `path`.

        Raises:
            ConfigurationError: one is missing or cannot be read, or a file is not what we wrote.
        """
        try:
            log = (path / LOG_FILE).read_bytes()
            document = (path / DOCUMENT_FILE).read_bytes()
            second = (path / SECOND_FILE).read_bytes()
        except FileNotFoundError as error:
            if (path / LOG_FILE).exists() and (path / DOCUMENT_FILE).exists():
                raise ConfigurationError(
                    f"There is no {SECOND_FILE} in {path}, with which the evidence log is signed too. Run `headshots migrate`, "
                    "and copy the folder to the other hosts."
                ) from error
            raise ConfigurationError(
                f"There are no evidence signing keys in {path}. Check HEADSHOTS_SIGNING_PATH: every host needs the folder "
                "that `headshots migrate` made once for this installation, or a copy of it."
            ) from error
        except OSError as error:
            raise unusable(path, error) from error
        try:
            log_key = load_pem_private_key(log, None)
            second_key = load_pem_private_key(second, None)
            document_key = load_pem_private_key(document, None)
            certificate, root = x509.load_pem_x509_certificates(document)
        except (ValueError, TypeError) as error:
            raise ConfigurationError(
                f"The evidence signing keys in {path} are damaged. Restore {LOG_FILE}, {SECOND_FILE} and {DOCUMENT_FILE} from "
                "their backup: new keys would not fit the evidence already handed out."
            ) from error
        if (
            not isinstance(log_key, ed25519.Ed25519PrivateKey)
            or not isinstance(second_key, MLDSA44PrivateKey)
            or not isinstance(document_key, ec.EllipticCurvePrivateKey)
            or certificate.public_key() != document_key.public_key()
        ):
            raise ConfigurationError(f"The evidence signing keys in {path} do not belong together.")
        return cls(log_key, second_key, document_key, certificate, root)

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
            create(path / LOG_FILE, _new_log_key)
            create(path / SECOND_FILE, _new_second_key)
            create(path / DOCUMENT_FILE, _new_document_key)
        except OSError as error:
            raise unusable(path, error) from error
        return cls.load(path)

    @classmethod
    def complete(cls, path: Path) -> SigningKeys:
        """Make the log's second key in the folder of an installation from before there was one, and read it.

        Raises:
            ConfigurationError: the folder lacks the other keys: it is not this installation's.
        """
        if (path / LOG_FILE).exists() and (path / DOCUMENT_FILE).exists():
            return cls.make(path)
        return cls.load(path)  # says what is missing

    def log_key_of(self, origin: str, *, second_from: int | None = 0) -> LogKey:
        """Return the public keys of the log named `origin`; the same private ones sign for every log.

        Args:
            origin: The log's name.
            second_from: How many entries the first checkpoint has from which on all have both signatures; see `LogKey`.
        """
        return LogKey(
            VerifierKey.of(origin, self.log_key), CosignerKey.of(origin, self.second_key), second_from
        )

    def sign_checkpoint(self, body: CheckpointBody, at: datetime) -> str:
        """Return the note of `body` with both signatures."""
        return checkpoint.sign(body, self.log_key, self.second_key, at)

    def published_keys(
        self,
        origins: Iterable[str] | Mapping[str, int],
        signers: Iterable[Signer] = (),
        authorities: Iterable[x509.Certificate] = (),
    ) -> dict[str, Any]:
        """Return what an auditor needs to check evidence offline, JSON-shaped (see `PublishedKeys`).

        Args:
            origins: Names of the logs; with the size from which on checkpoints have both signatures, where some have one.
            signers: Who signs where pictures come from.
            authorities: Who vouches for the times in signatures.
        """
        sizes = origins if isinstance(origins, Mapping) else dict.fromkeys(origins, 0)
        published = PublishedKeys(
            format="headshots.keys/1",
            logs=tuple(
                PublishedLog.of(self.log_key_of(origin, second_from=size)) for origin, size in sizes.items()
            ),
            documents=(
                PublishedRoot(
                    subject=ROOT_NAME,
                    certificate=self.document_root.public_bytes(Encoding.PEM).decode("ascii"),
                    sha256=self.document_root.fingerprint(SHA256()).hex(),
                ),
            ),
            pictures=tuple(PublishedSigner.of(one) for one in signers),
            authorities=tuple(map(PublishedAuthority.of, authorities)),
        )
        return published.model_dump(mode="json", exclude=None if published.authorities else {"authorities"})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Fingerprint = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class PublishedSecond(_Part):
    """The log's second key, of ML-DSA-44 (FIPS 204), and from where on every checkpoint has its signature too."""

    vkey: str
    sha256: Fingerprint  # of the 1,312 raw public bytes
    from_size: Annotated[int, Field(ge=0)]  # entries


class PublishedLog(_Part):
    """The public keys of one organization's log."""

    origin: str
    vkey: str
    sha256: Fingerprint  # of the 32 raw public bytes; for comparing over the phone
    second: PublishedSecond | None = None  # a file from before there was one has none

    @classmethod
    def of(cls, key: LogKey) -> PublishedLog:
        """Return what may be known of a log's keys."""
        second = key.second and PublishedSecond(
            vkey=str(key.second),
            sha256=sha256(key.second.public).hexdigest(),
            from_size=key.second_from or 0,
        )
        first = key.first
        return cls(origin=first.name, vkey=str(first), sha256=sha256(first.public).hexdigest(), second=second)

    @property
    def key(self) -> LogKey:
        """What the log's checkpoints are checked with."""
        first = VerifierKey.parse(self.vkey)
        if self.second is None:
            return LogKey(first)
        return LogKey(first, CosignerKey.parse(self.second.vkey), self.second.from_size)

    @model_validator(mode="after")
    def _is_true_to_its_key(self) -> PublishedLog:
        key = self.key
        if key.first.name != self.origin:
            raise ValueError(
                f"the file contradicts itself. The key listed for log {self.origin!r} is that of {key.first.name!r}"
            )
        what = f"the key of log {self.origin!r}"
        _check_fingerprint(what, self.sha256, sha256(key.first.public).hexdigest())
        if key.second is not None and self.second is not None:
            found = sha256(key.second.public).hexdigest()
            _check_fingerprint(f"the second key of log {self.origin!r}", self.second.sha256, found)
        return self


class _PublishedCertificate(_Part):
    subject: str
    certificate: str  # PEM
    sha256: Fingerprint  # of the certificate's DER

    @model_validator(mode="after")
    def _is_true_to_its_certificate(self) -> Self:
        certificate = x509.load_pem_x509_certificate(self.certificate.encode())
        _check_fingerprint(
            f"the certificate {self.subject!r}", self.sha256, certificate.fingerprint(SHA256()).hex()
        )
        return self


class PublishedRoot(_PublishedCertificate):
    """The root certificate that vouches for signed documents."""


class PublishedAuthority(_PublishedCertificate):
    """A certificate that vouches for an RFC 3161 authority."""

    @classmethod
    def of(cls, pem: x509.Certificate) -> PublishedAuthority:
        """Return what may be known of an authority's certificate."""
        return cls(
            subject=pem.subject.rfc4514_string(),
            certificate=pem.public_bytes(Encoding.PEM).decode("ascii"),
            sha256=pem.fingerprint(SHA256()).hex(),
        )


class PublishedSigner(_PublishedCertificate):
    """The certificate that signs where pictures come from, and what vouches for it."""

    anchor: str  # PEM

    @model_validator(mode="after")
    def _is_vouched_for(self) -> Self:
        anchor = x509.load_pem_x509_certificate(self.anchor.encode())
        try:
            x509.load_pem_x509_certificate(self.certificate.encode()).verify_directly_issued_by(anchor)
        except (InvalidSignature, TypeError, ValueError) as error:
            raise ValueError(
                "the file contradicts itself: a signer of pictures has another issuer"
            ) from error
        return self

    @classmethod
    def of(cls, signer: Signer) -> PublishedSigner:
        """Return what may be known of a signer."""
        return cls(
            subject=signer.certificate.subject.rfc4514_string(),
            certificate=signer.certificate.public_bytes(Encoding.PEM).decode("ascii"),
            sha256=signer.certificate.fingerprint(SHA256()).hex(),
            anchor=signer.anchor.public_bytes(Encoding.PEM).decode("ascii"),
        )


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
    pictures: tuple[PublishedSigner, ...] = ()
    # Who vouches for the times in signatures. Left out where there is none, so that earlier releases read the file.
    authorities: tuple[PublishedAuthority, ...] = ()


def _new_log_key() -> bytes:
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _new_second_key() -> bytes:
    return MLDSA44PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _new_document_key() -> bytes:
    return local_signer.new(
        _named(ROOT_NAME), _named(SIGNER_NAME), lasts=VALIDITY, usage=local_signer.Usage.DOCUMENTS
    )


def _named(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
