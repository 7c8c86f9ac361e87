"""Where the stages' time lies in the session's.

The stages hear one unbroken stream, and their time is what they have heard of it. The session's
clock goes on whatever happens. So where a session waits, what follows is seen and heard later, and
nothing that was said, or that a client was told, moves.
"""

from __future__ import annotations

__all__ = ["FPS", "FRAME_US", "StageClock", "up_to_frames"]

FRAME_US = 40_000
FPS = 1_000_000 / FRAME_US


class StageClock:
    """All times are microseconds.

    Args:
        delayed_us: by how much the session is ahead from the beginning, whole frames.
    """

    def __init__(self, delayed_us: int = 0) -> None:
        self._delayed_us = delayed_us
        self._coming: list[tuple[int, int]] = []
        """Delays that some frames still come before: from where on, and how long."""

    def session_us(self, stage_us: int) -> int:
        """When it is seen and heard."""
        coming_us = sum(delay_us for from_us, delay_us in self._coming if from_us <= stage_us)
        return stage_us + self._delayed_us + coming_us

    def delay(self, from_us: int, delay_us: int) -> None:
        """Have all from this moment of the stages on seen and heard so much later."""
        self._coming.append((from_us, delay_us))

    def passed(self, stage_us: int) -> None:
        """Nobody will ask for earlier moments any more."""
        self._delayed_us += sum(own for from_us, own in self._coming if from_us <= stage_us)
        self._coming = [own for own in self._coming if own[0] > stage_us]


def up_to_frames(duration_us: int) -> int:
    """Whole frames that last at least so long, microseconds."""
    return -(-duration_us // FRAME_US) * FRAME_US
