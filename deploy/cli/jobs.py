"""Owed work: `jobs list`, `jobs show`, `jobs retry` and `jobs drop`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from deploy.cli.group import emit, json_option, main, reporter, tell

if TYPE_CHECKING:
    from core.queue import JobName
    from deploy.jobs import Work

MOST = 100


def _known(_context: click.Context, _option: click.Parameter, given: str | None) -> JobName | None:
    from core.queue import JobName

    try:
        return JobName(given) if given is not None else None
    except ValueError as error:
        raise click.BadParameter(f"{given} is not one of {', '.join(JobName)}.") from error


_job = click.option("--job", callback=_known, help="Only work of this kind, such as intake or erase.")
_company = click.option("--company", help="Only this company's, by its short name.")


@main.group()
def jobs() -> None:
    """Work that is owed: what waits, what fails and why."""


@jobs.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice(["waiting", "failing", "given_up"]),
    help="May be given several times; failing and given_up if not given.",
)
@_job
@_company
@click.option(
    "--most", type=click.IntRange(1), default=MOST, show_default=True, help="Of each state and company."
)
@json_option
def list_(
    states: tuple[str, ...], job: JobName | None, company: str | None, most: int, *, as_json: bool
) -> None:
    """Print work that did not work so far, oldest first; with --state waiting what has not had its turn.

    Names nobody. Exit 0 if the list is empty or not; `failing` work is tried again by itself.
    """
    from core import logs
    from deploy.jobs import State, listed

    logs.configure()
    count = 0
    for state in states or (State.FAILING, State.GIVEN_UP):
        for work in listed(State(state), company=company, job=job, most=most):
            count += 1
            if as_json:
                emit(_facts(work))
            else:
                click.echo(_line(work))
    if not count:
        tell("No such work.")


@jobs.command()
@click.argument("work", type=click.UUID)
@json_option
def show(work: UUID, *, as_json: bool) -> None:
    """Print one piece of work, done or not. WORK is its id."""
    from core import logs
    from deploy.jobs import show as read

    logs.configure()
    found = read(work)
    reporter(as_json)(_facts(found), "\n".join(f"{name:14}{value}" for name, value in _facts(found).items()))


@jobs.command()
@click.argument("work", nargs=-1, type=click.UUID)
@click.option("--all", "everything", is_flag=True, help="All work that fails, and none that was given up.")
@_job
@_company
@json_option
def retry(
    work: tuple[UUID, ...], job: JobName | None, company: str | None, *, everything: bool, as_json: bool
) -> None:
    """Try work again now. What was given up begins anew, and people's pages say so.

    WORK is an id; several may be given. Use --all after an outage, so that nothing waits for the end of its pause.
    """
    from core import logs
    from deploy.jobs import State, listed
    from deploy.jobs import retry as again

    if bool(work) == everything:
        raise click.UsageError("Name work by its id, or say --all.")
    logs.configure()
    failing = listed(State.FAILING, company=company, job=job) if everything else ()
    report = reporter(as_json)
    for one in [*work, *(found.id for found in failing)]:
        report(_facts(again(one)), f"{one}  is due now")


@jobs.command()
@click.argument("work", nargs=-1, required=True, type=click.UUID)
@click.option(
    "--force", is_flag=True, help="Drop even a deletion or its certificate, which somebody was promised."
)
@json_option
def drop(work: tuple[UUID, ...], *, force: bool, as_json: bool) -> None:
    """End work unfinished. Whoever waits for it gets the answer of work that failed.

    WORK is an id; several may be given. Erasures, certificates and deletions are refused without --force.
    """
    from core import logs
    from deploy.jobs import drop as end

    logs.configure()
    report = reporter(as_json)
    for one in work:
        report(_facts(end(one, force=force)), f"{one}  dropped")


def _facts(work: Work) -> dict[str, Any]:
    from core.clock import rfc3339

    def moment(value: Any) -> str | None:
        return rfc3339(value) if value is not None else None

    return {
        "id": str(work.id),
        "company": work.company,
        "job": work.job,
        "subject": str(work.subject_id),
        "state": work.state.value,
        "code": work.code,
        "attempts": work.attempts,
        "outages": work.outages,
        "deaths": work.deaths,
        "created_at": moment(work.created_at),
        "failing_since": moment(work.since),
        "next_at": moment(work.next_at),
        "running_since": moment(work.running_since),
    }


def _line(work: Work) -> str:
    facts = _facts(work)
    tries = f"{work.attempts} tries, {work.outages} outages, {work.deaths} deaths"
    when = f"since {facts['failing_since']}" if work.since else f"owed at {facts['created_at']}"
    return f"{work.id}  {work.company:16} {work.job:12} {work.state:9} {work.code or '–':16} {tries}; {when}"
