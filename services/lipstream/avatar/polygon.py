"""Filled polygons as masks."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX

__all__ = ["polygon_mask"]

_FRACTION_BITS = 4


def polygon_mask(points_px: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The canvas's pixels inside a closed polygon `# [P, 2]`."""
    mask = np.zeros((CANVAS_PX, CANVAS_PX), np.uint8)
    fixed = np.round((points_px - 0.5) * 2**_FRACTION_BITS).astype(np.int32)
    cv2.fillPoly(mask, [fixed], (1.0,), shift=_FRACTION_BITS)
    return mask > 0
