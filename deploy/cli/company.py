"""Companies and their identity providers: `create-company`."""

from __future__ import annotations

from pathlib import Path

import click

from deploy.cli.group import main


@main.command("create-company")
@click.argument("slug")
@click.argument("name")
@click.option("--contact", default="", help="Address of the privacy contact, shown to employees.")
@click.option(
    "--idp-metadata",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The identity provider's SAML metadata file.",
)
@click.option(
    "--admin-group",
    "admin_groups",
    multiple=True,
    required=True,
    help="Group whose members are HR admins; may be given several times.",
)
@click.option(
    "--auditor-group",
    "auditor_groups",
    multiple=True,
    help="Group whose members are auditors, unless they are HR admins; may be given several times.",
)
def create_company(
    slug: str,
    name: str,
    contact: str,
    idp_metadata: Path,
    admin_groups: tuple[str, ...],
    auditor_groups: tuple[str, ...],
) -> None:
    """Add a company and its identity provider."""
    from core import logs
    from deploy.company import create_company as create

    logs.configure()
    address = create(
        slug,
        name,
        contact,
        idp_metadata.read_bytes(),
        admin_groups=frozenset(admin_groups),
        auditor_groups=frozenset(auditor_groups),
    )
    click.echo(f"Sign in at {address}")
