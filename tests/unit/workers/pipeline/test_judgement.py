"""The check says first what the studio would refuse."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from core.checks.advice import Issue, Severity
from core.consent import ValidConsent
from core.style.spec import StyleSpec
from workers.folder.sample import sample_people
from workers.pipeline.judgement import judge, touches_the_edge
from workers.pipeline.render import render
from workers.studio.align import CroppedTooTightly, frame, region
from workers.studio.finish import master_size
from workers.studio.preview import sample
from workers.vision.check import examine
from workers.vision.matting import matte

STYLE = StyleSpec()
Photo = Callable[[str], bytes]


def cropped(
    content: bytes, consent: ValidConsent, *, above: float = 9.0, beside: float = 9.0, below: float = 99.0
) -> bytes:
    """Leave so many face heights above and below and face widths beside the face."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    face = examine(content, consent).verdict.faces[0]
    width, height = picture.size
    box = (
        max(0, round((face.left - beside * face.width) * width)),
        max(0, round((face.top - above * face.height) * height)),
        min(width, round((face.left + (1 + beside) * face.width) * width)),
        min(height, round((face.top + (1 + below) * face.height) * height)),
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
@pytest.mark.parametrize(
    "name",
    ["barack/portrait.jpg", pytest.param("joe/portrait.jpg", marks=pytest.mark.slow), "eileen/portrait.png"],
)
@pytest.mark.parametrize(
    ("above", "beside"),
    [(0.6, 9.0), (0.15, 9.0), *(pytest.param(9.0, one, marks=pytest.mark.slow) for one in (0.7, 0.15))],
)
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


@pytest.mark.photos
@pytest.mark.parametrize(
    "name",
    ["barack/portrait.jpg", pytest.param("joe/portrait.jpg", marks=pytest.mark.slow), "eileen/portrait.png"],
)
def test_a_photo_without_shoulders_is_said_to_become_tighter(
    photo: Photo, consent: ValidConsent, name: str
) -> None:
    def said(content: bytes) -> set[Issue]:
        return {issue.code for issue in judge(content, consent, style=STYLE).verdict.issues}

    assert Issue.SHOULDERS_CUT not in said(photo(name))
    assert Issue.SHOULDERS_CUT in said(cropped(photo(name), consent, below=0.3))


@pytest.mark.photos
def test_of_like_photos_the_one_that_the_studio_can_frame_goes_first(consent: ValidConsent) -> None:
    photos = dict(sample_people()["eileen"])
    scores = {
        name: judge(photos[name], consent, style=STYLE).verdict.score for name in ("portrait.jpg", "near.jpg")
    }
    faces = {name: examine(photos[name], consent).verdict.score for name in scores}
    assert faces["near.jpg"] == pytest.approx(faces["portrait.jpg"], abs=0.005), "the faces are alike"
    assert scores["near.jpg"] < 0.9 * scores["portrait.jpg"]


def test_a_person_among_others_is_said_to_be_hard_to_cut_out(photo: Photo, consent: ValidConsent) -> None:
    """The studio withholds such a cut; the check knows it by the same figure."""
    content = photo("negatives/two-people-waving.jpg")
    subject = examine(content, consent).verdict.faces[0].centre
    verdict = judge(content, consent, style=STYLE, subject=subject).verdict
    assert Issue.HARD_TO_CUT_OUT in {issue.code for issue in verdict.issues}
    for name in ("barack/portrait.jpg", "joe/portrait.jpg", "barack/blue-room.jpg"):
        found = judge(photo(name), consent, style=STYLE).verdict.issues
        assert Issue.HARD_TO_CUT_OUT not in {issue.code for issue in found}


@pytest.mark.parametrize(("hair", "touches"), [(0, True), (6, False)])
def test_the_outline_of_the_hair_touches_the_edge_not_the_skull(hair: int, touches: bool) -> None:
    person = sample()
    head = person.face.head_height
    crown = person.face.crown
    alpha = person.alpha.copy()
    column = slice(round(float(crown[0]) - 0.2 * head), round(float(crown[0]) + 0.2 * head))
    alpha[:] = 0.0
    alpha[hair : round(float(crown[1])), column] = 1.0
    assert crown[1] > 0.1 * head, "the skull itself is far from the edge"
    assert touches_the_edge(dataclasses.replace(person, alpha=alpha)) is touches


@pytest.mark.photos
def test_the_check_says_the_size_that_the_studio_makes(photo: Photo, consent: ValidConsent) -> None:
    content = cropped(photo("barack/portrait.jpg"), consent, below=0.15)
    measures = judge(content, consent, style=STYLE).verdict.measures
    (shot,) = render([("one", content)], STYLE, consent).headshots
    assert measures.sharp_up_to_px is not None
    assert measures.sharp_up_to_px <= shot.pixels.shape[0] < 1.3 * measures.sharp_up_to_px
