"""What makes a portrait. Whatever does, the same finisher and the same gates follow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

import numpy as np

from core.checks.verdict import Verdict
from core.consent import Purpose, ValidConsent
from core.errors import AppError
from core.logs import logger
from core.style.spec import StyleSpec
from workers.vision.check import examine
from workers.vision.examination import Examination
from workers.vision.full_resolution import at_head_height
from workers.vision.geometry import Face, Pixels

_MARGIN: Final = 1.3  # times the pixels that the finished head has: the crop may get tighter


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One accepted photo of the person, still as uploaded: decoded only while it is worked on.

    Attributes:
        key: What the photo is called here.
        content: The file.
        verdict: The check's answer.
        subject: Which face, as `examine` takes it.
        seen: What the check found, kept of the few photos that portraits are most likely made of.
    """

    key: str
    content: bytes
    verdict: Verdict
    subject: tuple[float, float] | None = None
    seen: Examination | None = None

    def examined(self, consent: ValidConsent) -> Examination:
        """Return what the check found, looking again where that was not kept."""
        return self.seen or examine(self.content, consent, subject=self.subject)


class FaceDetail(StrEnum):
    """What became of a made face that was painted anew at full size; a note of the gate report."""

    PAINTED = "face_painted_anew"
    LEFT = "face_left_as_it_was"  # painted anew it was less like the person, less sharp, or no face


@dataclass(frozen=True, slots=True)
class Made:
    """That pixels of a portrait were made, and how to make them again.

    Attributes:
        seed: The chance it came from.
        held_out: Photos that it must look like and that nothing was trained on; empty where the face is
            the photo's own.
        score: How like the person and how sharp it is, 0 to 1; `None` where the photo's own score says it.
        detail: What became of the face at full size; `None` where it was not painted anew.
    """

    seed: int
    held_out: tuple[str, ...] = ()
    score: float | None = None
    detail: FaceDetail | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A picture of the person that is not yet in the company's style.

    Attributes:
        key: The photo it was made from, or the best one of the person whom it shows.
        pixels: uint8, height × width × 3, sRGB.
        face: The person; `None` where no face came of it.
        others: Further faces in the picture.
        made: Where pixels were made.
        failed: This software failed on it.
    """

    key: str
    pixels: Pixels
    face: Face | None
    others: tuple[Face, ...]
    made: Made | None = None
    failed: bool = False

    @classmethod
    def of_nothing(cls, key: str) -> Portrait:
        """Return what stands for a photo that could not be taken from its file again."""
        return cls(key, np.zeros((1, 1, 3), np.uint8), None, (), failed=True)


class Engine(Protocol):
    """Makes portraits of one person."""

    name: str
    tries: int  # portraits at most, so that one person does not hold up the others
    makes_faces: bool  # the face is not a photo's own, and is held against all photos

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
    tries = 5
    makes_faces = False

    def portraits(
        self, sources: Sequence[Source], style: StyleSpec, consent: ValidConsent
    ) -> Iterator[Portrait]:
        """Yield the photos themselves; see `Engine.portraits`."""
        consent.demand(Purpose.PHOTO)
        head = _MARGIN * style.crop.head_height * style.frame(*style.master_size()).height
        for source in sources:
            try:
                seen = source.examined(consent)
                portrait = (
                    Portrait(source.key, *at_head_height(source.content, seen, head)) if seen.face else None
                )
            except AppError:
                raise
            except Exception as error:  # noqa: BLE001 - one photo never costs the others theirs
                logger().error("photo_failed", exc_info=error)
                portrait = Portrait.of_nothing(source.key)
            if portrait is not None:
                yield portrait
