"""Colours of one frame: the Gaussians' own, changed by what the face does."""

from __future__ import annotations

import numpy as np

from lipstream.face.model import Ints
from lipstream.face.motion import Floats
from lipstream.render.splats.jit import kernel

__all__ = ["tint"]


@kernel
def tint(
    colors: Floats,  # [N, 3] sRGB
    offsets: Ints,  # [J + 1]
    ids: Ints,  # [E]
    vectors: Floats,  # [E, 3] sRGB at weight 1
    weights: Floats,  # [J]
    out: Floats,  # [N, 3] sRGB, not clipped
) -> None:
    """Add the weighted colour shapes (`ColorShapes` says how they are stored)."""
    out[:] = colors
    for j in range(weights.shape[0]):
        weight = weights[j]
        if weight == np.float32(0):
            continue
        for e in range(offsets[j], offsets[j + 1]):
            i = ids[e]
            out[i, 0] += weight * vectors[e, 0]
            out[i, 1] += weight * vectors[e, 1]
            out[i, 2] += weight * vectors[e, 2]
