"""The underside of the jaw, in the colours of the cheeks and chin above it."""

from __future__ import annotations

import numpy as np

from lipstream.avatar.binding import bind_to_area
from lipstream.avatar.filling import sample
from lipstream.avatar.layer import Layer
from lipstream.avatar.layers.scene import PhotoScene
from lipstream.face.parts import smoothstep

__all__ = ["jaw_layer"]

_NOSE_TIP = 4
_DEPTH_BIAS_MM = 72.0


def jaw_layer(scene: PhotoScene) -> Layer:
    stage = scene.stage
    binding = bind_to_area(stage, "jaw_sheet", 3.0, 0.95)
    sheet = stage.parts["jaw_sheet"].coordinates
    source = stage.photo_px[sheet["source"].astype(int)]
    inset = source * 0.90 + stage.photo_px[_NOSE_TIP] * 0.10
    colors = stage.interpolate(
        "jaw_sheet", sample(scene.photo, inset), binding.triangles, binding.barycentric
    )
    depth = stage.coordinate("jaw_sheet", "depth", binding.triangles, binding.barycentric)
    return Layer(
        name="jaw",
        binding=binding,
        colors=colors * (1 - 0.22 * smoothstep(0, 0.6, depth))[:, None],
        opacities=np.ones(len(binding)),
        latitude=np.zeros(len(binding)),
        depth_bias_mm=_DEPTH_BIAS_MM,
    )
