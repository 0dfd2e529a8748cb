"""Checkpoints: a log's size and root at one moment, signed (C2SP tlog-checkpoint v1.0.0).

Each carries two signatures of its log, both under the log's name: Ed25519, and ML-DSA-44 in the form of a cosignature, the only one
that C2SP has for it. Whoever forges one has to break both. Checkpoints from before the second key have the first alone, and
the published keys say up to which size.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from compliance.log import cosignature, note, tree_head
from compliance.log.cosignature import Cosignature, CosignerKey
from compliance.log.note import NoteError, VerifierKey
from compliance.log.tree_head import CheckpointBody


@dataclass(frozen=True)
class LogKey:
    """The public keys of one log.

    Attributes:
        first: Ed25519; its name is the log's.
        second: ML-DSA-44, under the same name; `None` where it is not known.
        second_from: checkpoints of so many entries and more must carry the second signature too; `None` if one without it may be from before.
    """

    first: VerifierKey
    second: CosignerKey | None = None
    second_from: int | None = 0

    def __post_init__(self) -> None:
        if self.second is not None and (
            self.second.name != self.first.name or self.second.kind != cosignature.ML_DSA_44
        ):
            raise NoteError("a log's second key is of ML-DSA-44 and has the log's name")


@dataclass(frozen=True)
class Opened:
    """A checkpoint whose signatures were checked.

    Attributes:
        key: of the log that signed it.
        second: the signature of the log's second key; `None` where it is not known, or the checkpoint is from before it.
    """

    body: CheckpointBody
    key: LogKey
    second: Cosignature | None


def sign(body: CheckpointBody, key: Ed25519PrivateKey, second: MLDSA44PrivateKey, at: datetime) -> str:
    """Return the signed note of `body`; both keys' name is the origin.

    The caller promises never to sign two bodies of one origin that are not prefixes of each other.
    """
    return note.sign(body.text, body.origin, key) + cosignature.cosign(body.text, body.origin, second, at)


def verify(checkpoint: str | bytes, trusted: Iterable[LogKey]) -> CheckpointBody:
    """Check a signed checkpoint and return its body; raises as `opened` does."""
    return opened(checkpoint, trusted).body


def opened(checkpoint: str | bytes, trusted: Iterable[LogKey]) -> Opened:
    """Check a signed checkpoint.

    Raises:
        NoteError: malformed, not signed by the trusted key that is named like its origin, or without the second
            signature that checkpoints of its size carry.
    """
    keys = list(trusted)
    first = note.verify(checkpoint, [key.first for key in keys])
    body = tree_head.parse_text(first.text)
    own = [key for key in keys if key.first in first.signers and key.first.name == body.origin]
    if not own:
        raise NoteError("the checkpoint is signed by another log's key")
    key = own[0]
    if key.second is None:
        return Opened(body, key, None)
    given = cosignature.verify(checkpoint, [key.second])
    if len(given) > 1:
        raise NoteError("the same key signed twice")
    if not given and key.second_from is not None and body.size >= key.second_from:
        raise NoteError(
            f"the second signature (ML-DSA-44) is missing: of this log every checkpoint of {key.second_from} entries and more has it"
        )
    return Opened(body, key, given[0] if given else None)
