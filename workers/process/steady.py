"""Whether the wall clock can be believed with what cannot be undone: deleting what is over.

A clock that jumps ahead makes everything look due. What is due by then is deleted a little later instead, and the jump
is said: if it was the clock's correction, the wait ends by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from core.clock import now
from core.db import Lookup
from core.logs import logger

TOLERANCE: Final = timedelta(minutes=5)  # what clocks of hosts may differ by, and a correction may move
WAIT: Final = timedelta(hours=6)  # somebody looks at an alarm by then


def _elapsed() -> float:
    """Return seconds of a clock that nobody sets; it goes on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SteadyClock:
    """Compares the wall clock with one that nobody sets, and with the database's.

    Args:
        elapsed: seconds, from anywhere, that pass whatever becomes of the wall clock.
    """

    def __init__(self, elapsed: Callable[[], float] = _elapsed) -> None:
        self._elapsed = elapsed
        self._offset = self._now()
        self._jumped_at: float | None = None

    def _now(self) -> float:
        return now().timestamp() - self._elapsed()

    def trusted(self) -> bool:
        """Return whether the wall clock goes on as it did, or has stayed where it jumped to for `WAIT`."""
        return self._steady() and self._agrees()

    def _steady(self) -> bool:
        offset, elapsed = self._now(), self._elapsed()
        if abs(offset - self._offset) > TOLERANCE.total_seconds():
            if self._jumped_at is None:
                self._jumped_at = elapsed
                logger().error("clock_jumped", seconds=round(offset - self._offset))
            if elapsed - self._jumped_at < WAIT.total_seconds():
                return False
        self._offset, self._jumped_at = offset, None
        return True

    @staticmethod
    def _agrees() -> bool:
        apart = (now() - Lookup.clock()).total_seconds()
        if abs(apart) <= TOLERANCE.total_seconds():
            return True
        logger().error("clocks_disagree", seconds=round(apart))
        return False
