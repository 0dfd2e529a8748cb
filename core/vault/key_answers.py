"""What the key store answers: what was destroyed or turned, and why it refuses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.errors import Gone, Misfit


class KeyErased(Gone):
    """The owner's key was destroyed, so nothing sealed with it can be opened."""

    code = "erased"


class KeyringNotOurs(Misfit):
    """The keyring on this host is not the one that the key store's keys are wrapped under."""

    code = "keyring_not_ours"


class KeyStoreBehind(Misfit):
    """The key store lacks a table of this release."""

    code = "key_store_behind"


@dataclass(frozen=True)
class Destruction:
    """When an owner's key was destroyed, and in which epoch."""

    epoch: int
    at: datetime


@dataclass(frozen=True)
class EpochTurn:
    """What turning the epoch did."""

    closed: int
    opened: int
    rewrapped: int
