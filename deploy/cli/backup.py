"""Backups: `backup`, `restore`, and `drill`, which tries a restore."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from deploy.cli.group import emit, json_option, main, reporter, tell

_folder = click.Path(path_type=Path, exists=True, file_okay=False)


@main.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for a new folder with the backup; encrypted, and never on the keyring's volume.",
)
@click.option(
    "--objects/--no-objects",
    default=None,
    help="Copy the sealed objects too; leave them where the storage keeps versions or copies of its own. "
    "[default: HEADSHOTS_BACKUP_OBJECTS]",
)
@json_option
def backup(out: Path, *, objects: bool | None, as_json: bool) -> None:
    """Back up the main database, the key store as of its epoch, and the signing keys; never the keyring.

    Needs PostgreSQL's pg_dump of the server's release or newer.
    """
    from core import logs
    from core.settings import settings
    from deploy import installation
    from deploy.backup import making

    logs.configure()
    installation.demand()
    folder, manifest = making.make(out, objects=settings().backup_objects if objects is None else objects)
    size = sum(one.bytes for one in manifest.files.values())
    reporter(as_json)(
        {"folder": str(folder), "bytes": size, **manifest.model_dump(mode="json", exclude={"files"})},
        f"{folder}: {len(manifest.files)} files, {size:,} bytes. Its copy of the key store opens nothing once epoch "
        f"{manifest.epoch} has turned; the keyring is not in it, and must be in no backup.",
    )


@main.command()
@click.argument("folder", type=_folder)
@click.option(
    "--key-store",
    is_flag=True,
    help="The key store was lost too: read the backup's, of the epoch that still runs, into an empty database.",
)
@json_option
def restore(folder: Path, *, key_store: bool, as_json: bool) -> None:
    """Restore a backup into empty places, replay the ledgers, and say how many people were erased and things removed again.

    The settings name the places; the key store is today's. No process starts before this has ended well.
    """
    from core import logs
    from deploy.backup import restoring

    logs.configure()
    done = restoring.restore(folder, key_store=key_store)
    if key_store:
        tell(
            "The ledger is the backup's: whoever was erased after it is back and must be erased again by hand; the signed logs "
            "may be behind what auditors hold."
        )
    reporter(as_json)(
        {
            "backup": done.manifest.began_at.isoformat(),
            "erased_again": done.erased_again,
            "withdrawn_again": done.withdrawn_again,
            "removed_again": done.removed_again,
            "ended_again": done.ended_again,
            "objects": done.objects,
            "missing": done.missing,
        },
        f"Restored the backup of {done.manifest.began_at:%Y-%m-%d %H:%M} UTC. {done.erased_again} people whom it brought back "
        f"were erased again, {done.withdrawn_again} consents taken back again, {done.removed_again} things removed again that "
        f"their people had removed, {done.ended_again} ended again whose own keys are gone; {done.objects} objects were put back, {done.missing} rows have none. Processes may start.",
    )


@main.group()
def drill() -> None:
    """Whether backups can be restored, found out before that matters."""


@drill.command("check")
@json_option
def check_command(*, as_json: bool) -> None:
    """Check what stands in databases and storage: logs, certificates, objects, and that nobody erased is back."""
    from core import logs
    from deploy.backup import checking

    logs.configure()
    found = checking.check()
    if as_json:
        emit(found.as_json())
    else:
        click.echo(
            f"{found.companies} companies, {found.entries} log entries, {found.certificates} certificates, {found.objects} "
            f"objects, {found.opened} of them opened."
        )
        click.echo("\n".join(found.problems) or "Everything holds.")
    sys.exit(1 if found.problems else 0)


@drill.command("restore")
@click.argument("folder", type=_folder)
@json_option
def drill_restore(folder: Path, *, as_json: bool) -> None:
    """Restore a backup beside the running installation, with a copy of today's key store, and check what came back.

    Nothing of the installation is changed but the date of its newest drill. The backup must have its objects
    (HEADSHOTS_BACKUP_OBJECTS, or `backup --objects`), and HEADSHOTS_KEYS_DATABASE_BACKUP_URL must be set. Into the scratch databases of HEADSHOTS_DRILL_DATABASE_URL, HEADSHOTS_DRILL_DATABASE_OWNER_URL and
    HEADSHOTS_DRILL_KEYS_DATABASE_URL, which are empty again at the end.
    """
    from core import logs
    from deploy import installation
    from deploy.backup import drilling

    logs.configure()
    installation.demand()
    report = drilling.drill(folder, drilling.Scratch.of_settings())
    reporter(as_json)(
        report.as_json(),
        f"The backup is {report.backup_age_hours:.1f} hours old; restoring took {report.restore_seconds:.0f} s and checking "
        f"{report.check_seconds:.0f} s. {report.findings['objects']} objects, {report.findings['entries']} log entries, "
        f"{report.findings['certificates']} certificates; {report.erased_again} people erased and "
        f"{report.removed_again} things removed again.\n"
        + ("\n".join(report.problems) or "Everything holds."),
    )
    sys.exit(1 if report.problems else 0)
