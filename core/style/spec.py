"""The company's portrait style: one frozen object that the brand studio edits and the finisher obeys.

Every number carries its unit in the field's description. `style.toml` is this object in TOML
(`core.style.file`).
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import (
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from core.style.framing import (
    LARGEST_HEAD,
    NO_ROOM,
    Head,
    Rect,
    Room,
    head_box,
    largest_frame,
    room_for,
    window,
)
from core.style.outputs import DEFAULT_OUTPUTS, MAX_SIDE, NAMED_OUTPUTS, Output
from core.style.part import Part, check_color, refusal
from core.words import N_


class _Backdrop(Part):
    contact: float = Field(
        default=0.0,
        ge=-1.0,
        le=1.0,
        description="stops of light that the person adds to the wall close by: below 0 a soft shadow, above a glow",
    )
    grain: float = Field(
        default=1.0,
        ge=0.0,
        le=1.0,
        description="fraction of a camera's fine grain that the backdrop gets, and people whose photo has less of its own",
    )


class SolidBackdrop(_Backdrop):
    """One even colour."""

    kind: Literal["solid"] = Field(default="solid", description="`solid`, `gradient`, `image` or `scene`")
    color: str = Field(default="#d9dee5", description="sRGB, #rrggbb")
    _color = field_validator("color")(check_color)


class GradientBackdrop(_Backdrop):
    """A studio wall: brightest behind the head, falling off towards the frame."""

    kind: Literal["gradient"] = Field(
        default="gradient", description="`solid`, `gradient`, `image` or `scene`"
    )
    inner: str = Field(default="#e7ebf0", description="sRGB at the centre of the light, #rrggbb")
    outer: str = Field(default="#aab4c2", description="sRGB in the frame's corners, #rrggbb")
    falloff: float = Field(default=1.0, ge=0.3, le=3.0, description="exponent; 1 is linear in distance")
    _colors = field_validator("inner", "outer")(check_color)


class ImageBackdrop(_Backdrop):
    """A picture of the company's, blurred as by a lens's depth of field."""

    kind: Literal["image"] = Field(default="image", description="`solid`, `gradient`, `image` or `scene`")
    image: str = Field(description="artifact id in the platform, file path beside the style file")
    blur: float = Field(
        default=0.03, ge=0.0, le=0.1, description="radius of the lens's blur disc, fraction of frame width"
    )


class Scene(StrEnum):
    """Places that are painted, not photographed."""

    OFFICE = "office"
    GARDEN = "garden"


class SceneBackdrop(_Backdrop):
    """A place far out of focus: a warm office with its window at the picture's left, or a garden."""

    kind: Literal["scene"] = Field(default="scene", description="`solid`, `gradient`, `image` or `scene`")
    scene: Scene = Field(default=Scene.OFFICE, description="`office` or `garden`")
    seed: int = Field(
        default=1, ge=0, le=9999, description="whole number; each gives another arrangement of the same place"
    )
    blur: float = Field(
        # As of an 85 mm lens at f/1.4 with the person 2 m away and the place far behind.
        default=0.045,
        ge=0.015,
        le=0.08,
        description="radius of the lens's blur disc, fraction of frame width",
    )
    exposure: float = Field(
        default=0.0, ge=-2.0, le=1.0, description="stops by which the place is brighter than painted"
    )


Backdrop = Annotated[
    SolidBackdrop | GradientBackdrop | ImageBackdrop | SceneBackdrop, Field(discriminator="kind")
]


class Crop(Part):
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
    aspect: float = Field(
        default=1.0, ge=0.5, le=1.5, description="factor; width / height of the master frame"
    )


class Light(Part):
    """How the face is lit, and how far a photo's own light is moved there."""

    strength: float = Field(
        default=0.6,
        ge=0.0,
        le=1.0,
        description="fraction; 0 leaves the photo's light, 1 asks for all of the style's",
    )
    azimuth: float = Field(
        default=-30.0,
        ge=-75.0,
        le=75.0,
        description="degrees; where the key light stands: below 0 on the picture's left, 0 at the camera",
    )
    elevation: float = Field(default=30.0, ge=0.0, le=70.0, description="degrees above the eyes")
    contrast: float = Field(
        default=0.25,
        ge=0.0,
        le=1.0,
        description="fraction; 0 is light from everywhere, 1 one lamp without any fill",
    )
    exposure: float = Field(
        # Beyond that the finisher would change how a complexion reads, so it stops there.
        default=0.0,
        ge=-0.4,
        le=0.4,
        description="stops, relative to the neutral face level",
    )


class Grade(Part):
    """The film: applied to the person alone, never to the backdrop's brand colour."""

    contrast: float = Field(
        default=0.08, ge=-0.3, le=0.4, description="fraction that the S-curve adds to the slope at mid-grey"
    )
    warmth: float = Field(default=0.0, ge=-1.0, le=1.0, description="steps of about 600 K; above 0 is warmer")
    saturation: float = Field(
        default=1.0, ge=0.0, le=1.4, description="factor on the colours; 0 is black and white"
    )
    fade: float = Field(
        default=0.0,
        ge=0.0,
        le=0.1,
        description="light of the film's black, fraction of white; 0 is deep black",
    )


class Attire(StrEnum):
    """What people wear."""

    BUSINESS = "business"
    BUSINESS_CASUAL = "business_casual"
    CASUAL = "casual"
    OWN = "own"


class Expression(StrEnum):
    """How people look into the camera."""

    NEUTRAL = "neutral"
    SOFT_SMILE = "soft_smile"
    SMILE = "smile"


class Subject(Part):
    """What a picture of a model shows the person in; a photo of the studio's stays as it was taken."""

    attire: Attire = Field(
        default=Attire.BUSINESS_CASUAL,
        description="`business`, `business_casual`, `casual` or `own` (as in the photos); diffusion engine only",
    )
    expression: Expression = Field(
        default=Expression.SOFT_SMILE,
        description="`neutral`, `soft_smile` or `smile`; diffusion engine only",
    )


class Corner(StrEnum):
    """Where a logo stands."""

    TOP_LEFT = "top-left"
    TOP_RIGHT = "top-right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM_RIGHT = "bottom-right"


COMPANY_LOGO: Final = "company"


class Logo(Part):
    """A logo in a corner of every file, put on when the file is delivered; never over the head."""

    image: str = Field(
        default=COMPANY_LOGO,
        min_length=1,
        max_length=200,
        description="`company` for the company's own logo in the platform, file path beside the style file",
    )
    corner: Corner = Field(
        default=Corner.TOP_LEFT, description="`top-left`, `top-right`, `bottom-left` or `bottom-right`"
    )
    width: float = Field(
        default=0.14, ge=0.04, le=0.3, description="longer side of the logo, fraction of frame width"
    )
    margin: float = Field(
        default=0.04, ge=0.0, le=0.15, description="distance from the frame's edges, fraction of frame width"
    )
    opacity: float = Field(
        default=1.0, ge=0.1, le=1.0, description="fraction; 0 is invisible, 1 as the file has it"
    )

    def place(self, output: Output, shape: float = 1.0) -> Rect:
        """Return where the logo lies in a file, pixels.

        Args:
            output: The file.
            shape: Width / height of the logo.
        """
        side, margin = self.width * output.width, self.margin * output.width
        width, height = min(side, side * shape), min(side, side / shape)
        left = margin if self.corner.endswith("left") else output.width - margin - width
        top = margin if self.corner.startswith("top") else output.height - margin - height
        return Rect(left, top, width, height)


class Variants(Part):
    """What people may choose instead, of the same photo: everything else stays as the style has it."""

    closer: float = Field(
        default=0.0,
        ge=0.0,
        le=0.25,
        description="fraction by which the head is larger in a second crop; 0 offers none",
    )
    colors: tuple[str, ...] = Field(
        default=(), max_length=2, description="list of sRGB, #rrggbb; further plain backdrops, at most two"
    )

    edits: bool = Field(
        default=False,
        description="true or false; whether people may ask for a little closer or wider, lighter or darker, further left or right",
    )

    @field_validator("colors")
    @classmethod
    def _colors(cls, colors: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(check_color(one) for one in colors))


_WHOLE: Final = 0.995  # of the pixels asked for: what whole pixels of a master may make of it
_SAME_SHAPE: Final = 0.01  # of width / height: what whole pixels may make of it


def _part(crop: Crop, output: Output, head: Head, **room: Room) -> Rect:
    wanted = Head(output.crop.eye_line, output.crop.head_height) if output.crop else None
    return window(crop.aspect, head, output.width / output.height, wanted, **room)


def _names_beside_tables(schema: dict[str, Any]) -> None:
    outputs = schema["properties"]["outputs"]
    outputs["items"] = {"anyOf": [{"enum": list(NAMED_OUTPUTS)}, outputs["items"]]}


class StyleSpec(Part):
    """Everything the finisher needs to make one company's portraits alike."""

    model_config = ConfigDict(json_schema_extra=_names_beside_tables)

    name: str = Field(default="Studio grey", min_length=1, max_length=80, description="text")
    outputs: tuple[Output, ...] = Field(
        default=DEFAULT_OUTPUTS,
        min_length=1,
        max_length=12,
        description="names or tables; the files to deliver, the first one goes into the company's download; "
        "`print` (3000 pixels) makes every headshot take nine times as long",
    )
    backdrop: Backdrop = Field(
        default_factory=GradientBackdrop, description="table; what is behind the person"
    )
    crop: Crop = Field(default=Crop(), description="table; where the head sits in the frame")
    light: Light = Field(default=Light(), description="table; how the face is lit")
    grade: Grade = Field(default=Grade(), description="table; the film, on the person alone")
    subject: Subject = Field(
        default=Subject(), description="table; clothes and expression, for the diffusion engine only"
    )
    logo: Logo | None = Field(default=None, description="table; a logo in a corner of every file")
    variants: Variants = Field(
        default=Variants(), description="table; what people may choose instead, none if not given"
    )

    @field_validator("outputs")
    @classmethod
    def _names_differ(cls, outputs: tuple[Output, ...]) -> tuple[Output, ...]:
        if len({output.name for output in outputs}) != len(outputs):
            raise refusal(N_("two sizes have the same name"))
        return outputs

    @field_validator("logo")
    @classmethod
    def _logo_is_clear_of_the_head(cls, logo: Logo | None, others: ValidationInfo) -> Logo | None:
        crop, outputs = others.data.get("crop"), others.data.get("outputs")
        if logo is None or crop is None or outputs is None:
            return logo
        head = Head(crop.eye_line, crop.head_height)
        for output in outputs:
            box = head_box(_part(crop, output, head), head, output.width, output.height)
            if output.takes_logo and logo.place(output).meets(box):
                raise refusal(
                    N_(
                        "would lie over the head in the size %(name)s; make the logo smaller, "
                        "move it to another corner, or give the head less of the frame"
                    ),
                    name=output.name,
                )
        return logo

    @property
    def head(self) -> Head:
        """How the head stands in the master frame."""
        return Head(self.crop.eye_line, self.crop.head_height)

    @property
    def room(self) -> Room:
        """What a master has beyond the frame, for outputs of another shape: none for the default ones."""
        largest = Head(self.crop.eye_line, max(LARGEST_HEAD, self.crop.head_height))
        return room_for(
            _part(self.crop, output, head) for output in self.outputs for head in (self.head, largest)
        )

    def frame(self, width: int, height: int) -> Rect:
        """Return where the style's frame lies in a master of that size, whole pixels."""
        return self._room_in(width, height).frame(width, height)

    def part(self, output: Output, head: Head | None = None, master: tuple[int, int] | None = None) -> Rect:
        """Return the part of the master that `output` shows, in fractions of the frame's width and height.

        Args:
            output: The file.
            head: How the head really stands in the frame, where that differs from the style.
            master: Width and height of the master, where it is there already; it sets how far a file reaches.
        """
        if master is None:
            return _part(self.crop, output, head or self.head)
        return _part(self.crop, output, head or self.head, room=self._room_in(*master))

    def master_size(self) -> tuple[int, int]:
        """Return width and height of the smallest master from which every output can be cut without enlarging."""
        aspect, room = self.crop.aspect, self.room
        height = max(output.height / self.part(output).height for output in self.outputs)
        height = min(height, MAX_SIDE / (1 + room.above), MAX_SIDE / (aspect * (1 + 2 * room.beside)))
        return room.around(math.ceil(height * aspect - 1e-6), math.ceil(height - 1e-6))

    def carried(self, head_px: float, head_height: float) -> tuple[int, int]:
        """Return width and height of the largest master that a photo carries, at most that of `master_size`.

        Args:
            head_px: Chin to crown, pixels of the photo.
            head_height: The same in the frame, fraction of its height.
        """
        whole = self.master_size()
        frame, room = self.frame(*whole), self.room
        share = min(1.0, largest_frame(head_px, head_height) / frame.height)
        if share == 1.0:
            return whole
        return room.around(max(1, int(share * frame.width)), max(1, int(share * frame.height)))

    def with_files_of(self, newer: StyleSpec) -> StyleSpec:
        """Return this style with the files of a newer version of it, as far as masters made by this one hold them.

        Where their shapes would need other room beside the frame, only the frames of avatars are the newer one's.
        """
        whole = self.model_copy(update={"outputs": newer.outputs})
        if whole.room == self.room:
            return whole
        frames = {(one.name, one.width, one.height, one.format): one.frame for one in newer.outputs}
        kept = tuple(
            one.model_copy(
                update={"frame": frames.get((one.name, one.width, one.height, one.format), one.frame)}
            )
            for one in self.outputs
        )
        return self.model_copy(update={"outputs": kept})

    def delivered(self, output: Output, head: Head | None, master: tuple[int, int] | None) -> Output:
        """Return a file as it is delivered: as asked, or as large as a master is that a small photo made smaller.

        Its shape stays, and on paper its size.

        Args:
            output: The file as the style asks for it.
            head: How the head really stands in the frame, where that differs from the style.
            master: Width and height of the master; `None` where they are not known.
        """
        if master is None:
            return output
        frame = self.frame(*master).height
        share = frame / self.frame(*self.master_size()).height
        if share < 1:
            share = max(share, self.part(output, head, master).height * frame / output.height)
        if share > _WHOLE:
            return output
        width, height = max(1, round(share * output.width)), max(1, round(share * output.height))
        dpi = None if output.dpi is None else max(1, round(share * output.dpi))
        return output.model_copy(update={"width": width, "height": height, "dpi": dpi})

    def _room_in(self, width: int, height: int) -> Room:
        # A master without any room has the frame's own shape: a preview, or one made for other outputs.
        alone = abs(width / height / self.crop.aspect - 1) < _SAME_SHAPE
        return NO_ROOM if alone else self.room
