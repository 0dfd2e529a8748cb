"""A short run of the whole: `make chaos` is the long one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.processes import child_environment

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "trouble", [("--kill-every", "5", "--outage", "0"), ("--kill-every", "0", "--outage", "12")]
)
def test_nothing_is_lost_doubled_or_stuck(trouble: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "chaos", "--minutes", "2", "--people", "6", *trouble]
    done = subprocess.run(
        command,
        env=child_environment({"PYTHONPATH": str(TESTS)}),
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stderr)
    found = json.loads(done.stdout)
    assert found["faults"] == []
    assert found["figures"]["people"]
