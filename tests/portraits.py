"""Where real photos lie: three portraits beside the tests, more in a folder beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent / "photos"
SHARED = Path(__file__).parents[2] / "shared" / "photos"


def photo_path(name: str) -> Path:
    """Return the path of `folder/file`; skips the test where that photo is not at hand."""
    for folder in (HERE, SHARED):
        if (folder / name).is_file():
            return folder / name
    pytest.skip(f"needs the photo {name}")
