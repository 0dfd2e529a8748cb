"""The engines that need a GPU: portraits of a trained person, of a person shown in photos, and new clothes.

Whatever they make goes through the studio's finisher and gates like a photo does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import cv2
import numpy as np

from core.consent import Purpose, ValidConsent
from core.style.spec import StyleSpec
from workers.diffusion.bank import EMPTY
from workers.diffusion.best import best_first, judge, own_faces
from workers.diffusion.captions import PERSON
from workers.diffusion.examples import TooFewPhotos, split
from workers.diffusion.meter import Meter
from workers.diffusion.prompts import prompts
from workers.diffusion.sample import REFERENCE_SIDE, REFERENCES, Request, Sampler
from workers.diffusion.wardrobe import keep_face, wardrobe_mask
from workers.diffusion.worn import NOTHING_SEEN, Worn
from workers.engines import Made, Portrait, Source
from workers.vision.faces import find_faces
from workers.vision.full_resolution import at_head_height
from workers.vision.geometry import Face, Pixels
from workers.vision.glasses import wears_glasses

BUDGET: Final = (
    24  # pictures of one person at most; the field delivers 3 to 6 of 40 (docs/sources.md, Base models)
)
_SHOWN: Final = "the same"  # “a portrait of the same person”
_VARIETY: Final = 4  # sentences, so that clothes differ between candidates
_HEAD: Final = 0.4  # of the picture's side: what a portrait prompt frames


@dataclass(slots=True, eq=False)
class Order:
    """What one person still needs from the batches.

    The slot holds the person where they are `trained`, and the company's look where there is a `look`.
    """

    seed: int
    slot: int = EMPTY
    trained: bool = False
    look: bool = False
    worn: Worn = NOTHING_SEEN
    references: tuple[Pixels, ...] = ()  # shown instead of trained
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
    """Fills batches with pictures of whoever still needs some, so that several employees share one."""

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
        if not first.trained:
            request = first.next()
            with Meter() as meter:
                shown = list(self.sampler.preview(first.references, [request]))
            first.ready += [(request.seed, request.prompt, pixels) for pixels in shown]
            first.charge(1.0, meter)
            return
        batch: list[tuple[Order, Request]] = []
        while len(batch) < self.sampler.batch:
            # Whoever has least comes next; the one who waits goes first.
            waiting = [
                order
                for order in (first, *(one for one in self._orders if one is not first))
                if order.open and order.trained and order.prompts and order.made < self._budget
            ]
            if not waiting:
                break
            order = min(waiting, key=lambda one: one.made if batch else one is not first)
            batch.append((order, order.next()))
        with Meter() as meter:
            made = list(self.sampler.sample([request for _, request in batch]))
        for (order, request), pixels in zip(batch, made, strict=True):
            order.ready.append((request.seed, request.prompt, pixels))
            order.charge(1 / len(batch), meter)


class DiffusionEngine:
    """Portraits of a person whom an adapter knows, or who is shown in their own photos."""

    name = "diffusion"
    tries = BUDGET
    at_once = 16  # pictures that the best are chosen from; more only where too few of these pass
    makes_faces = True

    def __init__(self, pool: Pool, order: Order, held_out: tuple[str, ...] = ()) -> None:
        """Make one person's portraits.

        Args:
            pool: Makes them in batches.
            order: The person's place in it.
            held_out: Photos that the adapter never saw.
        """
        self._pool, self._order, self._held_out = pool, order, held_out

    def portraits(
        self, sources: Sequence[Source], style: StyleSpec, consent: ValidConsent
    ) -> Iterator[Portrait]:
        """Yield made portraits; see `Engine.portraits`.

        Raises:
            ConsentRequired: without `likeness`, since nobody may see a made face that was not compared; a
                trained person also needs `adapter`, one who is shown `paint`.
            TooFewPhotos: none is left to compare with; nothing was made.
        """
        consent.demand(Purpose.LIKENESS)
        held_out = self._held_out
        if self._order.trained:
            consent.demand(Purpose.ADAPTER)
        else:
            # Never all of the photos: what is shown cannot say whether a picture is a copy or the person.
            parts = split(sources, apart=not self._pool.sampler.model.is_tiny)
            held_out = parts.held_out
            shown = [source for source in sources if source.key in parts.train]
            self._order.references = references(shown, consent)
            if not self._order.references:
                raise TooFewPhotos
            worn = Worn.mostly([_worn(picture) for picture in self._order.references])
            self._order.prompts = wanted(style, trained=False, look=self._order.look, worn=worn)
        own = own_faces([source for source in sources if source.key in held_out], consent)
        if not own:
            raise TooFewPhotos
        pictures = self._pool.pictures(self._order)
        while some := list(islice(pictures, self.at_once)):
            judged = [judge(seed, asked, pixels, own, consent) for seed, asked, pixels in some]
            for one in best_first(judged):
                made = Made(seed=one.seed, held_out=held_out, score=one.score)
                face = one.faces[0] if one.faces else None
                yield Portrait(sources[0].key, one.pixels, face, one.faces[1:], made)


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
                (painted,) = self._sampler.repaint(pixels, mask, [request])
            self._order.charge(1.0, meter)
            full = cv2.resize(painted, pixels.shape[1::-1], interpolation=cv2.INTER_CUBIC)
            kept = keep_face(pixels, np.asarray(full, np.uint8), mask)
            yield Portrait(source.key, kept, face, others, Made(seed=request.seed))


def wanted(
    style: StyleSpec, *, trained: bool, look: bool = False, worn: Worn = NOTHING_SEEN
) -> tuple[str, ...]:
    """Return what to ask for; who is shown instead of trained has no word of their own."""
    return tuple(prompts(style, PERSON if trained else _SHOWN, _VARIETY, look=look, worn=worn))


def _worn(picture: Pixels) -> Worn:
    """Return what a reference shows; its clothes need no words, since the base sees them."""
    faces = find_faces(picture)
    return Worn(glasses=bool(faces) and wears_glasses(picture, faces[0]))


def references(sources: Sequence[Source], consent: ValidConsent) -> tuple[Pixels, ...]:
    """Return the best photos, cropped to the person, to show instead of training.

    Raises:
        ConsentRequired: without `paint`.
    """
    consent.demand(Purpose.PAINT)
    shown = []
    for source in sources[:REFERENCES]:
        seen = source.examined(consent)
        if seen.face is not None:
            pixels, _, _ = _bust(*at_head_height(source.content, seen, _HEAD * REFERENCE_SIDE))
            side = min(len(pixels), REFERENCE_SIDE)
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
