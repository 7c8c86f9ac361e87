"""Gaze: fixations of a second or so on the viewer, with small saccades between them.

The eyes also counter the head's rotation, as the vestibulo-ocular reflex does: a face that sways
keeps looking at its viewer.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from lipstream.motion.noise import Doubles, lognormal, normal, uniform

__all__ = ["GazeState", "advance_gaze", "eyes_in_head"]

_INTERVALS, _YAW, _PITCH, _KIND = 200, 201, 202, 203  # streams of noise
_MEDIAN_FIXATION_S = 1.1
_SPREAD = 0.6
_SHORTEST_S, _LONGEST_S = 0.2, 5.0
_SMALL_RAD = math.radians(0.7)
_LARGE_RAD = math.radians(2.2)
_LARGE_SHARE = 0.15
_PITCH_SHARE = 0.6
_FARTHEST_RAD = math.radians(5.0)
_SACCADE_S = 0.045
"""Time constant with which the eye reaches its target: two frames or so."""
_COUNTER_ROTATION = 0.9


class GazeState(NamedTuple):
    wait_s: float
    number: float
    yaw: float
    """radians, relative to the direction of the viewer"""
    pitch: float


def advance_gaze(state: GazeState, seed: int, step_s: float) -> GazeState:
    """The eyes one frame later, for a head that does not move; see `eyes_in_head`."""
    wait_s, number = state.wait_s - step_s, state.number
    if wait_s <= 0:
        number += 1
        fixation_s = lognormal(
            seed, _INTERVALS, int(number), median=_MEDIAN_FIXATION_S, spread=_SPREAD
        )
        wait_s = min(max(fixation_s, _SHORTEST_S), _LONGEST_S)
    yaw, pitch = _target(seed, int(number))
    reach = 1 - math.exp(-step_s / _SACCADE_S)
    return GazeState(
        wait_s,
        number,
        state.yaw + reach * (yaw - state.yaw),
        state.pitch + reach * (pitch - state.pitch),
    )


def eyes_in_head(looking: Doubles, head: Doubles) -> Doubles:
    """Angle of the eyes in a turned head; radians.

    Args:
        looking: angle relative to the direction of the viewer.
        head: angle of the head about the same axis.
    """
    return looking - _COUNTER_ROTATION * head


def _target(seed: int, number: int) -> tuple[float, float]:
    if number == 0:  # the first fixation is on the viewer
        return 0.0, 0.0
    size = _LARGE_RAD if uniform(seed, _KIND, number) < _LARGE_SHARE else _SMALL_RAD
    across, along = normal(seed, _YAW, number), normal(seed, _PITCH, number)
    return _bounded(size * across), _bounded(_PITCH_SHARE * size * along)


def _bounded(angle: float) -> float:
    return min(max(angle, -_FARTHEST_RAD), _FARTHEST_RAD)
