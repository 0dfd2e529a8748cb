"""`headshots up`: says at once what is in its way, and how an operator's commands find it."""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli import main
from deploy.local.processes import child_environment, end_process, free_port, python_module

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("which", [0, 1])
def test_a_port_that_is_taken_is_said_at_once_with_the_way_to_another(which: int, tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        begun = time.monotonic()
        result = CliRunner().invoke(
            main, ["up", "--home", str(tmp_path / "home"), "--port", str(port - which)]
        )
    assert result.exit_code == 2
    assert f"Port {port} of 127.0.0.1 is taken by another program" in result.stderr
    assert "`headshots up --port 8100`, `make run PORT=8100`" in result.stderr
    assert time.monotonic() - begun < 5
    assert not (tmp_path / "home").exists(), "nothing was begun"


@pytest.mark.slow
def test_one_line_of_its_banner_gives_a_shell_what_operators_commands_need(tmp_path: Path) -> None:
    home = tmp_path / "a home"
    command = python_module("deploy.cli", "up", "--home", str(home), "--port", str(free_port()))
    environment = child_environment()
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as up:
        assert up.stdout is not None
        try:
            lines = [
                line
                for line in (up.stdout.readline().decode() for _ in range(4))
                if line.startswith("Operate")
            ]
            assert len(lines) == 1
            line = lines[0].removeprefix("Operate").split("  (")[0].strip()
            file = Path(shlex.split(line)[1])
            assert file.stat().st_mode & 0o777 == 0o600

            def operate(*words: str) -> str:
                done = subprocess.run(
                    ["/bin/sh", "-c", f"{line}; exec {shlex.join(python_module('deploy.cli', *words))}"],
                    cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
                )  # fmt: skip
                assert done.returncode == 0, done.stderr
                return done.stdout

            operate("jobs", "list")
            assert "northwind" in operate("company", "show", "northwind")
            assert "failure" not in operate("doctor")
        finally:
            end_process(up, signal.SIGTERM, patience=60)
    assert not file.exists()
