"""The only place that writes, reads and destroys personal bytes."""

from core.vault import (
    columns,
    names,
)  # seal and open sealed columns from the moment that anybody uses the vault
from core.vault.heads import SignedHead
from core.vault.key_answers import KeyErased
from core.vault.vault import ArtifactGone, Held, Marked, Sealed, Vault, derive, vault

__all__ = [
    "ArtifactGone",
    "Held",
    "KeyErased",
    "Marked",
    "Sealed",
    "SignedHead",
    "Vault",
    "columns",
    "derive",
    "names",
    "vault",
]
