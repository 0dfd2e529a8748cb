"""Styles to start from, each as one photographer would light, frame and print it."""

from __future__ import annotations

from typing import Final

from core.style.colors import at_luminance, parse_hex, to_hex
from core.style.spec import (
    Attire,
    Crop,
    Expression,
    Grade,
    GradientBackdrop,
    Light,
    Scene,
    SceneBackdrop,
    SolidBackdrop,
    StyleSpec,
    Subject,
)
from core.words import N_

_ACCENT: Final = "#1f3a5f"
# Deep enough that any complexion stands out from it, light enough behind the head to set dark hair off.
_INNER: Final = 0.13  # relative luminance
_OUTER: Final = 0.018

SLATE: Final = "slate"
BRANDED: Final = "brand-gradient"


def branded(accent: str) -> StyleSpec:
    """Return a style before a wall of the company's accent colour (`#rrggbb`)."""
    color = parse_hex(accent)
    return StyleSpec(
        name=N_("Brand gradient"),
        backdrop=GradientBackdrop(
            inner=to_hex(at_luminance(color, _INNER)),
            outer=to_hex(at_luminance(color, _OUTER)),
            falloff=1.0,
            contact=0.15,
        ),
        light=Light(strength=0.6, azimuth=-35, elevation=30, contrast=0.35),
        grade=Grade(contrast=0.12, saturation=1.0),
        subject=Subject(attire=Attire.BUSINESS_CASUAL, expression=Expression.SMILE),
    )


PRESETS: Final[dict[str, StyleSpec]] = {
    SLATE: StyleSpec(
        name=N_("Slate"),
        backdrop=GradientBackdrop(inner="#ced6de", outer="#6f7c8b", falloff=1.1, contact=-0.15),
        light=Light(strength=0.6, azimuth=-35, elevation=35, contrast=0.3),
        grade=Grade(contrast=0.1, warmth=-0.1, saturation=0.97),
        subject=Subject(attire=Attire.BUSINESS, expression=Expression.SOFT_SMILE),
    ),
    "warm-office": StyleSpec(
        name=N_("Warm office"),
        # The window of this arrangement is on the picture's left, so the light comes from there.
        backdrop=SceneBackdrop(scene=Scene.OFFICE, seed=3),
        light=Light(strength=0.6, azimuth=-45, elevation=20, contrast=0.3, exposure=0.05),
        grade=Grade(contrast=0.06, warmth=0.2, saturation=1.02, fade=0.015),
        subject=Subject(attire=Attire.BUSINESS_CASUAL, expression=Expression.SMILE),
    ),
    "high-key": StyleSpec(
        name=N_("High-key white"),
        backdrop=SolidBackdrop(color="#f7f8f9", contact=0.1, grain=0.5),
        light=Light(strength=0.75, azimuth=0, elevation=25, contrast=0.05, exposure=0.15),
        grade=Grade(contrast=0.02, saturation=1.03, fade=0.02),
        subject=Subject(attire=Attire.CASUAL, expression=Expression.SMILE),
    ),
    "charcoal": StyleSpec(
        name=N_("Charcoal low-key"),
        backdrop=GradientBackdrop(inner="#50565f", outer="#14161a", falloff=0.8, contact=0.2),
        crop=Crop(eye_line=0.43, head_height=0.64),
        # Rembrandt's lamp: so far to the side that a triangle of light is left on the far cheek.
        light=Light(strength=0.8, azimuth=-45, elevation=40, contrast=0.45),
        # The wall makes it low-key: a face that is darker or has less colour is another complexion.
        grade=Grade(contrast=0.2, warmth=0.04, saturation=0.95),
        subject=Subject(attire=Attire.BUSINESS, expression=Expression.NEUTRAL),
    ),
    BRANDED: branded(_ACCENT),
    "outdoors": StyleSpec(
        name=N_("Outdoors"),
        backdrop=SceneBackdrop(scene=Scene.GARDEN, seed=1),
        light=Light(strength=0.55, azimuth=25, elevation=40, contrast=0.15, exposure=0.05),
        grade=Grade(contrast=0.07, warmth=0.12, saturation=1.04, fade=0.01),
        subject=Subject(attire=Attire.CASUAL, expression=Expression.SOFT_SMILE),
    ),
}


def presets(accent: str) -> dict[str, StyleSpec]:
    """Return the presets, one of them in the company's accent colour (`#rrggbb`)."""
    return {**PRESETS, BRANDED: branded(accent)}
