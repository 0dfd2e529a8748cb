"""Where a delivered file lies in the master, and where its head and its logo lie: geometry alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# Hair stands above the skull by about a tenth of its height, and a head with ears and hair is about
# four fifths as wide as it is high (Farkas, Anthropometry of the Head and Face: 0.68 without hair).
_HAIR: Final = 0.1
_HEAD_WIDTH: Final = 0.8


@dataclass(frozen=True, slots=True)
class Head:
    """How a head stands in a frame; both are fractions of the frame's height."""

    eye_line: float  # from the top
    height: float  # chin to crown

    @classmethod
    def measured(cls, figures: Mapping[str, float]) -> Head | None:
        """Return where the gates found the head in a master; `None` where they kept no figures."""
        if "eye_line_fraction" not in figures or "head_height_fraction" not in figures:
            return None
        return cls(figures["eye_line_fraction"], figures["head_height_fraction"])


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


def window(aspect: float, head: Head, shape: float, wanted: Head | None) -> Rect:
    """Return the part of the master that a file shows, in fractions of the master's width and height.

    As much as fits the shape, the eyes kept on their line; with `wanted` so much that the head gets that
    size and place, as near as the master allows.

    Args:
        aspect: Width / height of the master.
        head: The head in the master.
        shape: Width / height of the file.
        wanted: The head in the file.
    """
    height = min(1.0, aspect / shape)
    top = head.eye_line * (1 - height)
    if wanted is not None:
        height = min(height, head.height / wanted.height)
        top = min(max(0.0, head.eye_line - wanted.eye_line * height), 1 - height)
    width = height * shape / aspect
    return Rect((1 - width) / 2, top, width, height)


def head_box(part: Rect, head: Head, width: int, height: int) -> Rect:
    """Return the box around head and hair in a file of `width` × `height` pixels that shows `part`."""
    eyes = (head.eye_line - part.top) / part.height * height
    tall = head.height / part.height * height
    wide = _HEAD_WIDTH * tall
    return Rect((width - wide) / 2, eyes - (0.5 + _HAIR) * tall, wide, (1 + _HAIR) * tall)
