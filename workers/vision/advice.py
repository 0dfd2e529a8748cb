"""Everything a photo check can say: one table of code → severity and advice.

The English sentence is also the key for translation (`N_` marks it for the catalogue), so the web looks
up `ADVICE[code].text` and translates that. No model is needed to import this.
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
    """Stable codes; the first group are those of `workers.vision.decode`'s errors."""

    UNREADABLE = "unreadable"
    EMPTY_FILE = "empty_file"
    NOT_A_PHOTO = "not_a_photo"
    DAMAGED = "damaged"
    FILE_TOO_LARGE = "file_too_large"
    TOO_MANY_PIXELS = "too_many_pixels"

    NO_FACE = "no_face"
    SIDEWAYS = "sideways"
    SEVERAL_PEOPLE = "several_people"
    FACE_CUT_OFF = "face_cut_off"
    FACE_TOO_SMALL = "face_too_small"
    EYES_CLOSED = "eyes_closed"
    EYES_HIDDEN = "eyes_hidden"
    TURNED_AWAY = "turned_away"

    LOW_RESOLUTION = "low_resolution"
    SMALL_IN_FRAME = "small_in_frame"
    HEAD_TOUCHES_EDGE = "head_touches_edge"
    DARK = "dark"
    BACK_LIGHT = "back_light"
    OVEREXPOSED = "overexposed"
    SIDE_LIGHT = "side_light"
    BLURRED = "blurred"
    HEAD_TURNED = "head_turned"
    HEAD_NODDED = "head_nodded"
    HEAD_TILTED = "head_tilted"
    EYES_NEARLY_CLOSED = "eyes_nearly_closed"

    PEOPLE_BEHIND = "people_behind"


class Advice(NamedTuple):
    """What an issue means and what to do."""

    severity: Severity
    text: str


ADVICE: Final[dict[Issue, Advice]] = {
    Issue.UNREADABLE: Advice(Severity.BLOCK, N_("This file cannot be read. Please choose another photo.")),
    Issue.EMPTY_FILE: Advice(Severity.BLOCK, N_("This file is empty. Please choose the photo again.")),
    Issue.NOT_A_PHOTO: Advice(
        Severity.BLOCK,
        N_("This is not a photo that can be used here. Please upload a JPEG, PNG, WebP or HEIC."),
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
    Issue.NO_FACE: Advice(
        Severity.BLOCK,
        N_("No face was found. Please use a photo that shows your face from the front, in good light."),
    ),
    Issue.SIDEWAYS: Advice(
        Severity.BLOCK, N_("This photo lies on its side. Please turn it upright and upload it again.")
    ),
    Issue.SEVERAL_PEOPLE: Advice(
        Severity.BLOCK, N_("There is more than one person in this photo. Please use one that shows only you.")
    ),
    Issue.FACE_CUT_OFF: Advice(
        Severity.BLOCK,
        N_("Part of your face is outside the photo. Please use one that shows your whole head."),
    ),
    Issue.FACE_TOO_SMALL: Advice(
        Severity.BLOCK,
        N_("Your face is too small in this photo for a sharp headshot. Please come closer to the camera."),
    ),
    Issue.EYES_CLOSED: Advice(Severity.BLOCK, N_("Your eyes are closed here. Please use another photo.")),
    Issue.EYES_HIDDEN: Advice(
        Severity.BLOCK, N_("Your eyes cannot be seen. Please take off dark glasses and try again.")
    ),
    Issue.TURNED_AWAY: Advice(
        Severity.BLOCK, N_("Your face is turned far to the side. Please look towards the camera.")
    ),
    Issue.LOW_RESOLUTION: Advice(
        Severity.WARN,
        N_("This photo has few pixels, so the headshot will be a little soft. A larger original is better."),
    ),
    Issue.SMALL_IN_FRAME: Advice(
        Severity.WARN, N_("You are small in this photo. Come closer, so that head and shoulders fill it.")
    ),
    Issue.HEAD_TOUCHES_EDGE: Advice(
        Severity.WARN, N_("Your hair touches the edge of the photo. Leave some space above your head.")
    ),
    Issue.DARK: Advice(
        Severity.WARN, N_("Your face is dark in this photo. Turn towards a window or a lamp and try again.")
    ),
    Issue.BACK_LIGHT: Advice(
        Severity.WARN, N_("The light comes from behind you. Turn around, so that it falls on your face.")
    ),
    Issue.OVEREXPOSED: Advice(
        Severity.WARN, N_("Parts of your face are too bright. Step out of the direct sun or lamp.")
    ),
    Issue.SIDE_LIGHT: Advice(
        Severity.WARN,
        N_("The light comes from one side. Step back from the window and turn towards it."),
    ),
    Issue.BLURRED: Advice(
        Severity.WARN, N_("Your face is not sharp. Wipe the lens, hold the phone still and try again.")
    ),
    Issue.HEAD_TURNED: Advice(
        Severity.WARN, N_("Your head is turned to the side. Look straight into the camera.")
    ),
    Issue.HEAD_NODDED: Advice(
        Severity.WARN, N_("The camera is not at the height of your eyes. Raise or lower it to eye level.")
    ),
    Issue.HEAD_TILTED: Advice(Severity.WARN, N_("Your head is tilted. Hold head and camera straight.")),
    Issue.EYES_NEARLY_CLOSED: Advice(
        Severity.WARN, N_("Your eyes are nearly closed. Please take another photo with your eyes open.")
    ),
    Issue.PEOPLE_BEHIND: Advice(
        Severity.INFO, N_("Somebody is in the background. They will not be in your headshot.")
    ),
}
