"""Slight head motion: slow band-limited sway at all times, and a nod with the voice's stress.

The sway is a function of time alone, so it neither drifts nor depends on how the audio was cut.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from lipstream.motion.noise import smooth_noise

__all__ = ["HeadPose", "head_pose"]

# axis: stream of noise, (frequency in Hz, amplitude in degrees), ...
_PITCH = (300, ((0.13, 1.2), (0.37, 0.7), (0.9, 0.22)))
_YAW = (310, ((0.11, 1.9), (0.31, 1.0), (0.8, 0.25)))
_ROLL = (320, ((0.12, 1.0), (0.33, 0.5), (0.7, 0.15)))
_SIDE = (330, ((0.10, 0.8), (0.27, 0.4)))  # mm
_LIFT = (340, ((0.12, 0.5), (0.29, 0.3)))  # mm
_AXES = (_PITCH, _YAW, _ROLL, _SIDE, _LIFT)
_BREATH_HZ, _BREATH_MM = 0.27, 0.35
_NOD_DEG, _NOD_MM = 1.6, 0.8
_RESTING_SHARE = 0.7
"""Amplitude of the sway in silence, against 1 in speech."""


class HeadPose(NamedTuple):
    pitch: float
    """radians, as in `Motion.rotation`"""
    yaw: float
    roll: float
    side: float
    """mm, as in `Motion.translation`"""
    lift: float


def head_pose(
    seed: int, time_s: float, *, emphasis: float, activity: float, amount: float
) -> HeadPose:
    """The head at a time.

    Args:
        emphasis: stress of the voice, 0..1; the head dips with it.
        activity: 0 silent to 1 speaking.
        amount: of all motion, 1 as people move, 0 for none.
    """
    share = _RESTING_SHARE + (1 - _RESTING_SHARE) * activity
    pitch, yaw, roll, side, lift = (
        share
        * sum(
            size * smooth_noise(seed, stream + k, time_s * hz) for k, (hz, size) in enumerate(waves)
        )
        for stream, waves in _AXES
    )
    breath_mm = _BREATH_MM * math.sin(2 * math.pi * _BREATH_HZ * time_s)
    return HeadPose(
        pitch=amount * math.radians(pitch - _NOD_DEG * emphasis),
        yaw=amount * math.radians(yaw),
        roll=amount * math.radians(roll),
        side=amount * side,
        lift=amount * (lift + breath_mm - _NOD_MM * emphasis),
    )
