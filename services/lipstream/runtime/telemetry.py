"""Every metric of every service, with its key, its unit and its labels, in one file.

Labels are few and their values bounded: never an id of a job, a session or a user.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

__all__ = ["Telemetry"]

_CALL_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_WORK_BUCKETS_S = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)


class Telemetry:
    """The metrics of one process.

    Args:
        service: label `service` of every metric: a stage's name or `gateway`.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, service: str) -> None:
        self.service = service
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, ("service", *labels), registry=self._registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, ("service", *labels), registry=self._registry)

        def seconds(
            name: str, text: str, *labels: str, buckets: tuple[float, ...] = _CALL_BUCKETS_S
        ) -> Histogram:
            return Histogram(
                name, text, ("service", *labels), buckets=buckets, registry=self._registry
            )

        self._requests = counter(
            "lipstream_requests_total", "Calls that ended, by gRPC or HTTP code.", "method", "code"
        )
        self._request_s = seconds(
            "lipstream_request_duration_seconds",
            "Time of calls, from first to last byte.",
            "method",
        )
        self._in_flight = gauge("lipstream_in_flight", "Calls and jobs being worked on.", "lane")
        self._frames = counter("lipstream_frames_total", "Video or motion frames made.", "lane")
        self._non_finite = counter(
            "lipstream_non_finite_total",
            "Steps of a network that gave NaN or infinity and were passed over.",
            "lane",
        )
        self._first_frame_s = seconds(
            "lipstream_first_frame_seconds",
            "From a call's first input to its first frame.",
            "start",
        )
        self._work = counter("lipstream_work_total", "Tries of queued work, by outcome.", "outcome")
        self._work_s = seconds(
            "lipstream_work_duration_seconds",
            "Time of tries of queued work.",
            buckets=_WORK_BUCKETS_S,
        )
        self._retries = counter(
            "lipstream_retries_total", "Tries that are to be done again.", "code"
        )
        self._dead_letters = counter(
            "lipstream_dead_letters_total", "Messages that were given up.", "code"
        )
        self._taken_over = counter(
            "lipstream_taken_over_total", "Messages taken over from workers without a sign of life."
        )
        self._queue_depth = gauge(
            "lipstream_queue_depth", "Messages before this stage, by state.", "state"
        )
        self._redis_up = gauge("lipstream_redis_up", "1 when Redis answered last time.")
        self._ready = gauge("lipstream_ready", "1 when this process takes work.")

    def exposition(self) -> bytes:
        """All metrics as Prometheus reads them; send with `content_type`."""
        return generate_latest(self._registry)

    def call_ended(self, method: str, code: str, duration_s: float) -> None:
        """Count a call. `method` and `code` must come from small fixed sets."""
        self._requests.labels(self.service, method, code).inc()
        self._request_s.labels(self.service, method).observe(duration_s)

    @contextmanager
    def in_flight(self, lane: str) -> Iterator[None]:
        """Count something as being worked on; `lane` is `live`, `job` or `http`."""
        gauge = self._in_flight.labels(self.service, lane)
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()

    def frames(self, lane: str, count: int = 1) -> None:
        self._frames.labels(self.service, lane).inc(count)

    def non_finite(self, lane: str, count: int) -> None:
        """Count steps of networks whose result was replaced; `lane` is `live` or `job`."""
        self._non_finite.labels(self.service, lane).inc(count)

    def first_frame(self, duration_s: float, *, warm: bool) -> None:
        self._first_frame_s.labels(self.service, "warm" if warm else "cold").observe(duration_s)

    def work_ended(self, outcome: str, duration_s: float) -> None:
        """Count a try of queued work."""
        self._work.labels(self.service, outcome).inc()
        self._work_s.labels(self.service).observe(duration_s)

    def retried(self, code: str) -> None:
        self._retries.labels(self.service, code).inc()

    def dead_lettered(self, code: str) -> None:
        self._dead_letters.labels(self.service, code).inc()

    def took_over(self) -> None:
        self._taken_over.labels(self.service).inc()

    def queue_depth(self, *, waiting: int, delayed: int, pending: int) -> None:
        for state, count in (("waiting", waiting), ("delayed", delayed), ("pending", pending)):
            self._queue_depth.labels(self.service, state).set(count)

    def redis_up(self, up: bool) -> None:
        self._redis_up.labels(self.service).set(up)

    def ready(self, ready: bool) -> None:
        self._ready.labels(self.service).set(ready)

    @contextmanager
    def timed_call(self, method: str) -> Iterator[None]:
        """Count a call that ends with this block: code `OK`, or the class of what it raised."""
        began_s = time.perf_counter()
        code = "OK"
        try:
            yield
        except BaseException as error:
            code = type(error).__name__
            raise
        finally:
            self.call_ended(method, code, time.perf_counter() - began_s)
