"""The processes of an installation: `web`, `worker`, `scheduler`; and `migrate` and `keys`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from core.errors import ConfigurationError
from deploy.cli.group import demand_gpu_extra, main, tell


@main.command()
@click.option(
    "--lane",
    "lanes",
    multiple=True,
    type=click.Choice(["interactive", "proof", "batch", "mail"]),
    help="Serve this lane only; may be given several times. All if not given. Not with --engine diffusion.",
)
@click.option(
    "--engine",
    type=click.Choice(["studio", "diffusion"]),
    default="studio",
    show_default=True,
    help="diffusion: train and sample image models, and do nothing else; one such worker per GPU.",
)
@click.option(
    "--gpu", type=click.IntRange(0, 63), help="With --engine diffusion: the GPU, by its number in nvidia-smi."
)
@click.option("--burst", is_flag=True, help="End when there is nothing left to do.")
def worker(lanes: tuple[str, ...], engine: str, gpu: int | None, *, burst: bool) -> None:
    """Do jobs: photo checks, renders, mails, erasures; on a GPU, training and sampling."""
    from core.queue import CPU_LANES, Lane
    from deploy import installation

    if engine == "diffusion":
        if lanes:
            raise click.UsageError("A GPU worker has one lane of its own. Leave --lane out.")
        if gpu is not None:
            # Before torch is imported, which looks once; and in the order of nvidia-smi, not of speed.
            os.environ |= {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": str(gpu)}  # noqa: TID251 - set, not read
        demand_gpu_extra()
    elif gpu is not None:
        raise click.UsageError("--gpu is for --engine diffusion.")
    installation.demand()
    if engine == "diffusion":
        from workers.process.run import work_on_gpu

        work_on_gpu(burst=burst)
        return
    from workers.process.run import work

    work([Lane(lane) for lane in lanes] or list(CPU_LANES), burst=burst)


@main.command()
@click.option("--bind", default="127.0.0.1:8000", show_default=True, help="Address and port.")
@click.option(
    "--workers", "count", type=click.IntRange(1, 64), default=2, show_default=True, help="Processes."
)
@click.option(
    "--threads", type=click.IntRange(1, 128), default=24, show_default=True, help="Threads of each process."
)
def web(bind: str, count: int, threads: int) -> None:
    """Serve the pages for employees, HR admins and auditors."""
    from core.observe.metrics import SHARED_FOLDER
    from core.settings import settings
    from deploy import installation
    from deploy.web_processes import shared_folder
    from deploy.wsgi import web_command

    apart = settings().metrics_bind  # says now, not in a worker's log, what is missing
    if apart and apart.rpartition(":")[2] == bind.rpartition(":")[2]:
        raise click.UsageError("HEADSHOTS_METRICS_BIND must name another port than --bind.")
    installation.demand()
    command = web_command(bind, workers=count, threads=threads, metrics_bind=apart)
    inherited = dict(os.environ) | {SHARED_FOLDER: str(shared_folder(bind))}  # noqa: TID251 - passed on, not read
    os.execve(command[0], command, inherited)  # noqa: S606 - gunicorn takes this process's place and its signals


@main.command()
def scheduler() -> None:
    """Relay jobs, sequence the evidence log, turn epochs, keep retention; of several one leads."""
    from deploy import installation
    from workers.process.scheduler import run

    installation.demand()
    run()


@main.command()
@click.option(
    "--to",
    "revision",
    metavar="REV",
    help="Bring the main database to this migration instead, forth or back; refuses to go back where something would be lost.",
)
@click.option(
    "--lose",
    multiple=True,
    metavar="NAME",
    help="With --to: a table, or a column as TABLE.COLUMN, that may go with what is in it.",
)
@click.option(
    "--seal",
    is_flag=True,
    help="Keep names and measures sealed only from now on; refuses while a process of an earlier release runs.",
)
def migrate(revision: str | None, lose: tuple[str, ...], *, seal: bool) -> None:
    """Bring both databases to the newest schema; the first time make the installation's keys. Needs HEADSHOTS_DATABASE_OWNER_URL."""
    from compliance import sealing
    from core import logs, schema
    from core.settings import settings
    from deploy import installation

    logs.configure()
    owner = settings().database_owner_url
    if owner is None:
        raise ConfigurationError(
            "Set HEADSHOTS_DATABASE_OWNER_URL to migrate: the app's role may not change tables."
        )
    if revision is not None:
        gone = schema.migrate_to(owner.get_secret_value(), revision, lose=lose)
        tell(f"The main database is at {revision}. Gone: {', '.join(gone) or 'nothing'}.")
        return
    schema.migrate(owner.get_secret_value())
    if installation.initialize():
        tell(
            f"Made the keys of this installation in {settings().signing_path} and {settings().kms_url or settings().keyring_path}. "
            "Every host needs both: the first belongs in a backup, the second in none."
        )
    if seal:
        tell(f"Names and measures lie sealed only from now on; {sealing.begin()} rows were sealed.")
    elif not sealing.is_begun():
        tell(
            "Names and measures still lie as the release before knows them, and so in backups too. Once every process is of this "
            "release: `headshots migrate --seal`."
        )
    tell("Both databases are up to date.")


@main.command()
@click.option(
    "--folder",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where its keys and what it has seen lie; made the first time. Keep it: without it the witness would believe any past.",
)
@click.option("--name", required=True, help="What it signs as, such as witness.example.com.")
@click.option(
    "--log",
    "logs",
    multiple=True,
    required=True,
    help="A log that it knows: its verifier key, or the keys.json of a company. Several may be given.",
)
@click.option("--bind", default="127.0.0.1:8010", show_default=True, help="Address and port.")
def witness(folder: Path, name: str, logs: tuple[str, ...], bind: str) -> None:
    """Cosign other installations' checkpoints, each only if it continues the one before (C2SP tlog-witness).

    Needs no database and no setting. Whoever runs the installation lists the keys that this prints, with its address, in HEADSHOTS_WITNESSES_PATH.
    """
    from compliance.log.witness import Witness
    from deploy.witness import logs_of, serve

    made = Witness(folder, name, logs_of(logs))
    for key in made.keys:
        click.echo(str(key))
    serve(made, bind)
