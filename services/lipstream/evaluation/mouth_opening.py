"""MOD: how far off the opening of the mouth is.

StreamingTalker's, as coded: distances between five points of the upper lip and the five of the
lower lip under them; absolute difference of prediction and recording, mean over pairs and frames.
"""

from __future__ import annotations

import numpy as np

from lipstream.evaluation.vertex_set import VertexSet
from lipstream.face.motion import Floats

__all__ = ["mouth_openings", "opening_differences"]


def mouth_openings(vertices: Floats, vertex_set: VertexSet) -> Floats:  # [T, V, 3] -> [T, P]
    """Distance across the mouth at each pair, in the unit of the coordinates.

    Raises:
        ValueError: the set has no pairs.
    """
    if vertex_set.upper_lip is None or vertex_set.lower_lip is None:
        raise ValueError("The mesh has no known pairs of lip vertices.")
    across = vertices[:, vertex_set.upper_lip] - vertices[:, vertex_set.lower_lip]
    return np.asarray(np.linalg.norm(across, axis=2), np.float32)


def opening_differences(predicted: Floats, recorded: Floats) -> Floats:  # [T, P] each -> [T]
    """Absolute difference of each frame, mean over the pairs. MOD is the mean over all frames."""
    return np.asarray(np.abs(predicted - recorded).mean(axis=1), np.float32)
