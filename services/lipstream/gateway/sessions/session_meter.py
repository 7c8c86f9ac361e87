"""What metrics and traces learn from one session."""

from __future__ import annotations

from collections.abc import Iterable

from lipstream.gateway.sessions.timeline import Finished, Started
from lipstream.runtime.telemetry import Telemetry
from lipstream.runtime.tracing import Span, span

__all__ = ["SessionMeter"]

_FIRST = "first picture"


class SessionMeter:
    """Each utterance is a trace, from its first samples to its end. One that waits for no other is
    timed: from the arrival of its first samples to the first picture, or frame of motion, that
    depends on them. All times are microseconds of the session.

    Attributes:
        traceparent: of the utterance that is to be seen next; empty when none is, or it is not
            traced.
    """

    def __init__(self, session_id: str, telemetry: Telemetry) -> None:
        self.traceparent = ""
        self._session_id = session_id
        self._telemetry = telemetry
        self._spans: dict[int, Span] = {}
        self._delayed_us = 0
        self._timed: tuple[int, int] | None = None
        """An utterance, and when its first samples came."""
        self._next: Started | None = None
        """Settled, but not seen yet."""

    def heard(self, utterance: int, now_us: int, *, alone: bool) -> None:
        """Samples of an utterance came; `alone` says that nothing else was being said."""
        if utterance in self._spans:
            return
        self._spans[utterance] = span(
            "utterance", parent="", session_id=self._session_id, utterance=utterance
        )
        if alone:
            self._timed, self._next = (utterance, now_us), None
            self.traceparent = self._spans[utterance].traceparent

    def started(self, utterances: Iterable[Started]) -> None:
        """It is settled when these will be heard."""
        for started in utterances:
            self._next = started
            if (known := self._spans.get(started.utterance)) is not None:
                self.traceparent = known.traceparent

    def finished(self, finished: Finished) -> None:
        """An utterance has been heard, or was interrupted."""
        if (known := self._spans.pop(finished.utterance, None)) is not None:
            known.set(heard_us=finished.position_us, interrupted=finished.interrupted)
            known.end()
        if finished.interrupted:
            self._timed = self._next = None
            self.traceparent = ""

    def picture_sent(self, depends_us: int, pts_us: int, now_us: int) -> None:
        """A picture, or frame of motion, left for the client.

        Args:
            depends_us: it depends on what is heard before this.
            pts_us: when it is to be seen.
        """
        self._telemetry.picture_sent((now_us - pts_us) / 1e6)
        if self._next is None or depends_us <= self._next.start_us:
            return
        seen, self._next, self.traceparent = self._next.utterance, None, ""
        if (known := self._spans.get(seen)) is not None:
            known.event(_FIRST)
        if self._timed is not None and self._timed[0] == seen:
            self._telemetry.first_frame("live", (now_us - self._timed[1]) / 1e6)
        self._timed = None

    def late(self, count: int) -> None:
        """So many pictures were left out."""
        if count:
            self._telemetry.late_frames(count)

    def delayed(self, total_us: int) -> None:
        """By how much playback was delayed so far."""
        if total_us > self._delayed_us:
            self._telemetry.delayed((total_us - self._delayed_us) / 1e6)
            self._delayed_us = total_us

    def close(self) -> None:
        """The session is over; so is whatever was being said."""
        for known in self._spans.values():
            known.end()
        self._spans.clear()
