"""The photo check: is this photo good enough for a headshot, and if not, what to do.

Thresholds were set on the test photos and on what the steps after it need; each says which. They are
about light, place and pixels, never about how a person looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from core.consent import Purpose, ValidConsent
from workers.vision import measure
from workers.vision.advice import ADVICE, Issue, Severity
from workers.vision.color import to_linear
from workers.vision.decode import MAX_BYTES, MAX_PIXELS, Picture, UnreadablePhoto, decode
from workers.vision.faces import find_faces
from workers.vision.geometry import Box, Face, Pixels
from workers.vision.skin import skin_tone
from workers.vision.verdict import Finding, Measures, Verdict

MIN_EYES: Final = 40.0  # px between the eyes: half of ISO/IEC 19794-5's 90 px is already recognisably soft
GOOD_EYES: Final = 100.0  # px between the eyes: about what a 1,024 px master shows at the default crop
_ENOUGH_EYES: Final = 1.4 * GOOD_EYES  # px; more of a huge photo's pixels would not show
_SAME_SIZE: Final = 0.45  # of the main face's head height: a second person in front, not a passer-by
_OUTSIDE: Final = 0.02  # of the landmarks may lie beyond the frame before the face counts as cut off
_SMALL: Final = 0.22  # head height over the photo's height; selfies have 0.35 and more
_EYES_CLOSED: Final = 0.09  # eye aspect ratio; open eyes had 0.19 to 0.33, a laugh 0.12
_EYES_NEARLY_CLOSED: Final = 0.13
_SOCKET: Final = 0.07  # eye region over skin: 0.13 to 0.6 on the test photos, 0.01 with dark glasses
_DARK_EYE_WHITE: Final = 0.12  # luminance: 0.17 to 0.48 in good light, below 0.10 against the light
_BRIGHT_WALL: Final = 0.7  # stops that the surroundings are brighter than the face's skin
_CLIPPED: Final = 0.02  # of the face's area
_SIDE: Final = 1.5  # stops between the cheeks; studio loop light has about 1
_BLURRED: Final = 0.20  # `measure.sharpness`: a blur of 1/60 of the eye distance
_YAW: Final = (28.0, 50.0)  # degrees: warn, block; beyond 50 the far eye is hidden
_PITCH: Final = 25.0  # degrees; the mesh's zero is within about 10 of a straight look
_ROLL: Final = (18.0, 60.0)  # degrees: levelled by the finisher up to there; beyond 60 it lies on its side
_CERTAIN: Final = 0.75  # detector score; a cat on its side has 0.66, faces on the test photos 0.79 and more
_TRIMMED: Final = 0.02  # of the side: narrower dark bars are left alone
_BLACK: Final = 16  # sRGB; JPEG noise of a black bar stays below


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    pixels: Pixels
    face: Face
    others: tuple[Face, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """A verdict with what was found on the way, so that rendering need not look twice."""

    verdict: Verdict
    pixels: Pixels | None
    face: Face | None
    others: tuple[Face, ...]


def check(
    photo: bytes | Picture,
    consent: ValidConsent,
    *,
    subject: tuple[float, float] | None = None,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
) -> Verdict:
    """Judge one photo; never raises for what a photo contains.

    Raises:
        ConsentRequired: `consent` does not cover `photo`.
    """
    return examine(photo, consent, subject=subject, max_bytes=max_bytes, max_pixels=max_pixels).verdict


def examine(
    photo: bytes | Picture,
    consent: ValidConsent,
    *,
    subject: tuple[float, float] | None = None,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
) -> Examination:
    """Judge one photo and keep pixels and faces; see `check`."""
    del subject
    consent.demand(Purpose.PHOTO)
    try:
        picture = (
            decode(photo, max_bytes=max_bytes, max_pixels=max_pixels) if isinstance(photo, bytes) else photo
        )
    except UnreadablePhoto as error:
        return Examination(_verdict([Issue(error.code)], Measures(), 0.0), None, None, ())
    pixels = without_bars(picture.pixels)
    size = {"width_px": picture.original_width, "height_px": picture.original_height}
    faces = find_faces(pixels)
    if (not faces or faces[0].score < _CERTAIN) and _is_turned(pixels, faces):
        return Examination(_verdict([Issue.SIDEWAYS], Measures(faces=1, **size), 0.0), pixels, None, ())
    if not faces:
        return Examination(_verdict([Issue.NO_FACE], Measures(faces=0, **size), 0.0), pixels, None, ())
    scene = _Scene(pixels, faces[0], tuple(faces[1:]))
    fraction = round(scene.face.head_height / pixels.shape[0], 3)
    reduced = max(picture.original_width / picture.width, 1.0)
    if isinstance(photo, bytes) and reduced > 1.05 and scene.face.eye_distance < _ENOUGH_EYES:
        scene = _closer(
            photo, max_pixels, picture, scene, min(reduced, _ENOUGH_EYES / scene.face.eye_distance)
        )
    measures = _measure(scene.pixels, scene.face).model_copy(
        update={"faces": len(faces), "head_height_fraction": fraction, **size}
    )
    issues = _face_issues(scene, measures) + _light_issues(measures)
    # Bars come from a screenshot or a film; where the original is among the photos, it goes first.
    barred = 1.0 - pixels.size / picture.pixels.size
    score = round(_score(measures) * (1 - 0.1 * barred), 4)
    return Examination(_verdict(issues, measures, score), scene.pixels, scene.face, scene.others)


def _closer(content: bytes, max_pixels: int, picture: Picture, scene: _Scene, scale: float) -> _Scene:
    """Decode a huge photo again, larger, and keep only the surroundings of the small face in it."""
    side = round(max(picture.width, picture.height) * scale)
    large = without_bars(
        decode(content, max_bytes=len(content), max_pixels=max_pixels, working_side=side).pixels
    )
    scale = large.shape[1] / scene.pixels.shape[1]
    face = scene.face.moved(0, 0, scale)
    (x, y), head = (face.right_eye + face.left_eye) / 2, face.head_height
    # As far as the widest and highest frame reaches that a style can ask for.
    rows, columns = measure.inside(Box(x - 3.5 * head, y - 3 * head, x + 3.5 * head, y + 4 * head), large)
    part = large[rows, columns].copy()
    expected = face.moved(-columns.start, -rows.start, 1.0)
    again = [found for found in find_faces(part) if found.box.overlap(expected.box) > 0.3]
    others = tuple(other.moved(-columns.start / scale, -rows.start / scale, scale) for other in scene.others)
    return _Scene(part, again[0] if again else expected, others)


def without_bars(pixels: Pixels) -> Pixels:
    """Remove the black bars of a letterboxed frame: only where both sides have one of the same width."""
    height, width = pixels.shape[:2]
    columns = np.flatnonzero(pixels.max(axis=(0, 2)) > _BLACK)
    rows = np.flatnonzero(pixels.max(axis=(1, 2)) > _BLACK)
    if columns.size == 0:
        return pixels
    left, right = _bars(int(columns[0]), width - 1 - int(columns[-1]), width)
    top, bottom = _bars(int(rows[0]), height - 1 - int(rows[-1]), height)
    return pixels[top : height - bottom, left : width - right]


def _bars(first: int, last: int, side: int) -> tuple[int, int]:
    if min(first, last) < _TRIMMED * side or abs(first - last) > _TRIMMED * side:
        return 0, 0
    # Chroma subsampling bleeds a pixel or two of black into the picture.
    return first + 2, last + 2


def _is_turned(pixels: Pixels, faces: list[Face]) -> bool:
    """Say whether a face shows clearly better after turning the photo by a quarter or a half."""
    upright = max((face.score for face in faces), default=0.0)
    for turns in (1, 2, 3):
        turned = find_faces(np.ascontiguousarray(np.rot90(pixels, turns)))
        if any(face.score > max(_CERTAIN, upright + 0.1) and abs(face.roll) < _ROLL[1] for face in turned):
            return True
    return False


def _measure(pixels: Pixels, face: Face) -> Measures:
    box = face.box
    # Nothing further from the face than three faces counts, so the rest need not be converted.
    near = Box(
        box.left - 3 * box.width, box.top - 3 * box.height, box.right + 3 * box.width, box.bottom + box.height
    )
    rows, columns = measure.inside(near, pixels)
    part = pixels[rows, columns]
    scale = min(1.0, 160.0 / max(face.eye_distance, 1.0))
    moved = face.moved(-columns.start, -rows.start, 1.0)
    sharp = measure.sharpness(part, moved)
    small, moved = measure.reduced(part, scale), moved.moved(0, 0, scale)
    linear = to_linear(small)
    tone = skin_tone(small, moved)
    level = max(measure.skin_level(linear, moved), 1e-3)
    return Measures(
        eye_distance_px=round(face.eye_distance, 1),
        yaw_degrees=round(face.yaw, 1),
        pitch_degrees=round(face.pitch, 1),
        roll_degrees=round(face.roll, 1),
        eye_opening_ratio=round(face.eyes_open, 3),
        eye_white_luminance=round(measure.eye_white(linear, moved), 3),
        back_light_stops=round(float(np.log2(max(measure.surroundings(linear, moved), 1e-3) / level)), 2),
        side_light_stops=round(measure.side_light(linear, moved), 2),
        clipped_fraction=round(measure.clipped(small, moved), 4),
        sharpness_ratio=round(sharp, 3),
        socket_light_ratio=round(measure.socket_light(linear, moved), 3),
        skin_lightness=round(tone.lightness, 1),
    )


def _face_issues(scene: _Scene, measures: Measures) -> list[Issue]:
    face, others = scene.face, scene.others
    height, width = scene.pixels.shape[:2]
    issues = []
    if any(other.head_height > _SAME_SIZE * face.head_height for other in others):
        issues.append(Issue.SEVERAL_PEOPLE)
    elif others:
        issues.append(Issue.PEOPLE_BEHIND)
    x, y = face.landmarks[:, 0], face.landmarks[:, 1]
    if float(((x < 0) | (y < 0) | (x > width) | (y > height)).mean()) > _OUTSIDE:
        issues.append(Issue.FACE_CUT_OFF)
    elif face.crown[1] < 0.02 * face.head_height:
        issues.append(Issue.HEAD_TOUCHES_EDGE)
    eyes = _known(measures.eye_distance_px)
    if eyes < MIN_EYES:
        issues.append(Issue.FACE_TOO_SMALL)
    elif eyes < GOOD_EYES:
        issues.append(Issue.LOW_RESOLUTION)
    if _known(measures.head_height_fraction) < _SMALL:
        issues.append(Issue.SMALL_IN_FRAME)
    issues += _pose_issues(face)
    if _known(measures.socket_light_ratio) < _SOCKET:
        issues.append(Issue.EYES_HIDDEN)
    elif face.eyes_open < _EYES_CLOSED:
        issues.append(Issue.EYES_CLOSED)
    elif face.eyes_open < _EYES_NEARLY_CLOSED:
        issues.append(Issue.EYES_NEARLY_CLOSED)
    return issues


def _pose_issues(face: Face) -> list[Issue]:
    issues = []
    if abs(face.yaw) > _YAW[1]:
        issues.append(Issue.TURNED_AWAY)
    elif abs(face.yaw) > _YAW[0]:
        issues.append(Issue.HEAD_TURNED)
    if abs(face.pitch) > _PITCH:
        issues.append(Issue.HEAD_NODDED)
    if abs(face.roll) > _ROLL[1]:
        issues.append(Issue.SIDEWAYS)
    elif abs(face.roll) > _ROLL[0]:
        issues.append(Issue.HEAD_TILTED)
    return issues


def _light_issues(measures: Measures) -> list[Issue]:
    issues = []
    if _known(measures.eye_white_luminance) < _DARK_EYE_WHITE:
        issues.append(Issue.DARK)
        if _known(measures.back_light_stops) > _BRIGHT_WALL:
            issues.append(Issue.BACK_LIGHT)
    if _known(measures.clipped_fraction) > _CLIPPED:
        issues.append(Issue.OVEREXPOSED)
    if abs(_known(measures.side_light_stops)) > _SIDE:
        issues.append(Issue.SIDE_LIGHT)
    if _known(measures.sharpness_ratio) < _BLURRED:
        issues.append(Issue.BLURRED)
    return issues


def _known(value: float | None) -> float:
    assert value is not None, "a found face is always measured"
    return value


def _score(measures: Measures) -> float:
    """Rank by what cannot be mended later: pixels, sharpness, pose, eyes, light; each 0 to 1."""
    eyes = _known(measures.eye_distance_px)
    parts = (
        min(1.0, eyes / _ENOUGH_EYES),
        min(1.0, _known(measures.sharpness_ratio) / 0.45),
        max(0.0, 1 - abs(_known(measures.yaw_degrees)) / 45),
        max(0.0, 1 - abs(_known(measures.pitch_degrees)) / 60),
        max(0.0, 1 - abs(_known(measures.roll_degrees)) / 45),
        min(1.0, _known(measures.eye_opening_ratio) / 0.18),
        min(1.0, _known(measures.eye_white_luminance) / 0.18),
        max(0.0, 1 - abs(_known(measures.side_light_stops)) / 4),
        max(0.0, 1 - 10 * _known(measures.clipped_fraction)),
    )
    # The weakest part counts as much as all together: one bad fault spoils a good photo.
    return 0.5 * float(np.prod(parts) ** (1 / len(parts))) + 0.5 * min(parts)


def _verdict(issues: list[Issue], measures: Measures, score: float) -> Verdict:
    found = [
        Finding.of(code, pixels=256) if code is Issue.LOW_RESOLUTION else Finding.of(code) for code in issues
    ]
    asks = "which_face" if Issue.SEVERAL_PEOPLE in issues else None
    accepted = asks is None and not any(finding.severity is Severity.BLOCK for finding in found)
    order = list(Severity)
    return Verdict(
        accepted=accepted,
        issues=tuple(sorted(found, key=lambda finding: order.index(finding.severity))),
        measures=measures,
        score=score if accepted else 0.0,
        asks=asks,
    )
