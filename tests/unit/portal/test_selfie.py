"""The selfie beside a result shows the person as large as the result does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image, ImageDraw

from core.models import Photo
from core.style.framing import Head
from portal.selfie import Place, framed, place_of

FACE = {"left": 0.4, "top": 0.3, "width": 0.2, "height": 0.2}
PLACE = Place(**FACE, head=0.28)


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
    shown = framed(selfie(), PLACE, Head(eye_line=0.42, height=0.46), 0.8)
    assert shown.width / shown.height == pytest.approx(0.8, abs=0.01)
    left, top, right, chin = dark(shown)
    assert (left + right) / 2 == pytest.approx(0.5, abs=0.01)
    assert chin == pytest.approx(0.42 + 0.46 / 2, abs=0.01), "half a head below the eyes"
    turned = dark(framed(selfie(), replace(PLACE, yaw=20), Head(eye_line=0.42, height=0.46), 0.8))
    assert (turned[0] + turned[2]) / 2 == pytest.approx(0.5 - 0.09 * 0.342 * 0.46 / 0.8, abs=0.003)
    assert (chin - top) * 0.28 / 0.2 == pytest.approx(0.46, abs=0.01), "the skull is as high as the result's"
    figures = {"eye_line_fraction": 0.42, "head_height_fraction": 0.46, "beside_fraction": 0.04}
    head = Head.measured(figures)
    assert head is not None
    aside = dark(framed(selfie(), PLACE, head, 0.8))
    assert (aside[0] + aside[2]) / 2 == pytest.approx(0.54, abs=0.01), "as far to the side as the result's"
    assert aside[1::2] == pytest.approx((top, chin), abs=0.003)


def test_a_tilted_head_stands_upright_as_in_the_result() -> None:
    tilted = selfie().rotate(-10, Image.Resampling.BICUBIC, center=(500, 500), fillcolor="white")  # clockwise
    shown = framed(tilted, Place(0.4, 0.3, 0.2, 0.2, head=0.28, roll=10), Head(0.45, 0.5), 1.0)
    left, top, right, chin = dark(shown)
    assert (right - left) / (chin - top) == pytest.approx(1.0, abs=0.02)
    assert (right - left) * shown.width == pytest.approx(200, abs=6), "no corner sticks out"


@pytest.mark.parametrize("corner", [0.0, 0.8])
def test_beyond_the_photo_it_is_grey_and_the_face_stays_in_its_place(corner: float) -> None:
    face = Place(corner, corner, 0.2, 0.2, head=0.28)
    shown = framed(
        Image.new("RGB", (1000, 1000), "black"),
        face,
        Head(eye_line=0.42, height=0.2),
        1.0,
    )
    assert shown.size == (1400, 1400)
    inside, outside = (350, 1050) if corner else (1050, 350)
    assert shown.getpixel((inside, inside)) == (0, 0, 0)
    assert shown.getpixel((outside, outside)) == (127, 127, 127)


def test_without_a_known_face_the_whole_photo_is_shown() -> None:
    assert framed(selfie(), None, Head(0.42, 0.46), 1.0).size == (1000, 1000)


def test_of_several_faces_the_persons_own_is_shown() -> None:
    other = {"left": 0.0, "top": 0.0, "width": 0.3, "height": 0.3}
    measures = {"head_height_fraction": 0.41, "roll_degrees": -3.0, "yaw_degrees": 8.0}
    photo = Photo(verdict={"faces": [other, FACE], "measures": measures})
    assert place_of(photo) == Place(**other, head=0.41, roll=-3.0, yaw=8.0)
    photo.subject_x, photo.subject_y = 0.5, 0.4
    assert place_of(photo) == Place(**FACE, head=0.41, roll=-3.0, yaw=8.0)
    kept_before = place_of(Photo(verdict={"faces": [FACE]}))
    assert kept_before is not None
    assert kept_before.head == pytest.approx(0.278, abs=0.001)
    assert place_of(Photo(verdict=None)) is None
