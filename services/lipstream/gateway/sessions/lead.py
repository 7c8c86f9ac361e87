"""How far ahead of playback silence is handed on: what computing a picture may take.

Little, as speech begins after it. Where pictures came late, more, until they have come early for a
while: so a session on a busy machine answers a little later, and its pictures are on time.
"""

from __future__ import annotations

from lipstream.gateway.sessions.stage_clock import FRAME_US

__all__ = ["MOST_LEAD_US", "Lead"]

_LEAST_US = 2 * FRAME_US
MOST_LEAD_US = 5 * FRAME_US
_CALM_US = 5_000_000
_EARLY_US = FRAME_US * 3 // 2
"""Pictures that all come so long before they are late would be on time with a frame less, too."""
_UNDER_WAY_US = 400_000
"""What was handed on before the lead was raised may be late once more."""


class Lead:
    """All times are microseconds of the session."""

    def __init__(self) -> None:
        self.us = _LEAST_US
        self._calm_from_us: int | None = None
        self._raised_us = -_UNDER_WAY_US

    @property
    def raised(self) -> bool:
        """Whether pictures came late not long ago."""
        return self.us > _LEAST_US

    def late(self, now_us: int) -> None:
        """A picture came, or will come, after its time."""
        self._calm_from_us = now_us
        if now_us >= self._raised_us + _UNDER_WAY_US:
            self.us = min(self.us + FRAME_US, MOST_LEAD_US)
            self._raised_us = now_us

    def on_time(self, spare_us: int, now_us: int) -> None:
        """A picture came so long before it would have been late."""
        if self._calm_from_us is None or spare_us < _EARLY_US:
            self._calm_from_us = now_us
        elif self.raised and now_us - self._calm_from_us > _CALM_US:
            self.us -= FRAME_US
            self._calm_from_us = now_us
