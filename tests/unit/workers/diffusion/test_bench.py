"""A bench that runs on a bare GPU machine, and to its end."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from learning import tiny

from workers.diffusion.bench import _faces, run_rows
from workers.diffusion.sample import Sampler

# What a bare machine lacks. `deploy/bench/gpu.sh` carries `core/errors.py`, `core/words.py` and two files of `workers/vision`.
LACKING = (
    "cv2",
    "mediapipe",
    "dlib",
    "skimage",
    "pymatting",
    "sqlalchemy",
    "structlog",
    "pydantic_settings",
    "flask",
    "click",
)
CARRIED = {"core.errors", "core.words", "workers.vision.geometry", "workers.vision.licences"}


@pytest.mark.slow
def test_the_timing_needs_nothing_of_the_vision_side() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import sys, workers.diffusion.bench; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {name.partition(".")[0] for name in told} & set(LACKING)
    ours = {name for name in told if name.startswith(("core.", "workers."))} - {
        "workers.vision",
        "workers.diffusion",
    }
    assert {name for name in ours if not name.startswith("workers.diffusion.")} == CARRIED


def test_a_row_that_fails_keeps_no_other_and_what_is_beyond_the_time_is_not_begun() -> None:
    told: list[dict[str, object]] = []

    def broken() -> None:
        raise RuntimeError("out of something\nmore")

    rows = [("one", broken), ("two", lambda: told.append({"figure": "two", "seconds": 1}))]
    run_rows(lambda figures, _text: told.append(figures), rows, minutes=1)
    assert told == [
        {"figure": "one", "failed": "RuntimeError", "error": "out of something"},
        {"figure": "two", "seconds": 1},
    ]
    told.clear()
    run_rows(lambda figures, _text: told.append(figures), rows, minutes=-1)
    assert [one["skipped"] for one in told] == ["out of time"] * 2


@pytest.mark.parametrize("base", ["klein", "sdxl", "z-image"])
def test_the_table_has_what_a_face_painted_anew_takes(base: str) -> None:
    """In the base's own steps, whatever the rows before it took."""
    told: list[dict[str, object]] = []
    whole = tiny(base, "sample")
    sampler = Sampler(replace(whole, base=replace(whole.base, sample_steps=1)))
    _faces(lambda figures, _text: told.append(figures), sampler, whole, base)
    assert sampler.model.base.sample_steps == whole.base.sample_steps > 1
    (row,) = told
    assert row["figure"] == "a face painted anew"
    assert row["seconds"] > 0
