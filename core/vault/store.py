"""Where sealed objects lie: a local folder, S3, GCS or Azure, through one small interface."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import obstore
from obstore.store import LocalStore, from_url

from core.db import demand_no_transaction
from core.errors import Misfit
from core.reasons import Reason, reason_of
from core.vault.outage import answering

if TYPE_CHECKING:
    from obstore.store import RetryConfig

OBJECT_PREFIX = "objects/"
# A hiccup is tried again at once; the client's own ten tries would keep a worker, or a page, for three minutes. One
# try takes 30 s at most, and 5 s to connect, which is the client's own limit.
RETRIES: Final[RetryConfig] = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}


class ObjectMissing(LookupError):
    """No object has this name."""


class StorageMissing(Misfit):
    """The folder of the storage is not there, so its volume is not mounted."""

    code = "storage_missing"


@contextmanager
def _asking() -> Iterator[None]:
    demand_no_transaction("the storage")
    with answering("storage"):
        yield


def _demand_place(missing: FileNotFoundError) -> None:
    """Raise `missing` where it is the bucket that does not exist: then nothing is known of any object."""
    if reason_of(missing) is Reason.UNKNOWN_PLACE:
        raise missing


class ObjectStore:
    """Puts, gets and deletes opaque objects.

    Names are random and say nothing about a person, a company or what the bytes are. Each verb raises
    `Unavailable` where the storage does not answer.
    """

    CHECK_PREFIX = "check/"

    def __init__(self, url: str) -> None:
        self._folder: Path | None = None
        if url.startswith("file://"):
            self._folder = folder = Path(urlsplit(url).path)
            if not folder.exists():
                raise StorageMissing(
                    operator=f"There is no folder {folder}. Mount the storage that `headshots migrate` found, or correct "
                    "HEADSHOTS_STORAGE_URL."
                )
            with answering("storage"):
                self._store: obstore.store.ObjectStore = LocalStore(folder)
        else:
            self._store = from_url(url, retry_config=RETRIES)

    @staticmethod
    def make_folder(url: str) -> None:
        """Make the folder of a `file://` storage; only while an installation is made, so that no host has one of its own."""
        if url.startswith("file://"):
            with answering("storage"):
                Path(urlsplit(url).path).mkdir(parents=True, exist_ok=True, mode=0o700)

    @staticmethod
    def new_name() -> str:
        """Return a fresh object name; two characters of prefix spread objects over folders."""
        name = secrets.token_hex(16)
        return f"{OBJECT_PREFIX}{name[:2]}/{name[2:]}"

    def put(self, name: str, content: bytes) -> None:
        """Write an object."""
        with _asking():
            obstore.put(self._store, name, content)

    def get(self, name: str) -> bytes:
        """Read an object.

        Raises:
            ObjectMissing: there is none of this name.
        """
        with _asking():
            try:
                return bytes(obstore.get(self._store, name).bytes())
            except FileNotFoundError as error:
                _demand_place(error)
                raise ObjectMissing(name) from error

    def delete(self, name: str) -> None:
        """Delete an object; one that does not exist is fine."""
        with _asking():
            try:
                obstore.delete(self._store, name)
            except FileNotFoundError as error:
                _demand_place(error)

    def exists(self, name: str) -> bool:
        """Whether an object of this name can be read back."""
        with _asking():
            try:
                obstore.head(self._store, name)
            except FileNotFoundError:
                return self._folder is None and self._is_there(name)
        return True

    def _is_there(self, name: str) -> bool:
        """Ask anew for what is not there, in a way that has words for an answer: a bucket that is away proves nothing gone."""
        try:
            obstore.get(self._store, name)
        except FileNotFoundError as error:
            _demand_place(error)
            return False
        return True

    def check(self) -> None:
        """Ask for an object that is not there: the storage answers, and lets us in.

        A folder that has gone would give the same answer as one without the object, so it is looked at itself. It is
        read and not looked for: the answer to that has no words, and says neither why we may not nor that there is no bucket.
        """
        with answering("storage"):
            if self._folder is not None:
                self._folder.stat()
                if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self._folder))
        with suppress(ObjectMissing):
            self.get(f"{self.CHECK_PREFIX}nothing")

    def round_trip(self) -> datetime:
        """Write an object, read it back and delete it; return when the storage says that it was written.

        Its name lies outside of what is swept and counted.

        Raises:
            Unavailable: the storage does not answer, or does not let us.
            RuntimeError: it gave back something else, or did not delete it.
        """
        name, content = f"{self.CHECK_PREFIX}{secrets.token_hex(16)}", secrets.token_bytes(64)
        self.put(name, content)
        try:
            same = self.get(name) == content
            with answering("storage"):
                written: datetime = obstore.head(self._store, name)["last_modified"]
        finally:
            self.delete(name)
        if not same or self.exists(name):
            raise RuntimeError("the storage does not keep, or not delete, what it is told to")
        return written

    def names(self) -> Iterator[tuple[str, float]]:
        """Yield every object's name and Unix time of last change, in batches under the hood."""
        with _asking():
            for batch in obstore.list(self._store, prefix=OBJECT_PREFIX):
                for item in batch:
                    yield item["path"], item["last_modified"].timestamp()
