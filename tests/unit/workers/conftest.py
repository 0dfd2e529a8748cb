"""Real photos, and what is made of them once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from core.consent import Purpose, ValidConsent
from workers.vision.check import examine
from workers.vision.examination import Examination

SHARED = Path(__file__).parents[4] / "shared" / "photos"


@cache
def _read(name: str) -> bytes:
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"needs {path}")
    return path.read_bytes()


@pytest.fixture(scope="session")
def photo() -> Callable[[str], bytes]:
    """Read one of the shared photos, `folder/file`; skips where they are absent."""
    return _read


@pytest.fixture(scope="session")
def consent() -> ValidConsent:
    return ValidConsent(None, frozenset({Purpose.PHOTO, Purpose.LIKENESS}))


@pytest.fixture(scope="session")
def photo_consent() -> ValidConsent:
    return ValidConsent(None, frozenset({Purpose.PHOTO}))


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    return np.asarray(data.astronaut(), np.uint8)


@pytest.fixture(scope="session")
def examined(consent: ValidConsent) -> Callable[[str], Examination]:
    """Examine a shared photo; each only once."""

    @cache
    def look(name: str) -> Examination:
        return examine(_read(name), consent)

    return look
