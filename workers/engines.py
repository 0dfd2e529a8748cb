"""What makes a portrait. Whatever does, the same finisher and the same gates follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from core.consent import Purpose, ValidConsent
from core.style import StyleSpec
from workers.vision.check import examine
from workers.vision.closer import closer
from workers.vision.geometry import Face, Pixels
from workers.vision.verdict import Verdict

_MARGIN: Final = 1.3  # times the pixels that the finished head has: the crop may get tighter


@dataclass(frozen=True, slots=True)
class Source:
    """One accepted photo of the person, still as uploaded: decoded only while it is worked on."""

    key: str
    content: bytes
    verdict: Verdict
    subject: tuple[float, float] | None = None  # which face, as `examine` takes it


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A picture of the person that is not yet in the company's style.

    Attributes:
        key: The photo it was made from.
        pixels: uint8, height × width × 3, sRGB.
        face: The person.
        others: Further faces in the picture.
    """

    key: str
    pixels: Pixels
    face: Face
    others: tuple[Face, ...]


class Engine(Protocol):
    """Makes portraits of one person."""

    name: str

    def portraits(
        self, sources: Sequence[Source], style: StyleSpec, consent: ValidConsent
    ) -> Iterator[Portrait]:
        """Yield portraits one at a time, the most promising first, so that only one is in memory.

        Args:
            sources: The person's accepted photos, best first; never empty.
            style: The company's style.
            consent: Must cover what this engine does with a face.

        Raises:
            ConsentRequired: it does not.
        """
        ...


class StudioEngine:
    """The default: the employee's own best photos, as they are; no invented face, no GPU."""

    name = "studio"

    def portraits(
        self, sources: Sequence[Source], style: StyleSpec, consent: ValidConsent
    ) -> Iterator[Portrait]:
        """Yield the photos themselves; see `Engine.portraits`."""
        consent.demand(Purpose.PHOTO)
        head = _MARGIN * style.crop.head_height * style.frame(*style.master_size()).height
        for source in sources:
            seen = examine(source.content, consent, subject=source.subject)
            if seen.face is not None:
                yield Portrait(source.key, *closer(source.content, seen, head))
