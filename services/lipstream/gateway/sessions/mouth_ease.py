"""How much of the mouth's motion is shown after an interrupt.

Motion runs a little ahead of what is seen. What was made of speech that nobody will hear is shown
all the same, head and eyes and lids, so that the face never jumps; but its mouth eases to rest, and
stays there until the next speech.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MouthEase"]

_DOWN_US = 120_000
_UP_US = 80_000
_AFTER_US = 600_000
"""What the motion model itself takes to rest, after the last stale sound."""


@dataclass(slots=True)
class MouthEase:
    """All times are microseconds of the session; before any interrupt everything is shown."""

    interrupted_us: int | None = None
    release_us: int = 0
    """From here on the mouth may move again."""

    def interrupt(self, now_us: int, stale_until_us: int) -> None:
        """Ease from what is shown now to rest.

        Args:
            stale_until_us: up to here motion was made of speech that is dropped.
        """
        # Interrupted again while at rest: it stays at rest.
        if self.factor(now_us) > 0:
            self.interrupted_us = now_us
        self.release_us = stale_until_us + _AFTER_US

    def speech_begins(self, start_us: int) -> None:
        """New speech is heard from here on; its lips move a little before."""
        self.release_us = min(self.release_us, start_us - _UP_US)

    def delay(self, from_us: int, delay_us: int) -> None:
        """What was to be seen from here on is seen later."""
        if self.release_us >= from_us:
            self.release_us += delay_us

    def factor(self, pts_us: int) -> float:
        """Of the mouth's weights in a frame, 0..1."""
        if self.interrupted_us is None:
            return 1.0
        falling = 1 - (pts_us - self.interrupted_us) / _DOWN_US
        rising = (pts_us - self.release_us) / _UP_US
        return min(max(falling, rising, 0.0), 1.0)
