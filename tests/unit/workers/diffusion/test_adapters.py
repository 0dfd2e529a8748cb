import io
import json
import pickle
import zipfile

import numpy as np
import pytest

pytest.importorskip("safetensors", reason="needs the gpu extra: make setup-gpu")

from workers.diffusion.adapters import Adapter, AdapterRefused, Facts, from_bytes, to_bytes

FACTS = Facts(
    kind="person",
    base="klein",
    revision="r1",
    rank=2,
    alpha=2,
    steps=5,
    seed=7,
    photos=("p1", "p2"),
    held_out=("p3",),
)


def weights(rank=2):
    rng = np.random.default_rng(0)
    return {
        "block.to_q.lora_A.weight": rng.normal(size=(rank, 4)).astype(np.float32),
        "block.to_q.lora_B.weight": rng.normal(size=(6, rank)).astype(np.float32),
    }


def test_bytes_come_back_as_they_went_in_with_their_facts():
    back = from_bytes(to_bytes(weights(), FACTS), base="klein", revision="r1")
    assert isinstance(back, Adapter)
    assert back.facts == FACTS
    assert back.layers == ("block.to_q",)
    for name, array in weights().items():
        assert np.array_equal(back.weights[name], array)


def test_a_pickle_is_refused_unread():
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the pickle ran",))

    with pytest.raises(AdapterRefused, match="pickle"):
        from_bytes(pickle.dumps(Trap()))


def test_an_archive_that_unpacks_without_end_is_refused_unopened():
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.pkl", b"0" * 50_000_000)
    with pytest.raises(AdapterRefused, match="archive"):
        from_bytes(bomb.getvalue())


@pytest.mark.parametrize("cut", [0, 7, 40, -1, -20])
def test_a_file_that_was_cut_short_is_refused(cut):
    with pytest.raises(AdapterRefused, match=r"damaged|does not say"):
        from_bytes(to_bytes(weights(), FACTS)[:cut])


def test_a_header_that_claims_more_than_there_is_is_refused():
    content = to_bytes(weights(), FACTS)
    with pytest.raises(AdapterRefused, match="header"):
        from_bytes((1 << 62).to_bytes(8, "little") + content[8:])


def test_tensors_that_reach_beyond_the_file_are_refused():
    header = json.dumps(
        {
            "__metadata__": {"headshots": FACTS.model_dump_json()},
            "block.to_q.lora_A.weight": {"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 10**12]},
        }
    ).encode()
    with pytest.raises(AdapterRefused, match="damaged"):
        from_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 32)


def test_an_adapter_of_other_weights_is_refused():
    content = to_bytes(weights(), FACTS)
    with pytest.raises(AdapterRefused, match="other weights"):
        from_bytes(content, base="klein", revision="r2")
    with pytest.raises(AdapterRefused, match="trained on klein"):
        from_bytes(content, base="sdxl", revision="r1")


@pytest.mark.parametrize(
    "change",
    [
        {"block.to_q.lora_A.weight": np.full((2, 4), np.nan, np.float32)},
        {"block.to_q.lora_A.weight": np.zeros((3, 4), np.float32)},
        {"block.to_q.bias": np.zeros((2,), np.float32)},
        {"other.lora_A.weight": np.zeros((2, 4), np.float32)},
    ],
)
def test_numbers_that_are_no_adapter_are_refused(change):
    with pytest.raises(AdapterRefused):
        from_bytes(to_bytes(weights() | change, FACTS))


def test_a_safetensors_file_of_somebody_else_is_refused():
    from safetensors.numpy import save

    with pytest.raises(AdapterRefused, match="does not say"):
        from_bytes(save(weights()))
