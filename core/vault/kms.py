"""Epoch keys: who holds them and how one is destroyed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from core.vault import keyfiles
from core.vault.crypto import new_key, open_sealed, seal
from core.vault.escrow import Escrow
from core.vault.outage import answering


class EpochKeyGone(LookupError):
    """The epoch's key has been destroyed; nothing wrapped under it can ever be opened."""


class Kms(Protocol):
    """Holds epoch keys and never gives one out."""

    def waiting(self, epoch: int) -> timedelta:
        """How long after its epoch's turn a key may still be there."""

    def prepare(self, epoch: int) -> None:
        """Do before anybody waits what `create` would have to ask of somebody outside; a second call changes nothing."""

    def create(self, epoch: int) -> None:
        """Make the epoch's key; a second call changes nothing."""

    def wrap(self, epoch: int, key: bytes, associated: bytes) -> bytes:
        """Seal `key` under the epoch's key."""

    def wrap_all(self, epoch: int, keys: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """Do as `wrap` for many, each with what is associated with it."""

    def unwrap(self, epoch: int, wrapped: bytes, associated: bytes) -> bytes:
        """Open what `wrap` made; `EpochKeyGone` once the epoch's key is destroyed."""

    def unwrap_all(self, epoch: int, wrapped: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """Do as `unwrap` for many of one epoch, each with what is associated with it."""

    def retire(self, epoch: int) -> None:
        """Do before anybody waits what `destroy` would have to ask of somebody outside; a second call changes nothing."""

    def destroy(self, epoch: int) -> None:
        """Destroy the epoch's key, or begin to where somebody outside does: it opens nothing any more. A second call changes nothing."""

    def exists(self, epoch: int) -> bool:
        """Whether the epoch's key still exists."""

    def due(self, epoch: int) -> bool:
        """Whether it is time to look at the key of a closed epoch."""

    def held_until(self, epoch: int) -> datetime | None:
        """Until when somebody outside keeps a key that `destroy` was called for; `None` where nobody does."""

    def taken_back(self) -> list[int]:
        """Return the epochs whose key's destruction was undone outside; they never count as destroyed."""


class FileKms:
    """One file an epoch in a folder of mode 0700 that is part of no backup.

    On flash storage an overwritten block may survive in spare cells until the drive reuses it, so put
    the folder on an encrypted volume or a tmpfs with an escrow, or use a cloud KMS.

    Each verb raises `Unavailable` where the folder cannot be read or written.
    """

    def __init__(self, folder: Path, escrow: Escrow | None = None) -> None:
        self._folder = folder
        self._escrow = escrow

    def _path(self, epoch: int) -> Path:
        return self._folder / f"epoch-{epoch}.key"

    @answering("keyring")
    def _key(self, epoch: int) -> bytes:
        try:
            return self._path(epoch).read_bytes()
        except FileNotFoundError as error:
            raise EpochKeyGone(f"epoch {epoch}") from error

    def waiting(self, epoch: int) -> timedelta:  # noqa: ARG002 - the protocol's
        """No time: what is removed is gone."""
        return timedelta()

    def prepare(self, epoch: int) -> None:
        """Nobody outside is asked."""

    def retire(self, epoch: int) -> None:
        """Nobody outside is asked."""

    def due(self, epoch: int) -> bool:  # noqa: ARG002 - the protocol's
        """Always."""
        return True

    def held_until(self, epoch: int) -> datetime | None:  # noqa: ARG002 - the protocol's
        """By nobody."""
        return None

    def taken_back(self) -> list[int]:
        """None: nobody outside has one."""
        return []

    @answering("keyring")
    def create(self, epoch: int) -> None:
        """Write a new key, and the folder where there is none; the first of two processes wins and both use its key.

        With an escrow its sealed copy is there before this returns, and none of any epoch but this and the one before.
        """
        self._write(epoch, new_key())
        self.keep_copy(epoch)
        if self._escrow is not None:
            for old in self._escrow.epochs():
                if old < epoch - 1:  # closed by a host that knew nothing of the escrow
                    self._escrow.destroy(old)

    def keep_copy(self, epoch: int) -> None:
        """Keep the epoch's key in the escrow, if there is one."""
        if self._escrow is not None:
            self._escrow.keep(epoch, self._key(epoch))

    @answering("keyring")
    def put_back(self, epoch: int, key: bytes) -> None:
        """Write a key that was lost; one that is there stays."""
        self._write(epoch, key)

    def _write(self, epoch: int, key: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Written whole under another name, then linked: a crash leaves no half a key in place.
        with keyfiles.draft(self._folder, epoch, key) as draft, suppress(FileExistsError):
            os.link(draft, self._path(epoch))
        keyfiles.sync(self._folder)

    def wrap(self, epoch: int, key: bytes, associated: bytes) -> bytes:
        """Seal `key` under the epoch's key."""
        return self.wrap_all(epoch, [(key, associated)])[0]

    def wrap_all(self, epoch: int, keys: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """Seal keys under the epoch's, with one look at that."""
        key = self._key(epoch)
        return [seal(key, one, associated) for one, associated in keys]

    def unwrap(self, epoch: int, wrapped: bytes, associated: bytes) -> bytes:
        """Open what `wrap` made."""
        return self.unwrap_all(epoch, [(wrapped, associated)])[0]

    def unwrap_all(self, epoch: int, wrapped: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """Open what `wrap` made, with one look at the key."""
        key = self._key(epoch)
        return [open_sealed(key, one, associated) for one, associated in wrapped]

    @answering("keyring")
    def destroy(self, epoch: int) -> None:
        """Overwrite the key's file and what is left of drafts, then remove them; so with its copy in escrow."""
        keyfiles.shred(self._folder, epoch, self._path(epoch))
        if self._escrow is not None:
            self._escrow.destroy(epoch)

    @answering("keyring")
    def exists(self, epoch: int) -> bool:
        """Whether the key's file exists, a draft of it, or its copy in escrow."""
        here = self.has(epoch) or bool(keyfiles.drafts(self._folder, epoch))
        return here or (self._escrow is not None and self._escrow.exists(epoch))

    @answering("keyring")
    def has(self, epoch: int) -> bool:
        """Whether the keyring has the key to work with."""
        return self._path(epoch).exists()
