"""A face painted anew at full size: no seam, the right person, and masters as large as a style asks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from repainting import SIDE, Painter, Planted, made_of, repainted
from skimage import color

from core.checks.report import GateName
from core.consent import Purpose, ValidConsent
from core.style.outputs import Output
from core.style.spec import StyleSpec
from workers.diffusion.best import Judged
from workers.diffusion.engine import DiffusionEngine, Order
from workers.diffusion.face_detail import MASTER, Square, detailed, enlarged, factor, laid_over, square
from workers.diffusion.sample import OutOfMemory
from workers.engines import FaceDetail, Source
from workers.pipeline.render import render
from workers.vision.check import examine
from workers.vision.faces import find_faces
from workers.vision.likeness import embed

AGREED = ValidConsent(None, frozenset(Purpose))
PORTRAITS = ("barack/portrait.jpg", "joe/portrait.jpg", "eileen/portrait.png")
LARGE = StyleSpec(outputs=(Output(name="print", width=2048, height=2048),))
STRIP = 12  # px
JUST_SEEN = 1.0  # ΔE2000
LINE = 1.5  # 8-bit levels: about 1 % of a mid-grey's luminance, the least that is seen as a step


def judged(pixels):
    return Judged(3, pixels, tuple(find_faces(pixels)), 0.9, "a portrait")


@pytest.fixture(scope="module")
def made(examined):
    """Pictures as a base would make them, each person's once."""
    known = {}

    def make(name):
        if name not in known:
            known[name] = judged(made_of(examined(name).pixels))
        return known[name]

    return make


def strips(result, original, around):
    """Yield both pictures across each side of the square that lies inside the picture, the side being vertical."""
    height, width = original.shape[:2]
    left, top, side = around.left, around.top, around.side
    for turns in range(4):
        if left >= 4 * STRIP:
            rows = slice(top + side // 8, top + side - side // 8)
            columns = slice(left - 4 * STRIP, left + side // 4)
            yield tuple(np.rot90(one, turns)[rows, columns] for one in (result, original))
        left, top, height, width = top, width - left - side, width, height


def tone_off(result, original, around):
    """Return the largest difference of colour between the pictures, strip by strip along the ring, ΔE2000."""
    found = []
    for pair in strips(result, original, around):
        size = (pair[0].shape[1] // STRIP, 4)
        small = [cv2.resize(one.astype(np.float32) / 255, size, interpolation=cv2.INTER_AREA) for one in pair]
        found.append(color.deltaE_ciede2000(*(color.rgb2lab(one) for one in small)).max())
    return max(found)


def line_seen(result, original, around):
    """Return by how much a line along a side stands out from what is beside it, beyond the original's, 8-bit levels."""
    found = []
    for pair in strips(result, original, around):
        steps = []
        for one in pair:
            grey = cv2.cvtColor(np.ascontiguousarray(one), cv2.COLOR_RGB2GRAY).astype(np.float32)
            energy = np.abs(np.diff(grey, axis=1)).mean(axis=0)
            beside = np.median(np.lib.stride_tricks.sliding_window_view(energy, 13), axis=1)
            steps.append(energy[6:-6] - beside)
        found.append((steps[0] - steps[1]).max())
    return max(found)


def pasted(picture, around, painted):
    result = picture.copy()
    result[around.slices] = cv2.resize(painted, (around.side, around.side), interpolation=cv2.INTER_CUBIC)
    return result


@pytest.mark.photos
@pytest.mark.parametrize("name", PORTRAITS)
def test_no_seam_is_found_where_another_hand_painted_the_face(name, made):
    large = enlarged(made(name), 2.0)
    picture, around = large.pixels, square(large.faces[0], large.pixels)
    painted = repainted(picture[around.slices])
    ours = laid_over(picture, around, painted)
    assert tone_off(ours, picture, around) < JUST_SEEN
    assert line_seen(ours, picture, around) < LINE
    naive = pasted(picture, around, painted)
    assert tone_off(naive, picture, around) > 5 * JUST_SEEN
    assert line_seen(naive, picture, around) > 2 * LINE
    retoned = repainted(picture[around.slices], tone=(0, 0, 0))
    texture = pasted(picture, around, retoned)
    assert line_seen(texture, picture, around) > LINE, "a grain that ends at a line is one, whatever its tone"
    inside = tuple(slice(one.start + around.side // 3, one.stop - around.side // 3) for one in around.slices)
    fine = [
        float(cv2.Laplacian(cv2.cvtColor(one[inside], cv2.COLOR_RGB2GRAY), cv2.CV_32F).std())
        for one in (picture, ours)
    ]
    assert fine[1] > 1.2 * fine[0], "and the face is the new one"


@pytest.mark.photos
def test_beyond_the_square_nothing_changes_and_at_the_pictures_edge_there_is_no_ring(made):
    large = enlarged(made("barack/portrait.jpg"), 2.0)
    picture, around = large.pixels, square(large.faces[0], large.pixels)
    assert around.top == 0, "his hair is near the top"
    ours = laid_over(picture, around, repainted(picture[around.slices]))
    beyond = np.ones(picture.shape[:2], bool)
    beyond[around.slices] = False
    assert np.array_equal(ours[beyond], picture[beyond])
    middle = slice(around.left + around.side // 3, around.left + 2 * around.side // 3)
    assert (ours[0, middle] != picture[0, middle]).any(axis=1).mean() > 0.5


def test_an_edge_that_lies_elsewhere_is_not_seen_twice():
    rows = np.arange(1200)[:, None, None]
    step = np.clip((rows - 600) / 3, 0, 1) * 140 + 60
    picture = np.broadcast_to(step, (1200, 1200, 3)).astype(np.uint8)
    around = Square(100, 100, 1000)
    painted = np.roll(picture, 8, axis=0)[around.slices]
    ours = laid_over(picture, around, painted)
    share = np.clip((np.arange(1000) + 0.5) / 140, 0, 1)[None, :, None]
    faded = picture.copy()
    faded[around.slices] = (1 - share) * picture[around.slices] + share * painted

    def doubled(one):
        """Columns in which the edge has a tread between its two places."""
        between = (one[590:620, 100:240, 0] > 95) & (one[590:620, 100:240, 0] < 165)
        return int((between.sum(axis=0) > 6).sum())

    assert doubled(faded) > 50
    assert doubled(ours) < 0.4 * doubled(faded)


@pytest.mark.photos
def test_a_face_that_became_less_like_the_person_is_left_and_said_so(made, examined):
    one, other = made("barack/portrait.jpg"), made("joe/portrait.jpg")
    podium = examined("barack/podium.jpg")
    own = [embed(podium.pixels, podium.face, AGREED)]
    style = StyleSpec()

    def painting(paint):
        return detailed(one, own, style, AGREED, SIDE, paint)

    shown, what = painting(repainted)
    assert what is FaceDetail.PAINTED
    large = enlarged(one, factor(one, style))
    around = square(large.faces[0], large.pixels)
    assert not np.array_equal(shown.pixels, large.pixels)
    assert shown.faces[0].box.overlap(large.faces[0].box) > 0.9
    theirs = enlarged(other, factor(one, style))
    somebody = theirs.pixels[square(theirs.faces[0], theirs.pixels).slices]
    grey, black = (np.full((SIDE, SIDE, 3), level, np.uint8) for level in (90, 0))
    for painted in (
        somebody,
        grey,
        black,
        cv2.GaussianBlur(repainted(large.pixels[around.slices]), (0, 0), 9),
    ):
        kept, what = painting(lambda _part, painted=painted: painted)
        assert what is FaceDetail.LEFT
        assert np.array_equal(kept.pixels, large.pixels)
    assert around.side * 1.25 < SIDE * factor(one, style)


@pytest.mark.photos
def test_who_no_gate_would_pass_and_whose_head_fills_the_picture_is_not_painted(made):
    one, other = made("eileen/portrait.png"), made("joe/portrait.jpg")
    painter = Painter()

    def paint(part):
        return painter.refine(part, None)

    stranger = [embed(other.pixels, other.faces[0], AGREED)]
    same, what = detailed(one, stranger, StyleSpec(), AGREED, SIDE, paint)
    assert same is one
    assert what is None
    assert (
        detailed(judged(np.full((256, 256, 3), 90, np.uint8)), stranger, LARGE, AGREED, SIDE, paint)[1]
        is None
    )
    close = square(one.faces[0], one.pixels)
    tight = judged(cv2.resize(one.pixels[close.slices], (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))
    shown, what = detailed(tight, [embed(one.pixels, one.faces[0], AGREED)], LARGE, AGREED, SIDE, paint)
    assert what is None
    assert len(shown.pixels) > SIDE
    assert not painter.asked


@pytest.mark.photos
def test_a_picture_is_enlarged_as_far_as_the_style_asks_and_no_further(made):
    one = made("eileen/portrait.png")
    head = one.faces[0].head_at_rest

    def fills(style):
        frame = style.frame(*style.master_size()).height
        return style.carried(factor(one, style) * head, style.crop.head_height)[1] >= min(frame, MASTER)

    tall = StyleSpec(outputs=(Output(name="print", width=3000, height=3000),))
    small = StyleSpec(outputs=(Output(name="badge", width=400, height=400),))
    assert all(fills(style) for style in (StyleSpec(), LARGE, tall, small))
    assert factor(one, small) == 1
    assert 1 < factor(one, StyleSpec()) < 1.5
    assert 2 < factor(one, LARGE) == factor(one, tall)
    tiny = Judged(0, one.pixels, (one.faces[0].moved(0, 0, 0.2),), 0.9, "a portrait")
    assert len(enlarged(tiny, factor(tiny, LARGE)).pixels) == 4096


@pytest.mark.photos
def test_only_what_is_asked_for_is_painted_and_as_that_person(made, photo):
    name = "barack/podium.jpg"
    one = made("barack/portrait.jpg").pixels
    order = Order(seed=0, slot=5, trained=True, prompts=("a portrait", "a person"))
    shown = (one[:64, :64],)
    order.references = shown
    painter = Painter()
    engine = DiffusionEngine(Planted(order, [one] * 4, painter), order, ("kept",))
    source = Source("kept", photo(name), examine(photo(name), AGREED).verdict)
    portraits = engine.portraits([source], StyleSpec(), AGREED)
    delivered = [next(portraits), next(portraits)]
    assert len(painter.asked) == 2, "of four"
    assert {(request.slot, references) for request, references in painter.asked} == {(5, 1)}
    assert {request.prompt for request, _ in painter.asked} == {"a portrait", "a person"}
    assert not {request.seed for request, _ in painter.asked} & set(range(24)), (
        "other noise than the picture's"
    )
    assert all(portrait.made.detail is FaceDetail.PAINTED for portrait in delivered)
    assert order.seconds > 0


def rendered(style, made, photo, paint, count=1, painter=None):
    names = ["barack/podium.jpg", "barack/speech.jpg", "barack/blue-room.jpg"]
    photos = [(name, photo(name)) for name in names]
    order = Order(seed=0, trained=True, prompts=("a portrait",))
    pool = Planted(order, [made("barack/portrait.jpg").pixels] * count, painter or Painter(paint))
    return render(photos, style, AGREED, engine=DiffusionEngine(pool, order, (names[0],)))


@pytest.mark.photos
@pytest.mark.parametrize("style", [StyleSpec(), LARGE])
def test_a_made_headshot_has_the_size_that_its_style_asks_for_and_says_what_was_painted(style, made, photo):
    (headshot,) = rendered(style, made, photo, repainted).headshots
    assert (headshot.pixels.shape[1], headshot.pixels.shape[0]) == style.master_size()
    assert FaceDetail.PAINTED.value in headshot.report.notes


@pytest.mark.photos
@pytest.mark.slow
def test_the_gates_measure_the_face_that_was_painted_and_not_the_one_before(made, photo):
    def chequered(part):
        """As a decoder can leave it: like the person, and never to be shown."""
        rows, columns = np.indices((SIDE, SIDE))
        chequer = 16 * (1 - 2 * ((columns // 2 + rows // 2) % 2))
        return np.clip(repainted(part, texture=0.5) + chequer[..., None], 0, 255).astype(np.uint8)

    result = rendered(LARGE, made, photo, chequered)
    assert not result.headshots
    (withheld,) = result.withheld
    assert withheld.report.failed == (GateName.NOISE,)
    assert FaceDetail.PAINTED.value in withheld.report.notes


@pytest.mark.photos
@pytest.mark.slow
def test_no_face_is_painted_that_nobody_asks_for(made, photo):
    painter = Painter()
    result = rendered(StyleSpec(), made, photo, repainted, 5, painter)
    assert len(result.headshots) == 3
    assert len(painter.asked) == 3


@pytest.mark.photos
def test_a_face_that_does_not_fit_into_the_gpu_stays_as_the_picture_had_it(made, photo):
    def full(_part):
        raise OutOfMemory("one picture does not fit")

    (headshot,) = rendered(StyleSpec(), made, photo, full).headshots
    assert FaceDetail.LEFT.value in headshot.report.notes
