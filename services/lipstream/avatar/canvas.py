"""The square that an avatar keeps of a photo."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lipstream.face.landmarks import MESH_COUNT

__all__ = ["CANVAS_PX", "Canvas", "crop_head"]

CANVAS_PX = 512
_FACE_HEIGHTS = 2.3
"""Side of the square, in heights of the face: room for hair, neck and shoulders."""


@dataclass(frozen=True, slots=True)
class Canvas:
    """A square crop around the head."""

    pixels: NDArray[np.uint8]  # [512, 512, 3] sRGB
    scale: float  # canvas pixels per photo pixel


def crop_head(pixels: NDArray[np.uint8], landmarks_px: NDArray[np.float64]) -> Canvas:
    """Cut the head out of a photo and bring it to the canvas's size."""
    height, width = pixels.shape[:2]
    mesh = landmarks_px[:MESH_COUNT, :2]
    centre = (mesh.min(0) + mesh.max(0)) / 2
    side = min(round(_FACE_HEIGHTS * float(np.ptp(mesh[:, 1]))), height, width)
    left = int(np.clip(round(centre[0] - side / 2), 0, width - side))
    top = int(np.clip(round(centre[1] - side / 2), 0, height - side))
    method = cv2.INTER_LANCZOS4 if side < CANVAS_PX else cv2.INTER_AREA
    crop = pixels[top : top + side, left : left + side]
    square = cv2.resize(crop, (CANVAS_PX, CANVAS_PX), interpolation=method)
    return Canvas(np.ascontiguousarray(square), CANVAS_PX / side)
