"""Photos as they lie on disk: one subfolder per person, any file in it, and what the system does not hand out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from core.checks.advice import Issue
from core.checks.verdict import Verdict
from core.errors import InvalidInput
from core.image.reading import MAX_BYTES

REPORT: Final = "report.json"  # lies where results are


def person_folders(photos: Path, but: Path | None = None) -> list[Path]:
    """Return one subfolder per person, sorted; without hidden ones, `but`, and results of an earlier run.

    Raises:
        InvalidInput: there is none.
    """
    apart = but.resolve() if but else None
    folders = [
        path
        for path in sorted(photos.iterdir() if photos.is_dir() else ())
        if path.is_dir()
        and not path.name.startswith(".")
        and path.resolve() != apart
        and not os.path.exists(path / REPORT)  # noqa: PTH110 - pathlib raises where a folder is closed
    ]
    if not any(photo_files(folder) for folder in folders):
        raise InvalidInput(f"{photos} has no photos. Put each person's photos into a subfolder of it.")
    return folders


def photo_files(folder: Path) -> list[Path]:
    """Return the files of a folder, sorted, whatever their names: each is tried. Hidden ones are left out.

    A folder that the system does not open stands for itself, so that somebody says so.
    """
    try:
        return [path for path in sorted(folder.iterdir()) if _is_photo(path)]
    except OSError:
        return [folder]


def _is_photo(path: Path) -> bool:
    # A link to nowhere is somebody's photo that is missing.
    return not path.name.startswith(".") and (path.is_file() or (path.is_symlink() and not path.exists()))


def read_photo(path: Path) -> bytes:
    """Return the content of a file, at most one byte more than a photo may have.

    One byte beyond the limit is enough for the check to refuse it, and bounds memory.

    Raises:
        OSError: the system does not hand it out.
    """
    with path.open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def read_folder(folder: Path) -> tuple[list[tuple[str, bytes]], dict[str, Verdict]]:
    """Return name and content of each file in `folder`, and the verdicts on those that cannot be read."""
    photos: list[tuple[str, bytes]] = []
    unreadable: dict[str, Verdict] = {}
    for path in photo_files(folder):
        try:
            photos.append((shown(path), read_photo(path)))
        except OSError as error:
            unreadable[shown(path)] = Verdict.refused(Issue.UNREADABLE, system=str(error.strerror))
    return photos, unreadable


def read_people(
    folder: Path, but: Path | None = None, tell: Callable[[str], None] = lambda _line: None
) -> dict[str, list[tuple[str, bytes]]]:
    """Read the photos of everybody who has some; see `person_folders`. `tell` hears what cannot be read."""
    people = {}
    for person in person_folders(folder, but):
        photos, unreadable = read_folder(person)
        for name, verdict in unreadable.items():
            tell(f"{shown(person)}/{name}: {' '.join(verdict.obstacles)}")
        if photos:
            people[shown(person)] = photos
    return people


def shown(path: Path) -> str:
    """Return a file's or folder's own name as text: the system allows bytes that are none."""
    return os.fsencode(path.name).decode("utf-8", "replace")
