"""One line of the product broken on purpose, and what has to notice it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Mutation:
    """A promise broken.

    Attributes:
        promise: what no longer holds.
        file: where, from the root of the repository.
        old: the text that keeps the promise; it stands there exactly once.
        new: what takes its place.
        tests: what must fail then, as pytest names it.
    """

    promise: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def broken(self, text: str) -> str:
        """Return the file's `text` with the promise broken.

        Raises:
            ValueError: the line that kept it is not there, or not alone.
        """
        if text.count(self.old) != 1:
            raise ValueError(f"{self.file} has {text.count(self.old)} times: {self.old}")
        return text.replace(self.old, self.new)
