"""Solving the Gaussians' colours so that the render gives back the photo.

The render is linear in the colours, so simultaneous iterative reconstruction (SIRT, Gilbert
1972) needs nothing but the renderer and its adjoint. Colours stay near what was sampled from the
photo: a closer match on this one picture falls apart when the face moves.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lipstream.avatar.canvas import CANVAS_PX
from lipstream.avatar.compose import Composition, taken_back_at_rest, with_colors
from lipstream.face.drive import color_weights, photo_weights
from lipstream.face.model import AvatarModel
from lipstream.render import ColorMap, Pose

__all__ = ["solve_colors"]

_ITERATIONS = 30
_RELAXATION = 1.6
_LEAST_WEIGHT = 0.25
"""Pixels' worth of weight under which a Gaussian's step is held back."""


def solve_colors(
    composition: Composition,
    photo: NDArray[np.float64],
    progress: Callable[[float], None] | None = None,
) -> AvatarModel:
    """The model with colours that reproduce the photo at its own expression.

    Args:
        photo: `# [512, 512, 3]` 0..1.
    """
    model = composition.model
    weights = photo_weights(model)
    pose = Pose(weights, color_weights=np.zeros(len(model.color_shapes.names), np.float32))
    tint = _tint(model, weights)
    color_map = ColorMap(model, pose, CANVAS_PX)
    target = photo.astype(np.float32)
    start = model.gaussians.colors
    room = composition.latitude[:, None]
    low, high = np.maximum(start - room, 0), np.minimum(start + room, 1)

    weight = color_map.gather(np.zeros_like(target)).weight
    seen = np.clip((weight - 0.02) / 0.33, 0, 1)
    step = _RELAXATION * seen * seen * (3 - 2 * seen) / np.maximum(weight, _LEAST_WEIGHT)
    colors = start
    for k in range(_ITERATIONS):
        residual = target - color_map.render(colors + tint)
        colors = np.clip(
            colors + step[:, None] * color_map.gather(residual).residual, low, high
        ).astype(np.float32)
        if progress is not None:
            progress((k + 1) / _ITERATIONS)
    borrowed = composition.photo_only[:, None] * (colors - start)
    return taken_back_at_rest(with_colors(model, colors), borrowed)


def _tint(model: AvatarModel, weights: NDArray[np.float32]) -> NDArray[np.float32]:  # [N, 3]
    """What the colour shapes add in the photo's own expression."""
    shapes = model.surface.shapes
    vertices = model.surface.vertices.copy()
    entry_vertex = np.repeat(np.arange(len(vertices)), np.diff(shapes.offsets))
    np.add.at(vertices, entry_vertex, weights[shapes.ids, None] * shapes.vectors)
    tint = np.zeros_like(model.gaussians.colors)
    colors = model.color_shapes
    for j, weight in enumerate(color_weights(model, weights, vertices)):
        entries = slice(colors.offsets[j], colors.offsets[j + 1])
        tint[colors.ids[entries]] += weight * colors.vectors[entries]
    return tint
