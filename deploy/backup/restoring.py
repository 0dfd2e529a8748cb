"""Restoring into empty places; the ledger is replayed before any process may serve what came back."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from compliance import strays
from core import schema
from core.errors import ConfigurationError
from core.ids import new_id
from core.settings import settings
from core.vault import vault
from core.vault.aws_client import KeyServiceRefuses
from core.vault.kms import EpochKeyGone
from core.vault.marks import Mark
from core.vault.store import ObjectStore
from deploy import installation
from deploy.backup import postgres
from deploy.backup.manifest import KEY_STORE, MAIN, OBJECTS, SIGNING, Manifest

LOOKUP = "headshots_lookup"


@dataclass(frozen=True)
class Restored:
    """What a restore brought back.

    Attributes:
        erased_again: people whom the backup knew and whom the ledger had erased since.
        withdrawn_again: consents that had been taken back since.
        removed_again: photos, own pictures and parts in shoots that their people had removed since.
        ended_again: other pictures and numbers whose keys were destroyed since, such as what retention had swept.
        objects: how many were put into the storage.
        missing: rows whose object is not there; deleted between the backup's dump and its copy, or lost.
    """

    manifest: Manifest
    erased_again: int
    withdrawn_again: int
    removed_again: int
    ended_again: int
    objects: int
    missing: int


def restore(folder: Path, *, key_store: bool = False) -> Restored:
    """Bring a backup back: main database, signing keys where there are none, objects if it has them.

    The key store is today's, with its ledger. Nothing that runs may serve in between: before the first row is back, the key
    store is given a mark that no dump has.

    Args:
        folder: of the backup.
        key_store: the key store was lost as well: read the backup's into an empty database. Only while its epoch
            lives, and then nothing is known of whoever was erased since.

    Raises:
        BackupDamaged: a file is not what was backed up; nothing was changed.
        ConfigurationError: a place is not empty, or belongs to another installation; nothing was changed.
        DumpFailed: says why; the database is as empty as before.
    """
    config = settings()
    manifest = Manifest.read(folder)
    manifest.check(folder)
    if config.database_owner_url is None:
        raise ConfigurationError("Set HEADSHOTS_DATABASE_OWNER_URL: tables are made by their owner.")
    owner = config.database_owner_url.get_secret_value()
    if not postgres.is_empty(owner):
        raise ConfigurationError("The main database is not empty. A restore goes into an empty one only.")
    if key_store:
        _restore_key_store(folder, manifest)
    _take_signing_keys(folder)
    ObjectStore.make_folder(config.storage_url)
    _check_key_store(manifest)
    vault().keys.create_tables()  # those that an earlier release's lacks
    _check_storage(manifest)
    vault().keys.marks.write(Mark(manifest.installation, new_id()))
    _restore_main(owner, folder / MAIN)
    schema.migrate(owner)
    objects = _put_objects(folder / OBJECTS) if manifest.objects_copied else 0
    again = installation.replay()
    vault().ties.adopt_storage()
    missing = len(strays.look().missing)
    return Restored(manifest, again.erased, again.withdrawn, again.removed, again.dead, objects, missing)


def _restore_key_store(folder: Path, manifest: Manifest) -> None:
    url = settings().keys_database_url.get_secret_value()
    if not postgres.is_empty(url):
        raise ConfigurationError(
            "The key store is not empty. An old one never goes over a newer one: the ledger of erasures and the newest "
            "signed head of each log lie in it. Restore without --key-store."
        )
    in_folder = not settings().kms_url  # a key service is asked below, for each
    if in_folder and not (settings().keyring_path / f"epoch-{manifest.epoch}.key").exists():
        raise ConfigurationError(
            f"The backup's key store is of epoch {manifest.epoch}, whose key the keyring does not have any more: nothing in "
            "it can be opened. Only a key store backed up since the last turn of the epoch can be."
        )
    postgres.restore(url, folder / KEY_STORE)
    try:
        _demand_every_key()
    except BaseException:  # a key service that is away included: what was not checked does not stay
        postgres.clear(url)
        raise


def _demand_every_key() -> None:
    """See that the keyring opens what every data key is wrapped under, not only the newest."""
    for epoch in vault().keys.epochs_in_use():
        try:
            vault().keys.check_keyring(epoch)
        except KeyServiceRefuses as error:
            raise ConfigurationError(f"{error.operator} The backup's key store was not restored.") from error
        except EpochKeyGone as error:
            raise ConfigurationError(
                f"Keys of the backup's key store are of epoch {epoch}, which was turning then and whose key the keyring does "
                "not have any more: nothing of theirs can be opened. Take another backup; nothing was changed."
            ) from error


def _take_signing_keys(folder: Path) -> None:
    """Bring the signing keys back to a host that has none; others than these are refused by their fingerprints."""
    path = settings().signing_path
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not any(path.iterdir()):
        for file in (folder / SIGNING).iterdir():
            shutil.copy2(file, path)


def _check_key_store(manifest: Manifest) -> None:
    mark = vault().keys.marks.read()
    if mark is None or mark.installation != manifest.installation:
        raise ConfigurationError(
            "The key store is not that of the installation in the backup. Check HEADSHOTS_KEYS_DATABASE_URL; where the key "
            "store was lost too, see --key-store."
        )
    vault().keys.demand_keyring()


def _check_storage(manifest: Manifest) -> None:
    mark = vault().ties.storage_mark()
    if mark is None and not manifest.objects_copied:
        raise ConfigurationError(
            "The backup has no objects, and the storage carries no mark of this installation. Restore the storage's own copy "
            "first, with its installation.json; or check HEADSHOTS_STORAGE_URL."
        )
    if mark is not None and mark.installation != manifest.installation:
        raise ConfigurationError("The storage is another installation's. Check HEADSHOTS_STORAGE_URL.")


def _restore_main(owner: str, dump: Path) -> None:
    postgres.restore(owner, dump)
    # The look-up functions belong to a role that may make nothing; whoever gives it one lets it, for a moment.
    with closing(postgres.connect(owner)) as connection, connection.transaction():
        lookup = sql.Identifier(LOOKUP)
        connection.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(lookup))
        for signature in postgres.functions_of(LOOKUP, dump):
            # Its arguments are part of the name, and pg_restore has written both as SQL.
            connection.execute(f"ALTER FUNCTION public.{signature} OWNER TO {LOOKUP}".encode())
        connection.execute(sql.SQL("REVOKE CREATE ON SCHEMA public FROM {}").format(lookup))


def _put_objects(folder: Path) -> int:
    store, count = vault().store, 0
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(folder))
            if not store.exists(name):
                store.put(name, path.read_bytes())
                count += 1
    return count
