"""Pictures as files of many kinds, written by hand from one truth: what is measured, and what tests read."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from skimage.color import deltaE_ciede2000, rgb2lab

Numbers = NDArray[Any]

# Linear light of sRGB in other primaries: BT.2087 and, for P3, SMPTE EG 432-1.
BT2020: Final = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
P3: Final = np.array([[0.8225, 0.1774, 0.0], [0.0332, 0.9669, 0.0], [0.0171, 0.0724, 0.9108]])
# Adobe RGB (1998), annex B, inverse of its matrix to XYZ times that of sRGB.
ADOBE: Final = np.array([[0.7152, 0.2848, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0412, 0.9588]])
ADOBE_GAMMA: Final = 563 / 256
HDR_WHITE: Final = 203.0  # cd/m², BT.2408


def linear(srgb: Numbers) -> Numbers:
    """Return the light, 0 to 1, of sRGB, 0 to 255."""
    value = srgb / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def srgb_curve(light: Numbers) -> Numbers:
    """Return sRGB, 0 to 1, of light."""
    light = light.clip(0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def pq(nits: Numbers) -> Numbers:
    """BT.2100, table 4: PQ's inverse EOTF, of cd/m²."""
    power = (nits / 10000) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375)


def hlg(nits: Numbers) -> Numbers:
    """BT.2100, table 5: for a display of 1,000 cd/m², from what it shows back to the scene, then the OETF."""
    shown = nits / 1000
    luminance = shown @ np.array([0.2627, 0.6780, 0.0593])
    scene = shown * np.maximum(luminance, 1e-9)[..., None] ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(
        scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
    ).clip(0, 1)


def eight(values: Numbers) -> NDArray[np.uint8]:
    """Return 0 to 1 in 8 bits."""
    return np.asarray(np.rint(values * 255), np.uint8)


def sixteen(values: Numbers) -> NDArray[np.uint16]:
    """Return 0 to 1 in 16 bits."""
    return np.asarray(np.rint(values * 65535), np.uint16)


def in_2020(truth: Numbers, nits: float = HDR_WHITE) -> Numbers:
    """Return the light of sRGB in BT.2020's primaries, cd/m², white at `nits`."""
    return np.asarray((linear(truth) @ BT2020.T).clip(0) * nits)


def encoded(picture: Image.Image | Numbers, kind: str, **options: Any) -> bytes:
    """Return a picture as Pillow writes it."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(tag: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))


def png(
    pixels: Numbers,
    *before: bytes,
    after: bytes = b"",
    rows: int | None = None,
    end: bool = True,
    kind: int = 2,
) -> bytes:
    """Return a PNG by hand, uint8 or uint16, with chunks before and after its rows, of which only some may be there."""
    depth = 8 * pixels.itemsize
    lines = pixels.astype(f">u{pixels.itemsize}")[:rows]
    data = zlib.compress(b"".join(b"\0" + line.tobytes() for line in lines), 1)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, kind, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *before, chunk(b"IDAT", data), after]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + (chunk(b"IEND", b"") if end else b"")


def empty_png(width: int, height: int, *before: bytes) -> bytes:
    """Return a black PNG of 16 bits a channel, which is small whatever its size: a line at a time."""
    squeeze, line = zlib.compressobj(9), bytes(1 + 6 * width)
    data = b"".join(squeeze.compress(line) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), *before, chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def heic(pixels: Numbers, primaries: int, transfer: int, matrix: int = 1) -> bytes:
    """Return a HEIC that says its colours by code points alone, lossless but for the rounding to luma and chroma.

    Of 8 bits, or of 10 for uint16.

    Raises:
        ImportError: no encoder is installed; the product itself only decodes.
    """
    import pillow_heif

    mode = "RGB" if pixels.dtype == np.uint8 else "RGB;16"
    file = pillow_heif.from_bytes(mode, (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
    buffer = io.BytesIO()
    file.save(
        buffer,
        quality=-1,
        chroma=444,
        color_primaries=primaries,
        transfer_characteristics=transfer,
        matrix_coefficients=matrix,
        full_range_flag=1,
    )
    return buffer.getvalue()


def adobe_exif() -> bytes:
    """Return EXIF that says Adobe RGB as cameras do: not calibrated, interoperability R03."""

    def entry(tag: int, kind: int, count: int, value: bytes) -> bytes:
        return struct.pack(">HHI", tag, kind, count) + value.ljust(4, b"\0")

    def folder(*entries: bytes) -> bytes:
        return struct.pack(">H", len(entries)) + b"".join(entries) + bytes(4)

    first = 8
    second = first + 2 + 12 + 4
    third = second + 2 + 24 + 4
    return (
        b"Exif\0\0MM\0*"
        + struct.pack(">I", first)
        + folder(entry(0x8769, 4, 1, struct.pack(">I", second)))
        + folder(
            entry(0xA001, 3, 1, struct.pack(">H", 0xFFFF)), entry(0xA005, 4, 1, struct.pack(">I", third))
        )
        + folder(entry(1, 2, 4, b"R03\0"))
    )


def srgb_profile() -> bytes:
    """Return the ICC profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def grey_profile(exponent: float = 1.8) -> bytes:
    """Return an ICC profile of grey with a power curve, from nothing."""
    curve = b"curv\0\0\0\0\0\0\0\1" + struct.pack(">H", round(exponent * 256))
    white = b"XYZ \0\0\0\0" + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    name = b"desc\0\0\0\0\0\0\0\2g\0" + bytes(80)
    at = 128 + 4 + 3 * 12
    table, body = struct.pack(">I", 3), b""
    for tag, value in ((b"desc", name), (b"wtpt", white), (b"kTRC", curve)):
        padded = value.ljust(-(-len(value) // 4) * 4, b"\0")
        table += tag + struct.pack(">II", at + len(body), len(padded))
        body += padded
    head = struct.pack(">I4sI4s4s4s", at + len(body), bytes(4), 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    return head.ljust(128, b"\0") + table + body


def delta_e(one: Numbers, other: Numbers) -> float:
    """Return the mean ΔE2000 of two sRGB pictures."""
    return float(deltaE_ciede2000(rgb2lab(one / 255.0), rgb2lab(other / 255.0)).mean())
