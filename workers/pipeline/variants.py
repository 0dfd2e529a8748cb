"""Further pictures of a person's best headshot, as far as the company allows: closer, or before another colour.

The cut is what is dear; it is made once for each photo. Of the best one it is kept until all photos were tried, and
the finisher makes the variants of it. Each passes the same gates, held against what it was meant to be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from core.consent import ValidConsent
from core.style.spec import StyleSpec
from core.style.variants import Variant, variants_of
from workers.pipeline.gates import measure_result
from workers.pipeline.reference import Own
from workers.studio.align import CroppedTooTightly
from workers.studio.finish import carried_size, finish
from workers.vision.cutout import Cutout
from workers.vision.geometry import Pixels

if TYPE_CHECKING:
    from workers.pipeline.render import Headshot

MOST_SHOWN: Final = (
    4  # headshots to choose from, variants included; four cards of a page weigh what a phone loads
)
# Of the head's height: less is not seen beside the other. A photo that ends early has been cropped as close already.
_SEEN: Final = 1.07


@dataclass(frozen=True, slots=True, eq=False)
class _Cut:
    """What variants are made of."""

    shot: Headshot
    cutout: Cutout
    unsure: float  # see `workers.vision.trust.doubt`
    stand: int  # see `workers.studio.backdrop.stand_of`


class Best:
    """The cut of the person's best headshot so far: one, however many photos there are."""

    def __init__(self, style: StyleSpec, edit: Variant | None = None) -> None:
        """Prepare for the variants of a style, or for the one that its person asked for."""
        self._style = style
        self._wanted = variants_of(style) if edit is None else [edit]
        self._cut: _Cut | None = None

    def offer(self, shot: Headshot, cutout: Cutout, unsure: float, stand: int) -> None:
        """Keep the cut of a headshot that passed its gates, if it is the best and the style has variants."""
        if self._wanted and (self._cut is None or shot.score > self._cut.shot.score):
            self._cut = _Cut(shot, cutout, unsure, stand)

    def variants(
        self, most: int, own: Own, consent: ValidConsent, backdrop_image: Pixels | None
    ) -> Iterator[Headshot]:
        """Yield up to `most` variants that pass their gates; the others nobody hears of, since the headshot is there."""
        if self._cut is None:
            return
        made = 0
        for variant in self._wanted:
            if made == most:
                return
            shot = self._made(self._cut, variant, own, consent, backdrop_image)
            if shot is not None and shot.report.passed and self._is_seen(self._cut, shot, variant):
                made += 1
                yield shot

    def edited(self, own: Own, consent: ValidConsent, backdrop_image: Pixels | None) -> Headshot | None:
        """Return what its person asked for, whether or not it passes its gates; `None` where no crop is left."""
        if self._cut is None:
            return None
        return self._made(self._cut, self._wanted[0], own, consent, backdrop_image)

    def _is_seen(self, cut: _Cut, shot: Headshot, variant: Variant) -> bool:
        """Say whether a closer crop differs from the headshot, which may have been cropped as close already."""
        before, after = (one.report.figures["head_height_fraction"] for one in (cut.shot, shot))
        return not variant.closer or after >= _SEEN * before

    def _made(
        self, cut: _Cut, variant: Variant, own: Own, consent: ValidConsent, backdrop_image: Pixels | None
    ) -> Headshot | None:
        style, meant = self._style, variant.applied(self._style)
        try:
            size = carried_size(cut.cutout, style, meant.crop, variant.aside)
            finished = finish(
                cut.cutout, meant, size, backdrop_image, style.frame(*size), cut.stand, variant.aside
            )
        except CroppedTooTightly:
            return None
        report = measure_result(
            finished.framed(style),
            cut.shot.source,
            own,
            meant,
            finished.framing,
            consent,
            backdrop_image,
            cut.unsure,
            cut.stand,
        )
        notes = (*variant.notes, *report.notes)
        master = (finished.pixels.shape[1], finished.pixels.shape[0])
        report = report.model_copy(update={"notes": notes, "master": master})
        return replace(cut.shot, pixels=finished.pixels, report=report)
