"""Which person in a photo of several is meant: `--subject party.jpg=2`, counted from the left."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # no model is needed to read an option
    from core.checks.verdict import Verdict

OPTION = "--subject"


def wanted_in(files: Sequence[Path], options: Iterable[str]) -> dict[Path, int]:
    """Return file → number of the face in it.

    Args:
        files: What there is.
        options: `FILE=NUMBER`; FILE is the end of a path, such as `photo.jpg` or `person/photo.jpg`.

    Raises:
        click.UsageError: an option is of another shape, or names no file, several, or one named before.
    """
    wanted: dict[Path, int] = {}
    for option in options:
        name, _, number = option.rpartition("=")
        if not name or not number.isdecimal() or int(number) == 0:
            raise click.UsageError(
                f"{OPTION} {option}: write FILE=NUMBER, such as party.jpg=2 for the second face from the left."
            )
        file = _file(name, files)
        if file in wanted:
            raise click.UsageError(f"{OPTION} {option}: {file} is given twice.")
        wanted[file] = int(number)
    return wanted


def _file(name: str, files: Sequence[Path]) -> Path:
    parts = PurePath(name).parts
    found = [file for file in files if file.parts[-len(parts) :] == parts]
    exact = [file for file in found if file.parts == parts]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        raise click.UsageError(f"{OPTION} {name}: which one? {', '.join(map(str, found[:5]))}")
    raise click.UsageError(f"{OPTION} {name}: there is no such photo among those given.")


def place_of(file: Path, number: int, verdict: Verdict) -> tuple[float, float]:
    """Return where face `number` is, as `examine` takes it.

    Raises:
        click.UsageError: there are fewer faces.
    """
    faces = verdict.from_left
    if number <= len(faces):
        return faces[number - 1].centre
    if not faces:
        raise click.UsageError(f"{OPTION} {file}={number}: no face was found in it.")
    there = "1 face is" if len(faces) == 1 else f"{len(faces)} faces are"
    raise click.UsageError(f"{OPTION} {file}={number}: only {there} in it, counted from the left.")


def number_taken(verdict: Verdict) -> int | None:
    """Return the number of the face that is taken where nobody says which; `None` while that is asked."""
    if verdict.asks or not verdict.faces:
        return None
    return 1 + verdict.from_left.index(verdict.faces[0])


def who(name: str, verdict: Verdict, number: int | None) -> list[str]:
    """Say which face has which number, where a photo has several."""
    faces = verdict.from_left
    if len(faces) < 2:
        return []
    where = ", ".join(
        f"{place} at {box.centre[0]:.0%} of the width and {box.centre[1]:.0%} of the height"
        for place, box in enumerate(faces, 1)
    )
    choice = f"{OPTION} {shlex.quote(name)}={number or 1}"
    taken = f"{number} is taken, as with {choice}" if number else f"choose with {choice}"
    return [f"{PurePath(name).name} shows {len(faces)} faces, from the left: {where}; {taken}"]
