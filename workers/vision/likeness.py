"""Does it still look like the person: dlib's face embedding, public-domain weights.

Only the 5-point predictor and the ResNet are loaded, by path: the 68-point file beside them excludes
commercial use, and the package's own module needs setuptools' `pkg_resources` (docs/sources.md, Faces).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import _dlib_pybind11 as dlib
import numpy as np
from numpy.typing import NDArray

from core.consent import Purpose, ValidConsent
from workers.vision.geometry import Face, Pixels
from workers.vision.photometry import inside, reduced

# dlib ResNet v1: 99.38 % on LFW at 0.6 (dlib-models README); on 300 labelled pairs of our own measuring
# 97 % of same-person pairs and no false match (docs/sources.md, Faces).
SAME_PERSON: Final = 0.6
# 95 % of the same pairs of same-person photos are below; no limit for a person is stricter.
MOST_PAIRS: Final = 0.45

Embedding = NDArray[np.float64]

_EYES: Final = 120.0  # px between the eyes while embedding; the network sees a 150 px chip of the face
_BOX: Final = 1.2  # side of dlib's face box / distance from brows to chin, from its own detector


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


def embed(pixels: Pixels, face: Face, consent: ValidConsent) -> Embedding:
    """Compute the 128 numbers that stand for this face. They identify a person: keep them in memory only.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: Which face.
        consent: Must cover `likeness`.

    Raises:
        ConsentRequired: it does not.
    """
    consent.demand(Purpose.LIKENESS)
    box = face.box
    middle_x, middle_y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    half = 1.5 * max(box.width, box.height)
    rows, columns = inside(
        type(box)(middle_x - half, middle_y - half, middle_x + half, middle_y + half), pixels
    )
    scale = min(1.0, _EYES / max(face.eye_distance, 1.0))
    part = reduced(pixels[rows, columns], scale)
    moved = face.moved(-columns.start, -rows.start, scale)
    with _models().lock:
        shape = _models().predictor(part, _dlib_box(moved))
        return np.asarray(_models().network.compute_face_descriptor(part, shape), np.float64)


def distance(one: Embedding, other: Embedding) -> float:
    """Euclidean distance: 0 the same picture, below `SAME_PERSON` the same person."""
    return float(np.linalg.norm(one - other))


def strangers(embeddings: Mapping[str, Embedding]) -> set[str]:
    """Return the photos that may show somebody else than the rest does.

    A photo counts when its mean distance to the others is above `SAME_PERSON` while more of the others agree among
    themselves than of those that stand apart: of two people with as many photos each, none says who is the stranger,
    while two different strangers beside two photos of one person do not outweigh these.

    Args:
        embeddings: Photo → `embed`, of one person's photos.
    """
    own = _agreeing(embeddings)
    odd = {key: one for key, one in embeddings.items() if key not in own}
    return set(odd) if len(own) > max(1, len(_agreeing(odd))) else set()


def _agreeing(embeddings: Mapping[str, Embedding]) -> set[str]:
    """Return the photos that are left and agree once whichever is furthest from the rest has gone, again and again."""
    rest = dict(embeddings)
    while len(rest) > 1:
        means = _means(rest)
        furthest = max(means, key=lambda key: means[key])
        if means[furthest] <= SAME_PERSON:
            return set(rest)
        del rest[furthest]
    return set()


def _means(embeddings: Mapping[str, Embedding]) -> dict[str, float]:
    """Return each photo's mean distance to the others."""
    return {
        key: float(np.mean([distance(one, other) for name, other in embeddings.items() if name != key]))
        for key, one in embeddings.items()
    }


def _dlib_box(face: Face) -> object:
    """The square that dlib's detector would report, which its predictor was trained on: brows to chin."""
    brows = face.landmarks[[105, 334], :2].mean(axis=0)
    chin = face.landmarks[152, :2]
    side = _BOX * float(np.linalg.norm(chin - brows))
    x, y = face.landmarks[[105, 334, 152, 234, 454], :2].mean(axis=0)
    return dlib.rectangle(round(x - side / 2), round(y - side / 2), round(x + side / 2), round(y + side / 2))
