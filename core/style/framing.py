"""Where a delivered file lies in the master, and where its head and its logo lie: geometry alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

# Hair stands above the skull by about a tenth of its height, and a head with ears and hair is about
# four fifths as wide as it is high (Farkas, Anthropometry of the Head and Face: 0.68 without hair).
_HAIR: Final = 0.1
_HEAD_WIDTH: Final = 0.8
_AIR: Final = 0.075  # of the head's height, on either side of a head in a narrow file
# In a file that ends above a shoulder which the photo cuts off: of the gap above the hair, and head heights below the chin.
_KEPT_GAP: Final = 0.5
_NECK: Final = 0.1
# Fraction of the frame height. A photo that ends early is cropped up to here, so a file must have room for it.
LARGEST_HEAD: Final = 0.80
# A quarter more than a photo holds is not seen at the distance from which a portrait is looked at; beyond that a
# headshot is made smaller, never blurred.
_MOST_ENLARGED: Final = 1.25


@dataclass(frozen=True, slots=True)
class Head:
    """How a head and what hangs on it stand in a frame; fractions of the frame's height where nothing else is said."""

    eye_line: float  # from the top
    height: float  # chin to crown
    whole: float = 1.0  # from the top, down to where a side of the photo cuts the body beyond the frame
    gap: float = 0.0  # above the outline of the hair
    beside: float = 0.0  # of the frame's width, to the right of its middle

    @classmethod
    def measured(cls, figures: Mapping[str, float]) -> Head | None:
        """Return where the gates found the head in a master; `None` where they kept no figures."""
        if "eye_line_fraction" not in figures or "head_height_fraction" not in figures:
            return None
        return cls(
            figures["eye_line_fraction"],
            figures["head_height_fraction"],
            figures.get("whole_above_fraction", 1.0),
            figures.get("hair_gap_fraction", 0.0),
            figures.get("beside_fraction", 0.0),
        )


def largest_frame(head_px: float, head_height: float) -> float:
    """Return the height of the largest frame that a photo fills without being seen to be enlarged, pixels.

    Args:
        head_px: Chin to crown, pixels of the photo.
        head_height: The same in the frame, fraction of its height.
    """
    return _MOST_ENLARGED * head_px / head_height


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle; the unit is the maker's: fractions of a frame, or pixels."""

    left: float
    top: float
    width: float
    height: float

    def meets(self, other: Rect) -> bool:
        """Whether the two share any area."""
        return (
            self.left < other.left + other.width
            and other.left < self.left + self.width
            and self.top < other.top + other.height
            and other.top < self.top + self.height
        )


@dataclass(frozen=True, slots=True)
class Room:
    """What a master has beyond the style's frame, for files of another shape."""

    beside: float = 0.0  # on either side, fraction of the frame width
    above: float = 0.0  # fraction of the frame height

    def around(self, width: int, height: int) -> tuple[int, int]:
        """Return the size of the master around a frame of `width` × `height` pixels."""
        return width + 2 * round(self.beside * width), height + round(self.above * height)

    def frame(self, width: int, height: int) -> Rect:
        """Return where the frame lies in a master of `width` × `height` pixels: whole pixels."""
        left = round(width * self.beside / (1 + 2 * self.beside))
        top = round(height * self.above / (1 + self.above))
        return Rect(left, top, width - 2 * left, height - top)


NO_ROOM: Final = Room()
_ENDLESS: Final = Room(float("inf"), float("inf"))


def window(aspect: float, head: Head, shape: float, wanted: Head | None, room: Room = _ENDLESS) -> Rect:
    """Return the part of the master that a file shows, in fractions of the frame's width and height.

    The whole height; a wider file reaches beyond the frame's sides, where the backdrop goes on. With
    `wanted` so much that the head gets that size and place, as near as the frame's height allows. A file too
    narrow for the head shows more, which can only be found above: a body is not made longer. A file that reaches to
    where the photo's side cuts a shoulder off ends above that, as far as the head has room.

    Args:
        aspect: Width / height of the frame.
        head: The head in the frame.
        shape: Width / height of the file.
        wanted: The head in the file.
        room: What there is beyond the frame.
    """
    height = 1.0 if wanted is None else min(1.0, head.height / wanted.height)
    height = max(height, (_HEAD_WIDTH + 2 * _AIR) * head.height / shape)
    height = min(height, 1 + room.above, (1 + 2 * room.beside) * aspect / shape)
    if height > 1:
        top = 1 - height
    elif wanted is None:
        top = head.eye_line * (1 - height)
    else:
        top = min(max(0.0, head.eye_line - wanted.eye_line * height), 1 - height)
    if height * shape > aspect and top + height > head.whole:
        top, height = _above_cut(aspect, head, shape, top, height)
    width = height * shape / aspect
    return Rect((1 - width) / 2, top, width, height)


def _above_cut(aspect: float, head: Head, shape: float, top: float, most: float) -> tuple[float, float]:
    """Return top and height of a wide file that ends above where the body is cut off, or reaches no further than the frame."""
    bottom = max(head.whole, head.eye_line + (0.5 + _NECK) * head.height)
    # The eyes stay at the same level of the file, unless that would take away the hair's air.
    height = (bottom - head.eye_line) / (1 - head.eye_line)
    higher = min(head.eye_line * (1 - height), max(top, _KEPT_GAP * head.gap))
    height = min(most, max(bottom - higher, aspect / shape))  # never more than there is room for
    return max(0.0, min(higher, 1 - height)), min(1.0, height)


def room_for(parts: Iterable[Rect]) -> Room:
    """Return the room in which all `parts` of a frame lie."""
    beside = above = 0.0
    for part in parts:
        beside, above = max(beside, -part.left), max(above, -part.top)
    return Room(beside, above)


def head_box(part: Rect, head: Head, width: int, height: int) -> Rect:
    """Return the box around head and hair in a file of `width` × `height` pixels that shows `part`."""
    eyes = (head.eye_line - part.top) / part.height * height
    tall = head.height / part.height * height
    wide = _HEAD_WIDTH * tall
    return Rect((width - wide) / 2, eyes - (0.5 + _HAIR) * tall, wide, (1 + _HAIR) * tall)
