"""A witness of other installations' logs (C2SP tlog-witness): it cosigns a checkpoint that continues the last one it saw.

Of each log it keeps the newest checkpoint that it cosigned, in one file; checking and keeping are one step under the
file's lock, so that no two requests lead it back.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from compliance.key_files import create, unusable
from compliance.log import checkpoint, cosignature, tree_head
from compliance.log.checkpoint import LogKey
from compliance.log.consistency import ConsistencyProof
from compliance.log.cosignature import CosignerKey, PrivateKey
from compliance.log.merkle import verify_consistency
from compliance.log.note import NoteError
from compliance.log.tree_head import CheckpointBody
from core.clock import now
from core.errors import ConfigurationError

MOST_BYTES: Final = 64_000  # 63 hashes and a checkpoint with a hundred signatures are less
Kind = type[Ed25519PrivateKey] | type[MLDSA44PrivateKey]
KEYS: Final[dict[str, Kind]] = {
    "witness-ed25519.pem": Ed25519PrivateKey,
    "witness-ml-dsa-44.pem": MLDSA44PrivateKey,
}
SIZE_TYPE: Final = "text/x.tlog.size"


@dataclass(frozen=True)
class Answer:
    """What a request is answered."""

    status: int
    text: str
    content_type: str = "text/plain; charset=utf-8"


def keys_in(folder: Path) -> list[PrivateKey]:
    """Return the witness's keys in `folder`, one of each kind; made there the first time.

    Raises:
        ConfigurationError: the folder cannot be written, or a file in it is not what we wrote.
    """
    found: list[PrivateKey] = []
    for name, kind in KEYS.items():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            create(folder / name, _new(kind))
            key = load_pem_private_key((folder / name).read_bytes(), None)
        except OSError as error:
            raise unusable(folder, error) from error
        except (ValueError, TypeError) as error:
            raise ConfigurationError(f"{folder / name} is damaged.") from error
        if not isinstance(key, Ed25519PrivateKey | MLDSA44PrivateKey) or not isinstance(key, kind):
            raise ConfigurationError(f"{folder / name} holds another kind of key.")
        found.append(key)
    return found


def _new(kind: Kind) -> Callable[[], bytes]:
    return lambda: kind.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Witness:
    """Cosigns checkpoints of the logs that it knows."""

    def __init__(self, folder: Path, name: str, logs: Iterable[LogKey]) -> None:
        """Begin.

        Args:
            folder: Where its keys and the newest checkpoint of each log lie.
            name: What it signs as, such as `witness.example`.
            logs: The keys of the logs it knows; several of one name count each.
        """
        self._folder = folder
        self._name = name
        self._keys: Sequence[PrivateKey] = keys_in(folder)
        self._logs: dict[str, list[LogKey]] = {}
        for log in logs:
            self._logs.setdefault(log.first.name, []).append(log)

    @property
    def keys(self) -> list[CosignerKey]:
        """Its public keys."""
        return [CosignerKey.of(self._name, key) for key in self._keys]

    def add_checkpoint(self, request: bytes, moment: datetime | None = None) -> Answer:
        """Answer an `add-checkpoint` request: with cosignatures, or with why there are none."""
        try:
            sent = ConsistencyProof.parse(request)
            origin = sent.checkpoint.partition("\n")[0]
        except NoteError as error:
            return Answer(400, f"{error}\n")
        if origin not in self._logs:
            return Answer(404, "This witness does not know the log.\n")
        try:
            head = checkpoint.verify(sent.checkpoint, self._logs[origin])
        except NoteError as error:
            return Answer(403, f"{error}\n")
        if sent.old_size > head.size:
            return Answer(400, "The old size is larger than the checkpoint's.\n")
        with self._locked(origin) as file:
            return self._answer(sent, head, file, moment or now())

    def _answer(self, sent: ConsistencyProof, head: CheckpointBody, file: Path, moment: datetime) -> Answer:
        last = tree_head.parse_text(file.read_text("utf-8")) if file.exists() else None
        size = last.size if last else 0
        if sent.old_size != size:
            return Answer(409, f"{size}\n", SIZE_TYPE)
        if last is not None and head.size == size:
            if head.root != last.root:
                return Answer(409, f"{size}\n", SIZE_TYPE)
        elif last is not None and not verify_consistency(size, head.size, last.root, head.root, sent.hashes):
            return Answer(422, "The checkpoint does not continue the last one: its past was rewritten.\n")
        if (last is None or head.size == size) and sent.hashes:
            return Answer(422, "There is nothing to prove, so the proof must be empty.\n")
        _keep(file, head.text)
        lines = [cosignature.cosign(head.text, self._name, key, moment) for key in self._keys]
        return Answer(200, "".join(lines))

    @contextmanager
    def _locked(self, origin: str) -> Iterator[Path]:
        """Yield the file of a log's newest checkpoint, which nobody else touches meanwhile."""
        name = sha256(origin.encode()).hexdigest()
        with (self._folder / f"{name}.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._folder / f"{name}.head"


def _keep(file: Path, text: str) -> None:
    """Write whole or not at all: an empty file after a power cut would be a log that was never seen."""
    half = file.with_suffix(".part")
    with half.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    half.replace(file)
    descriptor = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
