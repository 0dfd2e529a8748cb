"""Beginning, ending and using the escrow of the keyring (`core.vault.escrow`)."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.db import engine
from core.errors import ConfigurationError
from core.models import Installation
from core.settings import settings
from core.vault import vault
from core.vault.escrow import ESCROW, Escrow, EscrowUnusable, read_private_key
from core.vault.kms import FileKms
from core.vault.vault import escrow_of_settings
from deploy import installation


def begin() -> list[int]:
    """Keep a sealed copy of every epoch key that lives, and expect the same escrow of every host from now on.

    Expected first: a scheduler from before then ends no epoch whose copy it does not know. Safe to run again.

    Returns the epochs of which there is a copy.

    Raises:
        ConfigurationError: no escrow is set, or this host's keys are not the installation's.
    """
    escrow = _escrow()
    installation.check_fingerprints(besides=ESCROW)
    vault().keys.demand_keyring()
    escrow.prepare()
    kms = FileKms(settings().keyring_path, escrow)
    with vault().keys.at_rest():
        _expect(escrow.fingerprint)
        for epoch in vault().keys.living_epochs():
            kms.keep_copy(epoch)
        return escrow.epochs()


def end() -> None:
    """Destroy all copies, and expect no escrow of any host from now on; a scheduler from before makes no new one.

    Safe to run again after a crash on the way: the mark goes last.

    Raises:
        ConfigurationError: no escrow is set.
    """
    escrow = _escrow()
    with vault().keys.at_rest():
        escrow.epochs()  # raises where its volume is not there: then it has not ended
        _expect(None)
        escrow.end()


def recover(private_key: Path) -> list[int]:
    """Put the keys of the epochs that live back into a keyring that lost them; return those epochs.

    Each is first held against what the key store has under it. A destroyed epoch has no copy, so nothing that was erased
    comes back.

    Raises:
        ConfigurationError: no escrow is set.
        EscrowUnusable: the keyring has its key, or the private key or the copy is not the right one.
    """
    escrow, key = _escrow(), read_private_key(private_key)
    kms = FileKms(settings().keyring_path)
    with vault().keys.at_rest():  # or an epoch could be destroyed before its key is put back
        lost = [epoch for epoch in vault().keys.living_epochs() if not kms.has(epoch)]
        if not lost:
            raise EscrowUnusable(operator="The keyring has its key; nothing needs to be recovered.")
        opened = {epoch: escrow.open(epoch, key) for epoch in lost}
        for epoch, epoch_key in opened.items():
            if not vault().keys.proves(epoch, epoch_key):
                raise EscrowUnusable(
                    operator="The escrow's copy is not the key that the key store's keys are wrapped under."
                )
            kms.put_back(epoch, epoch_key)
    vault().keys.demand_keyring()
    return lost


def _escrow() -> Escrow:
    if settings().kms_url:
        raise ConfigurationError(
            "HEADSHOTS_KMS_URL is set: AWS KMS keeps what opens the epoch keys and gives none out, so there is no copy to make, end or use."
        )
    escrow = escrow_of_settings()
    if escrow is None:
        raise ConfigurationError(
            "Set HEADSHOTS_ESCROW_PATH, a folder on another volume than the keyring's and in no backup, and "
            "HEADSHOTS_ESCROW_PUBLIC_KEY, which `headshots keys escrow-key` prints."
        )
    return escrow


def _expect(fingerprint: str | None) -> None:
    with Session(engine()) as session, session.begin():
        row = session.scalars(select(Installation).with_for_update(key_share=True)).one()
        others = {name: value for name, value in row.fingerprints.items() if name != ESCROW}
        row.fingerprints = others | ({ESCROW: fingerprint} if fingerprint else {})
