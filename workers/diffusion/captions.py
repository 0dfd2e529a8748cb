"""What a training picture is said to show: a template and the photo's own facts.

What is named is learned as what it is and stays free to change; what is not named becomes part of the
person. So clothes and setting, light, framing, the turn of the head, a smile and glasses are named, and features
are not; age, gender and complexion never are. What lies over hair is not named: a headscarf stays with who wears it.
"""

from __future__ import annotations

from typing import Final

from core.checks.verdict import Measures
from workers.diffusion.worn import Worn
from workers.vision.geometry import Face

SUBJECT: Final = "a photo of {word} person"
# Words without a meaning of their own, as DreamBooth trainers use them.
PERSON: Final = "ohwx"
LOOK: Final = "in zwx style"
GLASSES: Final = "wearing glasses"

_TURNED: Final = 10.0  # degrees of yaw that are seen as a turn
_PROFILE: Final = 28.0  # degrees, from where the photo check calls a head turned
_OPEN: Final = 0.1  # mouth opening; closed lips had up to 0.05, smiles with teeth 0.17 and more
_SIDE: Final = 0.5  # stops between the cheeks, from where light is seen to come from a side
_AGAINST: Final = 0.7  # stops that the surroundings are brighter than the face, as in the photo check
_DIM: Final = 0.12  # luminance of the eye whites, as in the photo check
_CLOSE: Final = 0.6  # head height over the picture's height
_FAR: Final = 0.3
_SOFT: Final = 1.5  # times that a picture had to be enlarged


def caption(
    word: str,
    face: Face,
    measures: Measures,
    *,
    head: float,
    enlarged: float,
    worn: Worn,
    setting: str,
    flipped: bool = False,
) -> str:
    """Describe a training picture.

    Args:
        word: The rare word that stands for the person.
        face: As in the photo, not mirrored.
        measures: Of the photo.
        head: Head height over the picture's height.
        enlarged: Times that the picture had to be enlarged.
        worn: What the person wears.
        setting: What is behind, in words; may be empty.
        flipped: The picture is mirrored, so sides change.
    """
    parts = [SUBJECT.format(word=word), _framing(head), _turn(face, flipped=flipped), _look(face)]
    if worn.glasses:
        parts.append(GLASSES)
    parts += [worn.clothes, _light(measures, flipped=flipped), setting]
    if enlarged > _SOFT:
        parts.append("low resolution")
    return ", ".join(part for part in parts if part)


def _framing(head: float) -> str:
    if head > _CLOSE:
        return "close-up"
    return "half length" if head < _FAR else "head and shoulders"


def _turn(face: Face, *, flipped: bool) -> str:
    yaw = -face.yaw if flipped else face.yaw
    if abs(yaw) < _TURNED:
        return "facing the camera"
    side = "right" if yaw > 0 else "left"
    return f"head turned {'' if abs(yaw) > _PROFILE else 'slightly '}to the {side} of the picture"


def _look(face: Face) -> str:
    opened = face.mouth_opening > _OPEN
    if face.smiles:
        return "broad smile" if opened else "smiling with closed lips"
    return "mouth open" if opened else "neutral expression"


def _light(measures: Measures, *, flipped: bool) -> str:
    white, back, side = (
        measures.eye_white_luminance,
        measures.back_light_stops,
        measures.side_light_stops,
    )
    if back is not None and white is not None and back > _AGAINST and white < _DIM:
        return "light from behind"
    if side is not None and abs(side) > _SIDE:
        # The measure is the picture's right cheek over its left.
        right = (side > 0) != flipped
        return f"light from the {'right' if right else 'left'}"
    return "dim light" if white is not None and white < _DIM else "even light"
