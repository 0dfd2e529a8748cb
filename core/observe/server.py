"""The port of a worker or the scheduler: `/metrics`, `/healthz` and `/readyz`, and nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from core.errors import ConfigurationError
from core.observe import metrics
from core.observe.health import State, health
from core.settings import settings


class _Handler(BaseHTTPRequestHandler):
    server_version = "headshots"
    sys_version = ""
    timeout = 10  # seconds, so that a caller who says nothing holds no thread

    def do_GET(self) -> None:
        """Answer one question."""
        match self.path.partition("?")[0]:
            case "/metrics":
                health().report()  # so that it is told whether or not anybody probes
                self._say(HTTPStatus.OK, metrics.MEDIA_TYPE, metrics.exposition())
            case "/healthz":
                self._json(HTTPStatus.OK, {"status": "ok"})
            case "/readyz":
                report = health().report()
                unready = report.state is State.UNREADY
                self._json(HTTPStatus.SERVICE_UNAVAILABLE if unready else HTTPStatus.OK, report.as_json())
            case _:
                self._say(HTTPStatus.NOT_FOUND, "text/plain", b"Only metrics and probes are here.\n")

    def _json(self, status: HTTPStatus, answer: dict[str, Any]) -> None:
        self._say(status, "application/json", json.dumps(answer).encode())

    def _say(self, status: HTTPStatus, media_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: a probe every few seconds is no event."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True


@contextmanager
def served() -> Iterator[None]:
    """Serve at `HEADSHOTS_METRICS_BIND` until the block ends; nowhere, where that is not set.

    Raises:
        ConfigurationError: the address cannot be had.
    """
    bind = settings().metrics_bind
    if not bind:
        yield
        return
    host, _, port = bind.rpartition(":")
    try:
        server = _Server((host.strip("[]"), int(port)), _Handler)
    except OSError as error:
        raise ConfigurationError(
            f"HEADSHOTS_METRICS_BIND: {bind} cannot be had ({error.strerror}). "
            "Each process on one host needs a port of its own."
        ) from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
