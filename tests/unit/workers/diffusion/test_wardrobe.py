from __future__ import annotations

import cv2
import numpy as np
import painted
import pytest

from core.consent import Purpose, ValidConsent
from core.style.spec import StyleSpec
from workers.diffusion.wardrobe import keep_face, wardrobe_mask
from workers.vision.geometry import CHIN
from workers.vision.likeness import distance, embed
from workers.vision.skin import skin_mask

PORTRAITS = ("barack/portrait.jpg", "joe/portrait.jpg", "eileen/portrait.png", "barack/podium.jpg")
NECK = ((0.0, 0.03), (-0.08, 0.0), (0.08, 0.0))  # head heights from the chin

pytestmark = pytest.mark.photos


@pytest.fixture(scope="module")
def locked(examined):
    """What may be painted of a photo, and the photo with all of that painted green."""
    done = {}

    def lock(name):
        if name not in done:
            seen = examined(name)
            mask = wardrobe_mask(seen.pixels, seen.face, seen.others)
            green = np.full_like(seen.pixels, (0, 200, 60))
            done[name] = (seen, mask, keep_face(seen.pixels, green, mask))
        return done[name]

    return lock


@pytest.mark.parametrize("name", PORTRAITS)
def test_face_hair_and_neck_stay_bit_for_bit(name, locked, consent):
    seen, mask, painted_over = locked(name)
    face = seen.face
    hull = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.rint(face.landmarks[:, :2]).astype(np.int32)), 1)
    hull[: int(face.landmarks[CHIN, 1] - 0.2 * face.head_height)] = 1  # and all that is above the mouth
    for x, y in NECK:
        column, row = np.rint(face.landmarks[CHIN, :2] + np.array((x, y)) * face.head_height).astype(int)
        hull[row, column] = 1
    stays = hull > 0
    assert not mask[stays].any()
    assert np.array_equal(seen.pixels[stays], painted_over[stays])
    assert skin_mask(mask.shape, face).any()
    same = distance(embed(seen.pixels, face, consent), embed(painted_over, face, consent))
    assert same < 0.2, "likeness by construction: what clothes the face's chip shows moves it a little"


@pytest.mark.parametrize("name", PORTRAITS)
def test_clothes_and_shoulders_are_painted(name, locked):
    seen, mask, _ = locked(name)
    face, head = seen.face, seen.face.head_height
    middle, chin = face.landmarks[:, 0].mean(), face.landmarks[CHIN, 1]
    low = min(chin + 0.6 * head, mask.shape[0] - 4)
    places = [(middle + aside * head, low) for aside in (-0.55, -0.25, 0.25, 0.55)]
    seen_places = [(round(x), round(y)) for x, y in places if 0 <= x < mask.shape[1]]
    assert np.mean([mask[y, x] for x, y in seen_places]) > 0.8


@pytest.mark.parametrize("name", PORTRAITS)
def test_the_edge_of_what_is_painted_is_soft(name, locked):
    _, mask, _ = locked(name)
    steps = np.abs(np.diff(mask, axis=0)).max(), np.abs(np.diff(mask, axis=1)).max()
    assert ((mask > 0) & (mask < 1)).any()
    assert max(steps) < 0.6
    assert mask.min() == 0
    assert mask.max() == 1


@pytest.mark.parametrize(
    ("name", "colour"),
    [
        ("joe/portrait.jpg", (60, 40, 28)),
        ("joe/portrait.jpg", (200, 170, 110)),
        ("barack/podium.jpg", (150, 110, 60)),
        ("eileen/portrait.png", (90, 50, 35)),
        ("barack/portrait.jpg", (45, 40, 38)),  # as dark as the suit
    ],
)
def test_long_hair_over_the_shoulders_stays(name, colour, examined):
    seen = examined(name)
    pixels, hair = painted.with_long_hair(seen.pixels, seen.face, colour)
    mask = wardrobe_mask(pixels, seen.face, ())
    within = cv2.erode(hair.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert (mask[within] > 0).mean() < 0.01
    assert (mask > 0.9).mean() > 0.05, "the shoulders beside it are still painted"


def test_another_person_is_not_undressed(examined, photo, consent):
    seen = examined("negatives/two-people.jpg")
    mask = wardrobe_mask(seen.pixels, seen.face, seen.others)
    x, y = seen.others[0].landmarks[:, :2].mean(axis=0)
    assert mask[round(float(y)), round(float(x))] == 0


def test_laying_over_takes_all_of_the_painting_where_it_may_and_none_where_not():
    original = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    painting = np.full_like(original, 255)
    mask = np.zeros((4, 4), np.float32)
    mask[2:], mask[1] = 1.0, 0.5
    result = keep_face(original, painting, mask)
    assert np.array_equal(result[0], original[0])
    assert (result[2:] == 255).all()
    assert (result[1] > original[1]).all()
    assert (result[1] < 255).all()


def test_the_network_never_sees_the_old_clothes_and_the_kept_pixels_stay(photo, monkeypatch):
    """A base that sees the whole picture while it paints would copy what was worn."""
    pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")
    from learning import tiny

    from workers.diffusion import engine
    from workers.diffusion.learn import sources_of
    from workers.diffusion.sample import Sampler

    agreed = ValidConsent(None, frozenset(Purpose))
    sampler = Sampler(tiny("klein", "sample"))
    given, cut = [], []
    repaint, mask_of = sampler.repaint, engine.wardrobe_mask
    monkeypatch.setattr(sampler, "repaint", lambda *those: given.append(those) or repaint(*those))
    monkeypatch.setattr(engine, "wardrobe_mask", lambda *those: cut.append(those[0]) or mask_of(*those))
    order = engine.Order(seed=3)
    sources = sources_of([("a", photo("barack/portrait.jpg"))], {}, agreed)
    (portrait,) = engine.WardrobeEngine(sampler, order).portraits(sources, StyleSpec(), agreed)
    ((shown, mask, _),), (original,) = given, cut
    assert (mask == 1).mean() > 0.1
    assert (shown[mask == 1] == 128).all(), "nothing of what was worn"
    assert original[mask == 1].std() > 10
    soft = (mask > 0) & (mask < 1)
    off = np.abs(shown[soft].astype(float) - 128).mean()
    assert off < np.abs(original[soft].astype(float) - 128).mean()
    for picture in (shown, portrait.pixels):
        assert np.array_equal(picture[mask == 0], original[mask == 0]), "face, hair and wall, bit for bit"
