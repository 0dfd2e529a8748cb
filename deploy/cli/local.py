"""Everything on one machine: `up`, `demo`, and `bench`."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import click

from deploy.cli.group import (
    DEFAULT_HOME,
    demand_gpu_extra,
    demand_local_extra,
    json_option,
    main,
    reporter,
    tell,
)

DEFAULT_PORT = 8000


@main.command()
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_HOME,
    show_default=True,
    help="Folder that keeps all data.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65534),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port of the web server on 127.0.0.1; the mailbox takes the next one.",
)
def up(home: Path, port: int) -> None:
    """Run everything on this machine until Ctrl-C: databases, web, workers, sign-in, mailbox.

    With HEADSHOTS_DIFFUSION_BASE and its companions set, also a GPU worker.
    """
    demand_local_extra()
    from deploy.local.services import in_use
    from deploy.local.stack import Diffusion, demand_free, running, shell_settings

    if not in_use(home):  # else it is ours, and that is what is said
        demand_free(port, port + 1)
    diffusion = Diffusion.of_settings()
    if diffusion:
        demand_gpu_extra()
    # Beside the web's port, so that a bookmark of the mailbox works after a restart.
    with (
        running(home, port=port, mailbox_port=port + 1, say=tell, diffusion=diffusion) as stack,
        shell_settings(stack) as file,
    ):
        click.echo(f"Admin     {stack.base_url}/admin/  (sign in as company “{stack.org_slug}”)")
        click.echo(
            f"Mailbox   {stack.mailbox_url}/  (every mail lands here, and is forgotten when this stops)"
        )
        click.echo(f"Trust     {stack.base_url}/trust/{stack.org_slug}")
        click.echo(
            f"Operate   . {shlex.quote(str(file))}  (in another shell; then headshots doctor, jobs list, company show …)"
        )
        tell(f"Ctrl-C stops everything; all data but the mails stays in {stack.home}")
        stack.supervisor.run()
        tell("Stopped.")


@main.command()
@click.option(
    "--photos",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="One subfolder per employee; a NASA portrait if not given.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out"),
    show_default=True,
    help="Where results go.",
)
@click.option(
    "--engine",
    type=click.Choice(["studio", "diffusion"]),
    default="studio",
    show_default=True,
    help="What makes the portraits.",
)
@click.option(
    "--models",
    type=click.Choice(["tiny"]),
    default="tiny",
    show_default=True,
    help="For diffusion: tiny builds small random models here, which make noise: the checks must refuse it.",
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_HOME / "demo",
    show_default=True,
    help="Folder for the demo's data; emptied first.",
)
@json_option
def demo(photos: Path | None, out: Path, engine: str, models: str, home: Path, *, as_json: bool) -> None:
    """Run the main job through real HTTP, from sign-in to the deletion certificate, then stop."""
    demand_local_extra()
    diffusion = engine == "diffusion"
    if diffusion:
        demand_gpu_extra()
    from deploy.demo import demo as run_demo

    empty_demo_home(home)
    sys.exit(run_demo(photos, out, models=models if diffusion else None, home=home, as_json=as_json))


def empty_demo_home(home: Path) -> None:
    """Remove what an earlier demo left; refuse to remove anything that is not a demo's."""
    if not home.exists():
        return
    if any(home.iterdir()) and not (home / "services.json").exists():
        raise click.UsageError(f"{home} is not a folder of the demo. Give an empty one with --home.")
    from deploy.local.services import in_use

    if in_use(home):
        raise click.UsageError(
            f"Another demo runs in {home}. Wait for it, or give another folder with --home."
        )
    shutil.rmtree(home)


@main.command()
@click.argument(
    "name",
    type=click.Choice(
        [
            "studio",
            "origin",
            "check",
            "matte",
            "likeness",
            "files",
            "origin",
            "diffusion",
            "vault",
            "import",
            "sign-in",
            "mail",
            "lanes",
            "scale",
            "pages",
            "gallery",
            "portal",
            "compliance",
        ]
    ),
)
@click.option(
    "--photos",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="For studio, check, matte, likeness, diffusion and lanes: one subfolder per person; a NASA portrait if not given.",
)
@click.option(
    "--mails",
    type=click.IntRange(100),
    default=2000,
    show_default=True,
    help="For lanes: mails that go out meanwhile.",
)
@click.option(
    "--renders",
    type=click.IntRange(100),
    default=10_000,
    show_default=True,
    help="For lanes: pictures of another company that wait.",
)
@click.option(
    "--members",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    help="For pages and portal: people.",
)
@click.option("--due-photos", type=int, default=80_000, show_default=True, help="For scale: photos to sweep.")
@click.option("--events", type=int, default=40_000, show_default=True, help="For scale: to sequence.")
@click.option("--keys", type=int, default=100_000, show_default=True, help="For scale: to turn the epoch of.")
@click.option("--companies", type=int, default=300, show_default=True, help="For scale: idle ones.")
@click.option(
    "--watch", type=float, default=60.0, show_default=True, help="For scale: seconds of the scheduler."
)
@click.option(
    "--entries",
    type=click.IntRange(1000),
    default=1_000_000,
    show_default=True,
    help="For compliance: of the log.",
)
@click.option(
    "--headshots",
    type=click.IntRange(100),
    default=10_000,
    show_default=True,
    help="For gallery: of the shoot.",
)
@click.option(
    "--erased",
    type=click.IntRange(20),
    default=10_000,
    show_default=True,
    help="For compliance: people who are erased.",
)
@json_option
def bench(
    name: str,
    photos: Path | None,
    mails: int,
    renders: int,
    members: int,
    due_photos: int,
    events: int,
    keys: int,
    companies: int,
    watch: float,
    entries: int,
    headshots: int,
    erased: int,
    *,
    as_json: bool,
) -> None:
    """Measure and print figures of this machine."""
    demand_local_extra()
    from deploy.bench import run_bench
    from deploy.bench.scale import Sizes

    sizes = Sizes(due_photos, events, keys, companies, watch)
    run_bench(
        name,
        reporter(as_json),
        photos,
        mails=mails,
        renders=renders,
        members=members,
        sizes=sizes,
        entries=entries,
        headshots=headshots,
        erased=erased,
    )


@main.command("seed-demo", hidden=True)
def seed_demo() -> None:
    """Create the demo company; `up` and `demo` call this."""
    from core import logs
    from deploy.local.seed import seed_demo as seed

    logs.configure()
    seed()
