"""Make the brand studio's sample cut-out; run again when matting changes: `python -m deploy.make_preview`.

The portrait is `skimage.data.astronaut()`: NASA's photograph of Eileen Collins, in the public domain.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from workers.vision.faces import find_faces
from workers.vision.geometry import Box
from workers.vision.matting import matte

ASSETS = Path(__file__).parents[1] / "workers" / "studio" / "assets"


def main() -> None:
    """Write `preview.png` (RGBA) and `preview.json` (landmarks in its pixels)."""
    portrait = np.asarray(data.astronaut(), np.uint8)
    face = find_faces(portrait)[0]
    cutout = matte(portrait, face, [], Box(0, 0, portrait.shape[1], portrait.shape[0]))
    alpha = np.rint(cutout.alpha * 255).astype(np.uint8)
    # Colours under full transparency are never shown; black lets PNG forget them.
    colors = np.where(alpha[..., None] > 0, cutout.foreground, 0).astype(np.uint8)
    ASSETS.mkdir(exist_ok=True)
    Image.fromarray(np.dstack([colors, alpha])).save(ASSETS / "preview.png", optimize=True)
    facts = {
        "landmarks": np.round(cutout.face.landmarks, 2).astype(float).round(2).tolist(),
        "score": round(cutout.face.score, 3),
    }
    (ASSETS / "preview.json").write_text(json.dumps(facts, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
