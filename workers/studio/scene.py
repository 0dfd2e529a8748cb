"""Places that are painted and then thrown out of focus: an office by a window, a garden.

Painted in linear light, window and sky brighter than white, so that the lens makes discs of what shines.
Nothing in them is sharp, so a small painting is enough and is enlarged in the end.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.style.spec import Scene, SceneBackdrop
from workers.studio.lens import add_light, defocus
from workers.vision.color import Values, to_srgb

_SHORT_SIDE: Final = 512  # pixels of the painting
_KNEE: Final = 0.75  # linear light from which on the film rolls off towards white


def scene(spec: SceneBackdrop, width: int, height: int) -> Values:
    """Paint the place as a fast lens sees it.

    Args:
        spec: Which place, how far out of focus.
        width: Pixels.
        height: Pixels.

    Returns:
        float32, height × width × 3, sRGB 0 to 1.
    """
    scale = _SHORT_SIDE / min(width, height)
    canvas = _Canvas(round(width * scale), round(height * scale), np.random.default_rng(spec.seed))
    radius = spec.blur * canvas.width
    painted = (_office if spec.scene is Scene.OFFICE else _garden)(canvas, radius)
    exposed = painted * np.float32(2.0**spec.exposure)
    over = np.maximum(exposed - _KNEE, 0) / (1 - _KNEE)
    film = np.minimum(exposed, _KNEE) + (1 - _KNEE) * (1 - np.exp(-over))
    return to_srgb(cv2.resize(film.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC))


class _Canvas:
    """Linear light to paint on; places are fractions of the width and of the height."""

    def __init__(self, width: int, height: int, dice: Generator) -> None:
        self.width, self.height, self.dice = width, height, dice
        self.across = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None, :]
        self.down = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
        self.light: Values = np.zeros((height, width, 3), np.float32)

    def box(self, left: float, top: float, right: float, bottom: float, color: Values) -> None:
        columns = slice(max(0, round(left * self.width)), max(0, round(right * self.width)))
        rows = slice(max(0, round(top * self.height)), max(0, round(bottom * self.height)))
        self.light[rows, columns] = color

    def mix(self, share: NDArray[np.float32], color: Values) -> None:
        self.light += share[..., None] * (color - self.light)

    def noise(self, coarse: int, octaves: int = 4, stretch: float = 1.0) -> NDArray[np.float32]:
        """Clouds of mean 0 and deviation 1; `coarse` lumps fit across, `stretch` times as many down."""
        total = np.zeros((self.height, self.width), np.float32)
        for octave in range(octaves):
            count = coarse * 2**octave
            rows = max(2, round(count * stretch * self.height / self.width))
            grid = self.dice.standard_normal((rows, count)).astype(np.float32)
            total += cv2.resize(grid, (self.width, self.height), interpolation=cv2.INTER_CUBIC) * 0.6**octave
        return np.asarray(total / total.std(), np.float32)


def _rgb(red: float, green: float, blue: float) -> Values:
    return np.array([red, green, blue], np.float32)


def _step(values: NDArray[np.float32], edge: float, soft: float) -> NDArray[np.float32]:
    return np.clip((values - edge) / soft + 0.5, 0, 1)


_BOOKS: Final = (
    _rgb(0.30, 0.10, 0.06), _rgb(0.07, 0.10, 0.14), _rgb(0.42, 0.33, 0.20), _rgb(0.10, 0.12, 0.07),
    _rgb(0.50, 0.45, 0.36), _rgb(0.20, 0.08, 0.05), _rgb(0.13, 0.15, 0.17), _rgb(0.33, 0.20, 0.08),
)  # fmt: skip


def _office(canvas: _Canvas, radius: float) -> Values:
    """A warm room: a window at the left, shelves at the right, a few lamps further back."""
    dice = canvas.dice
    canvas.light[:] = _rgb(0.34, 0.26, 0.18)
    canvas.box(0.0, 0.84, 1.0, 1.0, _rgb(0.115, 0.075, 0.045))  # a long table, with what lies on it
    for _ in range(9):
        x, y = dice.random(), 0.84 + 0.12 * dice.random() ** 2
        tint = _rgb(0.40, 0.36, 0.30) * np.float32(dice.uniform(0.1, 1.6))
        canvas.box(x, y - dice.uniform(0.01, 0.05), x + dice.uniform(0.03, 0.12), y + 0.01, tint)
    back = 0.40 + 0.06 * dice.random()
    canvas.box(back, 0.22, back + 0.17, 0.80, _rgb(0.12, 0.085, 0.055))  # the way into the next room
    canvas.box(back + 0.03, 0.30, back + 0.15, 0.66, _rgb(0.26, 0.17, 0.09))
    _shelves(canvas, 0.64 + 0.04 * dice.random())
    # The window lights the wall beside it, and less of the room the further away.
    canvas.light *= (0.62 + 1.1 * np.exp(-3.2 * canvas.across) + 0.0 * canvas.down)[..., None]
    _window(canvas, 0.25 + 0.05 * dice.random())
    canvas.light *= np.exp2(0.18 * canvas.noise(3))[..., None]
    seen = defocus(canvas.light, radius)
    _plant(canvas, seen, 0.10 + 0.06 * dice.random(), radius)
    row = dice.uniform(0.07, 0.15)
    # Lamps hang in a row that goes into the depth; the last is beside a head, wherever its person stands: one behind it
    # would look as if it grew out of the hair.
    for number in range(3):
        x, y = (0.97 - 0.1 * number) * canvas.width, (row + 0.035 * number) * canvas.height
        size = radius * (1.15 - 0.15 * number)
        _glow(canvas, seen, x, y, 5 * size, _rgb(0.20, 0.115, 0.045))
        add_light(seen, x, y, size, _rgb(0.85, 0.54, 0.24) * np.float32(dice.uniform(0.7, 1.0)))
    for _ in range(9):  # small ones in the next rooms, and what they glint on
        x, y = dice.uniform(0.36, 1.02) * canvas.width, dice.normal(0.42, 0.14) * canvas.height
        tint = _rgb(0.9, 0.52, 0.22) if dice.random() < 0.75 else _rgb(0.55, 0.6, 0.62)
        strength = np.float32(min(0.45, 0.05 + 0.06 * dice.pareto(1.6)))
        add_light(seen, x, y, radius * dice.uniform(0.6, 1.0), tint * strength)
    return seen


def _glow(canvas: _Canvas, seen: Values, x: float, y: float, reach: float, light: Values) -> None:
    """Add the soft light that a lamp throws on what is around it."""
    away = np.hypot(canvas.across * canvas.width - x, canvas.down * canvas.height - y) / reach
    seen += np.exp(-(away**2))[..., None].astype(np.float32) * light


def _shelves(canvas: _Canvas, left: float) -> None:
    dice = canvas.dice
    canvas.box(left, 0.0, 1.0, 0.84, _rgb(0.16, 0.10, 0.06))
    for top in np.arange(-0.06, 0.80, 0.18):
        canvas.box(left, top + 0.165, 1.0, top + 0.18, _rgb(0.36, 0.23, 0.13))
        x = left + 0.015
        while x < 1.0:
            wide, high = dice.uniform(0.010, 0.034), dice.uniform(0.08, 0.15)
            if dice.random() < 0.78:
                tint = _BOOKS[dice.integers(len(_BOOKS))] * np.float32(dice.uniform(0.6, 1.5))
                canvas.box(x, top + 0.165 - high, x + wide, top + 0.165, tint)
            x += wide + (dice.uniform(0.03, 0.07) if dice.random() < 0.1 else 0.002)


def _window(canvas: _Canvas, right: float) -> None:
    sky = 1.5 - 0.8 * canvas.down + 0.0 * canvas.across
    outside = sky[..., None] * _rgb(0.93, 1.0, 1.06)
    trees = _step(canvas.down + 0.05 * canvas.noise(5), 0.50, 0.10)[..., None]
    outside = outside + trees * (_rgb(0.34, 0.42, 0.20) * np.exp2(0.9 * canvas.noise(9))[..., None] - outside)
    inside = (canvas.across < right) & (canvas.down < 0.74)
    canvas.light[inside] = outside[inside]
    frame = _rgb(0.20, 0.16, 0.12)
    for x in (right, right - 0.145, right - 0.29):
        canvas.box(x - 0.014, 0.0, x + 0.014, 0.75, frame)
    canvas.box(0.0, 0.25, right, 0.275, frame)
    canvas.box(0.0, 0.73, right + 0.03, 0.765, _rgb(0.75, 0.70, 0.62))  # the sill, in the light


def _plant(canvas: _Canvas, seen: Values, x: float, radius: float) -> None:
    """Leaves that stand nearer, so they are less blurred and cover what is behind them."""
    dice = canvas.dice
    leaves = np.zeros((canvas.height, canvas.width, 4), np.float32)
    for _ in range(70):
        angle, reach = dice.uniform(-185, 5), dice.uniform(0.03, 0.22)
        turn = np.radians(angle)
        at_x = (x + reach * np.cos(turn) * 0.8) * canvas.width
        at_y = 0.78 * canvas.height + reach * np.sin(turn) * 1.25 * canvas.width
        lit = 0.35 + 1.8 * dice.random() ** 2 + max(0.0, -np.cos(turn))  # more on the window's side
        tint = _rgb(0.045, 0.075, 0.022) * np.float32(lit)
        size = (
            round(dice.uniform(0.025, 0.06) * canvas.width),
            round(dice.uniform(0.008, 0.016) * canvas.width),
        )
        hang = angle + dice.normal(0, 35)
        cv2.ellipse(
            leaves, (round(at_x), round(at_y)), size, hang, 0, 360, (*map(float, tint), 1.0), -1, cv2.LINE_AA
        )
    soft = defocus(leaves, radius * 0.8)
    seen *= 1 - soft[..., 3:]
    seen += soft[..., :3]


def _garden(canvas: _Canvas, radius: float) -> Values:
    """Trees against a bright sky, a sunlit lawn, and the sun between the leaves."""
    dice = canvas.dice
    horizon = 0.66 + 0.05 * dice.random()
    leaves = canvas.noise(4, 6)
    patches = canvas.noise(3, 3)
    canvas.light[:] = _rgb(0.030, 0.052, 0.016)
    canvas.mix(_step(leaves, -0.1, 1.8), _rgb(0.085, 0.132, 0.040))
    canvas.mix(_step(leaves + 0.9 * patches, 1.0, 1.6), _rgb(0.34, 0.41, 0.115))
    sky = _step(canvas.noise(4, 6) + 2.6 * (0.36 - canvas.down), 0.55, 0.7) * (
        1 - _step(canvas.down, 0.56, 0.2)
    )
    canvas.mix(sky, _rgb(1.15, 1.30, 1.38))
    _trunks(canvas, horizon)
    lawn = _step(canvas.down + 0.012 * canvas.noise(6), horizon, 0.03)
    canvas.mix(lawn, _rgb(0.19, 0.235, 0.075))
    sun = _step(canvas.noise(3, 3, stretch=4.0), 0.3, 1.2) * lawn
    canvas.mix(sun * 0.8, _rgb(0.48, 0.53, 0.19))
    shade = np.exp(-(((canvas.down - horizon) / 0.05) ** 2)) + 0 * canvas.across
    canvas.light *= (1 - 0.55 * shade)[..., None]
    # Haze: what is far away is a little lighter.
    canvas.mix(0.06 * (1 - lawn), _rgb(0.50, 0.58, 0.42))
    seen = defocus(canvas.light, radius)
    # The sun comes through in clusters, where the leaves are thin.
    thin = canvas.noise(4, 3)
    for _ in range(260):
        x, y = dice.random() * canvas.width, dice.triangular(-0.03, 0.14, 0.64) * canvas.height
        if thin[min(canvas.height - 1, max(0, int(y))), int(x)] < dice.normal(0.6, 0.4):
            continue
        strength = np.float32(min(0.5, 0.02 * dice.pareto(1.2) + 0.01))
        tint = _rgb(0.95, 1.0, 0.72) if dice.random() < 0.7 else _rgb(0.90, 1.0, 1.05)
        add_light(seen, x, y, radius * dice.uniform(0.8, 1.05), tint * strength)
    return seen


def _trunks(canvas: _Canvas, horizon: float) -> None:
    dice = canvas.dice
    for _ in range(4):
        x, wide = dice.random(), dice.uniform(0.015, 0.05)
        lean = dice.normal(0, 0.06)
        middle = x + lean * (canvas.down - horizon)
        body = _step(-np.abs(canvas.across - middle), -wide / 2, 0.004) * (canvas.down < horizon + 0.01)
        canvas.mix(body.astype(np.float32), _rgb(0.045, 0.036, 0.026) * np.float32(dice.uniform(0.7, 2.0)))
