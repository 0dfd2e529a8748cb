"""Training that goes on: what a run has learned half-way, as bytes for the vault, in bf16."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from workers.diffusion.adapters import FACTS, AdapterRefused, Facts, read_facts


def state_bytes(learned: Mapping[str, torch.Tensor], facts: Facts, done: int) -> bytes:
    """Return a state as safetensors; two numbers of two bytes for each that learns.

    Args:
        learned: bf16.
        facts: Of the adapter that is learned.
        done: Steps so far.
    """
    stated = facts.model_copy(update={"kind": "state", "steps": done})
    tensors = {name: value.contiguous().cpu() for name, value in learned.items()}
    content: bytes = save(tensors, {FACTS: stated.model_dump_json()})
    return content


def state_of(content: bytes, facts: Facts) -> tuple[int, dict[str, torch.Tensor]] | None:
    """Return steps done and what was learned by then.

    `None` where it is damaged, or of another person, seed, base or revision: then a run starts afresh.
    """
    try:
        stated = read_facts(content)
        same = facts.model_copy(update={"kind": "state", "steps": stated.steps})
        if stated != same or not 0 < stated.steps < facts.steps:
            return None
        return stated.steps, load(content)
    except (AdapterRefused, SafetensorError, ValueError, KeyError, TypeError):
        return None
