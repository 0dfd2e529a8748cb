"""What the brand studio calls its fields: beside each of them, and where it says what is wrong with one."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

LABELS: dict[str, Any] = {
    "name": _l("Name of the style"),
    "backdrop_kind": _l("Kind of backdrop"),
    "inner": _l("Behind the head"),
    "outer": _l("In the corners"),
    "falloff": _l("Falloff"),
    "color": _l("Colour of the backdrop"),
    "scene": _l("Place"),
    "seed": _l("Arrangement"),
    "scene_blur": _l("Blur of the place"),
    "scene_exposure": _l("Brightness of the place"),
    "image": _l("Picture"),
    "blur": _l("Blur of the picture"),
    "contact": _l("Light around the person"),
    "grain": _l("Grain"),
    "eye_line": _l("Height of the eyes"),
    "head_height": _l("Size of the head"),
    "aspect": _l("Shape of the frame"),
    "strength": _l("How much the light counts"),
    "azimuth": _l("Side of the light"),
    "elevation": _l("Height of the lamp"),
    "light_contrast": _l("Hardness"),
    "exposure": _l("Brightness"),
    "contrast": _l("Contrast"),
    "warmth": _l("Warmth"),
    "saturation": _l("Strength of the colours"),
    "fade": _l("Black of the film"),
    "attire": _l("Clothes"),
    "expression": _l("Expression"),
    "use_logo": _l("Logo"),
    "corner": _l("Corner of the logo"),
    "logo_width": _l("Size of the logo"),
    "logo_opacity": _l("Strength of the logo"),
    "closer": _l("Closer crop to choose"),
    "use_variant_1": _l("Offer a further colour"),
    "use_variant_2": _l("Offer a second further colour"),
    "variant_1": _l("First further colour"),
    "variant_2": _l("Second further colour"),
    "edits": _l("People may ask for small edits"),
    "outputs": _l("Sizes of your own"),
    "avatar_shape": _l("Shape of the avatar"),
    "avatar_border": _l("Ring around it"),
    "avatar_color": _l("Colour of the ring"),
}

# Of a size in the list of one's own, by its key in the style.
SIZE_PARTS: dict[str, Any] = {
    "name": _l("name"),
    "width": _l("width"),
    "height": _l("height"),
    "width_mm": _l("width in mm"),
    "height_mm": _l("height in mm"),
    "format": _l("format"),
    "frame": _l("frame"),
    "border": _l("ring"),
    "dpi": _l("dpi"),
    "head_height": _l("head"),
    "eye_line": _l("eyes"),
}
