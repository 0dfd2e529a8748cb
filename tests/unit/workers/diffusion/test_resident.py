"""One worker on one GPU: what it holds, what it warms, what it refuses."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from functools import partial

import learning
from click.testing import CliRunner
from learning import tiny

from core.errors import ConfigurationError
from deploy.cli.group import main
from workers.diffusion import meter
from workers.diffusion.bases import BASES, KLEIN, SDXL, SDXL_INPAINTING, Z_IMAGE
from workers.diffusion.models import load
from workers.diffusion.picture import Example, buckets
from workers.diffusion.resident import Resident, demand_memory
from workers.diffusion.sample import Request


@pytest.mark.slow
@pytest.mark.parametrize("base", [KLEIN, SDXL, Z_IMAGE])
def test_after_warming_up_nothing_is_compiled_for_the_first_person(monkeypatch, base) -> None:
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    torch._dynamo.reset()
    worker = Resident(base, "tiny", "tiny", compiled=True)
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
    # A person who is trained and shown: whole batches, the rest of them, and a photo that is smaller than a reference.
    side = worker.base.reference_side
    face = chance.integers(0, 255, (300, 300, 3), np.uint8)
    for beside in (1, 2, 3) if worker.base.references else ():
        shown = [
            chance.integers(0, 255, (one, one, 3), np.uint8) for one in (side, side - 32, side - 48)[:beside]
        ]
        asked = [Request("a portrait", seed, 1) for seed in range(2 * worker.sampler.fits(beside) - 1)]
        assert len(list(worker.sampler.sample(asked, shown))) == len(asked)
        worker.sampler.refine(face, Request("a portrait", 5, 1), shown)
    worker.sampler.refine(face, Request("a portrait", 5, 1))
    if worker.painter.model.base.repaints:
        list(worker.painter.repaint(face, np.ones((300, 300), np.float32), [Request("a suit", 2, 1)]))
    assert counters["unique_graphs"] == warm
    torch._dynamo.reset()


def test_one_text_encoder_serves_training_and_sampling() -> None:
    for name in BASES:
        learner = tiny(name)
        painter = load(BASES[name], "tiny", role="sample", beside=learner)
        assert painter.pipeline.text_encoder is learner.pipeline.text_encoder
        assert painter.denoiser is not learner.denoiser


def test_clothes_are_painted_by_a_network_of_their_own_where_the_base_does_not_see_what_it_paints_beside() -> (
    None
):
    worker = Resident(SDXL, "tiny", "tiny", "tiny")
    assert worker.painter is not worker.sampler
    assert worker.painter.model.denoiser.config.in_channels == 9
    assert worker.painter.model.pipeline.text_encoder_2 is worker.trainer.model.pipeline.text_encoder_2
    pictures = [learning.example(np.full((128, 128, 3), (60, 120, 200), np.uint8), "a photo in zwx style")]
    look = worker.trainer.train(pictures, 5, steps=6, kind="style").checkpoints[-1]
    frame, mask = np.full((256, 256, 3), 90, np.uint8), np.ones((256, 256), np.float32)
    painted = []
    for one in (look, None):
        worker.painter.load(1, None, one)
        painted.append(next(worker.painter.repaint(frame, mask, [Request("a suit in zwx style", 3, 1)])))
    assert not np.array_equal(*painted), "a look that the base learned"
    worker.painter.load(1, None, look)
    worker.forget()
    assert not any(layer.up.any() for layer in worker.painter.bank._layers.values())
    assert Resident(KLEIN, "tiny", "tiny").painter.model.base.repaints


def test_a_network_that_nobody_would_use_is_told_before_anything_is_loaded() -> None:
    with pytest.raises(
        ConfigurationError, match=r"HEADSHOTS_DIFFUSION_INPAINT_MODEL is set, and .*by itself"
    ):
        Resident(KLEIN, "/nowhere", "/nowhere", "tiny")


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
    with pytest.raises(
        ConfigurationError, match=r"48 GB of memory, and Z-Image needs 56 GB.*80 GB are enough"
    ):
        demand_memory(Z_IMAGE, 48_000_000_000)
    for base in BASES.values():
        demand_memory(base, 80_000_000_000)
    with pytest.raises(ConfigurationError, match=r"needs 38.5 GB"):
        demand_memory(SDXL, 36_000_000_000, SDXL_INPAINTING.gigabytes)


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
