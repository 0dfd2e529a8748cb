"""What the photo check answers: JSON-able values that need no model to read."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from workers.vision.advice import Issue, Severity


class Finding(BaseModel):
    """One thing the check says."""

    model_config = ConfigDict(frozen=True)

    code: Issue
    severity: Severity
    advice: str  # English; translate ADVICE[code].text


class Measures(BaseModel):
    """What was measured; `None` where there was no face to measure."""

    model_config = ConfigDict(frozen=True)

    width_px: int | None = None
    height_px: int | None = None
    faces: int | None = None
    eye_distance_px: float | None = None
    head_height_fraction: float | None = None  # of the photo's height
    yaw_degrees: float | None = None
    pitch_degrees: float | None = None
    roll_degrees: float | None = None
    eye_opening_ratio: float | None = None
    eye_white_luminance: float | None = None
    back_light_stops: float | None = None
    side_light_stops: float | None = None
    clipped_fraction: float | None = None
    sharpness_ratio: float | None = None
    socket_light_ratio: float | None = None  # eye region over skin
    skin_lightness: float | None = None  # L*; never judged


class Verdict(BaseModel):
    """The check's answer about one photo; JSON-able."""

    model_config = ConfigDict(frozen=True)

    accepted: bool
    issues: tuple[Finding, ...]
    measures: Measures
    score: float  # 0 to 1, to rank one person's photos; 0 when not accepted
