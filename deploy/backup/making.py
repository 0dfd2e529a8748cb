"""Making a backup: the main database, the key store as of its epoch, the signing keys, and the objects if wanted.

Never the keyring: a backup that held it would undo every deletion, and certificates say that none does.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.clock import now, rfc3339
from core.db import Lookup, engine, transaction
from core.errors import ConfigurationError
from core.logs import logger
from core.models import Artifact, Installation
from core.settings import settings
from core.vault import vault
from core.vault.store import ObjectMissing
from core.vault.ties import installation
from core.version import VERSION
from deploy.backup import postgres
from deploy.backup.manifest import KEY_STORE, MAIN, OBJECTS, SIGNING, Manifest, describe
from deploy.installation import demand_apart

TURN_SECONDS = 600.0  # an epoch with 100,000 keys has turned within a minute
PAUSE_SECONDS = 1.0


def make(parent: Path, *, objects: bool) -> tuple[Path, Manifest]:
    """Write a backup into a new folder below `parent`, readable by its owner only.

    The database first, then the objects: each row of the dump had its object before. Whatever was deleted in between is
    missing, and a restore says how many that are.

    Args:
        parent: made if missing.
        objects: copy every sealed object too; not needed where the storage keeps versions or copies of its own.

    Raises:
        ConfigurationError: the addresses for backups are not set, or the tools are missing or too old.
        DumpFailed: a database could not be dumped; the folder is removed.
    """
    config = settings()
    if config.database_backup_url is None or config.keys_database_backup_url is None:
        raise ConfigurationError(
            "Set HEADSHOTS_DATABASE_BACKUP_URL and HEADSHOTS_KEYS_DATABASE_BACKUP_URL: the app's role sees one company at a "
            "time, so what it dumps is empty. deploy/database/roles.sql makes the role headshots_backup."
        )
    demand_apart()
    target = parent.resolve()
    for place in (config.keyring_path, config.escrow_path, config.signing_path):
        if place is not None and target.is_relative_to(place.resolve()):
            raise ConfigurationError(
                "A backup does not belong in a folder of keys: the keyring's, the escrow's or the signing keys'."
            )
    began_at = now()
    folder = parent / f"headshots-{rfc3339(began_at).replace(':', '')}"
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(mode=0o700)
    try:
        epoch = _dump_key_store(config.keys_database_backup_url.get_secret_value(), folder / KEY_STORE)
        postgres.dump(config.database_backup_url.get_secret_value(), folder / MAIN)
        shutil.copytree(config.signing_path, folder / SIGNING, ignore=shutil.ignore_patterns("*.lock", ".*"))
        if objects:
            _copy_objects(folder / OBJECTS)
        manifest = Manifest(
            installation=installation().id,
            release=VERSION,
            began_at=began_at,
            ended_at=now(),
            epoch=epoch,
            rows=_rows(),
            objects_copied=objects,
            files={
                str(path.relative_to(folder)): describe(path)
                for path in sorted(folder.rglob("*"))
                if path.is_file()
            },
        )
        manifest.write(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    with Session(engine()) as session, session.begin():
        session.execute(update(Installation).values(backup_at=began_at))
    logger().info("backup_made", count=len(manifest.files))
    return folder, manifest


def _dump_key_store(url: str, file: Path) -> int:
    """Dump the key store as it is within one epoch, and return which; anew if an epoch turned meanwhile.

    A dump with keys of an epoch that is about to be destroyed opens nothing from then on. An epoch that does not come to
    its end is said, and no reason to have no backup: the restore looks again.
    """
    until = time.monotonic() + TURN_SECONDS
    while True:
        living = vault().keys.living_epochs()
        patient = time.monotonic() < until
        if len(living) == 1 or not patient:
            postgres.dump(url, file)
            if living == vault().keys.living_epochs():
                if len(living) > 1:
                    logger().warning("backup_of_turning_epoch", epoch=living[0])
                return living[-1]
        else:
            time.sleep(PAUSE_SECONDS)


def _copy_objects(folder: Path) -> None:
    store = vault().store
    for name, _ in store.names():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            path.write_bytes(store.get(name))
        except ObjectMissing:  # deleted since it was listed
            continue


def _rows() -> int:
    total = 0
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            counted = select(func.count()).select_from(Artifact).where(Artifact.delete_requested_at.is_(None))
            total += session.scalar(counted) or 0
    return total
