"""Files of any shape show the whole head."""

from __future__ import annotations

import pytest

from core.style.framing import LARGEST_HEAD, Head, head_box
from core.style.outputs import Output
from core.style.presets import PRESETS
from core.style.spec import StyleSpec

SHAPES = [(1600, 900), (1584, 396), (1500, 500), (600, 1200), (400, 1000), (800, 800), (1200, 630)]
SLACK = 0.51  # px: whole pixels


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("tightly", [False, True])
def test_whole_head_is_inside_a_file_of_any_shape(preset: str, shape: tuple[int, int], tightly: bool) -> None:
    output = Output(name="own", width=shape[0], height=shape[1])
    style = PRESETS[preset].model_copy(update={"outputs": (output,), "logo": None})
    crop = style.crop
    height = max(LARGEST_HEAD, crop.head_height) if tightly else crop.head_height
    head = Head(crop.eye_line, height)
    part = style.part(output, head, style.master_size())
    box = head_box(part, head, *shape)
    assert box.left >= -SLACK
    assert box.left + box.width <= shape[0] + SLACK
    if not tightly:  # hair that a tight photo itself cuts off is nowhere
        assert box.top >= -SLACK
    assert box.top + box.height <= shape[1] + SLACK


@pytest.mark.parametrize("preset", PRESETS)
def test_default_files_need_no_room_beyond_the_frame(preset: str) -> None:
    style = StyleSpec(crop=PRESETS[preset].crop)
    width, height = style.master_size()
    assert width / height == pytest.approx(style.crop.aspect, abs=0.01)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_file_lies_in_the_master(shape: tuple[int, int]) -> None:
    output = Output(name="own", width=shape[0], height=shape[1])
    style = StyleSpec(outputs=(Output(name="square", width=1024, height=1024), output))
    width, height = style.master_size()
    frame, part = style.frame(width, height), style.part(output, None, (width, height))
    assert frame.left + part.left * frame.width >= -SLACK
    assert frame.left + (part.left + part.width) * frame.width <= width + SLACK
    assert frame.top + part.top * frame.height >= -SLACK
    assert frame.top + (part.top + part.height) * frame.height <= height + SLACK


def test_a_small_photo_makes_a_smaller_master_and_its_files_are_never_enlarged() -> None:
    style = StyleSpec(outputs=("square", "teams", "badge"))
    whole = style.master_size()
    assert style.carried(10_000, style.crop.head_height) == whole
    # 1.25 × 397 px fill a frame of 800 px at the default crop.
    small = style.carried(397, style.crop.head_height)
    assert small == (800, 800)
    square, teams, badge = (style.delivered(one, None, small) for one in style.outputs)
    assert (square.width, square.height) == small
    assert (teams, badge) == style.outputs[1:], "what fits into it is delivered as asked"
    tiny = style.carried(160, style.crop.head_height)
    square, teams, badge = (style.delivered(one, None, tiny) for one in style.outputs)
    assert (square.width, square.height) == (teams.width, teams.height) == tiny
    assert badge.width / badge.height == pytest.approx(413 / 531, abs=0.01)
    assert badge.dpi is not None
    assert badge.width / badge.dpi == pytest.approx(413 / 300, abs=0.02), "on paper it stays as large"


def test_a_tighter_crop_carries_a_smaller_headshot() -> None:
    style = StyleSpec()
    assert style.carried(300, 0.8)[1] < style.carried(300, 0.62)[1]


def test_files_of_a_whole_or_unknown_master_are_as_asked() -> None:
    style = StyleSpec()
    assert all(style.delivered(one, None, style.master_size()) == one for one in style.outputs)
    assert all(style.delivered(one, None, None) == one for one in style.outputs)
