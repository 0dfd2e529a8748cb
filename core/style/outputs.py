"""The files that a style has delivered: their sizes, formats and crops, and the frame of an avatar."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from pydantic import ConfigDict, Field, field_validator, model_validator

from core.style.part import Part, check_color, refusal
from core.words import N_


class OutputFormat(StrEnum):
    """File formats that leave the platform."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"

    @property
    def suffix(self) -> str:
        """What a file's name ends in, without the dot."""
        return "jpg" if self is OutputFormat.JPEG else self.value

    @property
    def media_type(self) -> str:
        """What HTTP calls it."""
        return f"image/{self.value}"


class Shape(StrEnum):
    """What an avatar is cut to."""

    CIRCLE = "circle"
    ROUNDED = "rounded"


class Frame(Part):
    """The frame of an avatar: outside of its shape the file is transparent, so no logo is put into a corner.

    Where a picture has to say in a corner that an image model made it, it keeps its corners.
    """

    shape: Shape = Field(default=Shape.CIRCLE, description="`circle` or `rounded`")
    border: float = Field(
        default=0.0, ge=0.0, le=0.1, description="width of the ring, fraction of the file's width; 0 for none"
    )
    color: str = Field(default="#2f4b6e", description="sRGB of the ring, #rrggbb")
    _color = field_validator("color")(check_color)


class OutputCrop(Part):
    """A crop of one file's own, cut from the master as near as the master allows."""

    eye_line: float = Field(
        default=0.46, ge=0.25, le=0.6, description="fraction of the file's height from the top"
    )
    head_height: float = Field(
        default=0.62, ge=0.25, le=0.8, description="chin to crown, fraction of the file's height"
    )


MAX_SIDE: Final = 4096  # pixels
MIN_SIDE: Final = 64  # pixels
PRINT_DPI: Final = 300
MM_PER_INCH: Final = 25.4


class Output(Part):
    """One delivered file: a name that stands for a size, or a size of one's own in pixels or millimetres."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$", description="text, part of the file name")
    width: int = Field(ge=MIN_SIDE, le=MAX_SIDE, description="pixels")
    height: int = Field(ge=MIN_SIDE, le=MAX_SIDE, description="pixels")
    format: OutputFormat = Field(default=OutputFormat.JPEG, description="`jpeg`, `png`, `webp` or `avif`")
    width_mm: float | None = Field(
        default=None, gt=0, le=400, description="millimetres, instead of `width`; with `dpi`"
    )
    height_mm: float | None = Field(
        default=None, gt=0, le=400, description="millimetres, instead of `height`; with `dpi`"
    )
    dpi: int | None = Field(
        default=None,
        ge=36,
        le=1200,
        description="pixels per inch, written into the file; 300 with millimetres",
    )
    crop: OutputCrop | None = Field(
        default=None, description="table; this file's own crop, the style's if not given"
    )
    logo: bool = Field(
        default=True, description="true or false; whether the style's logo is put on this file"
    )
    frame: Frame | None = Field(
        default=None, description="table; cut to a shape, for avatars, and only in `png`, `webp` or `avif`"
    )

    @property
    def takes_logo(self) -> bool:
        """Whether a logo can be put on it: a frame leaves no corner for one."""
        return self.logo and self.frame is None

    @model_validator(mode="before")
    @classmethod
    def _sizes(cls, given: Any) -> Any:
        """Look a plain name up, and turn millimetres into pixels."""
        if isinstance(given, str):
            if given not in NAMED_OUTPUTS:
                raise refusal(
                    N_(
                        "there is no size called %(name)s; give it a width and a height, or take one of %(names)s"
                    ),
                    name=given[:40],
                    names=", ".join(NAMED_OUTPUTS),
                )
            return NAMED_OUTPUTS[given].model_dump()
        if not isinstance(given, dict):
            return given
        values = dict(given)
        sizes = ("width", "height", "width_mm", "height_mm")
        if all(values.get(size) is None for size in sizes) and values.get("name") in NAMED_OUTPUTS:
            return NAMED_OUTPUTS[values["name"]].model_dump() | values
        for side in ("width", "height"):
            length = values.get(f"{side}_mm")
            if isinstance(length, int | float) and 0 < length <= 400:
                if values.get("dpi") is None:
                    values["dpi"] = PRINT_DPI
                if isinstance(values["dpi"], int):
                    pixels = round(length / MM_PER_INCH * values["dpi"])
                    if values.get(side) not in (None, pixels):
                        raise refusal(N_("give pixels or millimetres, not both"))
                    values[side] = pixels
        return values

    @model_validator(mode="after")
    def _frame_fits(self) -> Output:
        """See that what is outside of the frame can be transparent, and a circle round."""
        if self.frame is None:
            return self
        if self.format is OutputFormat.JPEG:
            raise refusal(N_("a JPEG has no transparent corners; take png, webp or avif"))
        if self.frame.shape is Shape.CIRCLE and self.width != self.height:
            raise refusal(N_("a round file needs the same width and height"))
        return self


# 35 × 45 mm, the head 34 mm from chin to crown: ICAO Doc 9303-3 asks 70 to 80 % of the height.
_BADGE = Output(
    name="badge",
    width=413,
    height=531,
    width_mm=35,
    height_mm=45,
    dpi=PRINT_DPI,
    crop=OutputCrop(eye_line=0.48, head_height=0.755),
    logo=False,
)
NAMED_OUTPUTS: Final[dict[str, Output]] = {
    output.name: output
    for output in (
        Output(name="square", width=1024, height=1024),
        Output(name="linkedin", width=800, height=800),
        Output(name="slack", width=1024, height=1024),
        Output(name="teams", width=648, height=648),
        _BADGE,
        Output(name="web", width=1024, height=1024, format=OutputFormat.WEBP),
        Output(name="web-avif", width=1024, height=1024, format=OutputFormat.AVIF),
        Output(name="avatar", width=512, height=512, format=OutputFormat.PNG, frame=Frame()),
        Output(name="print", width=3000, height=3000, dpi=PRINT_DPI),
    )
}
# A print master has nine times the pixels and costs nine times the time, and a frame is a choice: both are asked for.
DEFAULT_OUTPUTS: Final = tuple(
    output for output in NAMED_OUTPUTS.values() if output.name not in ("avatar", "print")
)
