"""The storage and the keyring when they are full, closed or away: the written 503, whatever they raise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import Unavailable
from core.vault.kms import EpochKeyGone, FileKms
from core.vault.store import ObjectMissing, ObjectStore

pytestmark = pytest.mark.usefixtures("environment")  # the log needs settings


def _blocked(folder: Path) -> None:
    """Put a file where the store's folders are, which no permission of ours gets around."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    folder.rmdir()
    folder.write_bytes(b"in the way")


VERBS: dict[str, Callable[[ObjectStore, str], object]] = {
    "put": lambda store, name: store.put(name, b"x"),
    "get": lambda store, name: store.get(name),
    "delete": lambda store, name: store.delete(name),
    "exists": lambda store, name: store.exists(name),
    "names": lambda store, _: list(store.names()),
}


@pytest.mark.parametrize("verb", VERBS)
def test_a_storage_that_is_no_folder_any_more_is_unavailable(tmp_path: Path, verb: str) -> None:
    ObjectStore.make_folder((tmp_path / "storage").as_uri())
    store, name = ObjectStore((tmp_path / "storage").as_uri()), ObjectStore.new_name()
    store.put(name, b"x")
    _blocked(tmp_path / "storage")
    with pytest.raises(Unavailable, match="try again"):
        VERBS[verb](store, name)


@pytest.mark.parametrize("verb", VERBS)
def test_a_cloud_storage_that_does_not_answer_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    for variable, value in {
        "AWS_ENDPOINT": "http://127.0.0.1:9",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(variable, value)
    store = ObjectStore("s3://bucket")
    with pytest.raises(Unavailable):
        VERBS[verb](store, ObjectStore.new_name())


def test_what_is_not_there_is_still_an_answer(tmp_path: Path) -> None:
    ObjectStore.make_folder((tmp_path / "storage").as_uri())
    store, name = ObjectStore((tmp_path / "storage").as_uri()), ObjectStore.new_name()
    store.delete(name)
    assert not store.exists(name)
    with pytest.raises(ObjectMissing):
        store.get(name)


def test_a_keyring_that_cannot_be_read_is_unavailable_and_a_destroyed_key_is_gone(tmp_path: Path) -> None:
    kms = FileKms(tmp_path / "keyring")
    kms.create(1)
    wrapped = kms.wrap(1, bytes(32), b"")
    with pytest.raises(EpochKeyGone):
        kms.unwrap(2, wrapped, b"")
    (tmp_path / "keyring" / "epoch-1.key").unlink()
    (tmp_path / "keyring" / "epoch-1.key").mkdir()
    for verb in (
        lambda: kms.unwrap(1, wrapped, b""),
        lambda: kms.wrap(1, bytes(32), b""),
        lambda: kms.destroy(1),
    ):
        with pytest.raises(Unavailable):
            verb()
