"""`headshots adapter export`: an adapter with diffusers' names, to be tried outside on people who agreed to that.

A person's own adapter in an installation is sealed, and nobody can download it; these are trained from a folder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from core.consent import Purpose, ValidConsent
from core.style.spec import StyleSpec
from workers.diffusion.adapters import UP, Adapter, Weight
from workers.diffusion.learn import learn
from workers.diffusion.resident import Resident

_AGREED = ValidConsent(None, frozenset(Purpose))  # stated by whoever starts it


def diffusers_names(adapter: Adapter, denoiser: str) -> dict[str, Weight]:
    """Return weights as `load_lora_weights` takes them.

    Each name begins with the network's: without it diffusers loads nothing and says nothing. Weight and rank are in
    the numbers, so the scale is 1.

    Args:
        adapter: What was learned.
        denoiser: The base's, such as `transformer`.
    """
    scale = np.float32(adapter.facts.alpha / adapter.facts.rank)
    return {
        f"{denoiser}.{name}": np.ascontiguousarray(array * scale if name.endswith(UP) else array, np.float32)
        for name, array in adapter.weights.items()
    }


def export(resident: Resident, people: Mapping[str, Sequence[tuple[str, bytes]]], out: Path) -> list[Path]:
    """Train each person of a folder and write `OUT/<person>.safetensors`.

    Args:
        resident: The loaded base.
        people: Name and files of each, who agreed.
        out: A folder; what is written there can paint these people.

    Raises:
        TooFewPhotos: of somebody there is only one shot.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for number, (name, photos) in enumerate(people.items()):
        learned = learn(
            resident,
            photos,
            {},
            StyleSpec(),
            _AGREED,
            number,
            on_step=lambda _step: None,
            stop=lambda: False,
            keep=lambda _state: None,
        )
        path = out / f"{name}.safetensors"
        path.write_bytes(save(diffusers_names(learned.adapter, resident.base.denoiser)))
        written.append(path)
    return written
