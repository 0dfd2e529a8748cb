"""Keep mediapipe's start-up chatter off the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from skimage import data


@contextmanager
def quiet() -> Iterator[None]:
    """Send the process's stderr nowhere for a moment, while a model loads and runs for the first time.

    mediapipe logs through C++ before its logger is set up, so no variable or level silences it. Errors
    are Python exceptions and still arrive. What another thread writes to stderr meanwhile is lost.
    """
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def sample_face() -> NDArray[np.uint8]:
    """Return a picture with a face (NASA, public domain) for a model's first run."""
    return np.asarray(data.astronaut(), np.uint8)
