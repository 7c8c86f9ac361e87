"""Motion at another frame rate: a prediction is brought to the recording's frames, not the other
way round, so that a recording is compared as it was made."""

from __future__ import annotations

import numpy as np

from lipstream.errors import BadInput
from lipstream.face.motion import Floats, Motion

__all__ = ["blendshapes_at"]


def blendshapes_at(motion: Motion, frames: int, fps: float) -> Floats:  # [frames, 52]
    """Weights at `i / fps` seconds, linear between frames; the last one stays beyond the end.

    Raises:
        BadInput: the motion has no frames.
    """
    if not len(motion):
        raise BadInput("Motion without frames cannot be compared.")
    if motion.fps == fps and len(motion) == frames:
        return motion.blendshapes
    place = np.clip(np.arange(frames) * (motion.fps / fps), 0, len(motion) - 1)
    below = place.astype(np.int64)
    above = np.minimum(below + 1, len(motion) - 1)
    share = (place - below).astype(np.float32)[:, None]
    weights = motion.blendshapes
    return np.asarray(weights[below] * (1 - share) + weights[above] * share, np.float32)
