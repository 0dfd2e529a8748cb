"""Everything that is measured on one face, each in as few pixels as it needs."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from core.checks.verdict import DELIVERY_SIZES, Measures
from core.style.framing import largest_frame
from core.style.spec import Crop
from workers.vision import covering, detail, eyes, light, photometry
from workers.vision.artefacts import iris_contrasts
from workers.vision.color import to_linear
from workers.vision.full_resolution import View
from workers.vision.geometry import Box, Face, Pixels
from workers.vision.glasses import wears_glasses
from workers.vision.skin import skin_tone

_FACE_EYES: Final = 120.0  # px between the eyes while measuring the face
_WHITES_EYES: Final = 240.0  # px between the eyes while measuring the whites, which are small
_AROUND_EYES: Final = 24.0  # px between the eyes while measuring the surroundings
_SEEN: Final = 0.6  # stops between an eye's white and its iris, see `artefacts.iris_contrast`
_TURNED: Final = 0.6  # cosine of the yaw; beyond 53 degrees the mesh guesses


def measured(view: View) -> Measures:
    """Measure the face of a view; size and count of the photo's faces are left to the caller.

    Light is measured on the face alone; hands and clutter are looked for a face's width around it, the
    brightness behind the person three.
    """
    face, place = view.face, view.place
    small, moved = _part(view, 0.1, 0.1, _FACE_EYES)
    linear = to_linear(small)
    exposed = light.exposure(small, moved)
    azimuth, elevation = light.direction(linear, moved)
    close, near = _part(view, 0.0, 0.0, _WHITES_EYES)
    cast = eyes.cast(close, near)
    lab = _lab(small)
    unlike, redder = covering.lower_face(lab, moved)
    _, red, yellow = covering.bare_skin(lab, moved)
    irises = iris_contrasts(close, near)
    glare = covering.glare(small, moved)
    sharp = detail.sharpness(view.pixels, face)
    around, there = _part(view, 1.0, 1.0, _FACE_EYES)
    hands = covering.hands(around, there)
    closed, opened = face.eye_openings
    head = face.head_height / place.scale
    # As in ISO/IEC 29794-5, a turned head is not taken for a smaller one.
    distance = face.eye_distance / place.scale / max(_TURNED, float(np.cos(np.radians(face.yaw))))
    crown = place.top + float(face.crown[1]) / place.scale
    return Measures(
        eye_distance_px=round(distance, 1),
        head_height_fraction=round(head / place.picture.height, 3),
        head_room_ratio=round((crown - place.picture.top) / head, 2),
        chest_room_ratio=round((place.picture.bottom - place.box(face).bottom) / head, 2),
        sharp_up_to_px=sharp_up_to(largest_frame(head, Crop().head_height)),
        yaw_degrees=round(face.yaw, 1),
        pitch_degrees=round(face.pitch, 1),
        roll_degrees=round(face.roll, 1),
        eye_opening_ratio=round(closed, 3),
        wider_eye_opening_ratio=round(opened, 3),
        mouth_opening_ratio=round(face.mouth_opening, 3),
        socket_light_ratio=round(photometry.socket_light(linear, moved), 3),
        glare_fraction=round(glare, 4),
        lower_face_delta_e=round(unlike, 1),
        lip_redness_lab=round(redder, 1),
        mouth_lines_log=round(covering.mouth_lines(small, moved), 2),
        hand_fraction=round(hands.fraction, 3),
        # An eye that is seen is behind nothing.
        eye_behind_hand=any(
            behind and (irises is None or iris < _SEEN)
            for behind, iris in zip(hands.eyes, irises or (0.0, 0.0), strict=True)
        ),
        iris_contrast_stops=None if irises is None else round(max(irises), 2),
        glasses_seen=glare > 0 and wears_glasses(*_part(view, 0.3, 0.3, _WHITES_EYES)),
        eye_white_luminance=round(photometry.eye_white(linear, moved), 3),
        highlights_luminance=round(light.brightest(linear, moved), 3),
        luminance_mean=round(exposed.mean, 3),
        under_exposed_fraction=round(exposed.under, 4),
        clipped_fraction=round(photometry.clipped(small, moved), 4),
        dynamic_range_bits=round(exposed.bits, 2),
        back_light_stops=round(_back_light(view, photometry.skin_level(linear, moved)), 2),
        side_light_stops=round(photometry.side_light(linear, moved), 2),
        light_uniformity=round(exposed.uniformity, 3),
        light_azimuth_degrees=azimuth,
        light_elevation_degrees=elevation,
        colour_cast_lab=None if cast is None else round(cast, 1),
        sharpness=round(sharp.value, 1),
        finest_detail_db=round(detail.finest(view.pixels, face), 1),
        sharpness_eyes_px=round(sharp.eyes, 1),
        grain_levels=round(detail.grain(view.pixels, face), 1),
        skin_hue_degrees=round(float(np.degrees(np.arctan2(yellow, red))), 1),
        skin_chroma_lab=round(float(np.hypot(red, yellow)), 1),
        colours_lab=round(photometry.colours(view.pixels), 1),
        clutter_ratio=round(photometry.clutter(around, there), 3),
        skin_lightness=round(skin_tone(small, moved).lightness, 1),
    )


def sharp_up_to(frame_px: float) -> int:
    """Return the largest common size that is no larger than the frame that a photo carries, pixels."""
    return max((px for px in DELIVERY_SIZES if px <= frame_px), default=DELIVERY_SIZES[0])


def _part(view: View, across: float, down: float, eye_distance: float) -> tuple[Pixels, Face]:
    """Return the face with its surroundings, `across` and `down` faces wide, at most so many px between the eyes."""
    box = view.face.box
    x, y = across * box.width, down * box.height
    rows, columns = photometry.inside(
        Box(box.left - x, box.top - y, box.right + x, box.bottom + min(y, box.height)), view.pixels
    )
    scale = min(1.0, eye_distance / max(view.face.eye_distance, 1.0))
    small = photometry.reduced(view.pixels[rows, columns], scale)
    return small, view.face.moved(-columns.start, -rows.start, scale)


def _lab(pixels: Pixels) -> photometry.Lab:
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB), np.float32)


def _back_light(view: View, level: float) -> float:
    """Return by how many stops the surroundings are brighter than the skin."""
    small, moved = _part(view, 3.0, 3.0, _AROUND_EYES)
    return float(np.log2(max(photometry.surroundings(to_linear(small), moved), 1e-3) / max(level, 1e-3)))
