"""Who signs where pictures come from: a certificate of the operator's, or a local one that says what it is worth.

The operator's comes as PKCS#12 (`HEADSHOTS_ORIGIN_CERTIFICATE`). Without one, `origin.pem` is made once beside the
other signing keys: a signer whose certificate says in its subject that it is local, from a root whose private key is
dropped right after. It proves that a picture is unchanged, and to whoever holds the published keys, whose it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates
from cryptography.x509.oid import NameOID

from compliance import local_signer
from compliance.key_files import create, unusable
from core.clock import now
from core.errors import ConfigurationError
from core.settings import settings, signer_settings

FILE: Final = "origin.pem"
LOCAL: Final = "Local certificate, vouched for by nobody"
ROOT_NAME: Final = "Headshots local origin root (untrusted)"
SIGNER_NAME: Final = "Headshots local origin signer (untrusted)"
VALIDITY: Final = timedelta(
    days=30 * 365
)  # pictures stay on pages for years, and a local signature has no time
# Extended key usages that C2PA 2.4, §14.5.1, lets a signer of claims have; readers of older editions know the first.
USAGES: Final = {
    "1.3.6.1.5.5.7.3.4": "e-mail protection",
    "1.3.6.1.5.5.7.3.36": "document signing",
    "1.3.6.1.4.1.62558.2.1": "C2PA claim signing",
}
_CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_SHORTEST_RSA: Final = 2048  # bits; C2PA 2.4, §13.2.1


@dataclass(frozen=True)
class Signer:
    """A private key, its certificate, and what stands between that and a root.

    Attributes:
        key: PEM; in this process's memory only.
        algorithm: C2PA's name of the signature's algorithm (2.4, §13.2.1).
        chain: The signer's certificate first.
        anchor: What vouches for it: its issuer's certificate.
        timestamp_url: RFC 3161 authority that is asked for the time of each signature; empty for none.
    """

    key: bytes = field(repr=False)
    algorithm: str
    chain: tuple[x509.Certificate, ...]
    anchor: x509.Certificate
    timestamp_url: str = ""

    @property
    def certificate(self) -> x509.Certificate:
        """The signer's own."""
        return self.chain[0]

    @property
    def is_local(self) -> bool:
        """Whether nobody outside this installation vouches for it."""
        return _organization(self.certificate.subject) == LOCAL

    def pem(self) -> bytes:
        """Return the certificates, the signer's first."""
        return b"".join(one.public_bytes(Encoding.PEM) for one in self.chain)


def _algorithm(key: object) -> str | None:
    if isinstance(key, rsa.RSAPrivateKey):
        return "PS256" if key.key_size >= _SHORTEST_RSA else None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return _CURVES.get(key.curve.name)
    return "ED25519" if isinstance(key, ed25519.Ed25519PrivateKey) else None


@cache
def signer() -> Signer:
    """Return who signs in this installation.

    Raises:
        ConfigurationError: there is none, or it cannot sign.
    """
    return configured() or load(settings().signing_path)


def known() -> tuple[Signer, ...]:
    """Return everyone whose pictures this installation stands by: who signs now, and the local one, which may have before.

    Raises:
        ConfigurationError: one cannot be read.
    """
    local = load(settings().signing_path)
    return tuple(dict.fromkeys((signer(), local)))


def of_this_machine(home: Path) -> Signer:
    """Return who signs what is made on a terminal: the installation's signer, or a local one.

    Args:
        home: Where the local one is kept, in the folder that `headshots up` has its own in.

    Raises:
        ConfigurationError: there is none and none can be kept, or it cannot sign.
    """
    found = configured()
    if found is not None:
        return found
    path = signer_settings().signing_path
    return make(home / "signing") if path is None else load(path)


def configured() -> Signer | None:
    """Return the operator's own signer where the settings name one.

    Raises:
        ConfigurationError: it cannot sign.
    """
    config = signer_settings()
    if config.origin_certificate is None:
        return None
    given = config.origin_certificate_password
    password = None if given is None else given.get_secret_value()
    return from_pkcs12(config.origin_certificate, password, config.origin_timestamp_url)


def from_pkcs12(file: Path, password: str | None, timestamp_url: str = "") -> Signer:
    """Read a signer of the operator's.

    Raises:
        ConfigurationError: says what keeps it from signing pictures.
    """
    try:
        key, certificate, others = load_key_and_certificates(
            file.read_bytes(), password.encode() if password else None
        )
    except OSError as error:
        raise ConfigurationError(
            f"HEADSHOTS_ORIGIN_CERTIFICATE: {file} cannot be read: {error.strerror}."
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            f"HEADSHOTS_ORIGIN_CERTIFICATE: {file} is no PKCS#12 file, or HEADSHOTS_ORIGIN_CERTIFICATE_PASSWORD does not open it."
        ) from error
    if key is None or certificate is None:
        raise _unfit(file, "has no private key with its certificate")
    algorithm = _algorithm(key)
    if algorithm is None:
        raise _unfit(
            file, "has a key that C2PA does not know: P-256, P-384, P-521, RSA from 2,048 bits or Ed25519"
        )
    _demand_profile(file, certificate)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    issuer = _issuer(certificate, others)
    if issuer is None:
        raise _unfit(file, "lacks the certificate of its issuer")
    return Signer(pem, algorithm, (certificate, *_up(certificate, others)), issuer, timestamp_url)


def _demand_profile(file: Path, certificate: x509.Certificate) -> None:
    """Hold a certificate against C2PA 2.4, §14.5.1, before a picture is signed that no reader accepts."""
    if not certificate.not_valid_before_utc <= now() <= certificate.not_valid_after_utc:
        raise _unfit(file, f"is valid until {certificate.not_valid_after_utc:%Y-%m-%d} only, or not yet")
    if certificate.issuer == certificate.subject:
        raise _unfit(file, "is its own issuer; C2PA takes no such signer")
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise _unfit(file, "does not say what its key is for") from error
    if not usage.digital_signature or not any(one.dotted_string in USAGES for one in purposes):
        raise _unfit(file, f"is not for {', '.join(USAGES.values())}")


def _unfit(file: Path, why: str) -> ConfigurationError:
    return ConfigurationError(f"HEADSHOTS_ORIGIN_CERTIFICATE: {file} {why}.")


def _up(certificate: x509.Certificate, others: list[x509.Certificate]) -> list[x509.Certificate]:
    """Return the issuers that lie beside a certificate, nearest first, without the root."""
    found: list[x509.Certificate] = []
    last = certificate
    while (issuer := _issuer(last, others)) and issuer.issuer != issuer.subject and issuer not in found:
        found.append(issuer)
        last = issuer
    return found


def _issuer(certificate: x509.Certificate, others: list[x509.Certificate]) -> x509.Certificate | None:
    return next((one for one in others if one.subject == certificate.issuer), None)


def load(path: Path) -> Signer:
    """Read the local signer in folder `path`.

    Raises:
        ConfigurationError: it is missing, cannot be read, or is not what we wrote.
    """
    try:
        content = (path / FILE).read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"There is no {FILE} in {path}, which signs where pictures come from. Run `headshots migrate`, and copy the "
            "folder to the other hosts."
        ) from error
    except OSError as error:
        raise unusable(path, error) from error
    try:
        key = load_pem_private_key(content, None)
        certificate, root = x509.load_pem_x509_certificates(content)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{path / FILE} is damaged. Restore it from its backup: another one would not be known for the pictures that "
            "are already handed out."
        ) from error
    if (
        not isinstance(key, ec.EllipticCurvePrivateKey)
        or certificate.public_key() != key.public_key()
        or _organization(certificate.subject) != LOCAL
    ):
        raise ConfigurationError(f"{path / FILE} holds a key and a certificate that do not belong together.")
    return Signer(content[: content.index(b"-----BEGIN CERTIFICATE")], "ES256", (certificate,), root)


def make(path: Path) -> Signer:
    """Make the local signer in folder `path` where there is none, and read it.

    Any number of processes may do so at once: all get the same one, readable by its owner only (mode 0600).

    Raises:
        ConfigurationError: the folder cannot be written, or what is there is not what we wrote.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        create(path / FILE, _new)
    except OSError as error:
        raise unusable(path, error) from error
    return load(path)


def _new() -> bytes:
    purposes = [x509.ObjectIdentifier(number) for number in USAGES]
    return local_signer.new(
        _name(ROOT_NAME),
        _name(SIGNER_NAME),
        lasts=VALIDITY,
        usage=local_signer.Usage.CLAIMS,
        purposes=purposes,
    )


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, LOCAL),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _organization(name: x509.Name) -> str:
    return next((str(one.value) for one in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)), "")
