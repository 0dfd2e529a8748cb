"""The selfie beside a result shows the person as large as the result does."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw

from core.models import Photo
from core.style.framing import Head
from portal.selfie import face_of, framed

FACE = {"left": 0.4, "top": 0.3, "width": 0.2, "height": 0.2}


def selfie() -> Image.Image:
    """A white picture with a black face."""
    picture = Image.new("RGB", (1000, 1000), "white")
    ImageDraw.Draw(picture).rectangle((400, 300, 599, 499), fill="black")
    return picture


def dark(picture: Image.Image) -> tuple[float, float, float, float]:
    """Where the face is, as fractions of the picture."""
    box = picture.convert("L").point(lambda value: 255 * (value < 128)).getbbox()
    assert box is not None
    return (
        box[0] / picture.width,
        box[1] / picture.height,
        box[2] / picture.width,
        box[3] / picture.height,
    )


def test_the_head_is_as_large_and_stands_where_the_result_has_it() -> None:
    shown = framed(selfie(), FACE, Head(eye_line=0.42, height=0.46), 0.8)
    assert shown.width / shown.height == pytest.approx(0.8, abs=0.01)
    left, top, right, chin = dark(shown)
    assert (left + right) / 2 == pytest.approx(0.5, abs=0.01)
    assert chin == pytest.approx(0.42 + 0.46 / 2, abs=0.01), "half a head below the eyes"
    assert (chin - top) * 1.15 == pytest.approx(0.46, abs=0.01)


@pytest.mark.parametrize("corner", [0.0, 0.8])
def test_a_photo_that_ends_early_is_shown_as_far_as_it_reaches(corner: float) -> None:
    face = {"left": corner, "top": corner, "width": 0.2, "height": 0.2}
    shown = framed(selfie(), face, Head(eye_line=0.42, height=0.2), 1.0)
    assert shown.width == shown.height <= 1000
    left, top, right, chin = dark(shown)
    assert (right - left) * shown.width == pytest.approx(200, abs=2), "the whole face is on it"
    assert (chin - top) * shown.height == pytest.approx(200, abs=2)


def test_without_a_known_face_the_whole_photo_is_shown() -> None:
    assert framed(selfie(), None, Head(0.42, 0.46), 1.0).size == (1000, 1000)


def test_of_several_faces_the_persons_own_is_shown() -> None:
    other = {"left": 0.0, "top": 0.0, "width": 0.3, "height": 0.3}
    photo = Photo(verdict={"faces": [other, FACE]})
    assert face_of(photo) == other
    photo.subject_x, photo.subject_y = 0.5, 0.4
    assert face_of(photo) == FACE
    assert face_of(Photo(verdict=None)) is None
