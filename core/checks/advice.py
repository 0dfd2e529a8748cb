"""Everything a photo check can say: one table of code → severity, advice and the standard's component.

The English sentence is also the key for translation (`N_` marks it for the catalogue), so the web looks
up `ADVICE[code].text`, translates that and fills in `Finding.values`. No model is needed to import this.
Components are named as in ISO/IEC 29794-5:2025, whose open reference implementation is OFIQ.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from core.words import N_


class Severity(StrEnum):
    """What an issue means for the photo."""

    BLOCK = "block"  # cannot be used
    WARN = "warn"  # usable, a better one would help
    INFO = "info"  # nothing to do


class Issue(StrEnum):
    """Stable codes; the first group are those of `core.image.kinds`'s errors, and a fault of ours."""

    UNREADABLE = "unreadable"
    EMPTY_FILE = "empty_file"
    NOT_A_PHOTO = "not_a_photo"
    DAMAGED = "damaged"
    FILE_TOO_LARGE = "file_too_large"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_FEW_PIXELS = "too_few_pixels"
    CHECK_FAILED = "check_failed"

    NO_FACE = "no_face"
    FACE_CUT_OFF = "face_cut_off"
    FACE_TOO_SMALL = "face_too_small"
    EYES_CLOSED = "eyes_closed"
    EYES_HIDDEN = "eyes_hidden"
    TURNED_AWAY = "turned_away"
    HAND_OVER_EYE = "hand_over_eye"

    SEVERAL_PEOPLE = "several_people"
    LOW_RESOLUTION = "low_resolution"
    SMALL_IN_FRAME = "small_in_frame"
    HEAD_TOUCHES_EDGE = "head_touches_edge"
    CROPPED_TOO_TIGHTLY = "cropped_too_tightly"
    DARK = "dark"
    BACK_LIGHT = "back_light"
    OVEREXPOSED = "overexposed"
    SIDE_LIGHT = "side_light"
    BLURRED = "blurred"
    TOO_BLURRED = "too_blurred"
    HEAD_TURNED = "head_turned"
    HEAD_NODDED = "head_nodded"
    HEAD_TILTED = "head_tilted"
    EYES_NEARLY_CLOSED = "eyes_nearly_closed"
    ONE_EYE_CLOSED = "one_eye_closed"
    GLARE = "glare"
    MASK = "mask"
    HAND_OVER_FACE = "hand_over_face"
    COLOUR_CAST = "colour_cast"
    SCREENSHOT = "screenshot"
    BLOCKS = "blocks"
    ENLARGED = "enlarged"
    SHOULDERS_CUT = "shoulders_cut"
    HARD_TO_CUT_OUT = "hard_to_cut_out"
    GRAINY = "grainy"
    BLACK_AND_WHITE = "black_and_white"
    MOUTH_OPEN = "mouth_open"
    MAY_BE_SOMEONE_ELSE = "may_be_someone_else"

    TURNED_UPRIGHT = "turned_upright"
    NEAR_DUPLICATE = "near_duplicate"
    BUSY_BACKGROUND = "busy_background"
    PEOPLE_BEHIND = "people_behind"


class Advice(NamedTuple):
    """What an issue means and what to do."""

    severity: Severity
    text: str  # may hold %(name)s, filled from `Finding.values`
    component: str | None = None  # of ISO/IEC 29794-5


ADVICE: Final[dict[Issue, Advice]] = {
    Issue.UNREADABLE: Advice(Severity.BLOCK, N_("This file cannot be read. Please choose another photo.")),
    Issue.EMPTY_FILE: Advice(Severity.BLOCK, N_("This file is empty. Please choose the photo again.")),
    Issue.NOT_A_PHOTO: Advice(
        Severity.BLOCK,
        N_("This is not a photo that can be used here. Please upload a JPEG, PNG, WebP, HEIC or AVIF."),
    ),
    Issue.DAMAGED: Advice(
        Severity.BLOCK,
        N_("This photo is damaged or was cut short on its way. Please upload the original again."),
    ),
    Issue.FILE_TOO_LARGE: Advice(
        Severity.BLOCK, N_("This file is too large. Please upload the photo as your phone saved it.")
    ),
    Issue.TOO_MANY_PIXELS: Advice(
        Severity.BLOCK,
        N_("This picture has too many pixels. Please upload the photo as your phone saved it."),
    ),
    Issue.TOO_FEW_PIXELS: Advice(
        Severity.BLOCK,
        N_(
            "One side of this picture has fewer than 64 pixels. Please upload the photo as your phone saved it."
        ),
    ),
    Issue.CHECK_FAILED: Advice(
        Severity.BLOCK,
        N_("Something went wrong here while this photo was checked; it may be fine. Please try another one."),
    ),
    Issue.NO_FACE: Advice(
        Severity.BLOCK,
        N_("No face was found. Please use a photo that shows your face from the front, in good light."),
        "Single face present",
    ),
    Issue.SEVERAL_PEOPLE: Advice(
        Severity.WARN,
        N_("There is more than one person in this photo. Please say which face is yours."),
        "Single face present",
    ),
    Issue.FACE_CUT_OFF: Advice(
        Severity.BLOCK,
        N_("Part of your face is outside the photo. Please use one that shows your whole head."),
        "Crop of the face image",
    ),
    Issue.FACE_TOO_SMALL: Advice(
        Severity.BLOCK,
        N_("Your face is too small in this photo for a sharp headshot. Please come closer to the camera."),
        "Inter-eye distance",
    ),
    Issue.EYES_CLOSED: Advice(
        Severity.BLOCK, N_("Your eyes are closed here. Please use another photo."), "Eyes open"
    ),
    Issue.EYES_HIDDEN: Advice(
        Severity.BLOCK,
        N_("Your eyes cannot be seen. Please take off dark glasses and try again."),
        "Eyes visible",
    ),
    Issue.TURNED_AWAY: Advice(
        Severity.BLOCK,
        N_("Your face is turned far to the side. Please look towards the camera."),
        "Head pose yaw",
    ),
    Issue.HAND_OVER_EYE: Advice(
        Severity.BLOCK,
        N_("A hand covers one of your eyes. Please take it away from your face and try again."),
        "Eyes visible",
    ),
    Issue.TOO_BLURRED: Advice(
        Severity.BLOCK,
        N_(
            "Your face is too blurred for a headshot. Hold the phone still, or rest it on something, and try again."
        ),
        "Sharpness",
    ),
    Issue.CROPPED_TOO_TIGHTLY: Advice(
        Severity.BLOCK,
        N_(
            "The photo ends too close to your head. Please use one that shows all of your hair and your shoulders."
        ),
        "Margin of the face image",
    ),
    Issue.LOW_RESOLUTION: Advice(
        Severity.WARN,
        N_("This photo stays sharp up to %(pixels)s pixels. For larger headshots, use a larger original."),
        "Inter-eye distance",
    ),
    Issue.SMALL_IN_FRAME: Advice(
        Severity.WARN,
        N_("You are small in this photo. Come closer, so that head and shoulders fill it."),
        "Head size",
    ),
    Issue.HEAD_TOUCHES_EDGE: Advice(
        Severity.WARN,
        N_("Your hair touches the edge of the photo. Leave some space above your head."),
        "Margin above of the face image",
    ),
    Issue.DARK: Advice(
        Severity.WARN,
        N_("Your face is dark in this photo. Turn towards a window or a lamp and try again."),
        "Under-exposure prevention",
    ),
    Issue.BACK_LIGHT: Advice(
        Severity.WARN,
        N_("The light comes from behind you. Turn around, so that it falls on your face."),
        "Dynamic range",
    ),
    Issue.SCREENSHOT: Advice(
        Severity.WARN,
        N_(
            "This looks like a screenshot or a framed picture. Please upload the original photo: it is larger and sharper."
        ),
    ),
    Issue.OVEREXPOSED: Advice(
        Severity.WARN,
        N_("Parts of your face are too bright. Step out of the direct sun or lamp."),
        "Over-exposure prevention",
    ),
    Issue.SIDE_LIGHT: Advice(
        Severity.WARN,
        N_("The light comes from one side. Step back from the window and turn towards it."),
        "Illumination uniformity",
    ),
    Issue.BLURRED: Advice(
        Severity.WARN,
        N_("Your face is not sharp. Wipe the lens, hold the phone still and try again."),
        "Sharpness",
    ),
    Issue.ENLARGED: Advice(
        Severity.WARN,
        N_(
            "This picture has less detail than pixels, as if an app had enlarged or smoothed it. Please upload the original."
        ),
        "Sharpness",
    ),
    Issue.BLOCKS: Advice(
        Severity.WARN,
        N_("This photo was saved so small that squares show. Please upload the original from your camera."),
        "Compression artefacts",
    ),
    Issue.SHOULDERS_CUT: Advice(
        Severity.WARN,
        N_(
            "This photo ends close to your face, so your head becomes larger than your colleagues’. Show your shoulders."
        ),
        "Margin below of the face image",
    ),
    Issue.HARD_TO_CUT_OUT: Advice(
        Severity.WARN,
        N_("You are hard to tell apart from what is behind you here. Stand alone, before a plain wall."),
        "Background uniformity",
    ),
    Issue.GRAINY: Advice(
        Severity.WARN,
        N_("This photo is grainy. Take one in more light, by a window for example."),
    ),
    Issue.BLACK_AND_WHITE: Advice(
        Severity.WARN,
        N_("This photo has no natural colours. Please use one that was not made black and white or toned."),
        "Natural colour",
    ),
    Issue.HEAD_TURNED: Advice(
        Severity.WARN,
        N_("Your head is turned to the side. Look straight into the camera."),
        "Head pose yaw",
    ),
    Issue.HEAD_NODDED: Advice(
        Severity.WARN,
        N_("The camera is not at the height of your eyes. Raise or lower it to eye level."),
        "Head pose pitch",
    ),
    Issue.HEAD_TILTED: Advice(
        Severity.WARN, N_("Your head is tilted. Hold head and camera straight."), "Head pose roll"
    ),
    Issue.EYES_NEARLY_CLOSED: Advice(
        Severity.WARN,
        N_("Your eyes are nearly closed. Please take another photo with your eyes open."),
        "Eyes open",
    ),
    Issue.ONE_EYE_CLOSED: Advice(
        Severity.WARN,
        N_("One of your eyes is closed. Please take another photo with both eyes open."),
        "Eyes open",
    ),
    Issue.GLARE: Advice(
        Severity.WARN,
        N_("A lamp or window is reflected in your glasses. Lower your chin a little or turn from the light."),
        "Eyes visible",
    ),
    Issue.MASK: Advice(
        Severity.WARN,
        N_("Something covers your nose and mouth. Please take off a mask or scarf and try again."),
        "Mouth occlusion prevention",
    ),
    Issue.HAND_OVER_FACE: Advice(
        Severity.WARN,
        N_("A hand covers part of your face. Please take it away and try again."),
        "Face occlusion prevention",
    ),
    Issue.COLOUR_CAST: Advice(
        Severity.WARN,
        N_("The light is strongly coloured. Daylight or a white lamp shows your real colours."),
        "Natural colour",
    ),
    Issue.MOUTH_OPEN: Advice(
        Severity.WARN,
        N_("Your mouth is wide open here. A closed mouth or a smile looks calmer in a headshot."),
        "Mouth closed",
    ),
    Issue.MAY_BE_SOMEONE_ELSE: Advice(
        Severity.WARN,
        N_("This may not be the person of the other photos. Please remove it if it is not you."),
    ),
    Issue.TURNED_UPRIGHT: Advice(
        Severity.INFO, N_("This photo lay on its side or upside down. It has been turned upright.")
    ),
    Issue.NEAR_DUPLICATE: Advice(
        Severity.INFO,
        N_("This photo is nearly the same as another one. A different moment gives you more choice."),
    ),
    Issue.BUSY_BACKGROUND: Advice(
        Severity.INFO,
        N_("The background around your hair is busy. A plain wall lets your hair be cut out more finely."),
        "Background uniformity",
    ),
    Issue.PEOPLE_BEHIND: Advice(
        Severity.INFO,
        N_("Somebody is in the background. They will not be in your headshot."),
        "Single face present",
    ),
}
