from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core.image.kinds import PhotoFormat
from core.style.spec import StyleSpec
from workers.engines import Source, StudioEngine
from workers.vision.check import examine
from workers.vision.decode import FULL_SIZE, Picture, decode
from workers.vision.full_resolution import at_head_height, kept


def jpeg(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=92, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def large(astronaut) -> np.ndarray:
    """12 megapixels, the head 1,070 px high."""
    return cv2.resize(astronaut, (3700, 3700), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def seen(large, consent):
    content = jpeg(large)
    return content, examine(content, consent)


def test_check_looks_at_a_reduced_picture_and_counts_the_file_s_pixels(seen, large):
    _, found = seen
    assert max(found.pixels.shape) <= 1600
    measures = found.verdict.measures
    assert (measures.width_px, measures.height_px) == (3700, 3700)
    assert measures.eye_distance_px == pytest.approx(43.1 * 3700 / 512, rel=0.03)
    assert measures.sharp_up_to_px >= 2048


@pytest.mark.parametrize("head_px", [300, 600, 1000, 5000])
def test_closer_gives_the_head_its_pixels_where_the_file_holds_them(seen, large, head_px):
    content, found = seen
    pixels, face, _ = at_head_height(content, found, head_px)
    full = found.face.head_height / found.place.scale
    assert face.head_height >= 0.97 * min(head_px, full)
    # A dark iris lies where the landmarks say, so they belong to these pixels.
    iris = pixels[tuple(int(value) for value in face.right_eye[::-1])]
    assert int(iris.max()) < 150
    assert face.eye_distance / face.head_height == pytest.approx(
        found.face.eye_distance / found.face.head_height, rel=0.05
    )


def test_closer_keeps_only_the_surroundings_of_a_small_face(astronaut, consent):
    scene = np.full((4000, 6000, 3), 130, np.uint8)
    scene[1000:2024, 4000:5024] = cv2.resize(astronaut, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    content = jpeg(scene)
    found = examine(content, consent)
    pixels, face, _ = at_head_height(content, found, 2000)
    assert pixels.shape[0] * pixels.shape[1] < 5_000_000
    assert face.eye_distance == pytest.approx(86, rel=0.05)
    assert found.verdict.measures.eye_distance_px == pytest.approx(86, rel=0.05)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_closer_and_kept_turn_as_the_check_did(large, consent, turns):
    content = jpeg(np.ascontiguousarray(np.rot90(large[:3400], turns)))
    found = examine(content, consent)
    assert found.place.turns == (4 - turns) % 4
    whole = kept(content, found)
    assert whole.shape == (3400, 3700, 3)
    assert np.abs(whole[::40, ::40].astype(int) - large[:3400:40, ::40]).mean() < 4
    pixels, face, _ = at_head_height(content, found, 1000)
    assert abs(face.roll) < 10
    assert int(pixels[tuple(int(value) for value in face.right_eye[::-1])].max()) < 150


def test_exif_orientation_holds_in_every_step(large, consent):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = jpeg(np.ascontiguousarray(np.rot90(large[:3400])), exif=exif)
    found = examine(content, consent)
    assert found.place.turns == 0
    assert found.verdict.measures.width_px == 3700
    assert kept(content, found).shape == (3400, 3700, 3)


def test_kept_cuts_bars_off_and_reduces_only_a_head_of_more_pixels_than_print_needs(large, consent):
    boxed = np.zeros((3700, 4700, 3), np.uint8)
    boxed[:, 500:4200] = large
    content = jpeg(boxed)
    found = examine(content, consent)
    whole = kept(content, found)
    assert whole.shape[0] == 3700
    assert whole.shape[1] == pytest.approx(3700, abs=20)
    reduced = kept(content, found, head_px=400)
    scale = 400 / (found.face.head_height / found.place.scale)
    assert reduced.shape[0] == pytest.approx(3700 * scale, rel=0.02)


def test_a_decoded_picture_is_as_good_as_its_file(seen, large, consent):
    _, found = seen
    picture = Picture(large, PhotoFormat.JPEG, 3700, 3700)
    again = examine(picture, consent)
    assert again.verdict.accepted
    assert again.verdict.measures.eye_distance_px == pytest.approx(
        found.verdict.measures.eye_distance_px, rel=0.02
    )
    assert kept(picture, again) is not None
    assert kept(picture, again).shape == large.shape
    pixels, face, _ = at_head_height(picture, again, 1000)
    assert face.head_height >= 970
    assert pixels.shape[0] > 2000


def test_photo_without_a_face_is_kept_whole(consent):
    content = jpeg(np.full((2000, 3000, 3), 90, np.uint8))
    assert kept(content, examine(content, consent)).shape == (2000, 3000, 3)


def test_part_of_a_jpeg_is_the_same_place_at_every_scale(large):
    content = jpeg(large)
    full = decode(content, working_side=FULL_SIZE)
    assert full.pixels.shape == large.shape
    assert decode(content, working_side=925).pixels.shape == (925, 925, 3)


def test_studio_gives_a_print_master_the_file_s_pixels_and_a_small_one_no_more(seen, consent):
    content, found = seen
    source = Source("a", content, found.verdict)
    heads = {}
    for size in (256, 2400):
        style = StyleSpec.model_validate({"outputs": [{"name": "square", "width": size, "height": size}]})
        (portrait,) = StudioEngine().portraits([source], style, consent)
        heads[size] = portrait.face.head_height
    assert heads[256] < heads[2400]
    assert heads[2400] == pytest.approx(found.face.head_height / found.place.scale, rel=0.03)


_FIFTY = """
import io
from pathlib import Path
import numpy as np
from PIL import Image
from skimage import data
from core.consent import Purpose, ValidConsent
from workers.vision.check import examine
from workers.vision.full_resolution import at_head_height, kept
from workers.process.warm import warm

warm()
buffer = io.BytesIO()
Image.fromarray(data.astronaut()).resize((7071, 7071)).save(buffer, "JPEG", quality=92)
content = buffer.getvalue()
del buffer
seen = examine(content, ValidConsent(None, frozenset({Purpose.PHOTO})))
assert seen.verdict.accepted
heads = [at_head_height(content, seen, head)[1].head_height for head in (800, 2400)]
whole = kept(content, seen)
# Not getrusage: its peak starts with what the parent had when this process was forked off.
peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024
print(peak, *heads, *whole.shape)
"""


@pytest.mark.slow
def test_fifty_megapixels_fit_into_one_and_a_half_gigabytes():
    answer = subprocess.run(  # our own interpreter and text
        [sys.executable, "-W", "ignore", "-c", _FIFTY],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[4],
    )
    peak, small, full, height, width, _ = (float(word) for word in answer.stdout.split())
    assert peak < 1.5e9
    assert 780 < small < full
    assert (height, width) == (7071, 7071), "the head has 2,050 px, which print needs"
