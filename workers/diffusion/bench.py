"""What this machine needs to train and to sample, beside what physics allows on an H200.

`python -m workers.diffusion.bench` runs where nothing but torch, transformers, diffusers, peft, numpy and pydantic is
installed; `headshots bench diffusion` adds a whole person. Each row is told as soon as it is known, and one that fails
does not keep the others.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
import torch
from torch.nn import functional

from workers.diffusion.adapters import DOWN, UP, Adapter, Facts
from workers.diffusion.bank import targeted
from workers.diffusion.bases import FULL, KLEIN, SDXL, TINY, Z_IMAGE, Base
from workers.diffusion.lessons import prepare
from workers.diffusion.models import Model, load
from workers.diffusion.picture import Example
from workers.diffusion.recipes import recipe_of
from workers.diffusion.sample import Request, Sampler
from workers.diffusion.train import Trainer

Report = Callable[[dict[str, Any], str], None]

_PICTURES: Final = 40
_SWAPS: Final = 1000
_ROUNDS: Final = 5  # the fastest counts: others on the machine only ever make it slower
_TIMED: Final = 20  # steps after as many to warm up
_SWAP_REACH: Final = 0.05  # seconds
_SEVERAL_REACH: Final = 10.0  # % slower
_FASTER_REACH: Final = 2.0  # times the plain step, on a GPU
_RATIO_STEPS: Final = 4  # of a picture, where two ways are compared that differ in each step
_STEPS: Final = 100  # timed of a person's training, and
_PAINTED: Final = 16  # of the pictures; the rest takes as long again
_FACES: Final = 8
_MINUTES: Final = 8.0  # after which no further row begins


@dataclass(frozen=True, slots=True)
class _Target:
    """A job at full size; seconds on one H200 (989 TFLOP/s dense bf16; docs/sources.md, Speed)."""

    base: Base
    train_limit: float
    train_reach: float
    sample_limit: float
    sample_reach: float


# The slowest comes last, so that it is what a short time leaves out.
_TARGETS: Final = (
    _Target(SDXL, 14.3, 45.0, 16.8, 45.0),
    _Target(KLEIN, 34.0, 100.0, 5.6, 16.0),
    _Target(Z_IMAGE, 129.0, 380.0, 129.0, 380.0),
)


def bench(report: Report, minutes: float = _MINUTES) -> None:
    """Time training, sampling, swapping and batching; at full size where there is a GPU.

    Args:
        report: Told each figure.
        minutes: After which no further row begins.
    """
    on_gpu = torch.cuda.is_available()
    source = FULL if on_gpu else TINY
    name = torch.cuda.get_device_name() if on_gpu else "no GPU"
    report({"gpu": name, "torch": torch.__version__}, f"{name}, torch {torch.__version__}")
    rows: list[tuple[str, Callable[[], None]]] = []
    for one in _TARGETS:
        if on_gpu:
            rows.append((_training(one.base), partial(_full_training, report, one)))
            rows.append((_sampling(one.base), partial(_full_sampling, report, one)))
        else:
            _skip(report, _training(one.base), one.train_limit, one.train_reach)
            _skip(report, _sampling(one.base), one.sample_limit, one.sample_reach)
        where = one.base.title if on_gpu else f"{one.base.title}, small random model on the CPU"
        rows.append((f"{where}: steps a second", partial(_against_plain, report, one.base, source, where)))
        rows.append(
            (f"{where}: batches, swaps and faces", partial(_batches, report, one.base, source, where))
        )
    run_rows(report, rows, minutes)


def run_rows(report: Report, rows: Sequence[tuple[str, Callable[[], None]]], minutes: float) -> None:
    """Run one row after another: one that fails is told and passed over, one beyond the time is not begun.

    Args:
        report: Told what came of each that gives no figure.
        rows: Name and work of each.
        minutes: From now.
    """
    ends = time.monotonic() + 60 * minutes
    for name, row in rows:
        if time.monotonic() > ends:
            report(
                {"figure": name, "skipped": "out of time"}, f"{name}: not begun, {minutes:g} minutes are over"
            )
            continue
        try:
            row()
        except Exception as error:  # noqa: BLE001 - a machine is at hand for minutes: the other rows count
            said = (str(error).strip().splitlines() or [""])[0][:200]
            report(
                {"figure": name, "failed": type(error).__name__, "error": said},
                f"{name}: failed, {type(error).__name__}: {said}",
            )
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()


def _skip(report: Report, what: str, limit: float, reach: float) -> None:
    report(
        {"figure": what, "limit_seconds": limit, "reach_seconds": reach, "skipped": "no GPU"},
        f"{what}: skipped, there is no GPU here (limit {limit:g} s, to reach ≤ {reach:g} s)",
    )


def _training(base: Base) -> str:
    return f"{base.title} LoRA, rank {base.rank}, {base.steps} steps, {base.side}²"


def _sampling(base: Base) -> str:
    return f"{_PICTURES} pictures of {base.title}, {base.sample_steps} steps, {base.sample_side}²"


def _full_training(report: Report, target: _Target) -> None:
    base = target.base
    trainer = Trainer(load(base, FULL, role="train"))
    example = _example(base)
    compiling = _seconds(lambda: trainer.train([example], 0, steps=_TIMED))
    trained = trainer.train([example], 1, steps=_STEPS)
    seconds = trained.seconds * base.steps / _STEPS
    _limit(report, _training(base), seconds, target.train_limit, target.train_reach, f"from {_STEPS} steps")
    _memory(report, f"training {base.title}", compiling)


def _full_sampling(report: Report, target: _Target) -> None:
    base = target.base
    sampler = Sampler(load(base, FULL, role="sample"))
    asked = [Request("a portrait", seed) for seed in range(_PAINTED)]
    compiling = _seconds(lambda: list(sampler.sample(asked[: sampler.batch])))
    seconds = _painting(sampler, asked) * _PICTURES / _PAINTED
    _limit(
        report,
        _sampling(base),
        seconds,
        target.sample_limit,
        target.sample_reach,
        f"from {_PAINTED} pictures",
    )
    _memory(report, f"sampling {base.title}", compiling)


def _memory(report: Report, what: str, compiling: float) -> None:
    peak = torch.cuda.max_memory_allocated() / 2**30
    report(
        {"figure": f"peak memory of {what}", "gib": round(peak, 1), "first_seconds": round(compiling, 1)},
        f"  peak memory {peak:.1f} GiB; the first run, with the compiler, took {compiling:.0f} s",
    )


def _limit(report: Report, what: str, seconds: float, limit: float, reach: float, measured: str) -> None:
    share = 100 * limit / seconds
    report(
        {
            "figure": what,
            "seconds": round(seconds, 2),
            "measured": measured,
            "limit_seconds": limit,
            "share_of_limit_percent": round(share),
            "reach_seconds": reach,
        },
        f"{what}: {seconds:.1f} s, {measured}; limit {limit:g} s, {share:.0f} % of it (to reach ≤ {reach:g} s)",
    )


def _batches(report: Report, base: Base, source: str, where: str) -> None:
    """Figures that are ratios, and so mean something with small models too."""
    whole = load(base, source, role="sample")
    model = replace(whole, base=replace(whole.base, sample_steps=_RATIO_STEPS))
    people = [_random_adapter(model, seed) for seed in range(8)]
    on_gpu = source == FULL
    # On a CPU no compiler is asked for: what counts is whether the graph would be made anew.
    sampler = Sampler(model, compiled=on_gpu)
    denoiser: Any = model.denoiser
    if not on_gpu:
        denoiser.forward = torch.compile(denoiser.forward, backend="eager")
    for slot, person in enumerate(people, 1):
        sampler.load(slot, person)
    same = [Request("a portrait", seed, 1) for seed in range(sampler.batch)]
    several = [Request("a portrait", seed, 1 + seed) for seed in range(sampler.batch)]
    list(sampler.sample(same))
    one, eight = (min(_painting(sampler, asked) for _ in range(_ROUNDS)) for asked in (same, several))
    slower = 100 * (eight / one - 1)
    report(
        {
            "figure": "batch of 8 people against 8 of one",
            "slower_percent": round(slower, 1),
            "base": base.name,
        },
        f"{where}: a batch of 8 people is {slower:+.1f} % slower than 8 of one (to reach ≤ {_SEVERAL_REACH:g})",
    )
    with torch._dynamo.config.patch(error_on_recompile=True):  # noqa: SLF001 - the documented way
        list(sampler.sample(several[:1] * sampler.batch))
        began = time.perf_counter()
        for swap in range(_SWAPS):
            sampler.load(1 + swap % 8, people[swap % 7])
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        each = (time.perf_counter() - began) / _SWAPS
        list(sampler.sample(several))
    report(
        {
            "figure": "swap",
            "milliseconds": round(1000 * each, 2),
            "swaps": _SWAPS,
            "recompiles": 0,
            "base": base.name,
        },
        f"{where}: a person is swapped in {1000 * each:.1f} ms, 0 recompiles in {_SWAPS} swaps "
        f"(to reach ≤ {1000 * _SWAP_REACH:g} ms)",
    )
    _faces(report, sampler, whole, where)


def _faces(report: Report, sampler: Sampler, whole: Model, where: str) -> None:
    """Time painting a face anew, as every picture gets that may be delivered; encoding and decoding included.

    Args:
        report: Told the row.
        sampler: With somebody in slot 1.
        whole: Its model with as many steps as a picture takes: how many a face takes of them is no ratio.
        where: Names the base and the machine.
    """
    base = whole.base
    sampler.paint_as(base)
    face = _example(base).pixels
    sampler.refine(face, Request("a portrait", 0, 1))
    with torch._dynamo.config.patch(error_on_recompile=True):  # noqa: SLF001 - the documented way
        took = [
            _seconds(partial(sampler.refine, face, Request("a portrait", seed, 1))) for seed in range(_FACES)
        ]
    each = min(took)
    report(
        {"figure": "a face painted anew", "seconds": round(each, 3), "base": base.name},
        f"{where}: a face is painted anew at {base.sample_side}² in {each:.2f} s, the fastest of {_FACES}",
    )


def _against_plain(report: Report, base: Base, source: str, where: str) -> None:
    ours = load(base, source, role="train")
    example = _example(ours.base)
    trainer = Trainer(ours)
    lessons = prepare(recipe_of(ours), [example])
    trainer.reset(0)
    fast = _steps_a_second(lambda step: trainer._step(lessons, 0, step))  # noqa: SLF001 - the step alone is compared
    trainer._call = trainer._denoiser  # noqa: SLF001
    uncompiled = _steps_a_second(lambda step: trainer._step(lessons, 0, step))  # noqa: SLF001
    slow = _steps_a_second(_plain_step(load(base, source, role="train"), example))
    wanted = f" (to reach ≥ {_FASTER_REACH:g} on a GPU)"
    report(
        {
            "figure": "training steps a second",
            "ours": round(fast, 2),
            "ours_uncompiled": round(uncompiled, 2),
            "example_trainer": round(slow, 2),
            "ratio": round(fast / slow, 2),
            "base": base.name,
        },
        f"{where}: {fast:.1f} training steps a second, {fast / slow:.2f} times the plain step’s {slow:.1f}{wanted}; "
        f"uncompiled {uncompiled:.1f}",
    )


def _plain_step(model: Model, example: Example) -> Callable[[int], object]:
    """Return the inner step of diffusers' example trainers with their defaults.

    They encode the picture anew in each step, call the network uncompiled, use AdamW as it comes, and read
    the loss after each step for the progress bar. Rank and shapes are ours, so that the work is the same.
    """
    from peft import LoraConfig

    recipe = recipe_of(model)
    denoiser: Any = model.denoiser
    layers = list(targeted(denoiser, model.base.targets))
    rank = model.base.rank
    denoiser.add_adapter(
        LoraConfig(r=rank, lora_alpha=rank, target_modules=layers, init_lora_weights="gaussian")
    )
    learning = [parameter for parameter in denoiser.parameters() if parameter.requires_grad]
    for parameter in learning:
        parameter.data = parameter.data.float()
    optimizer = torch.optim.AdamW(learning, lr=1e-4, weight_decay=1e-4)
    texts = recipe.texts([example.caption])
    picture = torch.from_numpy(example.pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]

    def step(_number: int) -> float:
        clean = recipe.latents(picture.to(model.device))
        noise = torch.randn_like(clean, dtype=torch.float32)
        noisy, moment, target = recipe.lesson(clean, noise, torch.randn(1, device=clean.device))
        with torch.autocast(clean.device.type, torch.bfloat16, enabled=clean.device.type == "cuda"):
            said = recipe.predict(denoiser, noisy, moment, texts)
        loss = functional.mse_loss(said.float(), target.float())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learning, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return float(loss.detach())

    return step


def _steps_a_second(step: Callable[[int], object]) -> float:
    for number in range(_TIMED):
        step(number)
    return _TIMED / _seconds(lambda: [step(number) for number in range(_TIMED)])


def _seconds(work: Callable[[], object]) -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    began = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - began


def _painting(sampler: Sampler, asked: Sequence[Request]) -> float:
    return _seconds(lambda: list(sampler.sample(asked)))


def _example(base: Base) -> Example:
    noise = np.random.default_rng(0).integers(0, 255, (base.side, base.side, 3), np.uint8)
    mask = np.ones((base.side, base.side), np.float32)
    return Example("bench", noise, mask, "a photo of ohwx person", flipped=False)


def _random_adapter(model: Model, seed: int) -> Adapter:
    rng = np.random.default_rng(seed)
    rank, weights = model.base.rank, {}
    for name, layer in targeted(model.denoiser, model.base.targets).items():
        weights[name + DOWN] = rng.normal(0, 0.01, (rank, layer.in_features)).astype(np.float32)
        weights[name + UP] = rng.normal(0, 0.01, (layer.out_features, rank)).astype(np.float32)
    facts = Facts(
        kind="person",
        base=model.base.name,
        revision=model.revision,
        rank=rank,
        alpha=rank,
        steps=1,
        seed=seed,
    )
    return Adapter(weights, facts)


def _main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description="Time training and sampling on this machine.")
    parser.add_argument("--minutes", type=float, default=_MINUTES, help="after which no further row begins")
    parser.add_argument("--json", action="store_true", help="one object a line instead of text")
    asked = parser.parse_args(arguments)

    def tell(figures: dict[str, Any], text: str) -> None:
        sys.stdout.write((json.dumps(figures) if asked.json else text) + "\n")
        sys.stdout.flush()

    bench(tell, asked.minutes)


if __name__ == "__main__":
    _main(sys.argv[1:])
