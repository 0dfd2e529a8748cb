"""A second, sealed copy of the epoch keys, so that a keyring can be lost without everything that it opens.

The copy stands and falls with the key: it is written before an epoch opens, and destroyed with the epoch's key, before
that counts as destroyed. So an old copy never opens what was erased. It lies in a folder of its own, which like the
keyring is part of no backup, and only the escrow's private key, which no host has, can open it (HPKE, RFC 9180).
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from core.errors import ConfigurationError, Misfit
from core.vault import keyfiles
from core.vault.outage import answering

MARK: Final = "escrow"
ESCROW: Final = "escrow"  # what the installation calls its fingerprint
_COPY: Final = re.compile(r"\.?epoch-(\d+)\.(?:sealed|.+\.draft)$")
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class EscrowUnusable(Misfit):
    """A copy or a private key is missing, or not the right one."""

    code = "escrow_unusable"


class Escrow:
    """One sealed file an epoch, in a folder on another volume than the keyring's.

    Each verb raises `Unavailable` where the folder cannot be read or written.
    """

    def __init__(self, folder: Path, public_key: str) -> None:
        self._folder = folder
        try:
            self._public = X25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        except ValueError as error:
            raise ConfigurationError(
                "HEADSHOTS_ESCROW_PUBLIC_KEY is not a public key as `headshots keys escrow-key` prints it."
            ) from error

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the public key."""
        return sha256(self._public.public_bytes_raw()).hexdigest()

    @answering("keyring")
    def prepare(self) -> None:
        """Make the folder and its mark, once, while the escrow begins."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self._folder / MARK).write_text(self.fingerprint + "\n")

    def _demand(self) -> None:
        """Tell the volume from the empty folder that it is mounted on: there nothing may be kept, nor count as destroyed."""
        if (self._folder / MARK).read_text().strip() != self.fingerprint:
            raise PermissionError(f"{self._folder} is another escrow's")

    def _path(self, epoch: int) -> Path:
        return self._folder / f"epoch-{epoch}.sealed"

    @answering("keyring")
    def keep(self, epoch: int, key: bytes) -> None:
        """Write the sealed copy, whole or not at all, and see that it is there; a second call writes it anew."""
        self._demand()
        sealed = _SUITE.encrypt(key, self._public, info=_info(epoch))
        with keyfiles.draft(self._folder, epoch, sealed) as draft:
            draft.replace(self._path(epoch))
        keyfiles.sync(self._folder)

    @answering("keyring")
    def destroy(self, epoch: int) -> None:
        """Overwrite and remove the copy; one that is not there is fine, a volume that is not there is not."""
        self._demand()
        keyfiles.shred(self._folder, epoch, self._path(epoch))

    @answering("keyring")
    def end(self) -> None:
        """Destroy every copy, then remove the mark: whoever still has this escrow in its settings keeps nothing more."""
        for epoch in self.epochs():
            self.destroy(epoch)
        (self._folder / MARK).unlink()
        keyfiles.sync(self._folder)

    @answering("keyring")
    def exists(self, epoch: int) -> bool:
        """Whether there is a copy, or a draft of one."""
        self._demand()
        return self._path(epoch).exists() or bool(keyfiles.drafts(self._folder, epoch))

    @answering("keyring")
    def epochs(self) -> list[int]:
        """Return the epochs of which there is a copy, or a draft of one."""
        self._demand()
        there = (_COPY.match(path.name) for path in self._folder.iterdir())
        return sorted({int(found[1]) for found in there if found})

    @answering("keyring")
    def open(self, epoch: int, private_key: X25519PrivateKey) -> bytes:
        """Return the epoch's key.

        Raises:
            EscrowUnusable: there is no copy of it, or this private key does not open it.
        """
        try:
            sealed = self._path(epoch).read_bytes()
        except FileNotFoundError as error:
            raise EscrowUnusable(
                operator="The escrow has no copy of the epoch that runs. What the keyring held cannot be recovered."
            ) from error
        try:
            return _SUITE.decrypt(sealed, private_key, info=_info(epoch))
        except InvalidTag as error:
            raise EscrowUnusable(
                operator="This private key is not the one that the escrow seals to."
            ) from error


def make_private_key(file: Path) -> str:
    """Write a new private key to `file`, which must not exist, and return its public key as hex.

    Raises:
        OSError: the file is there, or cannot be written.
    """
    key = X25519PrivateKey.generate()
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key.public_key().public_bytes_raw().hex()


def read_private_key(file: Path) -> X25519PrivateKey:
    """Read what `make_private_key` wrote.

    Raises:
        EscrowUnusable: it is something else.
    """
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except ValueError as error:
        raise EscrowUnusable(operator="This file is not a private key of an escrow.") from error
    if not isinstance(key, X25519PrivateKey):
        raise EscrowUnusable(operator="This file is not a private key of an escrow.")
    return key


def _info(epoch: int) -> bytes:
    return b"headshots epoch key " + str(epoch).encode()
