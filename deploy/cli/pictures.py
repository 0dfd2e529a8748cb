"""Files in, results on stdout: `check`, `render`, `score`, `verify` and `style`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from deploy.cli.group import DEFAULT_HOME, json_option, main, reporter

if TYPE_CHECKING:  # `--help` needs no style
    from core.style.spec import StyleSpec

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


@main.command()
@click.argument("photos", nargs=-1, required=True, type=AnyFile())
@subject_option
@json_option
def check(photos: tuple[Path, ...], subjects: tuple[str, ...], *, as_json: bool) -> None:
    """Check photos as the upload page does: can a headshot be made, and if not, what helps?

    You state that the people in the photos agreed to this.
    """
    from deploy.cli.photos import check_photos

    sys.exit(0 if check_photos(photos, reporter(as_json), subjects) else 1)


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
    from deploy.cli.photos import render_folder

    made = render_folder(photos, style or StyleSpec(), out, reporter(as_json), subjects)
    sys.exit(0 if made else 1)


@main.command()
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
    help="Where pictures, sheets and the table go; it will hold faces.",
)
@click.option(
    "--pictures", type=click.IntRange(1, 100), default=24, show_default=True, help="Of each person, each way."
)
@json_option
def trial(photos: Path, out: Path, pictures: int, *, as_json: bool) -> None:
    """Try the image model's weights on real people: each made several ways, side by side and counted.

    You state that the people in the photos agreed to this.
    """
    from deploy.cli.group import demand_gpu_extra

    demand_gpu_extra()
    from core.style.spec import StyleSpec
    from workers.diffusion.resident import resident
    from workers.diffusion.trial import trial as tried
    from workers.folder.people import read_people

    tried(resident(), read_people(photos), StyleSpec(), out, reporter(as_json), pictures)


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
    from deploy.cli.photos import score_images

    sys.exit(0 if score_images(reference, images, reporter(as_json), style) else 1)


@main.command()
@click.argument("files", nargs=-1, type=AnyFile())
@click.option(
    "--keys",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The published keys.json; this installation's own if not given.",
)
@click.option(
    "--consistency",
    nargs=2,
    type=AnyFile(),
    metavar="OLD NEW",
    help="Whether the log of checkpoint NEW (or of a consistency proof, which ends in one) begins with that of OLD.",
)
@click.option("--proof", type=AnyFile(), help="The consistency proof, where NEW is a checkpoint alone.")
@click.option(
    "--witness",
    "witnesses",
    multiple=True,
    metavar="VKEY",
    help="A checkpoint must be cosigned by this witness; several may be given. Ask the witness itself for its key.",
)
@click.option(
    "--receipt",
    type=AnyFile(),
    help="The person's own: the saved mail, or a file with the link of their page. The certificate must be theirs.",
)
@click.option(
    "--address", help="The mail address whose person the certificate must be about; goes with --receipt."
)
@json_option
def verify(
    files: tuple[Path, ...],
    keys: Path | None,
    consistency: tuple[Path, Path] | None,
    proof: Path | None,
    witnesses: tuple[str, ...],
    receipt: Path | None,
    address: str | None,
    *,
    as_json: bool,
) -> None:
    """Verify deletion certificates, checkpoints, proofs, and where pictures come from; offline, with the published keys.

    A picture that carries no content credentials, was changed since it was signed, or was signed by somebody whom
    the keys do not name, is a finding. A watermark is read too: it outlives what removes credentials.
    """
    from deploy.cli.evidence import claim_of, verify_files, verify_pair

    if not files and consistency is None:
        raise click.UsageError("Give the files to verify, or --consistency OLD NEW.")
    if proof is not None and consistency is None:
        raise click.UsageError("--proof goes with --consistency OLD NEW.")
    if (receipt is None) != (address is None):
        raise click.UsageError("--receipt and --address go together.")
    good, report = True, reporter(as_json)
    if files:
        claim = claim_of(receipt, address) if receipt is not None and address is not None else None
        good = verify_files(files, keys, DEFAULT_HOME, report, witnesses, claim)
    if consistency is not None:
        good &= verify_pair(*consistency, proof, keys, DEFAULT_HOME, report)
    sys.exit(0 if good else 1)


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
    from deploy.cli.photos import check_style

    sys.exit(0 if check_style(file, reporter(as_json)) else 1)


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
