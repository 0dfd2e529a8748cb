"""How finely a face is drawn: the width of its edges, and its grain, at the size at which a headshot shows it."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.geometry import Face, Pixels
from workers.vision.photometry import inside, reduced

# px between the eyes. A headshot of 1,024 px at the default crop shows 174, of a photo that has 139 (see
# `core.style.framing.largest_frame`): what is finer nobody sees.
SHOWN_EYES: Final = 139.0
_DENOISED: Final = 0.6  # px, sigma before slopes are taken
_BLURRED_AGAIN: Final = 1.5  # px, sigma
_STEEPEST: Final = 0.06  # of the face's middle: lids, lashes, irises, the lips' line, nostrils
_SHARPER: Final = 0.8  # of those edges are wider than the one that counts
# px, sigma of an edge that has no width: what pixels, the smoothing before, and the slope's own window make of it.
# Seven portraits, reduced to 40 px between the eyes, where a lens draws every edge within a pixel, have 1.0 to 1.3.
_NO_WIDTH: Final = 0.95
_LEAST_WIDTH: Final = 0.3  # px; finer than pixels there is nothing to measure
_DIRECTIONS: Final = tuple(
    (float(np.cos(angle)), float(np.sin(angle))) for angle in np.arange(12) * np.pi / 12
)
_FRAME: Final = 6  # a sixth of the face's box on each side is left out: hair and wall
_NORMAL: Final = 0.6745  # median of the magnitudes of normally distributed values, over their deviation


# Sharpness by px between the eyes, below which a face is said to be blurred: a tenth below the least of seven sharp
# portraits, reduced to that size by averaging. There, a blur of 1/150 of the eye distance is a pixel of a headshot.
_LEAST: Final = (
    (40.0, 55.0, 70.0, 85.0, 100.0, 120.0, SHOWN_EYES),
    (42.0, 51.0, 64.0, 72.0, 80.0, 93.0, 99.0),
)
# Sharpness below which nothing can be made of it: a blur of 1/40 of the eye distance leaves 37 to 48 in nine portraits,
# lashes and the lips' edge are gone, a shake over 1/10, which deviates by as much, 37 to 55, a blur of 1/60 51 and more.
# Below 59 px between the eyes so much is only the pixels' own.
_TOO_BLURRED: Final = 50.0
_TOO_BLURRED_PX: Final = 0.85  # times the px between the eyes


# Cycles per pixel of the shown face: coarse detail, and what is finer than two thirds of the pixels can show.
_COARSE_BAND: Final = (0.10, 0.15)
_FINEST_BAND: Final = (0.30, 0.35)
_FEWEST: Final = 24  # px of the face's middle; a spectrum of less has no such bands


class Sharpness(NamedTuple):
    """How sharp a face is, and between which limits that is to be seen."""

    value: float  # eye distance over the width (sigma) of the face's finest edges
    eyes: float  # px between the eyes at which it was measured

    @property
    def enough(self) -> float:
        """The value from which on a headshot looks sharp."""
        return float(np.interp(self.eyes, *_LEAST))

    @property
    def least(self) -> float:
        """The value below which no headshot can be made of it."""
        return min(_TOO_BLURRED, _TOO_BLURRED_PX * self.eyes)


def sharpness(pixels: Pixels, face: Face, enlarged: float = 1.0) -> Sharpness:
    """Measure the finest edges of a face, in the direction that has the least.

    How much an edge loses when it is blurred once more tells its own width, whatever its contrast (Zhuo & Sim
    2011, "Defocus map estimation from a single image"), so neither complexion nor beard nor light counts. The worst of
    twelve directions, since a hand that shook takes the detail along one. Eight portraits have 107 to 135, where
    they have pixels for it; a Gaussian blur of 1/150 of the eye distance takes them to 84 to 96, of 1/100 to 70 to 77, of
    1/40 to 36 to 41; a shake over 1/40 to 86 to 100, over 1/10 to 43 to 51.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
        enlarged: Factor by which the picture was enlarged: what that adds is no detail.
    """
    part, eyes = _shown(pixels, face, face.eye_distance / max(1.0, enlarged))
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    if min(_middle(grey).shape, default=0) < _FRAME:
        return Sharpness(0.0, eyes)
    once = cv2.GaussianBlur(grey, (0, 0), _DENOISED)
    twice = cv2.GaussianBlur(once, (0, 0), _BLURRED_AGAIN)
    slopes = [
        _middle(cv2.Sobel(one, cv2.CV_32F, *axis)).ravel()
        for one in (once, twice)
        for axis in ((1, 0), (0, 1))
    ]
    width = max(_width(slopes, x, y) for x, y in _DIRECTIONS)
    return Sharpness(eyes / float(np.sqrt(max(width**2 - _NO_WIDTH**2, _LEAST_WIDTH**2))), eyes)


def finest(pixels: Pixels, face: Face) -> float:
    """Return how much weaker the finest detail of a face is than its coarse one, dB; 0 where it is too small to say.

    Edges that are sharpened look sharp, and yet nothing is drawn between them: an enlarged picture ends where its
    pixels did. Nine portraits have -12 to -18, also saved at quality 92; after a simulated sensor, strong noise reduction
    and sharpening -18 to -24; reduced and enlarged by 2.5 and sharpened -26 to -36, but for a face that a headshot
    shows at three quarters of its size, -19.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    part, _ = _shown(pixels, face, face.eye_distance)
    grey = _middle(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32))
    if min(grey.shape) < _FEWEST:
        return 0.0
    window = np.outer(np.hanning(grey.shape[0]), np.hanning(grey.shape[1]))
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2
    down, across = (np.fft.fftfreq(side) for side in grey.shape)
    cycles = np.hypot(down[:, None], across[None, :])
    coarse, fine = (
        float(power[(cycles >= low) & (cycles < high)].mean()) for low, high in (_COARSE_BAND, _FINEST_BAND)
    )
    return float(10 * np.log10(max(fine, 1e-6) / max(coarse, 1e-6)))


def grain(pixels: Pixels, face: Face) -> float:
    """Return the noise of single pixels of the face, 8-bit levels, as a headshot shows it: averaged where it is reduced.

    The median of the finest diagonal details (Donoho & Johnstone 1994, "Ideal spatial adaptation by wavelet
    shrinkage"), which hair and lashes hardly move. Nine photos have 0.7 to 3.7; noise of 15 levels in each channel
    makes 10 of a face that is not reduced.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    grey = cv2.cvtColor(pixels[inside(face.box, pixels)], cv2.COLOR_RGB2GRAY).astype(np.float32)
    height, width = (side // _FRAME for side in grey.shape)
    core = grey[height : grey.shape[0] - height, width : grey.shape[1] - width]
    if min(core.shape, default=0) < _FRAME:
        return 0.0
    diagonal = (core[:-1, :-1] - core[1:, :-1] - core[:-1, 1:] + core[1:, 1:]) / 2
    noise = float(np.median(np.abs(diagonal)) / _NORMAL)
    return noise * min(1.0, SHOWN_EYES / max(face.eye_distance, 1.0))


def _shown(pixels: Pixels, face: Face, eyes: float) -> tuple[Pixels, float]:
    """Return the face with `eyes` px between the eyes, as many as a headshot shows at most, and how many."""
    eyes = min(eyes, SHOWN_EYES)
    part = reduced(pixels[inside(face.box, pixels)], eyes / max(face.eye_distance, 1.0))
    return part, eyes


def _middle(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return brows to chin of a face's box, between the cheeks."""
    rows, columns = grey.shape
    return grey[rows // 5 : rows - rows // 8, columns // 6 : columns - columns // 6]


def _width(slopes: list[NDArray[np.float32]], x: float, y: float) -> float:
    """Return the sigma of the finer of the steepest edges across one direction, px."""
    before, after = np.abs(x * slopes[0] + y * slopes[1]), np.abs(x * slopes[2] + y * slopes[3])
    count = max(8, int(_STEEPEST * after.size))
    steepest = np.argpartition(after, -count)[-count:]
    lost = before[steepest] / np.maximum(after[steepest], 1e-3)
    kept = int(_SHARPER * count)
    ratio = float(np.partition(lost, kept)[kept])
    return _BLURRED_AGAIN / float(np.sqrt(max(ratio**2 - 1, 1e-3)))
