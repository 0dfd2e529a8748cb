"""Several processes doing the same at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def said_together(script: str, *arguments: str, processes: int = 4) -> list[str]:
    """Run `script` in several fresh Python processes at once; return what each printed."""
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", script, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in started]
    assert all(process.returncode == 0 for process in started)
    return outputs
