"""Random numbers as a function of (seed, stream, index), so that motion needs no generator state.

Frame 90,000 of a session costs what frame 1 does, any replica computes the same value, and chunks
cannot matter.
"""

from __future__ import annotations

import math
from functools import lru_cache

__all__ = ["lognormal", "normal", "smooth_noise", "uniform"]

_MASK = (1 << 64) - 1
_REMEMBERED = 1 << 14
"""Numbers: some hundreds a session are asked for in frame after frame."""


@lru_cache(maxsize=_REMEMBERED)
def uniform(seed: int, stream: int, index: int) -> float:
    """Uniform in [0, 1): splitmix64 of the three numbers (S. Vigna, 2015)."""
    value = (seed * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03 + index) & _MASK
    for _ in range(2):
        value = (value + 0x9E3779B97F4A7C15) & _MASK
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
        value ^= value >> 31
    return (value >> 11) / (1 << 53)


def normal(seed: int, stream: int, index: int) -> float:
    """Standard normal (Box and Muller)."""
    radius = math.sqrt(-2 * math.log(1 - uniform(seed, stream, 2 * index)))
    return radius * math.cos(2 * math.pi * uniform(seed, stream, 2 * index + 1))


def lognormal(seed: int, stream: int, index: int, *, median: float, spread: float) -> float:
    """Log-normal with that median; `spread` is the standard deviation of the logarithm."""
    return median * math.exp(spread * normal(seed, stream, index))


def smooth_noise(seed: int, stream: int, position: float) -> float:
    """Band-limited noise, mostly in -1..1, that varies over about one unit of `position`."""
    index = math.floor(position)
    t = position - index
    ease = t * t * t * (t * (6 * t - 15) + 10)
    left = 2 * uniform(seed, stream, index) - 1
    right = 2 * uniform(seed, stream, index + 1) - 1
    return left + ease * (right - left)
