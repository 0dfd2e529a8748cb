"""A key that an operator's command makes as root can be read by the processes whose folder it lies in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from compliance.signing import SigningKeys
from core.errors import ConfigurationError
from core.settings import settings
from core.vault.kms import FileKms
from deploy import installation
from deploy.doctor.finding import examine
from deploy.doctor.looks import looks
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


@contextmanager
def as_somebody() -> Iterator[None]:
    """This process, for the kernel, as a user who has nothing here."""
    os.seteuid(SOMEBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_key_that_may_not_be_read_names_its_file_its_owner_and_the_mend(
    environment: dict[str, str], tmp_path: Path
) -> None:
    sockets = Path(str(make_url(environment["HEADSHOTS_DATABASE_URL"]).query["host"]))
    open_to_all = [tmp_path, *tmp_path.parents, sockets, *sockets.parents, *sockets.glob(".s.PGSQL.*")]
    modes = {folder: folder.stat().st_mode for folder in open_to_all}
    config = settings()
    ours = f"user {SOMEBODY}"
    cases = (
        (next(config.keyring_path.glob("epoch-*.key")), config.keyring_path),
        (config.signing_path / "log.pem", config.signing_path),
        (config.signing_path / "saml-sp.key", config.signing_path),
    )
    for folder in open_to_all:
        folder.chmod(modes[folder] | 0o077)
    try:
        for file, folder in cases:
            for each in (config.keyring_path, config.signing_path):
                for one in (each, *each.iterdir()):
                    os.chown(one, SOMEBODY, SOMEBODY)
            os.chown(file, 0, 0)
            with as_somebody(), pytest.raises(ConfigurationError) as raised:
                installation.demand()
            said = raised.value.message
            assert f"{file} belongs to root, with mode 0600, and this process is {ours}'s" in said
            assert f"`chown -R {SOMEBODY}: {folder}`" in said
            with as_somebody():
                found = [one for one in examine(looks()) if str(file) in one.says]
            assert {one.check for one in found} >= {"installation"}
            assert all(f"chown -R {SOMEBODY}: {folder}" in one.mend for one in found)
            os.chown(file, SOMEBODY, SOMEBODY)
        os.chown(config.keyring_path, 0, 0)
        with as_somebody(), pytest.raises(ConfigurationError, match=f"{config.keyring_path} belongs to root"):
            installation.demand()
    finally:
        for folder in open_to_all:
            folder.chmod(modes[folder] & 0o7777)
