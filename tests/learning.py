"""Small random models of the real classes. Needs torch."""

from __future__ import annotations

from workers.diffusion.bases import BASES
from workers.diffusion.models import Model, load


def tiny(name: str, role: str = "train") -> Model:
    return load(BASES[name], "tiny", role=role)
