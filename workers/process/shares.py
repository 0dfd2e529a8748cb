"""Which lane a free worker looks into first: each lane has a share of the workers' time, and none waits for ever."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from core.queue import Lane

# Parts of a worker's time while every lane has work; what a lane does not need goes to the others. A person at a
# page comes first, and still leaves two fifths. A picture takes a hundred times as long as a mail, and people wait
# for it, so pictures get twice what mails and proofs get; a tenth of one worker is some five mails a second.
SHARES: Final = {Lane.INTERACTIVE: 12, Lane.PROOF: 2, Lane.BATCH: 4, Lane.MAIL: 2, Lane.GPU: 1}
# A worker that waited that long found every lane empty: nobody is owed anything any more.
IDLE_SECONDS: Final = 1.0


class Shares:
    """Stride scheduling by time spent: the lane that is furthest behind its share is looked into first.

    (Waldspurger and Weihl, Stride Scheduling, 1995.)

    Args:
        lanes: that the worker serves.
    """

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._spent = dict.fromkeys(sorted(lanes, key=list(Lane).index), 0.0)  # seconds per part of a share
        self._free_since = time.monotonic()

    @property
    def lanes(self) -> list[Lane]:
        """What the worker serves."""
        return list(self._spent)

    def order(self) -> list[Lane]:
        """Return the lanes, the next first; where two are equal, whoever waits at a page before a batch."""
        return sorted(self._spent, key=lambda lane: self._spent[lane])

    def begin(self, lane: Lane, looked_into: Sequence[Lane]) -> None:
        """Note that work of `lane` was found, the first in this order that had any."""
        if time.monotonic() - self._free_since > IDLE_SECONDS:
            self._spent = dict.fromkeys(self._spent, 0.0)
        for empty in looked_into[: list(looked_into).index(lane)]:
            # Time that a lane had no use for is not saved up.
            self._spent[empty] = max(self._spent[empty], self._spent[lane])

    def end(self, lane: Lane, seconds: float) -> None:
        """Note that work of `lane` took that long."""
        self._spent[lane] += seconds / SHARES[lane]
        self._free_since = time.monotonic()
