"""Glasses stay rigid: what brows and lids do ends at their frame.

A photo's frame is painted on the skin, which would bend it with every raised brow. Glasses are
known by their bridge: bare skin between the eyes has no edges across the nose.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.filling import sample
from lipstream.avatar.polygon import polygon_mask
from lipstream.avatar.regions import Mask
from lipstream.face.landmarks import BROWS, EYES
from lipstream.face.rig import Rig
from lipstream.face.shape_names import PHOTO_PART, PHOTO_SMILE

__all__ = ["find_glasses", "hold_glasses"]

_BRIDGE_TOP, _BRIDGE_END = 9, 5
_BRIDGE_HALF_WIDTH = 0.03
_BRIDGE_STEPS = 120
_BRIDGE_MIDDLE = slice(20, 95)
"""Of the steps down the nose, those where a bridge can sit."""
_LEAST_EDGE = 3.0
"""Grey levels a step: skin has up to 1.6, a thin frame 6, a dark one 18."""
_LEAST_RIDGE = 8.0
_LASHES_PX = 4
_LIDS_PX = 7
"""Lids move freely this far around an eye's opening, whatever reflections lie there."""
_SOFT_PX = 4.0
_HELD = ("brow", "eye", "cheekSquint", "noseSneer")


def hold_glasses(rig: Rig, pixels: NDArray[np.uint8], landmarks_px: NDArray[np.float64]) -> Rig:
    """The rig with brows, lids and cheeks that leave the frame of glasses alone, if there is one.

    Args:
        pixels: `# [512, 512, 3]`.
        landmarks_px: `# [478, 3]`.
    """
    frame = find_glasses(pixels, landmarks_px)
    if not frame.any():
        return rig
    skin = rig.skin
    photo = skin.vertices + skin.shapes[PHOTO_SMILE] + skin.shapes[PHOTO_PART]
    held = ndi.binary_dilation(frame, iterations=3) & ~_lids(landmarks_px[:, :2], _LIDS_PX)
    lids = ndi.gaussian_filter(_lids(landmarks_px[:, :2], _LIDS_PX).astype(float), 2.0)
    near = ndi.gaussian_filter(held.astype(float), _SOFT_PX) * (1 - lids)
    free = 1 - np.clip(1.6 * sample(near, rig.frame.project(photo, CANVAS_PX)), 0, 1)
    shapes = {
        name: field * free[:, None] if name.startswith(_HELD) else field
        for name, field in skin.shapes.items()
    }
    return replace(rig, parts=(replace(skin, shapes=shapes), *rig.parts[1:]))


def find_glasses(pixels: NDArray[np.uint8], landmarks_px: NDArray[np.float64]) -> Mask:
    """The frame's pixels; none where no glasses are worn."""
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    points = landmarks_px[:, :2]
    across = points[EYES["Left"].iris[0]] - points[EYES["Right"].iris[0]]
    if _bridge_edge(grey, points, across) < _LEAST_EDGE:
        return np.zeros(grey.shape, bool)
    size = 2 * int(0.10 * np.linalg.norm(across)) + 1
    ridge = np.abs(grey.astype(float) - cv2.medianBlur(grey, size)) > _LEAST_RIDGE
    ridge &= ~_lids(points, _LASHES_PX) & _around_eyes(points, across)
    pieces, _ = ndi.label(ndi.binary_closing(ridge, iterations=2), np.ones((3, 3)))
    middle = polygon_mask(_strip(points, across, 3 * _BRIDGE_HALF_WIDTH))
    bridges = np.setdiff1d(pieces[middle], [0])
    return np.asarray(np.isin(pieces, bridges))


def _lids(points: NDArray[np.float64], margin_px: int) -> Mask:
    """The openings of the eyes with a margin."""
    eyes = np.any([polygon_mask(points[list(eye.edge)]) for eye in EYES.values()], axis=0)
    return np.asarray(ndi.binary_dilation(eyes, iterations=margin_px))


def _bridge_edge(
    grey: NDArray[np.uint8], points: NDArray[np.float64], across: NDArray[np.float64]
) -> float:
    """The sharpest edge met on the way down between the eyes, grey levels a step."""
    down = points[_BRIDGE_END] - points[_BRIDGE_TOP]
    steps = np.linspace(0, 1, _BRIDGE_STEPS)[:, None, None]
    sideways = np.linspace(-_BRIDGE_HALF_WIDTH, _BRIDGE_HALF_WIDTH, 7)[None, :, None]
    path = points[_BRIDGE_TOP] + steps * down + sideways * across
    levels = sample(grey, path.reshape(-1, 2)).reshape(_BRIDGE_STEPS, -1).mean(1)
    smooth = ndi.gaussian_filter1d(levels, 1.5)
    return float(np.abs(np.diff(smooth))[_BRIDGE_MIDDLE].max())


def _strip(
    points: NDArray[np.float64], across: NDArray[np.float64], half_width: float
) -> NDArray[np.float64]:  # [4, 2]
    top, end = points[_BRIDGE_TOP], points[_BRIDGE_END]
    side = half_width * across
    return np.stack([top - side, top + side, end + side, end - side])


def _around_eyes(points: NDArray[np.float64], across: NDArray[np.float64]) -> Mask:
    """From the brows to the cheeks: where glasses can be."""
    brows = points[[i for brow in BROWS.values() for i in brow.points]]
    eyes = points[[i for eye in EYES.values() for i in eye.points]]
    reach = float(np.linalg.norm(across))
    low, high = brows.min(0) - 0.15 * reach, eyes.max(0) + np.array([0.30, 0.45]) * reach
    rows, columns = np.mgrid[:CANVAS_PX, :CANVAS_PX]
    inside = (rows > low[1]) & (rows < high[1])
    return np.asarray(inside & (columns > low[0]) & (columns < high[0]))
