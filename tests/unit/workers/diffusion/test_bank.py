import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from learning import tiny
from peft import LoraConfig

from workers.diffusion.adapters import Adapter, AdapterRefused, Facts
from workers.diffusion.bank import Bank, targeted
from workers.diffusion.bases import KLEIN
from workers.diffusion.models import load

LAYERS = targeted(
    load(KLEIN, "tiny", role="train").denoiser, KLEIN.targets
)  # before any bank takes their place


def an_adapter(seed, *, rank=2, alpha=4.0, layers=tuple(LAYERS)):
    rng = np.random.default_rng(seed)
    weights = {}
    for name, layer in LAYERS.items():
        if name in layers:
            weights[f"{name}.lora_A.weight"] = rng.normal(0, 0.3, (rank, layer.in_features)).astype(
                np.float32
            )
            weights[f"{name}.lora_B.weight"] = rng.normal(0, 0.3, (layer.out_features, rank)).astype(
                np.float32
            )
    facts = Facts(kind="person", base="klein", revision="tiny-1", rank=rank, alpha=alpha, steps=1, seed=seed)
    return Adapter(weights, facts)


def inputs(count, seed=0):
    chance = torch.Generator().manual_seed(seed)
    places = torch.cartesian_prod(*(torch.arange(n) for n in (1, 4, 4, 1))).expand(count, -1, -1)
    words = torch.cartesian_prod(*(torch.arange(n) for n in (1, 1, 1, 5))).expand(count, -1, -1)
    return {
        "hidden_states": torch.randn(count, 16, 16, generator=chance),
        "encoder_hidden_states": torch.randn(count, 5, 96, generator=chance),
        "timestep": torch.full((count,), 0.5),
        "img_ids": places,
        "txt_ids": words,
        "return_dict": False,
    }


@pytest.fixture
def network():
    return tiny("klein").denoiser


@torch.no_grad()
def said(network, **arguments):
    return network(**arguments)[0]


def test_an_empty_slot_is_the_bare_base(network):
    before = said(network, **inputs(2))
    Bank(network, KLEIN.targets, slots=2, rank=4, batch=2)
    assert torch.equal(said(network, **inputs(2)), before)


@pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning")
def test_two_adapters_in_one_slot_are_what_peft_adds_up(network):
    person, style = an_adapter(1), an_adapter(2, rank=3, alpha=3.0)
    reference = tiny("klein").denoiser
    layers = list(targeted(reference, KLEIN.targets))
    for name, adapter in (("person", person), ("style", style)):
        config = LoraConfig(r=adapter.facts.rank, lora_alpha=adapter.facts.alpha, target_modules=layers)
        reference.add_adapter(config, adapter_name=name)
        with torch.no_grad():
            for key, parameter in reference.named_parameters():
                if f".{name}." in key:
                    parameter.copy_(torch.from_numpy(adapter.weights[key.replace(f".{name}.", ".")]))
    reference.set_adapters(["person", "style"], [1.0, 0.8])
    bank = Bank(network, KLEIN.targets, slots=1, rank=5, batch=1)
    bank.write(1, [(person, 1.0), (style, 0.8)])
    bank.route([1])
    wanted = said(reference, **inputs(1))
    assert torch.allclose(said(network, **inputs(1)), wanted, atol=1e-5)
    bank.erase(1)
    assert not torch.allclose(said(network, **inputs(1)), wanted, atol=1e-3), "the adapters matter"


def test_a_batch_of_several_people_is_what_each_gets_alone(network):
    bank = Bank(network, KLEIN.targets, slots=3, rank=4, batch=4)
    for slot in (1, 2, 3):
        bank.write(slot, [(an_adapter(slot), 1.0)])
    bank.route([3, 0, 1, 2])
    together = said(network, **inputs(4))
    for row, slot in enumerate([3, 0, 1, 2]):
        alone = {
            name: value[row : row + 1] if isinstance(value, torch.Tensor) else value
            for name, value in inputs(4).items()
        }
        bank.route([slot])
        assert torch.allclose(said(network, **alone)[0], together[row], atol=1e-5)


def test_an_adapter_may_leave_layers_alone(network):
    layers = list(LAYERS)
    bank = Bank(network, KLEIN.targets, slots=1, rank=4, batch=1)
    bank.write(1, [(an_adapter(1), 1.0)])
    bank.write(1, [(an_adapter(1, layers=layers[:1]), 1.0)])
    partly = bank._layers[layers[1]]
    assert not partly.up[1].any(), "nothing of the adapter before is left"


def test_fifty_swaps_compile_nothing_anew(network):
    bank = Bank(network, KLEIN.targets, slots=2, rank=4, batch=2)
    compiled = torch.compile(network, backend="eager", fullgraph=True)
    bank.route([1, 2])
    said(compiled, **inputs(2))
    results = set()
    with torch._dynamo.config.patch(error_on_recompile=True):
        for swap in range(50):
            rank = 1 + swap % 4
            bank.write(1 + swap % 2, [(an_adapter(swap, rank=rank, alpha=1.0 + swap), 1.0)])
            bank.route([1 + swap % 2, swap % 3])
            results.add(float(said(compiled, **inputs(2)).sum()))
    assert len(results) == 50


def test_what_does_not_fit_is_refused(network):
    bank = Bank(network, KLEIN.targets, slots=1, rank=4, batch=1)
    with pytest.raises(AdapterRefused, match="higher rank"):
        bank.write(1, [(an_adapter(1, rank=3), 1.0), (an_adapter(2, rank=3), 1.0)])
    foreign = an_adapter(1)
    wrong = {
        name: np.zeros((2, 5), np.float32) if name.endswith("A.weight") else array
        for name, array in foreign.weights.items()
    }
    with pytest.raises(AdapterRefused, match="another size"):
        bank.write(1, [(Adapter(wrong, foreign.facts), 1.0)])
    unknown = {f"nowhere.{name}": array for name, array in foreign.weights.items()}
    with pytest.raises(AdapterRefused, match="does not have"):
        bank.write(1, [(Adapter(unknown, foreign.facts), 1.0)])
    with pytest.raises(IndexError):
        bank.write(0, [])
