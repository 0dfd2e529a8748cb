"""The check says first what the studio would refuse."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from core.checks.advice import Issue, Severity
from core.consent import ValidConsent
from core.style.spec import StyleSpec
from workers.pipeline.judgement import judge
from workers.pipeline.render import render
from workers.studio.align import CroppedTooTightly, frame, region
from workers.studio.finish import master_size
from workers.vision.check import examine
from workers.vision.matting import matte

STYLE = StyleSpec()
Photo = Callable[[str], bytes]


def cropped(content: bytes, consent: ValidConsent, *, above: float, beside: float) -> bytes:
    """Leave so many face heights above and face widths beside the face."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    face = examine(content, consent).verdict.faces[0]
    width, height = picture.size
    box = (
        max(0, round((face.left - beside * face.width) * width)),
        max(0, round((face.top - above * face.height) * height)),
        min(width, round((face.left + (1 + beside) * face.width) * width)),
        height,
    )
    target = io.BytesIO()
    picture.crop(box).save(target, "JPEG", quality=95)
    return target.getvalue()


def studio_frames(content: bytes, consent: ValidConsent) -> bool:
    seen = examine(content, consent)
    assert seen.pixels is not None
    assert seen.face is not None
    size = master_size(STYLE)
    wanted = region(seen.face, STYLE.crop, STYLE.room)
    cutout = matte(seen.pixels, seen.face, list(seen.others), wanted, max_side=round(1.3 * max(size)))
    try:
        frame(cutout, STYLE.crop, *size)
    except CroppedTooTightly:
        return False
    return True


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "joe/portrait.jpg", "eileen/portrait.png"])
@pytest.mark.parametrize(("above", "beside"), [(0.6, 9.0), (0.15, 9.0), (9.0, 0.7), (9.0, 0.15)])
def test_check_and_studio_agree_whether_a_crop_is_left(
    photo: Photo, consent: ValidConsent, name: str, above: float, beside: float
) -> None:
    content = cropped(photo(name), consent, above=above, beside=beside)
    assert examine(content, consent).verdict.accepted, "the face alone is fine"
    assert judge(content, consent, style=STYLE).verdict.accepted == studio_frames(content, consent)


@pytest.mark.photos
def test_a_photo_that_ends_in_the_hair_is_refused_with_the_studios_code(
    photo: Photo, consent: ValidConsent
) -> None:
    content = cropped(photo("barack/portrait.jpg"), consent, above=0.15, beside=9.0)
    verdict = judge(content, consent, style=STYLE).verdict
    found = {issue.code: issue for issue in verdict.issues}
    assert not verdict.accepted
    assert verdict.score == 0
    assert found[Issue.CROPPED_TOO_TIGHTLY].severity is Severity.BLOCK
    assert Issue.HEAD_TOUCHES_EDGE not in found, "one thing is said once"
    assert CroppedTooTightly.code == Issue.CROPPED_TOO_TIGHTLY


@pytest.mark.photos
def test_learning_from_a_tight_photo_asks_for_no_crop(photo: Photo, consent: ValidConsent) -> None:
    content = cropped(photo("barack/portrait.jpg"), consent, above=0.15, beside=9.0)
    assert judge(content, consent).verdict.accepted


@pytest.mark.photos
def test_render_says_of_a_tight_photo_what_the_check_says(photo: Photo, consent: ValidConsent) -> None:
    tight = cropped(photo("joe/portrait.jpg"), consent, above=0.15, beside=9.0)
    result = render([("tight", tight)], STYLE, consent)
    assert not result.headshots
    assert not result.withheld, "no time is spent on what is known to fail"
    assert Issue.CROPPED_TOO_TIGHTLY in {issue.code for issue in result.verdicts["tight"].issues}


@pytest.mark.photos
def test_other_photos_of_the_same_person_are_not_harmed(photo: Photo, consent: ValidConsent) -> None:
    whole = photo("joe/portrait.jpg")
    tight = cropped(whole, consent, above=0.15, beside=9.0)
    result = render([("tight", tight), ("whole", whole)], STYLE, consent)
    assert [shot.source for shot in result.headshots] == ["whole"]
    assert np.asarray(result.headshots[0].pixels).ndim == 3
