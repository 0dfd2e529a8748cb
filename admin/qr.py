"""An address as a QR code (ISO/IEC 18004), drawn where OpenCV's encoder made one that can be read."""

from __future__ import annotations

from typing import Final

_BORDER: Final = 4  # modules, ISO/IEC 18004 §6.3.8; the encoder leaves 2
_PIXELS: Final = 4  # of a module, while it is read back


def svg(text: str) -> str | None:
    """Return `text` as an SVG picture in black on white; `None` where what was made does not read as `text`.

    OpenCV 4.11 makes codes that nobody can read of more than 134 letters, so each is read back with its own decoder first.
    """
    import cv2  # only for this page: the other ones do not need 30 MB
    import numpy as np

    made = cv2.QRCodeEncoder.create().encode(text)
    inner = made[2:-2, 2:-2]
    modules = np.pad(inner, _BORDER, constant_values=255)
    picture = modules.repeat(_PIXELS, 0).repeat(_PIXELS, 1)
    first, last = _BORDER * _PIXELS, picture.shape[0] - _BORDER * _PIXELS
    corners = np.array([[[first, first], [last, first], [last, last], [first, last]]], np.float32)
    read, _ = cv2.QRCodeDetector().decode(picture, corners)
    if read != text:
        return None
    dark = "".join(f"M{x} {y}h1v1h-1z" for y, x in np.argwhere(modules == 0).tolist())
    side = modules.shape[0]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path d="{dark}"/></svg>'
    )
