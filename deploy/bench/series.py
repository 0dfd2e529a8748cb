"""One photographer: how alike the headshots of very different sources are, in each preset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from compliance.consent import own_photos
from core.image.kinds import PhotoFormat
from core.style.presets import PRESETS
from core.style.spec import Output, StyleSpec
from deploy.bench.sources import AS_TAKEN, hair_volumes, sources
from workers.pipeline.judgement import judge
from workers.studio.align import CroppedTooTightly, region
from workers.studio.finish import carried_size, finish
from workers.vision.color import luminance, to_linear
from workers.vision.cutout import Cutout
from workers.vision.decode import Picture, decode
from workers.vision.faces import find_faces
from workers.vision.geometry import Face, Pixels
from workers.vision.matting import matte
from workers.vision.photometry import side_light
from workers.vision.skin import SkinTone, skin_mask, skin_tone

Report = Callable[[dict[str, Any], str], None]

_OUTPUT: Final = Output(name="square", width=1024, height=1024)
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
    return {
        "gap": 100 * done.framing.gap,
        "head": face.head_at_rest / height,
        "eyes": 100 * float(face.right_eye[1] + face.left_eye[1]) / 2 / height,
        "ita": abs(tone.ita - source.tone.ita),
        "light": _stops(tone, source.own),
        "light_before": _stops(source.tone, source.own),
        "side": side_light(linear, face),
        "side_before": side_light(to_linear(source.cutout.foreground), source.cutout.face),
        "shine": _shine(done.pixels, face),
        "shine_before": _shine(source.cutout.foreground, source.cutout.face),
        "tighter": done.framing.tighter,
    }


def _stops(tone: SkinTone, than: SkinTone) -> float:
    """Return how much brighter one tone is than the other, stops; L* + 16 is 116 times the cube root of light."""
    return float(3 * np.log2((tone.lightness + 16) / (than.lightness + 16)))


def _shine(pixels: Pixels, face: Face) -> float:
    """Return by how many stops the brightest hundredth of the skin is over its middle."""
    values = luminance(to_linear(pixels))[skin_mask(pixels.shape, face)]
    return float(np.log2(np.percentile(values, 99) / max(float(np.median(values)), 1e-4)))


def _tell(report: Report, style: str, title: str, made: list[tuple[_Source, dict[str, float]]]) -> None:
    if not made:
        return
    found = {name: np.array([one[name] for _, one in made]) for name in made[0][1]}
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
        "shine_most_stops": found["shine"].max(),
        "shine_before_most_stops": found["shine_before"].max(),
    }
    rounded = {name: round(float(value), 2) for name, value in figures.items()}
    report(
        {"figure": "series", "style": style, "of": title, "pictures": len(made), **rounded},
        f"{style}, {title} ({len(made)}): gap above the hair {rounded['gap_least_percent']} to "
        f"{rounded['gap_most_percent']} %, face size CV {rounded['head_cv_percent']} %, eye line SD "
        f"{rounded['eye_line_sd_percent']} %; ITA off the photo {rounded['ita_median_degrees']}° median, "
        f"{rounded['ita_worst_degrees']}° worst; light off the person's own SD {rounded['light_sd_stops']} stops "
        f"({rounded['light_before_sd_stops']} before), between the cheeks {rounded['side_sd_stops']} "
        f"({rounded['side_before_sd_stops']}); shine at most {rounded['shine_most_stops']} stops "
        f"({rounded['shine_before_most_stops']})",
    )
