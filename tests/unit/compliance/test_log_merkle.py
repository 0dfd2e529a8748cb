"""The Merkle tree: published vectors, and every proof against a tree computed the slow way."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.log import merkle

# Leaves and roots used across Certificate Transparency implementations (docs/sources.md, Evidence).
VECTOR_LEAVES = [
    bytes.fromhex(entry)
    for entry in [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
]
VECTOR_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
ROOT_4 = VECTOR_ROOTS[3]
SHARED = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
INCLUSION_5_OF_8 = ["bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b", SHARED, ROOT_4]


class MemoryNodes:
    """A node store that refuses to overwrite and counts its reads."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.reads = 0

    def get(self, level: int, index: int) -> bytes:
        self.reads += 1
        return self.nodes[level, index]

    def put(self, level: int, index: int, node: bytes) -> None:
        assert (level, index) not in self.nodes
        self.nodes[level, index] = node


def grow(leaves: list[bytes]) -> MemoryNodes:
    store, size = MemoryNodes(), 0
    for leaf in leaves:
        size = merkle.append(store, size, leaf)
    return store


def naive_root(leaves: list[bytes]) -> bytes:
    """The RFC's definition, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def leaves_of(size: int) -> list[bytes]:
    return [merkle.leaf_hash(number.to_bytes(4)) for number in range(size)]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size: int) -> None:
    leaves = [merkle.leaf_hash(entry) for entry in VECTOR_LEAVES[:size]]
    assert merkle.root(grow(leaves), size).hex() == VECTOR_ROOTS[size - 1]


def test_empty_tree_has_the_hash_of_nothing_as_root() -> None:
    assert merkle.root(MemoryNodes(), 0) == sha256(b"").digest()


def test_inclusion_proof_is_the_published_one() -> None:
    leaves = [merkle.leaf_hash(entry) for entry in VECTOR_LEAVES]
    proof = merkle.inclusion_proof(grow(leaves), 5, 8)
    assert [node.hex() for node in proof] == INCLUSION_5_OF_8
    assert merkle.verify_inclusion(leaves[5], 5, 8, proof, bytes.fromhex(VECTOR_ROOTS[7]))


@given(st.data())
def test_stored_subtrees_prove_every_leaf_of_every_past_size(data: st.DataObject) -> None:
    grown = data.draw(st.integers(1, 70))
    size = data.draw(st.integers(1, grown))
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(grown)
    store = grow(leaves)
    root = naive_root(leaves[:size])
    proof = merkle.inclusion_proof(store, index, size)
    assert merkle.root(store, size) == root
    assert proof == naive_path(index, leaves[:size])
    assert merkle.verify_inclusion(leaves[index], index, size, proof, root)


@given(st.data())
def test_altered_inclusion_proofs_are_refused(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 40))
    index = data.draw(st.integers(0, size - 1))
    leaves = leaves_of(size)
    root = naive_root(leaves)
    proof = naive_path(index, leaves)
    other = data.draw(st.integers(0, size + 1).filter(lambda value: value != index))
    assert not merkle.verify_inclusion(merkle.leaf_hash(b"another"), index, size, proof, root)
    assert not merkle.verify_inclusion(leaves[index], other, size, proof, root)
    assert not merkle.verify_inclusion(leaves[index], index, size, [*proof, root], root)
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        assert not merkle.verify_inclusion(
            leaves[index], index, size, proof[:place] + proof[place + 1 :], root
        )
        changed = [*proof[:place], bytes(32), *proof[place + 1 :]]
        assert not merkle.verify_inclusion(leaves[index], index, size, changed, root)


def test_proofs_of_leaves_that_do_not_exist_are_not_made() -> None:
    store = grow(leaves_of(3))
    with pytest.raises(ValueError, match="no leaf 3"):
        merkle.inclusion_proof(store, 3, 3)


def test_proofs_of_a_large_log_read_few_nodes() -> None:
    size = 100_003  # 17 levels, and right edge that is not one full subtree
    store = grow(leaves_of(size))
    for act in (
        lambda: merkle.root(store, size),
        lambda: merkle.inclusion_proof(store, 12_345, size),
        lambda: merkle.append(store, size, merkle.leaf_hash(b"next")),
    ):
        store.reads = 0
        act()
        assert store.reads <= 2 * 17


@given(st.integers(1, 200), st.integers(1, 100))
def test_a_tree_grows_on_from_its_peaks_alone(lost: int, more: int) -> None:
    leaves = leaves_of(lost + more)
    whole = grow(leaves)
    store, size = MemoryNodes(), lost
    for place in merkle.peaks(0, lost):
        store.put(*place, whole.nodes[place])
    assert merkle.fold(list(store.nodes.values())) == naive_root(leaves[:lost])
    for leaf in leaves[lost:]:
        size = merkle.append(store, size, leaf)
    root = naive_root(leaves)
    assert merkle.root(store, size) == root
    for index in range(lost, size):
        path = merkle.inclusion_proof(store, index, size)
        assert merkle.verify_inclusion(leaves[index], index, size, path, root)
