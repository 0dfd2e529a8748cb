import json
import shutil

import pytest

torch = pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from workers.diffusion import random_weights as small
from workers.diffusion.bases import KLEIN, SDXL, BaseRefused
from workers.diffusion.models import WeightsMissing, WeightsRefused, inspect, load


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Klein's layout on disk, as the hub has it."""
    folder = tmp_path_factory.mktemp("weights") / "klein"
    small.pipeline("klein").save_pretrained(folder)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "klein")


def test_a_folder_in_diffusers_layout_is_loaded_offline(folder, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = load(KLEIN, str(folder), role="train", where=torch.device("cpu"))
    random = small.pipeline("klein").transformer
    for name, parameter in model.denoiser.named_parameters():
        assert torch.equal(parameter, random.get_parameter(name))
    assert model.revision.startswith("sha256:")
    assert model.base == KLEIN


def test_other_numbers_are_another_revision(folder):
    before = inspect(folder, KLEIN)
    assert inspect(folder, KLEIN) == before
    weights = next((folder / "transformer").glob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert inspect(folder, KLEIN) != before


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "model.ckpt", "transformer/weights.pt", "modeling.py", "vae/x.pkl"]
)
def test_a_folder_with_pickles_or_code_is_refused_unread(folder, name):
    (folder / name).write_bytes(b"\x80\x04")
    with pytest.raises(WeightsRefused, match="could run code"):
        load(KLEIN, str(folder), role="train")


def test_a_part_with_code_of_its_own_is_refused(folder):
    path = folder / "model_index.json"
    index = json.loads(path.read_text())
    index["transformer"] = ["my_module", "Transformer"]
    path.write_text(json.dumps(index))
    with pytest.raises(WeightsRefused, match="code of its own"):
        load(KLEIN, str(folder), role="train")


def test_another_model_is_refused_by_name(folder):
    with pytest.raises(WeightsRefused, match="holds a Flux2KleinPipeline, not Stable Diffusion XL"):
        load(SDXL, str(folder), role="train")


@pytest.mark.parametrize("damage", ["cut", "header", "empty"])
def test_damaged_weights_are_refused_with_the_file(folder, damage):
    weights = next((folder / "transformer").glob("*.safetensors"))
    content = weights.read_bytes()
    weights.write_bytes(
        {"cut": content[:-10], "header": (1 << 60).to_bytes(8, "little") + content[8:], "empty": b""}[damage]
    )
    with pytest.raises(WeightsRefused, match=f"{weights.name} is damaged"):
        load(KLEIN, str(folder), role="train")


def test_missing_weights_say_what_to_fetch_how_large_and_under_which_licence():
    with pytest.raises(WeightsMissing) as caught:
        load(KLEIN, "/nowhere/klein", role="train")
    for fact in ("black-forest-labs/FLUX.2-klein-base-4B", "16 GB", "Apache-2.0", "https://"):
        assert fact in caught.value.message


def test_a_hub_id_without_its_commit_is_not_fetched():
    with pytest.raises(WeightsMissing, match="no pinned hub id"):
        load(SDXL, "stabilityai/stable-diffusion-xl-base-1.0", role="sample")


def test_weights_that_are_not_here_and_cannot_be_fetched_say_so(monkeypatch, tmp_path):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsMissing, match=r"cannot be fetched.*7 GB"):
        load(SDXL, f"stabilityai/stable-diffusion-xl-base-1.0@{'0' * 40}", role="sample")


def test_a_forbidden_base_is_refused_before_anything_is_looked_at():
    with pytest.raises(BaseRefused):
        load(KLEIN, "black-forest-labs/FLUX.1-dev@" + "0" * 40, role="train")
