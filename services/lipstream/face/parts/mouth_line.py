"""The line where the lips meet, to which everything inside the mouth is fitted."""

from __future__ import annotations

import numpy as np

from lipstream.face.landmarks import INNER_LIP_CORNERS
from lipstream.face.parts.part import Array, Part
from lipstream.face.topology import boundary_loop

__all__ = ["around_mouth", "mouth_loop"]

_UPPER_LIP_MIDDLE = 13


def mouth_loop(skin: Part) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The line where the lips meet, from the person's right corner around."""
    loop = boundary_loop(skin.triangles, _UPPER_LIP_MIDDLE)
    return np.roll(loop, -int(np.flatnonzero(loop == INNER_LIP_CORNERS[0])[0]))


def around_mouth(loop: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[Array, Array]:
    """For each point of the loop: 0 at a corner to 1 mid-lip; 1 on the lower lip."""
    left = int(np.flatnonzero(loop == INNER_LIP_CORNERS[1])[0])
    upper_first = int(np.flatnonzero(loop == _UPPER_LIP_MIDDLE)[0]) < left
    place = np.arange(len(loop))
    first = place <= left
    share = np.where(first, place / left, (place - left) / (len(loop) - left))
    return np.sin(np.pi * share), np.where(first == upper_first, 0.0, 1.0)
