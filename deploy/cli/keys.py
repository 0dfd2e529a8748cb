"""Epoch keys: `keys rotate`, `sweep`, `escrow`, `recover`; and who attests that no backup holds them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deploy.cli.group import emit, json_option, main, reporter, tell

if TYPE_CHECKING:
    from core.models import Attestation


@main.group()
def keys() -> None:
    """Epoch keys, and the data keys under them."""


@keys.command()
@json_option
def rotate(*, as_json: bool) -> None:
    """Turn the epoch now: older copies of the key store, in any backup, can never be opened again."""
    from compliance.erasure import turn_epoch
    from core import logs
    from deploy import installation

    logs.configure()
    installation.demand()
    epoch = turn_epoch()
    reporter(as_json)({"epoch": epoch}, f"Epoch {epoch} has begun; the key of the one before is destroyed.")


@keys.command()
@click.option(
    "--most",
    type=click.IntRange(min=0),
    help="Destroy up to so many; if not given, no more than a hundredth of all keys or ten, whichever is more.",
)
@json_option
def sweep(most: int | None, *, as_json: bool) -> None:
    """Destroy keys older than an hour that belong to nobody and nothing in the database, as the scheduler does every six hours.

    Refuses where so many are unused that rows must be missing, as after a restore.
    """
    from compliance import keyless
    from core import logs
    from deploy import installation

    logs.configure()
    installation.demand()
    count = keyless.sweep(most=most)
    reporter(as_json)({"destroyed": count}, f"{count} keys were destroyed.")


@keys.command("escrow-key")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="New file for the private key; move it to where no host reaches it.",
)
def escrow_key(out: Path) -> None:
    """Make the key pair of an escrow: the private key into a file, the public one to stdout."""
    from core.vault.escrow import make_private_key

    click.echo(make_private_key(out))
    tell(
        f"{out} alone opens the escrow's copies. Keep it where no host and no backup has it, and a second copy of it elsewhere."
    )


@keys.command()
@click.option("--end", "over", is_flag=True, help="Destroy the copies, and keep none any more.")
@json_option
def escrow(*, over: bool, as_json: bool) -> None:
    """Begin to keep the running epoch's key sealed a second time, in HEADSHOTS_ESCROW_PATH; from then on every host must."""
    from core import logs
    from deploy import escrow as keeping

    logs.configure()
    if over:
        keeping.end()
        reporter(as_json)({"epochs": []}, "The escrow has ended and its copies are destroyed.")
        return
    kept = keeping.begin()
    numbers = ", ".join(str(one) for one in kept)
    reporter(as_json)(
        {"epochs": kept}, f"The escrow has the key of epoch {numbers}. Start every process with its settings."
    )


@keys.command()
@click.option(
    "--key",
    "private_key",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="File with the escrow's private key.",
)
@json_option
def recover(private_key: Path, *, as_json: bool) -> None:
    """Put the running epoch's key back into a keyring that was lost; whoever was erased before it began stays erased."""
    from core import logs
    from deploy import escrow as keeping

    logs.configure()
    found = keeping.recover(private_key)
    numbers = ", ".join(str(one) for one in found)
    reporter(as_json)({"epochs": found}, f"The keyring has the key of epoch {numbers} again.")


@keys.command()
@click.option("--name", required=True, help="Full name of who attests it.")
@click.option("--role", default="", help="What they are at the operator's, such as “Head of IT”.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def attest(name: str, role: str, *, yes: bool, as_json: bool) -> None:
    """Attest by name that no backup holds the epoch keys; it counts for a month and stands on each certificate.

    Prints the sentence with the places where they lie, and asks. Every company's evidence log gets its hash, without the name.
    """
    from core import attestations, logs
    from deploy import installation

    logs.configure()
    installation.demand()
    tell(attestations.place().sentence)
    if not yes:
        click.confirm(f"Does {name} attest this today?", abort=True, err=True)
    row = attestations.attest(name, role)
    reporter(as_json)(
        _attestation(row), f"Noted for {row.created_at:%Y-%m-%d %H:%M} UTC. Certificates say so from now on."
    )


@keys.command("attestations")
@json_option
def attestations_command(*, as_json: bool) -> None:
    """List who attested when, newest first; exit 1 while the newest does not count any more, or for another place."""
    from core import attestations, logs

    logs.configure()
    for row in attestations.given():
        if as_json:
            emit(_attestation(row))
        else:
            role = f" ({row.role})" if row.role else ""
            click.echo(f"{row.created_at:%Y-%m-%d %H:%M} UTC, {row.name}{role}: {row.sentence}")
    if overdue := attestations.standing().overdue:
        tell(f"headshots: {overdue}.")
        sys.exit(1)


def _attestation(row: Attestation) -> dict[str, Any]:
    from core import attestations

    return {
        "at": row.created_at.isoformat(),
        "name": row.name,
        "role": row.role,
        "place": row.place,
        "sentence": row.sentence,
        "sentence_sha256": attestations.digest(row),
    }
