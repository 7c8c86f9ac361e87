"""Frames of motion between the model that runs ahead and the eyes of a viewer."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from lipstream.gateway.sessions.motion_frame import MotionFrame
from lipstream.gateway.sessions.timeline import FRAME_US

__all__ = ["FrameBuffer"]

_LATE_US = 2 * FRAME_US
"""A frame that is so late is left out, and the next one that can be on time is drawn."""


class FrameBuffer:
    """Gives each frame once, in order; after `restart`, again from there on. All times are
    microseconds of the session."""

    def __init__(self) -> None:
        self.late_frames = 0
        """That were left out although somebody looked."""
        self._frames: deque[MotionFrame] = deque()
        self._given_us = -1

    def add(self, frames: Iterable[MotionFrame]) -> None:
        self._frames += frames

    def restart(self, now_us: int) -> None:
        """Go on right after what is seen now, though later frames were given already."""
        self._given_us = now_us

    def forget(self, now_us: int, *, watched: bool) -> int:
        """Drop what has been seen, or should have been; how many were late."""
        before = self.late_frames
        while self._frames and self._frames[0].pts_us + FRAME_US <= now_us - _LATE_US:
            missed = self._frames.popleft().pts_us > self._given_us
            self.late_frames += missed and watched
        return self.late_frames - before

    def next(self) -> MotionFrame | None:
        """The frame after the one that was given last, if it is there."""
        for frame in self._frames:
            if frame.pts_us > self._given_us:
                self._given_us = frame.pts_us
                return frame
        return None
