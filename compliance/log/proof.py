"""Proof files: one entry, its place in the log, and the signed checkpoint (C2SP tlog-proof v1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from compliance.log import checkpoint
from compliance.log.checkpoint import LogKey
from compliance.log.encoding import decimal, decode, encode
from compliance.log.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from compliance.log.note import MAX_BYTES, NoteError
from compliance.log.tree_head import CheckpointBody

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = 63  # a path in a tree of 2**63 leaves


@dataclass(frozen=True)
class Proof:
    """Shows offline that `entry` stands at `index` of the log that signed `checkpoint`.

    `entry` travels in the format's `extra` line. The format does not authenticate that line; here the
    inclusion proof does, since the leaf hash is computed from it.
    """

    entry: bytes  # the leaf's bytes: canonical JSON of the event
    index: int  # from 0
    hashes: tuple[bytes, ...]  # 32 bytes each, from the leaf's sibling to the root's child
    checkpoint: str  # the signed note, verbatim

    def encode(self) -> str:
        """Return the proof file's text."""
        lines = [HEADER, f"extra {encode(self.entry)}", f"index {self.index}", *map(encode, self.hashes)]
        return "\n".join(lines) + "\n\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str | bytes) -> Proof:
        """Read a proof file.

        Raises:
            NoteError: not a proof file of ours. Signature and path are not checked yet.
        """
        if len(text) > MAX_BYTES:
            raise NoteError("the proof is too long")
        try:
            content = text.decode() if isinstance(text, bytes) else text
        except UnicodeDecodeError as error:
            raise NoteError("the proof is not UTF-8") from error
        head, blank, signed = content.partition("\n\n")
        lines = head.split("\n")
        if not blank or len(lines) < 3 or lines[0] != HEADER:
            raise NoteError(f"a proof starts with {HEADER} and ends in a checkpoint")
        if not lines[1].startswith("extra ") or not lines[2].startswith("index "):
            raise NoteError("a proof has an extra line with the entry and an index line")
        if len(lines) > 3 + MAX_HASHES:
            raise NoteError("the proof's path is too long")
        try:
            entry = decode(lines[1].removeprefix("extra "))
            index = decimal(lines[2].removeprefix("index "))
            hashes = tuple(decode(line) for line in lines[3:])
        except ValueError as error:
            raise NoteError(f"proof: {error}") from error
        if any(len(one) != HASH_BYTES for one in hashes):
            raise NoteError("a hash in the proof's path does not have 32 bytes")
        return cls(entry, index, hashes, signed)

    def verify(self, trusted: Iterable[LogKey]) -> CheckpointBody:
        """Check the checkpoint's signature and the path from the entry to its root.

        Raises:
            NoteError: the signature or the path does not hold.
        """
        body = checkpoint.verify(self.checkpoint, trusted)
        if not verify_inclusion(leaf_hash(self.entry), self.index, body.size, self.hashes, body.root):
            raise NoteError("the entry is not in the log that the checkpoint signs")
        return body
