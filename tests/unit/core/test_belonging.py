"""A key that an operator's command makes as root can be read by the processes whose folder it lies in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from compliance.signing import SigningKeys
from core.vault.kms import FileKms
from sso.credentials import load_or_create

SOMEBODY = 61_234  # no user of this machine


@pytest.mark.skipif(os.geteuid() != 0, reason="only root writes for others")
@pytest.mark.parametrize(
    "make",
    [
        lambda folder: FileKms(folder).create(1),
        SigningKeys.make,
        lambda folder: load_or_create(folder, "sp", "A provider"),
    ],
)
def test_keys_belong_to_whom_their_folder_belongs_to(make: Callable[[Path], object], tmp_path: Path) -> None:
    os.chown(tmp_path, SOMEBODY, SOMEBODY)
    make(tmp_path)
    made = list(tmp_path.iterdir())
    assert made
    assert {(one.stat().st_uid, one.stat().st_gid, one.stat().st_mode & 0o777) for one in made} == {
        (SOMEBODY, SOMEBODY, 0o600)
    }
