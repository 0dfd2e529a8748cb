"""Several web processes count as one, on their own port or to whoever has the token."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import forget_process_state
from prometheus_client.parser import text_string_to_metric_families

from core.errors import ConfigurationError
from core.observe import metrics
from deploy.local.processes import (
    child_environment,
    end_process,
    free_port,
    leashed,
    python_module,
    wait_ready,
)
from deploy.web_processes import shared_folder

TOKEN = "a token of the tests, long enough"
PROCESSES = 3


def get(url: str, token: str | None = None) -> tuple[int, str]:
    request = urllib.request.Request(url)  # each on a connection of its own, so that every process gets some
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def counted(exposition: str, name: str, **labels: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


@pytest.fixture
def web(environment: dict[str, str], tmp_path: Path) -> Iterator[tuple[str, str, subprocess.Popen[bytes]]]:
    """`headshots web` with three processes; its address, its metrics' address, and its first process."""
    port, apart = free_port(), free_port()
    values = child_environment(
        {
            **environment,
            "HEADSHOTS_METRICS_BIND": f"127.0.0.1:{apart}",
            "HEADSHOTS_METRICS_TOKEN": TOKEN,
            "TMPDIR": str(tmp_path),
        }
    )
    command = python_module(
        "deploy.cli", "web", "--bind", f"127.0.0.1:{port}", "--workers", str(PROCESSES), "--threads", "2"
    )
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(leashed(command), env=values, stdout=log, stderr=log)
    try:
        wait_ready(f"http://127.0.0.1:{port}/readyz")
        yield f"http://127.0.0.1:{port}", f"http://127.0.0.1:{apart}", process
    finally:
        end_process(process, signal.SIGTERM, patience=15)


def children(process: subprocess.Popen[bytes]) -> set[int]:
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return {int(pid) for pid in found.split()}


def check_doors(base: str, apart: str) -> None:
    """Metrics are shut at the address that people use, and pages at that of the metrics."""
    assert get(f"{base}/metrics")[0] == 401
    assert get(f"{base}/metrics", "another token")[0] == 401
    assert "headshots_part_up" in get(f"{base}/metrics", TOKEN)[1]
    assert get(f"{apart}/metrics")[0] == 200
    assert get(f"{apart}/healthz")[0] == get(f"{apart}/readyz")[0] == 200
    for page in ("/", "/admin/", "/me/privacy", "/static/portal/app.css"):
        assert get(f"{apart}{page}")[0] == 404, "no page is served past the proxy"


def test_processes_count_together_and_go_on_when_one_dies(
    web: tuple[str, str, subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    base, apart, process = web
    visits = 60
    for _ in range(visits):
        assert get(f"{base}/nowhere")[0] == 404
    page = {"app": "portal", "route": "none", "status": "404"}
    _, before = get(f"{apart}/metrics")
    assert counted(before, "headshots_requests_total", **page) == visits
    assert counted(before, "headshots_request_seconds_count", app="portal", route="none") == visits
    assert counted(before, "headshots_part_up", part="database") == 1
    (folder,) = tmp_path.glob("headshots-web-*")
    busy = [pid for pid in children(process) if (folder / f"counter_{pid}.db").exists()]
    assert len(busy) > 1, "several processes have answered"
    for pid in busy:
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while any((folder / f"counter_{pid}.db").exists() for pid in busy) and time.monotonic() < deadline:
        time.sleep(0.1)
    wait_ready(f"{base}/readyz")
    assert get(f"{base}/nowhere")[0] == 404
    _, after = get(f"{apart}/metrics")
    assert counted(after, "headshots_requests_total", **page) == visits + 1, (
        "what the dead have counted stays"
    )
    assert counted(after, "headshots_request_seconds_count", app="portal", route="none") == visits + 1
    left = {int(number) for file in folder.glob("*.db") for number in re.findall(r"_(\d+)\.db", file.name)}
    assert not left & set(busy), "and nothing else of them"
    check_doors(base, apart)


def test_strangers_hear_whether_it_is_ready_and_not_what_it_is_made_of(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSHOTS_METRICS_TOKEN", TOKEN)
    monkeypatch.setenv("HEADSHOTS_ENVIRONMENT", "production")
    monkeypatch.delenv("HEADSHOTS_DEVELOPMENT_IDP_PATH")
    monkeypatch.setenv("HEADSHOTS_BASE_URL", "https://photos.example.com")
    forget_process_state()
    from deploy.wsgi import create_application

    ask = {"PATH_INFO": "/readyz", "REQUEST_METHOD": "GET"}
    answers = [
        json.loads(b"".join(create_application()({**ask, **more}, lambda *_: None)))  # type: ignore[arg-type,return-value]
        for more in ({}, {"HTTP_AUTHORIZATION": "Bearer guessed"}, {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"})
    ]
    assert [set(answer) for answer in answers] == [{"status"}, {"status"}, {"status", "parts"}]


def test_without_a_setting_there_are_no_metrics(environment: dict[str, str]) -> None:
    from deploy.wsgi import create_application

    said: list[str] = []
    create_application()(
        {"PATH_INFO": "/metrics", "REQUEST_METHOD": "GET", "SERVER_PORT": "8000"},
        lambda status, *_: said.append(status),  # type: ignore[arg-type,return-value]
    )
    assert said == ["404 Not Found"]


def test_a_request_on_a_unix_socket_is_at_no_port_whatever_host_it_names(
    environment: dict[str, str], tmp_path: Path
) -> None:
    port = free_port()
    values = child_environment(
        {**environment, "HEADSHOTS_METRICS_BIND": f"127.0.0.1:{port}", "TMPDIR": str(tmp_path)}
    )
    path = tmp_path / "web.sock"
    process = subprocess.Popen(
        leashed(python_module("deploy.cli", "web", "--bind", f"unix:{path}", "--workers", "1")), env=values
    )
    try:
        wait_ready(f"http://127.0.0.1:{port}/readyz")
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(path))
            line.sendall(
                f"GET /metrics HTTP/1.1\r\nHost: people.example:{port}\r\nConnection: close\r\n\r\n".encode()
            )
            assert line.recv(64).startswith(b"HTTP/1.1 404")
        assert get(f"http://127.0.0.1:{port}/metrics")[0] == 200
    finally:
        end_process(process, signal.SIGTERM, patience=15)


def test_the_start_empties_the_folder_and_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = tmp_path / "headshots-web-127.0.0.1-8000"
    made.mkdir()
    (made / "counter_7.db").write_bytes(b"of one that was killed")
    assert shared_folder("127.0.0.1:8000") == made
    assert list(made.iterdir()) == []
    assert made.stat().st_mode & 0o077 == 0
    again = subprocess.run(
        [
            sys.executable,
            "-c",
            "from deploy.web_processes import shared_folder; shared_folder('127.0.0.1:8000')",
        ],
        env=child_environment({"TMPDIR": str(tmp_path)}),
        capture_output=True,
        check=False,
    )
    assert b"Another web runs at 127.0.0.1:8000" in again.stderr


def test_a_folder_that_somebody_laid_out_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "headshots-web-127.0.0.1-8000").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="belongs to someone else"):
        shared_folder("127.0.0.1:8000")


def test_metrics_and_pages_need_two_ports(environment: dict[str, str]) -> None:
    result = subprocess.run(
        python_module("deploy.cli", "web", "--bind", "127.0.0.1:8000"),
        env=child_environment({**environment, "HEADSHOTS_METRICS_BIND": "127.0.0.1:8000"}),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert b"another port" in result.stderr


def test_nothing_personal_can_be_a_label() -> None:
    """Labels are named after closed sets of the program; a new one is added here once somebody has thought about it."""
    known = {
        "app",
        "route",
        "status",
        "database",
        "part",
        "job",
        "outcome",
        "issue",
        "gate",
        "engine",
        "duty",
    }
    used = {label for metric in vars(metrics).values() for label in getattr(metric, "_labelnames", ())}
    assert used <= known
