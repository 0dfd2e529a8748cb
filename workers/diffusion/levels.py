"""Noise levels: at which a flow is trained, and the loss of a run by them; where it does not fall, nothing is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch

_ABOVE: Final = (0.0, 0.25, 0.5, 0.75, 0.9)  # lower ends of the ranges
# The four steps of a picture by klein are at 1.0, 0.967, 0.908 and 0.767.
_UPPER_FROM: Final = 0.75


def flow_levels(where: torch.Tensor, shift: float, upper_share: float) -> torch.Tensor:
    """Turn standard normal numbers into the noise levels that a flow is trained at, 0 to 1.

    Most follow a logit-normal bell, shifted as FLUX was trained; the rest are uniform over the upper end, where a
    few-step sampler decides what a face looks like.

    Args:
        where: Any shape.
        shift: Of the bell; 0 leaves it in the middle.
        upper_share: Of the levels that are uniform over the upper end.
    """
    share = torch.special.ndtr(where.double())
    above = _UPPER_FROM + (1 - _UPPER_FROM) * share / max(upper_share, 1e-6)
    rest = ((share - upper_share) / (1 - upper_share)).clamp(1e-6, 1 - 1e-6)
    bell = torch.sigmoid(torch.special.ndtri(rest) + shift)
    return torch.where(share < upper_share, above, bell).float()


@dataclass(frozen=True, slots=True)
class LevelLoss:
    """What a run said at one range of noise levels.

    Attributes:
        above: Lower end of the range; it ends where the next begins.
        steps: So many steps were there.
        early: Mean loss in the first half of the run; `None` without a step.
        late: In the second half.
    """

    above: float
    steps: int
    early: float | None
    late: float | None


class Levels:
    """Sums on the device: reading a loss at each step would wait for the GPU each time."""

    def __init__(self, device: torch.device) -> None:
        self._told = torch.zeros(
            2, len(_ABOVE), 2, device=device
        )  # half of the run × range × (steps, losses)
        self._edges = torch.tensor(_ABOVE[1:], device=device)

    def clear(self) -> None:
        """Begin a run."""
        self._told.zero_()

    def add(self, loss: torch.Tensor, level: torch.Tensor, *, late: bool) -> None:
        """Count a step.

        Args:
            loss: One number.
            level: How noisy it was, 0 to 1; one number in a batch of one.
            late: In the second half of the run.
        """
        place = torch.bucketize(level, self._edges, right=True)
        self._told[int(late)].index_add_(0, place, torch.stack([loss.new_ones(()), loss])[None])

    def read(self) -> tuple[LevelLoss, ...]:
        """Return what was counted."""
        early, late = self._told.tolist()
        return tuple(
            LevelLoss(above, int(one[0] + other[0]), _mean(one), _mean(other))
            for above, one, other in zip(_ABOVE, early, late, strict=True)
        )


def _mean(part: list[float]) -> float | None:
    return part[1] / part[0] if part[0] else None
