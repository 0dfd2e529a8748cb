"""dlib's face embedding, public-domain weights: the built-in encoder.

Only the 5-point predictor and the ResNet are loaded, by path: the 68-point file beside them excludes
commercial use, and the package's own module needs setuptools' `pkg_resources` (docs/sources.md, Faces).
"""

from __future__ import annotations

import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import _dlib_pybind11 as dlib
import numpy as np

from workers.vision.encoder import Limits, Numbers
from workers.vision.geometry import Box, Face, Pixels
from workers.vision.photometry import inside, reduced

_EYES: Final = 120.0  # px between the eyes while embedding; the network sees a 150 px chip of the face
_BOX: Final = 1.2  # side of dlib's face box / distance from brows to chin, from its own detector


class DlibEncoder:
    """dlib's ResNet v1: 128 numbers."""

    id: Final = "dlib-resnet-v1"
    title: Final = "the built-in encoder: dlib's ResNet v1 (public domain)"
    unit: Final = "dlib distance"
    limits: Final = Limits(
        # 99.38 % on LFW at 0.6 (dlib-models README); on 300 labelled pairs of our own measuring 97 % of same-person
        # pairs and no false match (docs/sources.md, Faces). How many lie below 0.45 depends on how unlike the photos
        # are: 95 % there, 78 % of 60 others.
        same_person=0.6,
        most_pairs=0.45,
        margin=0.1,
        # A model's mistake is somebody alike, not a stranger: half-way between two people lies 0.5 and more from either
        # in most cases, and as many same-person pairs are found as at 0.6.
        furthest=0.5,
        # Photos of one afternoon are nearer to each other than the next one is: of four, the other three alone would
        # set 0.34.
        strictest=0.36,
        # Where both errors are alike: own photos refused, and faces 30 % of the way to somebody else that pass
        # (docs/sources.md, Gates of a team). Refused, a made face costs another try; let through, it is somebody else's.
        beyond_own=0.02,
        # Own photos were nearer by 0.37 and more than anybody else's; people who look alike have less.
        nearer=0.2,
        # Copies of a photo, however spoilt, had up to 0.22; different photos of one person are 0.32 and more apart.
        same_face=0.25,
        source="0.6 finds 97 % of same-person pairs without a false match",
    )

    def numbers(self, pixels: Pixels, face: Face) -> Numbers:
        """Return the numbers of one face; see `Encoder`."""
        box = face.box
        x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        half = 1.5 * max(box.width, box.height)
        rows, columns = inside(Box(x - half, y - half, x + half, y + half), pixels)
        scale = min(1.0, _EYES / max(face.eye_distance, 1.0))
        part = reduced(pixels[rows, columns], scale)
        moved = face.moved(-columns.start, -rows.start, scale)
        with _models().lock:
            shape = _models().predictor(part, _dlib_box(moved))
            return np.asarray(_models().network.compute_face_descriptor(part, shape), np.float64)


class _Models:
    def __init__(self) -> None:
        spec = find_spec("face_recognition_models")
        assert spec is not None, "face_recognition_models is a dependency"
        assert spec.origin is not None
        folder = Path(spec.origin).parent / "models"
        self.lock = threading.Lock()
        self.predictor = dlib.shape_predictor(str(folder / "shape_predictor_5_face_landmarks.dat"))
        self.network = dlib.face_recognition_model_v1(
            str(folder / "dlib_face_recognition_resnet_model_v1.dat")
        )


@cache
def _models() -> _Models:
    return _Models()


def _dlib_box(face: Face) -> object:
    """The square that dlib's detector would report, which its predictor was trained on: brows to chin."""
    brows = face.landmarks[[105, 334], :2].mean(axis=0)
    chin = face.landmarks[152, :2]
    side = _BOX * float(np.linalg.norm(chin - brows))
    x, y = face.landmarks[[105, 334, 152, 234, 454], :2].mean(axis=0)
    return dlib.rectangle(round(x - side / 2), round(y - side / 2), round(x + side / 2), round(y + side / 2))
