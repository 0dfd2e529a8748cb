"""By when no backup opens what was destroyed: the one number that pages, reports and policies promise."""

from __future__ import annotations

import math

from core.settings import settings
from core.vault import vault


def dead_within_hours() -> int:
    """Return within how many hours, at most, no backup opens any more what a destroyed key had sealed.

    That is the rest of the epoch, and where a key service holds the epoch's key the days that it takes to delete it.
    """
    number, _opened = vault().keys.current_epoch()
    return settings().epoch_hours + math.ceil(vault().keys.waiting(number).total_seconds() / 3600)
