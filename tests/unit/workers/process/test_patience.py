"""The end of a job's time is never taken for a fault of one file, whatever is being done when it comes."""

from __future__ import annotations

import io
import time
from collections.abc import Callable

import pytest
from PIL import Image
from rq.timeouts import JobTimeoutException

from core.consent import ValidConsent
from core.errors import AppError
from core.image import reading
from workers.pipeline import judgement
from workers.pipeline.judgement import judge_or_say
from workers.process.lanes import Worker
from workers.process.patience import Limit, TimeIsUp


def hang(*_given: object, **_named: object) -> None:
    time.sleep(20)


def photo() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (64, 48)).save(target, "PNG")
    return target.getvalue()


@pytest.mark.parametrize(
    ("module", "name", "do"),
    [
        (reading, "_opened", lambda _: reading.open_picture(photo())),
        (judgement, "judge", lambda consent: judge_or_say(photo(), consent)),
        (Image.Image, "getexif", lambda _: reading.open_picture(photo())),
    ],
)
def test_nothing_swallows_the_end_of_a_jobs_time(
    consent: ValidConsent,
    monkeypatch: pytest.MonkeyPatch,
    module: object,
    name: str,
    do: Callable[[ValidConsent], object],
) -> None:
    monkeypatch.setattr(module, name, hang)
    with pytest.raises(TimeIsUp), Worker.death_penalty_class(1, JobTimeoutException):
        do(consent)


def test_other_limits_of_the_queue_stay_what_they_are() -> None:
    assert Limit(1, AppError)._exception is AppError
    assert Limit(1, JobTimeoutException)._exception is TimeIsUp
