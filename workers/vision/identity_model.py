"""A stronger identity encoder, where the operator has one: AuraFace's recogniser or alike, as a local ONNX file.

`HEADSHOTS_LIKENESS_MODEL` names the file. It is shown a face as the ArcFace family is trained on it: upright, 112 × 112,
eyes, nose and corners of the mouth in fixed places. InsightFace's own packs are for research only and refused.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from workers.vision.encoder import Limits, Numbers
from workers.vision.faces import find_faces
from workers.vision.geometry import LEFT_IRIS, RIGHT_IRIS, Box, Face, Pixels
from workers.vision.network import Facts, Network, load, side_file
from workers.vision.photometry import inside, reduced
from workers.vision.quiet import sample_face

SETTING: Final = "HEADSHOTS_LIKENESS_MODEL"

SIDE: Final = 112  # px
# Where the ArcFace family wants the person's right and left eye, nose tip, and right and left corner of the mouth (its
# public alignment, which every recogniser of that family is fed with), px.
_PLACES: Final = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
_POINTS: Final = (RIGHT_IRIS, LEFT_IRIS, 1, 61, 291)  # of the mesh, in the same order
_FINER: Final = 2.0  # times the size that is shown: a warp that makes smaller picks single pixels
_HALF: Final = (0.5, 0.5, 0.5)  # (value - 127.5) / 127.5, as AuraFace's makers feed it
_LEAST: Final = 16  # numbers; no encoder has fewer


class IdentityFacts(Facts):
    """What the side file of an identity encoder says; its limits cannot be guessed."""

    limits: Limits


class IdentityModel:
    """An encoder from a file; `Encoder` says what each part is."""

    def __init__(self, network: Network[IdentityFacts]) -> None:
        self._network = network
        self._mean = network.facts.mean or _HALF
        self._deviation = network.facts.deviation or _HALF
        shown = repr((self._mean, self._deviation)).encode()
        self.id = hashlib.sha256(network.digest.encode() + shown).hexdigest()
        self.title = network.title
        self.unit = f"distance by {network.facts.name or network.path.name}"
        self.limits = network.facts.limits

    def numbers(self, pixels: Pixels, face: Face) -> Numbers:
        """Return the numbers of one face, of length one as a vector.

        Raises:
            ConfigurationError: the network gives something else.
            ValueError: it gave something that is no number.
        """
        answer = self._network.run(aligned(pixels, face), self._mean, self._deviation).astype(np.float64)
        if answer.shape[:-1] not in ((), (1,)) or answer.size < _LEAST:
            raise self._network.wrong(
                f"gives {' × '.join(map(str, answer.shape))} numbers, not one vector for a face"
            )
        vector = answer.ravel()
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length == 0:
            raise ValueError(f"{self._network.path.name} answered with what is no direction")
        return np.asarray(vector / length, np.float64)


@cache
def identity_model(path: Path) -> IdentityModel:
    """Read an encoder and try it on a face.

    Raises:
        ConfigurationError: a file is missing, refused or no such network, or onnxruntime is not installed.
    """
    network = load(SETTING, path, IdentityFacts)
    height, width = network.sides
    if height not in (SIDE, None) or width not in (SIDE, None):
        raise network.wrong(f"must take faces of {SIDE} × {SIDE}, not of {width} × {height}")
    model = IdentityModel(network)
    face, mirrored = sample_face(), np.ascontiguousarray(sample_face()[:, ::-1])
    try:
        one, other, nothing = (
            model.numbers(picture, find_faces(where)[0])
            for picture, where in ((face, face), (mirrored, mirrored), (np.full_like(face, 128), face))
        )
    except ValueError as error:
        raise network.wrong("answers a face with what is no direction") from error
    if float(np.linalg.norm(one - nothing)) < model.limits.same_face:
        raise network.wrong("answers a face and an empty picture alike")
    if float(np.linalg.norm(one - other)) > model.limits.same_person:
        raise network.wrong(
            f"calls a face in a mirror somebody else, by the limits of {side_file(path).name}"
        )
    return model


def aligned(pixels: Pixels, face: Face) -> Pixels:
    """Return the face as the ArcFace family is shown it, 112 × 112.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    wanted = float(np.linalg.norm(_PLACES[1] - _PLACES[0]))
    scale = min(1.0, _FINER * wanted / max(face.eye_distance, 1.0))
    box = face.box
    around = Box(box.left - box.width, box.top - box.height, box.right + box.width, box.bottom + box.height)
    rows, columns = inside(around, pixels)
    part = reduced(pixels[rows, columns], scale)
    points = face.moved(-columns.start, -rows.start, scale).landmarks[list(_POINTS), :2].astype(np.float64)
    return np.asarray(
        cv2.warpAffine(part, _similarity(points, _PLACES), (SIDE, SIDE), flags=cv2.INTER_AREA), np.uint8
    )


def _similarity(points: Numbers, places: Numbers) -> Numbers:
    """Return the turn, size and shift, 2 × 3, that bring `points` to `places` with the least squares (Umeyama 1991)."""
    away, wanted = points - points.mean(axis=0), places - places.mean(axis=0)
    along = float((away * wanted).sum())
    across = float((away[:, 0] * wanted[:, 1] - away[:, 1] * wanted[:, 0]).sum())
    cosine, sine = np.array([along, across]) / float((away**2).sum())
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, places.mean(axis=0) - turn @ points.mean(axis=0)])
