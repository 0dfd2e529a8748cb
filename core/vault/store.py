"""Where sealed objects lie: a local folder, S3, GCS or Azure, through one small interface."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.store import LocalStore, from_url

from core.errors import Unavailable

OBJECT_PREFIX = "objects/"


class ObjectMissing(LookupError):
    """No object has this name."""


class ObjectStore:
    """Puts, gets and deletes opaque objects.

    Names are random and say nothing about a person, a company or what the bytes are.
    """

    def __init__(self, url: str) -> None:
        if url.startswith("file://"):
            folder = Path(urlsplit(url).path)
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._store: obstore.store.ObjectStore = LocalStore(folder)
        else:
            self._store = from_url(url)

    @staticmethod
    def new_name() -> str:
        """Return a fresh object name; two characters of prefix spread objects over folders."""
        name = secrets.token_hex(16)
        return f"{OBJECT_PREFIX}{name[:2]}/{name[2:]}"

    def put(self, name: str, content: bytes) -> None:
        """Write an object."""
        try:
            obstore.put(self._store, name, content)
        except OSError as error:
            raise Unavailable("The storage does not answer; nothing was saved. Please try again.") from error

    def get(self, name: str) -> bytes:
        """Read an object.

        Raises:
            ObjectMissing: there is none of this name.
        """
        try:
            return bytes(obstore.get(self._store, name).bytes())
        except FileNotFoundError as error:
            raise ObjectMissing(name) from error

    def delete(self, name: str) -> None:
        """Delete an object; one that does not exist is fine."""
        try:
            obstore.delete(self._store, name)
        except FileNotFoundError:
            return

    def exists(self, name: str) -> bool:
        """Whether an object of this name can be read back."""
        try:
            obstore.head(self._store, name)
        except FileNotFoundError:
            return False
        return True

    def names(self) -> Iterator[tuple[str, float]]:
        """Yield every object's name and Unix time of last change, in batches under the hood."""
        for batch in obstore.list(self._store, prefix=OBJECT_PREFIX):
            for item in batch:
                yield item["path"], item["last_modified"].timestamp()
