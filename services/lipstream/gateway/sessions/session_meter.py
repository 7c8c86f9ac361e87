"""What the metrics learn from one session."""

from __future__ import annotations

from collections.abc import Iterable

from lipstream.gateway.sessions.timeline import Started
from lipstream.runtime.telemetry import Telemetry

__all__ = ["SessionMeter"]


class SessionMeter:
    """Times an utterance that waits for no other: from the arrival of its first samples to the
    first picture, or frame of motion, that depends on them. All times are microseconds of the
    session."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._heard: tuple[int, int] | None = None
        self._start_us: int | None = None

    def heard(self, utterance: int, now_us: int) -> None:
        """The first samples of an utterance came, while nothing else was being said."""
        self._heard, self._start_us = (utterance, now_us), None

    def started(self, utterances: Iterable[Started]) -> None:
        """It is settled when these will be heard."""
        for started in utterances:
            if self._heard is not None and started.utterance == self._heard[0]:
                self._start_us = started.start_us

    def interrupted(self) -> None:
        self._heard = self._start_us = None

    def picture_sent(self, depends_us: int, pts_us: int, now_us: int) -> None:
        """A picture, or frame of motion, left for the client.

        Args:
            depends_us: it depends on what is heard before this.
            pts_us: when it is to be seen.
        """
        self._telemetry.picture_sent((now_us - pts_us) / 1e6)
        if self._heard is None or self._start_us is None or depends_us <= self._start_us:
            return
        self._telemetry.first_frame("live", (now_us - self._heard[1]) / 1e6)
        self._heard = self._start_us = None

    def late(self, count: int) -> None:
        """So many pictures were left out."""
        if count:
            self._telemetry.late_frames(count)
