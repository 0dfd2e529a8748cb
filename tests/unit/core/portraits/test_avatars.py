"""Initials that stand in for a portrait, in the script of the name."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from core import fonts
from core.portraits import avatars

SILHOUETTE = "\U0010ffff"


def drawn(initials: str) -> np.ndarray:
    content = avatars.render(initials, ground="#000000", ink="#ffffff", size=256)
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"))


@pytest.mark.parametrize(
    "initials", ["AL", "ÉŽ", "ΩΨ", "ЖЯ", "김민", "山太", "汉", "あき", "عم", "שמ", "กศ", "कर", "A김"]
)
def test_initials_are_letters_in_the_middle_with_a_margin(initials: str) -> None:
    if fonts.covering(initials) is None:
        pytest.skip("no font for these letters here")
    picture = drawn(initials)
    assert not np.array_equal(picture, drawn(SILHOUETTE))
    rows, columns = np.nonzero(picture > 128)
    assert min(rows.min(), columns.min()) > 20
    assert max(rows.max(), columns.max()) < 236
    assert abs((columns.min() + columns.max()) / 2 - 128) < 12


def test_the_silhouette_stands_where_letters_would_be_boxes() -> None:
    picture = drawn(SILHOUETTE)
    assert picture[97, 128] > 200  # head
    assert picture[245, 128] > 200  # shoulders
    assert picture[150, 128] < 50


def test_two_arabic_initials_do_not_join_to_a_word() -> None:
    if fonts.covering("عم") is None:
        pytest.skip("no font for these letters here")
    filled = (drawn("عم") > 128).any(axis=0)
    starts = np.count_nonzero(np.diff(filled.astype(int)) == 1)
    assert starts == 2
