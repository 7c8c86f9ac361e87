"""Slight head motion: slow band-limited sway at all times, and a rise with the voice's stress.

Heads go back a little as jaws open (P.-O. Eriksson et al., J. Dent. Res. 79, 2000). Of ten GRID
talkers, heads tracked and voices put through `emphasis`, the pitch follows the stress with a
correlation of .36 (median; above .7 in five clips) by 1.05 degrees; the head's height does not.

The sway is a function of time alone, so it neither drifts nor depends on how the audio was cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from lipstream.motion.noise import Doubles, smooth_noises

__all__ = ["head_poses"]

# axis: stream of noise, (frequency in Hz, amplitude in degrees), ...
_PITCH = (300, ((0.13, 1.2), (0.37, 0.7), (0.9, 0.22)))
_YAW = (310, ((0.11, 1.9), (0.31, 1.0), (0.8, 0.25)))
_ROLL = (320, ((0.12, 1.0), (0.33, 0.5), (0.7, 0.15)))
_SIDE = (330, ((0.10, 0.8), (0.27, 0.4)))  # mm
_LIFT = (340, ((0.12, 0.5), (0.29, 0.3)))  # mm
_AXES = (_PITCH, _YAW, _ROLL, _SIDE, _LIFT)
_BREATH_HZ, _BREATH_MM = 0.27, 0.35
_RISE_DEG = 1.0
_RESTING_SHARE = 0.7
"""Amplitude of the sway in silence, against 1 in speech."""

# Waves in one row: the first of all axes, the second of all, the third of those that have three.
_WAVES = [(stream + k, *waves[k]) for k in range(3) for stream, waves in _AXES if k < len(waves)]
_STREAMS = [stream for stream, _, _ in _WAVES]
_HZ, _SIZE = np.array([wave for _, *wave in _WAVES]).T
_FIRST, _SECOND, _THIRD = slice(0, 5), slice(5, 10), slice(10, 13)
_TURNS = slice(0, 3)


def head_poses(
    seeds: Sequence[int],  # [T]
    time_s: Doubles,  # [T]
    *,
    emphasis: Doubles,  # [T]
    activity: Doubles,  # [T]
    amount: Doubles,  # [T]
) -> Doubles:  # [T, 5]
    """The head in frames of one session or of several: pitch, yaw and roll in radians, then how far
    it is to the left and up in millimetres, as in `Motion`.

    Args:
        seeds: of each frame's session.
        emphasis: stress of the voice, 0..1; the face rises with it.
        activity: 0 silent to 1 speaking.
        amount: of all motion, 1 as people move, 0 for none.
    """
    waves = _SIZE * smooth_noises(seeds, _STREAMS, time_s[:, None] * _HZ)  # [T, 13]
    sway = waves[:, _FIRST] + waves[:, _SECOND]
    sway[:, _TURNS] += waves[:, _THIRD]
    sway *= (_RESTING_SHARE + (1 - _RESTING_SHARE) * activity)[:, None]
    turns = 2 * math.pi * _BREATH_HZ * time_s
    sway[:, 4] += np.array([_BREATH_MM * math.sin(turn) for turn in turns.tolist()])
    sway[:, 0] += _RISE_DEG * emphasis
    sway[:, _TURNS] = np.radians(sway[:, _TURNS])
    return np.asarray(amount[:, None] * sway)
