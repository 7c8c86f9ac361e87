from __future__ import annotations

import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from lipstream.errors import Conflict, Verdict
from lipstream.runtime.batch_watch import watch_batches
from lipstream.runtime.combiner import Combiner
from lipstream.runtime.gpu_memory import GpuMemory
from lipstream.runtime.metrics_page import metrics_page
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
    telemetry.first_frame("live", 0.8)
    telemetry.first_frame("live", 0.03)
    telemetry.queue_depth(waiting=3, delayed=1, pending=2, dead=0, oldest_s=2.5)
    telemetry.batch_done("streaming_talker", 5, 0.004)
    telemetry.work_ended("done", 1.5)
    telemetry.retried("internal")
    telemetry.dead_lettered(Verdict.DEAD_LETTER)
    assert value(telemetry, "lipstream_frames_total", lane="live", service="render") == 25
    assert value(telemetry, "lipstream_first_frame_seconds_sum", start="cold") == 0.8
    assert value(telemetry, "lipstream_first_frame_seconds_sum", start="warm") == 0.03
    assert value(telemetry, "lipstream_queue_oldest_seconds") == 2.5
    assert value(telemetry, "lipstream_batch_size_bucket", work="streaming_talker", le="4.0") == 0
    assert value(telemetry, "lipstream_batch_size_bucket", work="streaming_talker", le="8.0") == 1
    assert value(telemetry, "lipstream_queue_depth", state="delayed") == 1
    assert value(telemetry, "lipstream_work_duration_seconds_sum") == 1.5
    assert value(telemetry, "lipstream_retries_total", code="internal") == 1
    assert value(telemetry, "lipstream_dead_letters_total", fault="caller") == 1
    assert value(telemetry, "lipstream_dead_letters_total", fault="platform") == 0


def test_calls_are_timed_and_gauges_go_back() -> None:
    telemetry = Telemetry("gateway")
    with telemetry.in_flight("http"):
        assert value(telemetry, "lipstream_in_flight", lane="http") == 1
    telemetry.call_ended("GET /v1/videos", "200", 0.01)
    telemetry.call_ended("GET /v1/videos", "404", 0.01)
    assert value(telemetry, "lipstream_in_flight", lane="http") == 0
    assert value(telemetry, "lipstream_requests_total", code="200") == 1
    assert value(telemetry, "lipstream_requests_total", code="404") == 1
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


def test_the_page_lists_what_there_is() -> None:
    page = Path(__file__).parents[3] / "docs" / "metrics.md"
    assert page.read_text() == metrics_page(), (
        "write it anew: python -m lipstream.runtime.metrics_page > docs/metrics.md"
    )


def test_batches_are_told_while_somebody_listens() -> None:
    heard: list[tuple[str, int]] = []
    combiner: Combiner[str, str] = Combiner(lambda items: items, most=4, name="echo")
    with combiner:
        combiner("before")
        with watch_batches(lambda work, size, duration_s: heard.append((work, size))):
            combiner("within")
        combiner("after")
    assert heard == [("echo", 1)]


class _Nvml:
    """nvidia-ml-py as it answers beside one GPU; no GPU is needed to know its interface."""

    class NVMLError(Exception):
        pass

    def __init__(self) -> None:
        self.fault = False

    def nvmlDeviceGetCount(self) -> int:
        if self.fault:
            raise self.NVMLError
        return 1

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:
        return number

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> SimpleNamespace:
        return SimpleNamespace(used=3 << 30, total=80 << 30)


def test_the_memory_of_a_gpu_is_told_while_it_answers() -> None:
    nvml = _Nvml()
    registry = CollectorRegistry()
    registry.register(GpuMemory("render", nvml))
    labels = {"service": "render", "device": "0", "state": "used"}
    assert registry.get_sample_value(GpuMemory.NAME, labels) == 3 << 30
    nvml.fault = True
    assert registry.get_sample_value(GpuMemory.NAME, labels) is None


def test_the_real_library_has_what_is_asked_of_it() -> None:
    pynvml = pytest.importorskip("pynvml", reason="nvidia-ml-py is not installed")
    for name in (name for name in vars(_Nvml) if name.startswith("nvml")):
        assert callable(getattr(pynvml, name))
    assert {"used", "total"} <= {name for name, *_ in pynvml.c_nvmlMemory_t._fields_}
