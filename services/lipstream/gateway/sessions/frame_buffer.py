"""Frames of motion between the model that runs ahead and the eyes of a viewer."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from lipstream.gateway.sessions.motion_frame import MotionFrame
from lipstream.gateway.sessions.timeline import FRAME_US, LATE_US

__all__ = ["FrameBuffer"]


class FrameBuffer:
    """Gives each frame once, in order; after `restart`, again from there on. What cannot be on time
    any more is left out. All times are microseconds of the session."""

    def __init__(self) -> None:
        self.late_frames = 0
        """That were left out although somebody looked."""
        self._frames: deque[MotionFrame] = deque()
        self._given_us = -1
        self._told = 0

    def add(self, frames: Iterable[MotionFrame]) -> None:
        self._frames += frames

    def restart(self, now_us: int) -> None:
        """Go on right after what is seen now, though later frames were given already."""
        self._given_us = now_us

    def forget(self, now_us: int, *, watched: bool) -> int:
        """Drop what has been seen, or should have been; how many were left out since last time."""
        while self._frames and self._frames[0].pts_us + LATE_US <= now_us:
            missed = self._frames.popleft().pts_us > self._given_us
            self.late_frames += missed and watched
        new, self._told = self.late_frames - self._told, self.late_frames
        return new

    def next(self, ready_us: int) -> MotionFrame | None:
        """The first frame after the one that was given last which will still be seen when its
        picture is ready, or else the last there is.

        Args:
            ready_us: when its picture will be.
        """
        chosen, skipped = None, -1
        for frame in self._frames:
            if frame.pts_us <= self._given_us:
                continue
            chosen, skipped = frame, skipped + 1
            if frame.pts_us + FRAME_US > ready_us:
                break
        if chosen is not None:
            self._given_us = chosen.pts_us
            self.late_frames += skipped
        return chosen
