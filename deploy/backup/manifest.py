"""What a backup says of itself: which installation's, of when, and the hash of each file."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import AppError

FILE: Final = "manifest.json"
MAIN: Final = "main.dump"
KEY_STORE: Final = "key-store.dump"
SIGNING: Final = "signing"
OBJECTS: Final = "objects"


class BackupDamaged(AppError):
    """A file of a backup is missing, or is not what was written."""

    code = "backup_damaged"
    status = 500


class File(BaseModel):
    """A file of a backup."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    bytes: int


class Manifest(BaseModel):
    """`manifest.json`, written last: a backup without it is none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["headshots.backup/1"] = "headshots.backup/1"
    installation: UUID
    release: str
    began_at: datetime
    ended_at: datetime
    # The key store's dump opens nothing once this epoch's key is destroyed.
    epoch: int
    rows: int  # artifacts that have an object
    objects_copied: bool
    files: dict[str, File]

    def write(self, folder: Path) -> None:
        """Write it into `folder`, whole or not at all."""
        draft = folder / f"{FILE}.new"
        draft.write_text(self.model_dump_json(indent=1) + "\n")
        draft.rename(folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read the manifest in `folder`.

        Raises:
            BackupDamaged: there is none, or it is not one of ours.
        """
        try:
            return cls.model_validate_json((folder / FILE).read_bytes())
        except FileNotFoundError as error:
            raise BackupDamaged(f"{folder} holds no whole backup: it has no {FILE}.") from error
        except ValidationError as error:
            raise BackupDamaged(f"{folder / FILE} is not a manifest of this release.") from error

    def check(self, folder: Path) -> None:
        """Hold every file against its hash.

        Raises:
            BackupDamaged: names the first that is missing or differs.
        """
        for name, expected in self.files.items():
            path = folder / name
            if not path.is_file():
                raise BackupDamaged(f"{name} is missing from the backup in {folder}.")
            if describe(path) != expected:
                raise BackupDamaged(f"{name} in {folder} is not what was backed up.")


def describe(path: Path) -> File:
    """Return hash and size of a file."""
    with path.open("rb") as stream:
        return File(sha256=hashlib.file_digest(stream, "sha256").hexdigest(), bytes=path.stat().st_size)
