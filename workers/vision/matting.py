"""Cut the main person out: segmentation says where, closed-form matting says how much.

Around the mask's edge a band is left unknown and solved with the matting Laplacian (`solving`), held to what the
colours say (`mixing`) and weakly to the mask, so that a patterned background cannot pull it away. The result is enlarged along the
photo's own edges, and the colours at the edge are estimated without the old background (Germer et al.
2020, multi-level foreground estimation), which is what prevents halos on the company's backdrop.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import pymatting
from numpy.typing import NDArray

from workers.vision import alpha_model, segment
from workers.vision.cutout import Cutout, Mask
from workers.vision.geometry import CHIN, UPPER_LIP, Box, Face, Pixels
from workers.vision.light import face_area
from workers.vision.photometry import inside, reduced
from workers.vision.rim import settled
from workers.vision.segment import SURE, disc, person_mask
from workers.vision.solving import solved

MAX_SIDE: Final = 1400  # pixels of a cut-out: what a 1,024 px master shows of it, plus its margins
# pixels; up to the first the band is solved as it is, what is larger at the second and refined up to the cut-out's size:
# little enlarged, the refinement would blur more than it draws.
_WHOLE_SIDE: Final = 896
_SOLVE_SIDE: Final = 768
# Half-widths of the unknown band, fraction of the head's height. Hair needs air, cloth does not.
_HAIR_BAND: Final = 0.022
_BODY_BAND: Final = 0.012
# Weights of what holds alpha inside the band; the Laplacian's rows are of order 1. The mask weighs little at
# its edge and much at the band's rim, where a soft value of the segmentation is doubt, not hair.
_PRIOR_HAIR: Final = 3e-3
_PRIOR_CLOTH: Final = 1.5e-2
_PRIOR_RIM: Final = 3e-1
# What cloth has: an outline whose teeth and smudges of this size (sigma, of the head's height) are none of its
# own, and an edge of so many pixels at the size that is solved. It fades in over a share of the head's height.
_CLOTH_DETAIL: Final = 0.011
_CLOTH_EDGE: Final = (1.5, 8.0)
_CLOTH_BEGINS: Final = 0.06
# Of the head's height: necks and beards reach 0.07 beyond a jaw, long hair 0.2 to 0.3, and spreads further
# down by about a half.
_HANGING: Final = 0.12
_FALLS: Final = 1.4
_HAZE: Final = 0.05  # alpha that only shows as a veil on a plain backdrop


def matte(pixels: Pixels, face: Face, others: list[Face], region: Box, max_side: int = MAX_SIDE) -> Cutout:
    """Cut `face`'s person out of the part of the photo inside `region`.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: The main person.
        others: Further faces; what is connected to them and not to `face` is left out.
        region: What the portrait will show of the photo, pixels; clipped to the photo.
        max_side: Long side of the cut-out, pixels.

    Raises:
        ConfigurationError: a matting network is configured that cannot be used.
    """
    image, moved, scale, (left, top) = _view(pixels, face, region, max_side)
    side = max(image.shape[:2])
    solve_scale = 1.0 if side <= _WHOLE_SIDE else _SOLVE_SIDE / side
    small = reduced(image, solve_scale)
    small_face = moved.moved(0, 0, solve_scale)
    mask = _surveyed(pixels, face, others, (left, top), scale * solve_scale, (small.shape[0], small.shape[1]))
    if alpha_model.available():
        # Where the mask is sure of another person or of background, the network is not asked.
        soft = alpha = alpha_model.network_alpha(image, (small.shape[1], small.shape[0])) * (
            cv2.dilate(mask, disc(_pixels(_HAIR_BAND, small_face))) > 0.1
        )
    else:
        soft = _solve(small, mask, _trimap(mask, small_face), small_face)
        soft = _with_plain_cloth(soft, mask, small_face)
        alpha = settled(soft, small_face.head_height)
    if solve_scale < 1.0:
        alpha = _refined(image, small, alpha)
    own = _without_backdrop(image, small, soft, alpha)
    return Cutout(own, np.asarray(alpha, np.float32), moved, scale)


def _without_backdrop(image: Pixels, small: Pixels, soft: Mask, alpha: Mask) -> Pixels:
    """Estimate the person's own colours at the size that is solved; detail finer than that is the photo's.

    Colours change slowly across an edge, and it takes half the time. `soft` still has its veil: it says where the old
    background may be in a colour.
    """
    own = pymatting.estimate_foreground_ml(small / 255.0, soft.astype(np.float64)) * 255.0
    if small.shape != image.shape:
        size = (image.shape[1], image.shape[0])
        off = cv2.resize((own - small).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        fine = image - cv2.resize(small, size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
        own = image + off - fine * (1 - alpha[..., None])
    return np.asarray(np.clip(np.rint(own), 0, 255), np.uint8)


def roughly(
    pixels: Pixels, face: Face, others: list[Face], region: Box, max_side: int
) -> tuple[Pixels, Mask, Face, float]:
    """Segment without solving the edge: where the person is, in a fraction of a cut-out's time.

    Each view is looked at once: on 100 cropped variants of nine photos what the check says of them was the same as with
    each view's mirror image.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: The main person.
        others: Further faces; see `matte`.
        region: Of the photo, pixels; clipped to it.
        max_side: Long side of what is returned, pixels.

    Returns:
        The region's pixels, the mask (float32, 0 to 1), the face in them, and their pixels per photo pixel.
    """
    image, moved, scale, origin = _view(pixels, face, region, max_side)
    mask = _surveyed(pixels, face, others, origin, scale, (image.shape[0], image.shape[1]), twice=False)
    return image, mask, moved, scale


def _view(
    pixels: Pixels, face: Face, region: Box, max_side: int
) -> tuple[Pixels, Face, float, tuple[int, int]]:
    """Return the region at working size, the face in it, its scale, and its corner in the photo."""
    height, width = pixels.shape[:2]
    left, top = max(0, int(region.left)), max(0, int(region.top))
    right, bottom = min(width, round(region.right)), min(height, round(region.bottom))
    view = pixels[top:bottom, left:right]
    scale = min(1.0, max_side / max(view.shape[:2]))
    return reduced(view, scale), face.moved(-left, -top, scale), scale, (left, top)


def _surveyed(
    pixels: Pixels,
    face: Face,
    others: list[Face],
    origin: tuple[int, int],
    scale: float,
    shape: tuple[int, int],
    *,
    twice: bool = True,
) -> Mask:
    """Return the person's mask inside the region, seen with as much of the photo around it as helps."""
    (x, y), head = (face.right_eye + face.left_eye) / 2, face.head_height
    aside, up, down = (reach * head for reach in segment.REACH)
    left, top = origin
    far = Box(
        min(x - aside, left),
        min(y - up, top),
        max(x + aside, left + shape[1] / scale),
        max(y + down, top + shape[0] / scale),
    )
    rows, columns = inside(far, pixels)
    around = reduced(pixels[rows, columns], scale)

    def seen(one: Face) -> Face:
        return one.moved(-columns.start, -rows.start, scale)

    mask = person_mask(around, seen(face), [seen(other) for other in others], _HAIR_BAND, twice=twice)
    shift = np.array([[1, 0, (columns.start - left) * scale], [0, 1, (rows.start - top) * scale]])
    return np.asarray(
        cv2.warpAffine(mask, shift, (shape[1], shape[0]), borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def _pixels(share: float, face: Face) -> int:
    return max(1, round(share * face.head_height))


def _trimap(mask: Mask, face: Face) -> Mask:
    """Known person 1, known background 0, unknown 0.5; the band is wide at the hair, narrow below."""
    chin = float(face.landmarks[CHIN, 1])
    person, backdrop = (mask > SURE).astype(np.uint8), (mask < 1 - SURE).astype(np.uint8)
    hair, body = disc(max(2, _pixels(_HAIR_BAND, face))), disc(_pixels(_BODY_BAND, face))
    border = cv2.BORDER_REPLICATE
    above = np.arange(mask.shape[0])[:, None] < chin
    sure = np.where(
        above, cv2.erode(person, hair, borderType=border), cv2.erode(person, body, borderType=border)
    )
    away = np.where(
        above, cv2.erode(backdrop, hair, borderType=border), cv2.erode(backdrop, body, borderType=border)
    )
    trimap = np.full(mask.shape, 0.5, np.float32)
    trimap[sure > 0] = 1.0
    trimap[away > 0] = 0.0
    return trimap


def _solve(image: Pixels, mask: Mask, trimap: Mask, face: Face) -> Mask:
    """Solve the unknown pixels, held to colours and mask."""
    if (trimap != 0.5).all():
        return trimap
    alpha = solved(image, trimap, face.head_height, *_prior(mask, face))
    return np.clip((alpha - _HAZE) / (1 - 2 * _HAZE), 0, 1).astype(np.float32)


def _with_plain_cloth(alpha: Mask, mask: Mask, face: Face) -> Mask:
    """Draw the edge of shoulders and collar as cloth has it: smooth along, as sharp as a lens across.

    A dark suit before a dark wall, or a pattern behind it, leaves smudges and teeth, which no cloth has. Hair
    that hangs beside the face keeps what was solved.
    """
    cloth = _cloth(mask, face)
    across = np.hypot(cv2.Sobel(alpha, cv2.CV_32F, 1, 0), cv2.Sobel(alpha, cv2.CV_32F, 0, 1)) / 8
    half = (np.abs(alpha - 0.5) < 0.2) & (cloth > 0.5)
    if not half.any():
        return alpha
    # The median edge is a clean one: out of focus it is wide and stays so.
    edge = float(np.clip(1 / max(0.01, float(np.quantile(across[half], 0.75))), *_CLOTH_EDGE))
    along = _CLOTH_DETAIL * face.head_height
    # An edge rises by 1 / (sigma √2π) per pixel where a Gaussian has blurred it; its own width is one more.
    rise = np.sqrt(2 * np.pi * (along**2 + edge**2 / 12))
    plain = np.clip(0.5 + (cv2.GaussianBlur(alpha, (0, 0), along) - 0.5) * (rise / edge), 0, 1)
    return np.asarray(alpha + cloth * (plain - alpha), np.float32)


def _cloth(mask: Mask, face: Face) -> Mask:
    """Return where an edge is cloth's, 0 to 1: below the mouth, beside whatever hair hangs down there."""
    head, middle = face.head_height, float(face.landmarks[CHIN, 0])
    chin, lip = float(face.landmarks[CHIN, 1]), float(face.landmarks[UPPER_LIP, 1])
    rows = np.arange(mask.shape[0], dtype=np.float32)[:, None]
    away = np.abs(np.arange(mask.shape[1], dtype=np.float32) - middle)[None, :]
    cloth = np.clip((rows - lip) / max(1.0, chin - lip), 0, 1) * np.ones_like(away)
    hair = ((mask > 0.5) & ~face_area(mask.shape, face))[(rows[:, 0] > lip) & (rows[:, 0] < (lip + chin) / 2)]
    for side in (np.s_[: max(0, int(middle))], np.s_[max(0, int(middle)) :]):
        hangs = float(np.median(hair[:, side].sum(axis=1))) if hair.size else 0.0
        if hangs > _HANGING * head:
            reach = face.box.width / 2 + _FALLS * hangs
            cloth[:, side] *= np.clip((away[:, side] - reach) / (_CLOTH_BEGINS * head), 0, 1)
    return np.asarray(cloth, np.float32)


def _prior(mask: Mask, face: Face) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what the mask says alpha is and how much that weighs."""
    share = np.clip((mask.astype(np.float64) - 0.3) / 0.5, 0, 1)
    target = share * share * (3 - 2 * share)
    person = (mask > 0.55).astype(np.uint8)
    away = cv2.distanceTransform(person, cv2.DIST_L2, 3) + cv2.distanceTransform(1 - person, cv2.DIST_L2, 3)
    # Where the mask has no edge at all the distance is the largest float, which a division must not meet.
    band = _HAIR_BAND * face.head_height
    reach = np.minimum(away, band) / band
    # Cloth has a plain edge, so there the mask may say more than where hair is.
    edge = np.where(np.arange(mask.shape[0])[:, None] < face.landmarks[CHIN, 1], _PRIOR_HAIR, _PRIOR_CLOTH)
    return target, edge + (_PRIOR_RIM - edge) * reach**2


def _refined(image: Pixels, small: Pixels, alpha: Mask) -> Mask:
    """Enlarge alpha along the photo's own edges: He & Sun 2015, "Fast Guided Filter"."""
    guide = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255.0
    window = (7, 7)
    mean_guide, mean_alpha = cv2.blur(guide, window), cv2.blur(alpha, window)
    variance = cv2.blur(guide * guide, window) - mean_guide**2
    covariance = cv2.blur(guide * alpha, window) - mean_guide * mean_alpha
    slope = covariance / (variance + 1e-4)
    offset = mean_alpha - slope * mean_guide
    size = (image.shape[1], image.shape[0])
    full = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255.0
    guided = cv2.resize(cv2.blur(slope, window), size) * full + cv2.resize(cv2.blur(offset, window), size)
    plain = cv2.resize(alpha, size, interpolation=cv2.INTER_CUBIC)
    # Where alpha is flat there is no edge to refine, and the filter would only print the photo into it.
    flat = cv2.resize(cv2.blur(alpha, (3, 3)), size)
    edge = np.clip(np.minimum(flat, 1 - flat) * 20, 0, 1)
    return np.asarray(np.clip(plain + edge * (guided - plain) * 0.5, 0, 1), np.float32)
