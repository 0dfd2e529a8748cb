"""The object storage: `storage check`, `storage sweep`, `storage adopt`; and `replay` after a restore."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from deploy.cli.group import emit, json_option, main, reporter, tell

if TYPE_CHECKING:
    from compliance.strays import Found

SHOWN = 20  # of a long list, at a terminal


@main.group()
def storage() -> None:
    """Whether every stored object has its row, and every row its object."""


@storage.command()
@json_option
def check(*, as_json: bool) -> None:
    """Compare the storage with the database, both ways, and change nothing; exit 1 where they differ."""
    from compliance import strays
    from core import logs
    from core.errors import Misfit
    from core.vault import vault

    logs.configure()
    problem = None
    try:
        vault().ties.check_storage()
    except Misfit as error:
        problem = error
    found = strays.look()
    _tell_found(found, as_json=as_json, tied=problem is None)
    if problem is not None:
        tell(f"headshots: {problem.operator} [{problem.code}]")
    sys.exit(0 if found.good and problem is None else 1)


@storage.command()
@click.option("--dry-run", is_flag=True, help="Say what would be deleted, and delete nothing.")
@click.option(
    "--most",
    type=click.IntRange(min=0),
    help="Delete up to so many; if not given, no more than a hundredth of all objects or ten, whichever is more.",
)
@json_option
def sweep(most: int | None, *, dry_run: bool, as_json: bool) -> None:
    """Delete objects older than an hour that no row knows, as the scheduler does every six hours.

    Refuses where the storage does not carry this database's mark, and where so many have no row that rows must be missing.
    """
    from compliance import strays
    from core import logs

    logs.configure()
    found = strays.sweep(dry_run=dry_run, most=most)
    if dry_run:
        _tell_found(found, as_json=as_json, tied=True)
    else:
        reporter(as_json)({"deleted": len(found.strays)}, f"{len(found.strays)} objects were deleted.")
    sys.exit(1 if found.missing else 0)


@storage.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def adopt(*, yes: bool, as_json: bool) -> None:
    """Let this database own the storage from now on: after a move of the bucket, or a restore.

    Prints first how many of its objects this database knows. Whatever owned it before refuses to delete there from then on.
    """
    from compliance import strays
    from core import logs
    from core.vault import vault

    logs.configure()
    found = strays.look()
    known = found.rows - len(found.missing)
    tell(
        f"The storage holds {found.objects} objects. Of {found.rows} that this database has rows for, {known} are there; "
        f"{len(found.strays)} others, older than an hour, would be swept as strays."
    )
    if not yes:
        click.confirm("Does this database own that storage, and no other one does?", abort=True, err=True)
    vault().ties.adopt_storage()
    reporter(as_json)(
        {"objects": found.objects, "rows": found.rows, "known": known},
        "The storage belongs to this database.",
    )


@main.command()
@json_option
def replay(*, as_json: bool) -> None:
    """After a restore by other means than `headshots restore`: erase and remove again what the backup brought back, then let processes start.

    The ledger lies with the keys, so the key store must be today's.
    """
    from core import logs
    from deploy import installation

    logs.configure()
    again = installation.replay()
    reporter(as_json)(
        {
            "erased_again": again.erased,
            "withdrawn_again": again.withdrawn,
            "removed_again": again.removed,
            "ended_again": again.dead,
        },
        f"{again.erased} people whom the backup brought back were erased again, {again.withdrawn} consents taken back again, "
        f"{again.removed} things removed again that their people had removed, and {again.dead} ended again whose own keys are gone. "
        "Processes may start; the workers remove the rest.",
    )


def _tell_found(found: Found, *, as_json: bool, tied: bool) -> None:
    if as_json:
        emit(
            {
                "objects": found.objects,
                "rows": found.rows,
                "strays": found.strays,
                "missing": [_missing(one) for one in found.missing],
                "tied": tied,
            }
        )
        return
    click.echo(f"{found.objects} objects in the storage, {found.rows} rows in the database.")
    for what, names in (
        ("objects without a row", found.strays),
        ("rows without an object", [one.object_name for one in found.missing]),
    ):
        if names:
            click.echo(f"{len(names)} {what}:")
            click.echo("\n".join(f"  {name}" for name in names[:SHOWN]))
            if len(names) > SHOWN:
                click.echo(f"  … and {len(names) - SHOWN} more; --json lists all.")


def _missing(one: Any) -> dict[str, str]:
    return {"organization": str(one.org_id), "artifact": str(one.artifact_id), "object": one.object_name}
