"""Comparing what somebody typed costs no more than its length."""

from __future__ import annotations

import unicodedata

import pytest

from core.composed import composed, is_stream_safe
from core.people import addresses, cells

PILED = "a" + "\u0301\u0316" * 16  # out of their canonical order, so that putting them in order takes work


@pytest.mark.parametrize("text", ["Jürgen", "e\u0301", "क्षत्रिय", "ศักดิ์สิทธิ์", "한국어", "", "x" * 1000])
def test_what_languages_write_is_composed(text: str) -> None:
    assert is_stream_safe(text)
    assert composed(text) == unicodedata.normalize("NFC", text)


def test_a_pile_of_marks_is_left_as_it_is() -> None:
    assert not is_stream_safe(PILED)
    assert composed(PILED) == PILED != unicodedata.normalize("NFC", PILED)


def test_the_marks_of_two_letters_are_counted_apart() -> None:
    assert is_stream_safe(("a" + "\u0301" * 30) * 5)


def test_neither_an_address_nor_a_cell_puts_a_pile_in_order() -> None:
    assert addresses.canonical(f"{PILED}@acme.example") == f"{PILED}@acme.example"
    assert cells.tidy(PILED) == PILED
    assert cells.is_strange(PILED)


def test_what_is_too_long_for_an_address_is_not_read_as_one() -> None:
    long = "a@" + "Ä." * 1000
    assert addresses.canonical(long) == long.lower()
