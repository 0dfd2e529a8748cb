"""One finisher for every portrait: align, light, grade, put before the company's backdrop."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from core.style.framing import Rect
from core.style.spec import Crop, StyleSpec
from workers.studio import align, grade, light
from workers.studio.backdrop import backdrop
from workers.studio.compose import compose
from workers.studio.encode import in_frame
from workers.studio.shoulders import dulled
from workers.studio.texture import textured
from workers.vision.color import Values, to_linear, to_srgb
from workers.vision.cutout import Cutout
from workers.vision.geometry import Face, Pixels
from workers.vision.photometry import skin_level
from workers.vision.skin import skin_tone


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A portrait in the company's style.

    Attributes:
        pixels: uint8, height × width × 3, sRGB.
        face: Where the finisher put the face; the gates measure it again on the pixels.
        framing: How the person lies in the frame, and what differs from the style.
    """

    pixels: Pixels
    face: Face
    framing: align.Framing

    def framed(self, style: StyleSpec) -> Pixels:
        """The style's frame alone, without the room beside it for files of another shape."""
        return in_frame(self.pixels, style)


def master_size(style: StyleSpec) -> tuple[int, int]:
    """Return width and height of the smallest master from which every output can be cut without enlarging."""
    return style.master_size()


def carried_size(
    cutout: Cutout, style: StyleSpec, crop: Crop | None = None, aside: float = 0.0
) -> tuple[int, int]:
    """Return width and height of the master, made smaller where the photo holds too few pixels of the head.

    Args:
        cutout: The person.
        style: The company's style.
        crop: Of a variant that it allows; its own if not given.
        aside: Where the head is to be beside the middle, fraction of the frame width.

    Raises:
        CroppedTooTightly: no honest crop is left.
    """
    crop = crop or style.crop
    whole = style.frame(*master_size(style))
    framing = align.frame(cutout, crop, int(whole.width), int(whole.height), aside)
    head_px = cutout.face.head_at_rest / cutout.photo_scale
    return style.carried(head_px, crop.head_height * framing.tighter)


def finish(
    cutout: Cutout,
    style: StyleSpec,
    size: tuple[int, int],
    backdrop_image: Pixels | None = None,
    frame: Rect | None = None,
    stand: int = 0,
    aside: float = 0.0,
) -> Finished:
    """Make the portrait.

    Args:
        cutout: The person.
        style: The company's style.
        size: Width and height of the master, pixels.
        backdrop_image: The picture of an image backdrop (uint8, height × width × 3, sRGB).
        frame: Where the frame lies in the master, of a variant of another style; as `style` has it if not given.
        stand: Where the person stands before a painted scene; see `workers.studio.backdrop.stand_of`.
        aside: Where the head is to be beside the middle, fraction of the frame width.

    Raises:
        CroppedTooTightly: no honest crop is left.
        BackdropMissing: an image backdrop without its picture.
    """
    width, height = size
    frame = frame or style.frame(width, height)
    framing = align.frame(cutout, style.crop, int(frame.width), int(frame.height), aside)
    framing = replace(framing, whole=align.whole(cutout, framing, width, frame))
    foreground, alpha, face = align.place(cutout, framing, width, height, frame)
    person = to_linear(foreground)
    seen = grade.complexion(person, face)
    person = grade.balance(person, face)
    cast = grade.complexion(person, face).ita - seen.ita
    person = light.relight(person, face, style.light)
    person = dulled(person, alpha, face)
    person = grade.expose(person, face, style.light.exposure)
    person = grade.develop(person, style.grade, skin_level(person, face))
    # As the photo's own pixels show it: made larger or smaller, skin measures some degrees off.
    photo = skin_tone(cutout.foreground, cutout.face)
    person = grade.keep(person, face, photo, cast, style)
    wall = backdrop(style.backdrop, width, height, backdrop_image, frame, stand)
    shown, noise = textured(to_srgb(person), alpha, face, 1 / framing.resolution)
    return Finished(_quantised(compose(shown, alpha, wall, style.backdrop, noise)), face, framing)


def _quantised(values: Values) -> Pixels:
    """Round to 8 bits with half a step of noise, so that a soft gradient shows no bands.

    A hundredth of a step stays free of noise, so that an even colour comes out as itself.
    """
    steps = values * np.float32(255) + _noise(values.shape[0], values.shape[1])
    return np.asarray(np.clip(np.floor(steps), 0, 255), np.uint8)


@lru_cache(maxsize=2)  # a team shares one frame
def _noise(height: int, width: int) -> Values:
    noise = 0.01 + 0.98 * np.random.default_rng(0).random((height, width, 1), np.float32)
    noise.flags.writeable = False
    return np.asarray(noise, np.float32)
