"""`headshots bench likeness`: what the encoder in use says of photos whose people are known, to set its limits by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, permutations, product
from typing import Any, Final

import numpy as np

from deploy.bench.check import CONSENT
from deploy.bench.morphs import morphed
from workers.vision.check import examine
from workers.vision.encoder import encoder
from workers.vision.examination import Examination
from workers.vision.faces import find_faces
from workers.vision.likeness import Embedding, distance, embed

_SHARES: Final = (0.1, 0.2, 0.3, 0.4)  # of the way to another person

Report = Callable[[dict[str, Any], str], None]


def bench_likeness(report: Report, people: Mapping[str, Sequence[tuple[str, bytes]]]) -> None:
    """Report the distances of one person's photos to each other, and to everybody else's; one subfolder is one person."""
    report({"encoder": encoder().title}, encoder().title)
    seen = {name: _examined(photos) for name, photos in people.items()}
    known = {name: [_embedded(one) for one in photos] for name, photos in seen.items()}
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

    _morphs(report, seen, known)


def _morphs(
    report: Report, seen: Mapping[str, Sequence[Examination]], known: Mapping[str, Sequence[Embedding]]
) -> None:
    """Report how many faces between two people pass as the first: both kinds of error, at the limit for made faces.

    Each is held against the first person's other photos, by the limit that they give among themselves, as a made face is.
    """
    limits = encoder().limits
    passed: dict[float, list[bool]] = {share: [] for share in (0.0, *_SHARES)}
    for mine, theirs in permutations(known, 2):
        for number, photo in enumerate(seen[mine]):
            rest = [one for index, one in enumerate(known[mine]) if index != number]
            if not rest or not seen[theirs]:
                continue
            pairs = [distance(*pair) for pair in combinations(rest, 2)]
            own = float(np.percentile(pairs, 90)) + limits.beyond_own if pairs else limits.furthest
            limit = float(np.clip(own, limits.most_pairs, max(limits.most_pairs, limits.furthest)))
            for share, results in passed.items():
                face = morphed(photo, seen[theirs][0], share)
                found = find_faces(face)
                if found:
                    made = embed(face, found[0], CONSENT)
                    results.append(float(np.mean([distance(made, one) for one in rest])) <= limit)
    for share, results in passed.items():
        said = f"{sum(results)} of {len(results)} pass"
        what = f"{share:.0%} of the way to somebody else" if share else "the person, redrawn"
        report({"morph_share": share, "faces": len(results), "passed": sum(results)}, f"{what}: {said}")


def _examined(photos: Sequence[tuple[str, bytes]]) -> list[Examination]:
    """Return accepted photos of one person alone."""
    seen = [examine(content, CONSENT) for _, content in photos]
    return [one for one in seen if one.verdict.accepted and one.pixels is not None and one.face is not None]


def _embedded(seen: Examination) -> Embedding:
    assert seen.pixels is not None
    assert seen.face is not None
    return embed(seen.pixels, seen.face, CONSENT)
