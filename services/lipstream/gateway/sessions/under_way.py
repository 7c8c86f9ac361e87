"""Pictures that the render stage works on, and how long they take."""

from __future__ import annotations

__all__ = ["UnderWay"]

_AT_ONCE = 2
_BUSY_S = 0.08
"""Where pictures take longer, they mostly wait for others: with one at a time they wait less, and
as many come."""
_SMOOTHING = 0.2
_LONGEST_S = 0.2
"""A picture that took longer says of the next ones no more than this."""


class UnderWay:
    """Pictures are known by epoch and time; seconds are of any clock."""

    def __init__(self) -> None:
        self._begun_s: dict[tuple[int, int], float] = {}
        self._takes_s = 0.0

    def __len__(self) -> int:
        return len(self._begun_s)

    @property
    def has_room(self) -> bool:
        """Whether the stage may be given another frame."""
        return len(self) < (_AT_ONCE if self._takes_s < _BUSY_S else 1)

    @property
    def takes_us(self) -> int:
        """How long a picture took lately, microseconds."""
        return round(1e6 * self._takes_s)

    def begin(self, epoch: int, pts_us: int, now_s: float) -> None:
        """The stage was given a frame."""
        self._begun_s[epoch, pts_us] = now_s

    def end(self, epoch: int, pts_us: int, now_s: float) -> None:
        """Its picture came; one that nobody waits for any more counts for nothing."""
        begun_s = self._begun_s.pop((epoch, pts_us), None)
        if begun_s is not None:
            self._takes_s += _SMOOTHING * (min(now_s - begun_s, _LONGEST_S) - self._takes_s)

    def forget(self) -> None:
        """Nobody waits for them any more."""
        self._begun_s.clear()
