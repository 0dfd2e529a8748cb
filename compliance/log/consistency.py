"""Consistency: that a later checkpoint's log begins with all that an earlier one's held, so that nothing was rewritten between.

A proof file is what a witness is sent (C2SP tlog-witness, add-checkpoint): `old <size>`, the hashes, an empty line, and the later
checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from compliance.log import checkpoint
from compliance.log.checkpoint import LogKey
from compliance.log.encoding import decimal, decode, encode
from compliance.log.merkle import HASH_BYTES, verify_consistency
from compliance.log.note import MAX_BYTES, NoteError
from compliance.log.tree_head import CheckpointBody

BEGINNING = "old "
MAX_HASHES = 63  # C2SP tlog-witness, add-checkpoint


@dataclass(frozen=True)
class ConsistencyProof:
    """Shows offline that the log that `checkpoint` signs begins with the `old_size` entries that an earlier one signed."""

    old_size: int
    hashes: tuple[bytes, ...]  # 32 bytes each (RFC 6962 §2.1.2)
    checkpoint: str  # the later one, verbatim

    def encode(self) -> str:
        """Return the proof file's text."""
        return (
            "\n".join([f"{BEGINNING}{self.old_size}", *map(encode, self.hashes)]) + "\n\n" + self.checkpoint
        )

    @classmethod
    def parse(cls, text: str | bytes) -> ConsistencyProof:
        """Read a proof file.

        Raises:
            NoteError: not a proof file. Signatures and hashes are not checked yet.
        """
        if len(text) > MAX_BYTES:
            raise NoteError("the proof is too long")
        try:
            content = text.decode() if isinstance(text, bytes) else text
        except UnicodeDecodeError as error:
            raise NoteError("the proof is not UTF-8") from error
        head, blank, signed = content.partition("\n\n")
        first, *lines = head.split("\n")
        if not blank or not first.startswith(BEGINNING):
            raise NoteError("a consistency proof starts with the old size and ends in a checkpoint")
        if len(lines) > MAX_HASHES:
            raise NoteError("the proof has too many hashes")
        try:
            size = decimal(first.removeprefix(BEGINNING))
            hashes = tuple(decode(line) for line in lines)
        except ValueError as error:
            raise NoteError(f"consistency proof: {error}") from error
        if any(len(one) != HASH_BYTES for one in hashes):
            raise NoteError("a hash in the proof does not have 32 bytes")
        return cls(size, hashes, signed)


def verify(
    old: str | bytes, new: str | bytes, proof: str | bytes | None, trusted: Iterable[LogKey]
) -> tuple[CheckpointBody, CheckpointBody]:
    """Check that `new` continues `old`; return what both sign.

    Args:
        old: a signed checkpoint.
        new: a later one, or a proof file, which ends in one.
        proof: a proof file, where `new` is a checkpoint of more entries.
        trusted: the published keys.

    Raises:
        NoteError: a signature does not hold, the logs are not one, or its past was rewritten.
    """
    keys = list(trusted)
    before = checkpoint.verify(old, keys)
    text = new.decode(errors="replace") if isinstance(new, bytes) else new
    if text.startswith(BEGINNING):
        proof, text = new, ConsistencyProof.parse(new).checkpoint
    after = checkpoint.verify(text, keys)
    if before.origin != after.origin:
        raise NoteError(f"two logs: {before.origin} and {after.origin}")
    if before.size > after.size:
        raise NoteError(f"the later checkpoint has fewer entries, {after.size} instead of {before.size}")
    hashes: tuple[bytes, ...] = ()
    if 0 < before.size < after.size:
        if proof is None:
            raise NoteError(
                f"a proof from {before.size} to {after.size} entries is needed: it is published beside the log's "
                f"checkpoint, as log/consistency/{before.size}/{after.size}"
            )
        given = ConsistencyProof.parse(proof)
        if given.old_size != before.size:
            raise NoteError(f"the proof is for {given.old_size} entries, not for {before.size}")
        hashes = given.hashes
    if not verify_consistency(before.size, after.size, before.root, after.root, hashes):
        raise NoteError("the later log does not begin with what the earlier one held: its past was rewritten")
    return before, after
