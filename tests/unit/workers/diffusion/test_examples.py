from __future__ import annotations

import random
import tracemalloc
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
import painted
import pytest
from PIL import Image

from core.checks.advice import Issue
from core.checks.verdict import Finding, Measures, Verdict
from core.consent import ConsentRequired, Purpose, ValidConsent
from workers.diffusion.around import setting
from workers.diffusion.examples import TooFewPhotos, examples, mirrors, split, window
from workers.diffusion.picture import buckets, sides_up_to
from workers.engines import Source
from workers.vision.check import examine
from workers.vision.detail import sharpness
from workers.vision.glasses import wears_glasses
from workers.vision.symmetry import Sides, sides

TRAINING = ValidConsent(None, frozenset({Purpose.PHOTO, Purpose.ADAPTER}))
PORTRAITS = ("barack/portrait.jpg", "joe/portrait.jpg", "eileen/portrait.png")
WORD = "ohwx"


def png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def source_of(key: str, content: bytes, subject: tuple[float, float] | None = None) -> Source:
    return Source(key, content, examine(content, TRAINING, subject=subject).verdict, subject)


@pytest.fixture(scope="module")
def source(photo):
    return cache(lambda name: source_of(name, photo(name)))


@pytest.fixture(scope="module")
def barack(source) -> list[Source]:
    return [
        source(f"barack/{name}.jpg") for name in ("blue-room", "letterboxed", "podium", "portrait", "speech")
    ]


def of_score(key: str, score: float, phash: str | None = None, *codes: Issue) -> Source:
    issues = tuple(Finding.of(code) for code in codes)
    return Source(
        key, b"", Verdict(accepted=True, issues=issues, measures=Measures(), score=score, phash=phash)
    )


@pytest.mark.parametrize(
    ("count", "held"), [(2, 1), (3, 2), (4, 3), (5, 3), (6, 3), (7, 3), (10, 3), (20, 3)]
)
def test_three_shots_are_held_out_and_of_three_or_fewer_all_but_one(count, held):
    photos = [of_score(f"photo {index}", 1 - index / 100) for index in range(count)]
    parts = split(photos)
    assert len(parts.held_out) == held
    assert sorted(parts.train + parts.held_out) == sorted(one.key for one in photos)
    assert parts.train[0] == "photo 0", "the best photo trains"
    assert parts.held_out[0] == "photo 1", "a good photo measures"


def test_the_split_does_not_depend_on_the_order_of_the_photos():
    photos = [of_score(f"photo {index}", index % 4 / 4) for index in range(12)]
    shuffled = random.Random(7).sample(photos, len(photos))
    assert split(shuffled) == split(photos)


def test_what_nearly_is_a_held_out_photo_never_trains(barack):
    parts = split(barack)
    one, other = "barack/portrait.jpg", "barack/letterboxed.jpg"  # the same shot
    assert ({one, other} <= set(parts.train)) or ({one, other} <= set(parts.held_out))
    near = [of_score("a", 0.9, "0" * 16), of_score("b", 0.8, "f" * 16), of_score("c", 0.1, "f" * 15 + "e")]
    assert split(near).held_out == ("b", "c")


def test_one_shot_cannot_both_teach_and_judge():
    with pytest.raises(TooFewPhotos):
        split([of_score("a", 0.9, "0" * 16), of_score("b", 0.8, "0" * 15 + "1")])


def test_a_photo_of_perhaps_somebody_else_neither_trains_nor_measures():
    doubtful = of_score("c", 0.95, None, Issue.MAY_BE_SOMEONE_ELSE)
    parts = split([of_score("a", 0.9), of_score("b", 0.8), doubtful])
    assert "c" not in parts.train + parts.held_out


@pytest.mark.parametrize("side", [1024, 768, 512, 128, 64])
def test_shapes_have_about_the_bases_pixels_in_multiples_of_32(side):
    for width, height in buckets(side):
        assert width % 32 == height % 32 == 0
        assert width * height == pytest.approx(side**2, rel=0.25 if side < 512 else 0.07)
    if side >= 768:
        assert [round(width / height, 1) for width, height in buckets(side)] == [
            1.0,
            0.8,
            0.7 if side == 768 else 0.8,
            1.2,
        ]


@pytest.mark.photos
def test_without_consent_to_a_personal_model_nothing_is_cut(source):
    without = ValidConsent(None, frozenset({Purpose.PHOTO, Purpose.LIKENESS}))
    with pytest.raises(ConsentRequired):
        examples([source("barack/portrait.jpg")], without, 512, WORD)


@pytest.mark.photos
def test_each_photo_gives_a_picture_of_head_and_shoulders_and_where_the_person_is(barack):
    made = examples(barack, TRAINING, 512, WORD)
    assert [one.key for one in made if not one.flipped and not one.close] == [one.key for one in barack]
    assert sum(one.close for one in made) == len(made) / 2, "and one of face and hair alone"
    for one in made:
        if one.close:
            continue
        height, width = one.pixels.shape[:2]
        assert (width, height) in buckets(512)
        assert one.pixels.dtype == np.uint8
        assert one.mask.shape == (height, width)
        assert one.mask.dtype == np.float32
        assert one.mask.min() >= 0
        assert one.mask.max() <= 1
        seen = examine(png(one.pixels), TRAINING)
        assert seen.face is not None
        assert 0.3 < seen.face.head_height / height < 0.9, one.key
        x, y = ((seen.face.right_eye + seen.face.left_eye) / 2).astype(int)
        assert one.mask[y, x] > 0.9
        assert one.mask[:20, :20].max() < 0.2 or one.key == "barack/podium.jpg", "the wall teaches a little"


@pytest.mark.photos
def test_pictures_are_as_sharp_as_the_file(photo, source):
    """The photo check looks at a reduced picture; training does not."""
    large = png(
        np.asarray(
            Image.open(BytesIO(photo("joe/portrait.jpg"))).resize((3600, 3600), Image.Resampling.LANCZOS)
        )
    )
    [full, *_] = examples([source_of("large", large)], TRAINING, 1024, WORD)
    [small, *_] = examples([source("joe/portrait.jpg")], TRAINING, 1024, WORD)
    faces = [examine(png(one.pixels), TRAINING) for one in (full, small)]
    of_full, of_small = (sharpness(one.pixels, one.face).value for one in faces)
    assert of_full == pytest.approx(of_small, rel=0.15)


@pytest.mark.photos
def test_other_people_teach_nothing(photo):
    content = photo("negatives/two-people.jpg")
    boxes = examine(content, TRAINING).verdict.faces
    places = [(box.left + box.width / 2, box.top + box.height / 2) for box in boxes]
    for own, other in (places, places[::-1]):
        source = source_of("two", content, own)
        [one, *_] = examples([source], TRAINING, 768, WORD)
        seen = examine(content, TRAINING, subject=own)
        shape = (seen.pixels.shape[1], seen.pixels.shape[0])
        shown = (one.pixels.shape[1], one.pixels.shape[0])
        frames = [window(seen.face, shape, side) for side in sides_up_to(768)]
        size, box = next(found for found in frames if found[0] == shown)
        scale = size[1] / box.height
        for face, belongs in ((seen.face, True), (seen.others[0], False)):
            x, y = face.landmarks[:, :2].mean(axis=0)
            column, row = round((x - box.left) * scale), round((y - box.top) * scale)
            if 0 <= column < size[0] and 0 <= row < size[1]:
                assert bool(one.mask[row, column] > 0.9) is belongs, other


@pytest.mark.photos
def test_a_face_alike_on_both_sides_is_mirrored_with_its_mask_and_its_words(source):
    made = examples([source("barack/blue-room.jpg"), source("barack/portrait.jpg")], TRAINING, 512, WORD)
    straight, mirrored = made[:4], made[4:]
    assert [one.flipped for one in made] == [False] * 4 + [True] * 4
    for one, other in zip(straight, mirrored, strict=True):
        assert np.array_equal(one.pixels[:, ::-1], other.pixels)
        assert np.array_equal(one.mask[:, ::-1], other.mask)
        assert (one.key, one.close) == (other.key, other.close)
    assert "to the right of the picture" in straight[0].caption
    assert "to the left of the picture" in mirrored[0].caption


@pytest.mark.photos
@pytest.mark.parametrize("fault", [painted.with_mole, painted.with_fringe])
def test_a_mole_or_hair_combed_to_one_side_forbids_mirroring(fault, examined):
    seen = examined("barack/portrait.jpg")
    content = png(fault(seen.pixels, seen.face))
    assert len(examples([source_of("one", content)], TRAINING, 512, WORD)) == 2


@pytest.mark.photos
def test_marks_are_seen_on_every_face_and_not_invented(examined):
    for name in PORTRAITS:
        seen = examined(name)
        plain = sides(seen.pixels, seen.face)
        marked = sides(painted.with_mole(seen.pixels, seen.face), seen.face)
        combed = sides(painted.with_fringe(seen.pixels, seen.face), seen.face)
        assert plain.mark < 0.17 < marked.mark, name
        assert combed.hairline < 0.5, name
    assert sides(examined("eileen/portrait.png").pixels, examined("eileen/portrait.png").face).hairline < 0.5


@pytest.mark.photos
def test_a_turned_head_does_not_say_whether_its_sides_are_alike(examined):
    seen = examined("barack/podium.jpg")
    assert sides(seen.pixels, seen.face) is None


def test_most_photos_decide_about_mirroring_and_none_forbids_it():
    alike, marked, combed = Sides(0.1, 0.9), Sides(0.3, 0.9), Sides(0.1, 0.2)
    assert mirrors([alike, alike, marked])
    assert not mirrors([alike, marked, marked])
    assert not mirrors([combed])
    assert not mirrors([])


@pytest.mark.photos
def test_captions_name_the_word_and_what_the_photo_shows_and_never_who_it_shows(barack, source):
    said = {
        one.key: one.caption
        for one in examples([*barack, source("joe/portrait.jpg")], TRAINING, 512, WORD)
        if not one.close
    }
    assert all(WORD in caption for caption in said.values())
    assert "smile" in said["barack/portrait.jpg"]
    assert "neutral" in said["barack/podium.jpg"]
    assert "mouth open" in said["barack/speech.jpg"]
    assert "behind" in said["barack/blue-room.jpg"]
    assert sum("clothes" in caption for caption in said.values()) >= 4, sorted(said.values())
    assert all("wall" in caption or "surroundings" in caption for caption in said.values())
    words = " ".join(said.values()).split()
    assert not {"man", "woman", "old", "young", "skin", "black", "white", "glasses"} & set(words)


@pytest.mark.photos
def test_a_photo_gives_a_close_picture_a_floor_to_its_wall_and_its_true_size(source):
    wide, close, *_ = examples([source("eileen/portrait.png")], TRAINING, 256, WORD)
    assert not wide.close
    assert close.close
    assert "close-up" in close.caption
    assert "close-up" not in wide.caption
    assert "clothes" in wide.caption
    assert wide.mask.min() == np.float32(0.1), "0 would leave the edge of the hair to nobody"
    heights = []
    for one in (wide, close):
        face = examine(png(one.pixels), TRAINING).face
        assert face is not None
        heights.append(face.head_height / one.pixels.shape[0])
        assert one.original is not None
        assert one.original[0] / one.original[1] == pytest.approx(
            one.pixels.shape[0] / one.pixels.shape[1], rel=0.02
        )
    assert heights[1] > 1.4 * heights[0]


@pytest.mark.photos
def test_a_small_photo_is_shown_smaller_and_not_blurred(photo):
    small = Image.open(BytesIO(photo("joe/portrait.jpg"))).convert("RGB")
    small.thumbnail((560, 560))
    wide, close, *_ = examples([source_of("small", png(np.asarray(small)))], TRAINING, 1024, WORD)
    for one in (wide, close):
        assert (one.pixels.shape[1], one.pixels.shape[0]) in buckets(512)


def test_two_steps_of_five_look_at_a_close_picture_and_each_is_seen_as_often():
    from workers.diffusion.lessons import Lessons

    nothing: Any = None
    lessons = Lessons([], [], nothing, nothing, nothing, [], wide=[0, 1, 2], close=[3, 4])
    turns = [lessons.turn(7, step) for step in range(30)]
    assert [turn > 2 for turn in turns[:5]] == [False, True, False, True, False]
    assert sorted(turns) == sorted([0, 1, 2] * 6 + [3, 4] * 6)


@pytest.mark.parametrize(
    ("colour", "said"),
    [
        ((20, 20, 24), "dark grey"),
        ((240, 240, 240), "light grey"),
        ((20, 30, 90), "dark blue"),
        ((190, 30, 40), "red"),
        ((60, 130, 70), "green"),
        ((120, 80, 50), "brown"),
        ((250, 235, 180), "light yellow"),
    ],
)
def test_colours_of_clothes_and_walls_have_plain_names(colour, said):
    picture = np.full((100, 100, 3), colour, np.uint8)
    assert setting(picture, np.zeros((100, 100), np.float32)) == f"plain {said} wall"
    noisy = np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8)
    assert "surroundings" in setting(noisy, np.zeros((100, 100), np.float32))
    assert setting(picture, np.ones((100, 100), np.float32)) == ""


@pytest.mark.photos
def test_glasses_are_named(examined):
    for name in PORTRAITS:
        seen = examined(name)
        assert not wears_glasses(seen.pixels, seen.face)
        assert wears_glasses(painted.with_glasses(seen.pixels, seen.face), seen.face), name


@pytest.mark.photos
@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_photos(source):
    portrait = source("barack/portrait.jpg")

    def peak(count: int) -> float:
        tracemalloc.start()
        made = examples([portrait] * count, TRAINING, 128, WORD)
        kept = sum(one.pixels.nbytes + one.mask.nbytes for one in made)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most - kept

    examples([portrait], TRAINING, 128, WORD)  # whatever is loaded once
    assert peak(6) < 1.2 * peak(2)
