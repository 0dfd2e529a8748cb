"""A bank of adapters in the network's layers: each picture of a batch picks its own, and nothing recompiles.

A slot holds the sum of a person's and the company's adapter, exactly: their down-projections stacked, their
up-projections stacked beside each other and scaled by weight · alpha ÷ rank. Slot 0 is empty: the bare
base. Writing a slot and routing a batch only copy into tensors that the compiled graph already reads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import torch
from torch import nn

from workers.diffusion.adapters import DOWN, UP, Adapter, AdapterRefused

EMPTY: Final = 0


class BankedLinear(nn.Module):
    """A linear layer plus, for each picture of the batch, the low-rank update of its slot."""

    def __init__(self, layer: nn.Linear, slots: int, rank: int, route: torch.Tensor) -> None:
        super().__init__()
        self.base = layer
        like = {"device": layer.weight.device, "dtype": layer.weight.dtype}
        self.register_buffer("down", torch.zeros(slots, rank, layer.in_features, **like), persistent=False)
        self.register_buffer("up", torch.zeros(slots, layer.out_features, rank, **like), persistent=False)
        self.register_buffer("route", route, persistent=False)
        self.down: torch.Tensor
        self.up: torch.Tensor
        self.route: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map batch × … × in to batch × … × out."""
        slot = self.route[: x.shape[0]]
        rows = x.reshape(x.shape[0], -1, x.shape[-1])
        low = torch.bmm(rows, self.down[slot].transpose(1, 2))
        update = torch.bmm(low, self.up[slot].transpose(1, 2))
        return cast(torch.Tensor, self.base(x)) + update.reshape(*x.shape[:-1], -1)


class Bank:
    """All banked layers of one network.

    Args:
        network: Its targeted linear layers are replaced, in place.
        targets: Full names end in one of these.
        slots: Adapters at a time, besides the empty one.
        rank: The most that the adapters of one slot have together.
        batch: The most rows that a forward pass has, both halves of classifier-free guidance counted.
    """

    def __init__(
        self, network: nn.Module, targets: Sequence[str], *, slots: int, rank: int, batch: int
    ) -> None:
        self.slots, self.rank = slots, rank
        where = next(network.parameters()).device
        self._route = torch.zeros(batch, dtype=torch.long, device=where)
        self._layers: dict[str, BankedLinear] = {}
        for name, layer in targeted(network, targets).items():
            banked = BankedLinear(layer, slots + 1, rank, self._route)
            owner, _, attribute = name.rpartition(".")
            setattr(network.get_submodule(owner), attribute, banked)
            self._layers[name] = banked

    @torch.no_grad()
    def write(self, slot: int, adapters: Sequence[tuple[Adapter, float]]) -> None:
        """Put the weighted sum of adapters into a slot; layers that none of them has stay the base's.

        Args:
            slot: 1 to `slots`.
            adapters: Each with its weight.

        Raises:
            AdapterRefused: too many ranks for a slot, or a layer or shape that the base does not have.
            IndexError: there is no such slot, or it is the empty one.
        """
        if not 1 <= slot <= self.slots:
            raise IndexError(f"slot {slot} of {self.slots}")
        self.check([adapter for adapter, _ in adapters])
        for name, layer in self._layers.items():
            layer.down[slot].zero_()
            layer.up[slot].zero_()
            at = 0
            for adapter, weight in adapters:
                if name + DOWN not in adapter.weights:
                    continue
                end = at + adapter.facts.rank
                scale = weight * adapter.facts.alpha / adapter.facts.rank
                layer.down[slot, at:end].copy_(torch.from_numpy(adapter.weights[name + DOWN]))
                layer.up[slot, :, at:end].copy_(torch.from_numpy(adapter.weights[name + UP]) * scale)
                at = end

    def erase(self, slot: int) -> None:
        """Overwrite a slot, so that nothing of a person stays in memory."""
        self.write(slot, [])

    def route(self, slots: Sequence[int], copies: int = 1) -> None:
        """Say which slot each picture of the next batch takes.

        Args:
            slots: One a picture.
            copies: How often the pipeline repeats the batch in one pass: 2 with classifier-free guidance.
        """
        wanted = torch.tensor(list(slots) * copies, dtype=torch.long)
        self._route.zero_()
        self._route[: len(wanted)].copy_(wanted)

    def check(self, adapters: Sequence[Adapter]) -> None:
        """Find out whether adapters fit into one slot.

        Raises:
            AdapterRefused: too many ranks together, or a layer or shape that the base does not have.
        """
        if sum(adapter.facts.rank for adapter in adapters) > self.rank:
            raise AdapterRefused(f"These models together have a higher rank than {self.rank}.")
        for adapter in adapters:
            for name in adapter.layers:
                layer = self._layers.get(name)
                if layer is None:
                    raise AdapterRefused(f"The model updates a layer that the base does not have: {name}.")
                down, up = adapter.weights[name + DOWN], adapter.weights[name + UP]
                if down.shape[1] != layer.base.in_features or up.shape[0] != layer.base.out_features:
                    raise AdapterRefused(f"The model's layer {name} has another size than the base's.")


def targeted(network: nn.Module, targets: Sequence[str]) -> dict[str, nn.Linear]:
    """Return the linear layers whose full name is, or ends in, one of `targets`."""
    ends = tuple(f".{target}" for target in targets)
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.Linear) and (name in targets or name.endswith(ends))
    }
