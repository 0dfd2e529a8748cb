"""From one person's photos to headshots in the company's style, each measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.consent import Purpose, ValidConsent
from core.style import StyleSpec
from workers.engines import Engine, Portrait, Source, StudioEngine
from workers.gates import GateReport, Own, measure_result
from workers.studio.align import CroppedTooTightly, region, shortfall
from workers.studio.finish import finish, master_size
from workers.vision.check import examine
from workers.vision.examination import Examination
from workers.vision.geometry import Face, Pixels
from workers.vision.matting import matte
from workers.vision.verdict import Verdict

CANDIDATES = 3  # headshots to choose from; each from another photo
_SAME_SHOT = 0.985  # correlation of two aligned faces; two frames of a burst stay below
_THUMB = 32  # px, side of an aligned face while comparing
_TRIES = 5  # portraits at most, so that a person with twenty bad photos does not hold up the others
_CROP_WEIGHT = (
    0.4  # of the framing cost: a head 25 % larger than the team's costs as much as 0.1 of the score
)

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Headshot:
    """A finished picture that passed its gates.

    Attributes:
        source: Key of the photo it was made from.
        pixels: uint8, height × width × 3, sRGB: the master from which all outputs are cut.
        report: What the gates measured.
        score: To rank; higher is better.
    """

    source: str
    pixels: Pixels
    report: GateReport
    score: float


@dataclass(frozen=True, slots=True)
class Withheld:
    """A candidate that nobody gets to see, and why."""

    source: str
    reason: str  # stable code: an AppError's code, or `gates`
    report: GateReport | None

    @property
    def explanation(self) -> str:
        """The reason, with the gates that failed."""
        return f"gates: {', '.join(self.report.failed)}" if self.report else self.reason


@dataclass(frozen=True, slots=True, eq=False)
class RenderResult:
    """Everything that came of one person's photos."""

    headshots: tuple[Headshot, ...]  # best first
    withheld: tuple[Withheld, ...]
    verdicts: dict[str, Verdict]  # every photo's, by key, in the order given


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    source: Source
    thumb: NDArray[np.float32]
    score: float


def render(
    photos: Sequence[tuple[str, bytes]],
    style: StyleSpec,
    consent: ValidConsent,
    progress: Progress = lambda _fraction, _stage: None,
    backdrop_image: Pixels | None = None,
    engine: Engine | None = None,
) -> RenderResult:
    """Check all photos, make up to `CANDIDATES` headshots of the best, measure each.

    One decoded photo is in memory at a time. A photo that fails never costs the others.

    Args:
        photos: Key and content of each photo.
        style: The company's style.
        consent: Must cover `photo`; with `likeness` the face is compared with the person's own photos.
        progress: Told the fraction done and the stage (`check`, `portrait`, `finish`, `measure`, `done`).
        backdrop_image: The picture of an image backdrop.
        engine: What makes the portraits; the studio by default.

    Raises:
        ConsentRequired: `consent` does not cover what the engine does.
        BackdropMissing: an image backdrop without its picture.
    """
    consent.demand(Purpose.PHOTO)
    verdicts, ranked, own = _check_all(photos, style, consent, progress)
    headshots: list[Headshot] = []
    withheld: list[Withheld] = []
    thumbs = {item.source.key: item.thumb for item in ranked}
    sources = [item.source for item in ranked]
    portraits = (engine or StudioEngine()).portraits(sources, style, consent) if sources else iter(())
    for portrait in portraits:
        tries = len(headshots) + len(withheld)
        if len(headshots) == CANDIDATES or tries == _TRIES:
            break
        thumb = thumbs[portrait.key]
        if any(_same_shot(thumb, thumbs[made.source]) for made in headshots):
            continue
        step = 0.7 / min(CANDIDATES, len(sources))
        tell = _part_of(progress, 0.3 + step * tries, step)
        score = verdicts[portrait.key].score
        outcome = _make(portrait, style, consent, own, score, backdrop_image, tell)
        if isinstance(outcome, Headshot):
            headshots.append(outcome)
        else:
            withheld.append(outcome)
    progress(1.0, "done")
    headshots.sort(key=lambda shot: -shot.score)
    return RenderResult(tuple(headshots), tuple(withheld), verdicts)


def _part_of(progress: Progress, start: float, span: float) -> Progress:
    """Tell `progress` about one candidate; a further try after a withheld one stays just below the end."""
    return lambda fraction, stage: progress(min(0.99, start + fraction * span), stage)


def _check_all(
    photos: Sequence[tuple[str, bytes]], style: StyleSpec, consent: ValidConsent, progress: Progress
) -> tuple[dict[str, Verdict], list[_Ranked], Own]:
    verdicts: dict[str, Verdict] = {}
    ranked: list[_Ranked] = []
    own = Own()
    for index, (key, content) in enumerate(photos):
        progress(0.3 * index / len(photos), "check")
        seen = examine(content, consent)
        verdicts[key] = seen.verdict
        if seen.verdict.accepted and seen.pixels is not None and seen.face is not None:
            own.add(key, seen.pixels, seen.face, consent)
            ranked.append(_rank(key, content, seen, seen.pixels, seen.face, style))
    ranked.sort(key=lambda item: -item.score)
    return verdicts, ranked, own


def _rank(
    key: str, content: bytes, seen: Examination, pixels: Pixels, face: Face, style: StyleSpec
) -> _Ranked:
    # A photo that ends early has to be cropped tighter than the style, and its team mates would not match.
    fits = 1.0 - min(0.5, shortfall(face, style.crop, pixels.shape[1], pixels.shape[0]))
    return _Ranked(Source(key, content, seen.verdict), _thumb(pixels, face), seen.verdict.score * fits)


def _thumb(pixels: Pixels, face: Face) -> NDArray[np.float32]:
    """The face, aligned, small, grey, normalised: to see whether two files are the same shot."""
    scale = 0.4 * _THUMB / max(face.eye_distance, 1.0)
    turn = np.radians(-face.roll)
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    x, y = (face.right_eye + face.left_eye) / 2
    matrix = np.array(
        [
            [cosine, -sine, _THUMB / 2 - cosine * x + sine * y],
            [sine, cosine, 0.38 * _THUMB - sine * x - cosine * y],
        ]
    )
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    blurred = cv2.GaussianBlur(grey, (0, 0), max(0.5, 0.4 / scale)) if scale < 1 else grey
    small = cv2.warpAffine(blurred, matrix, (_THUMB, _THUMB)).astype(np.float32)
    return np.asarray((small - small.mean()) / (small.std() + 1e-6), np.float32)


def _same_shot(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    return float((one * other).mean()) > _SAME_SHOT


def _make(
    portrait: Portrait,
    style: StyleSpec,
    consent: ValidConsent,
    own: Own,
    score: float,
    backdrop_image: Pixels | None,
    progress: Progress,
) -> Headshot | Withheld:
    size = master_size(style)
    try:
        progress(0.0, "portrait")
        cutout = matte(
            portrait.pixels,
            portrait.face,
            list(portrait.others),
            region(portrait.face, style.crop),
            max_side=round(1.3 * max(size)),
        )
        progress(0.6, "finish")
        finished = finish(cutout, style, size, backdrop_image)
    except CroppedTooTightly as error:
        return Withheld(portrait.key, error.code, None)
    progress(0.8, "measure")
    report = measure_result(
        finished.pixels, portrait.key, own, style, finished.framing, consent, backdrop_image
    )
    if not report.passed:
        return Withheld(portrait.key, "gates", report)
    rank = round(score - _CROP_WEIGHT * finished.framing.cost, 4)
    return Headshot(portrait.key, finished.pixels, report, rank)
