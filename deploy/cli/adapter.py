"""`adapter`: models of people outside the vault, for the operator's own tests."""

from __future__ import annotations

from pathlib import Path

import click

from deploy.cli.group import demand_gpu_extra, json_option, main, reporter


@main.group()
def adapter() -> None:
    """Try models of people outside of this product."""


@adapter.command()
@click.option(
    "--photos",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="One subfolder per person.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where OUT/<person>.safetensors go; each can paint its person.",
)
@json_option
def export(photos: Path, out: Path, *, as_json: bool) -> None:
    """Train a model of each person in a folder and write it with diffusers' names.

    You state that the people in the photos agreed to this. Models that an installation holds are sealed and not handed out.
    """
    demand_gpu_extra()
    from workers.diffusion.export import export as exported
    from workers.diffusion.resident import resident
    from workers.folder.people import read_people

    report = reporter(as_json)
    for path in exported(resident(), read_people(photos), out):
        report({"adapter": str(path)}, str(path))
