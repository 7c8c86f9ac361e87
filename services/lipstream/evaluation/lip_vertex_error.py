"""LVE: how far the lips are from the recorded ones, at their worst vertex.

Richard et al., MeshTalk (ICCV 2021), as coded for CodeTalker and all after it: the largest
squared distance of a frame's lip vertices, mean over all frames.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.face.motion import Floats

__all__ = ["lip_vertex_errors"]


def lip_vertex_errors(
    predicted: Floats,  # [T, V, 3]
    recorded: Floats,  # [T, V, 3]
    lips: NDArray[np.int64],  # [n]
) -> Floats:  # [T]
    """Largest squared distance of each frame, in the square of the coordinates' unit.

    LVE is the mean over the frames of all clips.
    """
    difference = predicted[:, lips] - recorded[:, lips]
    return np.asarray((difference**2).sum(axis=2).max(axis=1), np.float32)
