"""From one person's photos to headshots in the company's style, each measured."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.checks.report import LOOK_ALIKE, GateReport
from core.checks.shots import same_shot
from core.checks.verdict import Verdict
from core.consent import Purpose, ValidConsent
from core.errors import AppError
from core.logs import logger
from core.style.spec import StyleSpec
from core.style.variants import Variant
from workers.engines import Engine, Portrait, Source, StudioEngine
from workers.pipeline.gates import measure_result
from workers.pipeline.generated import measure_generated, measure_painted
from workers.pipeline.judgement import judge_or_say
from workers.pipeline.reference import Own
from workers.pipeline.suited import suited
from workers.pipeline.variants import MOST_SHOWN, Best
from workers.pipeline.yardstick import Features, Yardstick, features
from workers.studio.align import CroppedTooTightly, region, shortfall
from workers.studio.backdrop import stand_of
from workers.studio.finish import carried_size, finish, master_size
from workers.vision.check import unchecked
from workers.vision.examination import Examination
from workers.vision.faces import find_faces
from workers.vision.geometry import Pixels
from workers.vision.likeness import Embedding, distance, embed, limits
from workers.vision.matting import matte
from workers.vision.trust import LIMIT, doubt

FAULT = "fault"  # why a candidate is withheld on which this software failed
CANDIDATES = 3  # headshots to choose from; each from another photo
# Of the framing cost: a head a tenth larger than the team's costs a tenth of the score, so another photo goes first.
_CROP_WEIGHT = 1.2
# A cut that just passes costs as much as the difference between a good photo and one with a warning, so one of
# the person's photos that cuts cleanly goes first.
_CUT_WEIGHT = 0.25

_CHECKED = 0.3  # of the work is done when all photos are checked

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Headshot:
    """A finished picture that passed its gates.

    Attributes:
        source: Key of the photo it was made from, or the best one of the person it shows.
        pixels: uint8, height × width × 3, sRGB: the master from which all outputs are cut.
        report: What the gates measured.
        score: To rank; higher is better.
    """

    source: str
    pixels: Pixels
    report: GateReport
    score: float
    seed: int | None = None  # of pixels that were made


@dataclass(frozen=True, slots=True)
class Withheld:
    """A candidate that nobody gets to see, and why."""

    source: str
    reason: str  # stable code: an AppError's code, or `gates`
    report: GateReport | None
    seed: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RenderResult:
    """Everything that came of one person's photos."""

    headshots: tuple[Headshot, ...]  # best first, then variants of the best
    withheld: tuple[Withheld, ...]
    verdicts: dict[str, Verdict]  # every photo's, by key, in the order given
    subjects: dict[str, tuple[float, float]]  # where the person is in photos of several, as given or found


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    source: Source
    score: float


def render(
    photos: Sequence[tuple[str, bytes]],
    style: StyleSpec,
    consent: ValidConsent,
    progress: Progress = lambda _fraction, _stage: None,
    backdrop_image: Pixels | None = None,
    engine: Engine | None = None,
    subjects: Mapping[str, tuple[float, float]] = {},
    colleagues: Sequence[Sequence[Embedding]] = (),
    passed_over: Collection[str] = (),
    edit: Variant | None = None,
) -> RenderResult:
    """Check all photos, make up to `CANDIDATES` headshots of the best and variants that the style allows, measure each.

    One photo is worked on at a time, and of the best `CANDIDATES` the check's reduced pictures are kept. A photo that fails never costs the others. A photo of several
    people that nobody has answered for is used where one face is like the person's other photos, which
    needs consent to `likeness`; otherwise it is left out and its verdict still asks.

    Args:
        photos: Key and content of each photo.
        style: The company's style.
        consent: Must cover `photo`; with `likeness` the face is compared with the person's own photos.
        progress: Told the fraction done and the stage (`check`, `portrait`, `finish`, `measure`, `done`).
        backdrop_image: The picture of an image backdrop.
        engine: What makes the portraits; the studio by default.
        subjects: Where the person is in photos of several people, by key; see `judge`.
        colleagues: Faces that a made face must not be nearer to, a group for each colleague.
        passed_over: Keys of photos of which no portrait is made; results are compared with them all the same.
        edit: What the person asked for: the result is that one picture, of the best photo that is not passed over.

    Raises:
        ConsentRequired: `consent` does not cover what the engine does.
        BackdropMissing: an image backdrop without its picture.
    """
    consent.demand(Purpose.PHOTO)
    chosen = engine or StudioEngine()
    known: dict[str, Features] | None = {} if chosen.makes_faces else None
    places = dict(subjects)
    # What makes a face can learn from a photo that is too tight to be cropped.
    crop = None if chosen.makes_faces else style
    verdicts, ranked, own = _check_all(photos, style, crop, consent, progress, places, known)
    headshots: list[Headshot] = []
    withheld: list[Withheld] = []
    best = Best(style, edit)
    sources = [item.source for item in ranked if item.source.key not in passed_over]
    portraits = chosen.portraits(sources, style, consent) if sources else iter(())
    done = _CHECKED
    for place, portrait in enumerate(portraits):
        tries = len(headshots) + len(withheld)
        phash = verdicts[portrait.key].phash
        if portrait.made is None and any(
            _same_shot(phash, verdicts[shot.source].phash) for shot in headshots
        ):
            continue
        left = chosen.tries - tries if portrait.made else min(chosen.tries - tries, len(sources) - place)
        span = _span(done, CANDIDATES - len(headshots), left)
        tell = _part_of(progress, done, span)
        done += span
        judged = portrait.made.score if portrait.made is not None else None
        score = verdicts[portrait.key].score if judged is None else judged
        yardstick = _yardstick(portrait, known, colleagues)
        outcome = _made(portrait, style, consent, own, score, backdrop_image, tell, yardstick, best)
        if isinstance(outcome, Headshot):
            headshots.append(outcome)
        else:
            withheld.append(outcome)
        # Before the next one is asked for: it takes an engine seconds.
        if len(headshots) == CANDIDATES or tries + 1 == chosen.tries:
            break
    headshots.sort(key=lambda shot: -shot.score)
    if edit is None:
        headshots += best.variants(MOST_SHOWN - len(headshots), own, consent, backdrop_image)
    elif headshots:
        headshots, withheld = _edited(best, headshots[0].source, own, consent, backdrop_image)
    progress(1.0, "done")
    return RenderResult(tuple(headshots), tuple(withheld), verdicts, places)


def _edited(
    best: Best, source: str, own: Own, consent: ValidConsent, backdrop_image: Pixels | None
) -> tuple[list[Headshot], list[Withheld]]:
    """Return what the person asked for, or why nobody gets to see it."""
    shot = best.edited(own, consent, backdrop_image)
    if shot is None:
        return [], [Withheld(source, CroppedTooTightly.code, None)]
    return ([shot], []) if shot.report.passed else ([], [Withheld(source, "gates", shot.report)])


def _span(done: float, wanted: int, left: int) -> float:
    """Return the next candidate's share of the work, so that a further try after a withheld one has one too."""
    return (1 - done) / (left if left <= wanted else wanted + 1)


def _part_of(progress: Progress, start: float, span: float) -> Progress:
    return lambda fraction, stage: progress(start + fraction * span, stage)


def _check_all(
    photos: Sequence[tuple[str, bytes]],
    style: StyleSpec,
    crop: StyleSpec | None,
    consent: ValidConsent,
    progress: Progress,
    subjects: dict[str, tuple[float, float]],
    known: dict[str, Features] | None,
) -> tuple[dict[str, Verdict], list[_Ranked], Own]:
    """Check every photo; a person who is found in a photo of several is added to `subjects`."""
    verdicts: dict[str, Verdict] = {}
    ranked: list[_Ranked] = []
    own = Own()
    asking: list[tuple[str, bytes]] = []

    def look(key: str, content: bytes, subject: tuple[float, float] | None) -> Verdict:
        seen = judge_or_say(content, consent, style=crop, subject=subject)
        try:
            _take(key, content, seen, subject, style, consent, ranked, own, known)
        except AppError:
            raise
        except Exception as error:  # noqa: BLE001 - one photo never costs the others theirs
            return unchecked(error)
        return seen.verdict

    for index, (key, content) in enumerate(photos):
        progress(_CHECKED * index / len(photos), "check")
        subject = subjects.get(key)
        verdicts[key] = look(key, content, subject)
        if verdicts[key].asks:
            asking.append((key, content))
    # Features with the photos that show one person only, never with each other.
    alone = list(own.embeddings.values())
    for key, content in asking:
        subject = _likest(judge_or_say(content, consent, style=crop), alone, consent)
        if subject is not None:
            subjects[key] = subject
            verdicts[key] = look(key, content, subject)
    return verdicts, ranked, own


def _take(
    key: str,
    content: bytes,
    seen: Examination,
    subject: tuple[float, float] | None,
    style: StyleSpec,
    consent: ValidConsent,
    ranked: list[_Ranked],
    own: Own,
    known: dict[str, Features] | None,
) -> None:
    """Rank an accepted photo and add it to the person's own; what the check saw is kept of the best few."""
    if not seen.verdict.accepted or seen.pixels is None or seen.face is None:
        return
    own.add(key, seen.pixels, seen.face, consent)
    if known is not None:
        known[key] = features(seen.pixels, seen.face, consent)
    # A photo that ends early has to be cropped tighter than the style, and its team mates would not match.
    height, width = seen.pixels.shape[:2]
    fits = 1.0 - min(0.5, shortfall(seen.face, style.crop, width, height))
    fits *= suited(seen.face, style)
    ranked.append(_Ranked(Source(key, content, seen.verdict, subject, seen), seen.verdict.score * fits))
    ranked.sort(key=lambda item: -item.score)
    for place in range(CANDIDATES, len(ranked)):
        ranked[place] = replace(ranked[place], source=replace(ranked[place].source, seen=None))


def _likest(seen: Examination, own: Sequence[Embedding], consent: ValidConsent) -> tuple[float, float] | None:
    """Return where the face is that is nearest to the person's own photos; `None` where none is near."""
    if not own or seen.pixels is None or seen.face is None or not consent.covers(Purpose.LIKENESS):
        return None
    nearest, place = limits().same_person, None
    for face, box in zip((seen.face, *seen.others), seen.verdict.faces, strict=True):
        embedding = embed(seen.pixels, face, consent)
        away = float(np.mean([distance(embedding, one) for one in own]))
        if away < nearest:
            nearest, place = away, box.centre
    return place


def _same_shot(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and same_shot(one, other)


def _yardstick(
    portrait: Portrait, known: Mapping[str, Features] | None, colleagues: Sequence[Sequence[Embedding]]
) -> Yardstick | None:
    """Return what a made face is held against; `None` where the face is a photo's own."""
    if known is None or portrait.made is None:
        return None
    held_out = {key: one for key, one in known.items() if key in portrait.made.held_out}
    trained = {key: one for key, one in known.items() if key not in held_out}
    return Yardstick(held_out, trained, colleagues)


def _made(
    portrait: Portrait,
    style: StyleSpec,
    consent: ValidConsent,
    own: Own,
    score: float,
    backdrop_image: Pixels | None,
    progress: Progress,
    yardstick: Yardstick | None,
    best: Best,
) -> Headshot | Withheld:
    """Make one candidate; one on which this software fails is withheld, and the next one is made."""
    try:
        return _make(portrait, style, consent, own, score, backdrop_image, progress, yardstick, best)
    except AppError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        logger().error("candidate_failed", exc_info=error)
        return Withheld(portrait.key, FAULT, None, portrait.made.seed if portrait.made else None)


def _make(
    portrait: Portrait,
    style: StyleSpec,
    consent: ValidConsent,
    own: Own,
    score: float,
    backdrop_image: Pixels | None,
    progress: Progress,
    yardstick: Yardstick | None,
    best: Best,
) -> Headshot | Withheld:
    seed = portrait.made.seed if portrait.made else None
    if portrait.face is None:
        return Withheld(portrait.key, FAULT if portrait.failed else "no_face", None, seed)
    try:
        progress(0.0, "portrait")
        shown = region(portrait.face, style.crop, style.room)
        cutout = matte(
            portrait.pixels,
            portrait.face,
            list(portrait.others),
            shown,
            max_side=round(1.3 * max(master_size(style))),
        )
        progress(0.6, "finish")
        stand = stand_of(portrait.pixels)
        finished = finish(cutout, style, carried_size(cutout, style), backdrop_image, stand=stand)
    except CroppedTooTightly as error:
        return Withheld(portrait.key, error.code, None, seed)
    progress(0.8, "measure")
    picture = finished.framed(style)
    unsure = doubt(portrait.pixels, portrait.face, portrait.others, shown, cutout.alpha)
    report = measure_result(
        picture, portrait.key, own, style, finished.framing, consent, backdrop_image, unsure, stand
    )
    detail = portrait.made.detail if portrait.made else None
    notes = report.notes if detail is None else (*report.notes, detail.value)
    master = (finished.pixels.shape[1], finished.pixels.shape[0])
    report = report.model_copy(update={"master": master, "notes": notes})
    if portrait.made is not None and report.passed:
        face = find_faces(picture)[0]
        report = report.plus(
            measure_painted(picture, face)
            if yardstick is None
            else measure_generated(picture, face, yardstick, consent)
        )
        if yardstick is not None and yardstick.look_alikes:
            report = report.model_copy(update={"notes": (*report.notes, LOOK_ALIKE)})
    if not report.passed:
        return Withheld(portrait.key, "gates", report, seed)
    score *= suited(portrait.face, style)
    shot = Headshot(portrait.key, finished.pixels, report, rank(score, finished.framing.cost, unsure), seed)
    if portrait.made is None:
        best.offer(shot, cutout, unsure, stand)
    return shot


def rank(score: float, framing_cost: float, unsure: float) -> float:
    """Return what headshots of one person are sorted by; higher is better.

    Args:
        score: Of the photo, by the check, 0 to 1; of a face that was made, how like its person it is.
        framing_cost: How far the frame had to leave the style; see `workers.studio.align.Framing`.
        unsure: How far the cut is from being trusted; see `workers.vision.trust.doubt`.
    """
    return round(score - _CROP_WEIGHT * framing_cost - _CUT_WEIGHT * min(1.0, unsure / LIMIT), 4)
