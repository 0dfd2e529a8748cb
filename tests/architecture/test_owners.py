"""What one module owns is written by no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("core", "compliance", "workers", "portal", "admin", "sso", "deploy")


@pytest.mark.parametrize(
    ("written", "owner"),
    [
        # Declining, what stands in, what is approved, and why making it failed.
        (
            r"(?<!look)\.(alternative|chosen_headshot_id|approved_at|failure_code)\b[^=\n]*(?<![=!<>])=(?!=)",
            "core/shoots/participations.py",
        ),
        (r"\bparticipation\.(state|changed_at) = |State\.DECLINED, actor", "core/shoots/participations.py"),
        # From when on nobody can read an artifact, and that its object is owed to be removed.
        (r"delete_requested_at\s?=(?!=)", "core/vault/vault.py"),
    ],
)
def test_is_written_by_its_owner_alone(written: str, owner: str) -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if re.search(written, path.read_text(encoding="utf-8"))
    }
    assert found == {owner}
