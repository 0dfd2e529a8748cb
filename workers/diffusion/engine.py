"""The engines that need a GPU: portraits of a trained person, of a person shown in photos, and new clothes.

Whatever they make goes through the studio's finisher and gates like a photo does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Final

import cv2
import numpy as np

from core.consent import Purpose, ValidConsent
from core.style.spec import StyleSpec
from workers.diffusion.bank import EMPTY
from workers.diffusion.best import Judged, best_first, judge, own_faces
from workers.diffusion.captions import PERSON
from workers.diffusion.examples import Split, TooFewPhotos, split
from workers.diffusion.face_detail import detailed
from workers.diffusion.meter import Meter
from workers.diffusion.prompts import prompts
from workers.diffusion.sample import REFERENCES, Request, Sampler
from workers.diffusion.wardrobe import greyed, keep_face, wardrobe_mask
from workers.diffusion.worn import NOTHING_SEEN, Worn
from workers.engines import Made, Portrait, Source
from workers.vision.faces import find_faces
from workers.vision.full_resolution import at_head_height
from workers.vision.geometry import Face, Pixels
from workers.vision.glasses import wears_glasses

BUDGET: Final = (
    24  # pictures of one person at most; the field delivers 3 to 6 of 40 (docs/sources.md, Base models)
)
_VARIETY: Final = 4  # sentences, so that clothes differ between candidates
_HEAD: Final = 0.4  # of the picture's side: what a portrait prompt frames
_AGAIN: Final = 1_000_000  # added to a picture's seed: the same noise would draw its own pattern once more


@dataclass(slots=True, eq=False)
class Order:
    """What one person still needs from the batches.

    The slot holds the person where they are `trained`, and the company's look where there is a `look`. Who is `shown`,
    instead of that or beside it, is seen by the base in photos of their own.
    """

    seed: int
    slot: int = EMPTY
    trained: bool = False
    shown: bool = False
    look: bool = False
    worn: Worn = NOTHING_SEEN
    references: tuple[Pixels, ...] = ()  # what the base sees; no picture of anybody else is in such a batch
    prompts: tuple[str, ...] = ()
    made: int = 0
    open: bool = True
    seconds: float = 0.0  # this person's share of the batches
    watt_hours: float | None = 0.0  # `None` where the GPU does not tell
    ready: deque[tuple[int, str, Pixels]] = field(default_factory=deque)

    def charge(self, share: float, meter: Meter) -> None:
        """Add a share of what a batch took."""
        self.seconds += share * meter.seconds
        known = self.watt_hours is not None and meter.watt_hours is not None
        self.watt_hours = (self.watt_hours or 0.0) + share * (meter.watt_hours or 0.0) if known else None

    def next(self) -> Request:
        """Return the next picture to make; a person's seeds are the same in every run."""
        request = Request(self.prompts[self.made % len(self.prompts)], self.seed + self.made, self.slot)
        self.made += 1
        return request


class Pool:
    """Fills batches with pictures of whoever still needs some, so that several employees share one.

    Who is shown shares none: the base takes one set of references for a batch.
    """

    def __init__(self, sampler: Sampler, orders: Sequence[Order], budget: int = BUDGET) -> None:
        self.sampler = sampler
        self._orders = tuple(orders)
        self._budget = budget

    def pictures(self, order: Order) -> Iterator[tuple[int, str, Pixels]]:
        """Yield seed, prompt and picture for one person, until nobody asks or the budget ends."""
        try:
            while order.ready or order.made < self._budget:
                if not order.ready:
                    self._fill(order)
                yield order.ready.popleft()
        finally:
            order.open = False
            order.ready.clear()

    def _fill(self, first: Order) -> None:
        batch: list[tuple[Order, Request]] = []
        others = [one for one in self._orders if one is not first and one.trained and not one.references]
        sharing = (first,) if first.references else (first, *others)
        while len(batch) < self.sampler.fits(len(first.references)):
            # Whoever has least comes next; the one who waits goes first.
            waiting = [one for one in sharing if one.open and one.prompts and one.made < self._budget]
            if not waiting:
                break
            order = min(waiting, key=lambda one: one.made if batch else one is not first)
            batch.append((order, order.next()))
        with Meter() as meter:
            made = list(self.sampler.sample([request for _, request in batch], first.references))
        for (order, request), pixels in zip(batch, made, strict=True):
            order.ready.append((request.seed, request.prompt, pixels))
            order.charge(1 / len(batch), meter)


class DiffusionEngine:
    """Portraits of a person whom an adapter knows, or who is shown in their own photos."""

    name = "diffusion"
    tries = BUDGET
    at_once = 16  # pictures that the best are chosen from; more only where too few of these pass
    makes_faces = True

    def __init__(
        self, pool: Pool, order: Order, held_out: tuple[str, ...] = (), taught: tuple[str, ...] = ()
    ) -> None:
        """Make one person's portraits.

        Args:
            pool: Makes them in batches.
            order: The person's place in it.
            held_out: Photos that the adapter never saw.
            taught: Photos that it was trained on; only these may be shown beside it.
        """
        self._pool, self._order = pool, order
        self._parts = Split(train=taught, held_out=held_out)

    def portraits(
        self, sources: Sequence[Source], style: StyleSpec, consent: ValidConsent
    ) -> Iterator[Portrait]:
        """Yield made portraits; see `Engine.portraits`.

        Raises:
            ConsentRequired: without `likeness`, since nobody may see a made face that was not compared; a
                trained person also needs `adapter`, and who is shown, trained or not, `paint`.
            TooFewPhotos: none is left to compare with; nothing was made.
        """
        consent.demand(Purpose.LIKENESS)
        if self._order.trained:
            consent.demand(Purpose.ADAPTER)
        else:
            self._parts = split(sources, apart=not self._pool.sampler.model.is_tiny)
        held_out = self._parts.held_out
        if self._order.shown:
            # Never what is compared with: it could not say whether a picture is a copy or the person.
            self._show([one for one in sources if one.key in self._parts.train], style, consent)
        if not (self._order.trained or self._order.references):
            raise TooFewPhotos
        own = own_faces([source for source in sources if source.key in held_out], consent)
        if not own:
            raise TooFewPhotos
        pictures = self._pool.pictures(self._order)
        try:
            while some := list(islice(pictures, self.at_once)):
                judged = [judge(seed, asked, pixels, own, consent) for seed, asked, pixels in some]
                for one in best_first(judged):
                    # Only now, as it is asked for: most of what is made is never delivered.
                    picture, detail = detailed(one, own, style, consent, self._side, partial(self._anew, one))
                    made = Made(seed=one.seed, held_out=held_out, score=one.score, detail=detail)
                    face = picture.faces[0] if picture.faces else None
                    yield Portrait(sources[0].key, picture.pixels, face, picture.faces[1:], made)
        finally:
            # Not before: the last pictures' faces are still painted anew when no further ones are made.
            self._order.references = ()

    @property
    def _side(self) -> int:
        return self._pool.sampler.model.base.sample_side

    def _anew(self, one: Judged, part: Pixels) -> Pixels:
        """Paint a part of a picture anew, as the person of this order."""
        request = Request(one.asked, one.seed + _AGAIN, self._order.slot)
        with Meter() as meter:
            painted = self._pool.sampler.refine(part, request, self._order.references)
        self._order.charge(1.0, meter)
        return painted

    def _show(self, sources: Sequence[Source], style: StyleSpec, consent: ValidConsent) -> None:
        """Have the base see these photos, and ask for who is on them."""
        order = self._order
        order.references = references(sources, consent, self._pool.sampler.model.base.reference_side)
        if not order.trained:
            order.worn = Worn.mostly([_worn(picture) for picture in order.references])
        order.prompts = wanted(
            style, trained=order.trained, look=order.look, worn=order.worn, images=len(order.references)
        )


class WardrobeEngine:
    """The person's own photos with other clothes: face and hair stay pixel for pixel."""

    name = "wardrobe"
    tries = 6
    makes_faces = False

    def __init__(self, sampler: Sampler, order: Order) -> None:
        self._sampler, self._order = sampler, order

    def portraits(
        self, sources: Sequence[Source], style: StyleSpec, consent: ValidConsent
    ) -> Iterator[Portrait]:
        """Yield the photos with painted attire, cropped to head and shoulders; see `Engine.portraits`.

        Raises:
            ConsentRequired: without `clothes`.
        """
        consent.demand(Purpose.CLOTHES)
        side = self._sampler.model.base.sample_side
        lines = prompts(style, "a", len(sources), look=self._order.look)
        for number, (source, line) in enumerate(zip(sources, lines, strict=True)):
            seen = source.examined(consent)
            if seen.face is None:
                continue
            pixels, face, others = _bust(*at_head_height(source.content, seen, _HEAD * side))
            mask = wardrobe_mask(pixels, face, others)
            request = Request(line, self._order.seed + number, self._order.slot)
            with Meter() as meter:
                (painted,) = self._sampler.repaint(greyed(pixels, mask), mask, [request])
            self._order.charge(1.0, meter)
            full = cv2.resize(painted, pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC)
            kept = keep_face(pixels, np.asarray(full, np.uint8), mask)
            yield Portrait(source.key, kept, face, others, Made(seed=request.seed))


def wanted(
    style: StyleSpec, *, trained: bool, look: bool = False, worn: Worn = NOTHING_SEEN, images: int = 0
) -> tuple[str, ...]:
    """Return what to ask for; who is shown instead of trained has no word of their own."""
    return tuple(prompts(style, PERSON if trained else "", _VARIETY, look=look, worn=worn, images=images))


def _worn(picture: Pixels) -> Worn:
    """Return what a reference shows; its clothes need no words, since the base sees them."""
    faces = find_faces(picture)
    return Worn(glasses=bool(faces) and wears_glasses(picture, faces[0]))


def references(sources: Sequence[Source], consent: ValidConsent, most: int) -> tuple[Pixels, ...]:
    """Return the best photos, cropped to the person, to show beside a prompt.

    Args:
        sources: Best first.
        consent: Must cover `paint`; training a model of somebody shows no photo to one.
        most: Pixels of a side; a smaller crop stays as it is.

    Raises:
        ConsentRequired: without `paint`.
    """
    consent.demand(Purpose.PAINT)
    shown = []
    for source in sources[:REFERENCES]:
        seen = source.examined(consent)
        if seen.face is not None:
            pixels, _, _ = _bust(*at_head_height(source.content, seen, _HEAD * most))
            side = min(len(pixels), most)
            shown.append(np.asarray(cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA), np.uint8))
    return tuple(shown)


def _bust(pixels: Pixels, face: Face, others: tuple[Face, ...]) -> tuple[Pixels, Face, tuple[Face, ...]]:
    """Crop a square around head and shoulders."""
    height, width = pixels.shape[:2]
    side = round(min(height, width, face.head_height / _HEAD))
    box = face.box
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    left = round(min(max(0, x - side / 2), width - side))
    top = round(min(max(0, y - 0.45 * side), height - side))
    crop = np.ascontiguousarray(pixels[top : top + side, left : left + side])
    moved, *rest = (one.moved(-left, -top, 1.0) for one in (face, *others))
    return crop, moved, tuple(rest)
