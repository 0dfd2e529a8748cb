"""`headshots bench origin`: what it takes to sign where pictures come from, and to mark them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from compliance.origin.credentials import sign
from compliance.origin.making import Making
from compliance.origin.reading import media_type_of, read
from compliance.origin.signer import make
from compliance.origin.watermark import put
from core.style.outputs import DEFAULT_OUTPUTS
from core.style.spec import StyleSpec
from deploy.bench import ROUNDS, seconds_of
from workers.studio.encode import cut, encode
from workers.studio.finish import finish
from workers.studio.preview import sample

MARKED = 1024  # pixels, the largest of them
MOST = 0.5  # seconds for the files of a style, one core


def bench_origin(report: Callable[[dict[str, Any], str], None]) -> None:
    """Measure marking, signing and reading back the seven files of the plain style, one core, with a local certificate."""
    style, making = StyleSpec(), Making.of_headshot("studio", StyleSpec())
    master = finish(sample(), style, style.master_size()).pixels
    files = [
        (encode(cut(master, style, output), output.format, making.source_type), output.format.media_type)
        for output in DEFAULT_OUTPUTS
    ]
    with tempfile.TemporaryDirectory() as folder:
        signer = make(Path(folder))
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        signing = seconds_of(partial(_all, files, making, signer), ROUNDS)
        signed = _all(files, making, signer)
        reading = seconds_of(partial(_read, signed), ROUNDS)
    finally:
        cv2.setNumThreads(threads)
    signing += seconds_of(partial(_mark, master), ROUNDS) * len(files)
    larger = sum(map(len, signed)) / len(signed) - sum(len(content) for content, _ in files) / len(files)
    report(
        {
            "figure": "content credentials",
            "files": len(files),
            "sign_seconds": round(signing, 4),
            "read_seconds": round(reading, 4),
            "bytes_a_file": round(larger),
        },
        f"content credentials and watermark of {len(files)} files, one core: made in {signing:.3f} s (to reach: ≤ {MOST} s), read back "
        f"in {reading:.3f} s; {larger / 1000:.1f} kB a file",
    )


def _mark(master: Any) -> None:
    put(master[:MARKED, :MARKED], 1)


def _all(files: list[tuple[bytes, str]], making: Making, signer: Any) -> list[bytes]:
    return [sign(content, media_type, making, signer) for content, media_type in files]


def _read(files: list[bytes]) -> None:
    for content in files:
        media_type = media_type_of(content)
        assert media_type is not None
        found = read(content, media_type, [])
        assert found is not None
        assert not found.problems
