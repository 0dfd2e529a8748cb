"""Measure a face that a model made before anybody sees it.

A photo that was retouched shows its owner; a picture from a model may show somebody who never was. So each
is compared with photos that the model never saw, within what the person's own photos differ among
themselves, and searched for what image models get wrong. Age and gender are not judged.

The figures beside the thresholds were measured on public-domain photos of three people (six, three and
one different shots), on the same photos with faults drawn into them, and on copies. They hold no person's
skin or features for normal; three people are few, so limits lie well inside the gap and most of them give
way to what a person's own photos show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Final

import numpy as np

from core.checks.report import Gate, GateName
from core.consent import Purpose, ValidConsent
from workers.pipeline.gates import at_least, at_most, not_measured, one_face
from workers.vision.artefacts import iris_contrast, lettering, noise
from workers.vision.encoder import encoder
from workers.vision.faces import find_faces, mesh_spread
from workers.vision.geometry import Face, Pixels
from workers.vision.likeness import Embedding, distance, embed, limits
from workers.vision.resemblance import detail, resemblance
from workers.vision.shape import Shape, drift, shape
from workers.vision.upright import Grey

_SHARE_OF_OWN: Final = 0.5  # of how much nearer own photos are than a colleague's
# Correlation of fine detail. The same photo made smaller, mirrored, darkened, blurred, with noise, another
# light or a jaw 8 % wider has 0.96 and more, with its eyes 6 % apart 0.79 and more; different photos of one
# person have up to 0.55, of two people up to 0.61.
_SAME_PICTURE: Final = 0.75
_ABOVE_OWN: Final = 0.1  # beyond what different photos of the person have
# Root mean square of ten proportions beyond the own photos'. Real photos left out had up to 0.029 beside two
# others and 0.022 beside four; eyes 12 % apart 0.032 to 0.041, a face 15 % longer 0.030 to 0.039, a jaw 35 %
# wider 0.022 to 0.048. Eyes 6 % apart (0.018) and a jaw 8 % wider (0.006) are below what the mesh sees.
_DRIFT: Final = 0.03
# Fraction of the eye distance. Faces up to 30° from the camera had 0.0057 to 0.0093; melted ones, moved by 6 %
# of the eye distance and more, 0.011 to 0.14.
_SPREAD: Final = 0.0105
# Stops. Real eyes had 1.4 to 5.1; an eye without an iris below 0.5.
_IRIS: Final = 0.6
# Over the face's contrast. Photos had 0.02 to 0.09; added noise of 12 levels 0.17 and more, a chequer of 6
# levels, as a decoder leaves, 0.38 and more.
_NOISE: Final = 0.13
# Marks in a row. Suits, shirts and ties had up to 3 (a tie seen in a mirror 5), a flight suit with real badges 4;
# words of 7 letters and more 6 to 9, those of 4 letters 4 to 6.
_LETTERS: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What of a face a made one is compared by. Identifies a person: memory only."""

    embedding: Embedding
    shape: Shape
    detail: Grey


def features(pixels: Pixels, face: Face, consent: ValidConsent) -> Features:
    """Measure a face for comparison.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: The person.
        consent: Must cover `likeness`.

    Raises:
        ConsentRequired: it does not.
    """
    return Features(embed(pixels, face, consent), shape(face), detail(pixels, face))


@dataclass(frozen=True, eq=False)
class Yardstick:
    """What a person's made faces are held against.

    Attributes:
        held_out: Key → photo that the model never saw.
        trained: Key → photo that it was trained on or shown.
        colleagues: Embeddings of the other people in the company whose consent to `likeness` stands; whose
            they are is not needed and not kept.
    """

    held_out: Mapping[str, Features]
    trained: Mapping[str, Features]
    colleagues: Sequence[Embedding] = ()

    @cached_property
    def _own(self) -> list[Features]:
        """The person's photos, one of each shot."""
        shots: list[Features] = []
        for one in (*self.held_out.values(), *self.trained.values()):
            if all(resemblance(one.detail, other.detail) < _SAME_PICTURE for other in shots):
                shots.append(one)
        return shots

    @cached_property
    def _pairs(self) -> list[float]:
        return [distance(one.embedding, other.embedding) for one, other in combinations(self._own, 2)]

    @cached_property
    def furthest(self) -> float:
        """The limit of the distance to the held-out photos, for this person.

        What 90 % of the person's own pairs have and a little more, because a light or a look that the photos
        lack is no other person; never more than `Limits.furthest`, however unlike the photos are to each other, and
        never less than what 95 % of all same-person pairs have. One photo says nothing, so the most is taken.
        """
        most = limits()
        if not self._pairs:
            return most.furthest
        own = float(np.percentile(self._pairs, 90)) + most.beyond_own
        return float(np.clip(own, most.most_pairs, max(most.most_pairs, most.furthest)))

    @cached_property
    def nearer(self) -> float:
        """The limit of how much nearer a made face must be to its owner than to any colleague."""
        margins = []
        for one in self._own:
            others = [distance(one.embedding, other.embedding) for other in self._own if other is not one]
            if others and self.colleagues:
                margins.append(self.to_colleagues(one.embedding) - float(np.mean(others)))
        most = limits().nearer
        return float(np.clip(_SHARE_OF_OWN * min(margins), 0.0, most)) if margins else most

    @cached_property
    def same_face(self) -> float:
        """The distance below which a face is nearer to one photo than own photos ever are to each other."""
        return min(self._pairs, default=limits().same_face)

    @cached_property
    def same_picture(self) -> float:
        """The correlation of detail above which a face is drawn like one photo, and no two own ones are."""
        alike = [resemblance(one.detail, other.detail) for one, other in combinations(self._own, 2)]
        return max(_SAME_PICTURE, max(alike, default=0.0) + _ABOVE_OWN)

    @property
    def shapes(self) -> list[Shape]:
        """The proportions that the person's photos show."""
        return [one.shape for one in self._own]

    def to_held_out(self, embedding: Embedding) -> float:
        """Return the mean distance to the photos that the model never saw."""
        return float(np.mean([distance(embedding, one.embedding) for one in self.held_out.values()]))

    def to_colleagues(self, embedding: Embedding) -> float:
        """Return the distance to the nearest colleague; there must be one."""
        return min(distance(embedding, other) for other in self.colleagues)


def measure_generated(
    pixels: Pixels, face: Face, yardstick: Yardstick, consent: ValidConsent, *, kept: bool = False
) -> dict[GateName, Gate]:
    """Measure one picture whose face a model made.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: The person in these pixels.
        yardstick: The person's own photos.
        consent: Must cover `likeness`: without it nobody could know whose face was made.
        kept: The face is the photo's own, pixel for pixel, and only what is worn was painted. Then being like a
            photo is no fault.

    Raises:
        ConsentRequired: `consent` does not cover `likeness`; no made face may be delivered then.
    """
    consent.demand(Purpose.LIKENESS)
    made = features(pixels, face, consent)
    faces = find_faces(pixels)
    others = tuple(other for other in faces if other.box.overlap(face.box) == 0)
    return {
        GateName.ONE_FACE: one_face(len(faces)),
        GateName.HELD_OUT: _held_out(made, yardstick),
        GateName.NEAREST: _nearest(made, yardstick),
        GateName.COPY_PASTE: _copy(made, yardstick, kept=kept),
        GateName.FACE_SHAPE: _shape(made, yardstick),
        GateName.MESH: at_most(
            mesh_spread(pixels, face),
            "of eye distance",
            _SPREAD,
            "the mesh agrees with itself within 0.0093 on real faces, not on melted ones",
        ),
        GateName.EYES: _eyes(pixels, face),
        GateName.NOISE: at_most(
            noise(pixels, face), "of the face's contrast", _NOISE, "photos have 0.02 to 0.09"
        ),
        GateName.LETTERING: _lettering(pixels, face, others),
    }


def measure_painted(pixels: Pixels, face: Face) -> dict[GateName, Gate]:
    """Measure a picture whose clothes a model painted, while face and hair are a photo's own.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: The person in these pixels.
    """
    return {GateName.LETTERING: _lettering(pixels, face, ())}


def _lettering(pixels: Pixels, face: Face, others: tuple[Face, ...]) -> Gate:
    return at_most(
        float(lettering(pixels, face, others)),
        "marks in a row",
        _LETTERS,
        "clothes have up to 5, painted words of seven letters 6 and more",
    )


def _held_out(made: Features, yardstick: Yardstick) -> Gate:
    unit, limit = encoder().unit, yardstick.furthest
    count = len(yardstick.held_out)
    if not count:
        return Gate(
            value=None, unit=unit, limit=limit, passed=False, why="no photo was held out, so nobody can know"
        )
    return at_most(
        yardstick.to_held_out(made.embedding),
        unit,
        limit,
        f"mean to {count} photos that the model never saw; 90 % of own pairs and "
        f"{limits().beyond_own:.2g}, {limits().most_pairs:.2g} to {limits().furthest:.2g}",
    )


def _nearest(made: Features, yardstick: Yardstick) -> Gate:
    unit, limit = f"{encoder().unit} nearer", yardstick.nearer
    if not yardstick.held_out or not yardstick.colleagues:
        return not_measured(unit, limit, "nobody else whose face could be compared")
    margin = yardstick.to_colleagues(made.embedding) - yardstick.to_held_out(made.embedding)
    return at_least(
        margin, unit, limit, f"half of what own photos are nearer by, at most {limits().nearer:.2g}"
    )


def _copy(made: Features, yardstick: Yardstick, *, kept: bool) -> Gate:
    unit, limit = "correlation of detail", yardstick.same_picture
    if kept:
        return not_measured(unit, limit, "the face is the photo's own on purpose")
    if not yardstick.trained:
        return not_measured(unit, limit, "the model saw no photo")
    alike = [
        (resemblance(made.detail, one.detail), distance(made.embedding, one.embedding))
        for one in yardstick.trained.values()
    ]
    # A good likeness is near in the embedding, a usual pose in the drawing; only a copy is both, to one photo.
    copies = [picture for picture, face in alike if picture > limit and face < yardstick.same_face]
    value = max(copies) if copies else max(picture for picture, _ in alike)
    return Gate(
        value=round(value, 4),
        unit=unit,
        limit=round(limit, 4),
        passed=not copies,
        why=f"a copy is above and also nearer than {yardstick.same_face:.2f} to the same photo",
    )


def _shape(made: Features, yardstick: Yardstick) -> Gate:
    unit = "of the proportions"
    if len(yardstick.shapes) < 2:
        return not_measured(unit, _DRIFT, "one photo does not say how far the mesh is off on this face")
    return at_most(
        drift(made.shape, yardstick.shapes),
        unit,
        _DRIFT,
        "beyond what own photos show; a further photo is up to 0.029 beyond",
    )


def _eyes(pixels: Pixels, face: Face) -> Gate:
    unit, value = "stops", iris_contrast(pixels, face)
    if value is None:
        return not_measured(unit, _IRIS, "the eyes are too small or too closed")
    return at_least(
        value, unit, _IRIS, "an iris is 1.4 and more darker than its white, a missing one below 0.5"
    )
