"""`headshots bench likeness`: what the encoder in use says of photos whose people are known, to set its limits by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np

from deploy.bench.check import CONSENT
from workers.vision.check import examine
from workers.vision.encoder import encoder
from workers.vision.likeness import Embedding, distance, embed

Report = Callable[[dict[str, Any], str], None]


def bench_likeness(report: Report, people: Mapping[str, Sequence[tuple[str, bytes]]]) -> None:
    """Report the distances of one person's photos to each other, and to everybody else's; one subfolder is one person."""
    report({"encoder": encoder().title}, encoder().title)
    known = {name: _embeddings(photos) for name, photos in people.items()}
    same = [distance(*pair) for own in known.values() for pair in combinations(own, 2)]
    other = [
        distance(*pair) for mine, theirs in combinations(known.values(), 2) for pair in product(mine, theirs)
    ]
    limits = encoder().limits
    for what, found, percentiles in (
        ("one person", same, (50, 95, 97, 100)),
        ("two people", other, (0, 1, 50)),
    ):
        values = {f"p{share}": round(float(np.percentile(found, share)), 3) for share in percentiles if found}
        text = ", ".join(f"{share} {value}" for share, value in values.items()) or "none"
        report({"pairs_of": what, "pairs": len(found), **values}, f"{len(found)} pairs of {what}: {text}")
    kept, confused = (sum(one < limits.same_person for one in found) for found in (same, other))
    report(
        {"same_person": limits.same_person, "found": kept, "confused": confused},
        f"below same_person, {limits.same_person}: {kept} of {len(same)} pairs of one person, {confused} of {len(other)} of two",
    )


def _embeddings(photos: Sequence[tuple[str, bytes]]) -> list[Embedding]:
    """Return what accepted photos of one person alone give."""
    seen = [examine(content, CONSENT) for _, content in photos]
    return [
        embed(one.pixels, one.face, CONSENT)
        for one in seen
        if one.verdict.accepted and one.pixels is not None and one.face is not None
    ]
