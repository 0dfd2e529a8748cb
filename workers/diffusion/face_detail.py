"""The face painted anew at the base's full size, and laid back into an enlarged picture without a seam.

A base paints a head of a portrait with some 400 pixels, and a headshot of 2,048 shows 1,270. So the head is cut out, painted
once more from a little noise with the base's whole side, brought back to the tone and the coarse shapes that it had, and laid
over the enlarged picture. Where both agree the one fades slowly into the other, so that no texture ends at a line; where they
do not, the change is short, so that no edge is seen twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.consent import ValidConsent
from core.logs import logger
from core.style.framing import largest_frame
from core.style.spec import StyleSpec
from workers.diffusion.best import Judged, away
from workers.diffusion.sample import OutOfMemory
from workers.engines import FaceDetail
from workers.vision.detail import sharpness
from workers.vision.faces import find_faces
from workers.vision.geometry import CHIN, Face, Pixels
from workers.vision.likeness import Embedding

Paint = Callable[[Pixels], Pixels]
Values = NDArray[np.float32]

MASTER: Final = 2048  # px, height of the largest frame that a picture is enlarged for
_LARGEST: Final = 4096  # px of an enlarged picture: 50 MB, and a head of 250 px fills a master with it
_CLOSER: Final = 1.1  # the finisher crops closer than the style where a picture ends
_AROUND: Final = (
    1.6  # head heights of the square: hair above, neck below, and a ring in which the change lies
)
_GAIN: Final = (
    1.25  # times more pixels than before, below which nobody sees it (see `core.style.framing.largest_frame`)
)
# Of the square's side. What is coarser than the first is tone and light and comes from the picture; the ring is narrow
# enough to leave hair and chin inside, and wide enough that a texture fades. Judgement, by eye on four portraits.
_TONE: Final = 0.04
_RING: Final = 0.14
_COARSE: Final = (
    0.005  # sigma of the edges at which a tone may change; what is finer is the new picture's own
)
_SLOPES: Final = 512.0  # px at which the tone is compared; it changes over some 40
_PLAIN: Final = 10.0  # 8-bit levels; what varies less is no edge
_EDGE: Final = 0.004  # sigma of what counts as an edge that moved, and not as texture
_MOVED: Final = 6.0  # 8-bit levels of such an edge that make the change twice as short
_SHORTEST: Final = 12.0  # times shorter at most
# Of the most lenient limit, as `workers.diffusion.best.away` tells. Five enlargements of one portrait, from 1.2 to 2.5 times,
# are as far apart: less is no other person.
_PLAY: Final = 0.024
_AS_SHARP: Final = 0.95  # the same face, measured anew, is up to 5 % less sharp


@dataclass(frozen=True, slots=True, eq=False)
class Square:
    """A part of a picture, whole pixels."""

    left: int
    top: int
    side: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return slice(self.top, self.top + self.side), slice(self.left, self.left + self.side)


def detailed(
    one: Judged, own: Sequence[Embedding], style: StyleSpec, consent: ValidConsent, side: int, paint: Paint
) -> tuple[Judged, FaceDetail | None]:
    """Return a picture as it is delivered: as large as the style asks, up to `MASTER`, its face painted anew.

    A picture whose face no gate would pass is left as it is. A face that painting made less like the person or
    less sharp, or that is none any more, is not used.

    Args:
        one: The picture.
        own: The person's held-out faces.
        style: What the master has to hold.
        consent: Must cover `likeness`.
        side: Pixels of what `paint` returns.
        paint: Paints a square around the head anew, at its own side.

    Returns:
        The picture, and what became of the face; `None` where it was not painted anew.

    Raises:
        ConsentRequired: `consent` does not cover `likeness`.
    """
    far = away(one.pixels, one.faces, own, consent)
    if far is None or far > 1:
        return one, None
    scale = factor(one, style)
    large = enlarged(one, scale)
    around = square(large.faces[0], large.pixels)
    if side < _GAIN * around.side / scale:
        return large, None  # the head fills the picture and has those pixels already
    try:
        painted = laid_over(large.pixels, around, paint(large.pixels[around.slices]))
    except OutOfMemory:
        # The picture itself was made, and is as good as it was.
        logger().warning("face_not_painted_anew", code="out_of_memory")
        return large, FaceDetail.LEFT
    faces = tuple(find_faces(painted))
    new = replace(large, pixels=painted, faces=faces)
    if _as_good(new, large, own, consent):
        return new, FaceDetail.PAINTED
    return large, FaceDetail.LEFT


def _as_good(new: Judged, old: Judged, own: Sequence[Embedding], consent: ValidConsent) -> bool:
    """Whether a face is as like the person and as sharp as it was before."""
    after, before = (away(one.pixels, one.faces, own, consent) for one in (new, old))
    if after is None or before is None or after > before + _PLAY:
        return False
    sharp, was = (sharpness(one.pixels, one.faces[0]).value for one in (new, old))
    return sharp >= _AS_SHARP * was


def factor(one: Judged, style: StyleSpec) -> float:
    """Return how many times a picture is enlarged, so that its head fills the style's frame; 1 where it does."""
    frame = min(float(MASTER), style.frame(*style.master_size()).height)
    wanted = _CLOSER * frame / largest_frame(1.0, style.crop.head_height)
    return max(1.0, min(wanted / one.faces[0].head_at_rest, _LARGEST / max(one.pixels.shape[:2])))


def enlarged(one: Judged, scale: float) -> Judged:
    """Return a picture `scale` times as large, by Lanczos' filter: nothing is invented."""
    height, width = one.pixels.shape[:2]
    size = (round(scale * width), round(scale * height))
    if size == (width, height):
        return one
    pixels = np.asarray(Image.fromarray(one.pixels).resize(size, Image.Resampling.LANCZOS), np.uint8)
    return replace(one, pixels=pixels, faces=tuple(face.moved(0, 0, size[0] / width) for face in one.faces))


def square(face: Face, pixels: Pixels) -> Square:
    """Return the square around a head, inside the picture."""
    height, width = pixels.shape[:2]
    side = min(round(_AROUND * face.head_height), height, width)
    middle = (face.crown + face.landmarks[CHIN, :2]) / 2
    left = round(min(max(0.0, float(middle[0]) - side / 2), width - side))
    top = round(min(max(0.0, float(middle[1]) - side / 2), height - side))
    return Square(left, top, side)


def laid_over(picture: Pixels, around: Square, painted: Pixels) -> Pixels:
    """Lay a part that was painted anew over the picture; beyond `around` nothing changes.

    Args:
        picture: uint8, height × width × 3, sRGB.
        around: Where the part lies.
        painted: uint8, the part, square, of any size.
    """
    side = around.side
    before = picture[around.slices].astype(np.float32)
    fitted = Image.fromarray(painted).resize((side, side), Image.Resampling.LANCZOS)
    new = np.asarray(fitted, np.float32)
    coarse = _blurred(before, _COARSE * side)
    new = new + _toned(coarse, before - new, round(_TONE * side))
    share = _share(around, picture.shape[0], picture.shape[1])
    moved = np.abs(_blurred(new - before, _EDGE * side)).max(axis=2)
    # A map with steps of its own would draw them into the picture.
    shorter = _blurred(np.minimum(moved / _MOVED, _SHORTEST - 1), 2 * _EDGE * side)
    share = np.clip(0.5 + (share - 0.5) * (1 + shorter), 0, 1)[..., None]
    result = picture.copy()
    result[around.slices] = np.clip(np.rint(before + share * (new - before)), 0, 255).astype(np.uint8)
    return result


def _share(around: Square, height: int, width: int) -> Values:
    """Return how much of the new part counts: 0 at its sides and 1 inside; a side on the picture's edge needs no ring."""
    place = (np.arange(around.side, dtype=np.float32) + 0.5) / (_RING * around.side)
    rise = np.clip(place, 0, 1)
    rise = rise * rise * (3 - 2 * rise)
    across, down = np.ones_like(rise), np.ones_like(rise)
    if around.left > 0:
        across = across * rise
    if around.left + around.side < width:
        across = across * rise[::-1]
    if around.top > 0:
        down = down * rise
    if around.top + around.side < height:
        down = down * rise[::-1]
    return np.asarray(down[:, None] * across[None, :], np.float32)


def _toned(picture: Values, off: Values, reach: int) -> Values:
    """Return the coarse part of a difference, which ends where the picture has an edge.

    A guided filter (He & Sun 2015, "Fast guided filter"), so that the correction of a face does not colour the white collar
    beside it.

    Args:
        picture: height × width × 3, 8-bit levels, without its fine detail.
        off: What is to be corrected, of the same shape and unit.
        reach: Half the window's side, pixels.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, _SLOPES / max(height, width))
    half = max(1, round(scale * reach))
    mean = partial(cv2.blur, ksize=(2 * half + 1, 2 * half + 1), borderType=cv2.BORDER_REPLICATE)
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    guide, wanted = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (picture, off))
    levels, offs = mean(guide), mean(wanted)
    slope = (mean(guide * wanted) - levels * offs) / (mean(guide * guide) - levels**2 + _PLAIN**2)
    slopes, rest = (
        cv2.resize(mean(one), (width, height), interpolation=cv2.INTER_LINEAR)
        for one in (slope, offs - slope * levels)
    )
    return np.asarray(slopes * picture + rest, np.float32)


def _blurred(values: Values, sigma: float) -> Values:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)
