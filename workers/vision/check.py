"""The photo check: is this photo good enough for a headshot, and if not, what to do.

It looks at a reduced picture, and closer only where the face is small. It refuses only what no later step
can save. Thresholds were set on the test photos and on what the steps after it need; each says which. They
are about light, place and pixels, never about how a person looks.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from core.checks.advice import Issue, Severity
from core.checks.verdict import FaceBox, Finding, Measures, Verdict
from core.consent import Purpose, ValidConsent
from core.image.kinds import UnreadablePhoto
from core.image.reading import MAX_BYTES, MAX_PIXELS
from core.logs import fault, logger
from workers.vision import photometry
from workers.vision.blocks import blockiness
from workers.vision.decode import WORKING_SIDE, Picture, decode
from workers.vision.detail import Sharpness
from workers.vision.examination import Examination, Place, without_bars
from workers.vision.face_measures import measured
from workers.vision.faces import find_faces
from workers.vision.framed import is_framed
from workers.vision.full_resolution import View, nearer
from workers.vision.geometry import Box, Face, Pixels
from workers.vision.phash import phash
from workers.vision.turning import turned, turns_upright

MIN_EYES: Final = 40.0  # px between the eyes: half of ISO/IEC 19794-5's 90 px is already recognisably soft
_USUAL: Final = 1024  # px, the largest of the sizes that a style has unless it asks for print
_ENOUGH_EYES: Final = 140.0  # px; what that size needs, the score counts no more
# px between the eyes. Sharpness is looked at in up to 139, but a second decoding costs as much as the whole check:
# below that, what counts as sharp is what so few pixels can show, see `detail.Sharpness.enough`.
_LOOK_CLOSER: Final = 80.0
_SAME_SIZE: Final = 0.45  # of the main face's head height: a second person in front, not a passer-by
_OUTSIDE: Final = 0.02  # of the landmarks may lie beyond the frame before the face counts as cut off
_SMALL: Final = 0.22  # head height over the photo's height; selfies have 0.35 and more
_EYES_CLOSED: Final = 0.09  # eye aspect ratio; open eyes had 0.19 to 0.33, a laugh 0.12
_EYES_NEARLY_CLOSED: Final = 0.13
# Between the lips, height / width: smiles with teeth have up to 0.25, laughs 0.3, somebody speaking 0.45.
_MOUTH_OPEN: Final = 0.4
_MOUTH: Final = (0.3, 0.57)  # where the score begins to fall, and where a shout has nothing left
_SOCKET: Final = 0.07  # eye region over skin: 0.13 to 0.6 on the test photos, 0.01 with dark glasses
# Stops that the darker iris is below the white around it: 1.4 to 6 in nine photos, 1.1 and more at a blur of 1/40 of the
# eye distance; below 0.1 behind mirrored glasses, which are as bright as the skin.
_NO_IRIS: Final = 0.35
_GLARE: Final = 0.04  # of a lens region; clear glasses and eyes have below 0.01
_COVERED: Final = 14.0  # ΔE of nose, mouth and chin from the forehead; a beard leaves the nose below 10
_LIPS: Final = 3.0  # a*; lips are 4 to 20 redder than the chin, cloth is not
# `covering.mouth_lines`: nine faces have 0.30 and more, at a blur that is refused 0.19; cloth with deep folds 0.11.
_NO_LINES: Final = 0.14
_HAND: Final = 0.12  # of the face's middle; fingers at the chin or the temple cover less
_CAST: Final = 30.0  # a*b*; warm lamps have up to 15 and lids add some, to 27; coloured light 33 and more
_BUSY: Final = 0.15  # edge strength; walls have below 0.05, a flag 0.12, graffiti and foliage 0.16
_DARK_EYE_WHITE: Final = 0.12  # luminance: 0.17 to 0.48 in good light, below 0.10 against the light
# Luminance of the face's brightest parts: gloss, teeth, the wet of the eyes. Narrow eyes show little white;
# in good light one of these had 0.47 and more in every complexion, against the light all below 0.42.
_DARK_HIGHLIGHTS: Final = 0.42
_BRIGHT_WALL: Final = 0.7  # stops that the surroundings are brighter than the face's skin
# A screen enlarges what it shows, so a screenshot measures as larger and sharper than the photo that it shows, and so
# does what an app has enlarged.
_SCREENSHOT: Final = 0.5  # of the score: any usable original goes before it
_BLOCKY: Final = 0.5  # of the score, as well: squares are not sharpness, which they measure as
# `blockiness`: 15 real photos saved at quality 60 and above have up to 1.97, at quality 5 from 2.3 to 10.
_BLOCKS: Final = 2.2
_CLIPPED: Final = 0.02  # of the face's area
_SIDE: Final = 1.5  # stops between the cheeks; studio loop light has about 1
# `detail.finest`, dB: faces have -18 and more, after strong noise reduction -24, enlarged by 2.5 mostly -26 to -36.
_ENLARGED: Final = -25.0
# `detail.grain`, levels: photos have up to 3.7, noise of 6 levels in each channel makes up to 5.9, of 15 from 7.6 on.
_GRAINY: Final = 7.0
# Degrees of CIE hue: 39 to 67 on nine photos of light and dark skin, three stops darker too, 34 at JPEG quality 5; green
# light makes 91 and more, blue and magenta below 21. Melanin and blood move skin along these hues, never off them.
_SKIN_HUE: Final = (27.0, 80.0)
_SKIN_CHROMA: Final = (
    4.0,
    48.0,
)  # CIE chroma: 11 to 36 in them, three stops darker too; lamps of 2,700 K 57 to 67
_TONED: Final = 7.0  # `photometry.colours`, of a picture whose skin has an impossible hue
# Degrees: warn, block. Who looks at the camera has up to 13, who looks past it 21; beyond 50 the far eye hides.
_YAW: Final = (18.0, 50.0)
_PITCH: Final = 25.0  # degrees; the mesh's zero is within about 10 of a straight look
_TILTED: Final = 18.0  # degrees: levelled by the finisher; beyond, shoulders and light tilt with it


def check(
    photo: bytes | Picture,
    consent: ValidConsent,
    *,
    subject: tuple[float, float] | None = None,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
) -> Verdict:
    """Judge one photo; never raises for what a photo contains.

    Args:
        photo: The file, or what was decoded of it.
        consent: Must cover `photo`.
        subject: Where the person is, fractions of the upright photo's width and height: the answer to
            `Verdict.asks`.
        max_bytes: Of the file.
        max_pixels: Of the file.

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
    consent.demand(Purpose.PHOTO)
    try:
        picture = (
            decode(photo, max_bytes=max_bytes, max_pixels=max_pixels) if isinstance(photo, bytes) else photo
        )
    except UnreadablePhoto as error:
        return Examination(Verdict.refused(Issue(error.code)))
    pixels, place = _overview(picture)
    faces = find_faces(pixels)
    turns = turns_upright(pixels, faces)
    if turns:
        pixels, place = turned(pixels, place, turns)
        faces = find_faces(pixels)
    size = {"width_px": place.width, "height_px": place.height, "faces": len(faces)}
    if not faces:
        return Examination(Verdict.refused(Issue.NO_FACE, Measures(**size)), pixels, place=place)
    boxes = tuple(_fraction(face, pixels) for face in faces)
    chosen = faces[0] if subject is None else _at(subject, faces, pixels)
    others = tuple(face for face in faces if face is not chosen)
    view = View(pixels, chosen, others, place)
    if chosen.eye_distance < _LOOK_CLOSER:
        view = nearer(photo, view, chosen.head_height * _LOOK_CLOSER / chosen.eye_distance)
    measures = measured(view).model_copy(update=size)
    if subject is None and _company(view):
        findings = [Finding.of(Issue.SEVERAL_PEOPLE)]  # what else is to be said depends on who it is about
    else:
        findings = _face_findings(view, measures) + _light_findings(measures)
    if turns:
        findings.append(Finding.of(Issue.TURNED_UPRIGHT))
    # Bars come from a screenshot or a film; where the original is among the photos, it goes first.
    barred = 1.0 - place.picture.area / (place.width * place.height)
    framed = not barred and is_framed(pixels)
    if framed:
        findings.append(Finding.of(Issue.SCREENSHOT))
    blocks = place.scale == 1.0 and blockiness(pixels) > _BLOCKS
    if blocks:
        findings.append(Finding.of(Issue.BLOCKS))
    share = (_SCREENSHOT if framed or is_enlarged(measures) else 1.0) * (_BLOCKY if blocks else 1.0)
    score = round(_score(measures) * (1 - 0.1 * barred) * share, 4)
    verdict = _verdict(findings, measures, score).model_copy(
        update={"faces": boxes, "phash": phash(view.pixels, view.face)}
    )
    return Examination(verdict, view.pixels, view.face, view.others, view.place)


def unchecked(error: Exception) -> Verdict:
    """Return the verdict on a photo on which this software failed."""
    logger().error("photo_check_failed", exc_info=error)
    return Verdict.refused(Issue.CHECK_FAILED, system=fault(error))


def _overview(picture: Picture) -> tuple[Pixels, Place]:
    """Reduce the picture to what finding faces needs, and cut black bars off."""
    small = photometry.reduced(picture.pixels, WORKING_SIDE / max(picture.width, picture.height))
    scale = small.shape[1] / picture.original_width
    inner = without_bars(small)
    across, down = picture.original_width / small.shape[1], picture.original_height / small.shape[0]
    frame = Box(
        float(round(inner.left * across)),
        float(round(inner.top * down)),
        float(round(inner.right * across)),
        float(round(inner.bottom * down)),
    )
    place = Place(
        width=picture.original_width,
        height=picture.original_height,
        turns=0,
        picture=frame,
        left=frame.left,
        top=frame.top,
        scale=scale,
    )
    return small[int(inner.top) : int(inner.bottom), int(inner.left) : int(inner.right)], place


def _at(subject: tuple[float, float], faces: list[Face], pixels: Pixels) -> Face:
    """Return the face that is nearest to a point given in fractions."""
    x, y = subject[0] * pixels.shape[1], subject[1] * pixels.shape[0]

    def away(face: Face) -> float:
        box = face.box
        across, down = (box.left + box.right) / 2 - x, (box.top + box.bottom) / 2 - y
        return float(np.hypot(across / max(box.width, 1.0), down / max(box.height, 1.0)))

    return min(faces, key=away)


def _fraction(face: Face, pixels: Pixels) -> FaceBox:
    box, (height, width) = face.box, pixels.shape[:2]
    left, right = max(0.0, box.left / width), min(1.0, box.right / width)
    top, bottom = max(0.0, box.top / height), min(1.0, box.bottom / height)
    return FaceBox(
        left=round(left, 4), top=round(top, 4), width=round(right - left, 4), height=round(bottom - top, 4)
    )


def _company(view: View) -> bool:
    """Say whether somebody else in the photo could be meant."""
    return any(other.head_height > _SAME_SIZE * view.face.head_height for other in view.others)


def _face_findings(view: View, measures: Measures) -> list[Finding]:
    issues = []
    if view.others:
        issues.append(Issue.PEOPLE_BEHIND)
    if _outside(view) > _OUTSIDE:
        issues.append(Issue.FACE_CUT_OFF)
    elif _known(measures.head_room_ratio) < 0.02:
        issues.append(Issue.HEAD_TOUCHES_EDGE)
    distance = _known(measures.eye_distance_px)
    if distance < MIN_EYES:
        issues.append(Issue.FACE_TOO_SMALL)
    if _known(measures.head_height_fraction) < _SMALL:
        issues.append(Issue.SMALL_IN_FRAME)
    issues += _pose_issues(view.face)
    if not is_too_blurred(measures):  # which explains whatever eyes and hands seem to be
        issues += eye_issues(measures) + _cover_issues(measures)
    if _known(measures.mouth_opening_ratio) > _MOUTH_OPEN:
        issues.append(Issue.MOUTH_OPEN)
    if _known(measures.clutter_ratio) > _BUSY:
        issues.append(Issue.BUSY_BACKGROUND)
    findings = [Finding.of(issue) for issue in issues]
    sharp = measures.sharp_up_to_px or 0
    if distance >= MIN_EYES and sharp < _USUAL:
        findings.append(Finding.of(Issue.LOW_RESOLUTION, pixels=sharp))
    return findings


def _outside(view: View) -> float:
    """Return the share of the face's landmarks that lie beyond the picture."""
    place = view.place
    x = place.left + view.face.landmarks[:, 0] / place.scale
    y = place.top + view.face.landmarks[:, 1] / place.scale
    frame = place.picture
    beyond = (x < frame.left) | (y < frame.top) | (x > frame.right) | (y > frame.bottom)
    return float(beyond.mean())


def _pose_issues(face: Face) -> list[Issue]:
    issues = []
    if abs(face.yaw) > _YAW[1]:
        issues.append(Issue.TURNED_AWAY)
    elif abs(face.yaw) > _YAW[0]:
        issues.append(Issue.HEAD_TURNED)
    if abs(face.pitch) > _PITCH:
        issues.append(Issue.HEAD_NODDED)
    if abs(face.roll) > _TILTED:
        issues.append(Issue.HEAD_TILTED)
    return issues


def eye_issues(measures: Measures) -> list[Issue]:
    """Say what is wrong with the eyes: the one fault that explains the others. Only two closed eyes block."""
    closed, open_ = _known(measures.eye_opening_ratio), _known(measures.wider_eye_opening_ratio)
    if measures.eye_behind_hand:
        return [Issue.HAND_OVER_EYE]
    if _known(measures.socket_light_ratio) < _SOCKET:
        return [Issue.EYES_HIDDEN]
    iris = measures.iris_contrast_stops
    if iris is not None and iris < _NO_IRIS and open_ > _EYES_NEARLY_CLOSED:
        return [Issue.EYES_HIDDEN]
    if open_ < _EYES_CLOSED:
        return [Issue.EYES_CLOSED]
    if closed < _EYES_CLOSED and open_ > _EYES_NEARLY_CLOSED:
        return [Issue.ONE_EYE_CLOSED]
    if closed < _EYES_NEARLY_CLOSED:
        return [Issue.EYES_NEARLY_CLOSED]
    glare = _known(measures.glare_fraction) > _GLARE and measures.glasses_seen and not _masked(measures)
    return [Issue.GLARE] if glare else []


def _cover_issues(measures: Measures) -> list[Issue]:
    if not measures.eye_behind_hand and _known(measures.hand_fraction) > _HAND:
        return [Issue.HAND_OVER_FACE]
    return [Issue.MASK] if _masked(measures) else []


def _masked(measures: Measures) -> bool:
    """Say whether cloth lies over nose and mouth: of another colour than the skin, or without nostrils and lips."""
    other = _known(measures.lower_face_delta_e) > _COVERED and _known(measures.lip_redness_lab) < _LIPS
    return other or _known(measures.mouth_lines_log) < _NO_LINES


def _light_findings(measures: Measures) -> list[Finding]:
    issues = []
    dark = _known(measures.eye_white_luminance) < _DARK_EYE_WHITE
    if dark and _known(measures.highlights_luminance) < _DARK_HIGHLIGHTS:
        issues.append(Issue.DARK)
        if _known(measures.back_light_stops) > _BRIGHT_WALL:
            issues.append(Issue.BACK_LIGHT)
    if _known(measures.clipped_fraction) > _CLIPPED:
        issues.append(Issue.OVEREXPOSED)
    if abs(_known(measures.side_light_stops)) > _SIDE:
        issues.append(Issue.SIDE_LIGHT)
    if not _masked(measures):
        issues += _colour_issues(measures)
    if is_too_blurred(measures):
        issues.append(Issue.TOO_BLURRED)
    elif _sharpness(measures).value < _sharpness(measures).enough:
        issues.append(Issue.BLURRED)
    elif is_enlarged(measures):
        issues.append(Issue.ENLARGED)
    if _known(measures.grain_levels) > _GRAINY:
        issues.append(Issue.GRAINY)
    return [Finding.of(issue) for issue in issues]


def _colour_issues(measures: Measures) -> list[Issue]:
    """Say whether light or a filter gives the skin a colour that no skin has."""
    hue, chroma = _known(measures.skin_hue_degrees), _known(measures.skin_chroma_lab)
    possible = _SKIN_HUE[0] <= hue <= _SKIN_HUE[1]
    if chroma < _SKIN_CHROMA[0] or (not possible and _known(measures.colours_lab) < _TONED):
        return [Issue.BLACK_AND_WHITE]
    cast = measures.colour_cast_lab is not None and measures.colour_cast_lab > _CAST
    return [Issue.COLOUR_CAST] if cast or not possible or chroma > _SKIN_CHROMA[1] else []


def is_too_blurred(measures: Measures) -> bool:
    """Say whether the face is so blurred that no headshot can be made of it."""
    sharp = _sharpness(measures)
    return sharp.value < sharp.least


def is_enlarged(measures: Measures) -> bool:
    """Say whether the face is drawn more coarsely than its pixels and its edges promise."""
    return _known(measures.finest_detail_db) < _ENLARGED


def _sharpness(measures: Measures) -> Sharpness:
    return Sharpness(_known(measures.sharpness), _known(measures.sharpness_eyes_px))


def _known(value: float | None) -> float:
    assert value is not None, "a found face is always measured"
    return value


def _score(measures: Measures) -> float:
    """Rank by what cannot be mended later: pixels, sharpness, pose, eyes, light; each 0 to 1."""
    distance = _known(measures.eye_distance_px)
    sharp = _sharpness(measures)
    parts = (
        min(1.0, distance / _ENOUGH_EYES),
        min(1.0, sharp.value / sharp.enough),
        max(0.0, 1 - abs(_known(measures.yaw_degrees)) / 45),
        max(0.0, 1 - abs(_known(measures.pitch_degrees)) / 60),
        max(0.0, 1 - abs(_known(measures.roll_degrees)) / 45),
        min(1.0, _known(measures.eye_opening_ratio) / 0.18),
        min(1.0, _known(measures.eye_white_luminance) / 0.18),
        max(0.0, 1 - abs(_known(measures.side_light_stops)) / 4),
        max(0.0, 1 - 10 * _known(measures.clipped_fraction)),
        max(0.0, 1 - 2 * _known(measures.hand_fraction)),
        float(np.interp(_known(measures.mouth_opening_ratio), _MOUTH, (1.0, 0.0))),
    )
    # The weakest part counts as much as all together: one bad fault spoils a good photo.
    return 0.5 * float(np.prod(parts) ** (1 / len(parts))) + 0.5 * min(parts)


def _verdict(findings: list[Finding], measures: Measures, score: float) -> Verdict:
    codes = {finding.code for finding in findings}
    asks = Issue.SEVERAL_PEOPLE in codes
    accepted = not asks and not any(finding.severity is Severity.BLOCK for finding in findings)
    order = list(Severity)
    return Verdict(
        accepted=accepted,
        issues=tuple(sorted(findings, key=lambda finding: order.index(finding.severity))),
        measures=measures,
        score=score if accepted else 0.0,
        asks="which_face" if asks else None,
    )
