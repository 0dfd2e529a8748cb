"""Measure given images against a person's own photos and a style: what `headshots score` prints."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, computed_field

from core.checks.report import Gate, GateName
from core.consent import ValidConsent
from core.errors import InvalidInput
from core.style.spec import StyleSpec
from workers.pipeline.gates import figures_of, measure_person, measure_result, one_face
from workers.pipeline.judgement import judge_or_say
from workers.pipeline.reference import Own
from workers.vision.geometry import Pixels
from workers.vision.likeness import distance, embed

_UNKNOWN = ""  # which of the person's photos an image was made from


class Score(BaseModel):
    """One image against its limits, and the figures behind them."""

    model_config = ConfigDict(frozen=True)

    image: str
    faces: int
    gates: dict[GateName, Gate]
    figures: dict[str, float] = {}  # names end in the unit
    likeness_to: dict[str, float] = {}  # the encoder's distance to each reference photo, by file name
    # distance that the reference photos have among themselves, leave-one-out mean
    likeness_baseline: float | None = None

    @computed_field  # type: ignore[prop-decorator] # pydantic's own advice for mypy
    @property
    def passed(self) -> bool:
        """Whether nothing that could be measured is beyond its limit."""
        return all(gate.passed is not False for gate in self.gates.values())


def score(
    references: Sequence[tuple[str, bytes]],
    images: Sequence[tuple[str, bytes]],
    consent: ValidConsent,
    style: StyleSpec | None = None,
    backdrop_image: Pixels | None = None,
) -> list[Score]:
    """Measure each image against the reference photos, and against a style where one is given.

    Args:
        references: File name and content of the person's own photos; those with no usable face are left out.
        images: File name and content of what is to be measured.
        consent: Must cover `photo`; without `likeness` no face is compared.
        style: What the images have to match: without it crop, light, backdrop and edge have no limits.
        backdrop_image: The picture of the style's image backdrop.

    Raises:
        InvalidInput: no reference photo shows a usable face.
    """
    own = Own()
    for name, content in references:
        seen = judge_or_say(content, consent)
        if seen.verdict.accepted and seen.pixels is not None and seen.face is not None:
            own.add(name, seen.pixels, seen.face, consent)
    if not own.tones:
        raise InvalidInput("None of the reference photos shows one usable face.")
    return [_score(name, content, own, consent, style, backdrop_image) for name, content in images]


def _score(
    name: str,
    content: bytes,
    own: Own,
    consent: ValidConsent,
    style: StyleSpec | None,
    backdrop_image: Pixels | None,
) -> Score:
    seen = judge_or_say(content, consent)
    faces = 0 if seen.face is None else 1 + len(seen.others)
    gates = {GateName.ONE_FACE: one_face(faces)}
    if seen.pixels is None or seen.face is None:
        return Score(image=name, faces=faces, gates=gates)
    face, pixels = seen.face, seen.pixels
    figures = figures_of(pixels, face)
    if style is None:
        gates |= measure_person(pixels, face, _UNKNOWN, own, consent)
    else:
        report = measure_result(pixels, _UNKNOWN, own, style, None, consent, backdrop_image)
        gates, figures = report.gates | gates, report.figures or figures
    baseline = own.baseline()
    to_each = {}
    if own.embeddings:
        here = embed(pixels, face, consent)
        to_each = {key: round(distance(here, other), 4) for key, other in own.embeddings.items()}
    return Score(
        image=name,
        faces=faces,
        gates=gates,
        figures=figures,
        likeness_to=to_each,
        likeness_baseline=None if baseline is None else round(baseline, 4),
    )
