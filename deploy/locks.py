"""`python -m deploy.locks`: write deploy/locks/*.txt, which say for each package its version and the hashes of its files.

Versions are chosen in one place, constraints.txt; the locks add what they need in turn, for Python 3.11 and 3.12 on
Linux x86-64, and the hashes. What is installed on servers and in images comes from them alone, so that no registry
can hand out other files than those that were tested. `default.txt` is the product; every other file holds what its
set needs beyond that.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "deploy" / "locks"
EXTRAS = ("local", "onnx", "otel", "aws", "gpu", "dev")
# The build for CUDA, which GPU images take; a machine without a GPU takes the smaller build of the same version.
TORCH = "torch==2.13.0"
CUDA = re.compile(r"torch|triton|cuda-.*|nvidia-(?!ml-py).*")
HEAD = "# Written by `python -m deploy.locks` from pyproject.toml and constraints.txt; do not edit.\n"


def entries(text: str) -> dict[str, str]:
    """Return each package's lines of a lock by the package's name."""
    found: dict[str, str] = {}
    for block in re.split(r"\n(?=[a-zA-Z0-9])", "\n" + text):
        named = re.match(r"\n*([a-zA-Z0-9_.-]+?)(?:\[[^]]*\])?==", block)
        if named:
            found[named[1].lower()] = block.strip("\n") + "\n"
    return found


def uv() -> str:
    """Return where uv is, wherever the packages lie.

    Raises:
        FileNotFoundError: the `dev` extra is not installed.
    """
    for file in importlib.metadata.files("uv") or []:
        if file.name == "uv" and file.parent.name == "bin":
            return str(file.locate())
    raise FileNotFoundError("uv")


def resolve(requirements: Path, *options: str) -> dict[str, str]:
    """Return the packages that requirements lead to, with hashes, at the versions of constraints.txt.

    Raises:
        CalledProcessError: they do not go together; uv has said why.
    """
    with tempfile.TemporaryDirectory() as folder:
        torch = Path(folder) / "torch.txt"
        torch.write_text(TORCH + "\n")
        command = [uv(), "pip", "compile", str(requirements), "--universal", "--generate-hashes", "--quiet"]
        command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
        command += ["--python-version", "3.11", "-c", str(ROOT / "constraints.txt"), "-c", str(torch)]
        done = subprocess.run([*command, *options], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return entries(done.stdout)


def locks() -> dict[str, dict[str, str]]:
    """Return every lock's packages: the product's, what each extra adds, CUDA's own, and what builds the product."""
    project = ROOT / "pyproject.toml"
    default = resolve(project)
    found = {"default": default}
    for extra in EXTRAS:
        beyond = {
            name: entry for name, entry in resolve(project, "--extra", extra).items() if name not in default
        }
        found[extra] = {name: entry for name, entry in beyond.items() if not CUDA.fullmatch(name)}
        if extra == "gpu":
            found["torch"] = {name: entry for name, entry in beyond.items() if CUDA.fullmatch(name)}
    with tempfile.TemporaryDirectory() as folder:
        build = Path(folder) / "build.in"
        build.write_text("\n".join(tomllib.loads(project.read_text())["build-system"]["requires"]))
        found["build"] = resolve(build)
    return found


def main() -> None:
    """Write the files."""
    FOLDER.mkdir(exist_ok=True)
    for name, packages in locks().items():
        text = HEAD + "".join(packages[package] for package in sorted(packages))
        (FOLDER / f"{name}.txt").write_text(text)


if __name__ == "__main__":
    main()
