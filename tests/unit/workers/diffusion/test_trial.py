"""The first day with real weights, on small random ones."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from PIL import Image

from core.style.spec import StyleSpec
from workers.diffusion.bases import KLEIN, SDXL, Z_IMAGE
from workers.diffusion.resident import Resident
from workers.diffusion.sample import Request
from workers.diffusion.trial import trial, ways
from workers.folder.sample import sample_people
from workers.vision.geometry import Pixels


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def test_a_base_is_compared_in_the_ways_that_it_has() -> None:
    named = {base.name: [way.name for way in ways(base)] for base in (KLEIN, SDXL, Z_IMAGE)}
    assert named == {
        "klein": ["unshifted", "shift-by-size", "shift-1.15", "shown", "with-references"],
        "sdxl": ["as-is"],
        "z-image": ["as-sampled", "unshifted"],
    }
    assert [way.of(Z_IMAGE).shift for way in ways(Z_IMAGE)] == [None, 0.0]


@pytest.mark.slow
def test_every_way_is_made_shown_and_counted_for_each_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.diffusion.learn._JUDGED_BY", 1)
    worker = Resident(KLEIN, "tiny", "tiny")
    taught = []
    teach = worker.trainer.teach_at
    monkeypatch.setattr(worker.trainer, "teach_at", lambda base: taught.append(base.shift) or teach(base))
    sampled: list[tuple[Sequence[Request], Sequence[Pixels]]] = []
    sample = worker.sampler.sample
    monkeypatch.setattr(
        worker.sampler,
        "sample",
        lambda asked, shown=(): sampled.append((asked, shown)) or sample(asked, shown),
    )
    people = {"eileen": sample_people()["eileen"][:2], "alone": sample_people()["eileen"][:0]}
    told: list[dict[str, object]] = []
    trial(worker, people, StyleSpec(), tmp_path, lambda row, _text: told.append(row), pictures=1)
    names = [way.name for way in ways(worker.base)]
    assert taught == [0.0, None, None, None, 1.15, None], "each way that trains otherwise, and back"
    assert names[-2:] == ["shown", "with-references"]
    assert [len(shown) for _, shown in sampled if shown] == [1, 1], (
        "the one photo that trains, never the other"
    )
    assert ["ohwx" in asked[0].prompt for asked, shown in sampled if shown] == [False, True]
    assert all("the person from image 1," in asked[0].prompt for asked, shown in sampled if shown)
    assert not any("image 1" in asked[0].prompt for asked, shown in sampled if not shown)
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        assert [row["way"] for row in csv.DictReader(file)] == names
    for name in names:
        assert size_of(tmp_path / "eileen" / name / "00.jpg") == (256, 256)
    assert size_of(tmp_path / "eileen" / "sheet.jpg") == (256, 5 * 256)
    letters = json.loads((tmp_path / "key.json").read_text(encoding="utf-8"))["letters"]["eileen"]
    assert sorted(letters.values()) == sorted(names)
    assert told[-1] == {"person": "alone", "skipped": "too_few_photos"}
