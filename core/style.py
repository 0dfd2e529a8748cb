"""The company's portrait style: one frozen object that the brand studio edits and the finisher obeys.

Every number carries its unit in the field's description. `style.toml` is this object in TOML.
"""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.errors import InvalidInput

HEX_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def _check_color(value: str) -> str:
    if not HEX_COLOR.fullmatch(value):
        raise ValueError("must be a colour such as #2F4B6E")
    return value.lower()


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Backdrop(_Part):
    contact: float = Field(
        default=0.0,
        ge=-1.0,
        le=1.0,
        description="stops of light that the person adds to the wall close by: below 0 a soft shadow, above a glow",
    )
    grain: float = Field(
        default=1.0, ge=0.0, le=1.0, description="share of the photo's own noise that the backdrop gets too"
    )


class SolidBackdrop(_Backdrop):
    """One even colour."""

    kind: Literal["solid"] = "solid"
    color: str = Field(default="#d9dee5", description="sRGB, #rrggbb")
    _color = field_validator("color")(_check_color)


class GradientBackdrop(_Backdrop):
    """A studio wall: brightest behind the head, falling off towards the frame."""

    kind: Literal["gradient"] = "gradient"
    inner: str = Field(default="#e7ebf0", description="sRGB at the centre of the light, #rrggbb")
    outer: str = Field(default="#aab4c2", description="sRGB in the frame's corners, #rrggbb")
    falloff: float = Field(default=1.0, ge=0.3, le=3.0, description="exponent; 1 is linear in distance")
    _colors = field_validator("inner", "outer")(_check_color)


class ImageBackdrop(_Backdrop):
    """A picture of the company's, blurred as by a lens's depth of field."""

    kind: Literal["image"] = "image"
    image: str = Field(description="artifact id in the platform, file path beside the style file")
    blur: float = Field(default=0.02, ge=0.0, le=0.1, description="Gaussian sigma, fraction of frame width")


Backdrop = Annotated[SolidBackdrop | GradientBackdrop | ImageBackdrop, Field(discriminator="kind")]


class Crop(_Part):
    """Where the head sits in the frame; every portrait is moved to match."""

    eye_line: float = Field(
        default=0.45, ge=0.25, le=0.6, description="fraction of frame height from the top"
    )
    head_height: float = Field(
        # What a selfie at arm's length with the shoulders just in the frame can give, so that a team matches.
        default=0.62,
        ge=0.25,
        le=0.75,
        description="chin to crown, fraction of frame height",
    )
    aspect: float = Field(default=1.0, ge=0.5, le=1.5, description="width / height of the master frame")


class Light(_Part):
    """How the face is lit, and how far a photo's own light is moved there."""

    strength: float = Field(
        default=0.6, ge=0.0, le=1.0, description="0 leaves the photo's light, 1 asks for all of the style's"
    )
    azimuth: float = Field(
        default=-30.0,
        ge=-75.0,
        le=75.0,
        description="degrees; where the key light stands: below 0 on the picture's left, 0 at the camera",
    )
    elevation: float = Field(default=30.0, ge=0.0, le=70.0, description="degrees above the eyes")
    contrast: float = Field(
        default=0.25, ge=0.0, le=1.0, description="0 is light from everywhere, 1 one lamp without any fill"
    )
    exposure: float = Field(
        # Beyond that the finisher would change how a complexion reads, so it stops there.
        default=0.0,
        ge=-0.4,
        le=0.4,
        description="stops, relative to the neutral face level",
    )


class Grade(_Part):
    """The film: applied to the person alone, never to the backdrop's brand colour."""

    contrast: float = Field(
        default=0.08, ge=-0.3, le=0.4, description="strength of the S-curve around mid-grey"
    )
    warmth: float = Field(default=0.0, ge=-1.0, le=1.0, description="1 is about +600 K warmer")
    saturation: float = Field(default=1.0, ge=0.0, le=1.4, description="factor on chroma")
    fade: float = Field(
        default=0.0,
        ge=0.0,
        le=0.1,
        description="light of the film's black, fraction of white; 0 is deep black",
    )


class OutputFormat(StrEnum):
    """File formats that leave the platform."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"


class Output(_Part):
    """One delivered file."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$", description="part of the file name")
    width: int = Field(ge=64, le=4096, description="pixels")
    height: int = Field(ge=64, le=4096, description="pixels")
    format: OutputFormat = OutputFormat.JPEG


DEFAULT_OUTPUTS = (
    Output(name="square", width=1024, height=1024),
    Output(name="linkedin", width=800, height=800),
    Output(name="slack", width=512, height=512),
)


class StyleSpec(_Part):
    """Everything the finisher needs to make one company's portraits alike."""

    name: str = Field(default="Studio grey", min_length=1, max_length=80)
    backdrop: Backdrop = Field(default_factory=GradientBackdrop)
    crop: Crop = Crop()
    light: Light = Light()
    grade: Grade = Grade()
    outputs: tuple[Output, ...] = Field(default=DEFAULT_OUTPUTS, min_length=1, max_length=8)

    @field_validator("outputs")
    @classmethod
    def _names_differ(cls, outputs: tuple[Output, ...]) -> tuple[Output, ...]:
        if len({output.name for output in outputs}) != len(outputs):
            raise ValueError("two sizes have the same name")
        return outputs


def problems(error: ValidationError) -> list[str]:
    """Return one readable line per problem, `field: what is wrong`."""
    return [
        f"{'.'.join(str(part) for part in item['loc'] if part not in ('solid', 'gradient'))}: {item['msg']}"
        for item in error.errors()
    ]


def parse_style(values: object) -> StyleSpec:
    """Validate `values` (JSON- or TOML-shaped) into a style.

    Raises:
        InvalidInput: names each field that cannot be used.
    """
    try:
        return StyleSpec.model_validate(values)
    except ValidationError as error:
        lines = problems(error)
        raise InvalidInput(
            "The style cannot be used: %(problems)s", problems="; ".join(lines), fields=lines
        ) from error


def load_style(path: Path) -> StyleSpec:
    """Read a `style.toml`.

    Raises:
        InvalidInput: the file is not TOML, or a field cannot be used.
    """
    try:
        return parse_style(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(
            "%(file)s is not a style file: %(problem)s", file=path.name, problem=str(error)
        ) from error
