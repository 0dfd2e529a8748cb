"""People of a company: `member disable` and `member enable`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from deploy.cli.group import json_option, main, reporter

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from core.models import Member


@main.group()
def member() -> None:
    """People of a company."""


@member.command()
@click.argument("company")
@click.argument("email")
@json_option
def disable(company: str, email: str, *, as_json: bool) -> None:
    """Switch off a person's access: all their sessions and links end at once. Nothing is deleted.

    COMPANY is the company's short name.
    """
    from core import audit
    from core.people import access

    _change(company, email, lambda session, person: access.disable(session, person, actor=audit.SYSTEM))
    reporter(as_json)(
        {"company": company, "disabled": True},
        "Switched off: this person is signed out everywhere, and their links lead nowhere.",
    )


@member.command()
@click.argument("company")
@click.argument("email")
@json_option
def enable(company: str, email: str, *, as_json: bool) -> None:
    """Let a person in again. Their old links stay ended: send a new one from the shoot's page.

    COMPANY is the company's short name.
    """
    from core import audit
    from core.people import access

    _change(company, email, lambda session, person: access.enable(session, person, actor=audit.SYSTEM))
    reporter(as_json)(
        {"company": company, "disabled": False}, "Switched on: this person can sign in and be invited again."
    )


def _change(company: str, email: str, change: Callable[[Session, Member], None]) -> None:
    from core import logs
    from core.db import Lookup, transaction
    from core.errors import NotFound
    from core.people import members

    logs.configure()
    org_id = Lookup.organization(company)
    if org_id is None:
        raise NotFound(f"There is no company called {company}.")
    with transaction(org_id) as session:
        person = members.by_email(session, email)
        if person is None:
            raise NotFound("Nobody in this company has that address.")
        change(session, person)
