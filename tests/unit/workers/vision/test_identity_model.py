"""An identity encoder of the operator's own: its limits are its own, and its numbers are never held against another's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

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
from workers.pipeline.gates import measure_person
from workers.pipeline.generated import Features, Yardstick
from workers.pipeline.reference import Own
from workers.vision import identity_model
from workers.vision.encoder import Limits, encoder
from workers.vision.faces import find_faces
from workers.vision.geometry import Pixels
from workers.vision.likeness import Embedding, OtherEncoder, distance, embed, limits, strangers

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
    assert encoder().title.startswith("the built-in encoder: dlib")
    assert limits() == Limits(
        same_person=0.6,
        most_pairs=0.45,
        margin=0.1,
        furthest=0.5,
        beyond_own=0.05,
        nearer=0.2,
        same_face=0.25,
        source=limits().source,
    )
    made = embed(astronaut, find_faces(astronaut)[0], consent)
    kept = json.loads(made.to_bytes())
    assert len(kept) == 128, "as earlier releases kept them, and can read them"
    assert distance(Embedding.from_bytes(made.to_bytes()), made) < 1e-4
    assert made.is_current


def test_its_numbers_and_limits_take_the_place_of_dlibs(
    use: Callable[..., Path], tmp_path: Path, consent: ValidConsent, astronaut: Pixels
) -> None:
    use(pool_network(tmp_path / "pool.onnx"))
    face = find_faces(astronaut)[0]
    made = embed(astronaut, face, consent)
    assert made.numbers.shape == (192,)
    assert np.linalg.norm(made.numbers) == pytest.approx(1)
    assert encoder().title.startswith("Pool (CC0-1.0; pool.onnx, SHA-256 ")
    own = Own()
    for name, brightness in (("first", 1.0), ("second", 0.9)):
        own.add(name, (astronaut * brightness).astype(np.uint8), face, consent)
    gate = measure_person(astronaut, face, "first", own, consent)[GateName.LIKENESS]
    assert gate.unit == "distance by Pool"
    assert gate.limit == pytest.approx(0.9), "what most pairs have, and no 0.45 of dlib's"
    assert gate.passed
    alone = Yardstick({"a": Features(made, np.zeros(10), np.zeros((128, 128), np.float32))}, {})
    assert alone.furthest == pytest.approx(1.0), "5/6 of same_person, where dlib's lies"
    assert alone.nearer == pytest.approx(0.4)
    assert alone.same_face == pytest.approx(0.5)


def test_limits_that_its_maker_knows_are_taken_as_they_are(use: Callable[..., Path], tmp_path: Path) -> None:
    use(
        pool_network(tmp_path / "pool.onnx"),
        {"limits": {"same_person": 1.2, "most_pairs": 0.9, "furthest": 1.1, "source": "1.2 on our staff"}},
    )
    assert limits().furthest == 1.1
    assert limits().source == "1.2 on our staff"


def test_without_consent_to_likeness_no_encoder_sees_a_face(
    use: Callable[..., Path], tmp_path: Path, photo_consent: ValidConsent, astronaut: Pixels
) -> None:
    use(tmp_path / "not even there.onnx")
    with pytest.raises(ConsentRequired):
        embed(astronaut, find_faces(astronaut)[0], photo_consent)


def test_numbers_of_two_encoders_are_never_compared(
    use: Callable[..., Path], tmp_path: Path, consent: ValidConsent, astronaut: Pixels
) -> None:
    face = find_faces(astronaut)[0]
    by_dlib = embed(astronaut, face, consent)
    use(pool_network(tmp_path / "pool.onnx"))
    by_pool = embed(astronaut, face, consent)
    use(pool_network(tmp_path / "pool.onnx"), FACTS | {"mean": [0.4, 0.4, 0.4]})
    shown_otherwise = embed(astronaut, face, consent)
    assert [one.is_current for one in (by_dlib, by_pool, shown_otherwise)] == [False, False, True]
    for one in (by_dlib, by_pool):
        again = Embedding.from_bytes(one.to_bytes())
        assert again.encoder == one.encoder
        with pytest.raises(OtherEncoder):
            distance(again, shown_otherwise)
        with pytest.raises(OtherEncoder):
            strangers({"a": again, "b": shown_otherwise, "c": shown_otherwise})


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
        encoder()
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
        encoder()


@pytest.mark.parametrize("name", ["w600k_r50.onnx", "buffalo_l/model.onnx", "antelopev2/glintr100.onnx"])
def test_packs_for_research_only_are_refused(use: Callable[..., Path], tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    use(pool_network(tmp_path / name))
    with pytest.raises(ConfigurationError, match="non-commercial research only"):
        encoder()


@pytest.mark.photos
@pytest.mark.slow
def test_the_bench_says_what_an_encoders_limits_would_have_to_be(photo: Callable[[str], bytes]) -> None:
    people = {
        name: [(place, photo(f"{name}/{place}.jpg")) for place in ("portrait", "blue-room")]
        for name in ("barack", "joe")
    }
    lines: list[dict[str, object]] = []
    bench_likeness(lambda value, _text: lines.append(value), people)
    assert lines[0] == {"encoder": encoder().title}
    own, others, found, *morphs = lines[1:]
    assert (own["pairs"], others["pairs"]) == (2, 4)
    assert own["p100"] < 0.6 < others["p0"]
    assert found == {"same_person": 0.6, "found": 2, "confused": 0}
    assert [one["morph_share"] for one in morphs] == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert [one["faces"] for one in morphs] == [4] * 5
    assert morphs[0]["passed"] == 4 > morphs[-1]["passed"], (
        "real people pass, faces nearly half-way less often"
    )
