"""`headshots bench likeness`: what the encoders in use say of photos whose people are known, to set their limits by.

Of each encoder alone and of all together both kinds of error: own real photos that the gate on made faces would refuse,
and faces drawn between two people that it would let pass as the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import Any, Final

import click
import numpy as np

from core.checks.shots import by_shot
from deploy.bench.check import CONSENT
from deploy.bench.morphs import morphed
from workers.pipeline.yardstick import Features, Scale, Yardstick, features
from workers.vision.check import examine
from workers.vision.encoder import Encoder, encoders, titles
from workers.vision.examination import Examination
from workers.vision.faces import find_faces
from workers.vision.likeness import Embedding, distance, embed

_SHARES: Final = (0.1, 0.2, 0.3, 0.4, 1.0)  # of the way to another person
_HELD_OUT: Final = 3  # as `workers.diffusion.examples` holds out
_FEWEST: Final = 3  # shots of a person: one is left out, one is learned, one is held out
_MOST: Final = (
    12  # photos of a person that are left out, and turns of the others: each draws five faces, 1.5 s
)

Report = Callable[[dict[str, Any], str], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Shot:
    """A photo of somebody, the only one of its shot."""

    seen: Examination
    known: Features


@dataclass(slots=True)
class _Count:
    """Whether faces pass: by each encoder, by its place, and by all."""

    answers: list[tuple[bool, ...]] = field(default_factory=list)

    def passed(self, place: int | None) -> int:
        """Return how many pass by one encoder, or by all where `None`."""
        return sum(all(one) if place is None else one[place] for one in self.answers)


def bench_likeness(report: Report, people: Mapping[str, Sequence[tuple[str, bytes]]]) -> None:
    """Report the distances of one person's photos to each other and to everybody else's, and both kinds of error.

    One subfolder is one person.
    """
    report({"encoders": [one.title for one in encoders()]}, titles())
    shots = {name: list(_shots(photos)) for name, photos in people.items()}
    for used in encoders():
        _pairs(report, used, {name: [one.known.embedding for one in own] for name, own in shots.items()})
    _curves(report, shots)


def _pairs(report: Report, used: Encoder, known: Mapping[str, Sequence[Embedding]]) -> None:
    """Report distances of pairs, by which `same_person` and `most_pairs` are set."""
    same = [distance(*pair, used.id) for own in known.values() for pair in combinations(own, 2)]
    other = [
        distance(*pair, used.id)
        for mine, theirs in combinations(known.values(), 2)
        for pair in product(mine, theirs)
    ]
    for what, found, percentiles in (
        ("one person", same, (50, 95, 97, 100)),
        ("two people", other, (0, 1, 50)),
    ):
        values = {f"p{share}": round(float(np.percentile(found, share)), 3) for share in percentiles if found}
        text = ", ".join(f"{share} {value}" for share, value in values.items()) or "none"
        report(
            {"unit": used.unit, "pairs_of": what, "pairs": len(found), **values},
            f"{used.unit}: {len(found)} pairs of {what}: {text}",
        )
    limit = used.limits.same_person
    kept, confused = (sum(one < limit for one in found) for found in (same, other))
    report(
        {"unit": used.unit, "same_person": limit, "found": kept, "confused": confused},
        f"{used.unit} below same_person, {limit}: {kept} of {len(same)} pairs of one person, {confused} of {len(other)} of two",
    )


def _curves(report: Report, shots: Mapping[str, Sequence[_Shot]]) -> None:
    """Report how many own photos are refused, and how many faces between two people pass as the first.

    Each photo is left out and held against the person's others as a made face is: some are held out, the rest is taken
    for learned, and the limit follows from these alone. What is drawn lies between it and the photo of anybody else that
    is most like it.
    """
    own = _Count()
    drawn = {share: _Count() for share in _SHARES}
    for name, mine in shots.items():
        theirs = [one for other, some in shots.items() if other != name for one in some]
        if len(mine) < _FEWEST or not theirs:
            report(
                {"person": name, "left_out": True},
                f"{name}: left out, {_FEWEST} shots and somebody else are needed",
            )
            continue
        for number, left in enumerate(mine[:_MOST]):
            nearest = min(theirs, key=lambda one: distance(left.known.embedding, one.known.embedding))
            faces = {share: _drawn(left, nearest, share) for share in _SHARES}
            for scales in _turns([one.known for one in mine if one is not left]):
                own.answers.append(_passes(left.known.embedding, scales))
                for share, face in faces.items():
                    if face is not None:
                        drawn[share].answers.append(_passes(face, scales))
            click.echo(f"{name}: {number + 1} of {len(mine[:_MOST])} photos", err=True)
    if not own.answers:
        return
    judges: list[tuple[str, int | None]] = [(one.unit, place) for place, one in enumerate(encoders())]
    for judge, place in judges if len(judges) == 1 else [*judges, ("all together", None)]:
        refused = len(own.answers) - own.passed(place)
        report(
            {"judge": judge, "own": len(own.answers), "refused": refused},
            f"{judge}: {refused} of {len(own.answers)} own photos refused",
        )
        for share, count in drawn.items():
            passed, faces_of = count.passed(place), len(count.answers)
            report(
                {"judge": judge, "morph_share": share, "faces": faces_of, "passed": passed},
                f"{judge}: {passed} of {faces_of} pass {share:.0%} of the way to whom they look most like",
            )


def _turns(rest: Sequence[Features]) -> Iterator[tuple[Scale, ...]]:
    """Yield the scales that a person's photos give, in turn other ones held out."""
    apart = min(_HELD_OUT, len(rest) - 1)
    for start in range(min(len(rest), _MOST)):
        places = {(start + step) % len(rest) for step in range(apart)}
        held_out = {str(place): rest[place] for place in places}
        trained = {str(place): one for place, one in enumerate(rest) if place not in places}
        yield Yardstick(held_out, trained).scales


def _passes(face: Embedding, scales: Sequence[Scale]) -> tuple[bool, ...]:
    return tuple(scale.to_held_out(face) <= scale.furthest for scale in scales)


def _drawn(one: _Shot, other: _Shot, share: float) -> Embedding | None:
    picture = morphed(one.seen, other.seen, share)
    found = find_faces(picture)
    return embed(picture, found[0], CONSENT, by_all=True) if found else None


def _shots(photos: Sequence[tuple[str, bytes]]) -> Iterator[_Shot]:
    """Yield accepted photos of one person alone, one of each shot."""
    accepted = [one for _, content in photos for one in [examine(content, CONSENT)] if one.verdict.accepted]
    for places in by_shot([one.verdict.phash for one in accepted]):
        seen = accepted[places[0]]
        if seen.pixels is not None and seen.face is not None:
            yield _Shot(seen, features(seen.pixels, seen.face, CONSENT))
