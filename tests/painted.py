"""Pictures that a test paints: coarse ones that differ, and faults in photos of faces as image models make them.

A fault lies in the face's own directions and size.
"""

from __future__ import annotations

import io
import random

import cv2
import numpy as np
from PIL import Image

from workers.vision.geometry import CHIN, LEFT_IRIS, Face, Pixels


def coarse(seed: int, size: tuple[int, int], form: str = "JPEG", **options: object) -> bytes:
    """A picture with something to see; every seed gives another one."""
    blocks = Image.frombytes("RGB", (8, 8), random.Random(seed).randbytes(8 * 8 * 3))
    target = io.BytesIO()
    blocks.resize(size, Image.Resampling.NEAREST).save(target, form, **options)
    return target.getvalue()


def _moved(pixels: Pixels, face: Face, move) -> Pixels:
    """Draw the picture anew; `move` takes places around the eyes' middle in eye distances, and where they come from."""
    eyes, distance = (face.right_eye + face.left_eye) / 2, face.eye_distance
    across = (face.left_eye - face.right_eye) / distance
    down = np.array([-across[1], across[0]])
    rows, columns = np.mgrid[0 : pixels.shape[0], 0 : pixels.shape[1]].astype(np.float32)
    x, y = columns - eyes[0], rows - eyes[1]
    u, v = (x * across[0] + y * across[1]) / distance, (x * down[0] + y * down[1]) / distance
    chin = float((face.landmarks[CHIN, :2] - eyes) @ down / distance)
    du, dv = move(u, v, chin)
    from_x = columns + (du * across[0] + dv * down[0]) * distance
    from_y = rows + (du * across[1] + dv * down[1]) * distance
    return cv2.remap(
        pixels,
        from_x.astype(np.float32),
        from_y.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _step(values: np.ndarray) -> np.ndarray:
    values = np.clip(values, 0, 1)
    return values * values * (3 - 2 * values)


def wider_jaw(pixels: Pixels, face: Face, share: float) -> Pixels:
    def move(u, v, chin):
        low = _step((v - 0.35) / (0.75 * chin - 0.35)) * np.clip((chin + 0.5 - v) / 0.5, 0, 1)
        factor = 1 + share * low * np.clip((1.9 - np.abs(u)) / 0.7, 0, 1)
        return u / factor - u, 0 * v

    return _moved(pixels, face, move)


def eyes_apart(pixels: Pixels, face: Face, share: float) -> Pixels:
    def move(u, v, _chin):
        du = np.zeros_like(u)
        for side in (-1, 1):
            du -= side * share / 2 * np.exp(-((((u - side / 2) / 0.38) ** 2 + (v / 0.32) ** 2) ** 2))
        return du, 0 * v

    return _moved(pixels, face, move)


def longer_face(pixels: Pixels, face: Face, share: float) -> Pixels:
    def move(u, v, _chin):
        factor = 1 + share * np.exp(-((u / 1.6) ** 4 + ((v - 0.3) / 2.2) ** 4))
        return 0 * u, (v - 0.3) / factor - (v - 0.3)

    return _moved(pixels, face, move)


def melted(pixels: Pixels, face: Face, share: float) -> Pixels:
    """Move every part of the face by about `share` of the eye distance, each another way."""
    rng = np.random.default_rng(1)

    def move(u, v, _chin):
        blur = 0.12 * face.eye_distance
        ways = [
            cv2.GaussianBlur(rng.normal(0, 1, u.shape).astype(np.float32), (0, 0), blur) for _ in range(2)
        ]
        return tuple(share * way / way.std() for way in ways)

    return _moved(pixels, face, move)


def without_iris(pixels: Pixels, face: Face) -> Pixels:
    """Leave one eye white."""
    spoilt = pixels.copy()
    centre = face.landmarks[LEFT_IRIS, :2]
    radius = 1.3 * np.linalg.norm(face.landmarks[LEFT_IRIS + 1, :2] - centre)
    cv2.circle(spoilt, _point(centre), max(1, round(float(radius))), (222, 216, 212), -1, cv2.LINE_AA)
    return spoilt


def noisy(pixels: Pixels, levels: float) -> Pixels:
    noise = np.random.default_rng(1).normal(0, levels, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def chequered(pixels: Pixels, levels: int) -> Pixels:
    """The pattern that a picture decoder leaves when it enlarges badly."""
    chequer = np.indices(pixels.shape[:2]).sum(axis=0) % 2 * 2 - 1
    return np.clip(pixels + levels * chequer[..., None], 0, 255).astype(np.uint8)


def lettered(pixels: Pixels, face: Face, word: str, share: float = 0.07) -> Pixels:
    """Write on the chest, letters of `share` of the head's height."""
    spoilt, head = pixels.copy(), face.head_height
    scale = share * head / 21  # OpenCV's plain letters are 21 px high at scale 1
    x, y = face.landmarks[CHIN, :2] + (0.05 * head, 0.45 * head)
    y = min(float(y), pixels.shape[0] - 10)
    dark = pixels[int(y) - 5, int(x + 0.15 * head)].mean() < 128
    ink, thick = (240, 240, 240) if dark else (20, 20, 20), max(1, int(2 * scale))
    cv2.putText(spoilt, word, (int(x), int(y)), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, thick, cv2.LINE_AA)
    return spoilt


def with_mole(pixels: Pixels, face: Face, landmark: int = 205, radius: float = 0.035) -> Pixels:
    """Put a mole of `radius` eye distances on a cheek."""
    rows, columns = np.indices(pixels.shape[:2])
    x, y = face.landmarks[landmark, :2]
    away = np.hypot(columns - x, rows - y) / face.eye_distance
    cover = 0.5 - 0.5 * np.tanh((away - radius) / 0.012)
    return (pixels * (1 - 0.55 * cover[..., None])).astype(np.uint8)


def with_fringe(pixels: Pixels, face: Face) -> Pixels:
    """Comb dark hair over one half of the forehead."""
    spoilt, top = pixels.copy(), face.landmarks[10, :2]
    corners = np.array([(-0.1, -0.35), (0.9, -0.3), (0.85, 0.45), (0.3, 0.15)]) * face.eye_distance
    cv2.fillPoly(spoilt, [np.rint(top + corners).astype(np.int32)], (40, 30, 25), cv2.LINE_AA)
    return spoilt


def with_glasses(pixels: Pixels, face: Face) -> Pixels:
    spoilt, distance = pixels.copy(), face.eye_distance
    ink, thick = (60, 52, 48), max(1, round(0.03 * distance))
    for eye in (face.right_eye, face.left_eye):
        axes = (round(0.36 * distance), round(0.3 * distance))
        cv2.ellipse(
            spoilt,
            _point(np.add(eye, (0, 0.05 * distance))),
            axes,
            face.roll,
            0,
            360,
            ink,
            thick,
            cv2.LINE_AA,
        )
    inner = ((0.36 * distance, -0.02 * distance), (-0.36 * distance, -0.02 * distance))
    cv2.line(
        spoilt,
        _point(np.add(face.right_eye, inner[0])),
        _point(np.add(face.left_eye, inner[1])),
        ink,
        thick,
        cv2.LINE_AA,
    )
    return spoilt


def _point(place: np.ndarray) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))


def with_long_hair(pixels: Pixels, face: Face, colour: tuple[int, int, int]) -> tuple[Pixels, np.ndarray]:
    """Let hair fall from the crown over both shoulders; also where it is, boolean."""
    head, middle = face.head_height, face.landmarks[:, 0].mean()
    chin, brow = face.landmarks[CHIN, 1], face.landmarks[10, 1]
    hair = np.zeros(pixels.shape[:2], np.uint8)
    top = (round(float(middle)), round(float(brow)))
    cv2.ellipse(hair, top, (round(0.5 * head), round(0.3 * head)), 0, 180, 360, 1, -1)
    for side in (-1, 1):
        edge = [(0.5, brow), (0.55, chin), (0.55, chin + 0.6 * head), (0.24, chin + 0.6 * head)]
        edge += [(0.28, chin), (0.36, chin - 0.4 * head), (0.3, brow)]
        cv2.fillPoly(hair, [np.array([(middle + side * x * head, y) for x, y in edge]).astype(np.int32)], 1)
    strands = np.random.default_rng(1).normal(0, 8, (1, pixels.shape[1], 1)) + np.array(colour)
    spoilt = np.where(hair[..., None] > 0, np.clip(strands, 0, 255), pixels).astype(np.uint8)
    return spoilt, hair > 0
