"""Brows: raised with some of the voice's accents, never with all of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lipstream.motion.noise import smooth_noise, uniform

__all__ = ["BrowState", "advance_brows"]

_CHOICE, _SIZE, _DRIFT = range(400, 403)  # streams of noise
_STRESSED = 0.30
_REFRACTORY_S = 1.6
_SHARE = 0.55
_RAISE_S, _LOWER_S = 0.16, 0.50
_SMALLEST, _LARGEST = 0.12, 0.38
_DRIFT_SIZE = 0.04


@dataclass(frozen=True, slots=True)
class BrowState:
    age_s: float = 10.0
    """Since the last accent that the brows considered."""
    index: int = 0
    raised: float = 0.0
    """0..1, weight of the raising shapes"""


def advance_brows(
    state: BrowState, seed: int, emphasis: float, time_s: float, step_s: float
) -> BrowState:
    """The brows one frame later."""
    age_s, index = min(state.age_s + step_s, 10.0), state.index
    if emphasis > _STRESSED and age_s > _REFRACTORY_S:
        age_s, index = 0.0, index + 1
    raised = _DRIFT_SIZE * (0.5 + 0.5 * smooth_noise(seed, _DRIFT, 0.2 * time_s))
    if index and uniform(seed, _CHOICE, index) < _SHARE:
        size = _SMALLEST + (_LARGEST - _SMALLEST) * uniform(seed, _SIZE, index)
        raised += size * _accent(age_s)
    return BrowState(age_s, index, raised)


def _accent(age_s: float) -> float:
    if age_s < _RAISE_S:
        return 0.5 - 0.5 * math.cos(math.pi * age_s / _RAISE_S)
    t = (age_s - _RAISE_S) / _LOWER_S
    return 0.5 + 0.5 * math.cos(math.pi * t) if t < 1 else 0.0
