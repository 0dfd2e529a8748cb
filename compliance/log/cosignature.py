"""Cosignatures: what a witness says of a checkpoint, and when (C2SP tlog-cosignature, Ed25519 and ML-DSA-44).

A cosigned checkpoint is the signed note with further signature lines. Whoever knows a witness's key reads from its line
that the log had shown it no other past until that time.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from compliance.log import tree_head
from compliance.log.encoding import decode, encode
from compliance.log.note import NoteError
from compliance.log.tree_head import CheckpointBody

ED25519: Final = 0x04  # tlog-cosignature "Format": the bytes that tell key ids of the two kinds apart
ML_DSA_44: Final = 0x06
KEY_BYTES: Final = {ED25519: 32, ML_DSA_44: 1312}
SIGNATURE_BYTES: Final = {ED25519: 64, ML_DSA_44: 2420}
_LINE: Final = re.compile(r"— (\S+) (\S+)")
_LABEL: Final = b"subtree/v1\n\0"

PrivateKey = Ed25519PrivateKey | MLDSA44PrivateKey


@dataclass(frozen=True)
class CosignerKey:
    """A witness's public key under the name it signs as; `str()` is its vkey."""

    name: str
    kind: int  # `ED25519` or `ML_DSA_44`
    public: bytes

    def __post_init__(self) -> None:
        if not self.name or re.search(r"[\s+]", self.name):
            raise NoteError("a key name is not empty and holds no space and no plus")
        if len(self.public) != KEY_BYTES.get(self.kind):
            raise NoteError("not the key of a witness: neither Ed25519 (0x04) nor ML-DSA-44 (0x06)")

    @property
    def key_id(self) -> bytes:
        """The four bytes that mark this key's cosignatures."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @classmethod
    def of(cls, name: str, key: PrivateKey) -> CosignerKey:
        """Return the public half of what `key` signs as `name`."""
        if isinstance(key, Ed25519PrivateKey):
            return cls(name, ED25519, key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        return cls(name, ML_DSA_44, key.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, vkey: str) -> CosignerKey:
        """Read `name+hex(key id)+base64(kind ‖ public key)`.

        Raises:
            NoteError: not a vkey of a witness, or its id does not belong to its key.
        """
        parts = vkey.strip().split("+", 2)
        if len(parts) != 3:
            raise NoteError("a verifier key has three parts joined by plus")
        try:
            raw = decode(parts[2])
        except ValueError as error:
            raise NoteError(f"verifier key: {error}") from error
        key = cls(parts[0], raw[0] if raw else 0, raw[1:])
        if key.key_id.hex() != parts[1]:
            raise NoteError("the verifier key's id does not belong to its key")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode(bytes([self.kind]) + self.public)}"


@dataclass(frozen=True)
class Cosignature:
    """That a witness saw a checkpoint as the newest of its log, and when."""

    key: CosignerKey
    at: datetime


def _message(kind: int, name: str, seconds: int, text: str, body: CheckpointBody) -> bytes:
    """Return what is signed: "Ed25519 signed message" and "ML-DSA-44 signed message" of the specification."""
    if kind == ED25519:
        return f"cosignature/v1\ntime {seconds}\n{text}".encode()
    cosigner, origin = name.encode(), body.origin.encode()
    if max(len(cosigner), len(origin)) > 255:
        raise NoteError("a name of more than 255 bytes cannot be cosigned")
    return (
        _LABEL
        + bytes([len(cosigner)])
        + cosigner
        + struct.pack(">Q", seconds)
        + bytes([len(origin)])
        + origin
        + struct.pack(">QQ", 0, body.size)
        + body.root
    )


def cosign(text: str, name: str, key: PrivateKey, at: datetime) -> str:
    """Return the signature line, newline included, over a checkpoint's text.

    Raises:
        NoteError: `text` is no checkpoint's.
    """
    cosigner = CosignerKey.of(name, key)
    seconds = int(at.timestamp())
    message = _message(cosigner.kind, name, seconds, text, tree_head.parse_text(text))
    signature = struct.pack(">Q", seconds) + key.sign(message)
    return f"— {name} {encode(cosigner.key_id + signature)}\n"


def key_id_of(line: str) -> bytes:
    """Return the four bytes of the key that wrote a signature line; empty if it is none."""
    match = _LINE.fullmatch(line)
    try:
        return decode(match[2])[:4] if match else b""
    except ValueError:
        return b""


def verify(note: str | bytes, trusted: Iterable[CosignerKey]) -> list[Cosignature]:
    """Return the cosignatures of trusted witnesses on a checkpoint; lines of others are passed over.

    Raises:
        NoteError: not a checkpoint, or a trusted witness's line does not fit it.
    """
    content = note.decode(errors="replace") if isinstance(note, bytes) else note
    text, blank, tail = content.rpartition("\n\n")
    if not blank:
        raise NoteError("a note is a text, an empty line and signature lines")
    text += "\n"
    body = tree_head.parse_text(text)
    keys = {(key.name, key.key_id): key for key in trusted}
    found = []
    for line in tail.splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise NoteError("a signature line is malformed")
        try:
            raw = decode(match[2])
        except ValueError as error:
            raise NoteError(f"signature of {match[1]}: {error}") from error
        key = keys.get((match[1], raw[:4]))
        if key is not None:
            found.append(_one(key, raw[4:], text, body))
    return found


def _one(key: CosignerKey, signature: bytes, text: str, body: CheckpointBody) -> Cosignature:
    if len(signature) != 8 + SIGNATURE_BYTES[key.kind]:
        raise NoteError(f"the cosignature of {key.name} has a wrong length")
    (seconds,) = struct.unpack(">Q", signature[:8])
    message = _message(key.kind, key.name, seconds, text, body)
    try:
        if key.kind == ED25519:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature[8:], message)
        else:
            MLDSA44PublicKey.from_public_bytes(key.public).verify(signature[8:], message)
        return Cosignature(key, datetime.fromtimestamp(seconds, UTC))
    except (InvalidSignature, ValueError, OverflowError, OSError) as error:
        raise NoteError(f"the cosignature of {key.name} does not fit the checkpoint") from error
