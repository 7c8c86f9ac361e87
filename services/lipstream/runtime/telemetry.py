"""Every metric of every service, with its key, its unit and its labels, in one file.

Labels are few and their values bounded: never an id of a job, a session or a user.
`docs/metrics.md` is written from here, by `metrics_page`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from lipstream.errors import Verdict
from lipstream.runtime.gpu_memory import GpuMemory

__all__ = ["Metric", "Telemetry"]

_CALL_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_WORK_BUCKETS_S = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
_OFFSET_BUCKETS_S = (-0.2, -0.16, -0.12, -0.08, -0.04, -0.02, 0, 0.02, 0.04, 0.08, 0.16, 0.32)
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric is, for the page that lists them."""

    name: str
    kind: str
    """`counter`, `gauge` or `histogram`."""
    labels: tuple[str, ...]
    """Beside `service`."""
    text: str


class Telemetry:
    """The metrics of one process.

    Args:
        service: label `service` of every metric: a stage's name or `gateway`.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self, service: str) -> None:
        self.service = service
        # A third of all lines, which nobody reads.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._declared: list[Metric] = []
        self._warm: set[str] = set()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)

        def declared(name: str, kind: str, text: str, labels: tuple[str, ...]) -> tuple[str, ...]:
            self._declared.append(Metric(name, kind, labels, text))
            return ("service", *labels)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(
                name, text, declared(name, "counter", text, labels), registry=self._registry
            )

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, declared(name, "gauge", text, labels), registry=self._registry)

        def histogram(
            name: str, text: str, *labels: str, buckets: tuple[float, ...] = _CALL_BUCKETS_S
        ) -> Histogram:
            names = declared(name, "histogram", text, labels)
            return Histogram(name, text, names, buckets=buckets, registry=self._registry)

        # Calls
        self._requests = counter(
            "lipstream_requests_total", "Calls that ended, by gRPC or HTTP code.", "method", "code"
        )
        self._request_s = histogram(
            "lipstream_request_duration_seconds",
            "Time of calls, from first to last byte.",
            "method",
        )
        self._in_flight = gauge(
            "lipstream_in_flight", "Calls and jobs being worked on: live, job or http.", "lane"
        )

        # What the stages make
        self._frames = counter("lipstream_frames_total", "Video or motion frames made.", "lane")
        self._audio_s = counter("lipstream_audio_seconds_total", "Speech taken in.", "lane")
        self._first_frame_s = histogram(
            "lipstream_first_frame_seconds",
            "To a first frame. Gateway: from speech to the first picture that depends on it. "
            "Render: from a call's, or a job's, beginning. `start` is cold for a process's first.",
            "lane",
            "start",
        )
        self._step_s = histogram(
            "lipstream_step_duration_seconds",
            "From a live message's arrival at a stage to the first of its answer.",
        )
        self._non_finite = counter(
            "lipstream_non_finite_total",
            "Steps of a network that gave NaN or infinity and were passed over.",
            "lane",
        )
        self._batch_size = histogram(
            "lipstream_batch_size",
            "Rows that a model, or a device that draws, was given at once.",
            "work",
            buckets=_BATCH_BUCKETS,
        )
        self._batch_s = histogram(
            "lipstream_batch_duration_seconds", "Time of such a batch.", "work"
        )

        self._model_up = gauge(
            "lipstream_model_up", "1 when a model of the Triton server ran last time.", "model"
        )
        self._model_reloads = counter(
            "lipstream_model_reloads_total",
            "Models loaded again since they had lost their process.",
        )

        # Live sessions, at the gateway
        self._sessions = gauge("lipstream_sessions", "Open live sessions, by state.", "state")
        self._sessions_ended = counter(
            "lipstream_sessions_ended_total", "Live sessions that ended, by reason.", "reason"
        )
        self._session_open_s = histogram(
            "lipstream_session_open_seconds", "What opening a live session took."
        )
        self._late_frames = counter(
            "lipstream_late_frames_total",
            "Pictures of live sessions left out because they could not be on time.",
        )
        self._delayed_s = counter(
            "lipstream_live_delayed_seconds_total",
            "By how much playback of live sessions was delayed because stages were behind: silence "
            "lasted longer, speech paused.",
        )
        self._av_offset_s = histogram(
            "lipstream_av_offset_seconds",
            "How far behind its time a picture left the gateway; below 0 before it. Sound keeps "
            "the session's clock, so this is how far pictures drift from it.",
            buckets=_OFFSET_BUCKETS_S,
        )

        # Queued work
        self._work = counter("lipstream_work_total", "Tries of queued work, by outcome.", "outcome")
        self._work_s = histogram(
            "lipstream_work_duration_seconds",
            "Time of tries of queued work.",
            buckets=_WORK_BUCKETS_S,
        )
        self._queue_wait_s = histogram(
            "lipstream_queue_wait_seconds",
            "How long a message had waited when a worker began with it.",
            buckets=_WORK_BUCKETS_S,
        )
        self._job_s = histogram(
            "lipstream_job_duration_seconds",
            "Time of whole jobs, from their order to their end, at the stage where they ended.",
            "kind",
            "outcome",
            buckets=_WORK_BUCKETS_S,
        )
        self._retries = counter(
            "lipstream_retries_total", "Tries that are to be done again.", "code"
        )
        self._dead_letters = counter(
            "lipstream_dead_letters_total",
            "Messages that were given up: for the caller's input, or by a fault of the platform.",
            "fault",
        )
        self._webhook_calls = counter(
            "lipstream_webhook_calls_total",
            "Calls of webhooks: delivered, failed and to be tried again, or given_up.",
            "outcome",
        )
        self._taken_over = counter(
            "lipstream_taken_over_total", "Messages taken over from workers without a sign of life."
        )
        self._queue_depth = gauge(
            "lipstream_queue_depth",
            "Messages of this stage: waiting, delayed until another try, pending with a worker, "
            "or dead. Every worker of the stage tells the same.",
            "state",
        )
        self._queue_held_back = gauge(
            "lipstream_queue_held_back",
            "Of the messages that wait, those whose tenant is at its cap of jobs at once.",
        )
        self._queue_oldest_s = gauge(
            "lipstream_queue_oldest_seconds", "How long the message that is next has waited."
        )

        # The process
        self._redis_up = gauge("lipstream_redis_up", "1 when Redis answered last time.")
        self._live_streams = gauge("lipstream_live_streams", "Live streams that are served now.")
        self._live_capacity = gauge(
            "lipstream_live_capacity", "Live streams that may be served at once."
        )
        self._ready = gauge("lipstream_ready", "1 when this process takes work.")
        self._tell_zeros()
        gpu = GpuMemory.open(service)
        if gpu is not None:
            self._registry.register(gpu)
        self._declared.append(
            Metric(GpuMemory.NAME, "gauge", GpuMemory.LABELS, f"{GpuMemory.TEXT} Only with a GPU.")
        )

    @property
    def declared(self) -> tuple[Metric, ...]:
        """All metrics of ours, in the order of the page."""
        return tuple(self._declared)

    def exposition(self) -> bytes:
        """All metrics as Prometheus reads them; send with `content_type`."""
        return generate_latest(self._registry)

    def _tell_zeros(self) -> None:
        """Of what alerts look at, that the first one is a rise, in a new process too."""
        for counter in (
            self._taken_over,
            self._late_frames,
            self._delayed_s,
            self._model_reloads,
        ):
            counter.labels(self.service)
        for fault in ("caller", "platform"):
            self._dead_letters.labels(self.service, fault)
        for lane in ("job", "live"):
            self._non_finite.labels(self.service, lane)

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

    def audio(self, lane: str, duration_s: float) -> None:
        self._audio_s.labels(self.service, lane).inc(duration_s)

    def first_frame(self, lane: str, duration_s: float) -> None:
        """A first frame is there; the first of all in this process counts as cold."""
        start = "warm" if lane in self._warm else "cold"
        self._warm.add(lane)
        self._first_frame_s.labels(self.service, lane, start).observe(duration_s)

    def step_done(self, duration_s: float) -> None:
        self._step_s.labels(self.service).observe(duration_s)

    def non_finite(self, lane: str, count: int) -> None:
        """Count steps of networks whose result was replaced; `lane` is `live` or `job`."""
        self._non_finite.labels(self.service, lane).inc(count)

    def batch_done(self, work: str, size: int, duration_s: float) -> None:
        """Count a batch of so many rows; `work` is a model's name or that of a device's queue."""
        self._batch_size.labels(self.service, work).observe(size)
        self._batch_s.labels(self.service, work).observe(duration_s)

    def model_up(self, model: str, up: bool) -> None:
        self._model_up.labels(self.service, model).set(up)

    def model_reloaded(self) -> None:
        self._model_reloads.labels(self.service).inc()

    def sessions(self, by_state: Mapping[str, int]) -> None:
        for state, count in by_state.items():
            self._sessions.labels(self.service, state).set(count)

    def session_opened(self, duration_s: float) -> None:
        self._session_open_s.labels(self.service).observe(duration_s)

    def session_ended(self, reason: str) -> None:
        """`reason` is one of the registry's words or the code of an error."""
        self._sessions_ended.labels(self.service, reason).inc()

    def late_frames(self, count: int) -> None:
        self._late_frames.labels(self.service).inc(count)

    def delayed(self, duration_s: float) -> None:
        """Playback of a session goes on so much later."""
        self._delayed_s.labels(self.service).inc(duration_s)

    def picture_sent(self, behind_s: float) -> None:
        """A picture left, so much after its time."""
        self._av_offset_s.labels(self.service).observe(behind_s)

    def work_ended(self, outcome: str, duration_s: float) -> None:
        """Count a try of queued work."""
        self._work.labels(self.service, outcome).inc()
        self._work_s.labels(self.service).observe(duration_s)

    def queue_waited(self, duration_s: float) -> None:
        self._queue_wait_s.labels(self.service).observe(duration_s)

    def job_ended(self, kind: str, outcome: str, duration_s: float) -> None:
        self._job_s.labels(self.service, kind, outcome).observe(duration_s)

    def retried(self, code: str) -> None:
        self._retries.labels(self.service, code).inc()

    def dead_lettered(self, verdict: Verdict) -> None:
        """Count a message that was given up, by the verdict of what failed it last."""
        fault = "caller" if verdict is Verdict.DEAD_LETTER else "platform"
        self._dead_letters.labels(self.service, fault).inc()

    def webhook_called(self, outcome: str) -> None:
        """Count a call of a webhook: `delivered`, `failed` or `given_up`."""
        self._webhook_calls.labels(self.service, outcome).inc()

    def took_over(self) -> None:
        self._taken_over.labels(self.service).inc()

    def queue_depth(
        self,
        *,
        waiting: int,
        delayed: int,
        pending: int,
        dead: int,
        oldest_s: float,
        held_back: int = 0,
    ) -> None:
        by_state = {"waiting": waiting, "delayed": delayed, "pending": pending, "dead": dead}
        for state, count in by_state.items():
            self._queue_depth.labels(self.service, state).set(count)
        self._queue_oldest_s.labels(self.service).set(oldest_s)
        self._queue_held_back.labels(self.service).set(held_back)

    def redis_up(self, up: bool) -> None:
        self._redis_up.labels(self.service).set(up)

    def live_streams(self, count: int) -> None:
        self._live_streams.labels(self.service).set(count)

    def live_capacity(self, count: int) -> None:
        self._live_capacity.labels(self.service).set(count)

    def ready(self, ready: bool) -> None:
        self._ready.labels(self.service).set(ready)
