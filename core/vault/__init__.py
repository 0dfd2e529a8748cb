"""The only place that writes, reads and destroys personal bytes."""

from core.vault.keys import KeyErased, SignedHead
from core.vault.vault import ArtifactGone, Vault, derive, vault

__all__ = ["ArtifactGone", "KeyErased", "SignedHead", "Vault", "derive", "vault"]
