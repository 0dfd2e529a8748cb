"""Photos that harm whoever checks them, in real worker processes: no file is known that still does.

A folder on `PYTHONPATH` holds a `sitecustomize` that changes one function of each process at its start.
"""

from __future__ import annotations

import io
from enum import StrEnum
from pathlib import Path

from PIL import Image
from skimage import data

_SITE = """
import importlib.abc, importlib.util, os, signal, sys, time

ALONE = "workers.process.alone" in sys.orig_argv


def act(content):
    if b"poison:kill" in content or (b"poison:memory" in content and not ALONE):
        os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory is full
    if b"poison:memory" in content:
        held = []
        while True:
            held.append(b"1" * (64 << 20))
    if b"poison:stuck" in content:
        sum(range(10**13))  # with Python's lock, so that no signal and no thread gets through
    if b"poison:slow" in content:
        time.sleep(5)


class Poisoned(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name != "workers.pipeline.judgement":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            judge = module.judge

            def poisoned(content, *given, **named):
                act(content)
                return judge(content, *given, **named)

            module.judge = poisoned

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Poisoned())
"""


class Harm(StrEnum):
    """What a photo does."""

    NONE = "none"
    KILL = "kill"
    MEMORY = "memory"  # takes all there is; outside of a process with a limit it is killed for it
    STUCK = "stuck"  # in native code
    SLOW = "slow"  # five seconds more than others; innocent


def photo(harm: Harm) -> bytes:
    """Return a portrait that the check accepts, and that does harm where `site` is."""
    target = io.BytesIO()
    Image.fromarray(data.astronaut()).save(
        target, "JPEG", quality=95, comment=f"poison:{harm}" if harm is not Harm.NONE else None
    )
    return target.getvalue()


def site(folder: Path) -> dict[str, str]:
    """Write into `folder` what makes such photos harmful, and return the variables that lead processes there."""
    (folder / "sitecustomize.py").write_text(_SITE)
    return {"PYTHONPATH": str(folder)}
