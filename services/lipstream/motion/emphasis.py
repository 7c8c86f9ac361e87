"""Where the voice stresses: loudness above its running mean, smoothed to what a head can follow."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["QUIET", "EmphasisState", "advance_emphasis"]

QUIET = 0.35
"""Loudness under which the running mean does not fall, so that a breath is no stress."""

_FAST_S, _SLOW_S, _HEAD_S, _ACTIVITY_S = 0.08, 1.2, 0.12, 0.6
_SCALE = 6.0


class EmphasisState(NamedTuple):
    fast: float
    slow: float
    smooth: float
    value: float
    """0 none to 1 strong"""
    activity: float
    """0 silent to 1 speaking, over about a second"""


def advance_emphasis(
    state: EmphasisState,
    loudness: float,
    speaking: float,
    step_s: float,
) -> EmphasisState:
    """The emphasis one frame later; every filter is a first-order low pass.

    Args:
        speaking: 1 or 0.
    """
    heard = loudness * speaking
    fast = _towards(state.fast, heard, step_s, _FAST_S)
    slow = max(_towards(state.slow, heard, step_s, _SLOW_S), QUIET)
    stress = min(max(_SCALE * (fast - slow), 0.0), 1.0)
    smooth = _towards(state.smooth, stress, step_s, _HEAD_S)
    value = _towards(state.value, smooth, step_s, _HEAD_S)
    activity = _towards(state.activity, speaking, step_s, _ACTIVITY_S)
    return EmphasisState(fast, slow, smooth, value, activity)


def _towards(value: float, target: float, step_s: float, time_s: float) -> float:
    return value + (1 - math.exp(-step_s / time_s)) * (target - value)
