"""Whose a file of keys is: an operator's command must leave none that the processes cannot read, and one that is so is told."""

from __future__ import annotations

import os
import pwd
import stat
from contextlib import suppress
from pathlib import Path

from core.errors import ConfigurationError


class Unreadable(ConfigurationError):
    """A file of keys, or a folder on the way to it, that this process may not use.

    Attributes:
        says: which, whose it is, and who this process is.
        mend: what to do.
    """

    code = "unreadable"

    def __init__(self, says: str, mend: str) -> None:
        super().__init__(f"{says}. {mend}")
        self.says = says
        self.mend = mend


def unreadable(error: BaseException) -> Unreadable | None:
    """Return what to tell of `error`, or of what it came from, if that is a file that this process may not use."""
    if not isinstance(error, PermissionError) or not isinstance(error.filename, str):
        return None if error.__cause__ is None else unreadable(error.__cause__)
    file = Path(error.filename)
    # A file in a folder that is closed to us cannot be looked at: then it is the folder.
    there = [each for each in (file, *file.parents) if _stat(each) is not None]
    culprit = next(
        (
            each
            for each in reversed(there)
            if each.is_dir() and not os.access(each, os.X_OK, effective_ids=True)
        ),
        there[0],
    )
    found = culprit.stat()
    owner, ours = _name(found.st_uid), _name(os.geteuid())
    says = f"{culprit} belongs to {owner}, with mode {stat.S_IMODE(found.st_mode):04o}, and this process is {ours}'s"
    if found.st_uid == os.geteuid():
        return Unreadable(says, f"Let its owner use it: `chmod -R u+rwX {culprit}`.")
    give = (
        f"as root `chown -R {ours.removeprefix('user ')}: {culprit if culprit.is_dir() else culprit.parent}`"
    )
    if found.st_uid == 0:
        return Unreadable(says, f"A command that root ran has made it: {give}.")
    return Unreadable(says, f"Run this as {owner}; or if the program's user is {ours}, {give}.")


def _stat(path: Path) -> os.stat_result | None:
    with suppress(OSError):
        return path.stat()
    return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def give(descriptor: int, folder: Path) -> None:
    """Let a new file belong to whom its folder belongs to, where root writes it; anybody else's is theirs anyway.

    Args:
        descriptor: of the open file.
        folder: where it lies.

    Raises:
        OSError: the file system has no such owner.
    """
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
