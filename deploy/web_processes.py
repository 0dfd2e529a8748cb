"""How several web processes count together: one folder of counters, which the start makes and a death tidies.

Gunicorn reads its hooks from here; see `deploy.wsgi.web_command`.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import tempfile
from pathlib import Path
from typing import Any

from prometheus_client import mmap_dict, multiprocess

from core.errors import ConfigurationError
from core.observe import metrics

_Counts: Any = mmap_dict.MmapedDict  # has no types
# What only grows is kept of a process that has died; the library gives each process files of its own number.
_KEPT = ("counter", "histogram")
_ENDED = 0  # no process has this number


def shared_folder(bind: str) -> Path:
    """Make the folder in which the web processes at `bind` count, empty it, and hold it for as long as they live.

    Raises:
        ConfigurationError: another web runs at `bind`, or the folder is somebody else's.
    """
    name = re.sub(r"[^A-Za-z0-9.]+", "-", bind).strip("-")
    folder = Path(tempfile.gettempdir()) / f"headshots-web-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ConfigurationError(
            f"{folder} belongs to someone else. Remove it, or set TMPDIR to another folder."
        )
    folder.chmod(0o700)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise ConfigurationError(
            f"Another web runs at {bind} already. Stop it, or choose another --bind."
        ) from error
    # Ours, and after `exec` the server's and its children's: free when the last of them has ended.
    os.set_inheritable(descriptor, True)
    for file in folder.iterdir():
        file.unlink()
    return folder


def child_exit(_server: Any, worker: Any) -> None:
    """Gunicorn's hook: keep what a process counted that has ended, and forget what it was."""
    folder = metrics.shared_folder()
    if folder is not None:
        forget(folder, worker.pid)


def forget(folder: Path, pid: int) -> None:
    """Add what process `pid` counted to what all earlier ones did, and remove its files."""
    with metrics.held(folder, exclusive=True):
        for kind in _KEPT:
            counted = folder / f"{kind}_{pid}.db"
            if not counted.exists():
                continue
            total = _Counts(str(folder / f"{kind}_{_ENDED}.db"))
            for key, value, _, _ in _Counts.read_all_values_from_file(str(counted)):
                total.write_value(key, total.read_value(key)[0] + value, 0.0)
            total.close()
            counted.unlink()
        multiprocess.mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
