"""The audio of one frame for StreamingTalker: the features around it, as far as it may hear.

One set of weights serves every look-ahead: what must not be heard yet is zero, and four flags tell
the network how far it hears, so that it can tell silence from the unknown.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipstream.face.motion import Floats

__all__ = [
    "AUDIO_WIDTH",
    "FEATURES_PER_FRAME",
    "FEATURE_WIDTH",
    "FUTURE_ROWS",
    "LOOK_AHEADS_MS",
    "PAST_ROWS",
    "audio_width",
    "consecutive_audio",
    "frame_audio",
]

LOOK_AHEADS_MS: tuple[int, ...] = (40, 80, 120, 160)
"""The first is the frame's own 40 ms; each further one is a frame of delay more."""
FEATURES_PER_FRAME = 2
FEATURE_WIDTH = 128
"""Of the preset; training takes that of the encoder at hand."""
PAST_ROWS = 4
"""Features before the frame's own pair."""
FUTURE_ROWS = FEATURES_PER_FRAME * len(LOOK_AHEADS_MS)
"""Features from the frame's own pair on."""


def audio_width(feature_count: int) -> int:
    """A, the numbers of audio in a frame, of features `# [T, feature_count]`."""
    return (PAST_ROWS + FUTURE_ROWS) * feature_count + len(LOOK_AHEADS_MS)


AUDIO_WIDTH = audio_width(FEATURE_WIDTH)


def frame_audio(
    features: Floats,  # [R, D]
    firsts: NDArray[np.intp],  # [T]
    delay: int,
) -> Floats:  # [T, A]
    """Audio of frames.

    Args:
        firsts: row of each frame with which what it hears begins, `PAST_ROWS` before its own pair.
        delay: frames of the future that are heard, 0..3.
    """
    heard = PAST_ROWS + FEATURES_PER_FRAME * (delay + 1)
    audio = np.zeros((len(firsts), audio_width(features.shape[1])), np.float32)
    rows = features[firsts[:, None] + np.arange(heard)].reshape(
        len(firsts), heard * features.shape[1]
    )
    audio[:, : rows.shape[1]] = rows
    audio[:, delay - len(LOOK_AHEADS_MS)] = 1
    return audio


def consecutive_audio(features: Floats, frames: int, delay: int) -> Floats:  # [frames, A]
    """Audio of the frames whose own pairs begin at rows `PAST_ROWS, PAST_ROWS + 2, ...`.

    Args:
        features: `# [PAST_ROWS + 2 (frames + delay), D]` or more
        delay: frames of the future that are heard, 0..3.
    """
    return frame_audio(features, FEATURES_PER_FRAME * np.arange(frames), delay)
