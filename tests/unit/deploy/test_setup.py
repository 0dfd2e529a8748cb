"""What a bare machine is given: pins and the set-up script."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
PINS = {
    canonicalize_name(name): version
    for name, _, version in (
        line.partition("==")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line and not line.startswith("#")
    )
}


def requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return [
        Requirement(line)
        for line in [*project["dependencies"], *extras["dev"], *extras["gpu"], *extras["local"]]
    ]


def test_every_dependency_has_a_pin_that_it_allows() -> None:
    wanted = [one for one in requirements() if one.name != "torch"]
    missing = [one.name for one in wanted if canonicalize_name(one.name) not in PINS]
    assert not missing, f"write their versions into constraints.txt: {missing}"
    assert not [str(one) for one in wanted if PINS[canonicalize_name(one.name)] not in one.specifier]


def test_torch_has_no_pin_since_its_build_depends_on_the_machine() -> None:
    assert "torch" not in PINS


def test_every_pin_is_a_plain_version() -> None:
    assert PINS
    assert not {name: v for name, v in PINS.items() if not re.fullmatch(r"[0-9]+(\.[0-9a-z]+)*", v)}


def test_a_wrong_option_is_refused_with_the_usage() -> None:
    answer = subprocess.run(
        [ROOT / "deploy" / "setup.sh", "--everything"], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert "deploy/setup.sh [--dev] [--browser] [--gpu]" in answer.stderr
