"""The part of a video that an avatar is fitted to: one shot without cuts, thinned out."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.video.footage import MIN_VIDEO_S, Footage
from lipstream.errors import BadInput

__all__ = ["Shot", "longest_shot"]

_MOST_FRAMES = 300
_CUT_LEVELS = 16.0
_CUT_RATIO = 4.0
"""A cut changes the picture this many times as much as the frames around it do."""
_AROUND = 12
_TOLERANCE_S = 0.1


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames of one camera looking at one scene."""

    frames: NDArray[np.int64]  # [T] index in the footage, rising
    times_s: NDArray[np.float64]  # [T] from the shot's first frame on
    size_px: tuple[int, int]  # width, height
    length_s: float
    of_several: bool  # the footage has cuts, or changes its size

    @property
    def held_out(self) -> NDArray[np.bool_]:  # [T]
        """Every tenth second from the sixth on, or the sixth tenth of a shorter shot.

        Not the last: films end at rest, which any photo gives back.
        """
        unit_s = min(1.0, self.length_s / 10)
        return np.asarray(np.floor(self.times_s / unit_s + 1e-6).astype(int) % 10 == 5)


def longest_shot(footage: Footage) -> Shot:
    """Cut the footage where the scene or the pictures' size changes, and take the longest part.

    Raises:
        BadInput: it lasts less than three seconds.
    """
    starts = [0, *np.flatnonzero(_cuts(footage)), len(footage.times_s)]
    spacing_s = float(np.median(np.diff(footage.times_s))) if len(footage.times_s) > 1 else 0.0

    def length_s(part: tuple[int, int]) -> float:
        return float(footage.times_s[part[1] - 1] - footage.times_s[part[0]]) + spacing_s

    parts = [(a, b) for a, b in pairwise(starts) if b > a]
    start, end = max(parts, key=length_s)
    length = length_s((start, end))
    if length < MIN_VIDEO_S - _TOLERANCE_S:
        raise _too_short(footage, length, len(parts))
    count = min(_MOST_FRAMES, end - start)
    chosen = start + np.unique(np.linspace(0, end - start - 1, count).round().astype(int))
    width, height = (int(side) for side in footage.sizes_px[start])
    times_s = footage.times_s[chosen] - footage.times_s[start]
    return Shot(chosen, times_s, (width, height), length, len(parts) > 1)


def _cuts(footage: Footage) -> NDArray[np.bool_]:  # [T] a shot begins here
    change = footage.change
    around = np.array(
        [
            np.median(np.delete(change[max(0, k - _AROUND) : k + _AROUND + 1], min(k, _AROUND)))
            if len(change) > 1
            else 0.0
            for k in range(len(change))
        ]
    )
    scene = (change > _CUT_LEVELS) & (change > _CUT_RATIO * around)
    size = np.zeros(len(change), bool)
    size[1:] = (np.diff(footage.sizes_px, axis=0) != 0).any(1)
    return np.asarray(scene | size)


def _too_short(footage: Footage, length_s: float, parts: int) -> BadInput:
    if parts > 1:
        resized = bool((np.diff(footage.sizes_px, axis=0) != 0).any())
        return BadInput(
            f"The video changes {'its size' if resized else 'scene'} too often: its longest part "
            f"lasts {length_s:.1f} s, and {MIN_VIDEO_S:.0f} s are needed.",
            remedy="Send one shot without cuts, of one size.",
            code="changing_size" if resized else "cuts",
        )
    damaged = " It is damaged: what comes after cannot be decoded." if footage.ended_early else ""
    return BadInput(
        f"The video is too short: {len(footage.times_s)} frames, {length_s:.1f} s; "
        f"{MIN_VIDEO_S:.0f} s are needed.{damaged}",
        remedy="Send three seconds or more of one person who speaks; ten to thirty are better.",
        code="too_short",
    )
