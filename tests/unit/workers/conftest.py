"""Real photos, and what is made of them once for all tests."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from portraits import photo_path
from skimage import data

from core.consent import Purpose, ValidConsent
from workers.vision.check import examine
from workers.vision.examination import Examination


@cache
def _read(name: str) -> bytes:
    return photo_path(name).read_bytes()


@pytest.fixture(scope="session")
def photo() -> Callable[[str], bytes]:
    """Read one of the real photos, `folder/file`; skips where they are absent."""
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
    """Examine a real photo; each only once."""

    @cache
    def look(name: str) -> Examination:
        return examine(_read(name), consent)

    return look
