"""The folds that a smile presses into the cheeks, from the nose past the corners of the mouth.

They are dark in the photo's skin, which goes on showing them when the smile is taken off.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.filling import sample
from lipstream.avatar.layers.scene import PhotoScene
from lipstream.face.landmarks import EYES
from lipstream.face.parts import smoothstep

__all__ = ["crease_tint"]

Array = NDArray[np.float64]

_FOLDS = ((203, 206, 216, 212), (423, 426, 436, 432))
"""Landmarks along the fold of each cheek, downwards."""
_LOST = (0.06, 0.20)
"""Share of the photo's mouth width that was the smile's, from which on folds are softened, and
up to which they are left."""
_MOST = 0.9
_BAND = (0.14, 0.28)
"""Distance from the fold, in distances between the eyes, up to which skin is smoothed, and from
which on it is left."""
_WIDEST = 0.20
"""What is dark and no wider, in distances between the eyes, is a fold."""
_SOFT = 0.03


def crease_tint(scene: PhotoScene, points: Array, ring: Array) -> Array:  # [N, 3]
    """What lightens the folds of a smiling photo to the skin beside them.

    Args:
        points: `# [N, 2]` canvas pixels.
        ring: `# [N]` of the lips, which are left alone.
    """
    share = _MOST * float(smoothstep(*_LOST, np.array(1 - scene.rig.face.narrowing)))
    if share == 0:
        return np.zeros((len(points), 3))
    lightened = _lightened(scene)
    off_lips = smoothstep(1.05, 1.3, ring)
    return sample(lightened, points) * (share * off_lips)[:, None]


def _lightened(scene: PhotoScene) -> Array:  # [512, 512, 3]
    """What the folds lack beside the skin on both sides."""
    landmarks = scene.regions.landmarks[:, :2]
    iris = [landmarks[EYES[side].iris[0]] for side in ("Left", "Right")]
    eyes_px = float(np.linalg.norm(iris[0] - iris[1]))
    line = np.full((CANVAS_PX, CANVAS_PX), 255, np.uint8)
    folds = [np.rint(landmarks[list(fold)]).astype(np.int32) for fold in _FOLDS]
    cv2.polylines(line, folds, isClosed=False, color=[0.0])
    distance = cv2.distanceTransform(line, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).astype(float)
    near = 1 - smoothstep(_BAND[0] * eyes_px, _BAND[1] * eyes_px, distance)

    soft_px = _SOFT * eyes_px
    size = 2 * round(_WIDEST * eyes_px / 2) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    shading = cv2.GaussianBlur(scene.photo, (0, 0), soft_px)
    closed = cv2.morphologyEx(shading, cv2.MORPH_CLOSE, disc)
    lack = cv2.GaussianBlur(np.maximum(closed - scene.photo, 0), (0, 0), soft_px / 3)
    return np.asarray(lack * near[..., None])
