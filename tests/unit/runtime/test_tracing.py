from __future__ import annotations

import subprocess
import sys

import pytest

from lipstream.runtime.tracing import NO_SPAN, span, trace_metadata, traceparent, tracing
from tests.integration.sessions.otlp import OtlpReceiver

_PARENT = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"


def test_it_is_off_unless_it_is_asked_for() -> None:
    with tracing("audio"), span("work", parent=_PARENT, size=1) as work:
        assert work is NO_SPAN
        assert traceparent() == work.traceparent == ""
        assert trace_metadata() is None


def test_while_it_is_off_nothing_of_it_is_imported() -> None:
    program = (
        "import sys, lipstream.gateway.app, lipstream.runtime.stage_main\n"
        "sys.exit(any(name.startswith('opentelemetry.sdk') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_spans_are_sent_with_their_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    with OtlpReceiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with tracing("audio"):
            with span("outer", parent=_PARENT) as outer:
                assert trace_metadata() == (("traceparent", outer.traceparent),)
                span("inner", lasted_s=2.0, size=3).end()
            with pytest.raises(ValueError, match="no"), span("failed"):
                raise ValueError("no")
            lone = span("lone", parent="damaged")
            lone.event("came")
            lone.end()
        sent = {s.name: s for s in receiver.spans}
    assert sent["outer"].trace_id == _PARENT.split("-")[1]
    assert sent["outer"].parent_id == _PARENT.split("-")[2]
    assert sent["failed"].attributes == {"error": True}
    assert sent["failed"].events == ("exception",)
    assert sent["inner"].parent_id == sent["outer"].span_id
    assert sent["inner"].duration_s >= 2.0
    assert sent["inner"].attributes == {"size": 3}
    assert sent["lone"].trace_id != sent["outer"].trace_id
    assert not sent["lone"].parent_id
    assert sent["lone"].events == ("came",)
    assert {s.service for s in sent.values()} == {"lipstream-audio"}
    assert traceparent() == ""
