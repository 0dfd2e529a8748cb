"""What anybody may read of what a company holds: measured as seldom as it costs, and rough where few people stand behind it."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Final
from uuid import UUID

from compliance import schedule
from compliance.schedule import Measured, Truth
from core.db import transaction
from core.shoots.promises import Kept

# Below this a number says something of somebody to whoever works with them; our choice, the k that k-anonymity
# (Sweeney 2002) is mostly used with.
FEW: Final = 5
# Of what somebody decided, or was done to them: that a colleague declined or was locked out is nobody's to see happen.
PRIVATE: Final = (Kept.DECLINERS, Kept.LEAVERS)
# A measurement is told again for so many times as long as it took: of a company of any size a process measures for a
# twentieth of the time at most, however many people ask.
TIMES: Final = 20


@dataclass(frozen=True)
class _Taken:
    truth: Truth
    until: float  # of `time.monotonic`


_locks: defaultdict[UUID, threading.Lock] = defaultdict(threading.Lock)
_taken: dict[UUID, _Taken] = {}


def of(org_id: UUID) -> Truth:
    """Return what a company holds, as everybody may read it; `Truth.at` says when it was measured."""
    with _locks[org_id]:
        taken = _taken.get(org_id)
        if taken is None or time.monotonic() >= taken.until:
            began = time.monotonic()
            with transaction(org_id) as session:
                truth = schedule.measure(session)
            over = time.monotonic()
            taken = _taken[org_id] = _Taken(rough(truth), over + TIMES * (over - began))
    return taken.truth


def rough(truth: Truth) -> Truth:
    """Return the same without what would tell of single people; what is overdue is ours to answer for and stays."""
    return replace(truth, lines=[_rough(line) for line in truth.lines])


def _rough(line: Measured) -> Measured:
    if line.kept in PRIVATE and line.held < FEW:
        return replace(line, held=0, oldest=None, due=0, fewer_than=FEW)
    if line.oldest is None:
        return line
    day = line.oldest.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return replace(line, oldest=day)
