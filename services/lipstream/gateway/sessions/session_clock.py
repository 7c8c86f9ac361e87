"""The clock of a session: microseconds since playback began."""

from __future__ import annotations

import math
import time

from lipstream.gateway.sessions.timeline import FRAME_US

__all__ = ["HEADSTART_US", "SessionClock", "on_the_grid"]

HEADSTART_US = 4 * FRAME_US
"""Playback begins so much after the stages are ready, that the first frame is on time."""


class SessionClock:
    """Begins on whole frames of the machine's clock."""

    def __init__(self) -> None:
        self._origin_s = time.monotonic()

    def start(self) -> None:
        """Playback begins now, but for the headstart."""
        self._origin_s = on_the_grid(time.monotonic() + HEADSTART_US / 1e6)

    def go_on(self, origin_unix_us: int) -> None:
        """It began then, on another gateway's. Never goes back, but maybe a frame ahead."""
        age_s = time.time() - origin_unix_us / 1e6
        self._origin_s = on_the_grid(time.monotonic() - age_s - FRAME_US / 1e6)

    @property
    def origin_unix_us(self) -> int:
        """When it began, on the clock that machines share."""
        return round(time.time() * 1e6) - self.now_us()

    def now_us(self) -> int:
        return round((time.monotonic() - self._origin_s) * 1e6)

    def monotonic_s(self, moment_us: int) -> float:
        """A moment of the session on the clock of the event loop."""
        return self._origin_s + moment_us / 1e6


def on_the_grid(moment_s: float) -> float:
    """The first moment from then on at which a session's clock may begin: as all begin on whole
    frames, what is due in several sessions is due at once, and done together."""
    frame_s = FRAME_US / 1e6
    return math.ceil(moment_s / frame_s) * frame_s
