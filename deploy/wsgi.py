"""One address for both apps: the path says which answers."""

from __future__ import annotations

import hmac
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from core import logs
from core.connections import hurry_redis
from core.db import limit_transactions
from core.observe import metrics, tracing
from core.observe.health import State, health
from core.settings import settings
from deploy import installation

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Two web processes would only compete for two cores; threads wait for the database and for watchers.
WEB_THREADS = 24
# Nobody waits at a page for longer, and a thread that hangs must not keep what it has locked.
STATEMENT_SECONDS = 60
IDLE_SECONDS = 60
# A page works without what Redis has, counts and progress, and asks for it once or twice.
REDIS_SECONDS = 2.0
# Every path that HR, auditors, programs and identity providers use; the rest is the employees'.
ADMIN_PATHS = ("/admin", "/sso", "/api", "/scim", "/static/admin")
UNANSWERED = b"The database does not answer. What you saved is safe: try again in a moment.\n"


def create_application() -> WSGIApplication:
    """Return the WSGI application of a web process."""
    logs.configure()
    tracing.start("web")
    limit_transactions(statement_seconds=STATEMENT_SECONDS, idle_seconds=IDLE_SECONDS)
    hurry_redis(REDIS_SECONDS)
    belongs = installation.Belonging()
    belongs()  # also where gunicorn was started without `headshots web`
    from admin.app import create_app as create_admin
    from portal.app import create_app as create_portal

    admin, portal = create_admin(), create_portal()
    idp = _development_idp()
    notice = _Unbelieved()
    metrics_port = settings().metrics_bind.rpartition(":")[2] or None

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "/")
        apart = metrics_port is not None and _port(environ) == metrics_port
        if path == "/healthz":
            return _plain(start_response, "200 OK", "application/json", b'{"status": "ok"}')
        if path == "/readyz":
            report = health().report()
            status = "503 Service Unavailable" if report.state is State.UNREADY else "200 OK"
            told = report.as_json()
            if not (apart or not settings().is_production or _has_token(environ)):
                del told["parts"]  # what the installation is made of is nothing for strangers
            return _plain(start_response, status, "application/json", json.dumps(told).encode())
        if path == "/metrics":
            return _metrics(environ, start_response, apart=apart)
        if apart:
            return _plain(
                start_response, "404 Not Found", "text/plain", b"Only metrics and probes are here.\n"
            )
        if not belongs():
            return _plain(start_response, "503 Service Unavailable", "text/plain", UNANSWERED)
        notice(environ)
        if idp is not None and (path == "/devidp" or path.startswith("/devidp/")):
            environ["SCRIPT_NAME"] = "/devidp"
            environ["PATH_INFO"] = path.removeprefix("/devidp") or "/"
            return idp(environ, start_response)
        chosen = admin if any(path == p or path.startswith(f"{p}/") for p in ADMIN_PATHS) else portal
        with tracing.span("request"):
            return chosen(environ, start_response)

    return application


class _Unbelieved:
    """Says once, in the log, that a proxy tells who asks and is not believed."""

    def __init__(self) -> None:
        self._said = settings().trust_proxies > 0

    def __call__(self, environ: WSGIEnvironment) -> None:
        if not self._said and "HTTP_X_FORWARDED_FOR" in environ:
            self._said = True
            logs.logger().warning("forwarded_headers_not_believed", code="HEADSHOTS_TRUST_PROXIES")


def _port(environ: WSGIEnvironment) -> str | None:
    """Return the port that the request came in on.

    By the connection itself: on a unix socket SERVER_PORT is what the request's own Host header says.
    """
    connection = environ.get("gunicorn.socket")
    address = connection.getsockname() if connection is not None else None
    return str(address[1]) if isinstance(address, tuple) else None


def _metrics(environ: WSGIEnvironment, start_response: StartResponse, *, apart: bool) -> Iterable[bytes]:
    """Answer with the figures of all web processes, on their own port or to whoever has the token."""
    if not apart and settings().metrics_token is None:
        return _plain(start_response, "404 Not Found", "text/plain", b"Not here.\n")
    if not apart and not _has_token(environ):
        return _plain(start_response, "401 Unauthorized", "text/plain", b"This needs the token.\n")
    health().report()  # so that it is told whether or not anybody probes
    return _plain(start_response, "200 OK", metrics.MEDIA_TYPE, metrics.exposition())


def _has_token(environ: WSGIEnvironment) -> bool:
    token = settings().metrics_token
    given = environ.get("HTTP_AUTHORIZATION", "")
    return token is not None and hmac.compare_digest(
        given.encode(), f"Bearer {token.get_secret_value()}".encode()
    )


def _development_idp() -> WSGIApplication | None:
    config = settings()
    if config.is_production or config.development_idp_path is None:
        return None
    from sso.devidp.app import create_app, demo_people

    return create_app(f"{config.base_url.rstrip('/')}/devidp", config.development_idp_path, demo_people())


def _plain(start_response: StartResponse, status: str, media_type: str, body: bytes) -> list[bytes]:
    start_response(
        status,
        [
            ("Content-Type", media_type),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ],
    )
    return [body]


def web_command(
    bind: str, *, workers: int = 1, threads: int = WEB_THREADS, metrics_bind: str = ""
) -> list[str]:
    """Return the command of the web server. It writes no access log: paths carry invitation tokens."""
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:deploy.web_processes",
        "--bind",
        bind,
        *(("--bind", metrics_bind) if metrics_bind else ()),
        "--workers",
        str(workers),
        "--threads",
        str(threads),
        "--worker-class",
        "gthread",
        "--timeout",
        "60",
        "--graceful-timeout",
        "5",
        # Gunicorn would take SCRIPT_NAME from whoever asks through a proxy on this host; ours are told by ProxyFix.
        "--forwarded-allow-ips",
        "",
        "--log-level",
        "warning",
        "deploy.wsgi:create_application()",
    ]
