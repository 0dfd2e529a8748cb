"""The shipped units: systemd accepts them, they come back whatever ends them, and they may do little."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[3] / "deploy" / "systemd"
SERVING = [
    "headshots-web.service",
    "headshots-worker@1.service",
    "headshots-gpu@0.service",
    "headshots-scheduler.service",
]
ONCE = ["headshots-migrate.service", "headshots-backup.service"]
ALL = [*SERVING, *ONCE, "headshots-backup.timer", "headshots.target"]
pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units as on a host, with a program that exists."""
    folder = tmp_path_factory.mktemp("units")
    shutil.copytree(UNITS, folder, dirs_exist_ok=True)
    for unit in folder.glob("*.service"):
        unit.write_text(unit.read_text().replace("/opt/headshots/venv/bin/headshots", "/bin/true"))
    return folder


def analyze(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *words],
        env={"PATH": os.defpath, "SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_systemd_has_no_complaint(installed: Path) -> None:
    for unit in ALL:
        answer = analyze(installed, "verify", "--man=no", unit)
        assert (answer.returncode, answer.stderr) == (0, "")


def test_every_unit_of_the_folder_is_tried() -> None:
    there = {path.name for path in UNITS.iterdir() if path.is_file()}
    assert there == {unit.replace("@1", "@").replace("@0", "@") for unit in ALL}


def findings(folder: Path, unit: str) -> dict[str, bool]:
    """Return what systemd says of each protection: whether it is on."""
    answer = analyze(folder, "security", "--offline=true", "--json=short", unit)
    return {one["json_field"]: bool(one["set"]) for one in json.loads(answer.stdout)}


@pytest.mark.parametrize("unit", SERVING)
def test_a_process_may_do_little(installed: Path, unit: str) -> None:
    # Of 10; systemd itself calls 2.0 "OK" and 9.6 what a service without any of it has.
    limit = "20" if "gpu" in unit else "18"
    answer = analyze(installed, "security", "--offline=true", "--no-pager", f"--threshold={limit}", unit)
    assert answer.returncode == 0, answer.stdout
    on = findings(installed, unit)
    assert on["NoNewPrivileges"]
    assert on["ProtectSystem"]
    assert on["PrivateDevices"] is ("gpu" not in unit)


def effective(unit: str, key: str, variable: str = "") -> str:
    """Return the last word on a key, in the order in which systemd reads drop-ins: by their names.

    With a variable, the key's lines that set it.
    """
    stem = unit.split("@")[0].removesuffix(".service")
    own = UNITS / (f"{stem}@.service" if "@" in unit else unit)
    drop_ins = [*(UNITS / "headshots-.service.d").glob("*.conf"), *Path(f"{own}.d").glob("*.conf")]
    value = ""
    for path in [own, *sorted(drop_ins, key=lambda path: path.name)]:
        for line in path.read_text().splitlines():
            name, found, rest = line.partition("=")
            if found and name == key and rest.startswith(variable):
                value = rest.removeprefix(f"{variable}=")
    return value


@pytest.mark.parametrize("unit", SERVING)
def test_a_process_comes_back_whatever_ended_it_and_however_often(unit: str) -> None:
    assert effective(unit, "Restart") == "always"
    assert effective(unit, "StartLimitIntervalSec") == "0"


@pytest.mark.parametrize(("unit", "password"), [(ONCE[0], "owner.env"), (ONCE[1], "backup.env")])
def test_what_is_done_once_knows_a_password_that_no_server_knows(unit: str, password: str) -> None:
    assert effective(unit, "Restart") == "no"
    files = [path for path in UNITS.rglob("*.*") if path.is_file()]
    assert [path.name for path in files if password in path.read_text()] == [unit]


def test_backups_go_before_they_are_older_than_certificates_say(tmp_path: Path) -> None:
    def kept(days: str | None, ages: tuple[int, ...] = (0, 5, 6, 8, 28, 30), killed: int = -1) -> list[int]:
        for path in tmp_path.iterdir():
            shutil.rmtree(path)
        for age in ages:
            folder = tmp_path / str(age)
            folder.mkdir()
            then = time.time() - age * 86400 + (3600 if age else -120)
            for name in ["main.dump"] if age == killed else ["main.dump", "manifest.json"]:
                (folder / name).touch()
                os.utime(folder / name, (then, then))
            os.utime(folder, (then, then))
        # Not ExecStartPost, which a backup that failed does not come to.
        line = effective("headshots-backup.service", "ExecStopPost")
        words = shlex.split(line.replace("/var/backups/headshots", str(tmp_path)).replace("$$", "$"))
        environment = {} if days is None else {"HEADSHOTS_BACKUP_DAYS": days}
        subprocess.run(words, env={"PATH": os.defpath, **environment}, check=True)
        return sorted(int(path.name) for path in tmp_path.iterdir())

    assert kept("7") == [0, 5, 6]
    assert kept(None) == [0, 5, 6, 8, 28]
    for least in ("0", "1", "2"):
        assert kept(least) == [0]
    assert kept("7", ages=(8, 9)) == [8]
    assert kept("7", ages=(8, 9, 30), killed=8) == [9]
    assert kept("7", ages=()) == []


@pytest.mark.parametrize("unit", SERVING)
def test_no_face_reaches_a_disk_by_a_dump_or_by_swap(unit: str) -> None:
    assert effective(unit, "LimitCORE") == "0"
    assert effective(unit, "MemorySwapMax") == "0"
    assert effective(unit, "TemporaryFileSystem").startswith("/tmp:")


def test_processes_of_one_host_tell_how_they_are_on_ports_of_their_own() -> None:
    told = [
        effective(unit, "Environment", "HEADSHOTS_METRICS_BIND") for unit in SERVING if "worker" not in unit
    ]
    told = [each.replace("%i", str(gpu)) for gpu in range(10) for each in told]
    told += [worker_port(number) for number in (1, 9, 10, 16, 99)]
    assert all(address.startswith("127.0.0.1:9") and int(address[10:]) < 10_000 for address in told)
    assert len(set(told)) == 2 + 10 + 5


def worker_port(number: int) -> str:
    """Run a worker's command with something in the program's place that says where it would tell."""
    line = effective("headshots-worker@1.service", "ExecStart").replace("%i", str(number)).replace("$$", "$")
    line = line.replace("/opt/headshots/venv/bin/headshots worker", "printenv HEADSHOTS_METRICS_BIND")
    done = subprocess.run(
        shlex.split(line), env={"PATH": os.defpath}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_each_process_begins_with_the_kernels_of_its_release(tmp_path: Path) -> None:
    shipped, cache = tmp_path / "kernels", tmp_path / "cache"
    line = effective("headshots-worker@1.service", "ExecStartPre").replace("$$", "$")
    assert effective("headshots-web.service", "Environment", "NUMBA_CACHE_DIR") == "/var/cache/headshots/%N"
    for release in ("first", "second"):
        shutil.rmtree(shipped, ignore_errors=True)
        (shipped / release).mkdir(parents=True)
        (shipped / release / "matting.nbi").write_bytes(release.encode())
        subprocess.run(
            shlex.split(line.replace("/opt/headshots/kernels", str(shipped))),
            env={"PATH": os.defpath, "NUMBA_CACHE_DIR": str(cache)},
            check=True,
        )
        assert [each.name for each in cache.iterdir()] == [release]
