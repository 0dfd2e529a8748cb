"""One photographer: how alike the headshots of very different sources are, in each preset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from compliance.consent import own_photos
from core.image.kinds import PhotoFormat
from core.style.outputs import Output
from core.style.presets import PRESETS
from core.style.spec import StyleSpec
from deploy.bench.sources import AS_TAKEN, GLARE, hair_volumes, in_a_glare, sources
from workers.pipeline.judgement import judge
from workers.studio.align import CroppedTooTightly, Framing, place, region
from workers.studio.finish import carried_size, finish
from workers.studio.light import asked
from workers.studio.texture import grain_of
from workers.vision.color import luminance, to_linear
from workers.vision.cutout import Cutout, Mask
from workers.vision.decode import Picture, decode
from workers.vision.detail import sharpness
from workers.vision.faces import find_faces
from workers.vision.geometry import CHIN, Face, Pixels
from workers.vision.light import face_area
from workers.vision.matting import matte
from workers.vision.photometry import side_light
from workers.vision.skin import SkinTone, around, skin_mask, skin_tone

Report = Callable[[dict[str, Any], str], None]

_OUTPUT: Final = Output(name="square", width=1024, height=1024)
_BESIDE: Final = 0.42  # head heights from the chin's middle, where shoulders begin
_FEW: Final = 0.005  # of the picture must be shoulders
_SIDED: Final = 0.15  # stops between the cheeks, from which on a light is seen to come from one side
_CUT: Final = StyleSpec(outputs=(_OUTPUT,))  # the roomiest crop of all presets


@dataclass(frozen=True, slots=True)
class _Source:
    """One picture of one person, cut out.

    Attributes:
        kind: What was done to the photo.
        cutout: The person.
        tone: Of the picture itself.
        own: Of the photo as it was taken.
    """

    kind: str
    cutout: Cutout
    tone: SkinTone
    own: SkinTone


def bench_series(report: Report, photos: Mapping[str, bytes]) -> None:
    """Print each preset's figures over everybody's photo as taken, and over all that can be made of it.

    Args:
        report: Takes the figures.
        photos: One of each person.
    """
    everything = [source for content in photos.values() for source in _sources(content)]
    for name, preset in PRESETS.items():
        style = preset.model_copy(update={"outputs": (_OUTPUT,)})
        made = [(source, one) for source in everything if (one := _figures(source, style)) is not None]
        for title, chosen in (
            ("as taken", [pair for pair in made if pair[0].kind == AS_TAKEN]),
            ("all sources", made),
        ):
            _tell(report, name, title, chosen)


def _sources(content: bytes) -> Iterator[_Source]:
    consent, taken = own_photos(), decode(content).pixels
    own: SkinTone | None = None
    for kind, pixels in sources(taken, find_faces(taken)[0]):
        picture = Picture(np.ascontiguousarray(pixels), PhotoFormat.PNG, pixels.shape[1], pixels.shape[0])
        seen = judge(picture, consent, style=_CUT)
        if not seen.verdict.accepted or seen.pixels is None or seen.face is None:
            continue
        shown = region(seen.face, _CUT.crop, _CUT.room)
        cutout = matte(seen.pixels, seen.face, list(seen.others), shown, max_side=round(1.3 * _OUTPUT.height))
        tone = skin_tone(seen.pixels, seen.face)
        own = own or tone
        yield _Source(kind, cutout, tone, own)
        if kind == AS_TAKEN:
            yield _Source(GLARE, in_a_glare(cutout), tone, own)
            yield from (_Source(name, changed, tone, own) for name, changed in hair_volumes(cutout))


def _figures(source: _Source, style: StyleSpec) -> dict[str, float] | None:
    try:
        done = finish(source.cutout, style, carried_size(source.cutout, style))
    except CroppedTooTightly:
        return None
    faces = find_faces(done.pixels)
    if not faces:
        return None
    face, height = faces[0], done.pixels.shape[0]
    tone, linear = skin_tone(done.pixels, face), to_linear(done.pixels)
    width = done.pixels.shape[1]
    # What the same crop of the photo would have been, with nothing done to its light and texture.
    raw, alpha, there = place(source.cutout, done.framing, width, height)
    return {
        "gap": 100 * done.framing.gap,
        "head": face.head_at_rest / height,
        "eyes": 100 * float(face.right_eye[1] + face.left_eye[1]) / 2 / height,
        "ita": abs(tone.ita - source.tone.ita),
        "light": _stops(tone, source.own),
        "light_before": _stops(source.tone, source.own),
        "asked": asked(face, style.light),
        "side": side_light(linear, face),
        "side_before": side_light(to_linear(source.cutout.foreground), source.cutout.face),
        "shine": _shine(done.pixels, face),
        "shine_before": _shine(source.cutout.foreground, source.cutout.face),
        "sharp": _sharp(done.pixels, face, done.framing),
        "sharp_before": _sharp(raw, there, done.framing),
        "grain": _grain(done.pixels, face),
        "grain_before": _grain(raw, there),
        "tighter": done.framing.tighter,
        **_glares(source, raw, done.pixels, alpha, there),
    }


def _stops(tone: SkinTone, than: SkinTone) -> float:
    """Return how much brighter one tone is than the other, stops; L* + 16 is 116 times the cube root of light."""
    return float(3 * np.log2((tone.lightness + 16) / (than.lightness + 16)))


def _shine(pixels: Pixels, face: Face) -> float:
    """Return by how many stops the brightest hundredth of the skin is over its middle."""
    values = luminance(to_linear(pixels))[skin_mask(pixels.shape, face)]
    return float(np.log2(np.percentile(values, 99) / max(float(np.median(values)), 1e-4)))


def _sharp(pixels: Pixels, face: Face, framing: Framing) -> float:
    """Return how sharp a face is, in times of what looks sharp with so many pixels."""
    found = sharpness(pixels, face, 1 / framing.resolution)
    return found.value / found.enough


def _grain(pixels: Pixels, face: Face) -> float:
    """Return the noise of the smoothest patches of a face, 8-bit levels."""
    part, moved = around(pixels, face)
    return 255 * grain_of(part.astype(np.float32) / 255, face_area(part.shape, moved).astype(np.float32))


def _glares(source: _Source, raw: Pixels, pixels: Pixels, alpha: Mask, face: Face) -> dict[str, float]:
    """Return by how many stops the brightest tenth of the shoulders is over their middle, where the sun is on one."""
    x, chin = face.landmarks[CHIN, :2]
    down, across = np.indices(alpha.shape, np.float32)
    shoulders = (alpha > 0.95) & (down > chin) & (np.abs(across - x) > _BESIDE * face.head_height)
    if source.kind != GLARE or shoulders.mean() < _FEW:
        return {}

    def glare(seen: Pixels) -> float:
        values = luminance(to_linear(seen))[shoulders]
        return float(np.log2(np.percentile(values, 90) / max(float(np.median(values)), 1e-4)))

    return {"glare": glare(pixels), "glare_before": glare(raw)}


def _from_other_side(side: NDArray[np.float64], asked: NDArray[np.float64]) -> int:
    return int(((side * asked < 0) & (np.abs(side) > _SIDED)).sum())


def _tell(report: Report, style: str, title: str, made: list[tuple[_Source, dict[str, float]]]) -> None:
    if not made:
        return
    names = dict.fromkeys(name for _, one in made for name in one)
    found = {name: np.array([one[name] for _, one in made if name in one]) for name in names}
    figures = {
        "gap_mean_percent": found["gap"].mean(),
        "gap_least_percent": found["gap"].min(),
        "gap_most_percent": found["gap"].max(),
        "head_cv_percent": 100 * found["head"].std() / found["head"].mean(),
        "eye_line_sd_percent": found["eyes"].std(),
        "ita_median_degrees": np.median(found["ita"]),
        "ita_worst_degrees": found["ita"].max(),
        "light_sd_stops": found["light"].std(),
        "light_before_sd_stops": found["light_before"].std(),
        "side_sd_stops": found["side"].std(),
        "side_before_sd_stops": found["side_before"].std(),
        "other_side": _from_other_side(found["side"], found["asked"]),
        "other_side_before": _from_other_side(found["side_before"], found["asked"]),
        "shine_most_stops": found["shine"].max(),
        "shine_before_most_stops": found["shine_before"].max(),
        "sharp_sd": found["sharp"].std(),
        "sharp_before_sd": found["sharp_before"].std(),
        "sharp_least": found["sharp"].min(),
        "sharp_before_least": found["sharp_before"].min(),
        "grain_sd_levels": found["grain"].std(),
        "grain_before_sd_levels": found["grain_before"].std(),
    }
    if "glare" in found:
        figures |= {
            "glare_stops": found["glare"].mean(),
            "glare_before_stops": found["glare_before"].mean(),
        }
    rounded = {name: round(float(value), 2) for name, value in figures.items()}
    glare = (
        f"; sun on a shoulder {rounded['glare_stops']} stops ({rounded['glare_before_stops']})"
        if "glare" in found
        else ""
    )
    report(
        {"figure": "series", "style": style, "of": title, "pictures": len(made), **rounded},
        f"{style}, {title} ({len(made)}): gap above the hair {rounded['gap_least_percent']} to "
        f"{rounded['gap_most_percent']} %, face size CV {rounded['head_cv_percent']} %, eye line SD "
        f"{rounded['eye_line_sd_percent']} %; ITA off the photo {rounded['ita_median_degrees']}° median, "
        f"{rounded['ita_worst_degrees']}° worst; light off the person's own SD {rounded['light_sd_stops']} stops "
        f"({rounded['light_before_sd_stops']} before), between the cheeks {rounded['side_sd_stops']} "
        f"({rounded['side_before_sd_stops']}), from the other side {rounded['other_side']:.0f} "
        f"({rounded['other_side_before']:.0f}); shine at most {rounded['shine_most_stops']} stops "
        f"({rounded['shine_before_most_stops']}); sharpness SD {rounded['sharp_sd']}, least {rounded['sharp_least']} "
        f"({rounded['sharp_before_sd']}, {rounded['sharp_before_least']}); grain SD {rounded['grain_sd_levels']} levels "
        f"({rounded['grain_before_sd_levels']})" + glare,
    )
