"""Mails that came back: `bounce`, fed by the mail server."""

from __future__ import annotations

import os
import sys

import click

from deploy.cli.group import emit, json_option, main, tell


@main.command()
@click.option("--recipient", default="", help="The address that it came to, where the mail server knows it.")
@json_option
def bounce(recipient: str, *, as_json: bool) -> None:
    """Note that a mail reached nobody: reads the report that came back from standard input.

    For your mail server's pipe; see docs/operate.md. Exit 0 for whatever else arrives there too, so that nobody gets an
    answer to an answer; 75 if it should be brought again, since a part of the platform is away.
    """
    from sqlalchemy.exc import DBAPIError

    from core import logs
    from core.errors import ConfigurationError
    from core.mail import returns
    from core.models import Teller
    from core.shoots import deliveries

    content = sys.stdin.buffer.read(returns.LARGEST_REPORT)
    try:
        logs.configure()
        report = returns.read(content, recipient)
        if report is None:
            noted, sentence = False, "No report of a mail of ours, so nothing was noted."
        elif not deliveries.apply(report, Teller.REPORT):
            tell("headshots: the mail is not known yet; bring the report again.")
            sys.exit(os.EX_TEMPFAIL)
        else:
            noted = report.failed
            sentence = f"Noted: {report.status}." if noted else "Only a delay, so nothing was noted."
    except (DBAPIError, ConfigurationError) as error:
        tell(f"headshots: {type(error).__name__}; bring the report again.")
        sys.exit(os.EX_TEMPFAIL)
    emit({"noted": noted}) if as_json else click.echo(sentence)
