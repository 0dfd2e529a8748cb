"""Make one headshot before the first person waits for one: every model loaded, every kernel compiled."""

from __future__ import annotations

from compliance.consent import own_photos
from core.style.spec import StyleSpec
from workers.folder.sample import sample_people
from workers.pipeline.render import render
from workers.vision import alpha_model
from workers.vision.encoder import encoders


def warm() -> None:
    """Warm this process with a picture that is in the public domain.

    Less than two seconds; the first time on a machine about 40 s, because numba compiles the kernels and
    keeps them beside the package or in `NUMBA_CACHE_DIR`.

    Raises:
        ConfigurationError: the matting network or the identity encoder of the settings cannot be used.
    """
    alpha_model.check()
    encoders()
    (photo, *_) = sample_people()["eileen"]
    render([photo], StyleSpec(), own_photos())
