"""A real PgBouncer in transaction mode in front of the tests' Postgres."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from deploy.local.service_user import identity, let_reach, own

PORT = 6432


def pgbouncer() -> str | None:
    """Return where PgBouncer is installed; Debian puts it where only root looks."""
    return shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def pooler(url: str, *, servers: int) -> Iterator[str]:
    """Run PgBouncer before the server of `url` for the block; yields the folder of its socket.

    Args:
        url: An address of the server for the role that the pooler signs in as.
        servers: How many connections to a database it shares among all that ask.
    """
    at = make_url(url)
    who = identity()
    binary = pgbouncer()
    assert binary is not None
    with tempfile.TemporaryDirectory(prefix="headshots-pooler-") as name:
        folder = Path(name)
        config = folder / "pgbouncer.ini"
        config.write_text(
            "[databases]\n"
            f"* = host={at.query['host']} port={at.query['port']} user={at.username} password={at.password}\n"
            "[pgbouncer]\n"
            f"listen_addr =\nlisten_port = {PORT}\nunix_socket_dir = {folder}\nauth_type = any\n"
            f"pool_mode = transaction\ndefault_pool_size = {servers}\nmax_client_conn = 200\n"
        )
        for path in (folder, config):
            own(path, who)
        let_reach(folder, who)
        running = subprocess.Popen([binary, "-q", str(config)], **who)
        try:
            deadline = time.monotonic() + 10
            while not (folder / f".s.PGSQL.{PORT}").exists():
                assert running.poll() is None, "PgBouncer did not start"
                assert time.monotonic() < deadline, "PgBouncer does not listen"
                time.sleep(0.05)
            yield str(folder)
        finally:
            running.terminate()
            running.wait(timeout=10)


def through(folder: str, url: str) -> str:
    """Return `url` with the pooler in between."""
    at = make_url(url).set(query={"host": folder, "port": str(PORT)})
    return at.render_as_string(hide_password=False)
