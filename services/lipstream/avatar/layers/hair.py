"""Hair, ears and hat, on the relief around the face."""

from __future__ import annotations

import cv2
import numpy as np
import scipy.ndimage as ndi
from numpy.typing import NDArray

from lipstream.avatar.binding import bind_to_picture
from lipstream.avatar.filling import fill_smoothly, mix, sample
from lipstream.avatar.layer import Layer
from lipstream.avatar.layers.scene import PhotoScene
from lipstream.avatar.regions import Mask
from lipstream.avatar.relief import RELIEF_MARGIN_PX
from lipstream.face.parts import smoothstep

__all__ = ["hair_layer"]

Image = NDArray[np.float64]  # [512, 512, 3] 0..1

_CELL_PX = 1.6
_LATITUDE = 0.35
_EDGE_PX = (3.0, 8.0)
"""From the head's edge: what is solved there is for the photo's own view alone."""
_BESIDE_PX = 2.0
"""Nearer to the face lenses and codecs mix its skin in."""


def hair_layer(scene: PhotoScene) -> Layer:
    """The relief's Gaussians; at the head's edge they take their colour from inside."""
    head = scene.matte.head
    inside = np.asarray(ndi.distance_transform_edt(np.pad(head, 1, mode="edge")))[1:-1, 1:-1]
    spread = fill_smoothly(scene.photo, ndi.binary_erosion(head, iterations=3, border_value=1))
    picture = mix(spread, scene.photo, np.clip(inside / 4, 0, 1))
    picture = _gone_on_behind(picture, scene.regions.outline_distance() < _BESIDE_PX)

    binding = bind_to_picture(scene.stage, ("hair",), _CELL_PX, RELIEF_MARGIN_PX)
    binding = binding.only(sample(scene.matte.relief, binding.photo_px) > 0.03)
    depth = sample(inside, binding.photo_px)
    return Layer(
        name="hair",
        binding=binding,
        colors=sample(picture, binding.photo_px),
        opacities=np.clip(sample(scene.matte.relief, binding.photo_px) * 1.02, 0, 1),
        photo_only=1 - smoothstep(*_EDGE_PX, depth),
        latitude=np.where(depth < 3, 0.0, _LATITUDE - 0.30 * 0.75 * (1 - smoothstep(2, 7, depth))),
    )


def _gone_on_behind(picture: Image, face: Mask) -> Image:
    """A picture in which what comes out from behind the face goes on there: a turn shows it."""
    rows, columns = ndi.distance_transform_edt(face, return_distances=False, return_indices=True)
    beside = cv2.GaussianBlur(picture[rows, columns], (0, 0), _BESIDE_PX)
    return mix(picture, beside, face.astype(float))
