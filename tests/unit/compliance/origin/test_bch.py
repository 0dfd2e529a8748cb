"""The code of the watermark: what it puts right, what it refuses, and how seldom it is fooled."""

from __future__ import annotations

import math

import numpy as np
import pytest

from compliance.origin import bch

RANDOM = np.random.default_rng(45)


@pytest.mark.parametrize("wrong", [0, 1, 20, bch.MOST])
def test_as_many_wrong_bits_as_promised_are_put_right(wrong: int) -> None:
    for _ in range(20):
        value = int(RANDOM.integers(0, 1 << bch.DATA))
        bits = bch.encode(value)
        bits[RANDOM.choice(bch.LENGTH, wrong, replace=False)] ^= 1
        assert bch.decode(bits) == value


def test_code_words_differ_in_twice_as_many_places_and_one() -> None:
    words = [bch.encode(int(RANDOM.integers(0, 1 << bch.DATA))) for _ in range(200)]
    words += [bch.encode(1 << place) for place in range(bch.DATA)]
    least = min(int(np.sum(a != b)) for at, a in enumerate(words) for b in words[:at])
    assert least >= 2 * bch.MOST + 1


def test_noise_is_taken_for_a_mark_less_than_once_in_a_million_pictures() -> None:
    """By the code's own arithmetic; two sizes are tried on a picture."""
    near = sum(math.comb(bch.LENGTH, wrong) for wrong in range(bch.MOST + 1))
    share = 2.0**bch.DATA * near / 2.0**bch.LENGTH
    assert math.log2(share) == pytest.approx(-46.7, abs=0.1)
    assert 2 * share < 1e-6
    assert all(bch.decode(RANDOM.integers(0, 2, bch.LENGTH, np.uint8)) is None for _ in range(300))


def test_more_than_it_can_carry_is_refused() -> None:
    for value in (-1, 1 << bch.DATA):
        with pytest.raises(ValueError, match="more than"):
            bch.encode(value)
