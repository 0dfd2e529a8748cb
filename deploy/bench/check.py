"""`headshots bench check`: what the photo check says of photos that were spoilt in a known way."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import cv2
import numpy as np
from PIL import Image

from core.checks.advice import Issue, Severity
from core.checks.verdict import Verdict
from core.consent import Purpose, ValidConsent
from core.image.kinds import UnreadablePhoto
from workers.pipeline.judgement import judge
from workers.vision.color import to_linear, to_srgb
from workers.vision.decode import decode
from workers.vision.geometry import Pixels

Report = Callable[[dict[str, Any], str], None]

CONSENT = ValidConsent(None, frozenset({Purpose.PHOTO, Purpose.LIKENESS}))
BLURS = (100, 75, 60, 40)  # a Gaussian's sigma is the eye distance over these
MOTIONS = (20, 10, 6)  # a shake's length is the eye distance over these
SHAKEN = 30.0  # degrees
SMALL = (200, 300, 400)  # px, longest side
STOPS = (-1, -2, -3)
SCREEN = (1080, 2340)  # px, a phone's
BAR = 300  # px


def bench_check(report: Report, people: Mapping[str, Sequence[tuple[str, bytes]]]) -> None:
    """Spoil every photo in each way and report how many are good, usable and refused, and why."""
    said: dict[str, list[Verdict]] = {}
    for _, content in chain.from_iterable(people.values()):
        try:
            original = decode(content).pixels
        except UnreadablePhoto:
            continue
        eyes = judge(content, CONSENT).verdict.measures.eye_distance_px
        if not eyes:
            continue
        for name, pixels in spoilt(original, eyes):
            said.setdefault(name, []).append(judge(_png(pixels), CONSENT).verdict)
    for name, verdicts in said.items():
        _tell(report, name, verdicts)


def spoilt(pixels: Pixels, eyes: float) -> Iterator[tuple[str, Pixels]]:
    """Yield what is done to a photo and the outcome.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        eyes: distance between the eyes, px of `pixels`.
    """
    yield "as taken", pixels
    for share in BLURS:
        yield f"blur 1/{share}", cv2.GaussianBlur(pixels, (0, 0), eyes / share)
    for share in MOTIONS:
        yield f"motion 1/{share}", shaken(pixels, max(3, round(eyes / share) | 1), SHAKEN)
    yield "motion 31 px", shaken(pixels, 31, 0)
    for side in SMALL:
        scale = side / max(pixels.shape[:2])
        yield f"{side} px", cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    linear = to_linear(pixels)
    for stops in STOPS:
        yield f"{stops} stops", np.rint(255 * to_srgb(linear * np.float32(2.0**stops))).astype(np.uint8)
    for shade in (0, 255):
        yield f"screenshot, {'black' if shade == 0 else 'white'}", screenshot(pixels, shade)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=5)
    yield "JPEG quality 5", np.asarray(Image.open(buffer))


def shaken(pixels: Pixels, length: int, degrees: float) -> Pixels:
    """Return a picture that moved along a line of `length` px."""
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    middle = (length - 1) / 2
    turned = cv2.warpAffine(line, cv2.getRotationMatrix2D((middle, middle), degrees, 1), (length, length))
    return np.asarray(cv2.filter2D(pixels, -1, turned / turned.sum()), np.uint8)


def screenshot(pixels: Pixels, shade: int) -> Pixels:
    """Return a phone's screen of one shade that shows the photo over its whole width."""
    width, height = SCREEN
    screen = np.full((height, width, 3), shade, np.uint8)
    photo = cv2.resize(pixels, (width, round(pixels.shape[0] * width / pixels.shape[1])))
    shown = min(len(photo), height - 2 * BAR)
    screen[BAR : BAR + shown] = photo[:shown]
    ink = (255 - shade,) * 3
    cv2.putText(screen, "12:41", (60, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.6, ink, 3)
    cv2.putText(screen, "Photos    Edit", (60, 200), cv2.FONT_HERSHEY_SIMPLEX, 1.7, ink, 3)
    return screen


def _png(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _tell(report: Report, name: str, verdicts: Sequence[Verdict]) -> None:
    refused = [one for one in verdicts if not one.accepted]
    usable = [
        one
        for one in verdicts
        if one.accepted and any(issue.severity is Severity.WARN for issue in one.issues)
    ]
    reasons = Counter[Issue](
        issue.code for one in verdicts for issue in one.issues if issue.severity is not Severity.INFO
    )
    figures = {
        "spoilt": name,
        "photos": len(verdicts),
        "good": len(verdicts) - len(refused) - len(usable),
        "usable": len(usable),
        "refused": len(refused),
        "sharpness": [one.measures.sharpness_ratio for one in verdicts],
        "reasons": {code.value: count for code, count in reasons.most_common()},
    }
    words = ", ".join(f"{code.value} {count}" for code, count in reasons.most_common(4)) or "nothing"
    report(
        figures,
        f"{name:20} of {len(verdicts)}: {figures['good']} good, {len(usable)} usable, "
        f"{len(refused)} refused: {words}",
    )
