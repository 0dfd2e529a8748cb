"""The directory of people: `directory rebuild`."""

from __future__ import annotations

from deploy.cli.group import json_option, main, reporter


@main.group()
def directory() -> None:
    """Names and addresses in plain text, in a table that no backup carries."""


@directory.command()
@json_option
def rebuild(*, as_json: bool) -> None:
    """Fill it again from what is sealed, where a crash of the database's server emptied it; the scheduler does it by itself."""
    from core import logs
    from core.people import directory as people

    logs.configure()
    count = people.rebuild()
    reporter(as_json)(
        {"people": count}, f"{count} people were added." if count else "The directory is whole."
    )
