"""A timeline and stages that take their time, on a clock that is only counted."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from lipstream.gateway.sessions.timeline import FRAME_US, Heard, Timeline

__all__ = ["LOOK_AHEAD_US", "RATE_HZ", "Frame", "SlowStages"]

RATE_HZ = 16_000
LOOK_AHEAD_US = 80_000
_HEADSTART_US = 4 * FRAME_US


@dataclass(frozen=True, slots=True)
class Frame:
    stage_us: int
    pts_us: int
    came_us: int

    @property
    def late_us(self) -> int:
        return self.came_us - self.pts_us


@dataclass
class SlowStages:
    """Answers piece after piece, each after `takes_us`, but for while it stands still."""

    takes_us: int = 10_000
    latency_us: int = 0
    """Of the speech encoder."""
    still: tuple[tuple[int, int], ...] = ()
    """From when to when nothing is done."""
    now_us: int = -_HEADSTART_US
    frames: list[Frame] = field(default_factory=list)
    heard: list[tuple[int, int, Heard]] = field(default_factory=list)
    """When it was handed on, and its piece's place in the stages' time."""
    most_unanswered: int = 0
    timeline: Timeline = field(init=False)
    _waiting: deque[int] = field(default_factory=deque)
    """Ends of pieces, in the stages' time."""
    _done_us: int | None = None
    _next_frame_us: int = 0

    def __post_init__(self) -> None:
        self.timeline = Timeline(RATE_HZ, LOOK_AHEAD_US + self.latency_us)

    def run(self, until_us: int) -> None:
        while True:
            due_us = self.timeline.due_us()
            moments = [moment for moment in (due_us, self._done_us) if moment is not None]
            if not moments or min(moments) > until_us:
                self.now_us = until_us
                return
            self.now_us = max(self.now_us, min(moments))
            if self._done_us is not None and self._done_us <= self.now_us:
                self._answer()
            else:
                self._hand_on()

    def since(self, from_us: int) -> list[Frame]:
        """Frames that are seen from then on."""
        return [frame for frame in self.frames if frame.pts_us >= from_us]

    def _hand_on(self) -> None:
        piece = self.timeline.next_piece(self.now_us)
        self.heard += [(self.now_us, piece.stage_us, own) for own in piece.heard]
        self._waiting.append(piece.stage_us + len(piece.samples) // 2 * 1_000_000 // RATE_HZ)
        self.most_unanswered = max(self.most_unanswered, len(self._waiting))
        if self._done_us is None:
            self._begin()

    def _begin(self) -> None:
        done_us = self.now_us + self.takes_us
        for from_us, to_us in self.still:
            if from_us < done_us < to_us:
                done_us = to_us
        self._done_us = done_us

    def _answer(self) -> None:
        known_us = self._waiting.popleft() - self.latency_us
        while self._next_frame_us + LOOK_AHEAD_US <= known_us:
            stage_us = self._next_frame_us
            self.timeline.moved(stage_us, 1, self.now_us)
            pts_us = self.timeline.seen_us(stage_us)
            self.frames.append(Frame(stage_us, pts_us, self.now_us))
            self.timeline.shown(pts_us, self.now_us)
            self._next_frame_us += FRAME_US
        self._done_us = None
        if self._waiting:
            self._begin()
