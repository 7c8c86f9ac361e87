"""Gaze: fixations of a second or so on the viewer, with small saccades between them.

The eyes also counter the head's rotation, as the vestibulo-ocular reflex does: a face that sways
keeps looking at its viewer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lipstream.motion.noise import lognormal, normal, uniform

__all__ = ["GazeState", "advance_gaze", "eyes_in_head"]

_INTERVALS, _YAW, _PITCH, _KIND = range(200, 204)  # streams of noise
_MEDIAN_FIXATION_S = 1.1
_SPREAD = 0.6
_SMALL_RAD = math.radians(0.7)
_LARGE_RAD = math.radians(2.2)
_LARGE_SHARE = 0.15
_FARTHEST_RAD = math.radians(5.0)
_SACCADE_S = 0.045
"""Time constant with which the eye reaches its target: two frames or so."""
_COUNTER_ROTATION = 0.9


@dataclass(frozen=True, slots=True)
class GazeState:
    wait_s: float = 0.8
    index: int = 0
    yaw: float = 0.0
    """radians, relative to the direction of the viewer"""
    pitch: float = 0.0


def advance_gaze(state: GazeState, seed: int, step_s: float) -> GazeState:
    """The eyes one frame later, for a head that does not move; see `eyes_in_head`."""
    wait_s, index = state.wait_s - step_s, state.index
    if wait_s <= 0:
        index += 1
        wait_s = lognormal(seed, _INTERVALS, index, median=_MEDIAN_FIXATION_S, spread=_SPREAD)
        wait_s = min(max(wait_s, 0.2), 5.0)
    yaw, pitch = _target(seed, index)
    reach = 1 - math.exp(-step_s / _SACCADE_S)
    return GazeState(
        wait_s,
        index,
        state.yaw + reach * (yaw - state.yaw),
        state.pitch + reach * (pitch - state.pitch),
    )


def eyes_in_head(state: GazeState, head_pitch: float, head_yaw: float) -> tuple[float, float]:
    """Yaw and pitch of the eyes in a turned head; radians."""
    yaw = state.yaw - _COUNTER_ROTATION * head_yaw
    pitch = state.pitch - _COUNTER_ROTATION * head_pitch
    return yaw, pitch


def _target(seed: int, index: int) -> tuple[float, float]:
    if index == 0:
        return 0.0, 0.0
    large = uniform(seed, _KIND, index) < _LARGE_SHARE
    size = _LARGE_RAD if large else _SMALL_RAD
    yaw = size * normal(seed, _YAW, index)
    pitch = 0.6 * size * normal(seed, _PITCH, index)
    return _bounded(yaw), _bounded(pitch)


def _bounded(angle: float) -> float:
    return min(max(angle, -_FARTHEST_RAD), _FARTHEST_RAD)
