"""Where the voice stresses: loudness above its running mean, smoothed to what a head can follow."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["EmphasisState", "advance_emphasis"]

_FAST_S, _SLOW_S, _HEAD_S = 0.08, 1.2, 0.12
_SCALE = 6.0
_QUIET = 0.35
"""Loudness under which the running mean does not fall, so that a breath is no stress."""


@dataclass(frozen=True, slots=True)
class EmphasisState:
    fast: float = 0.0
    slow: float = _QUIET
    smooth: float = 0.0
    value: float = 0.0
    """0 none to 1 strong"""
    activity: float = 0.0
    """0 silent to 1 speaking, over about a second"""


def advance_emphasis(
    state: EmphasisState, loudness: float, speaking: bool, step_s: float
) -> EmphasisState:
    """The emphasis one frame later; every filter is a first-order low pass."""
    heard = loudness if speaking else 0.0
    fast = _towards(state.fast, heard, step_s, _FAST_S)
    slow = max(_towards(state.slow, heard, step_s, _SLOW_S), _QUIET)
    stress = min(max(_SCALE * (fast - slow), 0.0), 1.0)
    smooth = _towards(state.smooth, stress, step_s, _HEAD_S)
    value = _towards(state.value, smooth, step_s, _HEAD_S)
    activity = _towards(state.activity, float(speaking), step_s, 0.6)
    return EmphasisState(fast, slow, smooth, value, activity)


def _towards(value: float, target: float, step_s: float, time_s: float) -> float:
    return value + (1 - math.exp(-step_s / time_s)) * (target - value)
