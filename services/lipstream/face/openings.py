"""How far mouth and eyes are open, and how wide the mouth is, from landmarks.

The same measure serves landmarks that were found in pictures and those that a rig was told to
show, so that the two can be held against each other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.face.landmarks import EYES, LOWER_LIP, UPPER_LIP, Ring

__all__ = ["MIDDLE", "eye_openings", "lip_gaps", "mouth_widths"]

Doubles = NDArray[np.float64]

MIDDLE = slice(4, 7)
"""Of the eleven points from corner to corner of a lip."""
_CORNERS = [UPPER_LIP[Ring.BORDER][0], UPPER_LIP[Ring.BORDER][-1]]
_LID = slice(2, 7)
"""Of the nine points from corner to corner of a lid."""


def lip_gaps(points: Doubles) -> Doubles:  # [T, 468+, 2] -> [T]
    """Height between the inner edges of the lips, mean of three pairs, in the points' unit.

    Args:
        points: upright, y down; see `lipstream.face.steady`.
    """
    upper = points[:, list(UPPER_LIP[Ring.INNER][MIDDLE]), 1]
    lower = points[:, list(LOWER_LIP[Ring.INNER][MIDDLE]), 1]
    return np.asarray(np.maximum((lower - upper).mean(1), 0))


def mouth_widths(points: Doubles) -> Doubles:  # [T, 468+, 2] -> [T]
    """From corner to corner of the mouth, in the points' unit."""
    right, left = np.moveaxis(points[:, _CORNERS], 1, 0)
    return np.asarray(np.linalg.norm(left - right, axis=1))


def eye_openings(points: Doubles) -> Doubles:  # [T, 468+, 2] -> [T]
    """Distance between the lids, mean of five pairs, of the eye that is open wider."""
    openings = [
        np.linalg.norm(points[:, eye.upper[_LID]] - points[:, eye.lower[_LID]], axis=2).mean(1)
        for eye in EYES.values()
    ]
    return np.asarray(np.max(openings, axis=0))
