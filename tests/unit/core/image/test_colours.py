"""A picture is shown in the colours that its file means, whichever way it says so."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from core.image.kinds import PhotoFormat
from core.image.reading import open_picture, read
from deploy.bench.made import (
    ADOBE,
    ADOBE_GAMMA,
    BT2020,
    P3,
    adobe_exif,
    chunk,
    delta_e,
    eight,
    encoded,
    grey_profile,
    heic,
    hlg,
    in_2020,
    linear,
    png,
    pq,
    sixteen,
    srgb_curve,
    srgb_profile,
)

CASES = Path(__file__).resolve().parents[5] / "shared" / "cases" / "photos"


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    return np.asarray(data.astronaut())


@pytest.mark.parametrize("transfer", [pq, hlg], ids=["PQ", "HLG"])
def test_hdr_with_nothing_brighter_than_white_is_exactly_its_sdr(truth, transfer):
    code = 16 if transfer is pq else 18
    numbers = transfer(in_2020(truth))
    opened = open_picture(heic(sixteen(numbers), 9, code, matrix=9))
    assert opened.depth == 10
    assert delta_e(opened.rgb(), truth) < 0.7
    said = chunk(b"cICP", bytes([9, code, 0, 1]))
    assert delta_e(read(png(sixteen(numbers), said)), truth) < 0.2
    assert delta_e(read(png(eight(numbers), said)), truth) < 1.5, "8 bits hold no more"


def test_what_is_brighter_than_white_is_rolled_off_and_the_rest_keeps_its_place(truth):
    """A lamp of 1,000 cd/m² in the corner: the face stays nearly as it was, the lamp keeps its drawing."""
    light = in_2020(truth)
    light[:100, :100] = np.linspace(203, 1000, 100)[:, None, None]
    made = read(png(sixteen(pq(light)), chunk(b"cICP", bytes([9, 16, 0, 1]))))
    lamp = made[:100, 50, 1].astype(int)
    assert (np.diff(lamp) >= 0).all()
    assert lamp[0] < 240
    assert lamp[-1] >= 253
    dark = (linear(truth) * 203).max(axis=2) < 60
    dark[:100, :100] = False
    assert delta_e(made[dark][None], truth[dark][None]) < 0.5
    grey = np.abs(made[:100, :100].astype(int) - made[:100, :100, 1:2]).max()
    assert grey <= 1, "no hue turns"


@pytest.mark.parametrize("code", [9, 12], ids=["BT.2020", "Display P3"])
def test_primaries_by_code_points(truth, code):
    matrix = BT2020 if code == 9 else P3
    numbers = srgb_curve(linear(truth) @ matrix.T)
    assert delta_e(read(heic(eight(numbers), code, 13)), truth) < 0.7
    assert delta_e(read(png(eight(numbers), chunk(b"cICP", bytes([code, 13, 0, 1])))), truth) < 0.4
    assert delta_e(read(png(sixteen(numbers), chunk(b"cICP", bytes([code, 13, 0, 1])))), truth) < 0.2


@pytest.mark.parametrize("code", [1, 13])
def test_plain_code_points_change_nothing(truth, code):
    assert delta_e(read(heic(truth, 1, code)), truth) < 0.7


def test_adobe_rgb_by_exif_alone(truth):
    numbers = eight((linear(truth) @ ADOBE.T).clip(0, 1) ** (1 / ADOBE_GAMMA))
    with_exif = encoded(numbers, "JPEG", quality=97, subsampling=0, exif=adobe_exif())
    assert delta_e(read(with_exif), truth) < 1.2
    without = encoded(numbers, "JPEG", quality=97, subsampling=0)
    assert delta_e(read(without), truth) > 2


def test_a_profile_counts_more_than_exif(truth):
    content = encoded(truth, "JPEG", quality=97, subsampling=0, exif=adobe_exif(), icc_profile=srgb_profile())
    assert delta_e(read(content), truth) < 1.2


def test_png_says_colour_in_the_order_of_its_specification(truth):
    power = eight(linear(truth) ** (1 / 1.8))
    p3 = eight(srgb_curve(linear(truth) @ P3.T))
    gamma = chunk(b"gAMA", struct.pack(">I", round(100_000 / 1.8)))
    wrong = chunk(b"gAMA", struct.pack(">I", 100_000))
    srgb = chunk(b"sRGB", b"\0")
    icc = chunk(b"iCCP", b"srgb\0\0" + zlib.compress(srgb_profile()))
    cicp = chunk(b"cICP", bytes([12, 13, 0, 1]))
    p3_points = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    primaries = chunk(b"cHRM", p3_points)
    # The curve of sRGB is near 2.2; P3 by gAMA and cHRM.
    near = eight((linear(truth) @ P3.T).clip(0, 1) ** (1 / 2.2))
    for numbers, chunks in (
        (power, [gamma]),
        (near, [chunk(b"gAMA", struct.pack(">I", 45455)), primaries]),
        (truth, [wrong, primaries, srgb]),
        (truth, [wrong, srgb, icc]),
        (p3, [wrong, srgb, icc, cicp]),
        (truth, [wrong, srgb, chunk(b"cICP", bytes([77, 99, 0, 1]))]),
        (truth, [chunk(b"gAMA", bytes(4))]),
        (truth, []),
    ):
        assert delta_e(read(png(numbers, *chunks)), truth) < 0.4


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_profile_holds_with_and_without_alpha(truth, mode):
    grey = truth.mean(axis=2)
    light = linear(grey)
    numbers = eight(light ** (1 / 1.8))
    picture = Image.fromarray(numbers).convert(mode)
    shown = np.repeat(np.rint(grey)[..., None], 3, axis=2)
    content = encoded(picture, "PNG", icc_profile=grey_profile())
    assert delta_e(read(content), shown) < 0.2
    if mode == "L":
        jpeg = encoded(picture, "JPEG", quality=97, icc_profile=grey_profile())
        assert delta_e(read(jpeg), shown) < 0.5


def test_a_profile_of_other_channels_is_ignored(truth):
    assert delta_e(read(encoded(truth, "PNG", icc_profile=grey_profile())), truth) < 0.1
    grey = Image.fromarray(truth).convert("L")
    made = read(encoded(grey, "PNG", icc_profile=srgb_profile()))
    assert np.abs(made[..., 0].astype(int) - np.asarray(grey)).max() <= 2


def test_avif_is_read_with_its_code_points_and_its_profile(truth):
    plain = encoded(truth, "AVIF", quality=100, subsampling="4:4:4")
    assert open_picture(plain).kind is PhotoFormat.AVIF
    assert delta_e(read(plain), truth) < 0.8
    p3 = eight(srgb_curve(linear(truth) @ P3.T))
    coded = encoded(p3, "AVIF", quality=100, subsampling="4:4:4")
    at = coded.index(b"colrnclx") + 8
    primaries = int.from_bytes(coded[at : at + 2], "big")
    assert primaries in (1, 2), "Pillow writes sRGB"
    coded = coded[:at] + struct.pack(">H", 12) + coded[at + 2 :]
    assert delta_e(read(coded), truth) < 1.0
    swapped = bytearray(srgb_profile())
    red, blue = swapped.index(b"rXYZ", 128), swapped.index(b"bXYZ", 128)
    swapped[red : red + 4], swapped[blue : blue + 4] = b"bXYZ", b"rXYZ"
    turned = encoded(truth[..., ::-1], "AVIF", quality=100, subsampling="4:4:4", icc_profile=bytes(swapped))
    assert delta_e(read(turned), truth) < 1.0


def test_of_a_picture_with_a_gain_map_the_base_is_shown(truth):
    """Ultra HDR: a second, smaller picture behind the first, which XMP and MPF speak of."""
    base = encoded(truth, "JPEG", quality=95, subsampling=0)
    gain = encoded(Image.fromarray(truth).convert("L").resize((128, 128)), "JPEG")
    xmp = b'http://ns.adobe.com/xap/1.0/\0<x:xmpmeta><rdf hdrgm:Version="1.0"/></x:xmpmeta>'
    entries = b"".join(
        struct.pack(">IIIHH", attribute, size, offset, 0, 0)
        for attribute, size, offset in ((0x30000, len(base), 0), (0, len(gain), len(base)))
    )
    index = struct.pack(">HHI4s", 0xB000, 7, 4, b"0100") + struct.pack(">HHII", 0xB001, 4, 1, 2)
    index += struct.pack(">HHII", 0xB002, 7, 32, 50)
    mpf = b"MPF\0MM\0*\0\0\0\x08" + struct.pack(">H", 3) + index + bytes(4) + entries
    extra = b"".join(
        b"\xff" + marker + struct.pack(">H", len(body) + 2) + body
        for marker, body in ((b"\xe1", xmp), (b"\xe2", mpf))
    )
    content = base[:2] + extra + base[2:] + gain
    with Image.open(io.BytesIO(content)) as image:
        assert image.format in ("MPO", "JPEG")
    assert (read(content) == read(base)).all()


@pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/cases")
@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("color-adobe-exif-only.jpg", 1.2),
        ("color-adobe-icc.jpg", 1.2),
        ("heic-10bit-pq-bt2020-nclx.heic", 1.1),  # compression alone: saved without loss it is 0.3
        ("heic-10bit-hlg-bt2020-nclx.heic", 0.8),
        ("grey-alpha-gamma18-icc.png", 0.2),
        ("grey-gamma18-icc.jpg", 0.5),
        ("png-itxt-xmp-2.8mb.png", 0.1),
        ("png-ztxt-after-idat.png", 0.1),
        ("png-bad-text-crc.png", 0.1),
    ],
)
def test_files_that_were_shown_in_wrong_colours(name, most):
    with Image.open(CASES / ("00-truth-grey.png" if name.startswith("grey") else "00-truth.png")) as image:
        meant = np.asarray(image.convert("RGB"))
    assert delta_e(read((CASES / name).read_bytes()), meant) < most
