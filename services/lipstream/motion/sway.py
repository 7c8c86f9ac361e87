"""Slight head motion: slow band-limited sway at all times, and a nod with the voice's stress.

The sway is a function of time alone, so it neither drifts nor depends on how the audio was cut.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lipstream.motion.noise import Doubles, smooth_noise

__all__ = ["HeadPose", "head_pose"]

# axis: stream of noise, (frequency in Hz, amplitude in degrees), ...
_PITCH = (300, ((0.13, 1.2), (0.37, 0.7), (0.9, 0.22)))
_YAW = (310, ((0.11, 1.9), (0.31, 1.0), (0.8, 0.25)))
_ROLL = (320, ((0.12, 1.0), (0.33, 0.5), (0.7, 0.15)))
_SIDE = (330, ((0.10, 0.8), (0.27, 0.4)))  # mm
_LIFT = (340, ((0.12, 0.5), (0.29, 0.3)))  # mm
_AXES = (_PITCH, _YAW, _ROLL, _SIDE, _LIFT)
_STREAMS = np.array([first + k for first, waves in _AXES for k in range(len(waves))])
_HZ = np.array([hz for _, waves in _AXES for hz, _ in waves])
_SIZES = np.array([size for _, waves in _AXES for _, size in waves])
_STARTS = np.cumsum([0, *(len(waves) for _, waves in _AXES)])[:-1]
_BREATH_HZ, _BREATH_MM = 0.27, 0.35
_NOD_DEG, _NOD_MM = 1.6, 0.8
_RESTING_SHARE = 0.7
"""Amplitude of the sway in silence, against 1 in speech."""


class HeadPose(NamedTuple):
    """Of sessions, all `# [B]`."""

    pitch: Doubles
    """radians, as in `Motion.rotation`"""
    yaw: Doubles
    roll: Doubles
    side: Doubles
    """mm, as in `Motion.translation`"""
    lift: Doubles


def head_pose(
    seeds: NDArray[np.int64],  # [B]
    time_s: Doubles,  # [B]
    *,
    emphasis: Doubles,  # [B]
    activity: Doubles,  # [B]
    amount: Doubles,  # [B]
) -> HeadPose:
    """Heads, each at its own time.

    Args:
        emphasis: stress of the voice, 0..1; the head dips with it.
        activity: 0 silent to 1 speaking.
        amount: of all motion, 1 as people move, 0 for none.
    """
    waves = _SIZES * smooth_noise(seeds[:, None], _STREAMS, time_s[:, None] * _HZ)
    share = _RESTING_SHARE + (1 - _RESTING_SHARE) * activity
    pitch, yaw, roll, side, lift = share * np.add.reduceat(waves, _STARTS, axis=1).T
    breath_mm = _BREATH_MM * np.sin(2 * np.pi * _BREATH_HZ * time_s)
    return HeadPose(
        pitch=amount * np.radians(pitch - _NOD_DEG * emphasis),
        yaw=amount * np.radians(yaw),
        roll=amount * np.radians(roll),
        side=amount * side,
        lift=amount * (lift + breath_mm - _NOD_MM * emphasis),
    )
