"""How sure the check of made faces is: what was measured of it, for the pages that say so beside a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from core.checks.report import LOOK_ALIKE, GateName

# Faces drawn 30 % of the way to whom they look most like that pass by the built-in encoder alone, of how many
# (`headshots bench likeness`; docs/sources.md, Gates of a team).
MIXED_PASSED: Final = 3
MIXED: Final = 12


class Sureness(StrEnum):
    """What has to be said of the check of a made face beside its answer."""

    TOLD_BY_ONE = "told_by_one"  # one encoder compared it; of `mixed_of_ten` faces
    UNKNOWN = "unknown"  # by an earlier release, of which nobody measured that
    LOOK_ALIKE = "look_alike"  # it cannot tell the person apart from somebody else in the company


def mixed_of_ten() -> int:
    """Return how many of ten such faces pass, rounded up."""
    return math.ceil(10 * MIXED_PASSED / MIXED)


def sureness(report: Mapping[str, Any], *, to_person: bool) -> Sureness | None:
    """Return what a gate report has to be shown with; `None` for a face that no model made, or that two encoders compared.

    Args:
        report: As JSON, as a headshot keeps it.
        to_person: Whether the person reads it. What comparing faces found is nobody else's to know, as they were told
            before they agreed.
    """
    gate = report.get("gates", {}).get(GateName.HELD_OUT)
    if gate is None:
        return None
    if to_person and LOOK_ALIKE in report.get("notes", ()):
        return Sureness.LOOK_ALIKE
    encoders = gate.get("encoders")
    if encoders is None:
        return Sureness.UNKNOWN
    return Sureness.TOLD_BY_ONE if encoders == 1 else None
