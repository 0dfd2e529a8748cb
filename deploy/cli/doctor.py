"""`headshots doctor`: is everything here that an installation needs?"""

from __future__ import annotations

import sys

import click

from deploy.cli.group import json_option, main, reporter, tell


@main.command()
@click.option("--mail-to", metavar="ADDRESS", help="Also send a test message there.")
@json_option
def doctor(mail_to: str | None, *, as_json: bool) -> None:
    """Look at everything that this installation depends on, and say how to mend what is wrong.

    Exit 0 without a failure, 1 with one, 2 when the settings are not complete. Nothing secret is printed.
    """
    from core import logs
    from core.settings import settings
    from deploy.doctor.finding import Grade, examine
    from deploy.doctor.looks import looks

    settings()
    logs.configure("CRITICAL")
    report = reporter(as_json)
    counts = dict.fromkeys(Grade, 0)
    for finding in examine(looks(mail_to)):
        counts[finding.grade] += 1
        report(finding.as_json(), finding.sentence())
    tell(f"{counts[Grade.FAILURE]} failures, {counts[Grade.WARNING]} warnings.")
    sys.exit(1 if counts[Grade.FAILURE] else 0)
