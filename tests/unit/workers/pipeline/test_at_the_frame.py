"""What the photo's frame cuts off, hair or shoulders, is never seen to be cut off in a headshot or a file of it."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from core.checks.advice import Issue
from core.consent import ValidConsent
from core.style.framing import Head, Room, window
from core.style.outputs import Output
from core.style.spec import SolidBackdrop, StyleSpec, Variants
from core.style.variants import EDIT_ASIDE, Variant
from workers.pipeline.judgement import judge
from workers.pipeline.render import render
from workers.studio.align import hair_above, region
from workers.studio.encode import cut
from workers.vision.faces import find_faces
from workers.vision.matting import matte

pytestmark = pytest.mark.photos

WIDE = Output(name="wide", width=960, height=540)
# Of a colour that no cloth, skin or hair here has.
STYLE = StyleSpec(backdrop=SolidBackdrop(color="#4f9f7a"), outputs=(WIDE,))
Photo = Callable[[str], bytes]


def pixels_of(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def saved(pixels: np.ndarray) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG", compress_level=1)
    return target.getvalue()


def straight_side(picture: np.ndarray) -> float:
    """Return how high the longest upright end of the person is beside the head, as a share of the picture's height."""
    wall = picture[:40, :40].reshape(-1, 3).mean(axis=0)
    person = np.abs(picture.astype(float) - wall).max(axis=2) > 40
    lower = person[int(0.6 * len(person)) :]
    longest = 0
    for side in (lower, lower[:, ::-1]):
        ends = np.where(side.any(axis=1), side.argmax(axis=1), -9)
        run = 0
        for here, before in zip(ends[1:], ends, strict=False):
            # Necks and ears end upright too, but not out there.
            beside = 0 <= here < 0.26 * picture.shape[1]
            run = run + 1 if beside and abs(here - before) <= 1 else 0
            longest = max(longest, run)
    return longest / len(picture)


@pytest.mark.parametrize(
    ("name", "beside"),
    [("barack/portrait.jpg", 0.75), ("barack/podium.jpg", 0.95), ("joe/portrait.jpg", 0.75)],
)
def test_a_shoulder_that_the_photo_cuts_off_has_no_straight_end_in_a_wide_file(
    photo: Photo, consent: ValidConsent, name: str, beside: float
) -> None:
    pixels = pixels_of(photo(name))
    face = find_faces(pixels)[0]
    middle, reach = float(face.landmarks[:, 0].mean()), beside * face.head_height
    narrow = pixels[:, max(0, int(middle - reach)) : int(middle + reach)]
    (shot, *_) = render([("narrow", saved(narrow))], STYLE, consent).headshots
    assert shot.report.figures["whole_above_fraction"] < 1
    head = Head.measured(shot.report.figures)
    assert straight_side(cut(shot.pixels, STYLE, WIDE, head=head)) < 0.04
    assert straight_side(cut(shot.pixels, STYLE, WIDE, head=STYLE.head)) > 0.07, (
        "which a file of all of it has"
    )


@given(
    whole=st.floats(0.5, 1.0),
    height=st.floats(0.5, 0.8),
    shape=st.floats(0.5, 4.0),
    gap=st.floats(0.0, 0.2),
    aspect=st.floats(0.6, 1.4),
)
@example(whole=0.9, height=0.5, shape=3.2, gap=0.1, aspect=0.5)
def test_a_file_ends_above_the_cut_or_shows_no_more_than_the_frame(
    whole: float, height: float, shape: float, gap: float, aspect: float
) -> None:
    head, room = Head(0.45, height, whole, gap), Room(2.0, 1.0)
    part = window(aspect, head, shape, None, room)
    assert part.width / part.height == pytest.approx(shape / aspect)
    assert part.height <= 1 + room.above
    if part.top >= 0 and part.width > 1 + 1e-9:
        chin = head.eye_line + height / 2
        assert part.top + part.height <= max(whole, chin + 0.1 * height) + 1e-9
        uncut = window(aspect, Head(0.45, height, 1.0, gap), shape, None, room)
        assert part.top <= max(gap, uncut.top) + 1e-9, "hair keeps some of its air"
        assert part.height <= uncut.height + 1e-9


@pytest.mark.parametrize(
    "share", [0.0, 0.02, *(pytest.param(one, marks=pytest.mark.slow) for one in (0.05, 0.10))]
)
@pytest.mark.parametrize(
    "name",
    ["barack/portrait.jpg", pytest.param("joe/portrait.jpg", marks=pytest.mark.slow), "eileen/portrait.png"],
)
def test_hair_that_the_photo_cuts_off_is_said_and_goes_second_or_is_refused(
    photo: Photo, consent: ValidConsent, name: str, share: float
) -> None:
    style = StyleSpec()
    pixels = pixels_of(photo(name))
    face = find_faces(pixels)[0]
    cutout = matte(pixels, face, [], region(face, style.crop, style.room))
    eyes = float(face.right_eye[1] + face.left_eye[1]) / 2
    top = eyes - hair_above(cutout) * face.head_at_rest + share * face.head_height
    content = saved(pixels[max(0, int(top)) :])
    verdict = judge(content, consent, style=style).verdict
    said = {issue.code for issue in verdict.issues}
    if verdict.accepted:
        assert Issue.HEAD_TOUCHES_EDGE in said
        assert verdict.score < judge(photo(name), consent, style=style).verdict.score
    else:
        assert said & {Issue.CROPPED_TOO_TIGHTLY, Issue.FACE_CUT_OFF, Issue.SEVERAL_PEOPLE}
        assert not render([("cut", content)], style, consent).headshots


@pytest.mark.parametrize("aside", [-EDIT_ASIDE, EDIT_ASIDE])
def test_who_asks_to_be_further_at_a_side_is_there_and_passes_the_same_gates(
    photo: Photo, consent: ValidConsent, aside: float
) -> None:
    style = StyleSpec(variants=Variants(edits=True), outputs=(Output(name="square", width=640, height=640),))
    (plain,), (moved,) = (
        render([("own", photo("barack/portrait.jpg"))], style, consent, edit=edit).headshots
        for edit in (None, Variant(aside=aside))
    )
    assert moved.report.passed
    assert moved.report.gates.keys() == plain.report.gates.keys()
    assert moved.report.notes[0] == ("variant_right" if aside > 0 else "variant_left")
    places = [
        float(face.right_eye[0] + face.left_eye[0]) / 2 / one.pixels.shape[1]
        for one in (plain, moved)
        for face in find_faces(one.pixels)
    ]
    assert places[1] - places[0] == pytest.approx(aside, abs=0.005)
    assert moved.report.figures["beside_fraction"] == plain.report.figures["beside_fraction"] + aside
    assert moved.report.figures["eye_line_fraction"] == pytest.approx(
        plain.report.figures["eye_line_fraction"], abs=0.003
    )
