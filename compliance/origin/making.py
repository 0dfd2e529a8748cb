"""How a picture was made, in the words of IPTC and C2PA, and of nobody."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from core.style.spec import GradientBackdrop, ImageBackdrop, SceneBackdrop, SolidBackdrop, StyleSpec
from core.style.variants import OTHER_BACKDROP
from core.version import VERSION

_CODES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"
# IPTC DigitalSourceType of what the studio engine makes: a real photo, retouched without a generative model.
RETOUCHED: Final = _CODES + "algorithmicallyEnhanced"
DRAWN: Final = _CODES + "algorithmicMedia"  # by rules, without a model
_MADE: Final = {
    "diffusion": _CODES + "trainedAlgorithmicMedia",
    "wardrobe": _CODES + "compositeWithTrainedAlgorithmicMedia",
}
_CREATED: Final = {
    "diffusion": "The person was painted by an image model from photos of the person.",
    "wardrobe": "The clothes were painted by an image model; the face is that of a photo.",
}
_BEHIND: Final = {
    SolidBackdrop: "an even colour",
    GradientBackdrop: "a painted studio wall",
    ImageBackdrop: "a picture that the company chose",
    SceneBackdrop: "a place painted by rules, without a model",
}
GENERATOR: Final = "Headshots"


@dataclass(frozen=True, slots=True)
class Action:
    """Something that was done to a picture.

    Attributes:
        name: As C2PA 2.4, §18.15, lists it.
        words: For people, in English.
        source_type: IPTC DigitalSourceType of what it brought in; empty where it brought nothing.
    """

    name: str
    words: str
    source_type: str = ""

    def said(self) -> dict[str, Any]:
        """Return it as a manifest has it."""
        said: dict[str, Any] = {"action": self.name, "description": self.words}
        if self.source_type:
            said["digitalSourceType"] = self.source_type
        if self.name == _OPENED:
            said["parameters"] = {"ingredientIds": [_PHOTO["label"]]}
        return said


_OPENED: Final = "c2pa.opened"
_PHOTO: Final = {"relationship": "parentOf", "label": "photo"}
_FROM_A_PHOTO: Final = Action(_OPENED, "A photo that the person gave.")


@dataclass(frozen=True, slots=True)
class Making:
    """How a picture was made.

    Attributes:
        source_type: IPTC DigitalSourceType; empty where nobody knows.
        actions: What was done, in order; all of it.
    """

    source_type: str
    actions: tuple[Action, ...]

    @classmethod
    def of_headshot(cls, engine: str, style: StyleSpec, notes: Collection[str] = ()) -> Making:
        """Return how a headshot was made.

        Args:
            engine: What made the portrait: `studio`, `diffusion` or `wardrobe`.
            style: What the finisher then turned it into.
            notes: What differs from the style, as the gate report has it.
        """
        source_type = source_type_of(engine)
        behind = _BEHIND[SolidBackdrop if OTHER_BACKDROP in notes else type(style.backdrop)]
        begun = Action("c2pa.created", _CREATED[engine], source_type) if engine in _CREATED else _FROM_A_PHOTO
        return cls(
            source_type,
            (
                begun,
                _edited("edited", f"The background was replaced by {behind}."),
                _edited(
                    "color_adjustments", "White balance, light and tone were set to the company's style."
                ),
                _edited("cropped", "Levelled and cropped to the head and shoulders."),
                _edited("resized", "Brought to the size of the file."),
            ),
        )

    @classmethod
    def of_initials(cls) -> Making:
        """Return how the picture of somebody's initials was made."""
        return cls(DRAWN, (Action("c2pa.created", "Initials, drawn on the company's colour.", DRAWN),))

    @classmethod
    def of_own_picture(cls) -> Making:
        """Return what was done to a picture that somebody gave instead of a headshot."""
        return cls("", (_FROM_A_PHOTO, Action("c2pa.transcoded", "Encoded anew, without its metadata.")))

    def with_logo(self) -> Making:
        """Return how it was made where a logo was put on too."""
        return replace(self, actions=(*self.actions, _edited("edited", "A logo was put into a corner.")))

    def with_label(self) -> Making:
        """Return how it was made where the visible label was put on too."""
        said = "A visible label in a corner says that an image model made or changed the picture."
        return replace(self, actions=(*self.actions, _edited("edited", said)))

    def with_watermark(self) -> Making:
        """Return how it was made where a watermark was put in too."""
        marked = Action("c2pa.watermarked.unbound", "An imperceptible watermark was put in.")
        return replace(self, actions=(*self.actions, marked))

    def manifest(self) -> dict[str, Any]:
        """Return what is signed (C2PA 2.4, actions v2): no name, no time, no picture, and nothing of the selfie.

        A photo that was edited is an ingredient of which only is said that there was one.
        """
        opened = self.actions[0].name == _OPENED
        return {
            "claim_generator_info": [{"name": GENERATOR, "version": VERSION}],
            "ingredients": [_PHOTO] if opened else [],
            "assertions": [
                {
                    "label": "c2pa.actions.v2",
                    "data": {"actions": [one.said() for one in self.actions], "allActionsIncluded": True},
                }
            ],
        }


def source_type_of(engine: str) -> str:
    """Return the IPTC DigitalSourceType of what an engine makes: a file says whether a model painted it."""
    return _MADE.get(engine, RETOUCHED)


def is_model_made(engine: str) -> bool:
    """Return whether an image model made what an engine makes, or a part of it."""
    return engine in _MADE


def _edited(action: str, words: str) -> Action:
    return Action(f"c2pa.{action}", words, RETOUCHED)
