"""What a checkpoint says: a log's size and root at one moment (C2SP tlog-checkpoint v1.0.0, "Note text")."""

from __future__ import annotations

from dataclasses import dataclass

from compliance.log.encoding import decimal, decode, encode
from compliance.log.merkle import HASH_BYTES
from compliance.log.note import NoteError


@dataclass(frozen=True)
class CheckpointBody:
    """What is signed: which log, how many leaves, and the root over them."""

    origin: str  # e.g. "photos.example.com/log/0193…"; also the name of the key that signs
    size: int  # leaves
    root: bytes  # 32 bytes

    @property
    def text(self) -> str:
        """The note's text."""
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"


def parse_text(text: str) -> CheckpointBody:
    """Read a checkpoint's text, whose signature the caller has checked or does not need.

    Raises:
        NoteError: not a checkpoint. Extension lines are refused: we sign none, and no auditor could
            check them.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise NoteError("a checkpoint is three lines: origin, size, root")
    try:
        size, root = decimal(lines[1]), decode(lines[2])
    except ValueError as error:
        raise NoteError(f"checkpoint: {error}") from error
    if len(root) != HASH_BYTES:
        raise NoteError("a root has 32 bytes")
    return CheckpointBody(lines[0], size, root)
