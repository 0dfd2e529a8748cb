"""`headshots bench files`: how true colours are, and how much memory the largest files and a web process take."""

from __future__ import annotations

import multiprocessing
import resource
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
from PIL import Image

from core.image.reading import read
from deploy.bench.made import (
    ADOBE,
    ADOBE_GAMMA,
    P3,
    Numbers,
    adobe_exif,
    chunk,
    delta_e,
    eight,
    empty_png,
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

Report = Callable[[dict[str, Any], str], None]

_LARGE: Final = (8858, 6661)  # px: 59 megapixels, just below `MAX_PIXELS`
_LARGE_HDR: Final = (8500, 6600)  # px: 56 megapixels, just below `DECODED_BYTES` with 16 bits
_TIMES: Final = 4
_MB: Final = 1e6


def bench_files(report: Report) -> None:
    """Report the mean ΔE2000 of each way to say a colour, and peaks of memory."""
    for name, content, truth in _files():
        if content is None:
            report({"file": name, "delta_e": None}, f"{name}: not measured, no HEIC encoder is installed")
            continue
        off = delta_e(read(content), truth)
        report({"file": name, "delta_e": round(off, 3)}, f"{name}: mean ΔE2000 {off:.2f}")
    for name, make in LARGE_FILES.items():
        size, before, peak = peak_of(make)
        report(
            {"file": name, "file_mb": size, "before_mb": before, "peak_mb": peak},
            f"{name}, {size:.2f} MB, {_TIMES} times: a process of {before:.0f} MB has a peak of {peak:.0f} MB",
        )
    for apps in (("portal",), ("admin",), ("portal", "admin")):
        taken, name = web_process(*apps), " and ".join(apps)
        report({"web": name, "mb": taken}, f"web process, {name}: {taken:.0f} MB as it starts")


def _files() -> Iterator[tuple[str, bytes | None, Numbers]]:
    from workers.folder.sample import sample_people

    (_, portrait), *_ = next(iter(sample_people().values()))
    truth = read(portrait)
    light, grey = linear(truth), truth.mean(axis=2)
    grey_truth = np.repeat(np.rint(grey)[..., None], 3, axis=2)
    adobe = eight((light @ ADOBE.T).clip(0, 1) ** (1 / ADOBE_GAMMA))
    p3 = srgb_curve(light @ P3.T)
    best = {"quality": 97, "subsampling": 0}
    yield "JPEG, nothing said", encoded(truth, "JPEG", **best), truth
    yield "JPEG, sRGB profile", encoded(truth, "JPEG", icc_profile=srgb_profile(), **best), truth
    yield "JPEG, Adobe RGB by EXIF alone", encoded(adobe, "JPEG", exif=adobe_exif(), **best), truth
    for name, curve, code in (("PQ", pq, 16), ("HLG", hlg, 18)):
        numbers = sixteen(curve(in_2020(truth)))
        yield f"HEIC, 10 bits, BT.2020 {name}", _heic(numbers, 9, code, 9), truth
        yield f"PNG, 16 bits, BT.2020 {name} by cICP", png(numbers, _cicp(9, code)), truth
    yield "HEIC, Display P3", _heic(eight(p3), 12, 13, 1), truth
    yield "PNG, 16 bits, Display P3 by cICP", png(sixteen(p3), _cicp(12, 13)), truth
    power = sixteen((light @ P3.T).clip(0, 1) ** (1 / 2.2))
    points = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    by_points = png(power, chunk(b"gAMA", struct.pack(">I", 45455)), chunk(b"cHRM", points))
    yield "PNG, 16 bits, Display P3 by gAMA and cHRM", by_points, truth
    shades = Image.fromarray(eight(linear(grey) ** (1 / 1.8)))
    for mode in ("L", "LA"):
        content = encoded(shades.convert(mode), "PNG", icc_profile=grey_profile())
        yield f"PNG, grey{' with alpha' if mode == 'LA' else ''}, profile of gamma 1.8", content, grey_truth


def _cicp(primaries: int, transfer: int) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, 0, 1]))


def _heic(numbers: Numbers, primaries: int, transfer: int, matrix: int) -> bytes | None:
    try:
        return heic(numbers, primaries, transfer, matrix)
    except ImportError:
        return None


# What takes the most of each decoder, made where it is read, so that making it is no part of the peak.
LARGE_FILES: Final[dict[str, Callable[[], bytes]]] = {
    "PNG, 59 megapixels, 16 bits": lambda: empty_png(*_LARGE),
    "PNG, 56 megapixels, 16 bits, PQ": lambda: empty_png(*_LARGE_HDR, _cicp(9, 16)),
    "JPEG, 59 megapixels": lambda: encoded(Image.new("RGB", _LARGE), "JPEG"),
    "WebP, 59 megapixels": lambda: encoded(Image.new("RGB", _LARGE), "WEBP", lossless=True, method=0),
    "AVIF, 59 megapixels": lambda: encoded(Image.new("RGB", _LARGE), "AVIF", speed=10, quality=30),
}


def peak_of(make: Callable[[], bytes]) -> tuple[float, float, float]:
    """Read a file several times in a process of its own, as a worker does with pictures for a brand.

    Returns:
        Size of the file, what the process took before, and the most it ever took, MB.
    """
    content = make()
    before, peak = apart(_read_often, content)
    return round(len(content) / _MB, 2), before, peak


def apart(work: Callable[[bytes], tuple[float, float]], content: bytes) -> tuple[float, float]:
    """Return what a function returns in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (content,))


def _read_often(content: bytes) -> tuple[float, float]:
    before = psutil.Process().memory_info().rss / _MB
    for _ in range(_TIMES):
        read(content)
    return round(before), round(_peak() / _MB)


def _peak() -> int:
    status = Path("/proc/self/status")
    if status.exists():  # `ru_maxrss` begins with what the process had that started this one
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS


def web_process(*apps: str) -> float:
    """Return the resident memory of a process that has loaded these apps, MB."""
    modules = ", ".join(f"{app}.app" for app in apps)
    code = f"import {modules}, psutil; print(psutil.Process().memory_info().rss)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return round(int(said.stdout) / _MB)
