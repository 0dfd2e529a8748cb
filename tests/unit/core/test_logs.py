"""What reaches the log: events, ids, counts and codes, and never a word about a person."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from core.logs import ALLOWED

ROOT = Path(__file__).resolve().parents[3]
NAME = "Augusta Byron"
BEGIN = """
from core import logs

NAME = "Augusta Byron"
logs.configure("INFO")

def fail_about(name):
    raise ValueError(f"no address: {name}")  # as a library does that quotes what it was given
"""


def logged(script: str) -> list[dict[str, Any]]:
    """Return the lines that a process of its own logs while it runs `script`."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert NAME not in done.stderr
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_only_named_fields_reach_the_log() -> None:
    (line,) = logged(
        "logs.logger().info('photo_kept', photo='1', bytes=3, email=NAME, name=NAME, message=NAME, locals={'x': NAME})"
    )
    assert {name: value for name, value in line.items() if name != "timestamp"} == {
        "event": "photo_kept",
        "photo": "1",
        "bytes": 3,
        "level": "info",
    }
    assert set(line) <= ALLOWED


def test_no_line_is_written_with_a_field_that_the_log_drops() -> None:
    """Whoever reads the log would miss what the code, and the documents, say is in it."""
    said = set()
    for package in ("admin", "compliance", "core", "deploy", "portal", "sso", "workers"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in {"bind", "debug", "info", "warning", "error"}
                    and ast.unparse(node.func.value).endswith("logger()")
                ):
                    said |= {(path.name, one.arg) for one in node.keywords}
    assert len(said) > 50
    assert {one for one in said if one[1] not in ALLOWED | {"exc_info"}} == set()


def test_a_failure_is_logged_by_kind_and_place_and_never_by_what_it_was_about() -> None:
    lines = logged(
        """
try:
    fail_about(NAME)
except ValueError as error:
    logs.logger().error("job_failed", exc_info=error)
    logs.logger().error("job_failed", exc_info=True)
    logs.logger().exception("job_failed")
"""
    )
    assert len(lines) == 3
    for line in lines:
        assert line["error"] == "ValueError"
        assert ":fail_about < " in line["where"]


def test_what_is_bound_to_a_logger_is_held_to_the_same() -> None:
    (line,) = logged("logs.logger().bind(job='render', who=NAME).warning('job_given_up', code='gates')")
    assert (line["job"], line["code"]) == ("render", "gates")
    assert "who" not in line
