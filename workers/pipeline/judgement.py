"""One judgement for check and studio: what the studio would refuse, the check says first.

The check looks at the face; whether an honest crop is left depends on where hair and shoulders end, which the
studio knows after cutting out. Here a rough mask answers it, with the studio's own framing.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from core.checks.advice import Issue, Severity
from core.checks.verdict import Finding, Verdict
from core.consent import ValidConsent
from core.errors import AppError
from core.image.reading import MAX_BYTES, MAX_PIXELS
from core.style.framing import largest_frame
from core.style.spec import StyleSpec
from workers.studio.align import CroppedTooTightly, Framing, frame, region
from workers.studio.finish import master_size
from workers.vision.check import examine, unchecked
from workers.vision.cutout import Cutout
from workers.vision.decode import Picture
from workers.vision.examination import Examination
from workers.vision.face_measures import sharp_up_to
from workers.vision.geometry import Box
from workers.vision.matting import roughly
from workers.vision.trust import is_doubted

# px of the crop's long side. At 512 the rough mask and the finished cut-out agreed on whether a crop is left in 94
# of 96 cropped variants of seven photos; at 320 white hair before a white wall was lost.
_SIDE: Final = 512
_TIGHTER: Final = 1.1  # heads a tenth larger than the colleagues' are seen in a row of them
_HAIR: Final = 0.5  # of the mask at the photo's edge
# Of the score, each: of two like photos the one that the studio can frame and cut out as the style asks goes first.
_COST: Final = 0.1
_COSTS_A_HEADSHOT: Final = frozenset({Issue.HEAD_TOUCHES_EDGE, Issue.SHOULDERS_CUT, Issue.HARD_TO_CUT_OUT})
# Of the frame's height, above the hair of a photo that ends there: half of what the studio leaves where it can.
_NO_AIR: Final = 0.0125
_TOUCHING: Final = 0.1  # of the head's height along the edge; a single tuft is less


def judge(
    photo: bytes | Picture,
    consent: ValidConsent,
    *,
    style: StyleSpec | None = None,
    subject: tuple[float, float] | None = None,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
) -> Examination:
    """Examine a photo, and ask whether the studio could frame it; see `examine`.

    Args:
        photo: The file, or what was decoded of it.
        consent: Must cover `photo`.
        style: Whose crop it has to fill; without one only the face is judged, as for learning from it.
        subject: Where the person is; see `examine`.
        max_bytes: Of the file.
        max_pixels: Of the file.

    Raises:
        ConsentRequired: `consent` does not cover `photo`.
    """
    seen = examine(photo, consent, subject=subject, max_bytes=max_bytes, max_pixels=max_pixels)
    if style is None or not seen.verdict.accepted:
        return seen
    rough, shown = _cut_roughly(seen, style)
    try:
        framing = frame(rough, style.crop, *master_size(style))
    except CroppedTooTightly:
        return seen.with_verdict(_refused(seen.verdict))
    verdict = _sized(seen, style, framing.tighter)
    return seen.with_verdict(_foreseen(verdict, seen, rough, shown, framing))


def judge_or_say(
    photo: bytes | Picture,
    consent: ValidConsent,
    *,
    style: StyleSpec | None = None,
    subject: tuple[float, float] | None = None,
) -> Examination:
    """Judge one of several photos; see `judge`. A fault of ours is a finding: it never costs the others theirs.

    Raises:
        AppError: what concerns every photo, such as a missing consent or a matting network that is none.
    """
    try:
        return judge(photo, consent, style=style, subject=subject)
    except AppError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever one file does to the models, the next one is looked at
        return Examination(unchecked(error))


def _cut_roughly(seen: Examination, style: StyleSpec) -> tuple[Cutout, Box]:
    """Return the person as far as a rough mask tells them, and what of the view that shows, in its pixels."""
    assert seen.pixels is not None
    assert seen.face is not None
    wanted = region(seen.face, style.crop, style.room)
    height, width = seen.pixels.shape[:2]
    # High hair makes the studio show more, so the mask reaches as far again above.
    above = wanted.top - max(0.0, seen.face.box.top - wanted.top)
    shown = Box(max(0.0, wanted.left), max(0.0, above), min(width, wanted.right), min(height, wanted.bottom))
    pixels, mask, face, scale = roughly(seen.pixels, seen.face, list(seen.others), shown, _SIDE)
    return Cutout(pixels, mask, face, scale), shown


def _foreseen(verdict: Verdict, seen: Examination, rough: Cutout, shown: Box, framing: Framing) -> Verdict:
    """Say what the studio will have to do or may refuse, as it will see it itself."""
    assert seen.pixels is not None
    assert seen.face is not None
    issues = list(verdict.issues)
    if shown.top == 0:
        # The outline of the hair tells it, where the mesh only knows a skull.
        issues = [one for one in issues if one.code is not Issue.HEAD_TOUCHES_EDGE]
        if touches_the_edge(rough) or framing.gap < _NO_AIR:
            issues.append(Finding.of(Issue.HEAD_TOUCHES_EDGE))
    if framing.tighter > _TIGHTER:
        issues.append(Finding.of(Issue.SHOULDERS_CUT))
    if is_doubted(seen.pixels, seen.face, seen.others, shown, rough.alpha):
        issues.append(Finding.of(Issue.HARD_TO_CUT_OUT))
    costs = sum(one.code in _COSTS_A_HEADSHOT for one in issues)
    score = round(verdict.score * (1 - _COST * costs), 4)
    return verdict.model_copy(update={"issues": _sorted(issues), "score": score})


def touches_the_edge(rough: Cutout) -> bool:
    """Say whether the outline of the hair reaches the picture's upper edge."""
    across = np.abs(np.arange(rough.alpha.shape[1]) - float(rough.face.crown[0])) < rough.face.head_height / 2
    return float((rough.alpha[0, across] > _HAIR).sum()) > _TOUCHING * rough.face.head_height


def _sized(seen: Examination, style: StyleSpec, tighter: float) -> Verdict:
    """Say how large the style's headshot can be, as the studio will make it, instead of how large the default's can."""
    assert seen.face is not None
    assert seen.place is not None
    carried = largest_frame(seen.face.head_at_rest / seen.place.scale, style.crop.head_height * tighter)
    pixels = sharp_up_to(carried)
    issues = [one for one in seen.verdict.issues if one.code is not Issue.LOW_RESOLUTION]
    if carried < style.frame(*master_size(style)).height:
        issues.append(Finding.of(Issue.LOW_RESOLUTION, pixels=pixels))
    measures = seen.verdict.measures.model_copy(update={"sharp_up_to_px": pixels})
    return seen.verdict.model_copy(update={"measures": measures, "issues": _sorted(issues)})


def _refused(verdict: Verdict) -> Verdict:
    """Add the studio's refusal; the milder word about the same thing goes."""
    issues = [one for one in verdict.issues if one.code is not Issue.HEAD_TOUCHES_EDGE]
    issues.append(Finding.of(Issue.CROPPED_TOO_TIGHTLY))
    return verdict.model_copy(
        update={
            "accepted": False,
            "score": 0.0,
            "issues": _sorted(issues),
        }
    )


def _sorted(issues: list[Finding]) -> tuple[Finding, ...]:
    order = list(Severity)
    return tuple(sorted(issues, key=lambda one: order.index(one.severity)))
