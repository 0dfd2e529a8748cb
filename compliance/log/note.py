"""Signed notes: a text and its Ed25519 signatures, readable by people (C2SP signed-note v1.0.0)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from compliance.log.encoding import decode, encode

ED25519 = b"\x01"  # signature type identifier (signed-note.md "Signature types")
MAX_BYTES = 1_000_000  # the limit of golang.org/x/mod/sumdb/note
MAX_SIGNATURES = 100  # as above; the specification asks for at least 16
_SIGNATURE_LINE = re.compile(r"— (\S+) (\S+)")


class NoteError(ValueError):
    """The note is malformed, or no trusted key signed it."""


@dataclass(frozen=True)
class VerifierKey:
    """A public key under the name it signs as; `str()` is its C2SP vkey."""

    name: str
    public: bytes  # 32 bytes, RFC 8032

    def __post_init__(self) -> None:
        if not self.name or re.search(r"[\s+]", self.name):
            raise NoteError("a key name is not empty and holds no space and no plus")
        if len(self.public) != 32:
            raise NoteError("an Ed25519 public key has 32 bytes")

    @property
    def key_id(self) -> bytes:
        """The four bytes that mark this key's signatures."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    @classmethod
    def of(cls, name: str, key: Ed25519PrivateKey) -> VerifierKey:
        """Return the verifier of what `key` signs as `name`."""
        return cls(name, key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @classmethod
    def parse(cls, vkey: str) -> VerifierKey:
        """Read `name+hex(key id)+base64(0x01 ‖ public key)`.

        Raises:
            NoteError: not a vkey, not Ed25519, or its id does not belong to its key.
        """
        parts = vkey.split("+", 2)
        if len(parts) != 3:
            raise NoteError("a verifier key has three parts joined by plus")
        name, key_id, encoded = parts
        try:
            raw = decode(encoded)
        except ValueError as error:
            raise NoteError(f"verifier key: {error}") from error
        if raw[:1] != ED25519:
            raise NoteError("only Ed25519 verifier keys are supported")
        key = cls(name, raw[1:])
        if key.key_id.hex() != key_id:
            raise NoteError("the verifier key's id does not belong to its key")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode(ED25519 + self.public)}"


@dataclass(frozen=True)
class Note:
    """A text whose signature was checked, and the trusted keys that signed it."""

    text: str
    signers: tuple[VerifierKey, ...]


def sign(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """Return the note of `text` signed by `key` as `name`.

    Raises:
        NoteError: `text` is not a note's text (it must end in a newline), or `name` is not a key name.
    """
    _check_text(text)
    signature = VerifierKey.of(name, key).key_id + key.sign(text.encode())
    return f"{text}\n— {name} {encode(signature)}\n"


def verify(note: str | bytes, trusted: Iterable[VerifierKey]) -> Note:
    """Check the signatures of `note` and return its text.

    Signatures of unknown keys are passed over, as the specification demands: they are how witnesses
    add theirs. A failing signature of a trusted key rejects the note.

    Raises:
        NoteError: malformed, or not signed by one of `trusted`.
    """
    text, lines = _split(note)
    keys = {(key.name, key.key_id): key for key in trusted}
    signers: list[VerifierKey] = []
    for line in lines:
        match = _SIGNATURE_LINE.fullmatch(line)
        if not match:
            raise NoteError("a signature line is malformed")
        try:
            raw = decode(match[2])
        except ValueError as error:
            raise NoteError(f"signature of {match[1]}: {error}") from error
        if len(raw) <= 4:
            raise NoteError("a signature is too short")
        key = keys.get((match[1], raw[:4]))
        if key is None:
            continue
        if key in signers:
            raise NoteError("the same key signed twice")
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(raw[4:], text.encode())
        except (InvalidSignature, ValueError) as error:
            raise NoteError(f"the signature of {key.name} does not fit the text") from error
        signers.append(key)
    if not signers:
        raise NoteError("no trusted key signed this note")
    return Note(text, tuple(signers))


def _split(note: str | bytes) -> tuple[str, list[str]]:
    """Return the text, final newline included, and the signature lines."""
    if len(note) > MAX_BYTES:
        raise NoteError("the note is too long")
    try:
        content = note.decode() if isinstance(note, bytes) else note
    except UnicodeDecodeError as error:
        raise NoteError("the note is not UTF-8") from error
    text, blank, tail = content.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise NoteError("a note is a text, an empty line and signature lines")
    text += "\n"
    _check_text(text)
    _check_characters(tail)
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError("the note has too many signatures")
    return text, lines


def _check_text(text: str) -> None:
    if not text.endswith("\n"):
        raise NoteError("a note's text ends in a newline")
    _check_characters(text)


def _check_characters(text: str) -> None:
    if re.search(r"[\x00-\x09\x0b-\x1f]", text):
        raise NoteError("a note holds no control characters but newline")
