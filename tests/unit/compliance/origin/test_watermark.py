"""The watermark: nobody sees it, and it is still there after what pictures go through."""

from __future__ import annotations

import io
from functools import cache

import cv2
import numpy as np
import pytest
from origins import read as credentials
from PIL import Image
from skimage.metrics import structural_similarity

from compliance.origin.credentials import Origin
from compliance.origin.making import Making
from compliance.origin.signer import Signer
from compliance.origin.watermark import BITS, Pixels, put, read
from core.portraits import marks
from core.style.outputs import NAMED_OUTPUTS
from core.style.presets import PRESETS
from core.style.spec import StyleSpec
from workers.studio.encode import cut, deliver
from workers.studio.finish import finish
from workers.studio.preview import sample

STYLES = {name: PRESETS[name] for name in ("charcoal", "high-key", "warm-office")}
EACH = [name if name != "warm-office" else pytest.param(name, marks=pytest.mark.slow) for name in STYLES]
MARK = 0x1234_5678_9AB


@cache
def picture(style: str, output: str) -> Pixels:
    master = finish(sample(), STYLES[style], (1024, 1024)).pixels
    return cut(master, STYLES[style], NAMED_OUTPUTS[output])


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=quality)
    return np.asarray(Image.open(target).convert("RGB"))


def half(pixels: Pixels) -> Pixels:
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS))


def cropped(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    return pixels[int(0.07 * height) : int(0.97 * height), int(0.02 * width) : int(0.92 * width)]


@pytest.mark.parametrize("style", EACH)
@pytest.mark.parametrize("output", ["linkedin", "badge"])
def test_a_mark_outlives_saving_shrinking_and_cropping(style: str, output: str) -> None:
    marked = put(picture(style, output), MARK)
    assert read(jpeg(marked, 70)) == MARK
    assert read(half(marked)) == MARK
    assert read(cropped(marked)) == MARK


@pytest.mark.parametrize("style", EACH)
@pytest.mark.parametrize("output", ["square", "badge"])
def test_nobody_sees_it(style: str, output: str) -> None:
    plain = picture(style, output)
    marked = put(plain, MARK)
    similar = structural_similarity(
        cv2.cvtColor(plain, cv2.COLOR_RGB2GRAY), cv2.cvtColor(marked, cv2.COLOR_RGB2GRAY),
        gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255,
    )  # fmt: skip
    assert similar >= 0.995
    assert np.abs(marked.astype(int) - plain).max() <= 4


@pytest.mark.parametrize("style", EACH)
def test_a_picture_without_a_mark_has_none(style: str) -> None:
    assert read(picture(style, "teams")) is None


def test_noise_and_even_walls_have_none() -> None:
    noise = np.random.default_rng(4).integers(0, 256, (500, 400, 3), np.uint8)
    assert read(noise) is None
    assert read(np.full((500, 400, 3), 200, np.uint8)) is None
    assert read(np.zeros((20, 20, 3), np.uint8)) is None


def test_a_file_for_print_is_read_at_a_quarter_of_its_size() -> None:
    large = cv2.resize(picture("charcoal", "square"), (2048, 2048), interpolation=cv2.INTER_CUBIC)
    marked = put(large, MARK)
    assert read(marked) == MARK
    assert read(np.asarray(Image.fromarray(marked).resize((512, 512), Image.Resampling.LANCZOS))) == MARK


def test_what_a_model_made_is_delivered_with_its_mark_and_says_so(signer: Signer) -> None:
    style, output = StyleSpec(), NAMED_OUTPUTS["teams"]
    master = finish(sample(), style, (700, 700)).pixels
    for mark in (marks.new(), None):
        content = deliver(master, style, output, Origin(Making.of_headshot("diffusion", style), signer, mark))
        with Image.open(io.BytesIO(content)) as image:
            assert read(np.asarray(image.convert("RGB"))) == mark
        found = credentials(content, "image/jpeg")
        assert found is not None
        assert found.state == "Valid"
        said = [one["action"] for one in found.actions]
        assert ("c2pa.watermarked.unbound" in said) is (mark is not None)
        if mark is not None:
            assert marks.written(mark) not in found.whole


def test_a_mark_is_written_so_that_people_can_type_it() -> None:
    for mark in (0, MARK % (1 << BITS), (1 << BITS) - 1, marks.new()):
        text = marks.written(mark)
        assert len(text) == 9
        assert marks.parsed(text) == marks.parsed(text.upper()) == mark
    assert marks.parsed("oil-000-000") == marks.parsed("011000000")
    for text in ("", "12345678", "1234567890", "12345678u", "ä23456789"):
        assert marks.parsed(text) is None
