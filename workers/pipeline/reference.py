"""What a person's own photos look like: the yardstick for everything that is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from core.consent import Purpose, ValidConsent
from workers.vision import photometry
from workers.vision.color import to_linear, to_srgb
from workers.vision.geometry import Face, Pixels
from workers.vision.likeness import Embedding, distance, embed
from workers.vision.skin import SkinTone, around, skin_tone


@dataclass(slots=True)
class Own:
    """What a person's own photos look like: the yardstick for their results, in memory only."""

    embeddings: dict[str, Embedding] = field(default_factory=dict)
    tones: list[SkinTone] = field(default_factory=list)
    of_photo: dict[str, list[SkinTone]] = field(default_factory=dict)

    def add(self, key: str, pixels: Pixels, face: Face, consent: ValidConsent) -> None:
        """Take one photo in; the embedding only where consent to `likeness` stands."""
        tones = [skin_tone(pixels, face)]
        part, moved = around(pixels, face)
        short = photometry.underexposure(to_linear(part), moved)
        if short > 0:
            # A photo taken against the light shows the complexion only when its light is made up for.
            lit = to_srgb(to_linear(part) * np.float32(2.0**short))
            tones.append(skin_tone(np.rint(lit * 255).astype(np.uint8), moved))
        self.tones += tones
        self.of_photo[key] = tones
        if consent.covers(Purpose.LIKENESS):
            self.embeddings[key] = embed(pixels, face, consent)

    def likeness(self, embedding: Embedding, but: str) -> float | None:
        """Return the mean distance to the person's photos other than `but`; `None` where there is none."""
        others = [distance(embedding, other) for key, other in self.embeddings.items() if key != but]
        return float(np.mean(others)) if others else None

    def drift(self, tone: SkinTone) -> tuple[float, float]:
        """Return ΔE2000 and degrees of ITA to the nearest tone that the own photos show or lie between.

        The same face in two lights shows two tones; whatever lies between them is that face as well.
        """
        nearest = [
            one.towards(other, share)
            for index, one in enumerate(self.tones)
            for other in self.tones[index:]
            for share in np.linspace(0, 1, 11)
        ]
        return (
            min(tone.difference(near) for near in nearest),
            min(abs(tone.ita - near.ita) for near in nearest),
        )

    def spread(self) -> float | None:
        """Return how far one own photo is from the others at most (leave-one-out mean distance)."""
        means = self._left_out()
        return max(means) if means else None

    def baseline(self) -> float | None:
        """Return how far own photos are from each other on average (leave-one-out mean distance)."""
        means = self._left_out()
        return float(np.mean(means)) if means else None

    def _left_out(self) -> list[float]:
        means = [self.likeness(embedding, but=key) for key, embedding in self.embeddings.items()]
        return [mean for mean in means if mean is not None]
