from __future__ import annotations

import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lipstream.errors import Conflict
from lipstream.runtime.probes import ProbeServer
from lipstream.runtime.telemetry import Telemetry


def value(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    text = telemetry.exposition().decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return float(sample.value)
    return None


def test_what_happened_is_counted() -> None:
    telemetry = Telemetry("render")
    telemetry.frames("live", 25)
    telemetry.first_frame(0.03, warm=True)
    telemetry.queue_depth(waiting=3, delayed=1, pending=2)
    telemetry.work_ended("done", 1.5)
    telemetry.retried("internal")
    telemetry.dead_lettered("no_face")
    assert value(telemetry, "lipstream_frames_total", lane="live", service="render") == 25
    assert value(telemetry, "lipstream_first_frame_seconds_count", start="warm") == 1
    assert value(telemetry, "lipstream_queue_depth", state="delayed") == 1
    assert value(telemetry, "lipstream_work_duration_seconds_sum") == 1.5
    assert value(telemetry, "lipstream_retries_total", code="internal") == 1
    assert value(telemetry, "lipstream_dead_letters_total", code="no_face") == 1


def test_calls_are_timed_and_gauges_go_back() -> None:
    telemetry = Telemetry("gateway")
    with telemetry.timed_call("GET /v1/videos"), telemetry.in_flight("http"):
        assert value(telemetry, "lipstream_in_flight", lane="http") == 1
    with pytest.raises(KeyError), telemetry.timed_call("GET /v1/videos"):
        raise KeyError
    assert value(telemetry, "lipstream_in_flight", lane="http") == 0
    assert value(telemetry, "lipstream_requests_total", code="OK") == 1
    assert value(telemetry, "lipstream_requests_total", code="KeyError") == 1
    assert value(telemetry, "lipstream_request_duration_seconds_count") == 2


def test_two_in_one_process_do_not_collide() -> None:
    first, second = Telemetry("audio"), Telemetry("audio")
    first.frames("job")
    assert value(second, "lipstream_frames_total") is None


def test_probes_say_how_the_process_is() -> None:
    ready = [False]
    telemetry = Telemetry("audio")
    server = ProbeServer(telemetry, alive=lambda: True, ready=lambda: ready[0])
    server.start()
    url = f"http://127.0.0.1:{server.port}"
    try:
        assert urllib.request.urlopen(f"{url}/healthz").status == 200
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"{url}/readyz")
        ready[0] = True
        assert urllib.request.urlopen(f"{url}/readyz?verbose").status == 200
        metrics = urllib.request.urlopen(f"{url}/metrics")
        assert metrics.headers["Content-Type"].startswith("text/plain")
        with pytest.raises(Conflict, match=str(server.port)):
            ProbeServer(telemetry, alive=lambda: True, ready=lambda: True, port=server.port)
    finally:
        server.close()
