"""Files of any shape show the whole head."""

from __future__ import annotations

import pytest

from core.style.framing import LARGEST_HEAD, Head, head_box
from core.style.presets import PRESETS
from core.style.spec import Output, StyleSpec

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
