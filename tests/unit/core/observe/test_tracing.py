"""Traces: one from the click to the work behind it, over two processes, and nothing personal in it."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, forget_process_state
from opentelemetry import trace
from sqlalchemy import select
from werkzeug.test import Client

from core.db import transaction
from core.models import Outbox
from core.observe import tracing
from core.queue import JobName
from deploy.local.processes import child_environment, free_port
from deploy.wsgi import create_application

ADDRESS = "ada.lovelace@acme.example"


class Collector:
    """A small OTLP server over HTTP with JSON; keeps the spans that it is sent."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self.raw: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                outer.take(self.path, body.decode())
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", free_port()), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path: str, body: str) -> None:
        assert path == "/v1/traces"
        self.raw.append(body)
        for resource in json.loads(body)["resourceSpans"]:
            (service,) = [
                one["value"]["stringValue"]
                for one in resource["resource"]["attributes"]
                if one["key"] == "service.name"
            ]
            for scope in resource["scopeSpans"]:
                self.spans += [{**one, "service": service} for one in scope["spans"]]

    def named(self, name: str) -> list[dict[str, Any]]:
        return [one for one in self.spans if one["name"] == name]


@pytest.fixture
def collector(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    made = Collector()
    monkeypatch.setenv("HEADSHOTS_OTEL_ENDPOINT", made.url)
    forget_process_state()
    yield made
    made.server.shutdown()
    made.server.server_close()


def flush() -> None:
    tracer = tracing._tracer("web")
    assert tracer is not None
    tracer.span_processor.force_flush()  # type: ignore[attr-defined]  # of the SDK's class


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def click(org: UUID) -> UUID:
    """Ask for a link to one's data, as a browser does; return the work that this owes."""
    add_member(org, "Ada", email=ADDRESS)
    browser = Client(create_application())
    page = browser.get(
        "/trust/acme/data?secret=in-the-address", headers={"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    )
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    assert browser.post("/trust/acme/data", data={"csrf_token": token[1], "email": ADDRESS}).status_code < 400
    with transaction(org) as session:
        return session.scalars(select(Outbox.id).where(Outbox.job == JobName.DATA_MAIL)).one()


def work(environment: dict[str, str], outbox: UUID, endpoint: str) -> None:
    """Do one piece of work in a process of its own."""
    code = (
        "import sys; from core.observe import tracing; from workers.process.runner import perform;"
        " tracing.start('worker'); perform(sys.argv[1])"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(outbox)],
        env=child_environment({**environment, "HEADSHOTS_OTEL_ENDPOINT": endpoint}),
        check=True,
        timeout=120,
        capture_output=True,
    )


def test_one_trace_leads_from_the_click_to_the_work(
    org: UUID, environment: dict[str, str], collector: Collector
) -> None:
    outbox = click(org)
    flush()
    work(environment, outbox, collector.url)
    (asked,) = collector.named("POST /trust/<slug>/data")
    (done,) = collector.named("job data_mail")
    assert (asked["service"], done["service"]) == ("headshots-web", "headshots-worker")
    assert done["traceId"] == asked["traceId"]
    assert done["parentSpanId"] == asked["spanId"]
    assert attributes(asked)["http.response.status_code"] in (200, "200", 302, "302", 303, "303")
    assert attributes(done)["headshots.outbox"] == str(outbox)
    assert attributes(done)["headshots.outcome"] == "done"


def test_nothing_personal_is_in_a_trace_and_nothing_is_taken_from_outside(
    org: UUID, environment: dict[str, str], collector: Collector
) -> None:
    work(environment, click(org), collector.url)
    flush()
    told = "\n".join(collector.raw)
    assert collector.spans
    for secret in (ADDRESS, "lovelace", "Ada", "in-the-address", "csrf", environment["HEADSHOTS_SECRET_KEY"]):
        assert secret not in told
    assert "a" * 32 not in told, "a browser does not choose our trace"


def test_without_an_endpoint_nothing_is_imported_or_kept(org: UUID, environment: dict[str, str]) -> None:
    outbox = click(org)
    with transaction(org) as session:
        assert session.get_one(Outbox, outbox).traceparent is None
    code = (
        "import sys; from deploy.wsgi import create_application; create_application();"
        " from core.observe import tracing\n"
        "with tracing.span('x'): assert tracing.traceparent() is None\n"
        "assert not {'opentelemetry.sdk.trace', 'opentelemetry.exporter'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], env=child_environment(environment), check=True, timeout=120)


@pytest.mark.parametrize("parent", ["", "nonsense", "01-aa-bb-00", f"00-{'0' * 32}-{'0' * 16}-01"])
def test_what_cannot_be_read_begins_a_trace_of_its_own(collector: Collector, parent: str) -> None:
    tracing.start("web")
    with tracing.span("work", parent=parent):
        assert tracing.traceparent() is not None
    assert trace.get_current_span().get_span_context().trace_id == 0, "nothing stays open"


def test_a_collector_that_is_away_costs_nothing(
    org: UUID, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSHOTS_OTEL_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    forget_process_state()
    assert click(org)
