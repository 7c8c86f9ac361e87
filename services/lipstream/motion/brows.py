"""Brows: raised with some of the voice's accents, never with all of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lipstream.motion.noise import Doubles, smooth_noise, uniform

__all__ = ["BrowState", "advance_brows"]

_ACCENT = np.array([400, 401])  # streams of noise: whether the brows follow, and how far
_DRIFT = 402
_STRESSED = 0.30
_REFRACTORY_S = 1.6
_SHARE = 0.55
_RAISE_S, _LOWER_S = 0.16, 0.50
_SMALLEST, _LARGEST = 0.12, 0.38
_DRIFT_SIZE, _DRIFT_HZ = 0.04, 0.2
_OLDEST_S = 10.0


class BrowState(NamedTuple):
    """Of sessions, all `# [B]`."""

    age_s: Doubles
    """Since the last accent that the brows considered."""
    number: Doubles
    raised: Doubles
    """0..1, weight of the raising shapes"""


def advance_brows(
    state: BrowState,
    seeds: NDArray[np.int64],  # [B]
    emphasis: Doubles,  # [B]
    time_s: Doubles,  # [B]
    step_s: float,
) -> BrowState:
    """The brows one frame later."""
    age_s = np.minimum(state.age_s + step_s, _OLDEST_S)
    new = (emphasis > _STRESSED) & (age_s > _REFRACTORY_S)
    age_s, number = np.where(new, 0.0, age_s), state.number + new
    raised = _DRIFT_SIZE * (0.5 + 0.5 * smooth_noise(seeds, _DRIFT, _DRIFT_HZ * time_s))
    choice, share = uniform(seeds[:, None], _ACCENT, number[:, None]).T
    followed = (number > 0) & (choice < _SHARE)
    size = _SMALLEST + (_LARGEST - _SMALLEST) * share
    return BrowState(age_s, number, raised + np.where(followed, size * _accent(age_s), 0.0))


def _accent(age_s: Doubles) -> Doubles:
    """Up in a half cosine, down in a longer one."""
    falling = np.clip((age_s - _RAISE_S) / _LOWER_S, 0, 1)
    turn = np.where(age_s < _RAISE_S, age_s / _RAISE_S - 1, falling)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * turn))
