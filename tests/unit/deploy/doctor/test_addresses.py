"""Addresses as the doctor and each process take them: who vouches for them, who stands in front, what cannot work."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner
from conftest import forget_process_state
from doctored import PASSWORD, USER, finding, findings
from servers.authority import Authority
from servers.s3 import S3
from servers.smtp import PostOffice, serving
from structlog.testing import capture_logs

from deploy.cli import main
from deploy.doctor.finding import Grade

pytestmark = pytest.mark.usefixtures("environment")


@contextmanager
def page(tls: ssl.SSLContext | None) -> Iterator[int]:
    """A web server that answers 200 to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@contextmanager
def encrypted_postgres(tls: ssl.SSLContext) -> Iterator[int]:
    """A server that encrypts (PostgreSQL manual, 54.2.11) and then lets nobody in, in a language of its own."""
    said = b"SFATAL\0C28P01\0MPasswort falsch\0\0"
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def serve() -> None:
            while True:
                try:
                    one, _ = server.accept()
                except OSError:
                    return
                with one, suppress(OSError):
                    one.recv(8)
                    one.sendall(b"S")
                    with tls.wrap_socket(one, server_side=True) as inner:
                        inner.recv(1024)
                        inner.sendall(b"E" + (len(said) + 4).to_bytes(4, "big") + said)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def test_a_database_behind_an_authority_of_ones_own_is_trusted_as_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    with encrypted_postgres(authority.server) as port:
        for root in ("system", str(authority.root)):
            query = f"sslmode=verify-full&sslrootcert={root}"
            url = f"postgresql+psycopg://{USER}:{PASSWORD}@localhost:{port}/headshots?{query}"
            monkeypatch.setenv("HEADSHOTS_DATABASE_URL", url)
            if root == "system":
                assert "certificate is not trusted" in finding("database").says
                monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
            assert "refuses the user and password" in finding("database").says


def test_an_authority_of_ones_own_is_trusted_everywhere_once_one_variable_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    with (
        S3("headshots", tls=authority.server) as s3,
        serving(PostOffice(), tls_context=authority.server) as mail,
        page(authority.server) as web,
    ):
        for name, value in s3.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{mail}")
        monkeypatch.setenv("HEADSHOTS_BASE_URL", f"https://localhost:{web}")
        monkeypatch.setenv("HEADSHOTS_TRUST_PROXIES", "1")
        checks: tuple[str, ...] = ("storage", "mail", "base_url")
        for check in checks:
            one = finding(check)
            assert "certificate is not trusted" in one.says
            assert "certificates of your own" in one.mend
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
        for check in checks:
            assert {one.grade for one in findings(check)} == {Grade.OK}, check


def test_a_proxy_that_is_not_believed_is_a_warning_and_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
    with page(authority.server) as web:
        monkeypatch.setenv("HEADSHOTS_BASE_URL", f"https://localhost:{web}")
        one = finding("base_url")
    assert one.grade is Grade.WARNING
    assert "HEADSHOTS_TRUST_PROXIES is 0" in one.says

    forget_process_state()
    from deploy.wsgi import create_application

    application = create_application()
    structlog.reset_defaults()
    asked = {"PATH_INFO": "/nothing", "REQUEST_METHOD": "GET", "HTTP_X_FORWARDED_FOR": "192.0.2.7"}
    with capture_logs() as said:
        for _ in range(2):
            environ = {
                "wsgi.input": BytesIO(),
                "SERVER_NAME": "localhost",
                "SERVER_PORT": "80",
                "wsgi.url_scheme": "http",
            }
            b"".join(application({**environ, **asked}, lambda *_: None))  # type: ignore[arg-type,return-value]
    assert [line["code"] for line in said if line["event"] == "forwarded_headers_not_believed"] == [
        "HEADSHOTS_TRUST_PROXIES"
    ]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "HEADSHOTS_BASE_URL",
            "http://photos.example.com",
            "HEADSHOTS_BASE_URL: must begin with https:// in production",
        ),
        ("HEADSHOTS_METRICS_BIND", "127.0.0.1:94710", "HEADSHOTS_METRICS_BIND: must end with a port"),
    ],
)
def test_no_process_starts_with_an_address_that_cannot_work(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv("HEADSHOTS_ENVIRONMENT", "production")
    monkeypatch.setenv("HEADSHOTS_BASE_URL", "https://photos.example.com")
    monkeypatch.setenv(name, value)
    forget_process_state()
    for command in ("web", "worker", "scheduler", "migrate", "doctor"):
        result = CliRunner().invoke(main, [command])
        assert (result.exit_code, said in result.stderr) == (2, True), result.output
