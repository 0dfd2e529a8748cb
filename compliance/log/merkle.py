"""The append-only Merkle tree of RFC 6962 §2.1: hashes and inclusion proofs.

Proofs are made from a store that keeps one hash per *full* subtree: node `(level, index)` is the hash of
leaves `[index * 2**level, (index + 1) * 2**level)`. Such a hash never changes once written, so the store
is append-only too, and any tree size up to the current one can be proven with O(log n) reads.

Only our own code for this: pymerkle is GPL-3 and its proof paths are not those of the RFC.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


class NodeStore(Protocol):
    """Where the hashes of full subtrees are kept."""

    def get(self, level: int, index: int) -> bytes:
        """Return the 32-byte hash of the full subtree of height `level` at `index`, counted from the left."""
        ...

    def put(self, level: int, index: int, node: bytes) -> None:
        """Keep the 32-byte hash of a full subtree; called once for each `(level, index)`."""
        ...


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one log entry: SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def append(store: NodeStore, size: int, leaf: bytes) -> int:
    """Add the leaf hash `leaf` to a tree of `size` leaves; return the new size.

    Writes the leaf and every subtree that it completes, amortised two hashes.
    """
    level, index, node = 0, size, leaf
    store.put(level, index, node)
    while index % 2:
        node = node_hash(store.get(level, index - 1), node)
        level, index = level + 1, index // 2
        store.put(level, index, node)
    return size + 1


def root(store: NodeStore, size: int) -> bytes:
    """Return the root of the tree's first `size` leaves; O(log n) reads."""
    return EMPTY_ROOT if size == 0 else _subtree(store, 0, size)


def inclusion_proof(store: NodeStore, index: int, size: int) -> list[bytes]:
    """Prove that leaf `index` (from 0) is in the tree of `size` leaves; O(log n) reads.

    Returns:
        Hashes from the leaf's sibling up to the root's child (RFC 6962 §2.1.1).

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_subtree(store, middle, end))
            end = middle
        else:
            proof.append(_subtree(store, start, middle))
            start = middle
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root_hash: bytes) -> bool:
    """Return whether `proof` shows the leaf hash `leaf` at `index` of the tree with `root_hash`.

    Source: RFC 9162 §2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    position, last, node = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position % 2 or position == last:
            node = node_hash(sibling, node)
            while position and not position % 2:
                position, last = position // 2, last // 2
        else:
            node = node_hash(node, sibling)
        position, last = position // 2, last // 2
    return last == 0 and node == root_hash


def consistency_proof(store: NodeStore, old: int, new: int) -> list[bytes]:
    """Prove that the tree of `new` leaves begins with that of `old`; O(log n) reads (RFC 6962 §2.1.2).

    Raises:
        ValueError: `old` is 0, or more than `new`.
    """
    if not 0 < old <= new:
        raise ValueError(f"there is no consistency proof from {old} to {new} leaves")
    proof: list[bytes] = []
    start, end, whole = 0, new, True  # whole: the subtree at hand is one that the verifier knows
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_subtree(store, middle, end))
            end = middle
        else:
            proof.append(_subtree(store, start, middle))
            start, whole = middle, False
    if not whole:
        proof.append(_subtree(store, start, end))
    return proof[::-1]


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Return whether `proof` shows that the tree of `new` leaves begins with that of `old`; every tree begins with none.

    Source: RFC 9162 §2.1.4.2.
    """
    if not 0 < old < new:
        known = (old == new and old_root == new_root) or (old == 0 < new and old_root == EMPTY_ROOT)
        return known and not proof
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    if not path:
        return False
    position, last = old - 1, new - 1
    while position % 2:
        position, last = position // 2, last // 2
    before = after = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if position % 2 or position == last:
            before, after = node_hash(other, before), node_hash(other, after)
            while position and not position % 2:
                position, last = position // 2, last // 2
        else:
            after = node_hash(after, other)
        position, last = position // 2, last // 2
    return last == 0 and before == old_root and after == new_root


def _split(count: int) -> int:
    """Return the largest power of two smaller than `count`, for `count` > 1."""
    return 1 << (count - 1).bit_length() - 1


def peaks(start: int, end: int) -> list[tuple[int, int]]:
    """Return `(level, index)` of the largest full subtrees over leaves `[start, end)`, from the left.

    At most 2·log2(n) of them; from those of `[0, size)`, whose sizes are the bits of `size`, the whole tree grows on.
    """
    found: list[tuple[int, int]] = []
    while start < end:
        level = (end - start).bit_length() - 1
        if start:
            level = min(level, (start & -start).bit_length() - 1)
        found.append((level, start >> level))
        start += 1 << level
    return found


def siblings(place: tuple[int, int], size: int) -> list[tuple[int, int]]:
    """Return the full subtrees beside the path from `place` up to its peak of the tree of `size` leaves, from below."""
    (level, index), beside = place, list[tuple[int, int]]()
    while ((index | 1) + 1) << level <= size:
        beside.append((level, index ^ 1))
        level, index = level + 1, index >> 1
    return beside


def climb(place: tuple[int, int], node: bytes, beside: Sequence[bytes]) -> tuple[tuple[int, int], bytes]:
    """Return the peak that a subtree with hash `node` at `place` leads to, given the hashes at its `siblings`."""
    level, index = place
    for other in beside:
        node = node_hash(other, node) if index & 1 else node_hash(node, other)
        level, index = level + 1, index >> 1
    return (level, index), node


def fold(nodes: Sequence[bytes]) -> bytes:
    """Return the root over full subtrees, given from the left as `peaks` names them."""
    *rest, node = nodes
    for left in reversed(rest):
        node = node_hash(left, node)
    return node


def _subtree(store: NodeStore, start: int, end: int) -> bytes:
    """Return the hash over leaves `[start, end)`."""
    return fold([store.get(*place) for place in peaks(start, end)])
