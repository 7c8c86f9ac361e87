"""From 50 features a second to frames of motion, by time."""

from __future__ import annotations

import numpy as np

from lipstream.audio.encoder import FEATURE_RATE_HZ, Features
from lipstream.errors import BadInput

__all__ = ["at_frame_rate"]


def at_frame_rate(
    features: Features,  # [T50, D]
    fps: float,
    frames: int,
    *,
    row_centre_ms: float = 10.0,
) -> Features:  # [frames, D]
    """The features at the middle of each frame, linearly between the rows about it.

    Frame `k` lasts from `k / fps` to `(k + 1) / fps`; row `j` is about `20 j + row_centre_ms` in
    milliseconds. Before the first row and after the last, these are held.

    Args:
        row_centre_ms: `FeatureExtractor.row_centre_ms`.

    Raises:
        BadInput: there are no features, or the rate is none.
    """
    if features.ndim != 2 or not len(features):
        raise BadInput(f"Features have shape {features.shape}; (rows, D) was expected.")
    if not 1 <= fps <= 1_000 or frames < 0:
        raise BadInput(f"{frames} frames at {fps:g} fps cannot be computed.")
    middle_s = (np.arange(frames) + 0.5) / fps
    place = (middle_s - row_centre_ms / 1000) * FEATURE_RATE_HZ
    place = np.clip(place, 0, len(features) - 1)
    below = np.minimum(place.astype(np.int64), max(len(features) - 2, 0))
    above = np.minimum(below + 1, len(features) - 1)
    share = (place - below).astype(np.float32)[:, None]
    return np.asarray(features[below] * (1 - share) + features[above] * share, np.float32)
