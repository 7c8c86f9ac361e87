"""What the mouth does in frames for which the network gave nothing, and what it is given."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.face.motion import Floats

__all__ = ["clean_features", "held"]

_RELEASE = 0.9
"""Of the last mouth, what is left a frame later: one missing frame is not seen, and a network that
has nothing more to say leaves the mouth at rest half a second later."""
_LARGEST_FEATURE = 1e4
"""Far beyond what any encoder gives."""


def held(
    controls: Floats,  # [T, 10]
    good: NDArray[np.bool_],  # [T]
    last: Floats,  # [10] of the frame before these
) -> Floats:  # [T, 10]
    """Controls in which the frames that are not good go on from the one before."""
    if good.all():
        return controls
    filled = controls.copy()
    for k in np.flatnonzero(~good):
        filled[k] = _RELEASE * (filled[k - 1] if k else last)
    return filled


def clean_features(features: Floats) -> Floats:
    """Features `# [T, D]` that are numbers of a possible size; others count as nothing heard."""
    numbers = features.astype(np.float32)
    # Two looks tell what is nearly always so; they are far cheaper than the work.
    if numbers.size and max(numbers.max(), -numbers.min()) <= _LARGEST_FEATURE:
        return numbers
    numbers = np.nan_to_num(numbers, nan=0.0, posinf=0.0, neginf=0.0)
    return np.clip(numbers, -_LARGEST_FEATURE, _LARGEST_FEATURE)
