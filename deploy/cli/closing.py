"""`close-company`: a company leaves."""

from __future__ import annotations

from pathlib import Path

import click

from deploy.cli.group import main


@main.command("close-company")
@click.argument("slug")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for what the company gets back, and for what certifies its end.",
)
@click.option("--name", required=True, help="The company's full name, so that no other one is meant.")
@click.option(
    "--without-export",
    is_flag=True,
    help="Give nothing back: the company has its headshots and list of people.",
)
def close_company(slug: str, out: Path, name: str, *, without_export: bool) -> None:
    """Give a company its data back, erase everybody with a certificate, and certify its end.

    SLUG is the company's short name. Run it again to go on and to see how far it is: certificates are complete once
    the epoch key has turned, within HEADSHOTS_EPOCH_HOURS; then it writes closing.note and evidence.zip.
    """
    from core import logs
    from deploy.closing import close

    logs.configure()
    for line in close(slug, name, out, export=not without_export):
        click.echo(line)
