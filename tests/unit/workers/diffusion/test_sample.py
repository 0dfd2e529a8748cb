import numpy as np
import pytest
from skimage import data

torch = pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from dataclasses import replace

from learning import example, tiny
from PIL import Image

from workers.diffusion.adapters import Adapter, AdapterRefused
from workers.diffusion.engine import Order, Pool
from workers.diffusion.models import WeightsMissing
from workers.diffusion.sample import OutOfMemory, Request, Sampler
from workers.diffusion.train import Trainer


@pytest.fixture(scope="module")
def people():

    trainer = Trainer(tiny("klein"))
    portrait = data.astronaut()
    pictures = [portrait[:300, 60:360], 255 - portrait[:300, 60:360]]
    return [
        trainer.train([example(one)], seed, steps=20).checkpoints[-1] for seed, one in enumerate(pictures)
    ]


@pytest.fixture
def sampler(people):
    small = tiny("klein", "sample")
    sampler = Sampler(replace(small, base=replace(small.base, sample_side=64)))
    for slot, person in enumerate(people, 1):
        sampler.load(slot, person)
    return sampler


def near(one, other):
    return int(np.abs(one.astype(int) - other.astype(int)).max()) <= 1  # rounding of sums in another order


def test_people_in_one_batch_get_the_pictures_that_each_gets_alone(sampler):
    requests = [Request("a portrait", 5, slot) for slot in (2, 0, 1, 2, 1)]
    together = list(sampler.sample(requests))
    assert all(
        near(next(sampler.sample([one])), picture) for one, picture in zip(requests, together, strict=True)
    )
    assert not near(together[0], together[2]), "two people differ"
    assert near(together[0], together[3]), "the same person, prompt and seed"
    assert together[0].shape == (64, 64, 3)
    assert together[0].dtype == np.uint8


def test_more_pictures_than_a_batch_come_in_order(sampler):
    requests = [Request("a portrait", seed, 1) for seed in range(sampler.batch + 3)]
    pictures = list(sampler.sample(requests))
    assert len(pictures) == sampler.batch + 3
    assert near(pictures[-1], next(sampler.sample(requests[-1:])))


def test_a_person_is_forgotten_when_the_slots_are(sampler):
    bare = next(sampler.sample([Request("a portrait", 5, 0)]))
    sampler.forget()
    assert near(next(sampler.sample([Request("a portrait", 5, 1)])), bare)


def test_an_adapter_of_another_revision_is_refused(sampler, people):
    other = Adapter(people[0].weights, people[0].facts.model_copy(update={"revision": "another"}))
    with pytest.raises(AdapterRefused, match="other weights"):
        sampler.load(1, other)


def test_a_gpu_that_is_out_of_memory_halves_the_batch_and_makes_every_picture(sampler, monkeypatch):
    whole = sampler.model.pipeline
    sizes = []

    class Short:
        """A pipeline on a GPU in which three pictures at a time do not fit."""

        transformer = whole.transformer

        def __call__(self, prompt_embeds, **rest):
            sizes.append(len(prompt_embeds))
            if len(prompt_embeds) > 2:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory")
            return whole(prompt_embeds=prompt_embeds, **rest)

    requests = [Request("a portrait", seed, seed % 3) for seed in range(8)]
    wanted = list(sampler.sample(requests))
    sampler.model = replace(sampler.model, pipeline=Short())
    made = list(sampler.sample(requests))
    assert all(near(one, other) for one, other in zip(made, wanted, strict=True))
    assert sampler.batch == 2, "the next batches do not try again"
    assert sizes == [8, 4, 2, 2, 4, 2, 2]


def test_when_not_even_one_fits_it_says_so(sampler):
    class Full:
        transformer = sampler.model.denoiser

        def __call__(self, **_):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    sampler.model = replace(sampler.model, pipeline=Full())
    with pytest.raises(OutOfMemory):
        list(sampler.sample([Request("a portrait", 1)]))


def test_a_person_can_be_shown_instead_of_trained(sampler):
    portrait = data.astronaut()
    shown = [portrait[0:128, 0:128], portrait[100:228, 200:328]]
    pictures = [next(sampler.sample([Request("a portrait", 5)], shown[:count])) for count in (1, 2)]
    assert pictures[0].shape == (64, 64, 3)
    assert not np.array_equal(*pictures), "what is shown matters"


@pytest.mark.parametrize("base", ["sdxl", "z-image"])
def test_a_base_without_references_says_so(base):
    with pytest.raises(ValueError, match="cannot be shown"):
        list(Sampler(tiny(base, "sample")).sample([Request("a", 1)], [data.astronaut()[:64, :64]]))


def test_sdxl_paints_what_its_stock_pipeline_paints_and_decodes_in_float32():
    small = tiny("sdxl", "sample")
    base = replace(small.base, sample_side=64, sample_steps=2)
    asked = {
        "height": 64,
        "width": 64,
        "num_inference_steps": 2,
        "guidance_scale": base.guidance,
        "output_type": "np",
    }
    seed = torch.Generator().manual_seed(5)
    wanted = tiny("sdxl", "sample").pipeline("a portrait", generator=seed, **asked).images[0]
    made = next(Sampler(replace(small, base=base)).sample([Request("a portrait", 5)]))
    assert np.array_equal(made, np.rint(wanted * 255).astype(np.uint8))

    half = tiny("sdxl", "sample")
    half.pipeline.to(torch.bfloat16)
    sampler, seen = Sampler(replace(half, base=base)), []
    half.pipeline.vae.decoder.register_forward_pre_hook(lambda _, given: seen.append(given[0].dtype))
    assert next(sampler.sample([Request("a portrait", 5)])).std() > 1
    assert seen == [torch.float32]

    half = tiny("sdxl", "inpaint")
    half.pipeline.to(torch.bfloat16)
    painter, seen = Sampler(replace(half, base=replace(half.base, sample_side=64, sample_steps=2))), []
    half.pipeline.vae.decoder.register_forward_pre_hook(lambda _, given: seen.append(given[0].dtype))
    portrait = data.astronaut()[:64, :64]
    for _ in range(2):
        next(painter.repaint(portrait, np.ones((64, 64), np.float32), [Request("a portrait", 5)]))
    assert seen == [torch.float32] * 2


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("sdxl", r"HEADSHOTS_DIFFUSION_INPAINT_MODEL .*inpainting-0\.1.*OpenRAIL"),
        ("z-image", r"no network .*Z-Image.*klein"),
    ],
)
def test_a_base_that_does_not_see_what_it_paints_beside_paints_no_clothes_and_says_what_does(base, said):
    sampler, seen = Sampler(tiny(base, "sample")), []
    sampler._paint = lambda *_, **__: seen.append(1)
    with pytest.raises(WeightsMissing, match=said):
        next(sampler.repaint(data.astronaut(), np.ones((512, 512), np.float32), [Request("a suit", 5)]))
    assert seen == []


@pytest.mark.parametrize(("base", "role"), [("klein", "sample"), ("sdxl", "inpaint")])
def test_a_part_of_a_picture_is_painted_anew(base, role):
    small = tiny(base, role)
    sampler = Sampler(replace(small, base=replace(small.base, sample_side=64)))
    mask = np.zeros((128, 128), np.float32)
    mask[64:] = 1
    picture = data.astronaut()[:128, :128]
    painted = next(sampler.repaint(picture, mask, [Request("a suit", 5)]))
    assert painted.shape == (64, 64, 3)
    assert not near(painted[32:], picture[::2, ::2][32:])


@pytest.mark.parametrize(
    ("base", "steps", "last"), [("klein", 10, 0.1), ("sdxl", 10, 0.1), ("z-image", 28, 0.2)]
)
def test_a_face_is_painted_anew_from_as_much_noise_as_the_schedule_expects(base, steps, last, monkeypatch):
    small = tiny(base, "sample")
    sampler = Sampler(replace(small, base=replace(small.base, sample_side=64, sample_steps=steps)))
    pipeline, recipe = small.pipeline, sampler._recipe
    portrait = data.astronaut()[:96, :96]
    frame = np.asarray(Image.fromarray(portrait).resize((64, 64), Image.Resampling.LANCZOS))
    clean = recipe.latents(torch.from_numpy(frame.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None])
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(5))
    levels = []

    def knows(*given, **named):
        """Say what a perfect network would: which noise was added."""
        if base == "sdxl":
            levels.append(float(given[1]) / 1000)
            return (noise.expand(len(given[0]), -1, -1, -1),)
        if base == "z-image":
            levels.append(1 - float(given[1][0]))
            return ([(clean - noise)[0][:, None]] * len(given[0]),)
        levels.append(float(named["timestep"][0]))
        return ((noise - clean).flatten(2).transpose(1, 2),)

    monkeypatch.setattr(sampler.model.denoiser, "forward", knows)
    made = sampler.refine(portrait, Request("a portrait", 5, 1))
    with torch.no_grad():
        if base == "klein":
            spread = torch.sqrt(
                pipeline.vae.bn.running_var.view(1, -1, 1, 1) + pipeline.vae.config.batch_norm_eps
            )
            clean = clean * spread + pipeline.vae.bn.running_mean.view(1, -1, 1, 1)
            wanted = pipeline.vae.decode(pipeline._unpatchify_latents(clean)).sample
        else:
            away = pipeline.vae.config.shift_factor or 0.0
            wanted = pipeline.vae.decode(clean / pipeline.vae.config.scaling_factor + away).sample
    wanted = np.rint((wanted[0].permute(1, 2, 0).clamp(-1, 1).numpy() + 1) * 127.5)
    assert np.abs(wanted - made).max() <= 1
    assert levels == sorted(levels, reverse=True)
    assert levels[0] == pytest.approx(small.base.detail_level, abs=0.11)
    assert levels[-1] < last, "and down to the picture"


def test_a_face_is_painted_as_the_person_in_the_slot_and_as_those_who_are_shown(sampler):
    portrait = data.astronaut()[:96, 100:196]
    one, again, other = (sampler.refine(portrait, Request("a portrait", 5, slot)) for slot in (1, 1, 2))
    assert one.shape == (64, 64, 3)
    assert np.array_equal(one, again)
    assert not near(one, other)
    shown = sampler.refine(portrait, Request("a portrait", 5, 1), [portrait])
    assert not np.array_equal(one, shown), "what is shown matters"
    with pytest.raises(ValueError, match="cannot be shown"):
        Sampler(tiny("sdxl", "sample")).refine(portrait, Request("a portrait", 5), [portrait])


def test_a_face_that_does_not_fit_into_the_gpu_says_so(sampler, monkeypatch):
    def full(*_, **__):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    portrait = data.astronaut()[:96, 100:196]
    monkeypatch.setattr(sampler.model.pipeline.vae, "encode", full)
    with pytest.raises(OutOfMemory):
        sampler.refine(portrait, Request("a portrait", 5, 1))


def test_a_batch_is_shared_by_whoever_still_needs_pictures(sampler):
    passes = []
    made = sampler._paint
    sampler._paint = lambda requests, **rest: (
        passes.append([one.slot for one in requests]) or made(requests, **rest)
    )
    orders = [
        Order(seed=100 * slot, slot=slot, trained=True, prompts=("a portrait", "a person")) for slot in (1, 2)
    ]
    pool = Pool(sampler, orders, budget=6)
    first = [picture for _, picture in zip(range(3), pool.pictures(orders[0]), strict=False)]
    second = list(pool.pictures(orders[1]))
    assert sorted(passes[0]) == [1, 1, 1, 1, 2, 2, 2, 2], "both share the first batch"
    assert len(first) == 3
    assert len(second) == 6, "the budget"
    assert [seed for seed, _, _ in second] == list(range(200, 206))
    assert near(second[0][2], next(sampler.sample([Request("a portrait", 200, 2)])))
