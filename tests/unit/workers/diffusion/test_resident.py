"""One worker on one GPU: what it holds, what it warms, what it refuses."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from functools import partial

from click.testing import CliRunner
from learning import tiny

from core.errors import ConfigurationError
from deploy.cli.group import main
from workers.diffusion import meter
from workers.diffusion.bases import BASES, KLEIN
from workers.diffusion.models import load
from workers.diffusion.picture import Example, buckets
from workers.diffusion.resident import Resident, demand_memory
from workers.diffusion.sample import REFERENCE_SIDE, REFERENCES, Request


@pytest.mark.slow
def test_after_warming_up_nothing_is_compiled_for_the_first_person(monkeypatch) -> None:
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    torch._dynamo.reset()
    worker = Resident(KLEIN, "tiny", "tiny", compiled=True)
    worker.warm()
    counters = torch._dynamo.utils.counters["stats"]
    warm = counters["unique_graphs"]
    assert warm > 4
    chance = np.random.default_rng(1)
    pictures = [
        Example(
            "a",
            chance.integers(0, 255, (height, width, 3), np.uint8),
            np.ones((height, width), np.float32),
            "a photo of ohwx person",
            flipped=False,
        )
        for width, height in buckets(worker.base.side)
    ]
    for kind in ("person", "style"):
        adapter = worker.trainer.train(pictures, 5, steps=6, kind=kind).checkpoints[-1]
    worker.sampler.load(1, adapter)
    for count in (8, 6, 2, 1):
        list(worker.sampler.sample([Request("a portrait", seed, 1) for seed in range(count)]))
    face = chance.integers(0, 255, (300, 300, 3), np.uint8)
    shown = chance.integers(0, 255, (REFERENCE_SIDE, REFERENCE_SIDE, 3), np.uint8)
    for count in range(REFERENCES + 1):
        worker.sampler.refine(face, Request("a portrait", 5, 1), [shown] * count)
    assert counters["unique_graphs"] == warm
    torch._dynamo.reset()


def test_one_text_encoder_serves_training_and_sampling() -> None:
    for name in BASES:
        learner = tiny(name)
        painter = load(BASES[name], "tiny", role="sample", beside=learner)
        assert painter.pipeline.text_encoder is learner.pipeline.text_encoder
        assert painter.denoiser is not learner.denoiser


def test_another_text_encoder_is_loaded_for_itself(tmp_path) -> None:
    from workers.diffusion.models import _fingerprint

    tiny("klein").pipeline.text_encoder.save_pretrained(tmp_path / "one")
    other = tiny("klein").pipeline.text_encoder
    with torch.no_grad():
        next(other.parameters()).add_(1)
    other.save_pretrained(tmp_path / "other")
    tiny("klein").pipeline.text_encoder.save_pretrained(tmp_path / "same")
    one, two, same = (_fingerprint(tmp_path / name) for name in ("one", "other", "same"))
    assert one == same != two


def test_a_gpu_that_is_too_small_says_so_before_anything_is_loaded() -> None:
    with pytest.raises(ConfigurationError, match=r"24 GB of memory, and .*klein.* needs 44 GB"):
        demand_memory(KLEIN, 24_000_000_000)
    for base in BASES.values():
        demand_memory(base, 80_000_000_000)


def test_energy_is_read_of_the_gpu_that_this_process_sees(monkeypatch) -> None:
    asked = []
    library = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByUUID=lambda uuid: asked.append(uuid) or uuid,
        nvmlDeviceGetTotalEnergyConsumption=lambda _handle: 3_600_000 * len(asked),
        NVMLError=RuntimeError,
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: SimpleNamespace(uuid="12-ab"))
    meter._gpu.cache_clear()
    with meter.Meter() as measured:
        pass
    meter._gpu.cache_clear()
    assert asked == ["GPU-12-ab"]
    assert measured.watt_hours == 0


def test_a_worker_is_told_its_gpu_before_torch_looks(monkeypatch) -> None:
    monkeypatch.setattr("deploy.installation.demand", lambda: None)
    seen = {}

    def work(*, burst: bool) -> None:
        import os

        seen.update(os.environ)  # noqa: TID251 - what the worker would see

    monkeypatch.setattr("workers.process.run.work_on_gpu", work)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "")
    done = CliRunner().invoke(main, ["worker", "--engine", "diffusion", "--gpu", "1"])
    assert done.exit_code == 0, done.output
    assert (seen["CUDA_VISIBLE_DEVICES"], seen["CUDA_DEVICE_ORDER"]) == ("1", "PCI_BUS_ID")
    refused = CliRunner().invoke(main, ["worker", "--gpu", "1"])
    assert refused.exit_code == 2
    assert "--engine diffusion" in refused.output
