"""Measure a face that a model made before anybody sees it.

A photo that was retouched shows its owner; a picture from a model may show somebody who never was. So each
is compared with photos that the model never saw, within what the person's own photos differ among
themselves, by every encoder in use, and searched for what image models get wrong. Age and gender are not judged.

The figures beside the thresholds were measured on public-domain photos of three people (six, three and
one different shots), on the same photos with faults drawn into them, and on copies. They hold no person's
skin or features for normal; three people are few, so limits lie well inside the gap and most of them give
way to what a person's own photos show.
"""

from __future__ import annotations

from typing import Final

from core.checks.report import Gate, GateName
from core.consent import Purpose, ValidConsent
from workers.pipeline.gates import at_least, at_most, not_measured, one_face
from workers.pipeline.yardstick import Features, Scale, Yardstick, features
from workers.vision.artefacts import iris_contrast, lettering, noise
from workers.vision.faces import find_faces, mesh_spread
from workers.vision.geometry import Face, Pixels
from workers.vision.likeness import distance
from workers.vision.resemblance import resemblance
from workers.vision.shape import drift

_NOBODY: Final = "nobody else whose face could be compared"
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
    """Return the gate of the encoder that is less content."""
    scales = yardstick.scales
    count = len(scales[0].held_out)
    if not count:
        return Gate(
            value=None,
            unit=scales[0].used.unit,
            limit=scales[0].furthest,
            passed=False,
            why="no photo was held out, so nobody can know",
        )
    found = [(scale.to_held_out(made.embedding), scale) for scale in scales]
    value, worst = max(found, key=lambda one: one[0] / one[1].furthest)
    limits = worst.used.limits
    gate = at_most(
        value,
        worst.used.unit,
        worst.furthest,
        f"mean to {count} photos that the model never saw; the furthest own photo and "
        f"{limits.beyond_own:.2g}, {limits.strictest:.2g} to {limits.furthest:.2g}{_others(scales, worst)}",
    )
    return gate.model_copy(update={"encoders": len(scales)})


def _others(scales: tuple[Scale, ...], shown: Scale) -> str:
    """Say which encoder was more content, where there is one."""
    rest = [scale.used.unit for scale in scales if scale is not shown]
    return f"; nearer to its limit than {', '.join(rest)}" if rest else ""


def _nearest(made: Features, yardstick: Yardstick) -> Gate:
    """Return the gate of the encoder that is less content; what one could not compare is no pass by both."""
    alike = yardstick.look_alikes
    scales = yardstick.scales if yardstick.held_out and yardstick.colleagues else ()
    found = [_margin(made, scale, alike) for scale in scales]
    failed = [one for one in found if one[1].passed is False]
    open_ones = [gate for _, gate in found if gate.passed is None]
    if failed or (found and not open_ones and not alike):
        return min(failed or found, key=lambda one: one[0])[1]
    first = yardstick.scales[0].used
    unit, limit = f"{first.unit} nearer", first.limits.nearer
    if alike:
        return not_measured(
            unit,
            limit,
            "a photo of somebody else in the company could be this person's, so this check cannot tell them apart",
        )
    return open_ones[0] if open_ones else not_measured(unit, limit, _NOBODY)


def _margin(made: Features, scale: Scale, but: tuple[int, ...]) -> tuple[float, Gate]:
    """Return by how much an encoder is content, in its own limits, and its gate."""
    most, count = scale.used.limits.nearer, len(scale.colleagues)
    unit, limit = f"{scale.used.unit} nearer", scale.nearer(but)
    away = scale.to_colleagues(made.embedding, but)
    unseen = sum(not group for group in scale.colleagues)
    margin = None if away is None else away - scale.to_held_out(made.embedding)
    if margin is None or (unseen and margin >= limit):
        why = _NOBODY
        if unseen:
            why = f"{unseen} of {count} colleagues were never seen by this encoder, until they send a photo again"
        return 0.0, not_measured(unit, limit, why)
    why = f"than to {count - unseen} colleagues; half of what own photos are nearer by, at most {most:.2g}"
    return (margin - limit) / most, at_least(margin, unit, limit, why)


def _copy(made: Features, yardstick: Yardstick, *, kept: bool) -> Gate:
    unit, limit = "correlation of detail", yardstick.same_picture
    if kept:
        return not_measured(unit, limit, "the face is the photo's own on purpose")
    if not yardstick.trained:
        return not_measured(unit, limit, "the model saw no photo")
    alike = [
        (resemblance(made.detail, one.detail), _is_as_near(made, one, yardstick))
        for one in yardstick.trained.values()
    ]
    # A good likeness is near in the embedding, a usual pose in the drawing; only a copy is both, to one photo.
    copies = [picture for picture, near in alike if picture > limit and near]
    value = max(copies) if copies else max(picture for picture, _ in alike)
    near = " or ".join(f"{scale.same_face:.2f} {scale.used.unit}" for scale in yardstick.scales)
    return Gate(
        value=round(value, 4),
        unit=unit,
        limit=round(limit, 4),
        passed=not copies,
        why=f"a copy is above and also nearer than {near} to the same photo",
    )


def _is_as_near(made: Features, photo: Features, yardstick: Yardstick) -> bool:
    """Whether any encoder has a face nearer to one photo than own photos ever are to each other."""
    return any(
        distance(made.embedding, photo.embedding, scale.used.id) < scale.same_face
        for scale in yardstick.scales
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
