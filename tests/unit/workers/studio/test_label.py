"""The visible label: readable in each size that has a free corner, over no face and no logo, and said in the file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from origins import read
from PIL import Image

from compliance.origin import signer as signers
from compliance.origin.credentials import Origin
from compliance.origin.label import Label, label_of
from compliance.origin.making import Making
from compliance.origin.signer import Signer
from core.style.framing import Rect, head_box
from core.style.outputs import NAMED_OUTPUTS, Output
from core.style.spec import Corner, Crop, Logo, StyleSpec
from workers.studio.encode import deliver
from workers.studio.label import LEAST, placed, unlabelled, with_label

STYLE = StyleSpec(outputs=tuple(NAMED_OUTPUTS.values()))
ENGLISH = label_of("diffusion", "en")


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return signers.make(Path(tmp_path_factory.mktemp("signer")))


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def made(engine: str, output: Output, signer: Signer, label: Label | None, ground: int = 235) -> bytes:
    origin = Origin(Making.of_headshot(engine, STYLE), signer, None, label)
    master = np.full((1024, 1024, 3), ground, np.uint8)
    return deliver(master, STYLE, output, origin, logo=None)


@pytest.mark.parametrize("name", [one for one in NAMED_OUTPUTS if one != "print"])
@pytest.mark.parametrize("ground", [235, 20])
def test_each_size_says_it_readably_in_a_corner_clear_of_the_head(
    name: str, ground: int, signer: Signer
) -> None:
    assert ENGLISH is not None
    output = NAMED_OUTPUTS[name]
    changed = pixels(made("diffusion", output, signer, ENGLISH, ground)) - pixels(
        made("diffusion", output, signer, None, ground)
    )
    rows, columns = np.nonzero(np.abs(changed).max(2) > 25)
    assert rows.size, "the label is there"
    found = Rect(columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1)
    head = head_box(STYLE.part(output), STYLE.head, output.width, output.height)
    assert not found.meets(head)
    assert found.height >= LEAST * 0.7
    assert found.width < 0.5 * output.width
    assert found.left > output.width / 2
    assert found.top > output.height / 2, "bottom right, where nothing else is"
    shown = pixels(made("diffusion", output, signer, ENGLISH, ground))
    box = shown[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].mean(2)
    light, dark = (np.percentile(box, 99) / 255) ** 2.2, (np.percentile(box, 20) / 255) ** 2.2
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def test_what_the_studio_edits_has_none_and_words_are_the_companys() -> None:
    assert label_of("studio", "en") is None
    assert label_of("", "de") is None
    assert [label_of(engine, "de") for engine in ("diffusion", "wardrobe")] == [
        Label(("KI-generiert", "KI")),
        Label(("KI-bearbeitet", "KI")),
    ]
    assert label_of("wardrobe", "fr") == label_of("wardrobe", "en")


def test_the_file_says_that_it_has_a_label_only_where_it_has_one(signer: Signer) -> None:
    for label, says in ((ENGLISH, True), (None, False)):
        found = read(made("diffusion", NAMED_OUTPUTS["teams"], signer, label), "image/jpeg")
        assert found is not None
        assert found.state == "Valid"
        assert any("visible label" in one.get("description", "") for one in found.actions) is says


def test_a_logo_keeps_its_corner_and_a_small_file_gets_the_short_word() -> None:
    assert ENGLISH is not None
    output = NAMED_OUTPUTS["square"]
    logo = Logo(corner=Corner.BOTTOM_RIGHT).place(output)
    place = placed(ENGLISH, output.width, output.height, [logo])
    assert place is not None
    assert not place.box.meets(logo)
    assert place.box.left < output.width / 2
    small = placed(ENGLISH, 96, 96, [])
    assert small is not None
    assert (small.text, small.letters) == ("AI", LEAST)


def test_where_no_corner_is_free_nothing_is_drawn_and_the_size_is_named() -> None:
    assert ENGLISH is not None
    whole = Rect(0, 0, 200, 200)
    plain = np.full((200, 200, 3), 90, np.uint8)
    assert with_label(plain, ENGLISH, [whole]) is plain
    assert unlabelled(STYLE, ENGLISH) == []
    tight = StyleSpec(
        crop=Crop(eye_line=0.5, head_height=0.75),
        outputs=(Output(name="icon", width=64, height=64), Output(name="big", width=512, height=512)),
    )
    assert unlabelled(tight, ENGLISH) == ["icon"]
