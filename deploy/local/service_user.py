"""Whom the embedded Postgres runs as, since it refuses to run as root."""

from __future__ import annotations

import os
import pwd
import subprocess
import time
from pathlib import Path
from typing import TypedDict

from core.errors import ConfigurationError

NAME = "headshots-db"


class Identity(TypedDict, total=False):
    """Arguments of `subprocess.Popen`; empty where a process simply runs as we do."""

    user: int
    group: int
    extra_groups: list[int]


def identity() -> Identity:
    """Return whom Postgres runs as: us, or where we are root a system user, made at first use.

    Raises:
        ConfigurationError: we are root and the user cannot be made.
    """
    if os.geteuid() != 0:
        return {}
    entry = _entry()
    complaint = ""
    for _ in range(20):
        if entry is not None:
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        made = subprocess.run(
            [
                "/usr/sbin/useradd",
                "--system",
                "--user-group",
                "--no-create-home",
                "--shell",
                "/usr/sbin/nologin",
                NAME,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        complaint = made.stderr.strip()
        entry = _entry()
        if entry is None:
            time.sleep(0.1)  # another process of ours may hold the lock on /etc/passwd
    raise ConfigurationError(
        f"Postgres cannot run as root, and the system user {NAME} could not be made: {complaint}"
        " Run as another user, or set HEADSHOTS_DATABASE_URL to a server of yours."
    )


def own(path: Path, who: Identity) -> None:
    """Give `path` to `who`."""
    if who:
        os.chown(path, who["user"], who["group"])


def let_reach(path: Path, who: Identity) -> None:
    """Let `who` pass through the folders above `path`.

    Where we are root, each gets the right to be passed through (not listed) by others if it lacks it:
    a clone below /root could otherwise not be used.
    """
    if not who:
        return
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode & 0o7777 | 0o001)


def let_read(folder: Path, who: Identity) -> None:
    """Let `who` read and run what is in `folder`, which a strict umask at install time may forbid."""
    let_reach(folder, who)
    if not who or folder.stat().st_mode & 0o005 == 0o005:
        return
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode & 0o7777
            # What the owner may do except writing, others may.
            path.chmod(mode | (mode >> 6 & 0o5))


def _entry() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        return None
