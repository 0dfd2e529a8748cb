"""What the gates measured on a finished picture."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict


class GateName(StrEnum):
    """Stable names of what is measured."""

    ONE_FACE = "one_face"
    LIKENESS = "likeness"
    SKIN_DELTA_E = "skin_delta_e"
    SKIN_ITA = "skin_ita"
    EYE_LINE = "eye_line"
    HEAD_HEIGHT = "head_height"
    ROLL = "roll"
    BACKDROP = "backdrop"
    LIGHT = "light"
    SHARPNESS = "sharpness"
    EDGE = "edge"
    CUT = "cut"
    RESOLUTION = "resolution"
    # Of a face that a model made; see `workers.pipeline.generated`.
    HELD_OUT = "held_out"
    NEAREST = "nearest"
    COPY_PASTE = "copy_paste"
    FACE_SHAPE = "face_shape"
    MESH = "mesh"
    EYES = "eyes"
    NOISE = "noise"
    LETTERING = "lettering"


# What is found by comparing a face with others, which needs that consent.
COMPARED: Final = frozenset(
    {GateName.LIKENESS, GateName.HELD_OUT, GateName.NEAREST, GateName.COPY_PASTE, GateName.FACE_SHAPE}
)


# A note: a photo of somebody else in the company could be this person's, so the check cannot tell the two apart.
LOOK_ALIKE: Final = "look_alike"
# Notes that come from comparing faces with others.
COMPARED_NOTES: Final = frozenset({LOOK_ALIKE})


# Of the cut gate's limit: up to here a cut is called clean; none of 52 wrong ones had so little (docs/sources.md).
CLEAN_CUT: Final = 0.5


class Gate(BaseModel):
    """One measurement against its limit."""

    model_config = ConfigDict(frozen=True)

    value: float | None  # None: not measured, `why` says the reason
    unit: str
    limit: float
    passed: bool | None
    why: str  # where the limit comes from
    at_least: bool = False  # the limit is the least, not the most
    well: float | None = None  # the value from which on it may be praised, where that is more than passing
    others: int | None = None  # own photos, without the one it was made from, that a face was compared with
    encoders: int | None = None  # that a made face was compared by

    @property
    def sentence(self) -> str:
        """The value against its limit, in words."""
        if self.value is None:
            return self.why
        side = "at least" if self.at_least else "at most"
        return f"{self.value:.3g} {self.unit}, must be {side} {self.limit:.3g} ({self.why})"


class GateReport(BaseModel):
    """All measurements of one picture."""

    model_config = ConfigDict(frozen=True)

    passed: bool
    gates: dict[GateName, Gate]
    figures: dict[str, float]  # absolute figures of the style, for the team's spread
    # What differs from the style: codes of `workers.studio.align.Framing.notes`, and `OTHER_SIDE` of the gates. Of a made
    # face also what became of it at full size: `workers.engines.FaceDetail`.
    notes: tuple[str, ...] = ()
    master: tuple[int, int] | None = (
        None  # width and height of the whole picture, px; see `StyleSpec.delivered`
    )

    def plus(self, gates: dict[GateName, Gate]) -> GateReport:
        """Return the report with further measurements, the worse of two where both measured the same."""
        added = {name: gate for name, gate in gates.items() if name not in self.gates or gate.passed is False}
        passed = self.passed and all(gate.passed is not False for gate in gates.values())
        return self.model_copy(update={"gates": {**self.gates, **added}, "passed": passed})

    def uncompared(self) -> GateReport:
        """Return the report without what comparing faces found."""
        kept = {name: gate for name, gate in self.gates.items() if name not in COMPARED}
        notes = tuple(note for note in self.notes if note not in COMPARED_NOTES)
        return self.model_copy(update={"gates": kept, "notes": notes})

    @property
    def failed(self) -> tuple[GateName, ...]:
        """Which gates withhold the picture."""
        return tuple(name for name, gate in self.gates.items() if gate.passed is False)
