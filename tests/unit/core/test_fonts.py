"""Which letters this machine can draw, and what is said of those it cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core import fonts
from deploy.fonts import SCRIPTS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def without_fonts(tmp_path: Path) -> list[str]:
    """What starts a command as on a machine that has no font at all."""
    (tmp_path / "fonts.conf").write_text(
        f'<?xml version="1.0"?><fontconfig><dir>{tmp_path}/none</dir><cachedir>{tmp_path}</cachedir></fontconfig>'
    )
    return ["env", f"FONTCONFIG_FILE={tmp_path / 'fonts.conf'}", f"PYTHONPATH={ROOT}"]


def said(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def test_a_font_that_is_named_has_the_letters() -> None:
    found = fonts.covering("Müller Ω Ж")
    assert found is not None
    assert Path(found[0]).is_file()
    assert fonts.covering("\U0010ffff") is None


def test_letters_without_a_font_are_named_once_and_what_is_never_drawn_is_not() -> None:
    assert fonts.without_glyph("Mü\u200dl l\ufe0fer\u202e") == []
    assert fonts.without_glyph("\U0010ffff Mü \U0010ffff") == ["\U0010ffff"]


def test_set_up_asks_for_every_script_on_a_machine_without_fonts(without_fonts: list[str]) -> None:
    # -S: as a bare Python, before anything is installed.
    packages = said(*without_fonts, sys.executable, "-S", "deploy/fonts.py").split()
    assert packages == sorted({package for _, package in SCRIPTS.values()})


def test_set_up_asks_for_nothing_that_is_there() -> None:
    packages = said("env", f"PYTHONPATH={ROOT}", sys.executable, "deploy/fonts.py").split()
    assert set(packages) == {
        package for letters, package in SCRIPTS.values() if fonts.covering(letters) is None
    }
    assert "fonts-dejavu-core" not in packages


def test_initials_that_no_font_has_become_the_silhouette_and_no_boxes(without_fonts: list[str]) -> None:
    def different(*initials: str) -> int:
        code = (
            "from core.portraits import avatars\n"
            f"made = [avatars.render(one, ground='#000000', ink='#ffffff', size=256) for one in {initials!a}]\n"
            "print(len(set(made)))"
        )
        return int(said(*without_fonts, sys.executable, "-c", code))

    assert different("김민", "山太", "कर", "🎉🦄", "\U0010ffff") == 1
    assert different("AL", "ÉŽ", "\U0010ffff") == 3
