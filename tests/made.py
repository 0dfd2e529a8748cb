"""Pictures as files of many kinds, made for a test."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pillow_heif
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab


def encoded(picture: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(tag: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))


def png(
    pixels: np.ndarray,
    *before: bytes,
    after: bytes = b"",
    rows: int | None = None,
    end: bool = True,
    kind: int = 2,
) -> bytes:
    """A PNG by hand, uint8 or uint16, with chunks before and after its rows, of which only some may be there."""
    depth = 8 * pixels.itemsize
    lines = pixels.astype(f">u{pixels.itemsize}")[:rows]
    data = zlib.compress(b"".join(b"\0" + line.tobytes() for line in lines), 1)
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, kind, 0, 0, 0)
    parts = [chunk(b"IHDR", header), *before, chunk(b"IDAT", data), after]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + (chunk(b"IEND", b"") if end else b"")


def heic(pixels: np.ndarray, primaries: int, transfer: int, matrix: int = 1) -> bytes:
    """A HEIC of 8 bits, or of 10 for uint16, lossless but for the rounding to luma and chroma, that says its colours by code points alone."""
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
    """EXIF that says Adobe RGB as cameras do: not calibrated, interoperability R03."""

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


def delta_e(one: np.ndarray, other: np.ndarray) -> float:
    """Mean ΔE2000 of two sRGB pictures."""
    return float(deltaE_ciede2000(rgb2lab(one / 255.0), rgb2lab(other / 255.0)).mean())
