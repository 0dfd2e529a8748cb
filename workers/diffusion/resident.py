"""What a GPU worker keeps for its life: the base loaded twice, for training and for sampling, and warm."""

from __future__ import annotations

import time
from functools import cache
from typing import Final

import numpy as np
import torch

from core.errors import ConfigurationError
from core.logs import logger
from core.settings import diffusion_settings
from workers.diffusion.bases import Base, base_of
from workers.diffusion.examples import Example
from workers.diffusion.models import Model, load
from workers.diffusion.sample import Request, Sampler
from workers.diffusion.train import Trainer

_WARM_STEPS: Final = 2


class Resident:
    """One base, its trainer and its sampler.

    Raises:
        ConfigurationError: the settings name no base, or weights that are missing or refused.
    """

    def __init__(self, base: Base, train: str, sample: str) -> None:
        learner: Model = load(base, train, role="train")
        self.base = learner.base  # tiny models have sizes of their own
        self.is_tiny = learner.is_tiny
        self.trainer = Trainer(learner)
        self.sampler = Sampler(
            load(base, sample, role="sample"),
            trained_on=learner.revision,
            on_halved=lambda size: logger().warning("batch_halved", size=size),
        )

    @property
    def revision(self) -> str:
        """What adapters are trained on."""
        return self.trainer.model.revision

    def warm(self) -> None:
        """Train and sample once on noise, so that the first person waits for no compiler."""
        began = time.perf_counter()
        side = self.base.side
        noise = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
        example = Example("warm", noise, np.ones((side, side), np.float32), "a photo", flipped=False)
        self.trainer.train([example], 0, steps=_WARM_STEPS)
        full = [Request("a photo", seed) for seed in range(self.sampler.batch)]
        for _ in self.sampler.sample(full):
            pass
        logger().info("diffusion_warm", seconds=round(time.perf_counter() - began, 1))

    def memory(self) -> tuple[int, int]:
        """Return used and total bytes of the GPU; zeros without one."""
        if not torch.cuda.is_available():
            return 0, 0
        free, total = torch.cuda.mem_get_info()
        return total - free, total


@cache
def resident() -> Resident:
    """Return this process's base, loaded once.

    Raises:
        ConfigurationError: see `Resident`.
    """
    found = diffusion_settings()
    if not found.diffusion_base:
        raise ConfigurationError(
            "HEADSHOTS_DIFFUSION_BASE is not set, so this worker cannot make pictures. Set it to klein or sdxl."
        )
    missing = [
        f"HEADSHOTS_DIFFUSION_{role}_MODEL"
        for role, value in (("TRAIN", found.diffusion_train_model), ("SAMPLE", found.diffusion_sample_model))
        if not value
    ]
    if missing:
        base = base_of(found.diffusion_base)
        raise ConfigurationError(
            f"{' and '.join(missing)} must name a folder or a pinned hub id. Train on {base.train.repository}, sample with "
            f"{base.sample.repository} (about {base.train.gigabytes:g} GB each, {base.licence}, {base.licence_url})."
        )
    return Resident(base_of(found.diffusion_base), found.diffusion_train_model, found.diffusion_sample_model)
