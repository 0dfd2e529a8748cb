"""Z-Image's network with every caption padded to one length, so that captions of any length share a graph.

The network takes lists, pads the shorter captions of a batch and masks what it padded. Here all are padded to the same
length in the same way, so the numbers stay, and shapes depend on batch and picture alone. diffusers' own forward pass
counts tokens in Python: each length of a caption would be compiled for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MethodType
from typing import Any, Final

import torch
from torch.nn import functional

# Captions and pictures are filled up to a multiple of so many tokens with one that was learned, which is seen and not masked.
_FILLED: Final = 32


def steady(network: Any, tokens: int) -> None:
    """Let a `ZImageTransformer2DModel` pad every caption to `tokens`, in place.

    It then also takes what a compiled graph wants: pictures and captions as tensors, and `lengths`, see `_forward`.
    """
    network.caption_tokens = -(-tokens // _FILLED) * _FILLED
    network.rope_embedder(  # makes its tables when it is first called, which must not be within a graph
        torch.zeros((1, 3), dtype=torch.int32, device=next(network.parameters()).device)
    )
    network.forward = MethodType(_forward, network)


def padded(captions: Sequence[torch.Tensor], tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return captions, each tokens × width, as batch × `tokens` × width, and how many tokens each has."""
    rows = [functional.pad(one, (0, 0, 0, tokens - len(one))) for one in captions]
    return torch.stack(rows), torch.tensor([len(one) for one in captions], device=rows[0].device)


def _forward(
    self: Any,
    x: Sequence[torch.Tensor] | torch.Tensor,
    t: torch.Tensor,
    cap_feats: Sequence[torch.Tensor] | torch.Tensor,
    lengths: torch.Tensor | None = None,
    return_dict: bool = False,  # noqa: ARG001 - as the pipelines call it, who take the first of what comes
    joint_attention_kwargs: None = None,  # noqa: ARG001 - scales of adapters, which a bank has in its numbers
) -> tuple[torch.Tensor]:
    """Return what the network says of each picture, in its shape.

    Args:
        self: The network.
        x: Batch of channels × 1 × height × width.
        t: Batch; 1 less the noise level.
        cap_feats: Batch of tokens × width; of any length where there are no `lengths`, or else padded.
        lengths: Batch; how many tokens of each caption are its own.
        return_dict: Not looked at.
        joint_attention_kwargs: Not looked at.
    """
    pictures = torch.stack(tuple(x))[:, :, 0]
    if lengths is None:
        cap_feats, lengths = padded(tuple(cap_feats), self.caption_tokens)
    count, channels, height, width = pictures.shape
    patch = self.all_patch_size[0]
    kind = f"{patch}-{self.all_f_patch_size[0]}"
    down, across = height // patch, width // patch
    told = self.t_embedder(t * self.t_scale).type_as(pictures)

    patches = pictures.view(count, channels, down, patch, across, patch).permute(0, 2, 4, 3, 5, 1)
    shown = self.all_x_embedder[kind](patches.reshape(count, down * across, -1))
    spare = -(down * across) % _FILLED
    if spare:
        shown = torch.cat([shown, self.x_pad_token.to(shown.dtype).expand(count, spare, -1)], dim=1)
    places = torch.arange(self.caption_tokens, device=pictures.device)
    filled = (lengths + _FILLED - 1) // _FILLED * _FILLED
    said = self.cap_embedder(cap_feats)
    said = torch.where((places < lengths[:, None])[..., None], said, self.cap_pad_token.to(said.dtype))
    seen = places < filled[:, None]

    where_shown, where_said = _positions(self, filled, places, (down, across), spare)
    for layer in self.noise_refiner:
        shown = _run(self, layer, shown, None, where_shown, told)
    for layer in self.context_refiner:
        said = _run(self, layer, said, seen, where_said)
    both = torch.cat([shown, said], dim=1)
    all_seen = torch.cat([seen.new_ones(count, shown.shape[1]), seen], dim=1)
    everywhere = torch.cat([where_shown, where_said], dim=1)
    for layer in self.layers:
        both = _run(self, layer, both, all_seen, everywhere, told)

    answer = self.all_final_layer[kind](both[:, : down * across], c=told)
    answer = answer.view(count, down, across, patch, patch, channels).permute(0, 5, 1, 3, 2, 4)
    return (answer.reshape(count, channels, 1, height, width),)


def _positions(
    network: Any, filled: torch.Tensor, places: torch.Tensor, size: tuple[int, int], spare: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the rotations of a picture's tokens, which come after the filled caption's, and of a caption's.

    What fills a picture up stands at the origin.
    """
    axes = [torch.arange(side, device=places.device) for side in (1, *size)]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, 2)
    after = functional.pad((filled + 1)[:, None, None], (0, 2))
    shown = functional.pad(grid + after, (0, 0, 0, spare))
    said = functional.pad((places + 1)[:, None], (0, 2))
    turned = network.rope_embedder(torch.cat([shown.flatten(0, 1), said]))
    ends = len(filled) * shown.shape[1]
    return (
        turned[:ends].unflatten(0, (len(filled), -1)),
        turned[ends:].expand(len(filled), -1, -1),
    )


def _run(network: Any, layer: Any, *arguments: torch.Tensor | None) -> torch.Tensor:
    checkpointed = torch.is_grad_enabled() and network.gradient_checkpointing
    answer: torch.Tensor = (
        network._gradient_checkpointing_func(layer, *arguments)  # noqa: SLF001 - what its own pass calls
        if checkpointed
        else layer(*arguments)
    )
    return answer
