"""A receiver of traces for tests: OTLP over HTTP on loopback, as a collector takes it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import pytest

__all__ = ["OtlpReceiver", "ReceivedSpan"]

_LONG_S = 30.0


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    events: tuple[str, ...]
    duration_s: float


class OtlpReceiver:
    def __init__(self) -> None:
        protocol = pytest.importorskip(
            "opentelemetry.proto.collector.trace.v1.trace_service_pb2",
            reason="needs the extra `tracing`",
        )
        spans = self.spans = list[ReceivedSpan]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                request = protocol.ExportTraceServiceRequest.FromString(body)
                for resource in request.resource_spans:
                    service = _plain(resource.resource.attributes)["service.name"]
                    for scope in resource.scope_spans:
                        spans.extend(_received(service, span) for span in scope.spans)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="otlp", daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def until(self, look: Callable[[list[ReceivedSpan]], bool]) -> list[ReceivedSpan]:
        """Wait until the spans that have come satisfy `look`; all of them."""
        give_up_s = time.monotonic() + _LONG_S
        while time.monotonic() < give_up_s:
            if look(spans := list(self.spans)):
                return spans
            time.sleep(0.1)
        raise AssertionError(f"waited in vain; there are {sorted({s.name for s in self.spans})}")


def _received(service: str, span: Any) -> ReceivedSpan:
    return ReceivedSpan(
        service,
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        _plain(span.attributes),
        tuple(event.name for event in span.events),
        (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
    )


def _plain(attributes: Any) -> dict[str, Any]:
    return {
        item.key: getattr(item.value, item.value.WhichOneof("value") or "string_value")
        for item in attributes
    }
