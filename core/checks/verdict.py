"""What the photo check answers: JSON-able values that need no model to read.

A measure that ISO/IEC 29794-5:2025 has too names its component after the semicolon.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.checks.advice import ADVICE, Issue, Severity

DELIVERY_SIZES: Final = (256, 320, 400, 512, 648, 800, 1024, 1280, 1600, 2048, 3000)  # px, common ones


class FaceBox(BaseModel):
    """Where a face is: fractions of the upright photo's width and height, bars removed."""

    model_config = ConfigDict(frozen=True)

    left: float
    top: float
    width: float
    height: float

    @property
    def centre(self) -> tuple[float, float]:
        """Fractions of width and height: what `examine` takes as the subject."""
        return self.left + self.width / 2, self.top + self.height / 2


class Finding(BaseModel):
    """One thing the check says."""

    model_config = ConfigDict(frozen=True)

    code: Issue
    severity: Severity
    advice: str  # English, filled in; translate ADVICE[code].text and fill in `values`
    values: dict[str, str | int | float] = {}
    component: str | None = None  # of ISO/IEC 29794-5

    @classmethod
    def of(cls, code: Issue, **values: str | float) -> Finding:
        """Return what the table says about `code`, with `values` in its sentence."""
        advice = ADVICE[code]
        text = advice.text % values if values else advice.text
        return cls(
            code=code, severity=advice.severity, advice=text, values=values, component=advice.component
        )

    @property
    def said(self) -> str:
        """The advice, and what the system said where a file cannot be read."""
        return f"{self.advice} ({self.values['system']})" if "system" in self.values else self.advice


class Measures(BaseModel):
    """What was measured; `None` where there was no face to measure."""

    model_config = ConfigDict(frozen=True)

    width_px: int | None = Field(None, description="px, upright file")
    height_px: int | None = Field(None, description="px, upright file")
    faces: int | None = Field(None, description="count; Single face present")
    eye_distance_px: float | None = Field(None, description="px of the file; Inter-eye distance")
    head_height_fraction: float | None = Field(None, description="of the photo's height; Head size")
    head_room_ratio: float | None = Field(
        None, description="head heights between crown and upper edge; Margin above of the face image"
    )
    chest_room_ratio: float | None = Field(
        None, description="head heights between chin and lower edge; Margin below of the face image"
    )
    sharp_up_to_px: int | None = Field(None, description="px, largest delivery size without enlarging")
    yaw_degrees: float | None = Field(None, description="degrees; Head pose yaw")
    pitch_degrees: float | None = Field(None, description="degrees; Head pose pitch")
    roll_degrees: float | None = Field(None, description="degrees; Head pose roll")
    eye_opening_ratio: float | None = Field(
        None, description="height / width of the more closed eye; Eyes open"
    )
    wider_eye_opening_ratio: float | None = Field(
        None, description="height / width of the more open eye; Eyes open"
    )
    mouth_opening_ratio: float | None = Field(
        None, description="height between the lips / width of the mouth; Mouth closed"
    )
    socket_light_ratio: float | None = Field(None, description="eye region's light / skin's; Eyes visible")
    glare_fraction: float | None = Field(None, description="white share of the lens region; Eyes visible")
    glasses_seen: bool | None = Field(
        None,
        description="whether a frame lies over nose and cheeks, looked for where something is white; Eyes visible",
    )
    iris_contrast_stops: float | None = Field(
        None, description="stops, white of the eye over the iris, of the clearer eye; Eyes visible"
    )
    lower_face_delta_e: float | None = Field(
        None, description="ΔE of nose and mouth from forehead and cheeks; Mouth occlusion prevention"
    )
    lip_redness_lab: float | None = Field(
        None, description="a* of the lips over the chin's; Mouth occlusion prevention"
    )
    mouth_lines_log: float | None = Field(
        None,
        description="natural logarithm of light, skin over nostrils and the lips' line; Mouth occlusion prevention",
    )
    hand_fraction: float | None = Field(
        None, description="share of the face's middle behind a hand; Face occlusion prevention"
    )
    eye_behind_hand: bool | None = Field(None, description="whether a hand covers an eye; Eyes visible")
    eye_white_luminance: float | None = Field(None, description="0 to 1, linear; how much light falls")
    highlights_luminance: float | None = Field(
        None, description="0 to 1, linear, 97th percentile of the face"
    )
    luminance_mean: float | None = Field(None, description="0 to 1, sRGB, of the face; Luminance mean")
    under_exposed_fraction: float | None = Field(
        None, description="share of the face that is black; Under-exposure prevention"
    )
    clipped_fraction: float | None = Field(
        None, description="share of the face that is white; Over-exposure prevention"
    )
    dynamic_range_bits: float | None = Field(None, description="entropy of the face's grey; Dynamic range")
    back_light_stops: float | None = Field(None, description="stops, surroundings over skin")
    side_light_stops: float | None = Field(None, description="stops between the cheeks")
    light_uniformity: float | None = Field(
        None, description="0 to 1, histograms of both halves shared; Illumination uniformity"
    )
    light_azimuth_degrees: float | None = Field(None, description="degrees, below 0 from the picture's left")
    light_elevation_degrees: float | None = Field(None, description="degrees above the eyes")
    colour_cast_lab: float | None = Field(
        None, description="a*b* distance of the eye whites from natural ones; Natural colour"
    )
    sharpness: float | None = Field(
        None, description="eye distance over the width of the finest edges; Sharpness"
    )
    finest_detail_db: float | None = Field(
        None, description="dB, finest over coarse detail of the face as a headshot shows it; Sharpness"
    )
    sharpness_eyes_px: float | None = Field(
        None, description="px between the eyes at which that was measured: as many as a headshot shows"
    )
    grain_levels: float | None = Field(None, description="8-bit levels, noise as a headshot shows it")
    skin_hue_degrees: float | None = Field(
        None,
        description="degrees, CIE hue of the skin: the lamp's colour, not the complexion; Natural colour",
    )
    skin_chroma_lab: float | None = Field(None, description="CIE chroma of the skin; Natural colour")
    colours_lab: float | None = Field(
        None, description="a*b* by which parts of one lightness differ; Natural colour"
    )
    clutter_ratio: float | None = Field(
        None, description="edge strength beside the hair, 0 to 1; Background uniformity"
    )
    skin_lightness: float | None = Field(None, description="L*; never judged")


class Verdict(BaseModel):
    """The check's answer about one photo; JSON-able."""

    model_config = ConfigDict(frozen=True)

    accepted: bool
    issues: tuple[Finding, ...]
    measures: Measures
    score: float  # 0 to 1, to rank one person's photos; 0 when not accepted
    asks: Literal["which_face"] | None = None  # accepted as soon as this is answered, if nothing blocks
    faces: tuple[FaceBox, ...] = ()  # largest first
    phash: str | None = None  # of the face and what is around it; see `core.checks.shots`

    @classmethod
    def refused(cls, issue: Issue, measures: Measures = Measures(), **values: str) -> Verdict:  # noqa: B008 - frozen
        """Return the verdict on a photo that one issue rules out; `values` go into its finding."""
        return cls(accepted=False, issues=(Finding.of(issue, **values),), measures=measures, score=0.0)

    @property
    def from_left(self) -> tuple[FaceBox, ...]:
        """The faces as a person counts them."""
        return tuple(sorted(self.faces, key=lambda box: box.centre))

    @property
    def obstacles(self) -> tuple[str, ...]:
        """What blocks or asks, in words; empty for an accepted photo."""
        return tuple(
            issue.said
            for issue in self.issues
            if issue.severity is Severity.BLOCK or (self.asks and issue.code is Issue.SEVERAL_PEOPLE)
        )
