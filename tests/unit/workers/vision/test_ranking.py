from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from core.checks.advice import Issue
from core.checks.ranking import REASONS, Reason, best_three, near_duplicates, reasons
from core.checks.shots import PLACES, Shot, same_shot
from core.checks.verdict import Finding, Measures, Verdict
from core.image.kinds import PhotoFormat
from workers.vision.check import check
from workers.vision.decode import Picture
from workers.vision.encoder import built_in
from workers.vision.likeness import Embedding, distance, strangers

GOOD = {
    "sharpness": 110,
    "yaw_degrees": 2,
    "pitch_degrees": -3,
    "side_light_stops": 0.2,
    "sharp_up_to_px": 3000,
    "chest_room_ratio": 1.0,
    "eye_opening_ratio": 0.25,
    "colour_cast_lab": 2.0,
}


def verdict(score: float, phash: str | None = None, **measures: float) -> Verdict:
    return Verdict(
        accepted=score > 0, issues=(), measures=Measures.model_validate(measures), score=score, phash=phash
    )


def again(content: bytes, *, crop: float = 0.0, scale: float = 1.0, quality: int = 90, gain: float = 1.0):
    image = Image.open(io.BytesIO(content)).convert("RGB")
    width, height = image.size
    image = image.crop((round(crop * width), round(crop * height * 0.4), round(width * (1 - crop)), height))
    image = image.resize((round(image.width * scale), round(image.height * scale)))
    image = image.point([min(255, round(value * gain)) for value in range(256)] * 3)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def test_best_three_are_ordered_and_never_the_same_shot_twice():
    verdicts = {
        "refused": verdict(0.0),
        "copy": verdict(0.8, "ff00ff00ff00ff01"),
        "first": verdict(0.9, "ff00ff00ff00ff00"),
        "second": verdict(0.7, "0123456789abcdef"),
        "third": verdict(0.6),
        "fourth": verdict(0.5),
    }
    assert [one.key for one in best_three(verdicts)] == ["first", "second", "third"]
    assert best_three({"refused": verdict(0.0)}) == []


def test_a_stranger_is_not_among_the_best():
    stranger = verdict(0.9).model_copy(update={"issues": (Finding.of(Issue.MAY_BE_SOMEONE_ELSE),)})
    assert [one.key for one in best_three({"a": stranger, "b": verdict(0.2)})] == ["b"]


def test_every_reason_has_words_and_a_measure_that_gives_it():
    assert set(REASONS) == set(Reason)
    assert set(reasons(verdict(0.9, **GOOD))) == set(Reason)
    assert reasons(verdict(0.9)) == ()


@pytest.mark.parametrize(
    ("issue", "silenced"),
    [
        (Issue.DARK, {Reason.EVEN_LIGHT, Reason.LOOKING_AT_CAMERA, Reason.TRUE_COLOURS}),
        (Issue.BACK_LIGHT, {Reason.EVEN_LIGHT, Reason.LOOKING_AT_CAMERA, Reason.TRUE_COLOURS}),
        (Issue.SMALL_IN_FRAME, {Reason.LARGE_ENOUGH_FOR_PRINT, Reason.SHOWS_SHOULDERS}),
        (Issue.HEAD_TURNED, {Reason.LOOKING_AT_CAMERA}),
        (Issue.BLURRED, {Reason.SHARP}),
        (Issue.GLARE, {Reason.EYES_OPEN}),
        (Issue.COLOUR_CAST, {Reason.TRUE_COLOURS}),
    ],
)
def test_a_reason_never_praises_what_a_warning_scolds(issue, silenced):
    scolded = verdict(0.9, **GOOD).model_copy(update={"issues": (Finding.of(issue),)})
    assert not silenced & set(reasons(scolded))


@pytest.mark.photos
def test_a_dark_photo_against_the_window_is_not_praised_for_its_light(examined):
    for name in ("barack/blue-room.jpg", "joe/blue-room.jpg"):
        assert not {Reason.EVEN_LIGHT, Reason.LOOKING_AT_CAMERA} & set(reasons(examined(name).verdict))


@pytest.mark.photos
def test_a_speaker_ranks_below_calm_photos(examined):
    names = ("portrait", "podium", "speech")
    best = best_three({name: examined(f"barack/{name}.jpg").verdict for name in names})
    assert [one.key for one in best] == list(names)


def test_near_duplicates_point_to_the_best_of_their_shot():
    verdicts = {
        "a": verdict(0.7, "0" * 16),
        "b": verdict(0.9, "f" * 16),
        "c": verdict(0.8, "0" * 15 + "1"),
        "d": verdict(0.7, "0" * 15 + "3"),
        "refused": verdict(0.0, "0" * 16),
        "unknown": verdict(0.95),
    }
    assert near_duplicates(verdicts) == {"a": "c", "d": "c"}
    assert near_duplicates(dict.fromkeys("xy", verdict(0.7, "0" * 16))) == {"y": "x"}, "of equals the earlier"


@pytest.mark.photos
@pytest.mark.parametrize("name", ["barack/portrait.jpg", "eileen/portrait.png"])
def test_a_head_held_alike_on_another_day_is_another_shot(examined, photo, consent, name):
    seen = examined(name)
    office = np.asarray(Image.open(io.BytesIO(photo(name))).convert("RGB"))
    height, width = office.shape[:2]
    box = seen.place.box(seen.face)
    across, down = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    rows, columns = np.mgrid[:height, :width]
    away = np.hypot((columns - across) / (0.75 * box.width), (rows - down) / (0.75 * box.height))
    head = np.clip((1.1 - away) / 0.1, 0, 1)[..., None]
    hall = np.zeros_like(office)
    hall[: int(box.bottom)] = (40, 20, 60)
    hall[int(box.bottom) :] = (235, 232, 225)
    gala = (head * office + (1 - head) * hall).astype(np.uint8)
    other = check(Picture(gala, PhotoFormat.PNG, width, height), consent).phash
    faces = Shot.read(seen.verdict.phash).face ^ Shot.read(other).face
    assert faces.bit_count() <= 7, "the face alone would call them the same"
    assert not same_shot(seen.verdict.phash, other)
    assert same_shot(seen.verdict.phash[:16], other), "a sign from before tells by the face"


def test_a_shots_sign_is_read_as_it_was_written():
    shot = Shot(0x0123456789ABCDEF, ((-127, 0, 127), None, *((1, 2, 3),) * (PLACES - 2)))
    assert Shot.read(str(shot)) == shot
    assert shot.apart(Shot(0)) is None
    assert shot.apart(shot) == 0


@pytest.mark.photos
def test_same_shot_is_known_again_however_it_was_saved_and_another_moment_is_not(photo, consent):
    for name in ("barack/portrait.jpg", "joe/portrait.jpg", "eileen/portrait.png"):
        content = photo(name)
        copies = {
            "original": content,
            "mail": again(content, quality=40),
            "cropped": again(content, crop=0.08),
            "small": again(content, scale=0.95),
            "bright": again(content, gain=1.25),
            "dark": again(content, gain=0.75),
        }
        verdicts = {key: check(copy, consent) for key, copy in copies.items()}
        best = max(verdicts, key=lambda key: verdicts[key].score)
        assert near_duplicates(verdicts) == dict.fromkeys(set(copies) - {best}, best), name
    moments = ("portrait", "letterboxed", "podium", "speech", "blue-room")
    verdicts = {name: check(photo(f"barack/{name}.jpg"), consent) for name in moments}
    assert near_duplicates(verdicts) == {"letterboxed": "portrait"}


def person(seed: int, count: int, spread: float = 0.02) -> list[Embedding]:
    generator = np.random.default_rng(seed)
    middle = generator.normal(0, 0.09, 128)
    return [Embedding({built_in().id: middle + generator.normal(0, spread, 128)}) for _ in range(count)]


def test_stranger_is_the_one_photo_that_the_others_do_not_resemble():
    own = person(1, 4)
    other = person(2, 2)
    named = {f"own{index}": one for index, one in enumerate(own)}
    assert strangers(named) == set()
    assert strangers({**named, "other": other[0]}) == {"other"}
    assert strangers({"own0": own[0], "own1": own[1], "other": other[0]}) == {"other"}


def test_one_pair_of_own_photos_far_apart_does_not_hide_a_stranger():
    """Of ten photos of one person a pair is often beyond the limit: a beard, ten years, another light."""
    own = person(1, 6, spread=0.035)
    apart = [distance(one, other) for one in own for other in own]
    assert max(apart) > 0.6
    named = {f"own{index}": one for index, one in enumerate(own)}
    assert strangers({**named, "other": person(2, 1)[0]}) == {"other"}


def test_nobody_is_called_a_stranger_where_it_is_open_who_is():
    own, other, third = person(1, 2), person(2, 2), person(3, 1)
    assert strangers({"own": own[0], "other": other[0]}) == set()
    assert strangers({"own": own[0], "other": other[0], "third": third[0]}) == set()
    assert strangers({"a": own[0], "b": own[1], "c": other[0], "d": other[1]}) == set()
    assert strangers({"a": own[0], "b": own[1], "c": other[0], "d": third[0]}) == {"c", "d"}
