"""What a picture takes is bounded by its header, whatever the file weighs."""

from __future__ import annotations

import pytest

from core.image.kinds import TooManyPixels
from core.image.reading import DECODED_BYTES, MAX_PIXELS, open_picture
from deploy.bench.files import LARGE_FILES, peak_of, web_process
from deploy.bench.made import chunk, empty_png


@pytest.mark.parametrize(
    "name",
    [
        # Those after the first take up to 20 s each to write.
        name if number == 0 else pytest.param(name, marks=pytest.mark.slow)
        for number, name in enumerate(LARGE_FILES)
    ],
)
def test_the_largest_files_stay_within_the_stated_bound(name: str) -> None:
    size, before, peak = peak_of(LARGE_FILES[name])
    assert size < 1
    assert peak - before < DECODED_BYTES / 1e6


def test_what_would_take_more_is_refused_before_it_is_decoded() -> None:
    hdr = chunk(b"cICP", bytes([9, 16, 0, 1]))
    for content in (empty_png(8500, 6900, hdr), empty_png(8000, 1 + MAX_PIXELS // 8000)):
        with pytest.raises(TooManyPixels):
            open_picture(content)


def test_a_web_process_stays_small() -> None:
    """It had 216 MB when it brought along what workers need; the frameworks alone are about 90."""
    assert web_process("portal", "admin") < 180
