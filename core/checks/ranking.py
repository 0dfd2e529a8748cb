"""Which of a person's photos are best and why, and which are the same shot twice. No model is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.checks.advice import Issue
from core.checks.shots import same_shot
from core.checks.verdict import Verdict
from core.words import N_

_BEST: Final = 3


class Reason(StrEnum):
    """Why a photo is among the best; stable codes."""

    SHARP = "sharp"
    LOOKING_AT_CAMERA = "looking_at_camera"
    EVEN_LIGHT = "even_light"
    LARGE_ENOUGH_FOR_PRINT = "large_enough_for_print"
    SHOWS_SHOULDERS = "shows_shoulders"
    EYES_OPEN = "eyes_open"
    TRUE_COLOURS = "true_colours"


REASONS: Final[dict[Reason, str]] = {
    Reason.SHARP: N_("sharp"),
    Reason.LOOKING_AT_CAMERA: N_("you look at the camera"),
    Reason.EVEN_LIGHT: N_("even light"),
    Reason.LARGE_ENOUGH_FOR_PRINT: N_("large enough for print"),
    Reason.SHOWS_SHOULDERS: N_("shows your shoulders"),
    Reason.EYES_OPEN: N_("your eyes are open"),
    Reason.TRUE_COLOURS: N_("true colours"),
}


# A measure may be well where the photo as a whole is not; what is praised is never what a finding scolds.
_SCOLDED: Final[dict[Reason, frozenset[Issue]]] = {
    Reason.SHARP: frozenset(
        {Issue.BLURRED, Issue.LOW_RESOLUTION, Issue.BLOCKS, Issue.ENLARGED, Issue.GRAINY}
    ),
    Reason.LOOKING_AT_CAMERA: frozenset(
        {
            Issue.HEAD_TURNED,
            Issue.HEAD_NODDED,
            Issue.HEAD_TILTED,
            Issue.EYES_NEARLY_CLOSED,
            Issue.ONE_EYE_CLOSED,
            Issue.DARK,  # nobody sees where dark eyes look
            Issue.BACK_LIGHT,
            Issue.SMALL_IN_FRAME,
        }
    ),
    Reason.EVEN_LIGHT: frozenset({Issue.DARK, Issue.BACK_LIGHT, Issue.OVEREXPOSED, Issue.SIDE_LIGHT}),
    Reason.LARGE_ENOUGH_FOR_PRINT: frozenset({Issue.LOW_RESOLUTION, Issue.SMALL_IN_FRAME}),
    Reason.SHOWS_SHOULDERS: frozenset({Issue.SMALL_IN_FRAME}),
    Reason.EYES_OPEN: frozenset({Issue.EYES_NEARLY_CLOSED, Issue.ONE_EYE_CLOSED, Issue.GLARE}),
    Reason.TRUE_COLOURS: frozenset({Issue.COLOUR_CAST, Issue.BLACK_AND_WHITE, Issue.DARK, Issue.BACK_LIGHT}),
}


@dataclass(frozen=True, slots=True)
class Ranked:
    """One of the best photos."""

    key: str
    reasons: tuple[Reason, ...]


def best_three(verdicts: Mapping[str, Verdict]) -> list[Ranked]:
    """Return up to three accepted photos, best first, no two of the same shot, none that may be a stranger's.

    Args:
        verdicts: Key → verdict; of equal scores the earlier photo goes first.
    """
    best: list[Ranked] = []
    phashes: list[str] = []
    order = sorted(verdicts, key=lambda key: -verdicts[key].score)
    for key in order:
        verdict = verdicts[key]
        doubtful = any(finding.code is Issue.MAY_BE_SOMEONE_ELSE for finding in verdict.issues)
        if not verdict.accepted or doubtful or len(best) == _BEST:
            continue
        if verdict.phash is not None:
            if any(same_shot(verdict.phash, other) for other in phashes):
                continue
            phashes.append(verdict.phash)
        best.append(Ranked(key, reasons(verdict)))
    return best


def reasons(verdict: Verdict) -> tuple[Reason, ...]:
    """Return what speaks for a photo: never what a finding scolds, and nothing for a missing measure."""
    measures, found = verdict.measures, {finding.code for finding in verdict.issues}
    named = {
        Reason.SHARP: _at_least(measures.sharpness, 105),  # sharp test portraits have 107 and more
        Reason.LOOKING_AT_CAMERA: _within(measures.yaw_degrees, 12) and _within(measures.pitch_degrees, 15),
        Reason.EVEN_LIGHT: _within(measures.side_light_stops, 0.7),  # loop light has about 1 stop
        Reason.LARGE_ENOUGH_FOR_PRINT: _at_least(measures.sharp_up_to_px, 2048),  # 17 cm at 300 dpi
        # The default crop ends 0.45 head heights below the chin.
        Reason.SHOWS_SHOULDERS: _at_least(measures.chest_room_ratio, 0.45),
        Reason.EYES_OPEN: _at_least(measures.eye_opening_ratio, 0.18),  # open eyes have 0.19 to 0.33
        Reason.TRUE_COLOURS: measures.colour_cast_lab is not None and measures.colour_cast_lab < 6,
    }
    return tuple(reason for reason, holds in named.items() if holds and not found & _SCOLDED[reason])


def near_duplicates(verdicts: Mapping[str, Verdict]) -> dict[str, str]:
    """Return each accepted photo that is nearly the same as a better one, with the best of that shot.

    Args:
        verdicts: Key → verdict; of equal scores the earlier photo counts as the better.
    """
    found: dict[str, str] = {}
    best: dict[str, str] = {}
    for key in sorted(verdicts, key=lambda key: -verdicts[key].score):
        phash = verdicts[key].phash
        if phash is None or not verdicts[key].accepted:
            continue
        better = next((other for other, one in best.items() if same_shot(phash, one)), None)
        if better is None:
            best[key] = phash
        else:
            found[key] = better
    return found


def _at_least(value: float | None, least: float) -> bool:
    return value is not None and value >= least


def _within(value: float | None, most: float) -> bool:
    return value is not None and abs(value) <= most
