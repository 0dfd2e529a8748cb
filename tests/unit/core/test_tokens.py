"""Bytes in addresses have one spelling."""

from __future__ import annotations

import pytest

from core import tokens


@pytest.mark.parametrize("size", [0, 1, 2, 3, 48, 68])
def test_what_was_encoded_is_decoded_and_nothing_that_only_looks_like_it(size: int) -> None:
    content = bytes(range(180, 180 + size))
    text = tokens.encode(content)
    assert tokens.decode(text) == content
    for other in (text + ".", text + "=", "." + text, text + "\n", text + "====", text + "ä", text + " "):
        assert tokens.decode(other) is None


def test_unused_bits_and_another_alphabet_are_refused() -> None:
    assert tokens.decode("_w") == b"\xff"
    assert [tokens.decode(other) for other in ("_x", "/w", "_w==", "_")] == [None] * 4
