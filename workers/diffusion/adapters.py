"""An adapter as bytes: safetensors made and read in memory, with what it was trained on in its header.

The bytes go into the vault and come out of it; no file is ever written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from core.errors import InvalidInput
from workers.diffusion.worn import NOTHING_SEEN, Worn

FACTS: Final = "headshots"  # name in the safetensors header
MAX_BYTES: Final = 500_000_000  # SDXL at rank 64 in fp32 has about 370 MB
_MAX_HEADER: Final = 10_000_000  # bytes; 2,000 tensors have about 0.3 MB
DOWN: Final = ".lora_A.weight"
UP: Final = ".lora_B.weight"

Weight = NDArray[np.float32]


class AdapterRefused(InvalidInput):
    """These bytes are not used as an adapter; the message says why."""

    code = "adapter_refused"


class CurvePoint(BaseModel):
    """One checkpoint as the identity gate saw it."""

    model_config = ConfigDict(frozen=True)

    step: int
    # To the held-out photos as a share of the limit, by the less content encoder; None: no face came of it.
    distance: float | None = None
    error: float | None = None  # standard error of that mean


class Facts(BaseModel):
    """What an adapter is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = Field(pattern="^(person|style|state)$")  # `state`: training that goes on
    base: str
    revision: str  # of the weights it was trained on
    rank: int = Field(ge=1, le=256)
    alpha: float = Field(gt=0)
    steps: int = Field(ge=0)
    seed: int
    photos: tuple[str, ...] = ()  # ids of what it was trained on
    held_out: tuple[str, ...] = ()
    worn: Worn = NOTHING_SEEN  # in most of these photos
    curve: tuple[CurvePoint, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """Low-rank updates of a base's layers.

    Attributes:
        weights: `<layer>.lora_A.weight` (rank × in) and `<layer>.lora_B.weight` (out × rank), float32.
        facts: What it is.
    """

    weights: Mapping[str, Weight]
    facts: Facts

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that it updates."""
        return tuple(name.removesuffix(DOWN) for name in self.weights if name.endswith(DOWN))


def to_bytes(weights: Mapping[str, Weight], facts: Facts) -> bytes:
    """Return safetensors with the facts in the header."""
    tensors = {name: np.ascontiguousarray(array, np.float32) for name, array in weights.items()}
    content: bytes = save(tensors, {FACTS: facts.model_dump_json()})
    return content


def from_bytes(content: bytes, *, base: str | None = None, revision: str | None = None) -> Adapter:
    """Read an adapter.

    Args:
        content: What `to_bytes` made.
        base: The base that it must be for.
        revision: The weights that it must have been trained on.

    Raises:
        AdapterRefused: pickles, archives, damaged or oversized files, another base or revision, shapes that
            do not fit together.
    """
    facts = read_facts(content)
    if facts.kind == "state":
        raise AdapterRefused("This is training that has not ended. It is trained again.")
    if base is not None and facts.base != base:
        raise AdapterRefused(
            f"The model was trained on {facts.base}, and this worker runs {base}. It is trained again."
        )
    if revision is not None and facts.revision != revision:
        raise AdapterRefused(
            "The model was trained on other weights of the base than this worker runs. It is trained again."
        )
    try:
        weights = load(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise AdapterRefused(f"The model's file is damaged ({error}).") from error
    _check_shapes(weights, facts)
    return Adapter(weights, facts)


def read_facts(content: bytes) -> Facts:
    """Return what the header says, before anything else is read.

    Raises:
        AdapterRefused: pickles, archives, damaged or oversized files.
    """
    if content[:2] in (b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05", b"\x1f\x8b"):
        raise AdapterRefused(
            "This is a pickle or an archive, which could run code or unpack without end. Only safetensors is read."
        )
    if len(content) > MAX_BYTES:
        raise AdapterRefused(f"The model's file has {len(content):,} bytes; at most {MAX_BYTES:,} are read.")
    length = int.from_bytes(content[:8], "little") if len(content) > 8 else 0
    if not 0 < length <= min(_MAX_HEADER, len(content) - 8):
        raise AdapterRefused("The model's file is damaged: its header does not fit into it.")
    try:
        header: Any = json.loads(content[8 : 8 + length])
        stated = header["__metadata__"][FACTS]
        return Facts.model_validate_json(stated)
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise AdapterRefused(
            "The model's file does not say what it was trained on, so it is not used."
        ) from error


def _check_shapes(weights: Mapping[str, Weight], facts: Facts) -> None:
    if not weights:
        raise AdapterRefused("The model's file is empty.")
    for name, array in weights.items():
        layer, _, part = name.partition(".lora_")
        other = weights.get(layer + (UP if part == "A.weight" else DOWN))
        rank = array.shape[0] if part == "A.weight" else array.shape[-1]
        if part not in ("A.weight", "B.weight") or other is None or array.ndim != 2:
            raise AdapterRefused(f"The model's file has a part that no adapter has: {name[:80]}.")
        if rank != facts.rank or array.dtype != np.float32 or not np.isfinite(array).all():
            raise AdapterRefused(
                f"The model's file is damaged: {name[:80]} has a wrong size or is not a number."
            )
