"""Which of a person's photos suits a style, where there is a choice: eyes at the camera, and the expression it asks for.

A photo is never refused for either, and none is made to smile.
"""

from __future__ import annotations

from typing import Final

from core.style.spec import Expression, StyleSpec
from workers.vision.geometry import Face

# Judgement, beside the check's score: a warning costs about as much.
_NOT_SMILING: Final = 0.08  # where the style asks for a smile
_SMILING: Final = 0.05  # where it asks for a neutral face
_SPEAKING: Final = 0.06
_AWAY: Final = 0.15  # at most, for eyes that look elsewhere
# Degrees that eyes may be off the camera. Of seven real photos those at the camera had up to 4°, portraits that look
# past it 9 to 14°, a speaker 34°.
_AT_CAMERA: Final = 12.0
_ELSEWHERE: Final = 30.0
_MOUTH_OPEN: Final = 0.3  # as the photo check says: smiles with teeth have up to 0.25


def suited(face: Face, style: StyleSpec) -> float:
    """Return the factor on a photo's score, at most 1."""
    away = (abs(face.gaze) - _AT_CAMERA) / (_ELSEWHERE - _AT_CAMERA)
    cost = _AWAY * min(1.0, max(0.0, away))
    if face.mouth_opening > _MOUTH_OPEN:
        cost += _SPEAKING
    elif style.subject.expression is Expression.SMILE and not face.smiles:
        cost += _NOT_SMILING
    elif style.subject.expression is Expression.NEUTRAL and face.smiles:
        cost += _SMILING
    return 1.0 - cost
