"""Brows: raised with some of the voice's accents, never with all of them."""

from __future__ import annotations

import math
from typing import NamedTuple

from lipstream.motion.noise import smooth_noise, uniform

__all__ = ["BrowState", "advance_brows"]

_FOLLOWS, _HOW_FAR, _DRIFT = 400, 401, 402  # streams of noise
_STRESSED = 0.30
_REFRACTORY_S = 1.6
_SHARE = 0.55
_RAISE_S, _LOWER_S = 0.16, 0.50
_SMALLEST, _LARGEST = 0.12, 0.38
_DRIFT_SIZE, _DRIFT_HZ = 0.04, 0.2
_OLDEST_S = 10.0


class BrowState(NamedTuple):
    age_s: float
    """Since the last accent that the brows considered."""
    number: float
    raised: float
    """0..1, weight of the raising shapes"""


def advance_brows(
    state: BrowState,
    seed: int,
    emphasis: float,
    time_s: float,
    step_s: float,
) -> BrowState:
    """The brows one frame later."""
    age_s, number = min(state.age_s + step_s, _OLDEST_S), state.number
    if emphasis > _STRESSED and age_s > _REFRACTORY_S:
        age_s, number = 0.0, number + 1
    raised = _DRIFT_SIZE * (0.5 + 0.5 * smooth_noise(seed, _DRIFT, _DRIFT_HZ * time_s))
    if number > 0 and uniform(seed, _FOLLOWS, int(number)) < _SHARE:
        size = _SMALLEST + (_LARGEST - _SMALLEST) * uniform(seed, _HOW_FAR, int(number))
        raised += size * _accent(age_s)
    return BrowState(age_s, number, raised)


def _accent(age_s: float) -> float:
    """Up in a half cosine, down in a longer one."""
    falling = min((age_s - _RAISE_S) / _LOWER_S, 1.0)
    turn = age_s / _RAISE_S - 1 if age_s < _RAISE_S else falling
    return 0.5 + 0.5 * math.cos(math.pi * turn)
