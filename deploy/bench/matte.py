"""`headshots bench matte`: how far alpha is off, where it is known."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from core.style.spec import StyleSpec
from deploy.bench.composites import HAIR, PLACES, Composite, composites
from workers.studio.align import region
from workers.vision.color import Values, to_linear, to_srgb
from workers.vision.cutout import Cutout, Mask
from workers.vision.faces import find_faces
from workers.vision.matting import matte
from workers.vision.photometry import inside

Report = Callable[[dict[str, Any], str], None]


@dataclass(frozen=True, slots=True)
class MatteError:
    """How far one alpha is off; the figures of the alpha-matting benchmark (Rhemann et al. 2009)."""

    sad: float  # sum of absolute differences, thousands of pixels
    mse: float  # mean squared error, thousandths
    gradient: float  # squared difference of gradients (Gaussian, sigma 1.4), hundreds
    rim: float  # mean 8-bit difference at the edge once composed on a light wall: what the eye sees
    seconds: float


def bench_matte(report: Report) -> None:
    """Cut every composite out and report errors by hair and by place."""
    found = [(one, error) for one in composites() if (error := matte_error(one)) is not None]
    for hair in HAIR:
        _tell(report, f"hair {hair}", [error for one, error in found if one.hair == hair])
    for place in PLACES:
        _tell(report, f"before {place}", [error for one, error in found if one.place == place])
    _tell(report, "all", [error for _, error in found])


def matte_error(one: Composite) -> MatteError | None:
    """Cut one composite out and compare with its truth; `None` where no face is found in it."""
    faces = find_faces(one.photo)
    if not faces:
        return None
    part = region(faces[0], StyleSpec().crop)
    started = time.perf_counter()
    cutout = matte(one.photo, faces[0], faces[1:], part)
    seconds = time.perf_counter() - started
    rows, columns = inside(part, one.photo)
    size = cutout.alpha.shape[::-1]
    alpha = cv2.resize(one.alpha[rows, columns], size, interpolation=cv2.INTER_AREA)
    person = cv2.resize(one.person[rows, columns], size, interpolation=cv2.INTER_AREA)
    off = cutout.alpha - alpha
    return MatteError(
        sad=float(np.abs(off).sum()) / 1000,
        mse=1000 * float(np.square(off).mean()),
        gradient=float(np.square(_gradient(cutout.alpha) - _gradient(alpha)).sum()) / 100,
        rim=_rim(cutout, alpha, person),
        seconds=seconds,
    )


def _gradient(alpha: Mask) -> Mask:
    smooth = cv2.GaussianBlur(alpha, (0, 0), 1.4)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(smooth, cv2.CV_32F, 0, 1) / 8
    return np.asarray(np.hypot(across, down), np.float32)


def _rim(cutout: Cutout, alpha: Mask, person: Values) -> float:
    wall = np.array([0.62, 0.65, 0.70], np.float32)
    soft = ((alpha > 0.02) & (alpha < 0.98)).astype(np.uint8)
    near = cv2.dilate(soft, np.ones((9, 9), np.uint8)) > 0
    made = to_linear(cutout.foreground) * cutout.alpha[..., None] + wall * (1 - cutout.alpha[..., None])
    meant = person * alpha[..., None] + wall * (1.0 - alpha[..., None])
    shown, true = (to_srgb(np.asarray(light, np.float32)) for light in (made, meant))
    return 255 * float(np.abs(shown - true).mean(axis=2)[near].mean())


def _tell(report: Report, what: str, errors: Sequence[MatteError]) -> None:
    if not errors:
        return
    mean = {
        name: round(statistics.fmean(getattr(one, name) for one in errors), 2)
        for name in MatteError.__dataclass_fields__
    }
    report(
        {"figure": "matte", "what": what, "pictures": len(errors), **mean},
        f"{what:16s} SAD {mean['sad']:6.2f} k, MSE {mean['mse']:6.2f} ‰, gradient {mean['gradient']:5.2f}, "
        f"edge {mean['rim']:5.1f} of 255, {mean['seconds']:.2f} s",
    )
