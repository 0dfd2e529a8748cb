import json
import shutil
from dataclasses import replace
from fnmatch import fnmatch

import pytest

torch = pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from workers.diffusion import random_weights as small
from workers.diffusion.bases import BASES, SDXL, SDXL_INPAINTING, BaseRefused
from workers.diffusion.models import WeightsMissing, WeightsRefused, inspect, load, patterns

# Small weights on disk are told by what they are as real ones are, so small sizes are asked for.
KLEIN = replace(
    BASES["klein"],
    shape={
        "transformer": {"num_attention_heads": 2, "joint_attention_dim": 96},
        "vae": BASES["klein"].shape["vae"],
    },
)


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
    model = load(KLEIN, str(folder), role="sample", where=torch.device("cpu"))
    random = small.pipeline("klein").transformer
    for name, parameter in model.denoiser.named_parameters():
        assert torch.equal(parameter, random.get_parameter(name))
    assert model.revision.startswith("sha256:")
    assert model.base == KLEIN


def test_other_numbers_are_another_revision(folder):
    before = inspect(folder, KLEIN, "sample")
    assert inspect(folder, KLEIN, "sample") == before
    weights = next((folder / "transformer").glob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert inspect(folder, KLEIN, "sample") != before


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "model.ckpt", "transformer/weights.pt", "modeling.py", "vae/x.pkl"]
)
def test_a_folder_with_pickles_or_code_is_refused_unread(folder, name):
    (folder / name).write_bytes(b"\x80\x04")
    with pytest.raises(WeightsRefused, match="could run code"):
        load(KLEIN, str(folder), role="sample")


def test_a_part_with_code_of_its_own_is_refused(folder):
    path = folder / "model_index.json"
    index = json.loads(path.read_text())
    index["transformer"] = ["my_module", "Transformer"]
    path.write_text(json.dumps(index))
    with pytest.raises(WeightsRefused, match="code of its own"):
        load(KLEIN, str(folder), role="sample")


def test_another_model_is_refused_by_name(folder):
    with pytest.raises(WeightsRefused, match="holds a Flux2KleinPipeline, not Stable Diffusion XL"):
        load(SDXL, str(folder), role="sample")


@pytest.mark.parametrize("damage", ["cut", "header", "empty"])
def test_damaged_weights_are_refused_with_the_file(folder, damage):
    weights = next((folder / "transformer").glob("*.safetensors"))
    content = weights.read_bytes()
    weights.write_bytes(
        {"cut": content[:-10], "header": (1 << 60).to_bytes(8, "little") + content[8:], "empty": b""}[damage]
    )
    with pytest.raises(WeightsRefused, match=f"{weights.name} is damaged"):
        load(KLEIN, str(folder), role="sample")


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


def edit(path, **changes):
    said = json.loads(path.read_text())
    path.write_text(json.dumps(said | changes))


def test_weights_are_told_by_what_they_are_and_not_by_their_folders_name(folder):
    innocent = folder.rename(folder.parent / "photomaker")
    assert inspect(innocent, KLEIN, "sample")
    edit(innocent / "transformer" / "config.json", num_attention_heads=32)
    with pytest.raises(
        WeightsRefused, match=r"is not FLUX.2 \[klein\] 4B: transformer has num_attention_heads 32"
    ):
        inspect(innocent.rename(folder.parent / "klein-4b"), KLEIN, "sample")


def test_the_real_sizes_are_those_of_the_full_random_weights():
    for name, base in BASES.items():
        made = small.SIZES[name]["full"][base.denoiser]
        asked = {key: value for key, value in base.shape[base.denoiser].items() if key in made}
        assert asked
        assert asked == {key: made[key] for key in asked}


@pytest.mark.parametrize(("distilled", "role"), [(True, "train"), (False, "sample")])
def test_neither_is_the_distilled_model_trained_nor_the_base_sampled_in_four_steps(folder, distilled, role):
    edit(folder / "model_index.json", is_distilled=distilled)
    with pytest.raises(
        WeightsRefused, match=f"HEADSHOTS_DIFFUSION_{role.upper()}_MODEL has to name black-forest-labs"
    ):
        inspect(folder, KLEIN, role)
    assert inspect(folder, KLEIN, "sample" if distilled else "train")


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        ("Flux3ModularPipeline", r"US\$5 million"),
        ("StableDiffusion3Pipeline", r"US\$1 million"),
        ("Krea2Pipeline", r"US\$1 million"),
        ("Ideogram4Pipeline", "paid service"),
    ],
)
def test_a_folder_of_a_forbidden_base_is_refused_whatever_it_is_called(folder, stated, why):
    edit(folder / "model_index.json", _class_name=stated)
    with pytest.raises(BaseRefused, match=why):
        inspect(folder, KLEIN, "sample")


def test_only_files_that_are_used_are_fetched():
    def fetched(base, files):
        return [name for name in files if any(fnmatch(name, pattern) for pattern in patterns(base))]

    used = [
        "model_index.json",
        "unet/config.json",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "tokenizer_2/merges.txt",
    ]
    unused = [
        "sd_xl_base_1.0.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
        "unet/model.onnx",
        "vae_1_0/diffusion_pytorch_model.fp16.safetensors",
    ]
    assert fetched(SDXL, used + unused) == used
    shards = [
        "transformer/diffusion_pytorch_model.safetensors",
        "text_encoder/model-00001-of-00002.safetensors",
    ]
    assert fetched(KLEIN, [*shards, "flux-2-klein-4b.safetensors"]) == shards


def test_files_of_a_variant_alone_are_read_as_such(tmp_path):
    pipeline = small.pipeline("sdxl")
    pipeline.save_pretrained(tmp_path, variant="fp16")
    asked = replace(SDXL, shape={"unet": {"in_channels": 4}})
    model = load(asked, str(tmp_path), role="train", where=torch.device("cpu"))
    assert torch.equal(next(model.denoiser.parameters()), next(pipeline.unet.parameters()))


def test_an_inpainting_network_is_told_by_its_nine_channels(tmp_path):
    pipeline = small.pipeline("sdxl", inpainting=True)
    assert pipeline.unet.config.in_channels == 9
    pipeline.save_pretrained(tmp_path / "inpainting", variant="fp16")
    small.pipeline("sdxl").save_pretrained(tmp_path / "base", variant="fp16")
    network = replace(SDXL_INPAINTING, shape={"unet": {"in_channels": 9}})
    model = load(network, str(tmp_path / "inpainting"), role="inpaint", where=torch.device("cpu"))
    assert torch.equal(next(model.denoiser.parameters()), next(pipeline.unet.parameters()))
    with pytest.raises(WeightsRefused, match=r"not Stable Diffusion XL 1.0 Inpainting"):
        inspect(tmp_path / "base", network, "inpaint")
    with pytest.raises(WeightsRefused, match=r"not Stable Diffusion XL 1.0 "):
        inspect(tmp_path / "inpainting", SDXL, "sample")
    index = tmp_path / "base" / "model_index.json"
    edit(index, _class_name="StableDiffusionXLInpaintPipeline")
    with pytest.raises(WeightsRefused, match="unet has in_channels 4, and that has 9"):
        inspect(tmp_path / "base", network, "inpaint")
    with pytest.raises(WeightsMissing, match=r"diffusers/stable-diffusion-xl-1.0-inpainting-0.1"):
        load(SDXL_INPAINTING, "/nowhere", role="inpaint")


# As `KLEIN` above.
Z_IMAGE = replace(
    BASES["z-image"],
    shape={
        "transformer": {"dim": 32, "siglip_feat_dim": None},
        "scheduler": BASES["z-image"].shape["scheduler"],
    },
)


@pytest.fixture(scope="module")
def z_image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights") / "z-image"
    small.pipeline("z-image").save_pretrained(folder)
    return folder


def test_z_image_is_loaded_for_both_and_reads_captions_of_one_length(z_image):
    learner, painter = (
        load(Z_IMAGE, str(z_image), role=role, where=torch.device("cpu")) for role in ("train", "sample")
    )
    assert learner.revision == painter.revision
    assert learner.denoiser.caption_tokens == Z_IMAGE.text_tokens == 128


@pytest.mark.parametrize(
    ("part", "changes", "why"),
    [
        ("scheduler/scheduler_config.json", {"shift": 3.0}, "scheduler has shift 3.0, .* Z-Image-Turbo"),
        ("transformer/config.json", {"siglip_feat_dim": 1152}, "siglip_feat_dim 1152, .* Omni"),
    ],
)
def test_what_looks_like_z_image_and_is_not_is_refused(z_image, tmp_path, part, changes, why):
    folder = shutil.copytree(z_image, tmp_path / "z-image")
    edit(folder / part, **changes)
    with pytest.raises(WeightsRefused, match=f"is not Z-Image: .*{why}"):
        load(Z_IMAGE, str(folder), role="train")


def test_the_full_random_z_image_has_the_schedule_that_is_asked_for():
    made = small.pipeline("z-image").scheduler.config
    assert {name: made[name] for name in ("shift", "use_dynamic_shifting")} == {
        "shift": BASES["z-image"].shape["scheduler"]["shift"],
        "use_dynamic_shifting": False,
    }
