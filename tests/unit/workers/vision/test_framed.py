"""A screenshot of a photo is told from a photo of a plain wall."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from core.checks.advice import Issue
from core.checks.ranking import best_three, near_duplicates
from core.image.kinds import PhotoFormat
from workers.vision.check import check
from workers.vision.decode import Picture
from workers.vision.framed import is_framed


def screenshot(pixels: np.ndarray, shade: int, top: int = 300) -> np.ndarray:
    """Return a phone's screen, 1080 × 2340, that shows a photo over its whole width."""
    screen = np.full((2340, 1080, 3), shade, np.uint8)
    photo = cv2.resize(pixels, (1080, round(pixels.shape[0] * 1080 / pixels.shape[1])))
    shown = min(len(photo), 2340 - 2 * top)
    screen[top : top + shown] = photo[:shown]
    ink = (255 - shade,) * 3
    cv2.putText(screen, "12:41", (60, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.6, ink, 3)
    cv2.putText(screen, "84%", (900, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.4, ink, 3)
    cv2.putText(screen, "Photos    Edit", (60, 200), cv2.FONT_HERSHEY_SIMPLEX, 1.7, ink, 3)
    cv2.rectangle(screen, (400, 2300), (680, 2310), ink, -1)
    return screen


@pytest.mark.parametrize("shade", [0, 30, 240, 255])
@pytest.mark.parametrize("top", [150, 300, 600])
def test_a_screenshot_is_framed(astronaut, shade, top):
    assert is_framed(screenshot(astronaut, shade, top))


def test_a_frame_at_the_side_is_one_too(astronaut):
    assert is_framed(np.ascontiguousarray(screenshot(astronaut, 255).transpose(1, 0, 2)))


def test_a_photo_is_not_framed_at_any_exposure(astronaut):
    for stops in (0, -1, -2, -3):
        darker = (255 * ((astronaut / 255) ** 2.2 * 2.0**stops) ** (1 / 2.2)).astype(np.uint8)
        assert not is_framed(darker), stops


def test_a_plain_wall_has_no_end(astronaut):
    """Somebody in front of one even colour, and somebody whose backdrop ends at the shoulders."""
    rows, columns = np.mgrid[:600, :600]
    wall = np.full((600, 600, 3), 200, np.uint8)
    wall[(rows - 620) ** 2 + (columns - 300) ** 2 < 320**2] = 60
    assert not is_framed(wall)
    assert not is_framed(np.full((600, 600, 3), 128, np.uint8))


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "joe/portrait.jpg"])
def test_a_screenshot_is_usable_and_never_plain_good(examined, consent, name):
    seen = examined(name)
    assert not is_framed(seen.pixels)
    screen = screenshot(seen.pixels, 255)
    verdict = check(Picture(screen, PhotoFormat.PNG, screen.shape[1], screen.shape[0]), consent)
    assert Issue.SCREENSHOT in {finding.code for finding in verdict.issues}
    assert verdict.accepted


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "joe/portrait.jpg"])
def test_the_original_goes_before_its_screenshot(examined, consent, name):
    """A phone enlarges a small photo, so its screenshot measures better."""
    seen = examined(name)
    small = cv2.resize(seen.pixels, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
    verdicts = {}
    for key, pixels in (("screenshot", screenshot(small, 255)), ("original", small)):
        shown = Picture(np.ascontiguousarray(pixels), PhotoFormat.PNG, pixels.shape[1], pixels.shape[0])
        verdicts[key] = check(shown, consent)
    assert all(verdict.accepted for verdict in verdicts.values())
    assert best_three(verdicts)[0].key == "original"
    assert near_duplicates(verdicts) == {"screenshot": "original"}
