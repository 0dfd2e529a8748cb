"""Put every head in the same place: eyes level on the eye line, the same size, centred.

Only turning, scaling and shifting; a body that the photo does not show is never invented. Where the
photo ends too early for the style's crop, the crop gets tighter until everything in it is real; where only
background is missing, the backdrop goes on. The notes say what was done.

Eye line, size of the face and the gap above the hair cannot all be the same for a shaven head and for curls. Eyes and
size come first; both give way a little, where a colleague does not see it, so that the gaps become alike, and high hair
always gets room above it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.errors import AppError
from core.style.framing import LARGEST_HEAD, NO_ROOM, Rect, Room
from core.style.spec import Crop
from workers.vision.cutout import Cutout, Mask
from workers.vision.geometry import Box, Face, Pixels

_GRID: Final = 72  # points along the frame's long side at which "is this real?" is asked
_PERSON: Final = 0.08  # alpha at the photo's edge from which on the person is said to go on beyond it
# How far the frame may move to stay honest, and what each costs beside a tighter crop.
_TIGHTER: Final = tuple(1.0 + 0.02 * step for step in range(36))  # factor on the head's height
_SIDEWAYS: Final = (0.0, 0.02, -0.02, 0.04, -0.04, 0.06, -0.06)  # fraction of the frame width
_LOWER: Final = (0.0, 0.02, 0.04, 0.07, 0.10, 0.13)  # eye line, fraction of the frame height
_SIDEWAYS_COST: Final = 0.9
_LOWER_COST: Final = 6.0
_CUT_HAIR: Final = 5.0  # shortfall per head height of crown outside the photo
_HAIR_ROOM: Final = 0.025  # of the frame height, above the outline of the hair
_USUAL_HAIR: Final = (
    0.55  # head heights from the eyes to the outline of usual hair: half a skull, and a tenth of that
)
_GAP_PLAY: Final = 0.02  # of the frame height: gaps that differ by so much are alike
# What eyes and size give way for that: docs/sources.md, Heads.
_EYES_PLAY: Final = (
    0.004  # of the frame height; so their spread over a team stays below 0.4 % whoever is in it
)
_SIZE_PLAY: Final = 0.03  # of the head's height, for the same reason
_PLAY_COST: Final = 0.003  # of leaving that out, where the photo ends too early for it
_TUFT: Final = (
    0.0005  # of the head's height squared; hair that stands higher than all but so much is no outline
)
_SMALLEST: Final = 0.82  # factor on the head's height, for the highest hair; smaller heads no longer match
_WIDEST: Final = 0.9  # head heights beside the eyes in which an outline counts as the head's
# Head heights over which a body fades out beyond the frame, where the photo's side cuts it. No file shows it that can
# end above (`Framing.whole`), so it is no more than a soft edge: a wide one made shoulders like a ghost's.
_FADE: Final = 0.03


class CroppedTooTightly(AppError):
    """The photo ends so close to the face that no honest crop is left."""

    code = "cropped_too_tightly"
    status = 422


@dataclass(frozen=True, slots=True, eq=False)
class Framing:
    """How a cut-out lies in the frame.

    Attributes:
        matrix: float64, 2 × 3, cut-out pixels to frame pixels.
        scale: Frame pixels per cut-out pixel.
        tighter: Head height relative to the style's; 1 is as asked.
        sideways: Head's shift from where it was to be, fraction of the frame width.
        lower: Eye line's shift, fraction of the frame height.
        photo_scale: Cut-out pixels per photo pixel.
        extended: Whether the frame reaches beyond the photo, where the person had ended.
        gap: Above the outline of the hair, fraction of the frame height.
        whole: Down to where the body is whole beyond the frame too, fraction of the frame height from the top.
        beside: Where the head stands beside the middle, as asked for or not, fraction of the frame width.
    """

    matrix: NDArray[np.float64]
    scale: float
    tighter: float
    sideways: float
    lower: float
    photo_scale: float = 1.0
    extended: bool = False
    gap: float = 0.0
    whole: float = 1.0
    beside: float = 0.0

    @property
    def resolution(self) -> float:
        """Photo pixels per frame pixel along a side: below 1 the photo was enlarged."""
        return 1.0 / (self.scale * self.photo_scale)

    @property
    def cost(self) -> float:
        """How far this is from what the style asks for; 0 is exact."""
        off = max(0.0, round(abs(self.tighter - 1) - _SIZE_PLAY, 9))
        lower = max(0.0, round(self.lower - _EYES_PLAY, 9))
        return off + _SIDEWAYS_COST * abs(self.sideways) + _LOWER_COST * lower

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what differs from the style, as stable codes."""
        notes = []
        if self.tighter > 1.001 + _SIZE_PLAY:
            notes.append("crop_tighter")
        if self.tighter < 0.999 - _SIZE_PLAY:
            notes.append("room_for_hair")
        if self.sideways != 0:
            notes.append("off_centre")
        if self.lower > 0.001 + _EYES_PLAY:
            notes.append("eye_line_lower")
        if self.extended:
            notes.append("backdrop_extended")
        return tuple(notes)


def region(face: Face, crop: Crop, room: Room = NO_ROOM) -> Box:
    """Return the part of the photo that the style's frame shows, with some air, in photo pixels."""
    height = face.head_height / crop.head_height
    width = height * crop.aspect * (1 + 2 * room.beside)
    x, y = _anchor(face)
    # The frame turns with the head, so the upright box around it is wider and higher.
    turn = math.radians(abs(face.roll))
    grown_width = width * math.cos(turn) + height * math.sin(turn)
    grown_height = height * math.cos(turn) + width * math.sin(turn)
    above = grown_height * crop.eye_line + 0.06 * height
    below = grown_height * (1 - crop.eye_line) + 0.06 * height
    half = grown_width / 2 + 0.10 * height
    return Box(x - half, y - above, x + half, y + below)


def shortfall(face: Face, crop: Crop, width: int, height: int) -> float:
    """Estimate how much tighter than the style a photo must be cropped, before it is cut out; 0 is not.

    A body always goes on downwards, and shoulders are about as wide as the head is high on either side.
    """
    frame_height = face.head_at_rest / crop.head_height
    x, y = _anchor(face)
    below = (1 - crop.eye_line) * frame_height / max(height - y, 1.0)
    half = min(crop.aspect * frame_height / 2, face.head_height)
    beside = half / max(min(x, width - x), 1.0)
    # Only a crown clearly outside counts: the estimate lies up to a tenth of the head above short hair.
    hair_cut = -_CUT_HAIR * (float(face.crown[1]) / face.head_height)
    return max(0.0, below - 1, beside - 1, min(0.5, hair_cut))


def frame(cutout: Cutout, crop: Crop, width: int, height: int, aside: float = 0.0) -> Framing:
    """Find the framing closest to the style in which everything is real.

    Args:
        cutout: The person.
        crop: What the style asks for.
        width: Frame width, pixels.
        height: Frame height, pixels.
        aside: Where the head is to be beside the middle, fraction of the frame width.

    Raises:
        CroppedTooTightly: none is left.
    """
    above = hair_above(cutout)
    wanted = _give_way(above, crop)
    largest = max(LARGEST_HEAD, crop.head_height)
    options = sorted(
        (
            tighter - 1 + _SIDEWAYS_COST * abs(sideways) + _LOWER_COST * lower + cost,
            tighter * size,
            sideways,
            lower + eyes,
        )
        for size, eyes, cost in (
            wanted,
            (wanted[0], 0.0, _PLAY_COST),
            (min(1.0, wanted[0]), 0.0, 2 * _PLAY_COST),
        )
        for tighter in _TIGHTER
        for sideways in _SIDEWAYS
        for lower in _LOWER
        if crop.head_height * tighter * size <= largest
    )
    coarse, fine = _grid(width, height, _GRID // 6), _grid(width, height, _GRID)
    for _, tighter, sideways, lower in options:
        framing = _framing(cutout.face, crop, width, height, tighter, sideways, lower, aside)
        if _all_real(cutout.alpha, framing.matrix, coarse) and _all_real(cutout.alpha, framing.matrix, fine):
            extended = bool(_outside(cutout.alpha, framing.matrix, fine)[1].any())
            gap = crop.eye_line + lower - above * crop.head_height * tighter
            return replace(framing, extended=extended, photo_scale=cutout.photo_scale, gap=gap)
    raise CroppedTooTightly(
        "This photo ends too close to the face for your company's crop. "
        "Please use one that shows your whole head and your shoulders."
    )


def place(
    cutout: Cutout, framing: Framing, width: int, height: int, frame: Rect | None = None
) -> tuple[Pixels, Mask, Face]:
    """Draw the cut-out into a picture that holds the frame.

    In the frame everything is real. Beyond its sides the photo may cut the body off; there it fades out.

    Args:
        cutout: The person.
        framing: How they lie in the frame.
        width: Of the picture, pixels.
        height: Of the picture, pixels.
        frame: Where the frame lies in the picture; all of it if not given.

    Returns:
        Foreground (uint8, height × width × 3), alpha (float32, height × width), the face in the picture's pixels.
    """
    foreground, alpha, matrix = cutout.foreground, cutout.alpha, framing.matrix
    if frame is not None and (frame.width, frame.height) != (width, height):
        alpha = alpha * _fade(alpha, cutout.face.head_height)
        moved = matrix + np.array([[0, 0, frame.left], [0, 0, frame.top]])
        framing = replace(framing, matrix=moved)
        matrix = moved
    if framing.scale < 1.0:
        # Average first: a warp that makes smaller picks single pixels and would alias hair and cloth.
        size = (
            max(1, round(foreground.shape[1] * framing.scale)),
            max(1, round(foreground.shape[0] * framing.scale)),
        )
        x, y = size[0] / foreground.shape[1], size[1] / foreground.shape[0]
        foreground = cv2.resize(foreground, size, interpolation=cv2.INTER_AREA)
        alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
        # Pixel centres: the reduced picture's pixel i covers x·(u + ½) - ½.
        reduce = np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
        matrix = np.asarray((np.vstack([matrix, [0, 0, 1]]) @ np.linalg.inv(reduce))[:2], np.float64)
    warp = {"flags": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_REPLICATE}
    placed = cv2.warpAffine(foreground, matrix, (width, height), **warp)
    soft = cv2.warpAffine(alpha, matrix, (width, height), **warp)
    flat = cutout.face.landmarks[:, :2] @ framing.matrix[:, :2].T + framing.matrix[:, 2]
    depth = cutout.face.landmarks[:, 2:] * framing.scale
    face = Face(np.hstack([flat, depth]).astype(np.float32), cutout.face.score)
    return placed, np.clip(soft, 0.0, 1.0), face


def _fade(alpha: Mask, head: float) -> Mask:
    """Return a factor on the alpha that lets what the photo's sides and top cut off end softly."""
    height, width = alpha.shape
    across, down = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    factor = np.ones_like(alpha)
    for edge, away in (
        (alpha[:, 0], across[None, :]),
        (alpha[:, -1], (width - 1 - across)[None, :]),
        (alpha[0], down[:, None]),
    ):
        if edge.max() > _PERSON:
            share = np.clip(away / (_FADE * head), 0.0, 1.0)
            factor = factor * (share * share * (3 - 2 * share))
    return np.asarray(factor, np.float32)


def whole(cutout: Cutout, framing: Framing, width: int, frame: Rect) -> float:
    """Return down to where the body is whole, also beyond the frame: fraction of the frame's height from the top.

    Args:
        cutout: The person.
        framing: How they lie in the frame.
        width: Of the picture that holds the frame, pixels.
        frame: Where it lies in that.
    """
    alpha, reach = cutout.alpha, max(1, round(_FADE * cutout.face.head_height))
    found = 1.0
    for place, columns in ((0, alpha[:, :reach]), (alpha.shape[1] - 1, alpha[:, -reach:])):
        rows = np.flatnonzero(columns.max(axis=1) > _PERSON)
        points = np.stack([np.full(len(rows), place), rows], axis=1)
        x, y = (points @ framing.matrix[:, :2].T + framing.matrix[:, 2]).T
        shown = (x > -frame.left) & (x < width - frame.left)
        found = min(found, float(y[shown].min(initial=frame.height)) / frame.height)
    return max(0.0, found)


def _anchor(face: Face) -> tuple[float, float]:
    """Return the point that is put on the eye line, in the middle: between the eyes and the face's centre.

    On a turned head the eyes alone would push the skull to the side.
    """
    eyes = (face.right_eye + face.left_eye) / 2
    across = np.array([math.cos(math.radians(face.roll)), math.sin(math.radians(face.roll))])
    along = face.landmarks[:, :2] @ across
    middle = (along.min() + along.max()) / 2
    point = eyes + across * (middle - eyes @ across) / 2
    return float(point[0]), float(point[1])


def _framing(
    face: Face,
    crop: Crop,
    width: int,
    height: int,
    tighter: float,
    sideways: float,
    lower: float,
    aside: float,
) -> Framing:
    scale = crop.head_height * tighter * height / face.head_at_rest
    turn = math.radians(-face.roll)
    cosine, sine = scale * math.cos(turn), scale * math.sin(turn)
    x, y = _anchor(face)
    beside = aside + sideways
    to_x, to_y = (0.5 + beside) * width, (crop.eye_line + lower) * height
    matrix = np.array(
        [[cosine, -sine, to_x - cosine * x + sine * y], [sine, cosine, to_y - sine * x - cosine * y]]
    )
    return Framing(matrix, scale, tighter, sideways, lower, beside=beside)


def _grid(width: int, height: int, count: int) -> NDArray[np.float64]:
    step = max(width, height) / count
    columns = np.linspace(0, width, max(2, round(width / step)))
    rows = np.linspace(0, height, max(2, round(height / step)))
    return np.asarray(np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2), np.float64)


def _outside(
    alpha: Mask, matrix: NDArray[np.float64], points: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the frame's points in cut-out pixels, and which of them lie beyond the photo."""
    inverse = np.linalg.inv(matrix[:, :2])
    back = np.asarray((points - matrix[:, 2]) @ inverse.T, np.float64)
    height, width = alpha.shape
    # One pixel of grace: it is filled by repeating the edge, which nobody can see.
    outside = (back[:, 0] < -1) | (back[:, 1] < -1) | (back[:, 0] > width) | (back[:, 1] > height)
    return back, outside


def _all_real(alpha: Mask, matrix: NDArray[np.float64], points: NDArray[np.float64]) -> bool:
    """Say whether, where the frame reaches beyond the photo, the person has ended before."""
    back, outside = _outside(alpha, matrix, points)
    if not outside.any():
        return True
    height, width = alpha.shape
    x = np.clip(back[outside, 0], 0, width - 1).astype(int)
    y = np.clip(back[outside, 1], 0, height - 1).astype(int)
    return bool(alpha[y, x].max() < _PERSON)


def hair_above(cutout: Cutout) -> float:
    """Return how far the outline of the hair, or of what is worn on it, is above the eyes, in head heights."""
    face, alpha = cutout.face, cutout.alpha
    rows, columns = np.nonzero(alpha[::2, ::2] > 0.5)
    turn = math.radians(-face.roll)
    x, y = _anchor(face)
    across = (2 * columns - x) * math.cos(turn) - (2 * rows - y) * math.sin(turn)
    down = (2 * columns - x) * math.sin(turn) + (2 * rows - y) * math.cos(turn)
    head = down[np.abs(across) < _WIDEST * face.head_height]
    tuft = int(_TUFT * face.head_height**2 / 4)
    if head.size <= tuft:
        return 0.0
    return max(0.0, -float(np.partition(head, tuft)[tuft]) / face.head_at_rest)


def _give_way(above: float, crop: Crop) -> tuple[float, float, float]:
    """Return the factor on the head's height and the shift of the eye line for hair that high; they cost nothing."""
    if above <= 0:
        return 1.0, 0.0, 0.0
    hair = above * crop.head_height
    usual = max(_HAIR_ROOM, crop.eye_line - _USUAL_HAIR * crop.head_height)
    more = crop.eye_line - hair - usual  # air than usual
    left = math.copysign(max(0.0, abs(more) - _GAP_PLAY), more)
    # Eyes and size give way in the same share of what each may.
    whole = _EYES_PLAY + _SIZE_PLAY * hair
    share = max(-1.0, min(1.0, left / whole))
    eyes, size = -_EYES_PLAY * share, 1 + _SIZE_PLAY * share
    room = (crop.eye_line + eyes - _HAIR_ROOM) / hair
    return (size if room >= size else max(room, _SMALLEST)), eyes, 0.0
