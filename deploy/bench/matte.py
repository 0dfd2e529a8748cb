"""`headshots bench matte`: how far alpha is off, where it is known."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import cv2
import numpy as np

from core.style.spec import StyleSpec
from deploy.bench.composites import HAIR, PLACES, Composite, composites
from deploy.bench.trouble import CLEAN, TROUBLE, troubles
from deploy.bench.worn import worn
from workers.studio.align import region
from workers.vision.color import Values, to_linear, to_srgb
from workers.vision.cutout import Cutout, Mask
from workers.vision.faces import find_faces
from workers.vision.geometry import Face
from workers.vision.matting import matte
from workers.vision.photometry import inside
from workers.vision.trust import LIMIT, doubt

Report = Callable[[dict[str, Any], str], None]

_BESIDE: Final = 0.05  # of the head's height: where a cut leaves a veil, if it leaves one


@dataclass(frozen=True, slots=True)
class MatteError:
    """How far one alpha is off; the figures of the alpha-matting benchmark (Rhemann et al. 2009)."""

    sad: float  # sum of absolute differences, thousands of pixels
    mse: float  # mean squared error, thousandths
    gradient: float  # squared difference of gradients (Gaussian, sigma 1.4), hundreds
    rim: float  # mean 8-bit difference at the edge once composed on a light wall: what the eye sees
    veil: float  # ‰ of the head's height squared: beside the person, neither cut off nor kept
    doubt: float  # what `workers.vision.trust` says of it, without knowing the truth
    seconds: float


def bench_matte(report: Report, people: dict[str, list[tuple[str, bytes]]]) -> None:
    """Cut every composite out and report errors by hair and by place, and what of the hardest would be shown."""
    found = [(one, error) for one in composites() if (error := matte_error(one)) is not None]
    for hair in HAIR:
        _tell(report, f"hair {hair}", [error for one, error in found if one.hair == hair])
    for place in PLACES:
        _tell(report, f"before {place}", [error for one, error in found if one.place == place])
    _tell(report, "all", [error for _, error in found])
    hard = [(one, error) for one in troubles(people) if (error := matte_error(one)) is not None]
    for place in (CLEAN, *TROUBLE):
        _tell(report, f"before {place}", [error for one, error in hard if one.place == place])
    odd: dict[str, list[MatteError]] = {}
    for one in worn(people):
        if (error := matte_error(one)) is not None:
            odd.setdefault(one.place, []).append(error)
    for kind, errors in odd.items():
        _tell(report, kind, errors)
    trouble = [error for one, error in hard if one.place != CLEAN]
    _tell(report, "trouble, all", trouble)
    _tell(report, "trouble, shown", [error for error in trouble if error.doubt <= LIMIT])


def matte_error(one: Composite) -> MatteError | None:
    """Cut one composite out and compare with its truth; `None` where its person's face is not found."""
    found = find_faces(one.photo)
    if not found:
        return None
    face = found[0] if one.face is None else min(found, key=partial(_apart, one.face))
    faces = [face, *(other for other in found if other is not face)]
    part = region(faces[0], StyleSpec().crop)
    started = time.perf_counter()
    cutout = matte(one.photo, faces[0], faces[1:], part)
    seconds = time.perf_counter() - started
    rows, columns = inside(part, one.photo)
    size = cutout.alpha.shape[::-1]
    unsure = doubt(one.photo, face, faces[1:], part, cutout.alpha)
    alpha = cv2.resize(one.alpha[rows, columns], size, interpolation=cv2.INTER_AREA)
    person = cv2.resize(one.person[rows, columns], size, interpolation=cv2.INTER_AREA)
    off = cutout.alpha - alpha
    return MatteError(
        sad=float(np.abs(off).sum()) / 1000,
        mse=1000 * float(np.square(off).mean()),
        gradient=float(np.square(_gradient(cutout.alpha) - _gradient(alpha)).sum()) / 100,
        rim=_rim(cutout, alpha, person),
        veil=_veil(cutout, alpha),
        doubt=unsure,
        seconds=seconds,
    )


def _apart(one: Face, other: Face) -> float:
    return float(np.linalg.norm(one.landmarks[:, :2].mean(axis=0) - other.landmarks[:, :2].mean(axis=0)))


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


def _veil(cutout: Cutout, alpha: Mask) -> float:
    head = cutout.face.head_height
    away = cv2.distanceTransform((alpha < 0.02).astype(np.uint8), cv2.DIST_L2, 5)
    beside = (away > 3) & (away < _BESIDE * head)
    return 1000 * float((beside & (cutout.alpha > 0.05) & (cutout.alpha < 0.5)).sum()) / head**2


def _tell(report: Report, what: str, errors: Sequence[MatteError]) -> None:
    if not errors:
        return
    mean = {
        name: round(statistics.fmean(getattr(one, name) for one in errors), 2)
        for name in MatteError.__dataclass_fields__
    }
    held = sum(error.doubt > LIMIT for error in errors)
    report(
        {"figure": "matte", "what": what, "pictures": len(errors), "withheld": held, **mean},
        f"{what:16s} SAD {mean['sad']:6.2f} k, MSE {mean['mse']:6.2f} ‰, gradient {mean['gradient']:5.2f}, "
        f"edge {mean['rim']:5.1f} of 255, veil {mean['veil']:4.1f} ‰, {held} of {len(errors)} withheld, {mean['seconds']:.2f} s",
    )
