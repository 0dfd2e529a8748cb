"""What a GPU worker keeps for its life: the base loaded twice, for training and for sampling, and warm."""

from __future__ import annotations

import time
from functools import cache
from typing import Any, Final

import numpy as np
import torch

from core.errors import ConfigurationError
from core.logs import logger
from core.settings import diffusion_settings
from workers.diffusion.bases import BASES, INPAINTING, Base, base_of
from workers.diffusion.models import Model, load
from workers.diffusion.picture import Example, buckets, sides_up_to
from workers.diffusion.sample import REFERENCES, Request, Sampler
from workers.diffusion.train import Trainer

_SPARE_GRAPHS: Final = 16  # of sampling: batches, references, inpainting


class Resident:
    """One base, its trainer and its samplers.

    Attributes:
        base: With its model's own sizes.
        trainer: Learns people and looks.
        sampler: Makes pictures.
        painter: Paints clothes: the sampler, or one of its own where the base does not see what it paints beside. A
            company's look is loaded into either, since their layers have the same names and sizes.

    Raises:
        ConfigurationError: the settings name no base, or weights that are missing, refused or of no use.
    """

    def __init__(
        self, base: Base, train: str, sample: str, inpaint: str = "", *, compiled: bool | None = None
    ) -> None:
        network = INPAINTING.get(base.name) if inpaint else None
        if inpaint and network is None:
            raise ConfigurationError(
                f"HEADSHOTS_DIFFUSION_INPAINT_MODEL is set, and {base.title} "
                f"{'paints clothes by itself' if base.repaints else 'cannot use one'}. Remove it."
            )
        if torch.cuda.is_available():
            demand_memory(base, torch.cuda.mem_get_info()[1], network.gigabytes if network else 0.0)
        learner: Model = load(base, train, role="train")
        self.base = learner.base  # tiny models have sizes of their own
        self.is_tiny = learner.is_tiny
        # A graph for each shape, with gradients and without; below that dynamo gives up compiling without a word.
        dynamo: Any = torch._dynamo.config  # noqa: SLF001 - the documented place
        dynamo.recompile_limit = max(dynamo.recompile_limit, 4 * len(self._shapes()) + _SPARE_GRAPHS)
        self.trainer = Trainer(learner, compiled=compiled)
        self.sampler = Sampler(
            load(base, sample, role="sample", beside=learner),
            trained_on=learner.revision,
            compiled=compiled,
            on_halved=lambda size: logger().warning("batch_halved", size=size),
        )
        self.painter = self.sampler
        if network is not None:
            self.painter = Sampler(
                load(network, inpaint, role="inpaint", beside=learner),
                trained_on=learner.revision,
                batch=1,
                compiled=compiled,
            )

    def _shapes(self) -> list[tuple[int, int]]:
        """Return widths and heights of all training pictures."""
        return [size for side in sides_up_to(self.base.side) for size in buckets(side)]

    def forget(self) -> None:
        """Overwrite every slot of every sampler."""
        for sampler in {self.sampler, self.painter}:
            sampler.forget()

    @property
    def revision(self) -> str:
        """What adapters are trained on."""
        return self.trainer.model.revision

    def warm(self) -> None:
        """Train and sample on noise in every shape that occurs, so that the first person waits for no compiler."""
        began = time.perf_counter()
        chance = np.random.default_rng(0)
        examples = [
            Example(
                "warm",
                chance.integers(0, 255, (height, width, 3), np.uint8),
                np.ones((height, width), np.float32),
                "a photo",
                flipped=False,
            )
            for width, height in self._shapes()
        ]
        self.trainer.train(examples, 0, steps=max(2, len(examples)))
        self.trainer.train(examples, 0, steps=max(3, len(examples)), kind="style")
        side = self.base.reference_side
        face = chance.integers(0, 255, (self.base.sample_side, self.base.sample_side, 3), np.uint8)
        shown = [chance.integers(0, 255, (side, side, 3), np.uint8)] * (
            REFERENCES if self.base.references else 0
        )
        for beside in range(len(shown) + 1):
            for count in dict.fromkeys((self.sampler.fits(beside), 2, 1)):
                for _ in self.sampler.sample(
                    [Request("a photo", seed) for seed in range(count)], shown[:beside]
                ):
                    pass
            self.sampler.refine(face, Request("a photo", 0), shown[:beside])
        painter = self.painter.model.base
        if painter.repaints:
            frame = chance.integers(0, 255, (painter.sample_side, painter.sample_side, 3), np.uint8)
            for _ in self.painter.repaint(
                frame, np.ones(frame.shape[:2], np.float32), [Request("a photo", 0)]
            ):
                pass
        used, total = self.memory()
        peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
        logger().info(
            "diffusion_warm",
            seconds=round(time.perf_counter() - began, 1),
            used_gb=round(used / 1e9, 1),
            peak_gb=round(peak / 1e9, 1),
            total_gb=round(total / 1e9, 1),
        )

    def memory(self) -> tuple[int, int]:
        """Return used and total bytes of the GPU; zeros without one."""
        if not torch.cuda.is_available():
            return 0, 0
        free, total = torch.cuda.mem_get_info()
        return total - free, total


def demand_memory(base: Base, total: int, beside: float = 0.0) -> None:
    """Stop before minutes of loading where a GPU is too small.

    Args:
        base: What it has to hold.
        total: The GPU's memory, bytes.
        beside: Gigabytes of another network that it has to hold.

    Raises:
        ConfigurationError: says how much there is and how much is needed.
    """
    needed = base.gigabytes + beside
    if total < needed * 1e9:
        raise ConfigurationError(
            f"This GPU has {total / 1e9:.0f} GB of memory, and {base.title} needs {needed:g} GB to train and sample in "
            "one process. Use one that has more (80 GB are enough for every base); another one is named by `headshots worker "
            "--gpu`."
        )


@cache
def resident() -> Resident:
    """Return this process's base, loaded once.

    Raises:
        ConfigurationError: see `Resident`.
    """
    found = diffusion_settings()
    if not found.diffusion_base:
        raise ConfigurationError(
            "HEADSHOTS_DIFFUSION_BASE is not set, so this worker cannot make pictures. Set it to one of: "
            f"{', '.join(BASES)}."
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
    return Resident(
        base_of(found.diffusion_base),
        found.diffusion_train_model,
        found.diffusion_sample_model,
        found.diffusion_inpaint_model,
    )
