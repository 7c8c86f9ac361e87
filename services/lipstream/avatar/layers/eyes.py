"""The eyeballs: the photo where it shows them, completed where lids hide them."""

from __future__ import annotations

import cv2
import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.binding import bind_to_picture
from lipstream.avatar.filling import sample
from lipstream.avatar.layer import Layer
from lipstream.avatar.layers.scene import PhotoScene
from lipstream.avatar.polygon import polygon_mask
from lipstream.face.landmarks import EYES
from lipstream.face.rig import INNER_DEPTH_BIAS_MM

__all__ = ["eye_layer"]

_CELL_PX = 1.25
_LATITUDE = 0.35
_PALE = np.array([0.80, 0.78, 0.76])
_SHADE = 0.92
"""Lids shade the part of the eye that they hide."""


def eye_layer(scene: PhotoScene, side: str) -> Layer:
    """One eye, `Left` or `Right`."""
    part = f"eye_{side.lower()}"
    binding = bind_to_picture(scene.stage, (part,), _CELL_PX)
    picture, visible = _completed(scene, side)
    shown = sample(visible, binding.photo_px)
    return Layer(
        name=part,
        binding=binding,
        colors=sample(picture, binding.photo_px),
        opacities=np.ones(len(binding)),
        latitude=_LATITUDE * shown,
        depth_bias_mm=INNER_DEPTH_BIAS_MM,
    )


def _completed(scene: PhotoScene, side: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The photo with a whole eyeball, and where the photo shows it itself."""
    photo, landmarks, eye = scene.photo, scene.regions.landmarks, EYES[side]
    opening = polygon_mask(landmarks[list(eye.edge), :2])
    visible = np.asarray(ndi.binary_erosion(opening, iterations=2))
    centre = landmarks[eye.iris[0], :2]
    radius = np.linalg.norm(landmarks[list(eye.iris[1:]), :2] - centre, axis=1).mean()
    distance = np.hypot(
        scene.regions.columns + 0.5 - centre[0], scene.regions.rows + 0.5 - centre[1]
    )

    white = visible & (distance > radius * 1.15)
    sclera = np.percentile(photo[white], 70, axis=0) if white.sum() > 5 else _PALE
    hidden = ~visible
    texture = np.where(hidden[..., None], sclera * _SHADE, photo)
    rings = np.array(
        [
            np.median(photo[ring], axis=0) if ring.sum() > 3 else np.full(3, 0.2)
            for ring in (visible & (np.abs(distance - r) < 1.2) for r in np.arange(radius + 2))
        ]
    )
    hidden_iris = hidden & (distance < radius + 1)
    texture[hidden_iris] = rings[distance[hidden_iris].astype(int).clip(0, len(rings) - 1)]
    soft = cv2.GaussianBlur(texture, (0, 0), 0.8)
    return np.where(visible[..., None], photo, soft), visible
