"""Sealing bytes: AES-256-GCM with a random nonce; what the bytes are is bound in as associated data."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import AppError

KEY_BYTES = 32
NONCE_BYTES = 12  # NIST SP 800-38D §8.2: 96 bits is the size GCM is built for
VERSION = b"\x01"


class CannotOpen(AppError):
    """The key, the bytes or what they claim to be do not belong together."""

    code = "cannot_open"
    status = 500


def new_key() -> bytes:
    """Return a fresh 256-bit key from the system's random source."""
    return os.urandom(KEY_BYTES)


def joined(one: bytes, other: bytes) -> bytes:
    """Return the 256-bit key that takes both of two keys to know (HKDF-SHA256, RFC 5869)."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"headshots joined keys").derive(one + other)


def seal(key: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """Return version byte, nonce, ciphertext and tag of `plaintext`.

    A data key seals one person's few hundred objects, far below the 2³² random-nonce bound of
    SP 800-38D §8.3.
    """
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + nonce + AESGCM(key).encrypt(nonce, plaintext, associated)


def open_sealed(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    """Return the plaintext of what `seal` made.

    Raises:
        CannotOpen: wrong key, changed bytes, or bytes of another person, place or kind.
    """
    if sealed[:1] != VERSION:
        raise CannotOpen("These bytes were not sealed by this vault.")
    nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, associated)
    except (InvalidTag, ValueError) as error:
        raise CannotOpen(
            "These bytes cannot be opened: they were changed, or are not what they claim."
        ) from error
