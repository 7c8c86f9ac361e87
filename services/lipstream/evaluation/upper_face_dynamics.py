"""FDD: does the upper face move as much as the recorded one, whenever it moves.

Xing et al., CodeTalker (CVPR 2023), as coded: the standard deviation over time of each vertex'
squared displacement from the face at rest, mean over the upper face; FDD is that of the recording
minus that of the prediction, mean over clips. It is signed: positive means too still. Clips of
opposite signs cancel, so the mean of the absolute values is given beside it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.face.motion import Floats

__all__ = ["upper_face_dynamics"]


def upper_face_dynamics(
    vertices: Floats,  # [T, V, 3]
    rest: Floats,  # [V, 3]
    upper_face: NDArray[np.int64],  # [m]
) -> float:
    """How much an upper face varies, in the square of the coordinates' unit."""
    displacement = vertices[:, upper_face].astype(np.float64) - rest[upper_face]
    return float((displacement**2).sum(axis=2).std(axis=0).mean())
