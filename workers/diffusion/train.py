"""The resident trainer: base, graph and optimiser stay; each person starts from fresh numbers in place.

A step's chance (order, noise, time, dropped caption) comes from seed and step alone, so that training that
goes on from a checkpoint ends where uninterrupted training ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from peft import LoraConfig
from torch.nn import functional

from workers.diffusion.adapters import DOWN, UP, Adapter, Facts, Weight
from workers.diffusion.bank import targeted
from workers.diffusion.bases import Base
from workers.diffusion.lessons import STRIDE, Kept, Lessons, prepare
from workers.diffusion.levels import LevelLoss, Levels
from workers.diffusion.models import Model
from workers.diffusion.picture import Example
from workers.diffusion.recipes import Recipe, Texts, recipe_of
from workers.diffusion.state import state_bytes, state_of
from workers.diffusion.worn import Worn

_NAME: Final = "person"
# The last step is often not the best (docs/sources.md, Training), so some before it are kept for the identity gate.
_KEPT_AT: Final = (0.5, 0.67, 0.83, 1.0)
_NO_CAPTION: Final = 0.05  # of the steps learn without words (docs/sources.md, Training)
_KEEP_EVERY: Final = 3  # one step in so many of a look holds the base to what it says without the look's word
_KEPT_ANSWERS: Final = 32  # of the base
_CLIP: Final = 1.0  # gradient norm, the diffusers trainers' default


class Stopped(Exception):
    """The caller asked to stop; nothing of the person is left in the trainer."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where training stands."""

    done: int
    total: int
    loss: float | None  # told now and then: reading it waits for the GPU
    seconds_left: float  # from this run's own pace


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """Some adapters on the way, the last one last, and the loss by noise level."""

    checkpoints: tuple[Adapter, ...]
    seconds: float
    levels: tuple[LevelLoss, ...]


def _never() -> bool:
    return False


def _unheard(_step: Step) -> None:
    pass


class Trainer:
    """Trains one person after another on one loaded base.

    An adapter of a lower rank is trained in the same place: what of it stays zero has zero gradients, so it
    never learns, and it is left out of the result. Nothing is compiled anew for it.

    Args:
        model: The base. Its denoiser gets a low-rank adapter for good.
        rank: The highest of an adapter; a person's by default.
        compiled: Compile the denoiser; by default on a GPU, where it pays within one person.
    """

    def __init__(self, model: Model, *, rank: int | None = None, compiled: bool | None = None) -> None:
        self.model = model
        self.rank = rank or model.base.rank
        self._recipe: Recipe = recipe_of(model)
        self._denoiser: Any = model.denoiser
        layers = list(targeted(model.denoiser, model.base.targets))
        config = LoraConfig(
            r=self.rank, lora_alpha=self.rank, target_modules=layers, init_lora_weights="gaussian"
        )
        self._denoiser.add_adapter(config, adapter_name=_NAME)
        self._learning = {
            name: parameter
            for name, parameter in self._denoiser.named_parameters()
            if parameter.requires_grad
        }
        for parameter in self._learning.values():
            parameter.data = parameter.data.float()
        self._levels = Levels(model.device)
        self._optimizer = torch.optim.AdamW(
            self._learning.values(),
            lr=model.base.learning_rate,
            weight_decay=1e-4,
            fused=model.device.type == "cuda",
        )
        on_gpu = model.device.type == "cuda"
        self._call: Any = (
            torch.compile(self._denoiser) if (on_gpu if compiled is None else compiled) else self._denoiser
        )

    def train(
        self,
        examples: Sequence[Example],
        seed: int,
        *,
        steps: int | None = None,
        kind: str = "person",
        photos: tuple[str, ...] = (),
        held_out: tuple[str, ...] = (),
        on_step: Callable[[Step], None] = _unheard,
        stop: Callable[[], bool] = _never,
        keep: Callable[[bytes], None] | None = None,
        resume: bytes | None = None,
    ) -> Trained:
        """Train a fresh adapter.

        Args:
            examples: What to learn; all of one base side, any bucket.
            seed: Start and every step's chance.
            steps: Optimiser steps; the base's by default.
            kind: `person` or `style`.
            photos: Ids of what is learnt from, for the adapter's facts.
            held_out: Ids of what must not be learnt from.
            on_step: Told after each step.
            stop: Asked before each step.
            keep: Given the training state once, at the first checkpoint, to go on from after a crash.
            resume: Such a state; ignored where it is another person's, seed's or base's.

        Raises:
            ValueError: no examples.
            Stopped: `stop` said so.
        """
        if not examples:
            raise ValueError("nothing to learn from")
        base = self.model.base
        total = steps or (base.style_steps if kind == "style" else base.steps)
        rank = min(base.style_rank, self.rank) if kind == "style" else self.rank
        facts = Facts(
            kind=kind,
            base=base.name,
            revision=self.model.revision,
            rank=rank,
            alpha=rank,
            steps=total,
            seed=seed,
            photos=photos,
            held_out=held_out,
            worn=Worn.mostly([one.worn for one in examples]),
        )
        try:
            lessons = prepare(self._recipe, examples)
            self.reset(seed, facts.rank)
            if kind == "style":
                self._ask_base(lessons, seed)
            for group in self._optimizer.param_groups:
                group["lr"] = base.style_learning_rate if kind == "style" else base.learning_rate
            done, points = self._continue(resume, facts)
            return self._run(lessons, facts, done, points, on_step, stop, keep)
        finally:
            self.forget()

    def teach_at(self, base: Base) -> None:
        """Learn from now on at the noise levels of `base`, which is the loaded one but for these."""
        self._recipe = recipe_of(replace(self.model, base=base))

    def reset(self, seed: int, rank: int | None = None) -> None:
        """Start afresh in place: Gaussian down, zero up and beyond `rank`, an optimiser without memory."""
        self.forget()
        chance = torch.Generator().manual_seed(seed)
        rank = rank or self.rank
        with torch.no_grad():
            for name, parameter in self._learning.items():
                if ".lora_A." in name:
                    start = torch.randn((rank, parameter.shape[1]), generator=chance) / rank
                    parameter[:rank].copy_(start)

    def forget(self) -> None:
        """Overwrite everything learnt, so that nothing of a person stays in memory."""
        with torch.no_grad():
            for parameter in self._learning.values():
                parameter.zero_()
                parameter.grad = None
                for value in self._optimizer.state.get(parameter, {}).values():
                    value.zero_()

    @torch.no_grad()
    def loss(self, examples: Sequence[Example], adapter: Adapter | None = None, *, draws: int = 8) -> float:
        """Return the mean loss on examples, on the same noise and times whatever the adapter."""
        lessons = prepare(self._recipe, examples)
        self.forget()
        if adapter is not None:
            self._load(adapter.weights)
        losses = []
        for index in range(len(examples)):
            for draw in range(draws):
                chance = self._chance(977, index * draws + draw)
                losses.append(self._lesson_loss(lessons, index, chance, words=True)[0])
        self.forget()
        return float(torch.stack(losses).mean())

    def adapter(self, facts: Facts) -> Adapter:
        """Return a copy of what is learnt now."""
        return Adapter(self._weights(facts.rank), facts)

    # --- one run ------------------------------------------------------------------------------------------

    def _run(
        self,
        lessons: Lessons,
        facts: Facts,
        done: int,
        points: list[Adapter],
        on_step: Callable[[Step], None],
        stop: Callable[[], bool],
        keep: Callable[[bytes], None] | None,
    ) -> Trained:
        total = facts.steps
        kept_at = {max(1, round(share * total)) for share in _KEPT_AT}
        began, first = time.perf_counter(), done
        self._levels.clear()
        for step in range(done, total):
            if stop():
                raise Stopped
            loss, level = self._step(lessons, facts.seed, step)
            self._levels.add(loss, level, late=2 * step >= total)
            now = step + 1
            if now in kept_at:
                if now == min(kept_at) < total:
                    # One state, since sealing one holds up the person's own page: half of a run is soon done again.
                    state = self._halve(facts.rank)
                    if keep is not None:
                        keep(state_bytes(state, facts, now))
                points.append(self.adapter(facts.model_copy(update={"steps": now})))
            pace = (time.perf_counter() - began) / (now - first)
            heard = float(loss) if now % 25 == 0 or now == total else None
            on_step(Step(now, total, heard, pace * (total - now)))
        return Trained(tuple(points), time.perf_counter() - began, self._levels.read())

    def _step(self, lessons: Lessons, seed: int, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Take one step and return its loss and noise level."""
        chance = self._chance(seed, step)
        words = torch.rand((), generator=torch.Generator().manual_seed(seed * STRIDE + step)) >= _NO_CAPTION
        index = lessons.turn(seed, step)
        try:
            if lessons.kept and step % _KEEP_EVERY == _KEEP_EVERY - 1:
                loss, level = self._kept_loss(lessons.kept[step // _KEEP_EVERY % len(lessons.kept)])
            else:
                # A look must not be learned without its word.
                loss, level = self._lesson_loss(
                    lessons, index, chance, words=bool(words) or bool(lessons.kept)
                )
            loss.backward()
        except torch.cuda.OutOfMemoryError:
            # Only when memory asks: recomputing activations adds 36 to 46 % of work (docs/sources.md, Training).
            self._optimizer.zero_grad(set_to_none=True)
            torch.cuda.empty_cache()
            if self._denoiser.is_gradient_checkpointing:
                raise
            self._denoiser.enable_gradient_checkpointing()
            return self._step(lessons, seed, step)
        torch.nn.utils.clip_grad_norm_(self._learning.values(), _CLIP)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return loss.detach(), level

    def _kept_loss(self, kept: Kept) -> tuple[torch.Tensor, torch.Tensor]:
        said = self._said(kept.noisy, kept.step, kept.texts)
        return functional.mse_loss(said.float(), kept.said.float()), self._recipe.level(kept.step)

    @torch.no_grad()
    def _ask_base(self, lessons: Lessons, seed: int) -> None:
        """Write down what the base says without the word: nothing is learned yet, so the network is the base."""
        for number in range(_KEPT_ANSWERS):
            index = number % len(lessons.clean)
            noisy, step, _ = self._noised(lessons.clean[index], self._chance(seed, -1 - number))
            texts = lessons.plain.pick(number % len(lessons.plain.tokens))
            lessons.kept.append(Kept(noisy, step, texts, self._said(noisy, step, texts)))

    def _said(
        self, noisy: torch.Tensor, step: torch.Tensor, texts: Texts, original: tuple[int, int] | None = None
    ) -> torch.Tensor:
        with torch.autocast(noisy.device.type, torch.bfloat16, enabled=noisy.device.type == "cuda"):
            return self._recipe.predict(self._call, noisy, step, texts, original)

    def _noised(
        self, clean: torch.Tensor, chance: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        noise = torch.randn(clean.shape, generator=chance, device=clean.device, dtype=torch.float32)
        where = torch.randn(len(clean), generator=chance, device=clean.device, dtype=torch.float32)
        return self._recipe.lesson(clean, noise, where)

    def _lesson_loss(
        self, lessons: Lessons, index: int, chance: torch.Generator, *, words: bool
    ) -> tuple[torch.Tensor, torch.Tensor]:
        clean, mask = lessons.clean[index], lessons.masks[index]
        noisy, step, target = self._noised(clean, chance)
        texts = lessons.texts.pick(index) if words else lessons.nothing
        said = self._said(noisy, step, texts, lessons.originals[index])
        error = functional.mse_loss(said.float(), target.float(), reduction="none")
        return (error * mask).mean(), self._recipe.level(step)

    def _chance(self, seed: int, step: int) -> torch.Generator:
        return torch.Generator(self.model.device).manual_seed(seed * STRIDE + step)

    # --- weights and states -------------------------------------------------------------------------------

    def _weights(self, rank: int) -> dict[str, Weight]:
        return {
            _public(name): _part_of(name, parameter.detach(), rank).float().cpu().numpy().copy()
            for name, parameter in self._learning.items()
        }

    @torch.no_grad()
    def _load(self, weights: Any) -> None:
        for name, parameter in self._learning.items():
            _put(name, parameter, torch.from_numpy(weights[_public(name)]))

    def _learned(self, rank: int) -> dict[str, torch.Tensor]:
        """Return what a run has learned so far, with the optimiser's sense of scale, as views."""
        found = {}
        for name, parameter in self._learning.items():
            scale = self._optimizer.state[parameter]["exp_avg_sq"]
            for part, whole in (("now", parameter.detach()), ("scale", scale)):
                found[f"{part}/{_public(name)}"] = _part_of(name, whole, rank)
        return found

    @torch.no_grad()
    def _halve(self, rank: int) -> dict[str, torch.Tensor]:
        """Round what is learned to bf16, in place, so that whoever goes on from the sealed state ends the same.

        The optimiser's momentum starts anew, which takes it ten steps: a third of the state is not worth that.
        """
        found = {name: value.bfloat16() for name, value in self._learned(rank).items()}
        for name, value in self._learned(rank).items():
            value.copy_(found[name])
        for parameter in self._learning.values():
            self._optimizer.state[parameter]["exp_avg"].zero_()
        return found

    @torch.no_grad()
    def _continue(self, resume: bytes | None, facts: Facts) -> tuple[int, list[Adapter]]:
        state = state_of(resume, facts) if resume is not None else None
        if state is None:
            return 0, []
        done, found = state
        for name, parameter in self._learning.items():
            memory = self._optimizer.state[parameter]
            memory["step"] = torch.tensor(
                float(done), device=parameter.device if parameter.device.type == "cuda" else "cpu"
            )
            for part in ("exp_avg", "exp_avg_sq"):
                memory.setdefault(part, torch.zeros_like(parameter)).zero_()
            _put(name, memory["exp_avg_sq"], found[f"scale/{_public(name)}"].float())
            _put(name, parameter, found[f"now/{_public(name)}"].float())
        return done, [self.adapter(facts.model_copy(update={"steps": done}))]


def _part_of(name: str, whole: torch.Tensor, rank: int) -> torch.Tensor:
    """Return what of a parameter, or of the optimiser's memory of it, an adapter of this rank has."""
    return whole[:rank] if ".lora_A." in name else whole[:, :rank]


def _put(name: str, whole: torch.Tensor, value: torch.Tensor) -> None:
    """Write that part, and zeros beyond it."""
    rank = value.shape[0] if ".lora_A." in name else value.shape[1]
    whole.zero_()
    _part_of(name, whole, rank).copy_(value)


def _public(name: str) -> str:
    """Turn peft's name of a parameter into an adapter's: without the name of the slot."""
    return name.replace(f".lora_A.{_NAME}.weight", DOWN).replace(f".lora_B.{_NAME}.weight", UP)
