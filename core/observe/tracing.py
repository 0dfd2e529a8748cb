"""Traces from click to picture: off, and nothing imported, until an endpoint is set.

A trace holds names of the program, ids and counts; never an address with a secret, a name or a text. What a browser or
a proxy says about traces is not taken over: only our own outbox carries one on, as 55 characters (W3C Trace Context).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from core.errors import ConfigurationError
from core.logs import fault
from core.settings import settings

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

_VERSION: Final = "00"
_TIMEOUT_SECONDS: Final = 5.0

Attribute = str | int | float | bool


@cache
def _tracer(process: str) -> Tracer | None:
    """Return what makes spans in this process, or `None` where no endpoint is set.

    Raises:
        ConfigurationError: an endpoint is set and the `otel` extra is not installed.
    """
    endpoint = settings().otel_endpoint
    if not endpoint:
        return None
    try:
        from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigurationError(
            "HEADSHOTS_OTEL_ENDPOINT needs OpenTelemetry. Run `pip install -c constraints.txt '.[otel]'`, or unset it."
        ) from error
    # Not `Resource.create`, which would add what the environment and the machine are called.
    provider = TracerProvider(resource=Resource({"service.name": f"headshots-{process}"}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_TIMEOUT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider.get_tracer("headshots")


class _Process:
    """What this process is called; known once it has started."""

    name = ""


def start(process: str) -> None:
    """Say what this process is, `web`, `worker` or `scheduler`, before its first span; after any fork.

    Raises:
        ConfigurationError: an endpoint is set and the `otel` extra is not installed.
    """
    _Process.name = process
    _tracer(process)


def _current() -> Tracer | None:
    return _tracer(_Process.name) if _Process.name else None


def is_on() -> bool:
    """Whether anything is traced in this process."""
    return _current() is not None


@contextmanager
def span(name: str, *, parent: str | None = None, **attributes: Attribute) -> Iterator[None]:
    """Trace what the block does; costs nothing where tracing is off.

    Args:
        name: of what is done; the same for all that do it.
        parent: what `traceparent` returned where it was begun, in another process.
        **attributes: ids, counts and words of the program.
    """
    tracer = _current()
    if tracer is None:
        yield
        return
    with tracer.start_as_current_span(
        name,
        context=_context(parent),
        attributes=attributes,
        record_exception=False,  # an error's text may hold anything
        set_status_on_exception=False,
    ) as made:
        try:
            yield
        except BaseException as error:
            _failed(made, fault(error))
            raise


def _failed(made: Span, what: str) -> None:
    from opentelemetry.trace import Status, StatusCode

    made.set_status(Status(StatusCode.ERROR, what))


def describe(attributes: Mapping[str, Attribute], *, name: str | None = None) -> None:
    """Say more of the span that is open: what a request or a job knows when it ends."""
    if _current() is None:
        return
    from opentelemetry.trace import get_current_span

    made = get_current_span()
    if name is not None:
        made.update_name(name)
    made.set_attributes(dict(attributes))


def traceparent() -> str | None:
    """Return what carries the open span on, for `span(parent=…)` elsewhere; `None` where nothing is traced."""
    if _current() is None:
        return None
    from opentelemetry.trace import format_span_id, format_trace_id, get_current_span

    held = get_current_span().get_span_context()
    if not held.is_valid:
        return None
    return (
        f"{_VERSION}-{format_trace_id(held.trace_id)}-{format_span_id(held.span_id)}-{held.trace_flags:02x}"
    )


def _context(parent: str | None) -> Any:
    """Return the context that a span begins in: under `parent`, or under the one that is open."""
    if parent is None:
        return None
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    try:
        version, trace, of, flags = parent.split("-")
        held = SpanContext(
            int(trace, 16), int(of, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
        )
    except ValueError:  # a newer release wrote it differently; the work counts, not its trace
        return None
    return set_span_in_context(NonRecordingSpan(held)) if version == _VERSION and held.is_valid else None
