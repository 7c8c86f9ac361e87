"""Traces by OpenTelemetry: one for each job, one for each utterance. Off unless it is asked for.

`OTEL_EXPORTER_OTLP_ENDPOINT` turns it on; the SDK's other variables (`OTEL_TRACES_SAMPLER`,
`OTEL_BSP_SCHEDULE_DELAY`, `OTEL_RESOURCE_ATTRIBUTES`, ...) hold as everywhere. While it is off,
nothing of OpenTelemetry is imported, and a span costs a call that returns a constant.

A trace goes from process to process as a W3C `traceparent`: in HTTP headers, in gRPC metadata, in
the messages of the streams, and in the headers of live messages.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeAlias

from lipstream.errors import BadInput
from lipstream.runtime.logs import bound

__all__ = [
    "NO_SPAN",
    "TRACEPARENT",
    "Attribute",
    "Span",
    "is_traced",
    "span",
    "trace_metadata",
    "traceparent",
    "tracing",
]

Attribute: TypeAlias = str | int | float | bool

TRACEPARENT = "traceparent"
"""Name of the header, the metadata and the field."""
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_tracer: Any = None


@contextmanager
def tracing(service: str) -> Iterator[None]:
    """Trace this process within the block, if the environment asks for it; what is left is sent at
    its end.

    Raises:
        BadInput: it is asked for, but the packages are not there.
    """
    global _tracer
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        yield
        return
    provider = _provider(service)
    _tracer = provider.get_tracer("lipstream")
    try:
        yield
    finally:
        _tracer = None
        provider.shutdown()


def is_traced() -> bool:
    """Whether tracing is on in this process."""
    return _tracer is not None


class Span:
    """A piece of work of a trace. As a context it is the parent of what begins within; one that
    lasts beyond a block is ended by `end`."""

    __slots__ = ("_attached", "_bound", "_span")

    def __init__(self, opened: Any = None) -> None:
        self._span = opened
        self._attached: Any = None
        self._bound: Any = None

    @property
    def traceparent(self) -> str:
        """What work elsewhere names as its parent; empty while tracing is off."""
        if self._span is None:
            return ""
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def rename(self, name: str) -> None:
        if self._span is not None:
            self._span.update_name(name)

    def set(self, **attributes: Attribute) -> None:
        if self._span is not None:
            self._span.set_attributes(attributes)

    def event(self, name: str) -> None:
        """Something happened now."""
        if self._span is not None:
            self._span.add_event(name)

    def end(self) -> None:
        if self._span is not None:
            self._span.end()

    def __enter__(self) -> Self:
        if self._span is not None:
            from opentelemetry import context, trace

            self._attached = context.attach(trace.set_span_in_context(self._span))
            self._bound = bound(trace_id=f"{self._span.get_span_context().trace_id:032x}")
            self._bound.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._span is None:
            return
        from opentelemetry import context

        self._bound.__exit__(None, None, None)
        context.detach(self._attached)
        if isinstance(error, Exception):
            self._span.record_exception(error)
            self._span.set_attribute("error", True)
        self._span.end()


NO_SPAN = Span()
"""What everybody gets while tracing is off."""


def span(
    name: str, *, parent: str | None = None, lasted_s: float = 0.0, **attributes: Attribute
) -> Span:
    """Begin a span.

    Args:
        name: few and fixed; what differs goes into attributes.
        parent: a traceparent from elsewhere, empty or damaged for a new trace; None for the span
            that is current here.
        lasted_s: how long ago it began.
    """
    if _tracer is None:
        return NO_SPAN
    began_ns = time.time_ns() - round(lasted_s * 1e9)
    context = None if parent is None else _context(parent)
    return Span(_tracer.start_span(name, context, attributes=attributes, start_time=began_ns))


def traceparent() -> str:
    """That of the current span; empty where there is none."""
    if _tracer is None:
        return ""
    from opentelemetry import trace

    current = trace.get_current_span()
    return Span(current).traceparent if current.get_span_context().is_valid else ""


def trace_metadata() -> tuple[tuple[str, str], ...] | None:
    """Metadata for a gRPC call, that its server goes on with the current trace."""
    parent = traceparent()
    return ((TRACEPARENT, parent),) if parent else None


def _context(parent: str) -> Any:
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({TRACEPARENT: parent}, Context())


def _provider(service: str) -> Any:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise BadInput(
            "OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, but OpenTelemetry is not installed.",
            remedy="Install it with pip install 'lipstream[tracing]', or unset the variable.",
            code="no_tracing",
        ) from error
    resource = Resource.create({"service.name": f"lipstream-{service}"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
