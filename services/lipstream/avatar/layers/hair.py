"""Hair, ears and hat, on the relief around the face."""

from __future__ import annotations

import numpy as np
import scipy.ndimage as ndi

from lipstream.avatar.binding import bind_to_picture
from lipstream.avatar.filling import fill_smoothly, sample
from lipstream.avatar.layer import Layer
from lipstream.avatar.layers.scene import PhotoScene
from lipstream.avatar.relief import RELIEF_MARGIN_PX
from lipstream.face.parts import smoothstep

__all__ = ["hair_layer"]

_CELL_PX = 1.6
_LATITUDE = 0.35


def hair_layer(scene: PhotoScene) -> Layer:
    """The relief's Gaussians; at the head's edge they take their colour from inside."""
    head = scene.matte.head
    inside = np.asarray(ndi.distance_transform_edt(np.pad(head, 1, mode="edge")))[1:-1, 1:-1]
    spread = fill_smoothly(scene.photo, ndi.binary_erosion(head, iterations=3, border_value=1))
    own = np.clip(inside / 4, 0, 1)[..., None]
    picture = scene.photo * own + spread * (1 - own)

    binding = bind_to_picture(scene.stage, ("hair",), _CELL_PX, RELIEF_MARGIN_PX)
    binding = binding.only(sample(scene.matte.relief, binding.photo_px) > 0.03)
    depth = sample(inside, binding.photo_px)
    return Layer(
        name="hair",
        binding=binding,
        colors=sample(picture, binding.photo_px),
        opacities=np.clip(sample(scene.matte.relief, binding.photo_px) * 1.02, 0, 1),
        latitude=np.where(depth < 3, 0.0, _LATITUDE - 0.30 * 0.75 * (1 - smoothstep(2, 7, depth))),
    )
