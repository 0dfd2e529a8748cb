"""An identity encoder of the operator's own beside dlib: each has its limits, and made faces pass by both or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from networks import flat_network, keep, pool_network
from onnx import helper

from core import settings
from core.checks.report import GateName
from core.consent import ConsentRequired, ValidConsent
from core.errors import ConfigurationError
from deploy.bench.likeness import bench_likeness
from workers.pipeline import generated
from workers.pipeline.gates import measure_person
from workers.pipeline.reference import Own
from workers.pipeline.yardstick import Features, Yardstick
from workers.vision import identity_model
from workers.vision.encoder import Encoder, Limits, built_in, encoders, titles
from workers.vision.faces import find_faces
from workers.vision.geometry import Pixels
from workers.vision.likeness import Embedding, OtherEncoder, distance, embed, limits, share, strangers

FACTS = {"name": "Pool", "licence": "CC0-1.0", "limits": {"same_person": 1.2, "most_pairs": 0.9}}


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Name a file in the settings, with a side file."""

    def name(path: Path, facts: object = FACTS) -> Path:
        if facts is not None:
            path.with_suffix(".json").write_text(json.dumps(facts))
        monkeypatch.setenv("HEADSHOTS_LIKENESS_MODEL", str(path))
        settings.vision_settings.cache_clear()
        identity_model.identity_model.cache_clear()
        return path

    yield name
    settings.vision_settings.cache_clear()
    identity_model.identity_model.cache_clear()


def test_built_in_is_dlib_with_the_limits_that_were_measured(
    consent: ValidConsent, astronaut: Pixels
) -> None:
    assert titles().startswith("the built-in encoder: dlib")
    assert encoders() == (built_in(),)
    assert limits() == Limits(
        same_person=0.6,
        most_pairs=0.45,
        margin=0.1,
        furthest=0.5,
        strictest=0.36,
        beyond_own=0.02,
        nearer=0.2,
        same_face=0.25,
        source=limits().source,
    )
    made = embed(astronaut, find_faces(astronaut)[0], consent, by_all=True)
    kept = json.loads(made.to_bytes())
    assert len(kept) == 128, "as earlier releases kept them, and can read them"
    assert distance(Embedding.from_bytes(made.to_bytes()), made) < 1e-4
    assert made.is_current


def test_it_stands_beside_dlib_with_limits_of_its_own(
    use: Callable[..., Path], tmp_path: Path, consent: ValidConsent, astronaut: Pixels
) -> None:
    use(pool_network(tmp_path / "pool.onnx"))
    face = find_faces(astronaut)[0]
    pool = pool_of()
    made = embed(astronaut, face, consent, by_all=True)
    assert set(made.numbers) == {built_in().id, pool.id}
    assert made.numbers[pool.id].shape == (192,)
    assert np.linalg.norm(made.numbers[pool.id]) == pytest.approx(1)
    assert titles().startswith("the built-in encoder: dlib")
    assert " and Pool (CC0-1.0; pool.onnx, SHA-256 " in titles()
    assert pool.limits.furthest == pytest.approx(1.0), "5/6 of same_person, where dlib's lies"
    assert pool.limits.strictest == pytest.approx(0.72)
    assert pool.limits.nearer == pytest.approx(0.4)
    assert pool.limits.same_face == pytest.approx(0.5)


def test_photos_are_told_apart_by_dlib_alone_whatever_stands_beside_it(
    use: Callable[..., Path], tmp_path: Path, consent: ValidConsent, astronaut: Pixels
) -> None:
    use(pool_network(tmp_path / "pool.onnx"))
    face = find_faces(astronaut)[0]
    own = Own()
    for name, brightness in (("first", 1.0), ("second", 0.9)):
        own.add(name, (astronaut * brightness).astype(np.uint8), face, consent)
    gate = measure_person(astronaut, face, "first", own, consent)[GateName.LIKENESS]
    assert gate.unit == "dlib distance"
    assert gate.limit == pytest.approx(0.45)
    assert gate.passed


def pool_of() -> Encoder:
    dlib, pool = encoders()
    assert dlib is built_in()
    return pool


def _seen(by_dlib: float, by_pool: float, seed: int) -> Features:
    """A face so far from the middle by each encoder, and drawn like no other."""
    numbers = {}
    for used, away in zip(encoders(), (by_dlib, by_pool), strict=True):
        numbers[used.id] = np.zeros(128)
        numbers[used.id][0] = away
    drawing = np.random.default_rng(seed).normal(0, 1, (128, 128)).astype(np.float32)
    return Features(Embedding(numbers), np.zeros(10), drawing)


@pytest.mark.parametrize(
    ("by_dlib", "by_pool", "passes", "shown"),
    [
        (0.1, 0.1, True, "dlib distance"),
        (0.1, 0.73, False, "distance by Pool"),
        (0.37, 0.1, False, "dlib distance"),
        (0.1, 0.7, True, "distance by Pool"),
    ],
)
def test_a_made_face_passes_by_both_or_not_at_all(
    use: Callable[..., Path], tmp_path: Path, by_dlib: float, by_pool: float, passes: bool, shown: str
) -> None:
    use(pool_network(tmp_path / "pool.onnx"))
    yardstick = Yardstick({"a": _seen(0.0, 0.0, 1)}, {"b": _seen(0.05, 0.05, 2)})
    made = _seen(by_dlib, by_pool, 3)
    gate = generated._held_out(made, yardstick)
    assert (gate.passed, gate.unit, gate.encoders) == (passes, shown, 2)
    assert (share(made.embedding, [_seen(0.0, 0.0, 1).embedding]) * 0.5 <= 0.36) is passes
    assert judged(made) == pytest.approx(1 - max(by_dlib / 0.5, by_pool / 1.0))


def judged(made: Features) -> float:
    return 1 - share(made.embedding, [_seen(0.0, 0.0, 1).embedding])


def test_a_made_face_has_to_be_nearer_to_its_person_than_to_a_colleague_by_both(
    use: Callable[..., Path], tmp_path: Path
) -> None:
    use(pool_network(tmp_path / "pool.onnx"))
    own = {"a": _seen(0.0, 0.0, 1)}, {"b": _seen(0.05, 0.05, 2)}
    far, near_by_pool = [_seen(0.9, 1.8, 4).embedding], [_seen(0.9, 1.2, 5).embedding]
    made = _seen(0.1, 0.6, 3)
    assert generated._nearest(made, Yardstick(*own, [far])).passed is True
    failed = generated._nearest(made, Yardstick(*own, [far, near_by_pool]))
    assert (failed.passed, failed.unit) == (False, "distance by Pool nearer")


def test_a_colleague_whom_one_encoder_never_saw_is_no_pass_by_both(
    use: Callable[..., Path], tmp_path: Path
) -> None:
    use(pool_network(tmp_path / "pool.onnx"))
    seen = _seen(0.9, 1.8, 4).embedding
    old = Embedding.from_bytes(Embedding({built_in().id: seen.numbers[built_in().id]}).to_bytes())
    own = {"a": _seen(0.0, 0.0, 1)}, {"b": _seen(0.05, 0.05, 2)}
    gate = generated._nearest(_seen(0.1, 0.1, 3), Yardstick(*own, [[seen], [old]]))
    assert gate.passed is None
    assert "1 of 2 colleagues were never seen by this encoder" in gate.why
    too_near = Embedding({built_in().id: _seen(0.55, 0.0, 6).embedding.numbers[built_in().id]})
    failed = generated._nearest(_seen(0.45, 0.1, 3), Yardstick(*own, [[seen], [too_near]]))
    assert (failed.passed, failed.unit) == (False, "dlib distance nearer"), "and what fails by one fails"


def test_a_copy_is_told_by_either(use: Callable[..., Path], tmp_path: Path) -> None:
    use(pool_network(tmp_path / "pool.onnx"))
    yardstick = Yardstick({"a": _seen(0.0, 0.0, 1)}, {"b": _seen(0.3, 0.6, 2)})
    for by_dlib, by_pool, copy in ((0.31, 0.1, True), (0.1, 0.61, True), (0.65, 1.3, False)):
        gate = generated._copy(_seen(by_dlib, by_pool, 2), yardstick, kept=False)
        assert gate.passed is not copy


def test_limits_that_its_maker_knows_are_taken_as_they_are(use: Callable[..., Path], tmp_path: Path) -> None:
    use(
        pool_network(tmp_path / "pool.onnx"),
        {"limits": {"same_person": 1.2, "most_pairs": 0.9, "furthest": 1.1, "source": "1.2 on our staff"}},
    )
    assert pool_of().limits.furthest == 1.1
    assert pool_of().limits.source == "1.2 on our staff"


def test_without_consent_to_likeness_no_encoder_sees_a_face(
    use: Callable[..., Path], tmp_path: Path, photo_consent: ValidConsent, astronaut: Pixels
) -> None:
    use(tmp_path / "not even there.onnx")
    with pytest.raises(ConsentRequired):
        embed(astronaut, find_faces(astronaut)[0], photo_consent, by_all=True)


def test_numbers_of_two_encoders_are_never_compared(
    use: Callable[..., Path], tmp_path: Path, consent: ValidConsent, astronaut: Pixels
) -> None:
    face = find_faces(astronaut)[0]
    by_dlib = embed(astronaut, face, consent)
    use(pool_network(tmp_path / "pool.onnx"))
    by_both = embed(astronaut, face, consent, by_all=True)
    use(pool_network(tmp_path / "pool.onnx"), FACTS | {"mean": [0.4, 0.4, 0.4]})
    shown_otherwise = embed(astronaut, face, consent, by_all=True)
    assert [one.is_current for one in (by_dlib, by_both, shown_otherwise)] == [False, False, True]
    for one in (by_dlib, by_both):
        again = Embedding.from_bytes(one.to_bytes())
        assert set(again.numbers) == set(one.numbers)
        with pytest.raises(OtherEncoder):
            distance(again, shown_otherwise, pool_of().id)
        assert distance(again, shown_otherwise) < 1e-4, "by dlib they can"


def test_what_earlier_releases_sealed_can_be_read(astronaut: Pixels, consent: ValidConsent) -> None:
    of_dlib = Embedding.from_bytes(json.dumps([0.5] * 128).encode())
    assert of_dlib.is_current
    of_another = Embedding.from_bytes(json.dumps({"encoder": "abc", "numbers": [0.5] * 512}).encode())
    assert not of_another.is_current
    assert set(of_another.numbers) == {"abc"}
    with pytest.raises(OtherEncoder):
        strangers({"a": of_another, "b": of_dlib, "c": of_dlib})


@given(turn=some.floats(-40, 40), scale=some.floats(0.6, 1.6))
@pytest.mark.slow
def test_a_face_is_shown_upright_in_its_places_however_it_was_taken(
    astronaut: Pixels, turn: float, scale: float
) -> None:
    face = find_faces(astronaut)[0]
    height, width = astronaut.shape[:2]
    x, y = (float(one) for one in (face.right_eye + face.left_eye) / 2)
    matrix = cv2.getRotationMatrix2D((x, y), turn, scale)
    turned = cv2.warpAffine(astronaut, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    marks = face.landmarks.copy()
    marks[:, :2] = marks[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    moved = type(face)(marks.astype(np.float32), face.score)
    plain, other = (
        identity_model.aligned(astronaut, face),
        identity_model.aligned(np.asarray(turned, np.uint8), moved),
    )
    middle = np.s_[20:100, 20:92]
    assert np.abs(plain[middle].astype(int) - other[middle]).mean() < 6
    found = find_faces(cv2.copyMakeBorder(plain, 60, 60, 60, 60, cv2.BORDER_REPLICATE))
    eyes = np.array([found[0].right_eye, found[0].left_eye]) - 60
    assert np.abs(eyes - identity_model._PLACES[:2]).max() < 4


def _wrong(path: Path, what: str) -> Path:
    match what:
        case "other size":
            return pool_network(path, side=128)
        case "pictures":
            return flat_network(path, 1.0, (1, 3, 112, 112))
        case "always the same":
            nodes = [
                helper.make_node("Shape", ["picture"], ["shape"]),
                helper.make_node("ConstantOfShape", ["shape"], ["zeros"]),
                helper.make_node("Add", ["zeros", "one"], ["ones"]),
                helper.make_node("Flatten", ["ones"], ["answer"]),
            ]
            return keep(path, nodes, (1, 3, 112, 112), {"one": np.array(1.0, np.float32)})
        case "nothing":
            nodes = [
                helper.make_node("Mul", ["picture", "none"], ["off"]),
                helper.make_node("Flatten", ["off"], ["answer"]),
            ]
            return keep(path, nodes, (1, 3, 112, 112), {"none": np.array(0.0, np.float32)})
    return path


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("missing", "there is no file"),
        ("other size", "must take faces of 112 × 112"),
        ("pictures", "not one vector for a face"),
        ("always the same", "a face and an empty picture alike"),
        ("nothing", "no direction"),
    ],
)
def test_a_wrong_file_is_told_before_the_first_face(
    use: Callable[..., Path], tmp_path: Path, what: str, says: str
) -> None:
    use(_wrong(tmp_path / "mine.onnx", what))
    with pytest.raises(ConfigurationError, match=says) as told:
        encoders()
    assert told.value.message.startswith("HEADSHOTS_LIKENESS_MODEL")


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (None, "limits"),
        ({"limits": {"same_person": 1.2}}, "most_pairs"),
        ({"limits": {"same_person": 0.9, "most_pairs": 1.2}}, "most_pairs has to be at most same_person"),
        ({"limits": {"same_person": 0.1, "most_pairs": 0.1}}, "a face in a mirror somebody else"),
    ],
)
def test_without_fitting_limits_of_its_own_it_is_not_used(
    use: Callable[..., Path], tmp_path: Path, facts: object, says: str
) -> None:
    use(pool_network(tmp_path / "mine.onnx"), facts)
    with pytest.raises(ConfigurationError, match=says):
        encoders()


@pytest.mark.parametrize("name", ["w600k_r50.onnx", "buffalo_l/model.onnx", "antelopev2/glintr100.onnx"])
def test_packs_for_research_only_are_refused(use: Callable[..., Path], tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    use(pool_network(tmp_path / name))
    with pytest.raises(ConfigurationError, match="non-commercial research only"):
        encoders()


@pytest.mark.photos
@pytest.mark.slow
def test_the_bench_prints_both_errors_of_each_encoder_and_of_both_together(
    use: Callable[..., Path], tmp_path: Path, photo: Callable[[str], bytes]
) -> None:
    people = {
        "barack": ("portrait", "letterboxed", "podium", "blue-room"),
        "joe": ("portrait",),
    }
    files = {
        name: [(place, photo(f"{name}/{place}.jpg")) for place in places] for name, places in people.items()
    }
    use(pool_network(tmp_path / "pool.onnx"))
    lines: list[dict[str, Any]] = []
    bench_likeness(lambda value, _text: lines.append(value), files)
    assert lines[0] == {"encoders": [one.title for one in encoders()]}
    own, others, found = (one for one in lines if one.get("unit") == "dlib distance")
    assert (own["pairs"], others["pairs"]) == (3, 3), "one photo of each shot"
    assert own["p100"] < 0.6 < others["p0"]
    assert (found["found"], found["confused"]) == (3, 0)
    assert {"person": "joe", "left_out": True} in lines
    judges = ("dlib distance", "distance by Pool", "all together")
    refused = {one["judge"]: one["refused"] for one in lines if "refused" in one}
    passed = {
        judge: [one["passed"] for one in lines if one.get("judge") == judge and "passed" in one]
        for judge in judges
    }
    assert tuple(refused) == judges
    assert all(one["own"] == 6 for one in lines if "own" in one), "three photos, twice two others in turn"
    assert all(one["faces"] == 6 for one in lines if "faces" in one)
    assert [one["morph_share"] for one in lines if one.get("judge") == judges[0] and "faces" in one] == [
        0.1,
        0.2,
        0.3,
        0.4,
        1.0,
    ]
    assert passed["dlib distance"][0] > passed["dlib distance"][-1] == 0, "somebody else never passes"
    for dlib, pool, both in zip(*(passed[judge] for judge in judges), strict=True):
        assert both <= min(dlib, pool), "what passes by both passes by each"
    assert refused["all together"] >= max(refused["dlib distance"], refused["distance by Pool"])
