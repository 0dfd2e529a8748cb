"""The command line: `headshots --help`.

Results go to stdout, messages to stderr; `--json` prints one object a line. Exit 0 good, 1 a finding or
a failure, 2 wrong usage, 130 stopped by Ctrl-C. Each command imports what it needs when it runs, so that `--help` is instant.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.errors import AppError, ConfigurationError

if TYPE_CHECKING:  # `--help` needs no style
    from core.style.spec import StyleSpec

DEFAULT_HOME = Path(".headshots")
DEFAULT_PORT = 8000

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
subject_option = click.option(
    "--subject",
    "subjects",
    multiple=True,
    metavar="FILE=NUMBER",
    help="Who is meant in a photo of several people, counted from the left; may be given several times.",
)


class AnyFile(click.Path):
    """What a folder has under a name, be it a folder itself, closed to us or a link to nowhere.

    That is then a finding about this one, and the others are still looked at.
    """

    def __init__(self) -> None:
        super().__init__(path_type=Path, exists=True, readable=False)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Return the path."""
        return Path(value) if Path(value).is_symlink() else super().convert(value, param, ctx)


def tell(message: str) -> None:
    """Say something to the person at the terminal."""
    click.echo(message, err=True)


def emit(value: dict[str, Any]) -> None:
    """Print one JSON object on its line."""
    click.echo(json.dumps(value, ensure_ascii=False))


class Commands(click.Group):
    """Turns our errors, those of the file system, and being stopped into one line and an exit status."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            tell("headshots: stopped.")
            sys.exit(128 + signal.SIGINT)
        except OSError as error:
            if error.filename is None:  # no file is to blame; a closed pipe is for click
                raise
            tell(f"headshots: {click.format_filename(error.filename)}: {error.strerror}")
            sys.exit(1)
        except ConfigurationError as error:
            tell(f"headshots: {error.message}")
            sys.exit(2)
        except AppError as error:
            tell(f"headshots: {error.message} [{error.code}]")
            sys.exit(1)


class StyleName(click.ParamType[Any]):
    """A style file or the name of a preset."""

    name = "file or preset"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path | StyleSpec:
        """Return the file's path, or the preset."""
        from core.style.presets import PRESETS

        if Path(value).is_file():
            return Path(value)
        if value not in PRESETS:
            self.fail(f"There is no file {value}, and the presets are {', '.join(PRESETS)}.", param, ctx)
        return PRESETS[value]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="headshots")
def main() -> None:
    """Team headshots that look like each person and like one photographer's work."""


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
    from deploy.stack import Diffusion, running

    diffusion = Diffusion.of_settings()
    if diffusion:
        demand_gpu_extra()
    # Beside the web's port, so that a bookmark of the mailbox works after a restart.
    with running(home, port=port, mailbox_port=port + 1, say=tell, diffusion=diffusion) as stack:
        click.echo(f"Admin     {stack.base_url}/admin/  (sign in as company “{stack.org_slug}”)")
        click.echo(
            f"Mailbox   {stack.mailbox_url}/  (every mail lands here, and is forgotten when this stops)"
        )
        click.echo(f"Trust     {stack.base_url}/trust/{stack.org_slug}")
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
    from deploy.local import in_use

    if in_use(home):
        raise click.UsageError(
            f"Another demo runs in {home}. Wait for it, or give another folder with --home."
        )
    shutil.rmtree(home)


@main.command()
@click.argument("photos", nargs=-1, required=True, type=AnyFile())
@subject_option
@json_option
def check(photos: tuple[Path, ...], subjects: tuple[str, ...], *, as_json: bool) -> None:
    """Check photos as the upload page does: can a headshot be made, and if not, what helps?

    You state that the people in the photos agreed to this.
    """
    from deploy.commands import check_photos

    sys.exit(0 if check_photos(photos, _reporter(as_json), subjects) else 1)


@main.command()
@click.option(
    "--photos",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="One subfolder per person.",
)
@click.option(
    "--style",
    type=StyleName(),
    help="A style.toml, or a preset's name; studio grey if not given.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where OUT/<person>/headshot.jpg and report.json go.",
)
@subject_option
@json_option
def render(
    photos: Path, style: Path | StyleSpec | None, out: Path, subjects: tuple[str, ...], *, as_json: bool
) -> None:
    """Make headshots from folders of photos, without the portal.

    You state that the people in the photos agreed to this.
    """
    from core.style.spec import StyleSpec
    from deploy.commands import render_folder

    made = render_folder(photos, style or StyleSpec(), out, _reporter(as_json), subjects)
    sys.exit(0 if made else 1)


@main.command()
@click.option(
    "--reference",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Photos of the person.",
)
@click.option(
    "--style",
    type=StyleName(),
    help="A style.toml, or a preset's name, that the images have to match; not measured if not given.",
)
@click.argument("images", nargs=-1, required=True, type=AnyFile())
@json_option
def score(
    reference: Path, style: Path | StyleSpec | None, images: tuple[Path, ...], *, as_json: bool
) -> None:
    """Measure likeness and skin-tone drift of finished images against a person's photos, and a style.

    Each figure comes with its unit, its limit and the limit's reason. You state that the people in the photos
    agreed to this.
    """
    from deploy.commands import score_images

    sys.exit(0 if score_images(reference, images, _reporter(as_json), style) else 1)


@main.command()
@click.argument("files", nargs=-1, required=True, type=AnyFile())
@click.option(
    "--keys",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The published keys.json; this installation's own if not given.",
)
@json_option
def verify(files: tuple[Path, ...], keys: Path | None, *, as_json: bool) -> None:
    """Verify deletion certificates, checkpoints and proofs offline, with the published keys only."""
    from deploy.commands import verify_files

    sys.exit(0 if verify_files(files, keys, DEFAULT_HOME, _reporter(as_json)) else 1)


@main.command()
@click.option(
    "--lane",
    "lanes",
    multiple=True,
    type=click.Choice(["fast", "slow"]),
    help="Queues in order of preference; both if not given. Not with --engine diffusion.",
)
@click.option(
    "--engine",
    type=click.Choice(["studio", "diffusion"]),
    default="studio",
    show_default=True,
    help="diffusion: train and sample image models, and do nothing else; one such worker per GPU.",
)
@click.option("--burst", is_flag=True, help="End when there is nothing left to do.")
def worker(lanes: tuple[str, ...], engine: str, *, burst: bool) -> None:
    """Do jobs: photo checks, renders, mails, erasures; on a GPU, training and sampling."""
    from core.queue import CPU_LANES, Lane

    if engine == "diffusion":
        if lanes:
            raise click.UsageError("A GPU worker has one queue of its own. Leave --lane out.")
        demand_gpu_extra()
        from workers.process.run import work_on_gpu

        work_on_gpu(burst=burst)
        return
    from workers.process.run import work

    work([Lane(lane) for lane in lanes] or list(CPU_LANES), burst=burst)


def demand_gpu_extra() -> None:
    """Stop with what to run where the diffusion engine's packages are not installed.

    Raises:
        ConfigurationError: one is missing.
    """
    from importlib.util import find_spec

    missing = [name for name in ("torch", "diffusers", "peft", "transformers") if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"The engine `diffusion` needs {', '.join(missing)}, which is not installed here. Run `make setup-gpu`."
        )


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
    from core.settings import settings
    from deploy.stack import web_command

    settings()  # say now, not in a worker's log, what is missing
    command = web_command(bind, workers=count, threads=threads)
    os.execv(command[0], command)  # noqa: S606 - gunicorn takes this process's place and its signals


@main.command()
def scheduler() -> None:
    """Relay jobs, sequence the evidence log, turn epochs, keep retention; run exactly one."""
    from workers.process.scheduler import run

    run()


@main.command()
def migrate() -> None:
    """Bring both databases to the newest schema; needs HEADSHOTS_DATABASE_OWNER_URL."""
    from core import logs
    from core.schema import migrate as upgrade
    from core.settings import settings
    from core.vault import vault

    logs.configure()
    owner = settings().database_owner_url
    if owner is None:
        raise ConfigurationError(
            "Set HEADSHOTS_DATABASE_OWNER_URL to migrate: the app's role may not change tables."
        )
    upgrade(owner.get_secret_value())
    vault().keys.create_tables()
    tell("Both databases are up to date.")


@main.group()
def style() -> None:
    """Style files: what the brand studio edits, as TOML."""


@style.command("schema")
def style_schema() -> None:
    """Print the JSON schema of a style file."""
    from core.style.file import schema

    click.echo(json.dumps(schema(), indent=2, ensure_ascii=False))


@style.command("check")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
def style_check(file: Path, *, as_json: bool) -> None:
    """Say whether a style file can be used, and if not, which lines to change."""
    from deploy.commands import check_style

    sys.exit(0 if check_style(file, _reporter(as_json)) else 1)


@style.command("show")
@click.argument("preset", required=False)
def style_show(preset: str | None) -> None:
    """Print a preset as a style file, or the presets' names."""
    from core.style.file import to_toml
    from core.style.presets import PRESETS

    if preset is None:
        click.echo("\n".join(PRESETS))
    elif preset in PRESETS:
        click.echo(to_toml(PRESETS[preset]), nl=False)
    else:
        raise click.UsageError(f"There is no preset {preset}. There are: {', '.join(PRESETS)}.")


@main.group()
def keys() -> None:
    """Epoch keys."""


@keys.command()
@json_option
def rotate(*, as_json: bool) -> None:
    """Turn the epoch now: older copies of the key store, in any backup, can never be opened again."""
    from compliance.erasure import turn_epoch
    from core import logs

    logs.configure()
    epoch = turn_epoch()
    _reporter(as_json)({"epoch": epoch}, f"Epoch {epoch} has begun; the key of the one before is destroyed.")


@main.command()
@click.argument("name", type=click.Choice(["studio", "matte", "diffusion", "vault", "import"]))
@click.option(
    "--photos",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="For studio and diffusion: one subfolder per person; a NASA portrait if not given.",
)
@json_option
def bench(name: str, photos: Path | None, *, as_json: bool) -> None:
    """Measure and print figures of this machine."""
    from deploy.bench import run_bench

    run_bench(name, _reporter(as_json), photos)


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
    from deploy.seed import create_company as create

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


@main.command("seed-demo", hidden=True)
def seed_demo() -> None:
    """Create the demo company; `up` and `demo` call this."""
    from core import logs
    from deploy.seed import seed_demo as seed

    logs.configure()
    seed()


def _reporter(as_json: bool) -> Callable[[dict[str, Any], str], None]:
    """Return what prints a result: its JSON, or its sentence."""

    def report(value: dict[str, Any], sentence: str) -> None:
        if as_json:
            emit(value)
        else:
            click.echo(sentence)

    return report


if __name__ == "__main__":
    main()
